"""Offline fiscal numbers: three integers and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidField
from domain.identifiers import OfflineNumber


def test_offline_number_is_written_with_dots() -> None:
    number = OfflineNumber(session_id="21999", number=1, control=9516)
    assert str(number) == "21999.1.9516"
    assert OfflineNumber.parse("21999.1.9516") == number


@given(
    session_id=st.integers(1, 10**18 - 1).map(str),
    number=st.integers(1, 10**9 - 1),
    control=st.integers(1, 9_999),
)
def test_offline_number_reads_back_as_written(session_id: str, number: int, control: int) -> None:
    written = OfflineNumber(session_id=session_id, number=number, control=control)
    assert OfflineNumber.parse(str(written)) == written


@pytest.mark.parametrize(
    "text",
    ["", "3600000101", "1.2", "1.2.3.4", "1.2.10000", "1.2.0", "1.0.3", "0.2.3", "1.2.044",
     "a.2.3", "1.-2.3", " 1.2.3", "1.2.3\n", "1..3", "٣.2.3", "1,2,3"],
)  # fmt: skip
def test_text_that_is_no_offline_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        OfflineNumber.parse(text)
    assert refusal.value.field == "fiscal_number"


@pytest.mark.parametrize(
    ("session_id", "number", "control", "field"),
    [
        ("", 1, 1, "session_id"),
        ("021", 1, 1, "session_id"),
        ("2.1", 1, 1, "session_id"),
        ("21999", 0, 1, "number"),
        ("21999", 1, 0, "control"),
        ("21999", 1, 10_000, "control"),
    ],
)
def test_part_out_of_range_is_refused_by_name(
    session_id: str, number: int, control: int, field: str
) -> None:
    with pytest.raises(InvalidField) as refusal:
        OfflineNumber(session_id=session_id, number=number, control=control)
    assert refusal.value.field == field
