"""Discounts and surcharges: the rules of domain/discounts.py, each at its edges."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.discounts import DiscountRequest, shares
from domain.documents.receipt import Discount, Receipt
from domain.errors import DiscountExceedsCost, FiscalError, InvalidField
from domain.money import ZERO, Money, Rate
from domain.sale import CashPayment
from domain.sold_lines import sold_lines
from tests.unit.domain.test_sale import line, priced


def percent(basis_points: int, **more: Any) -> DiscountRequest:
    return DiscountRequest(percent=Rate(basis_points), **more)


def value(kopecks: int, **more: Any) -> DiscountRequest:
    return DiscountRequest(amount=Money(kopecks), **more)


def taken(receipt: Receipt) -> list[int]:
    return [one.taken_off.kopecks for one in receipt.lines]


class TestLine:
    def test_percentage_of_the_cost_is_rounded_half_up(self) -> None:
        receipt = priced(line(101, discount=percent(5000)), line(1000))
        assert receipt.lines[0].discount == Discount(Money(51), percent=Rate(5000))
        assert receipt.lines[0].discounted == Money(50)
        assert receipt.unrounded == Money(1050)

    def test_value_comes_off_the_cost_of_the_whole_line(self) -> None:
        receipt = priced(line(18_000, quantity=2000, discount=value(1000, name="Ціна тижня")))
        (found,) = receipt.lines
        assert (found.cost, found.discounted) == (Money(36_000), Money(35_000))
        assert found.discount == Discount(Money(1000), name="Ціна тижня")

    def test_line_may_become_free(self) -> None:
        receipt = priced(
            line(500, discount=percent(10_000)), line(700, discount=value(700)), line()
        )
        assert [one.discounted for one in receipt.lines] == [ZERO, ZERO, Money(2748)]

    def test_percentage_too_small_for_a_kopeck_takes_nothing(self) -> None:
        (found,) = priced(line(100, discount=percent(1))).lines
        assert found.discount == Discount(ZERO, percent=Rate(1))
        assert found.discounted == Money(100)

    def test_surcharge_is_a_discount_with_a_minus(self) -> None:
        receipt = priced(line(9999, discount=percent(1250, surcharge=True)))
        assert receipt.lines[0].discount == Discount(Money(-1250), percent=Rate(-1250))
        assert receipt.unrounded == Money(11_249)

    def test_surcharge_may_exceed_the_cost(self) -> None:
        assert priced(line(100, discount=value(5000, surcharge=True))).unrounded == Money(5100)


class TestReceipt:
    def test_percentage_comes_off_what_is_left_after_the_lines_own_discounts(self) -> None:
        receipt = priced(
            line(10_000, discount=value(5000)), line(5000), discount=percent(1000, name="Картка")
        )
        assert receipt.discount == Discount(Money(1000), percent=Rate(1000), name="Картка")
        assert [one.receipt_discount for one in receipt.lines] == [Money(500), Money(500)]
        assert taken(receipt) == [5500, 500]
        assert receipt.taken_off == Money(6000)
        assert receipt.unrounded == Money(9000)

    def test_odd_kopecks_go_to_the_largest_remainders_and_then_to_the_first(self) -> None:
        assert taken(priced(line(100), line(100), line(100), discount=value(100))) == [34, 33, 33]
        # Exact shares 16.66…, 33.33…, 50: the first has the largest remainder.
        assert taken(priced(line(100), line(200), line(300), discount=value(100))) == [17, 33, 50]

    def test_line_that_costs_nothing_has_no_share(self) -> None:
        receipt = priced(line(0), line(300), discount=value(100))
        assert [one.receipt_discount for one in receipt.lines] == [None, Money(100)]

    def test_surcharge_is_shared_alike(self) -> None:
        receipt = priced(line(100), line(100), line(100), discount=value(100, surcharge=True))
        assert taken(receipt) == [-34, -33, -33]
        assert receipt.unrounded == Money(400)

    def test_last_kopeck_is_left_to_pay(self) -> None:
        receipt = priced(line(100), discount=value(99), step=1)
        assert receipt.total == Money(1)

    def test_taxes_are_taken_from_what_is_left_and_name_both_turnovers(self) -> None:
        receipt = priced(
            line(10_000, letters="АГ"), line(10_000, letters="Б"), discount=value(10_000)
        )
        assert [
            (row.letter, row.turnover, row.discounted_turnover, row.base, row.tax)
            for row in receipt.taxes
        ] == [
            ("А", Money(10_000), Money(5000), Money(4762), Money(794)),
            ("Б", Money(10_000), Money(5000), Money(5000), Money(327)),
            ("Г", Money(10_000), Money(5000), Money(5000), Money(238)),
        ]

    def test_rounding_of_cash_comes_after_discounts(self) -> None:
        receipt = priced(line(1000), discount=value(28), payments=(CashPayment(),))
        assert (receipt.unrounded, receipt.rounding, receipt.total) == (
            Money(972),
            Money(22),
            Money(950),
        )

    def test_what_may_come_back_of_a_line_is_what_was_owed_for_it(self) -> None:
        receipt = priced(line(10_000, discount=value(5000)), line(5000), discount=percent(1000))
        assert [sold.cost for sold in sold_lines(receipt)] == [Money(4500), Money(4500)]

    def test_total_that_the_till_shows_is_after_discounts(self) -> None:
        assert priced(line(1000), discount=percent(1000), total=Money(900)).total == Money(900)


class TestRefused:
    @pytest.mark.parametrize(
        ("request_", "error", "field"),
        [
            (percent(0), InvalidField, ".percent_basis_points"),
            (percent(-500), InvalidField, ".percent_basis_points"),
            (percent(10_001), InvalidField, ".percent_basis_points"),
            (percent(10_001, surcharge=True), InvalidField, ".percent_basis_points"),
            (value(0), InvalidField, ".amount_kopecks"),
            (value(-1), InvalidField, ".amount_kopecks"),
            (value(10_000_000_001, surcharge=True), InvalidField, ".amount_kopecks"),
            (DiscountRequest(), InvalidField, ""),
            (DiscountRequest(percent=Rate(100), amount=Money(100)), InvalidField, ""),
            (percent(100, name="😀"), InvalidField, ".name"),
            (percent(100, name="Я" * 129), InvalidField, ".name"),
            (value(2749), DiscountExceedsCost, ""),
        ],
    )
    def test_bad_discount_names_its_field(
        self, request_: DiscountRequest, error: type[FiscalError], field: str
    ) -> None:
        with pytest.raises(error) as of_line:
            priced(line(5000), line(2748, discount=request_))
        assert of_line.value.facts()["field"] == f"lines.1.discount{field}"
        with pytest.raises(error) as of_receipt:
            priced(line(2748), discount=request_)
        assert of_receipt.value.facts()["field"] == f"discount{field}"

    @pytest.mark.parametrize("request_", [value(2748), percent(10_000)])
    def test_receipt_may_not_become_free(self, request_: DiscountRequest) -> None:
        with pytest.raises(DiscountExceedsCost) as refused:
            priced(line(2748), discount=request_)
        assert refused.value.facts() == {
            "field": "discount",
            "discount_kopecks": 2748,
            "most_kopecks": 2747,
        }

    @pytest.mark.parametrize("discount", [None, percent(100)])
    def test_free_lines_alone_make_no_receipt(self, discount: DiscountRequest | None) -> None:
        with pytest.raises(InvalidField) as refused:
            priced(line(500, discount=value(500)), discount=discount)
        assert refused.value.field == "lines"


@given(
    amount=st.integers(-(10**7), 10**7),
    weights=st.lists(st.integers(0, 10**7), min_size=1, max_size=30).filter(any),
)
def test_shares_lose_no_kopeck_and_stay_within_one_of_the_exact_share(
    amount: int, weights: list[int]
) -> None:
    found = shares(Money(amount), [Money(weight) for weight in weights])
    whole = sum(weights)
    assert sum(share.kopecks for share in found) == amount
    for share, weight in zip(found, weights, strict=True):
        assert abs(share.kopecks * whole - amount * weight) < whole
        if amount <= whole:
            assert share.kopecks <= weight


@given(weights=st.lists(st.integers(0, 1000), min_size=1, max_size=8).filter(any))
def test_more_cost_never_gets_the_smaller_share(weights: list[int]) -> None:
    found = shares(Money(97), [Money(weight) for weight in weights])
    by_weight = sorted(zip(weights, found, strict=True))
    for (lighter, less), (heavier, more) in itertools.pairwise(by_weight):
        assert lighter == heavier or less <= more
