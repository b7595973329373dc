"""Time offline: both countings, months and clock changes, limits to the minute."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.offline.budget import (
    Budget,
    SessionSpan,
    TimeUsed,
    budget,
    month_of,
    spans_of_month,
)
from domain.offline.limits import OfflineLimits
from tests.strategies import moments

LAW = OfflineLimits(session_minutes=2160, month_minutes=10_080)
NOON = datetime(2026, 11, 6, 10, tzinfo=UTC)
"""Noon in Kyiv."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def open_since(began_at: datetime, *, last: datetime | None = None) -> SessionSpan:
    return SessionSpan(began_at=began_at, last_financial_at=last)


def closed(began_at: datetime, lasted: timedelta, *, last: timedelta | None = None) -> SessionSpan:
    return SessionSpan(
        began_at=began_at,
        ended_at=began_at + lasted,
        last_financial_at=None if last is None else began_at + last,
    )


def used(spans: list[SessionSpan], *, now: datetime, limits: OfflineLimits = LAW) -> Budget:
    return budget(spans, now=now, limits=limits)


class TestCountings:
    def test_register_that_was_never_offline_has_all_its_time(self) -> None:
        assert used([], now=NOON) == Budget(
            session=TimeUsed(2160, 0, 0),
            month=TimeUsed(10_080, 0, 0),
            stops_at=NOON + 36 * HOUR,
            resumes_at=None,
        )

    def test_open_session_lasts_until_now_or_its_last_receipt(self) -> None:
        found = used([open_since(NOON - 3 * HOUR, last=NOON - HOUR)], now=NOON)
        assert found.session == TimeUsed(2160, by_documents_minutes=120, by_notices_minutes=180)
        assert found.month == TimeUsed(10_080, by_documents_minutes=120, by_notices_minutes=180)
        assert found.session.minutes == 180
        assert found.session.left_minutes == 1980

    def test_closed_session_lasts_until_its_end_or_its_last_receipt(self) -> None:
        found = used([closed(NOON - DAY, 5 * HOUR, last=2 * HOUR)], now=NOON)
        assert found.session == TimeUsed(2160, 0, 0)
        assert found.month == TimeUsed(10_080, by_documents_minutes=120, by_notices_minutes=300)

    def test_session_without_receipts_has_no_time_by_documents(self) -> None:
        found = used([closed(NOON - DAY, 5 * HOUR)], now=NOON)
        assert (found.month.by_documents_minutes, found.month.minutes) == (0, 300)

    def test_sessions_of_a_month_add_up(self) -> None:
        spans = [closed(NOON - day * DAY, HOUR, last=HOUR) for day in (1, 2, 3)]
        found = used([*spans, open_since(NOON - HOUR)], now=NOON)
        assert (found.month.minutes, found.session.minutes) == (240, 60)

    def test_seconds_of_sessions_add_up_before_they_are_cut(self) -> None:
        spans = [closed(NOON - day * DAY, 90 * timedelta(seconds=1)) for day in (1, 2)]
        assert used(spans, now=NOON).month.minutes == 3

    def test_session_of_no_length_takes_nothing(self) -> None:
        found = used([closed(NOON, timedelta(0), last=timedelta(0))], now=NOON)
        assert (found.month.minutes, found.exhausted) == (0, False)

    def test_clock_that_was_put_back_gives_no_negative_time(self) -> None:
        found = used([open_since(NOON)], now=NOON - HOUR)
        assert (found.session.minutes, found.month.minutes) == (0, 0)
        assert found.stops_at == NOON + 36 * HOUR


class TestMonths:
    END = datetime(2026, 11, 30, 22, tzinfo=UTC)
    """Midnight in Kyiv, winter time."""

    def test_month_is_kyivs(self) -> None:
        began, ends = month_of(NOON)
        assert (began, ends) == (datetime(2026, 10, 31, 22, tzinfo=UTC), self.END)

    def test_month_of_summer_begins_an_hour_earlier_in_utc(self) -> None:
        assert month_of(datetime(2026, 7, 31, 21, tzinfo=UTC)) == (
            datetime(2026, 7, 31, 21, tzinfo=UTC),
            datetime(2026, 8, 31, 21, tzinfo=UTC),
        )

    def test_december_is_followed_by_january(self) -> None:
        assert month_of(datetime(2026, 12, 31, 21, 59, tzinfo=UTC))[1] == datetime(
            2026, 12, 31, 22, tzinfo=UTC
        )

    @pytest.mark.parametrize(
        ("now", "month_minutes"), [(END - MINUTE, 599), (END, 0), (END + 2 * HOUR, 120)]
    )
    def test_minutes_belong_to_the_month_they_pass_in(
        self, now: datetime, month_minutes: int
    ) -> None:
        found = used([open_since(self.END - 10 * HOUR)], now=now)
        assert found.month.minutes == month_minutes
        assert found.session.minutes == (now - self.END + 10 * HOUR) // MINUTE

    def test_closed_session_over_the_end_of_a_month_is_divided(self) -> None:
        span = closed(self.END - 2 * HOUR, 5 * HOUR, last=4 * HOUR)
        assert used([span], now=self.END + DAY).month == TimeUsed(10_080, 120, 180)
        earlier = used([span], now=self.END - MINUTE).month
        assert (earlier.by_documents_minutes, earlier.by_notices_minutes) == (120, 120)

    def test_session_of_an_earlier_month_takes_nothing(self) -> None:
        assert used([closed(NOON - 30 * DAY, 30 * HOUR)], now=NOON).month.minutes == 0

    def test_only_sessions_that_may_still_count_are_kept(self) -> None:
        began, _ = month_of(NOON)
        past = closed(began - DAY, DAY)
        across = closed(began - DAY, DAY + MINUTE)
        running = open_since(began - 2 * DAY)
        assert spans_of_month([past, across, running], now=NOON) == (across, running)


