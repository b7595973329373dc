from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidField
from projections.view import Where, parsed_place, place_text


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_time_survives_as_a_place(at: datetime, row_id: UUID) -> None:
    assert parsed_place(place_text(at, row_id)) == (at, row_id)


@given(st.text(), st.uuids())
def test_a_name_survives_as_a_place(name: str, row_id: UUID) -> None:
    if name.isprintable():
        assert parsed_place(place_text(name, row_id)) == (name, row_id)


def test_places_are_the_same_whatever_the_zone() -> None:
    at = datetime(2026, 11, 5, 8, tzinfo=UTC)
    there = at.astimezone(timezone(timedelta(hours=2)))
    assert place_text(at, UUID(int=1)) == place_text(there, UUID(int=1))


@pytest.mark.parametrize("text", ["", "x", "ключ", "AAAA", "A" * 23, "A" * 40, "!" * 8])
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidField) as refused:
        parsed_place(text)
    assert refused.value.field == "after"


def test_conditions_that_ask_for_nothing_give_no_clause() -> None:
    where = Where()
    where.equal("state", None)
    where.after(("name", "id"), None)
    assert where.clause.as_string() == ""
    assert where.values == []


def test_conditions_are_joined_in_order() -> None:
    where = Where()
    where.equal("r.state", "open")
    where.add("total > %s", 5)
    where.after(("name", "id"), place_text("Каса", UUID(int=1)))
    assert where.clause.as_string() == (
        ' WHERE "r"."state" = %s AND total > %s AND ("name", "id") > (%s, %s)'
    )
    assert where.values == ["open", 5, "Каса", UUID(int=1)]
