"""Times and amounts of JSON answers, in all forms that were seen."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.money import Money, Rate
from infra.fiscal_server.moments import Amount, Moment, Percent, parse_moment


class TestParseMoment:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (
                "2026-11-05T08:54:58.1203311+02:00",
                datetime(2026, 11, 5, 6, 54, 58, 120331, tzinfo=UTC),
            ),
            ("2018-10-17T01:23:00+03:00", datetime(2018, 10, 16, 22, 23, tzinfo=UTC)),
            ("2021-12-16T16:57:23.654532", datetime(2021, 12, 16, 14, 57, 23, 654532, tzinfo=UTC)),
            ("2022-04-18T16:29:45", datetime(2022, 4, 18, 13, 29, 45, tzinfo=UTC)),
            ("2026-11-05T08:55:13Z", datetime(2026, 11, 5, 8, 55, 13, tzinfo=UTC)),
            ("/Date(1762325713000)/", datetime(2025, 11, 5, 6, 55, 13, tzinfo=UTC)),
            ("/Date(1762325713000+0200)/", datetime(2025, 11, 5, 6, 55, 13, tzinfo=UTC)),
        ],
    )
    def test_every_form_becomes_utc(self, text: str, expected: datetime) -> None:
        found = parse_moment(text)
        assert found == expected
        assert found.tzinfo is UTC

    @pytest.mark.parametrize("text", ["", "yesterday", "/Date(x)/", f"/Date({10**20})/"])
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r".+"):
            parse_moment(text)

    def test_null_stays_null_where_it_may(self) -> None:
        assert TypeAdapter(Moment | None).validate_python(None) is None


class TestAmount:
    @pytest.mark.parametrize(
        ("value", "kopecks"),
        [
            (Decimal("462.5"), 46250),
            (Decimal("-0.03"), -3),
            (462, 46200),
            ("462.68", 46268),
            (None, 0),
            (Decimal("999999999999999.99"), 99999999999999999),
            (Decimal("0.30000000000000004"), 30),
        ],
    )
    def test_number_or_text_becomes_exact_kopecks(self, value: object, kopecks: int) -> None:
        assert TypeAdapter(Amount).validate_python(value) == Money(kopecks)

    @pytest.mark.parametrize("value", [Decimal("0.005"), "x", True, 0.5, [], Decimal("NaN")])
    def test_parts_of_a_kopeck_floats_and_words_are_refused(self, value: object) -> None:
        with pytest.raises(ValidationError):
            TypeAdapter(Amount).validate_python(value)

    def test_percentage_becomes_basis_points(self) -> None:
        assert TypeAdapter(Percent).validate_python(Decimal("20.0")) == Rate(2000)
