"""When a time of day last passed by Kyiv clocks."""

from datetime import UTC, datetime, time

import pytest

from domain.clock import last_passing

AT = time(23, 50)


@pytest.mark.parametrize(
    ("now", "passed"),
    [
        # Winter: Kyiv is two hours ahead.
        (datetime(2026, 11, 5, 21, 49, 59, tzinfo=UTC), datetime(2026, 11, 4, 21, 50, tzinfo=UTC)),
        (datetime(2026, 11, 5, 21, 50, tzinfo=UTC), datetime(2026, 11, 5, 21, 50, tzinfo=UTC)),
        (datetime(2026, 11, 5, 22, 30, tzinfo=UTC), datetime(2026, 11, 5, 21, 50, tzinfo=UTC)),
        # Summer: three hours.
        (datetime(2026, 7, 5, 20, 50, tzinfo=UTC), datetime(2026, 7, 5, 20, 50, tzinfo=UTC)),
        # The day after clocks went forward (29 March 2026) and back (25 October 2026) looks back over the change.
        (datetime(2026, 3, 29, 12, 0, tzinfo=UTC), datetime(2026, 3, 28, 21, 50, tzinfo=UTC)),
        (datetime(2026, 10, 25, 12, 0, tzinfo=UTC), datetime(2026, 10, 24, 20, 50, tzinfo=UTC)),
    ],
)
def test_time_of_day_passed_last(now: datetime, passed: datetime) -> None:
    assert last_passing(AT, now=now) == passed


def test_time_that_the_spring_change_leaves_out_counts_by_the_clocks_before_it() -> None:
    left_out = time(3, 30)

    passed = last_passing(left_out, now=datetime(2026, 3, 29, 12, 0, tzinfo=UTC))

    assert passed == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
