"""Events as the feed gives them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.schemas.common import AnswerModel, Id

_CURSOR = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
_EVENT = {
    "position": "17-4321",
    "stream_id": "c2f3de55-9f0b-5b0e-8f6e-2a6f0c1b7d20",
    "version": 57,
    "topic": "register.document-registered",
    "data": {"local_number": 4321, "fiscal_number": "3600000103"},
}


class EventAnswer(AnswerModel):
    """One fact. Its data are stored for ever as they are; money is in kopecks under names that say so."""

    position: str = Field(description="Its place in the log, opaque.", examples=["17-4321"])
    stream_id: Id = Field(
        description="What it is about: a register, a company, a receipt's returns …",
        examples=["c2f3de55-9f0b-5b0e-8f6e-2a6f0c1b7d20"],
    )
    version: int = Field(description="Its number in the stream, from 1.", examples=[57])
    topic: str = Field(description="What happened.", examples=["register.document-registered"])
    data: dict[str, Any] = Field(description="The fact.", examples=[_EVENT["data"]])


class EventPage(AnswerModel):
    """Events after a cursor: of each stream in order, of different streams in any order."""

    events: list[EventAnswer] = Field(description="At most `limit`.", examples=[[_EVENT]])
    cursor: str = Field(
        description="Give it back to get what follows; it stays good for ever.", examples=[_CURSOR]
    )
