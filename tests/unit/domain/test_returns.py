"""What may still come back of a sale, decided by the sale itself."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.errors import (
    IdempotencyKeyReused,
    InvalidField,
    NothingLeft,
    ReceiptNotReturnable,
    ReturnExceedsSale,
    ReturnLapsed,
)
from domain.money import Money, Quantity
from domain.returns import SoldReceipt
from domain.sold_lines import SoldLine, TakenLine, WantedLine, cumulative_share

AT = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
REGISTER, OTHER = UUID(int=1), UUID(int=2)
FIRST, SECOND, THIRD = UUID(int=11), UUID(int=12), UUID(int=13)


def wanted(*lines: tuple[int, int]) -> tuple[WantedLine, ...]:
    return tuple(WantedLine(number, Quantity(quantity)) for number, quantity in lines)


@pytest.fixture
def sold() -> SoldReceipt:
    """Three loaves of 27.48, and 1.234 kg at 45.67: 56.36."""
    return SoldReceipt(
        id=UUID(int=5),
        register_id=REGISTER,
        receipt_id=UUID(int=6),
        lines=(SoldLine(Quantity(3000), Money(8244)), SoldLine(Quantity(1234), Money(5636))),
        total=Money(13880),
    )


class TestReserve:
    def reserve(
        self, sold: SoldReceipt, return_id: UUID, *lines: tuple[int, int]
    ) -> tuple[TakenLine, ...]:
        return sold.reserve(
            return_id=return_id,
            register_id=OTHER,
            wanted=wanted(*lines) if lines else None,
            at=AT,
        )

    def test_part_of_a_line_takes_its_share_of_the_cost(self, sold: SoldReceipt) -> None:
        assert self.reserve(sold, FIRST, (2, 500), (1, 1000)) == (
            TakenLine(1, Quantity(1000), Money(2748)),
            TakenLine(2, Quantity(500), Money(2284)),
        )
        assert sold.left() == (
            SoldLine(Quantity(2000), Money(5496)),
            SoldLine(Quantity(734), Money(3352)),
        )

    def test_without_lines_all_that_is_left_comes_back(self, sold: SoldReceipt) -> None:
        self.reserve(sold, FIRST, (1, 3000), (2, 1000))
        assert self.reserve(sold, SECOND) == (TakenLine(2, Quantity(234), Money(5636 - 4567)),)
        assert [line.quantity for line in sold.left()] == [Quantity(0), Quantity(0)]

    def test_the_same_return_reserves_once(self, sold: SoldReceipt) -> None:
        first = self.reserve(sold, FIRST, (1, 1000))
        version = sold.version
        assert self.reserve(sold, FIRST, (1, 1000)) == first
        assert self.reserve(sold, FIRST) == first
        assert sold.version == version

    def test_the_same_return_with_other_quantities_is_a_conflict(self, sold: SoldReceipt) -> None:
        self.reserve(sold, FIRST, (1, 1000))
        with pytest.raises(IdempotencyKeyReused):
            self.reserve(sold, FIRST, (1, 2000))

    def test_more_than_is_left_is_refused_with_what_is_left(self, sold: SoldReceipt) -> None:
        self.reserve(sold, FIRST, (1, 2000))
        with pytest.raises(ReturnExceedsSale) as refusal:
            self.reserve(sold, SECOND, (2, 10), (1, 1001))
        assert refusal.value.facts() == {
            "field": "lines.1.quantity_thousandths",
            "line": 1,
            "asked_thousandths": 1001,
            "left_thousandths": 1000,
        }

    def test_nothing_left_is_refused(self, sold: SoldReceipt) -> None:
        self.reserve(sold, FIRST)
        with pytest.raises(NothingLeft):
            self.reserve(sold, SECOND, (1, 1))

    def test_a_void_receipt_gives_nothing_back(self, sold: SoldReceipt) -> None:
        sold.annul(at=AT)
        with pytest.raises(ReceiptNotReturnable, match="voided"):
            self.reserve(sold, FIRST)
        assert {line.quantity for line in sold.left()} == {Quantity(0)}

    @pytest.mark.parametrize(
        ("lines", "field"),
        [
            (((3, 1000),), "lines.0.line"),
            (((0, 1000),), "lines.0.line"),
            (((1, 1000), (1, 500)), "lines.1.line"),
            (((1, 0),), "lines.0.quantity_thousandths"),
            (((1, -1),), "lines.0.quantity_thousandths"),
        ],
    )
    def test_lines_that_make_no_sense_are_refused_by_field(
        self, sold: SoldReceipt, lines: tuple[tuple[int, int], ...], field: str
    ) -> None:
        with pytest.raises(InvalidField) as refusal:
            self.reserve(sold, FIRST, *lines)
        assert refusal.value.field == field
        assert sold.version == 1

    def test_stamp_comes_back_once_and_again_only_after_a_release(self, sold: SoldReceipt) -> None:
        def back(return_id: UUID, *stamps: str) -> tuple[TakenLine, ...]:
            bottle = WantedLine(1, Quantity(1000), stamps)
            return sold.reserve(return_id=return_id, register_id=OTHER, wanted=(bottle,), at=AT)

        assert back(FIRST, "A1") == (TakenLine(1, Quantity(1000), Money(2748), ("A1",)),)
        with pytest.raises(InvalidField) as refused:
            back(SECOND, "B1", "A1")
        assert refused.value.field == "lines.0.excise_stamps"
        assert sold.left()[0].quantity == Quantity(2000)
        sold.release(FIRST, at=AT)
        (line,) = back(THIRD, "A1")
        assert line.excise_stamps == ("A1",)

    def test_no_lines_are_not_the_same_as_all_lines(self, sold: SoldReceipt) -> None:
        with pytest.raises(InvalidField):
            sold.reserve(return_id=FIRST, register_id=OTHER, wanted=(), at=AT)


class TestSettle:
    @pytest.fixture
    def reserved(self, sold: SoldReceipt) -> SoldReceipt:
        sold.reserve(return_id=FIRST, register_id=OTHER, wanted=wanted((1, 1000)), at=AT)
        return sold

    def test_what_is_released_may_come_back_again(self, reserved: SoldReceipt) -> None:
        reserved.release(FIRST, at=AT)
        assert reserved.left() == reserved.lines

    def test_what_is_confirmed_stays_taken_until_a_storno_releases_it(
        self, reserved: SoldReceipt
    ) -> None:
        reserved.confirm(FIRST, at=AT)
        assert reserved.taken[FIRST].confirmed
        assert reserved.left()[0].quantity == Quantity(2000)
        reserved.release(FIRST, at=AT)
        assert reserved.left() == reserved.lines

    def test_a_second_time_changes_nothing(self, reserved: SoldReceipt) -> None:
        for _ in range(2):
            reserved.confirm(FIRST, at=AT)
        assert reserved.version == 3
        for _ in range(2):
            reserved.release(FIRST, at=AT)
        reserved.confirm(FIRST, at=AT)
        assert reserved.version == 4

    def test_a_released_return_cannot_reserve_again(self, reserved: SoldReceipt) -> None:
        reserved.release(FIRST, at=AT)
        with pytest.raises(ReturnLapsed):
            reserved.reserve(return_id=FIRST, register_id=OTHER, wanted=None, at=AT)

    def test_the_share_after_a_release_takes_what_is_really_there(self, sold: SoldReceipt) -> None:
        for return_id in (FIRST, SECOND):
            sold.reserve(return_id=return_id, register_id=OTHER, wanted=wanted((2, 333)), at=AT)
        sold.release(FIRST, at=AT)
        sold.reserve(return_id=THIRD, register_id=OTHER, wanted=None, at=AT)
        costs = [line.cost for taken in sold.taken.values() for line in taken.lines]
        assert Money.total(costs) == sold.total


class TestCumulativeShare:
    def share(self, taken: int, taken_amount: int, part: int) -> int:
        return cumulative_share(
            Money(1),
            of=Quantity(1000),
            taken=Quantity(taken),
            taken_amount=Money(taken_amount),
            part=Quantity(part),
        ).kopecks

    def test_a_kopeck_in_three_parts_goes_out_once(self) -> None:
        assert self.share(0, 0, 333) == 0
        assert self.share(333, 0, 333) == 1
        assert self.share(666, 1, 334) == 0

    def test_it_never_takes_back_nor_gives_more_than_there_is(self) -> None:
        assert self.share(0, 1, 100) == 0
        assert self.share(0, 0, 5000) == 1
