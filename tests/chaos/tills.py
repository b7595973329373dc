"""Tills under chaos: threads that sell as a real till does, repeating a request under its key until it is answered."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from tests.chaos.network import Desk

MARK = "хаос"
"""In the text of every refusal and every stop that the script injects; one without it is nobody's wish."""
FOR_GOOD = "хаос назавжди"
"""In the text of a stop that nobody lifts."""

_SELLS = 0.93
_CLOSES = 0.03
_HELD = 0.25
_LONGEST_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered in the end."""

    status: int
    body: dict[str, Any]

    @property
    def code(self) -> str | None:
        return self.body.get("code")


class Given:
    """What tills were told: for each acknowledged receipt its register and the totals that answers named."""

    def __init__(self) -> None:
        self.registers: dict[UUID, UUID] = {}
        self.totals: dict[UUID, set[int]] = defaultdict(set)
        self.repetitions = 0
        self.refusals: Counter[str] = Counter()
        self.resumed = 0
        self._lock = threading.Lock()

    def acknowledge(self, desk: Desk, answer: Answer) -> None:
        receipt_id = UUID(answer.body["receipt_id"])
        with self._lock:
            self.registers[receipt_id] = desk.register_id
            self.totals[receipt_id].add(answer.body["total_kopecks"])

    def repeat(self) -> None:
        with self._lock:
            self.repetitions += 1

    def resume(self) -> None:
        with self._lock:
            self.resumed += 1

    def refuse(self, code: str | None) -> None:
        with self._lock:
            self.refusals[code or "no code"] += 1


class Till(threading.Thread):
    """One client, on any of the registers: two tills may work on the same one."""

    def __init__(
        self,
        client: httpx.Client,
        desks: Sequence[Desk],
        given: Given,
        *,
        seed: str,
        pause_seconds: float = 0.0,
    ) -> None:
        super().__init__(name=f"till {seed}", daemon=True)
        self._client = client
        self._desks = desks
        self._given = given
        self._dice = random.Random(seed)
        self._seed = seed
        self._count = 0
        self._pause_seconds = pause_seconds
        self._closing = threading.Event()
        self.fault: Exception | None = None

    def run(self) -> None:
        try:
            while not self._closing.wait(self._pause_seconds * self._dice.random()):
                self._act(self._dice.choice(self._desks))
        except Exception as fault:
            self.fault = fault
            raise
        finally:
            self._client.close()

    def finish(self) -> None:
        """Begin nothing new; what was begun is repeated until it is answered."""
        self._closing.set()

    # --- what a till does ---------------------------------------------------------------------------

    def _act(self, desk: Desk) -> None:
        draw = self._dice.random()
        if draw < _SELLS:
            self.sell(desk)
        elif draw < _SELLS + _CLOSES:
            self.close_shift(desk)
        else:
            self.settle(desk)

    def sell(self, desk: Desk) -> None:
        """Sell once; what stands in the way is dealt with, so that the next sale may go through."""
        body = {**self._sale(), "cashier_id": str(desk.cashier_id)}
        answer = self._post(desk, "receipts", body)
        if answer.status in (201, 202):
            self._given.acknowledge(desk, answer)
        elif answer.code == "no-open-shift":
            self._post(desk, "shifts", {"cashier_id": str(desk.cashier_id)})
        elif answer.code == "lane-parked":
            self.resume(desk)
        else:
            self._expect(answer, "shift-closing")

    def close_shift(self, desk: Desk) -> None:
        """Close the shift, after settling what was refused in it."""
        answer = self._post(desk, "shifts/current/close", None)
        if answer.code == "refused-receipts-remain":
            self.settle(desk)
        elif answer.status not in (200, 202):
            self._expect(answer, "no-open-shift", "shift-closing", "lane-parked")

    def settle(self, desk: Desk) -> None:
        """Correct or void what the tax service refused."""
        for receipt_id in self._lane(desk)["refused_receipt_ids"]:
            if self._dice.random() < 0.6:
                answer = self._post(desk, f"receipts/{receipt_id}/correction", self._sale())
                if answer.status in (201, 202):
                    self._given.acknowledge(desk, answer)
                    continue
            else:
                answer = self._post(desk, f"receipts/{receipt_id}/void", {"reason": "Відмова"})
                if answer.status == 200:
                    continue
            # Another till may have been faster.
            self._expect(answer, "receipt-not-refused", "no-open-shift", "lane-parked")
        self.resume(desk)

    def resume(self, desk: Desk) -> None:
        """Let a lane go on that the script has stopped, as a person does who removed the cause."""
        parked = self._lane(desk)["parked"]
        if parked is not None and stopped_by_script(parked) and not stopped_for_good(parked):
            answer = self._post(desk, "lane/resume", {"reason": "Причину усунено"})
            if answer.status == 200:
                self._given.resume()
            else:
                self._expect(answer, "lane-not-parked")

    def _expect(self, answer: Answer, *codes: str) -> None:
        assert answer.code in codes, f"{answer.status} {answer.body}"
        self._given.refuse(answer.code)

    # --- asking -------------------------------------------------------------------------------------

    def _post(self, desk: Desk, what: str, body: dict[str, Any] | None) -> Answer:
        """Send a request until it is answered with anything but a failure, always under the same key."""
        self._count += 1
        headers = {"Idempotency-Key": f"{self._seed}-{self._count}"}
        if self._dice.random() < _HELD:
            headers["Prefer"] = "wait=2"
        return self._ask("POST", f"/v1/registers/{desk.register_id}/{what}", body, headers)

    def _lane(self, desk: Desk) -> dict[str, Any]:
        return self._ask("GET", f"/v1/registers/{desk.register_id}/lane", None, {}).body

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> Answer:
        pause = 0.05
        options: dict[str, Any] = {} if body is None else {"json": body}
        while True:
            try:
                answer = self._client.request(method, path, headers=headers, **options)
                content = answer.json()
            except (httpx.TransportError, ValueError):
                pass
            else:
                if answer.status_code < 500 and content.get("code") != "conflict":
                    return Answer(answer.status_code, content)
                assert content.get("retryable"), f"{method} {path}: {content}"
            self._given.repeat()
            time.sleep(pause * (0.5 + self._dice.random()))
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _sale(self) -> dict[str, Any]:
        dice = self._dice
        lines = [
            {
                "name": f"Товар {dice.randrange(1000)}",
                "quantity_thousandths": dice.choice([1000, 2000, 250, 1375]),
                "price_kopecks": dice.randrange(100, 50_000),
                "letters": dice.choice(["А", "Б", ""]),
            }
            for _ in range(dice.choice([1, 1, 2, 5]))
        ]
        card = {"form": "card", "amount_kopecks": dice.randrange(1, 20)}
        cash = {"form": "cash"}
        return {"lines": lines, "payments": dice.choice([[cash], [cash], [card, cash]])}


def stopped_by_script(parked: dict[str, Any]) -> bool:
    """Whether the tax service's words behind a stop are the script's."""
    return MARK in (parked["text"] or "")


def stopped_for_good(parked: dict[str, Any]) -> bool:
    """Whether nobody may lift the stop."""
    return FOR_GOOD in (parked["text"] or "")
