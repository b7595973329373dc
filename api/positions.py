"""Places of the log as text, and reading one's own write."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from api.dependencies import Parts
from api.errors import TooFarBehind
from domain.errors import InvalidField
from domain.identifiers import SHARDS
from domain.ports import LogPosition
from projections.view import View

Found = TypeVar("Found")


def position_text(position: LogPosition | None) -> str | None:
    """Return a place as text; clients treat it as opaque."""
    return None if position is None else f"{position.shard}-{position.position}"


def parse_position(text: str) -> LogPosition:
    """Return the place of a text made by `position_text`. Raises: InvalidField."""
    shard, separator, position = text.partition("-")
    if (
        not separator
        or not (shard.isascii() and shard.isdigit())
        or not (position.isascii() and position.isdigit())
        or int(shard) >= SHARDS
    ):
        raise InvalidField(field="at_least", expected="a position as an answer gave it")
    return LogPosition(int(shard), int(position))


async def reach(parts: Parts, view: View, at_least: str | None) -> None:
    """Let a view show a place before it is read. Raises: InvalidField, TooFarBehind."""
    if at_least is None:
        return
    position = parse_position(at_least)

    async def reached() -> bool | None:
        return await parts.from_view(view.reached, position) or None

    if await eventually(parts, reached) is None:
        raise behind(view)


def behind(view: View) -> TooFarBehind:
    """Return the error of a view that does not show a place in time."""
    return TooFarBehind(what=f"read model {view.PROJECTION}", reason="it is catching up")


async def eventually(parts: Parts, look: Callable[[], Awaitable[Found | None]]) -> Found | None:
    """Return what `look` finds within the time a read model gets; None if it never does.

    No thread is held between looks.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + parts.settings.own_write_seconds
    pause = 0.005
    while (found := await look()) is None:
        left = until - loop.time()
        if left <= 0:
            return None
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 2, 0.1)
    return found