class TestClockChanges:
    def test_night_of_spring_is_an_hour_shorter(self) -> None:
        """29 March 2026: 03:00 becomes 04:00, so from 01:00 to 05:00 by the wall are three hours."""
        began_at = datetime(2026, 3, 28, 23, tzinfo=UTC)
        now = datetime(2026, 3, 29, 2, tzinfo=UTC)
        assert used([open_since(began_at)], now=now).session.minutes == 180

    def test_night_of_autumn_is_an_hour_longer(self) -> None:
        """25 October 2026: 04:00 becomes 03:00, so from 02:00 to 05:00 by the wall are four hours."""
        began_at = datetime(2026, 10, 24, 23, tzinfo=UTC)
        now = datetime(2026, 10, 25, 3, tzinfo=UTC)
        assert used([open_since(began_at)], now=now).session.minutes == 240

    def test_session_limit_is_of_elapsed_hours(self) -> None:
        began_at = datetime(2026, 10, 24, 12, tzinfo=UTC)
        found = used([open_since(began_at)], now=began_at + HOUR)
        assert found.stops_at == began_at + 36 * HOUR


class TestLimits:
    @pytest.mark.parametrize(
        ("lasted", "reached", "left"),
        [
            (36 * HOUR - timedelta(seconds=1), False, 1),
            (36 * HOUR, True, 0),
            (36 * HOUR + MINUTE, True, 0),
        ],
    )
    def test_session_is_over_with_its_last_minute(
        self, lasted: timedelta, reached: bool, left: int
    ) -> None:
        found = used([open_since(NOON)], now=NOON + lasted)
        assert (found.session.reached, found.exhausted, found.session.left_minutes) == (
            reached,
            reached,
            left,
        )
        assert found.stops_at == max(NOON + 36 * HOUR, NOON + lasted)
        assert found.resumes_at is None

    @pytest.mark.parametrize(("short_by", "reached"), [(1, False), (0, True)])
    def test_month_is_over_with_its_last_minute(self, short_by: int, reached: bool) -> None:
        spans = [closed(NOON - day * DAY, 20 * HOUR) for day in (4, 3, 2)]
        late = NOON + 12 * DAY
        rest = timedelta(minutes=10_080 - 3 * 20 * 60 - short_by)
        # Whatever its length: the month is judged alone here.
        found = used([*spans, closed(late - rest, rest)], now=late)
        assert (found.month.reached, found.exhausted) == (reached, reached)
        _, ends = month_of(late)
        assert found.resumes_at == (ends if reached else None)
        assert found.stops_at == late + short_by * MINUTE

    def test_month_stops_an_open_session_before_its_own_limit(self) -> None:
        limits = OfflineLimits(session_minutes=2160, month_minutes=600)
        spans = [closed(NOON - 2 * DAY, 8 * HOUR), open_since(NOON - HOUR)]
        assert used(spans, now=NOON, limits=limits).stops_at == NOON + HOUR

    def test_month_that_ends_before_its_limit_does_not_stop(self) -> None:
        _, ends = month_of(NOON)
        now = ends - HOUR
        limits = OfflineLimits(session_minutes=2160, month_minutes=600)
        found = used([closed(now - 2 * DAY, 8 * HOUR), open_since(now)], now=now, limits=limits)
        # Two hours are left, one of them of this month; the next month brings ten hours.
        assert found.month.left_minutes == 120
        assert found.stops_at == ends + 10 * HOUR

    def test_session_that_goes_on_past_the_end_of_the_month_stops_by_its_own_limit(self) -> None:
        _, ends = month_of(NOON)
        now = ends - HOUR
        found = used([closed(now - 8 * DAY, 7 * DAY - 30 * MINUTE), open_since(now)], now=now)
        assert found.month.left_minutes == 30
        assert found.stops_at == now + 30 * MINUTE
        found = used([closed(now - 8 * DAY, 7 * DAY - 2 * HOUR), open_since(now)], now=now)
        assert found.month.left_minutes == 120
        assert found.stops_at == now + 36 * HOUR

    def test_month_used_up_opens_again_with_the_next(self) -> None:
        _, ends = month_of(NOON)
        limits = OfflineLimits(session_minutes=2160, month_minutes=60)
        span = open_since(ends - 2 * HOUR)
        before = used([span], now=ends - MINUTE, limits=limits)
        assert (before.exhausted, before.resumes_at) == (True, ends)
        after = used([span], now=ends, limits=limits)
        assert (after.exhausted, after.resumes_at) == (False, None)
        assert after.stops_at == ends + HOUR

    def test_session_used_up_does_not_resume_with_the_month(self) -> None:
        limits = OfflineLimits(session_minutes=60, month_minutes=60)
        found = used([open_since(NOON - HOUR)], now=NOON, limits=limits)
        assert (found.session.reached, found.month.reached) == (True, True)
        assert (found.stops_at, found.resumes_at) == (NOON, None)


