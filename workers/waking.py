"""Wakes lanes: on the database's hint at once, and by a sweep that finds what no hint told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from domain.clock import Clock
from domain.ports import Lanes

log = structlog.get_logger(__name__)

MOST_DUE = 1_000


class Waker:
    """Puts due lanes into the queue, each at most once until it was looked at.

    `wait` blocks until the database hints at work or the time-out passes. Behind a queue that other processes read
    too, nobody tells here that a lane was looked at: then one that is still due after `forget_seconds` is queued
    again.
    """

    def __init__(
        self,
        *,
        lanes: Lanes,
        clock: Clock,
        enqueue: Callable[[UUID], None],
        wait: Callable[[float], None],
        sweep_seconds: float,
        forget_seconds: float | None = None,
        retry_seconds: float = 1.0,
    ) -> None:
        self._lanes = lanes
        self._clock = clock
        self._enqueue = enqueue
        self._wait = wait
        self._sweep_seconds = sweep_seconds
        self._forget = None if forget_seconds is None else timedelta(seconds=forget_seconds)
        self._retry_seconds = retry_seconds
        self._queued: dict[UUID, datetime] = {}
        self._lock = threading.Lock()

    def taken(self, register_id: UUID) -> None:
        """Say that a worker begins to look at a lane: from now on it may be queued again."""
        with self._lock:
            self._queued.pop(register_id, None)

    def sweep(self) -> int:
        """Queue every due lane that is not queued yet; return how many."""
        now = self._clock.now()
        due = self._lanes.due(now=now, limit=MOST_DUE)
        with self._lock:
            if self._forget is not None:
                kept = now - self._forget
                self._queued = {key: at for key, at in self._queued.items() if at > kept}
            new = [register_id for register_id in due if register_id not in self._queued]
            self._queued.update(dict.fromkeys(new, now))
        for register_id in new:
            self._enqueue(register_id)
        return len(new)

    def run(self, stop: threading.Event) -> None:
        """Sweep on every hint and every few seconds until told to stop; outlives lost connections."""
        while not stop.is_set():
            try:
                self.sweep()
                self._wait(self._sweep_seconds)
            except Exception:
                log.exception("cannot look for due lanes")
                stop.wait(self._retry_seconds)
