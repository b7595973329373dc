"""Control numbers against the official example, the official package and the worked session."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import KYIV
from domain.money import Money
from domain.offline.control_number import control_number
from tests.strategies import amounts, moments

SEED = "100710382471"
"""Invented; it leads to the CRC register of the official package's secret seed (reference §4.6)."""


def test_official_example_of_the_description() -> None:
    assert (
        control_number(
            seed="179625192271939",
            at=datetime(2020, 8, 20, 14, 23, 38, tzinfo=KYIV),
            local_number=10,
            register_fiscal_number="4000002411",
            register_local_number=10,
            total=None,
            previous_hash="cdd68bb111f8993f3603f0179341571b35b73a07d5acee9b28fbfb714698e1b3",
        )
        == 4758
    )


@pytest.mark.parametrize(
    ("local_number", "second", "total", "previous_hash", "control"),
    [
        (1836, 53, None, None, 9536),
        (1837, 53, None, None, 7773),
        (1838, 82, 5000, "49496c323e0033ffc1fd56b9fbbfe0fc6456b9589aa82efa18cefdb680bde796", 5807),
        (1839, 97, 5000, "53a04dba89f73ea27096c6b91343e97dceb9a22d07537e84e4057b24e013204a", 7473),
        (1840, 106, None, "4fae75e8111663bfad52844fa9a9d7fd70b394837edb8500c308692d6ace0cd0", 8814),
        (1841, 106, None, "57ecdc3fa39bc5c117df310515e963d99a47edbcacd4f36094f49c2f2f7c1dae", 1734),
        (1842, 106, None, "682ee1e51649bb24472d1f6753539b50f0a447df54ad28cb7549ce3ca8bc4af8", 44),
    ],
)
def test_documents_of_the_official_package(
    local_number: int, second: int, total: int | None, previous_hash: str | None, control: int
) -> None:
    """Seconds are counted from 17:52."""
    at = datetime(2021, 3, 12, 17, 52 + second // 60, second % 60, tzinfo=KYIV)
    assert (
        control_number(
            seed=SEED,
            at=at,
            local_number=local_number,
            register_fiscal_number="4000000202",
            register_local_number=6,
            total=None if total is None else Money(total),
            previous_hash=previous_hash,
        )
        == control
    )


@pytest.mark.parametrize(
    ("local_number", "time", "total", "previous_hash", "control"),
    [
        (521, (14, 2, 10), None, None, 9516),
        (522, (14, 2, 44), 6000, None, 2174),
        (
            523, (14, 5, 30), 2500,
            "80e5341b259622f82b9019106a1064e7407c15fd3dd4675f94e7577be7c7020a", 4344,
        ),
        (
            524, (15, 10, 0), None,
            "64d1348484854c8079c7ccc5caa327f5dea7636b74496969123bfd459012e37f", 5451,
        ),
    ],
)  # fmt: skip
def test_documents_of_the_worked_session_whose_times_are_given_in_utc(
    local_number: int,
    time: tuple[int, int, int],
    total: int | None,
    previous_hash: str | None,
    control: int,
) -> None:
    assert (
        control_number(
            seed=SEED,
            at=datetime(2026, 11, 6, *time, tzinfo=UTC),
            local_number=local_number,
            register_fiscal_number="4000777001",
            register_local_number=7,
            total=None if total is None else Money(total),
            previous_hash=previous_hash,
        )
        == control
    )


@given(
    seed=st.integers(1, 10**18).map(str),
    at=moments(),
    local_number=st.integers(1, 10**9),
    total=st.none() | amounts(minimum=-(10**9)),
    previous_hash=st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex),
)
def test_control_number_is_always_one_to_9999(
    seed: str,
    at: datetime,
    local_number: int,
    total: Money | None,
    previous_hash: str | None,
) -> None:
    number = control_number(
        seed=seed,
        at=at,
        local_number=local_number,
        register_fiscal_number="4000777001",
        register_local_number=7,
        total=total,
        previous_hash=previous_hash,
    )
    assert 1 <= number <= 9_999


def test_remainder_of_nothing_is_one() -> None:
    """The seed was searched for: its swapped CRC-32 ends in 0000."""
    assert (
        control_number(
            seed="7252",
            at=datetime(2026, 11, 6, 14, 0, tzinfo=UTC),
            local_number=1,
            register_fiscal_number="4000777001",
            register_local_number=7,
            total=None,
            previous_hash=None,
        )
        == 1
    )
