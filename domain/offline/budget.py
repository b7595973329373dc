"""Time that a register has spent offline, and when it must stop.

Rules (reference §5.5):

1. A session's length is counted in two ways. The protocol: from document 102 to the last document before 103 that moves
   money or goods, or totals them. Tax offices: from 102 to 103. The longer one stops the register.
2. A session that is still open lasts until now by the second counting, until its last such document by the first.
3. Time is real time elapsed, also in the nights when clocks change; it belongs to the Kyiv calendar month it passes in,
   so a session over the end of a month is divided there.
4. A limit is reached when all its minutes have passed: 2160 minutes are not over in their 2160th. Minutes are whole
   minutes that have passed, rounded once, after everything is added.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.clock import KYIV, kyiv
from domain.offline.limits import WARNING_MARKS, OfflineLimits

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SessionSpan:
    """When an offline session was; aware UTC times of its documents.

    `began_at` is of 102, `ended_at` of 103 (None: the session is open), `last_financial_at` of the last receipt or
    Z-report in it (None: it has none).
    """

    began_at: datetime
    ended_at: datetime | None = None
    last_financial_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TimeUsed:
    """Whole minutes against a limit: `by_documents` as the protocol counts, `by_notices` as tax offices do."""

    limit_minutes: int
    by_documents_minutes: int
    by_notices_minutes: int

    @property
    def minutes(self) -> int:
        """The longer of both countings."""
        return max(self.by_documents_minutes, self.by_notices_minutes)

    @property
    def left_minutes(self) -> int:
        """Whole minutes until the limit, never less than none."""
        return max(0, self.limit_minutes - self.minutes)

    @property
    def percent(self) -> int:
        """Share of the limit in whole per cent, rounded down: 100 and more once it is reached."""
        return self.minutes * 100 // self.limit_minutes

    @property
    def reached(self) -> bool:
        """Whether nothing is left."""
        return self.minutes >= self.limit_minutes

    def crossed(self, marks: Sequence[int] = WARNING_MARKS) -> tuple[int, ...]:
        """Return the marks, in per cent, that the time used has come to; the lowest first."""
        return tuple(
            sorted(mark for mark in marks if self.minutes * 100 >= mark * self.limit_minutes)
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """Where a register stands at a moment: its open session (zero minutes where none is), and the Kyiv month.

    `stops_at` is when a limit is reached if the open session goes on (where none is open, if one begins now); the present
    where one is reached already. `resumes_at` is when the register may go on by itself: at the beginning of the next
    month where only the month is used up. It is None where nothing is used up, and where the session is: then only the
    return online ends the stop.
    """

    session: TimeUsed
    month: TimeUsed
    stops_at: datetime
    resumes_at: datetime | None

    @property
    def exhausted(self) -> bool:
        """Whether no more documents may be made offline now."""
        return self.session.reached or self.month.reached

    def crossed(self, marks: Sequence[int] = WARNING_MARKS) -> tuple[int, ...]:
        """Return the marks, in per cent, that the session or the month has come to; the lowest first."""
        return max(self.session.crossed(marks), self.month.crossed(marks), key=len)


def budget(sessions: Iterable[SessionSpan], *, now: datetime, limits: OfflineLimits) -> Budget:
    """Return the time used at `now` (aware). Of sessions that ended before the Kyiv month began nothing is needed."""
    spans = tuple(sessions)
    running = [span for span in spans if span.ended_at is None]
    assert len(running) <= 1, "a register has one offline session at a time"
    session = TimeUsed(
        limit_minutes=limits.session_minutes,
        by_documents_minutes=sum(_length(_by_documents(span)) for span in running),
        by_notices_minutes=sum(_length(_by_notices(span, now=now)) for span in running),
    )
    month_began, month_ends = month_of(now)
    by_documents = _in_month((_by_documents(span) for span in spans), month_began, month_ends)
    by_notices = _in_month((_by_notices(span, now=now) for span in spans), month_began, month_ends)
    month = TimeUsed(
        limit_minutes=limits.month_minutes,
        by_documents_minutes=by_documents // _MINUTE,
        by_notices_minutes=by_notices // _MINUTE,
    )
    began_at = running[0].began_at if running else now
    session_stops = began_at + timedelta(minutes=limits.session_minutes)
    stops = _stops(
        now,
        month_used=max(by_documents, by_notices),
        session_stops=session_stops,
        limits=limits,
    )
    return Budget(
        session=session,
        month=month,
        stops_at=now if session.reached else max(now, stops),
        resumes_at=month_ends if month.reached and not session.reached else None,
    )


def spans_of_month(sessions: Iterable[SessionSpan], *, now: datetime) -> tuple[SessionSpan, ...]:
    """Return the sessions that the budget at `now`, or at any later time, still needs: the others can be forgotten."""
    began, _ = month_of(now)
    return tuple(span for span in sessions if span.ended_at is None or span.ended_at > began)


def month_of(moment: datetime) -> tuple[datetime, datetime]:
    """Return when the Kyiv calendar month of a moment begins and when the next one does, in UTC."""
    wall = kyiv(moment)
    year, month = (wall.year, wall.month + 1) if wall.month < 12 else (wall.year + 1, 1)
    first = datetime(wall.year, wall.month, 1, tzinfo=KYIV)
    return first.astimezone(UTC), datetime(year, month, 1, tzinfo=KYIV).astimezone(UTC)


_Period = tuple[datetime, datetime]


def _by_documents(span: SessionSpan) -> _Period:
    return span.began_at, span.last_financial_at or span.began_at


def _by_notices(span: SessionSpan, *, now: datetime) -> _Period:
    return span.began_at, now if span.ended_at is None else span.ended_at


def _length(period: _Period) -> int:
    """Return whole minutes; none where the clock was put back behind the beginning."""
    began, ended = period
    return max(timedelta(0), ended - began) // _MINUTE


def _in_month(periods: Iterable[_Period], began: datetime, ends: datetime) -> timedelta:
    """Return how much of the periods passed in a month."""
    parts = (min(end, ends) - max(begin, began) for begin, end in periods)
    return sum((max(timedelta(0), part) for part in parts), timedelta(0))


def _stops(
    now: datetime, *, month_used: timedelta, session_stops: datetime, limits: OfflineLimits
) -> datetime:
    """Return when a limit is reached if all time from now on is offline.

    The next month begins with all its minutes, so a month that ends before its limit does not stop the register.
    """
    limit = timedelta(minutes=limits.month_minutes)
    _, ends = month_of(now)
    stops = now + (limit - month_used)
    while stops >= ends and ends < session_stops:
        began, ends = month_of(ends)
        stops = began + limit
    return min(stops, session_stops)
