"""Times and amounts as the server's JSON writes them (reference §6.1), read leniently and exactly."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

from domain.clock import KYIV
from domain.money import Money, Rate

_SCRIPT_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Captures show sums that went through a binary float; further off than this it is another number.
_NOISE = Decimal("0.0001")


def parse_moment(text: str) -> datetime:
    """Return aware UTC from ISO 8601 or `/Date(milliseconds)/`.

    Without an offset it is Kyiv time, as real answers have it. More than six digits of a second are cut.

    Raises: ValueError.
    """
    script = _SCRIPT_DATE.fullmatch(text.strip())
    if script is not None:
        try:
            return _EPOCH + timedelta(milliseconds=int(script[1]))
        except OverflowError:
            raise ValueError("no moment") from None
    moment = datetime.fromisoformat(text.strip())
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=KYIV)).astimezone(UTC)


def _moment(value: Any) -> Any:
    return parse_moment(value) if isinstance(value, str) else value


def hundredths(value: Decimal) -> int:
    """Return a decimal with two digits as a whole number of hundredths. Raises: ValueError."""
    scaled = value * 100
    whole = scaled.to_integral_value()
    if abs(scaled - whole) > _NOISE:
        raise ValueError("more than two digits after the point")
    return int(whole)


def _hundredths(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("no number")  # noqa: TRY004 (pydantic turns a ValueError into its own)
    try:
        return hundredths(Decimal(value))
    except ArithmeticError:
        raise ValueError("no number") from None


Moment = Annotated[datetime, BeforeValidator(_moment)]
"""A moment, aware UTC."""

Amount = Annotated[Money, BeforeValidator(lambda value: Money(_hundredths(value)))]
"""Hryvnias; null is zero."""

Percent = Annotated[Rate, BeforeValidator(lambda value: Rate(_hundredths(value)))]
"""Per cent; null is zero."""
