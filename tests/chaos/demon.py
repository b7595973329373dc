"""What goes wrong: parts are killed at random, and the tax service has its moods. A seed makes it repeatable in kind."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from infra.cli import readiness
from tests.chaos.network import Desk
from tests.chaos.tills import MARK
from tests.support.deployment import AnyPart, Deployment

_TEXT = f"{MARK}: відмова за сценарієм"
_MOOD_SECONDS = (0.5, 3.0)
_STRIKES_WHILE_DOWN = 0.25

CHANCES = {
    "answer-lost": 0.02,
    "duplicate": 0.03,
    "late": 0.004,
    "refuse-code": 0.02,
    "reset": 0.01,
    "server-error": 0.01,
    "server-error-after": 0.01,
    "silent-after": 0.004,
    "silent-before": 0.004,
    "slow": 0.10,
    "wrong-ticket-uid": 0.004,
}
"""What each request with a document risks."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often things happen: seconds between two kills and between two moods, at most.

    Most kills wait until the program works again, so that it has something to lose; some strike while it recovers.
    """

    kill_seconds: float
    mood_seconds: float
    down_seconds: float


class Demon(threading.Thread):
    """Kills and disturbs until told to stop; then the tax service is well again."""

    def __init__(
        self, deployment: Deployment, desks: Sequence[Desk], rhythm: Rhythm, *, seed: int
    ) -> None:
        super().__init__(name="demon", daemon=True)
        self._deployment = deployment
        self._desks = desks
        self._rhythm = rhythm
        self._seed = seed
        self._dice = random.Random(f"demon {seed}")
        self._stop_asked = threading.Event()
        self._silence_seconds = deployment.settings.answer_timeout_seconds + 1.0
        self._mood: str | None = None
        self._simulators = 0
        self._victims = self._order_of_victims()
        self.injected: Counter[str] = Counter()
        self._injected_now: Counter[str] = Counter()
        self._works = readiness.answers(f"{deployment.api_url}/ready")
        self.fault: Exception | None = None

    def run(self) -> None:
        dice, rhythm = self._dice, self._rhythm
        # Nothing dies before the first sales were made.
        kill_at = time.monotonic() + rhythm.kill_seconds
        mood_at = time.monotonic() + rhythm.mood_seconds * dice.random()
        hasty = False
        try:
            self.disturb()
            while not self._stop_asked.wait(0.2):
                now = time.monotonic()
                if now > mood_at:
                    self._change_mood()
                    longest = rhythm.mood_seconds if self._mood is None else _MOOD_SECONDS[1]
                    mood_at = now + dice.uniform(_MOOD_SECONDS[0], longest)
                if now > kill_at and (hasty or self._works()):
                    hasty = dice.random() < _STRIKES_WHILE_DOWN
                    self._kill(next(self._victims)())
                    kill_at = now + dice.uniform(0.4, 1.0) * rhythm.kill_seconds
        except Exception as fault:
            self.fault = fault
            raise

    def stop(self) -> None:
        """Stop, wait until all parts are up, and end every fault."""
        self._stop_asked.set()
        self.join()
        self._deployment.until(self._all_alive, "every part")
        self._deployment.wait_until_ready()
        self._count_injections()
        self.injected += self._injected_now
        self._deployment.admin("DELETE", "faults")
        self._deployment.admin("POST", "late")

    def disturb(self) -> None:
        """Let chance strike the tax service; a simulator that was started anew has forgotten it."""
        self._simulators += 1
        silent = {"seconds": self._silence_seconds}
        templates = [
            {"kind": "slow", "seconds": 0.2},
            {"kind": "refuse-code", "code": 9, "text": _TEXT},
            *({"kind": kind, **silent} for kind in ("late", "silent-after", "silent-before")),
        ]
        self._deployment.admin(
            "PUT",
            "faults/random",
            {
                "seed": self._seed + self._simulators,
                "probabilities": CHANCES,
                "templates": templates,
            },
        )

    # --- kills --------------------------------------------------------------------------------------

    def _order_of_victims(self) -> Any:
        """Give who dies next: every part once before anybody dies again, in an order that changes."""
        made = self._deployment
        choices: list[Callable[[], AnyPart]] = [
            lambda: made.api,
            lambda: self._dice.choice(made.workers),
            lambda: made.signer,
            lambda: made.simulator,
            lambda: made.postgres,
        ]
        while True:
            self._dice.shuffle(choices)
            yield from list(choices)

    def _kill(self, part: AnyPart) -> None:
        if not part.is_alive():
            return
        if part is self._deployment.simulator:
            self._count_injections()
            self.injected += self._injected_now
            self._injected_now.clear()
        down = self._dice.uniform(0.0, self._rhythm.down_seconds)
        part.rest_until = time.monotonic() + down
        part.kill()
        if part is self._deployment.simulator:
            self._mood = None
            self._until_answered(self.disturb)

    def _until_answered(self, ask: Callable[[], None]) -> None:
        while not self._stop_asked.is_set():
            try:
                ask()
            except httpx.HTTPError:
                self._stop_asked.wait(0.1)
            else:
                return

    def _all_alive(self) -> bool:
        return all(part.is_alive() for part in self._deployment.parts)

    # --- moods --------------------------------------------------------------------------------------

    def _change_mood(self) -> None:
        """End the tax service's mood, or begin one: cut off, very slow, deaf to questions, without time-stamps."""
        admin = self._deployment.admin
        if self._mood is not None:
            admin("PUT", "faults", {"faults": []})
            self._mood = None
            return
        self._mood = self._dice.choice(["cut-off", "slow", "deaf", "no-stamps", "stop", "stop"])
        if self._mood == "cut-off":
            admin("PUT", "faults/cut-off", {"on": True})
        elif self._mood == "stop":
            self._stop_a_lane()
            self._mood = None
        else:
            admin("PUT", "faults", {"faults": [self._standing(self._mood)]})

    def _standing(self, mood: str) -> dict[str, Any]:
        if mood == "slow":
            return {"kind": "slow", "resources": ["doc", "cmd"], "seconds": 0.7}
        if mood == "deaf":
            kind = self._dice.choice(["reset", "answer-lost", "silent-before", "server-error"])
            return {"kind": kind, "resources": ["cmd"], "seconds": self._silence_seconds}
        return {"kind": "reset", "resources": ["tsa"]}

    def _stop_a_lane(self) -> None:
        """Refuse the next document of a register by a code that a person has to act on."""
        desk = self._dice.choice(list(self._desks))
        code = self._dice.choice([1, 2, 3])
        stop_lane(self._deployment, desk, code=code, text=_TEXT)

    def _count_injections(self) -> None:
        counts = self._deployment.admin("GET", "faults/log")["counts"]
        self._injected_now.clear()
        for kinds in counts.values():
            self._injected_now.update(kinds)


def stop_lane(deployment: Deployment, desk: Desk, *, code: int, text: str) -> None:
    """Let the tax service refuse the register's next document by a code and a text."""
    fault = {"kind": "refuse-code", "code": code, "text": text}
    body = {"register_number": desk.fiscal_number, "steps": [{"fault": fault}]}
    deployment.admin("PUT", "faults/script", body)
