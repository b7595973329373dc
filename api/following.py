"""Holding a call until what it asked for is settled, or its time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, Self, TypeVar

from api.waiting import Watch


class Progress(Protocol):
    """Something that events of its register move on."""

    def after(self, event: Any) -> Self:
        """Return the standing after an event."""
        ...


AnyProgress = TypeVar("AnyProgress", bound=Progress)


async def follow(
    progress: AnyProgress,
    watch: Watch | None,
    *,
    seconds: float,
    settled: Callable[[AnyProgress], bool],
) -> AnyProgress:
    """Return the standing when it is settled, at the latest after `seconds`; at once without a watch."""
    if watch is None:
        return progress
    until = asyncio.get_running_loop().time() + seconds
    for event in watch.heard_already():
        progress = progress.after(event)
    while not settled(progress):
        event = await watch.next(until=until)
        if event is None:
            break
        progress = progress.after(event)
    return progress
