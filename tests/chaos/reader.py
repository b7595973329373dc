"""A reader of the event feed that goes from cursor to cursor through all of it, as an integrator's program does."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

Place = tuple[str, int]
"""A stream and a version in it: one event of the log."""


class Reader(threading.Thread):
    """Follows `/v1/events` until told to stop and the end is reached."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__(name="reader", daemon=True)
        self._client = client
        self._cursor = ""
        self._closing = threading.Event()
        self.seen: set[Place] = set()
        self.repeated = 0
        self.out_of_order = 0
        self.topics: Counter[str] = Counter()
        self.sales_registered = 0
        self.fault: Exception | None = None
        self._versions: dict[str, int] = {}

    def run(self) -> None:
        try:
            while self._page() or not self._closing.is_set():
                continue
        except Exception as fault:
            self.fault = fault
            raise
        finally:
            self._client.close()

    def finish(self) -> None:
        """Read to the end of the log, then stop."""
        self._closing.set()
        self.join()

    def _page(self) -> int:
        """Read one page; return how many events it had, nothing after a pause when there was none."""
        query = {"cursor": self._cursor, "limit": "1000"}
        answer = self._patiently(lambda: self._client.get("/v1/events", params=query))
        for event in answer["events"]:
            self._take(event)
        self._cursor = answer["cursor"]
        if not answer["events"]:
            time.sleep(0.2)
        return len(answer["events"])

    def _take(self, event: dict[str, Any]) -> None:
        stream, version = event["stream_id"], event["version"]
        place = (stream, version)
        self.repeated += place in self.seen
        self.out_of_order += version != self._versions.get(stream, 0) + 1
        self._versions[stream] = version
        self.seen.add(place)
        topic, data = event["topic"], event["data"]
        self.topics[topic] += 1
        self.sales_registered += (
            topic == "register.document-registered" and data.get("kind") == "sale"
        )

    @staticmethod
    def _patiently(ask: Callable[[], httpx.Response]) -> dict[str, Any]:
        while True:
            try:
                answer = ask()
            except httpx.TransportError:
                time.sleep(0.2)
                continue
            if answer.status_code == 200:
                page: dict[str, Any] = answer.json()
                return page
            assert answer.status_code >= 500, answer.text
            time.sleep(0.2)
