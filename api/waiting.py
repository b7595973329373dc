"""`Prefer: wait=N`: calls held until something happens on their register, without a thread.

The feed follower hears every event; `Waits` passes those of watched registers to the event loop. A call watches its
register *before* it acts, so that nothing can happen unseen between the act and the waiting.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from infra.event_store.feed import FeedEvent


class Watch:
    """What has happened on one register since the watch began; used on the event loop only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heard: deque[Any] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False

    def heard_already(self) -> Iterator[Any]:
        """Take the events heard so far, without waiting."""
        while self._heard:
            yield self._heard.popleft()

    async def next(self, *, until: float) -> Any | None:
        """Return the next event; None when the loop's time `until` has come or the program stops."""
        while not self._heard:
            if self._ended or until <= self._loop.time():
                return None
            self._waiter = self._loop.create_future()
            timer = self._loop.call_at(until, _wake, self._waiter)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        return self._heard.popleft()

    def hear(self, event: Any) -> None:
        """Take note of an event."""
        self._heard.append(event)
        if self._waiter is not None:
            _wake(self._waiter)

    def end(self) -> None:
        """Let the caller go."""
        self._ended = True
        if self._waiter is not None:
            _wake(self._waiter)


class Waits:
    """All held calls by register. `heard` is called by the follower's thread, the rest on the event loop.

    At most `most` calls are held; one more is answered at once, which the client's preference allows.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watches: dict[UUID, set[Watch]] = {}
        self._count = 0
        self._stopping = False

    def __len__(self) -> int:
        return self._count

    def start(self) -> None:
        """Belong to the running event loop from now on."""
        self._loop = asyncio.get_running_loop()
        self._stopping = False

    def stop(self) -> None:
        """Let every held call go; later ones are not held."""
        self._stopping = True
        for watches in self._watches.values():
            for watch in watches:
                watch.end()

    @contextmanager
    def watch(self, register_id: UUID) -> Iterator[Watch | None]:
        """Watch a register; gives None when no more calls may be held."""
        if self._count >= self._most or self._stopping:
            yield None
            return
        watch = Watch(asyncio.get_running_loop())
        self._watches.setdefault(register_id, set()).add(watch)
        self._count += 1
        try:
            yield watch
        finally:
            self._count -= 1
            remaining = self._watches[register_id]
            remaining.discard(watch)
            if not remaining:
                del self._watches[register_id]

    def heard(self, events: Sequence[FeedEvent]) -> None:
        """Pass on what watched calls wait for. Called from the follower's thread, in the order of the log."""
        watched = [event for event in events if event.stream_id in self._watches]
        if not watched or self._loop is None:
            return
        # Decoded here, in the follower's thread: its result is kept for the cache of aggregates as well.
        decoded = [(event.stream_id, event.event) for event in watched]
        try:
            self._loop.call_soon_threadsafe(self._deliver, decoded)
        except RuntimeError:
            # The loop has closed: the program stops, and whoever waited is gone.
            return

    def _deliver(self, events: list[tuple[UUID, Any]]) -> None:
        for stream_id, event in events:
            for watch in self._watches.get(stream_id, ()):
                watch.hear(event)


class Bell:
    """Wakes every event stream when the log moved. `ring` is called by the follower's thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._moved = asyncio.Event()

    def start(self) -> None:
        """Belong to the running event loop from now on."""
        self._loop = asyncio.get_running_loop()

    def ring(self, _: Sequence[FeedEvent] = ()) -> None:
        """Say that the log moved."""
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(self.ring_here)
        except RuntimeError:
            # The loop has closed: the program stops, and nobody listens any more.
            return

    def ring_here(self) -> None:
        """Say on the event loop that the log moved."""
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def listen(self) -> asyncio.Event:
        """Return what will be set when the log moves from now on.

        Whoever reads the log listens first and reads then: what happens in between is heard.
        """
        return self._moved


async def heard(moved: asyncio.Event, *, seconds: float) -> bool:
    """Return whether the log moved within `seconds`."""
    try:
        await asyncio.wait_for(moved.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
