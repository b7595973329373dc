"""The event feed: everything that happened, by cursor or as it happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Annotated

import orjson
from fastapi import Query
from starlette.responses import Response, StreamingResponse

from api.auth import Right
from api.bodies import header
from api.dependencies import Parts
from api.positions import position_text
from api.routing import Call, CallContext, Endpoints
from api.schemas.common import LONGEST_CURSOR, WholeNumber
from api.schemas.events import EventPage
from api.waiting import heard
from domain.errors import InvalidField, Unavailable
from domain.ports import LogPosition
from infra.event_store.codec import StateCompressor
from infra.event_store.feed import Cursor, FeedEvent

events = Endpoints(tag="Events", description="The log itself, for those who follow it.")

LATEST = "latest"
MOST_EVENTS = 1_000
_STREAM_PAGE = 500
_PING_SECONDS = 15.0
_PING = b": still here\n\n"
_compressor = StateCompressor()

FeedCursor = Annotated[
    str,
    Query(
        max_length=LONGEST_CURSOR,
        description="The `cursor` of the page before; empty: from the beginning; `latest`: from now on.",
        examples=[LATEST],
    ),
]


@events.add(
    "GET",
    "/v1/events",
    right=Right.READ_EVENTS,
    answer=EventPage,
    summary="Read events by cursor",
)
async def read_events(
    call: Call,
    cursor: FeedCursor = "",
    limit: Annotated[
        WholeNumber,
        Query(ge=1, le=MOST_EVENTS, description="Most events of the page.", examples=[100]),
    ] = 100,
) -> Response:
    """Return events after a cursor. Each appears exactly once to whoever goes from cursor to cursor."""
    feed = call.parts.feed
    page = await call.parts.from_view(feed.page, await _cursor(call.parts, cursor), limit)
    return Response(
        orjson.dumps(
            {"events": [_event(event) for event in page.events], "cursor": str(page.cursor)}
        ),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


@events.add(
    "GET",
    "/v1/events/stream",
    right=Right.READ_EVENTS,
    answer=None,
    summary="Follow events as they happen",
    media_type="text/event-stream",
    refuses=(Unavailable,),
)
async def stream_events(call: Call, cursor: FeedCursor = LATEST) -> Response:
    """Stay connected and get events as server-sent events: `id` is the cursor behind a group, `data` its JSON.

    A client that reconnects sends `Last-Event-ID` and misses nothing.
    """
    parts = call.parts
    if parts.metrics.open_streams >= parts.settings.most_event_streams:
        raise Unavailable(what="event stream", reason="too many are open")
    start = await _cursor(parts, header(call.scope, b"last-event-id") or cursor)
    return StreamingResponse(
        _stream(call, start),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(call: CallContext, cursor: Cursor) -> AsyncIterator[bytes]:
    parts = call.parts
    parts.metrics.stream_opened()
    try:
        # Sent at once, so that a client knows where it stands before anything happens.
        yield f"id: {cursor}\nretry: 2000\n\n".encode()
        while not parts.stopping.is_set():
            moved = parts.bell.listen()
            page = await parts.from_view(parts.feed.page, cursor, _STREAM_PAGE)
            if page.events:
                cursor = page.cursor
                yield _group(page.events, cursor)
            elif not await heard(moved, seconds=_PING_SECONDS):
                yield _PING
    finally:
        parts.metrics.stream_closed()


def _group(found: Iterable[FeedEvent], cursor: Cursor) -> bytes:
    data = orjson.dumps([_event(event) for event in found])
    return b"event: events\nid: " + str(cursor).encode() + b"\ndata: " + data + b"\n\n"


async def _cursor(parts: Parts, text: str) -> Cursor:
    if text == LATEST:
        return await parts.from_view(parts.feed.heads)
    if len(text) > LONGEST_CURSOR:
        raise InvalidField(field="cursor", expected="a cursor as returned")
    return Cursor.parse(text)


def _event(event: FeedEvent) -> dict[str, object]:
    return {
        "position": position_text(LogPosition(event.shard, event.position)),
        "stream_id": event.stream_id,
        "version": event.version,
        "topic": event.topic,
        # Stored as JSON already; it goes out as it is.
        "data": orjson.Fragment(_compressor.decompress(event.state)),
    }
