from datetime import date

from workers.housekeeping import months_from


class TestMonths:
    def test_they_begin_with_this_month_and_pass_the_year(self) -> None:
        assert months_from(date(2026, 11, 30), count=3) == [
            date(2026, 11, 1),
            date(2026, 12, 1),
            date(2027, 1, 1),
        ]