class TestMarks:
    @pytest.mark.parametrize(
        ("minutes", "percent", "crossed"),
        [
            (0, 0, ()),
            (1079, 49, ()),
            (1080, 50, (50,)),
            (1620, 75, (50, 75)),
            (1943, 89, (50, 75)),
            (1944, 90, (50, 75, 90)),
            (2159, 99, (50, 75, 90)),
            (2160, 100, (50, 75, 90, 100)),
            (4320, 200, (50, 75, 90, 100)),
        ],
    )
    def test_mark_is_crossed_with_its_minute(
        self, minutes: int, percent: int, crossed: tuple[int, ...]
    ) -> None:
        found = used([open_since(NOON)], now=NOON + minutes * MINUTE)
        assert found.session.percent == percent
        assert found.session.crossed() == crossed
        assert found.crossed() == crossed

    def test_month_crosses_marks_of_its_own(self) -> None:
        found = used([closed(NOON - 5 * DAY, 100 * HOUR)], now=NOON)
        assert (found.session.crossed(), found.month.crossed()) == ((), (50,))
        assert found.crossed() == (50,)

    def test_marks_may_be_others_in_any_order(self) -> None:
        found = used([open_since(NOON - 18 * HOUR)], now=NOON)
        assert found.crossed((60, 50, 10)) == (10, 50)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[SessionSpan], datetime]:
    """Sessions one after another with pauses, the last one perhaps open, and a present after them."""
    at = draw(moments())
    spans = []
    for number in range(draw(st.integers(0, 5)), -1, -1):
        began = at + timedelta(seconds=draw(st.integers(0, 20 * 86_400)))
        length = draw(st.integers(0, 3 * 86_400))
        last = draw(st.none() | st.integers(0, length))
        at = began + timedelta(seconds=length)
        goes_on = number == 0 and draw(st.booleans())
        spans.append(
            SessionSpan(
                began_at=began,
                ended_at=None if goes_on else at,
                last_financial_at=None if last is None else began + timedelta(seconds=last),
            )
        )
    return spans, at + timedelta(seconds=draw(st.integers(0, 40 * 86_400)))


@given(history=histories())
def test_month_is_what_counting_second_by_month_gives(
    history: tuple[list[SessionSpan], datetime],
) -> None:
    """A slower way to the same figure: each session is cut at every beginning of a month."""
    spans, now = history
    this, seconds = month_of(now), 0.0
    for span in spans:
        at, end = span.began_at, span.ended_at or now
        while at < end:
            cut = min(end, month_of(at)[1])
            if month_of(at) == this:
                seconds += (cut - at).total_seconds()
            at = cut
    assert used(spans, now=now).month.by_notices_minutes == int(seconds // 60)


@given(history=histories())
def test_sessions_that_are_forgotten_change_nothing(
    history: tuple[list[SessionSpan], datetime],
) -> None:
    spans, now = history
    assert used(list(spans_of_month(spans, now=now)), now=now) == used(spans, now=now)


@given(history=histories())
def test_longer_counting_is_never_shorter_than_the_other(
    history: tuple[list[SessionSpan], datetime],
) -> None:
    found = used(history[0], now=history[1])
    for part in (found.session, found.month):
        assert part.minutes >= part.by_documents_minutes
        assert part.minutes >= part.by_notices_minutes
        assert part.left_minutes + min(part.minutes, part.limit_minutes) == part.limit_minutes


@given(
    history=histories(),
    session_minutes=st.integers(1, 4_000),
    month_minutes=st.integers(1, 50_000),
)
def test_budget_is_used_up_at_the_moment_foretold_and_not_a_second_before(
    history: tuple[list[SessionSpan], datetime], session_minutes: int, month_minutes: int
) -> None:
    spans, now = history
    limits = OfflineLimits(session_minutes=session_minutes, month_minutes=month_minutes)
    if all(span.ended_at is not None for span in spans):
        spans = [*spans, open_since(now)]
    found = used(spans, now=now, limits=limits)
    assert used(spans, now=found.stops_at, limits=limits).exhausted
    assert (found.stops_at == now) == found.exhausted
    if not found.exhausted:
        second_before = found.stops_at - timedelta(seconds=1)
        assert not used(spans, now=max(now, second_before), limits=limits).exhausted
