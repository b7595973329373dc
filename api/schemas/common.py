"""What all models share: strictness, the units, identifiers, pages.

Requests are strict: a whole number is a whole number (no text, no fraction), a field that is not in the schema is an
error. Money is whole kopecks, quantities whole thousandths, rates basis points; times are RFC 3339.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Path, Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

LARGEST_KOPECKS = 10_000_000_000
LARGEST_THOUSANDTHS = 1_000_000_000
LONGEST_CURSOR = 1024
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class RequestModel(BaseModel):
    """A body or a part of one."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        ser_json_temporal="iso8601",
    )


class AnswerModel(BaseModel):
    """An answer or a part of one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Item = TypeVar("Item")


class Page(AnswerModel, Generic[Item]):
    """One page of a list."""

    # A generic model's description is not handed down to what is made of it.
    model_config = ConfigDict(json_schema_extra={"description": "One page of a list."})

    items: list[Item] = Field(description="The rows, at most `limit`.")
    next: str | None = Field(
        description="Give it as `after` to get the following page; null at the end.",
        examples=["AAAAAGcx7qAAAAB-WgAACxxNLo8wobLD1AH3"],
    )
    position: str = Field(
        description="The place of the log that these rows show, opaque.", examples=["AQEBAg"]
    )


def _rfc3339(value: Any) -> Any:
    # Left to itself the parser takes `1` for the first second of 1970.
    if isinstance(value, str) and _RFC3339.fullmatch(value) is None:
        raise ValueError("a time with its offset, as RFC 3339 writes it")
    return value


def _day(value: Any) -> Any:
    if isinstance(value, str) and _DAY.fullmatch(value) is None:
        raise ValueError("a date as YYYY-MM-DD")
    return value


def _digits(value: Any) -> Any:
    # Left to itself the parser takes ` 5 ` and `5.0` as well.
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("a whole number")
    return value


def _yes_or_no(value: Any) -> Any:
    if isinstance(value, str) and value not in ("true", "false"):
        raise ValueError("true or false")
    return value


_UUID = "7e5a0000-0b1c-4d2e-8f30-a1b2c3d401f7"

Moment = Annotated[AwareDatetime, BeforeValidator(_rfc3339)]
Day = Annotated[date, BeforeValidator(_day)]
WholeNumber = Annotated[int, BeforeValidator(_digits)]
YesOrNo = Annotated[bool, BeforeValidator(_yes_or_no)]
Id = Annotated[UUID, Field(examples=[_UUID])]
Stamp = Annotated[datetime, Field(examples=["2026-11-05T08:15:04Z"])]

CompanyId = Annotated[UUID, Path(description="The company's id.", examples=[_UUID])]
BusinessUnitId = Annotated[UUID, Path(description="The business unit's id.", examples=[_UUID])]
RegisterId = Annotated[UUID, Path(description="The register's id.", examples=[_UUID])]
CashierId = Annotated[UUID, Path(description="The cashier's id.", examples=[_UUID])]
ShiftId = Annotated[UUID, Path(description="The shift's id.", examples=[_UUID])]
ReceiptId = Annotated[UUID, Path(description="The receipt's id.", examples=[_UUID])]
DocumentId = Annotated[UUID, Path(description="The document's id.", examples=[_UUID])]

RegisterFilter = Annotated[
    UUID | None, Query(description="Only of this register.", examples=[_UUID])
]
ShiftFilter = Annotated[UUID | None, Query(description="Only of this shift.", examples=[_UUID])]
CompanyFilter = Annotated[UUID | None, Query(description="Only of this company.", examples=[_UUID])]
BusinessUnitFilter = Annotated[
    UUID | None, Query(description="Only of this business unit.", examples=[_UUID])
]
Since = Annotated[
    Moment | None,
    Query(description="Only from this time on.", examples=["2026-11-05T00:00:00+02:00"]),
]
Until = Annotated[
    Moment | None,
    Query(description="Only before this time.", examples=["2026-11-06T00:00:00+02:00"]),
]
Limit = Annotated[
    WholeNumber, Query(ge=1, le=500, description="Most rows of the page.", examples=[50])
]
After = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=LONGEST_CURSOR,
        description="The `next` of the page before.",
        examples=["AAAAAGcx7qAAAAB-WgAACxxNLo8wobLD1AH3"],
    ),
]
AtLeast = Annotated[
    str | None,
    Query(
        pattern=r"^\d{1,2}-\d{1,18}$",
        max_length=24,
        description="A `position` from an answer to a write: the read shows that write, or answers 503.",
        examples=["17-4321"],
    ),
]


def text(description: str, *, longest: int, example: str, shortest: int = 1) -> Any:
    """Return the field of a text that has to be there."""
    return Field(
        min_length=shortest, max_length=longest, description=description, examples=[example]
    )


def optional_text(description: str, *, longest: int, example: str) -> Any:
    """Return the field of a text that may be absent."""
    return Field(default=None, max_length=longest, description=description, examples=[example])


class Links(AnswerModel):
    """Where to go on from here."""

    self: str = Field(description="This resource.", examples=[f"/v1/shifts/{_UUID}"])
    its_register: str = Field(
        serialization_alias="register",
        description="Its register.",
        examples=[f"/v1/registers/{_UUID}"],
    )
    lane: str = Field(
        description="The register's lane: what is on its way and why it waits.",
        examples=[f"/v1/registers/{_UUID}/lane"],
    )
