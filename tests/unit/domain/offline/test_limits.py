"""The limits of the law, by day."""

from datetime import date

import pytest

from domain.errors import InvalidField
from domain.offline.limits import LEGAL_LIMITS, WARNING_MARKS, OfflineLimits, limits_on


def test_law_allows_36_hours_a_session_and_168_a_month() -> None:
    assert limits_on(date(2026, 11, 6)) == OfflineLimits(session_minutes=2160, month_minutes=10_080)


def test_every_row_names_its_source_and_rows_leave_no_day_out() -> None:
    assert all(row.source for row in LEGAL_LIMITS)
    ends, begins = [row.until for row in LEGAL_LIMITS], [row.since for row in LEGAL_LIMITS]
    assert ends == [*begins[1:], None]


def test_day_before_the_first_row_has_its_limits_and_is_not_in_force() -> None:
    first = LEGAL_LIMITS[0]
    before = date(2020, 7, 31)
    assert not first.in_force(before)
    assert first.in_force(date(2020, 8, 1))
    assert limits_on(before) == first.limits


def test_marks_rise_up_to_the_whole() -> None:
    assert WARNING_MARKS == (50, 75, 90, 100)


@pytest.mark.parametrize("field", ["session_minutes", "month_minutes"])
def test_limit_of_nothing_is_refused(field: str) -> None:
    minutes = {"session_minutes": 1, "month_minutes": 1, field: 0}
    with pytest.raises(InvalidField) as refusal:
        OfflineLimits(**minutes)
    assert refusal.value.field == field
