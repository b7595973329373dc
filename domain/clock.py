"""Time as the domain sees it: passed in, UTC in events, Kyiv time in documents."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

KYIV = ZoneInfo("Europe/Kyiv")


class Clock(Protocol):
    """Gives the present; the real one and a simulated one look the same."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that moves only when told to; for simulations and tests."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the time last set."""
        return self._now

    def advance(self, step: timedelta) -> datetime:
        """Move forward by `step` and return the new time."""
        self._now += step
        return self._now


def kyiv(moment: datetime) -> datetime:
    """Return the same moment as Kyiv wall time."""
    return moment.astimezone(KYIV)


def wall_time(moment: datetime) -> datetime:
    """Return what a Kyiv clock on the wall shows: naive, and twice the same in the repeated October hour."""
    return kyiv(moment).replace(tzinfo=None)


def fiscal_day(moment: datetime) -> date:
    """Return the Kyiv calendar day a moment belongs to."""
    return kyiv(moment).date()


def last_passing(at: time, *, now: datetime) -> datetime:
    """Return when Kyiv clocks last showed `at`, now included, as UTC.

    A time that the spring change leaves out counts as if clocks had not changed yet; of a repeated one the first counts.
    """
    day = fiscal_day(now)
    passed = datetime.combine(day, at, tzinfo=KYIV).astimezone(UTC)
    if passed > now:
        passed = datetime.combine(day - timedelta(days=1), at, tzinfo=KYIV).astimezone(UTC)
    return passed


def whole_second(moment: datetime) -> datetime:
    """Return the moment without its fraction: documents carry whole seconds."""
    return moment.replace(microsecond=0)
