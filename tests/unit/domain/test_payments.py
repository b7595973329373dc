"""Payment forms: an open list of codes and names, of which only cash is rounded and gives change."""

from typing import Any

import pytest

from domain.documents.receipt import CardSlip, Payment
from domain.documents.shift import PaymentFormTotal, ShiftTotals
from domain.errors import FiscalError, InvalidField, PaymentsDiffer
from domain.money import Money
from domain.payments import (
    LARGEST_FORM_CODE,
    CardPayment,
    CashPayment,
    OtherPayment,
    PaymentRequest,
    settle,
)
from tests.unit.domain.test_sale import line, priced


def other(
    code: int = 305, name: str = "СЕРТИФІКАТ", amount: int = 1000, **more: Any
) -> OtherPayment:
    return OtherPayment(code=code, name=name, amount=Money(amount), **more)


def settled(*requests: PaymentRequest, due: int = 2748) -> list[tuple[int, str, int]]:
    payments = settle(requests, due=Money(due), cash_step=Money(50))
    return [(each.form_code, each.form_name, each.amount.kopecks) for each in payments]


class TestDone:
    def test_other_forms_cover_what_they_were_charged_and_cash_the_rounded_rest(self) -> None:
        found = settled(
            other(), CashPayment(), other(3, "КРЕДИТ", 500), CardPayment(amount=Money(200))
        )
        assert found == [
            (0, "ГОТІВКА", 1050),
            (305, "СЕРТИФІКАТ", 1000),
            (3, "КРЕДИТ", 500),
            (1, "КАРТКА", 200),
        ]

    def test_nothing_is_rounded_without_cash(self) -> None:
        assert settled(other(amount=2748)) == [(305, "СЕРТИФІКАТ", 2748)]

    def test_spaces_do_not_make_another_form(self) -> None:
        found = settled(other(name="  ПОДАРУНКОВИЙ \u00a0 СЕРТИФІКАТ "), CashPayment())
        assert found[1][1] == "ПОДАРУНКОВИЙ СЕРТИФІКАТ"

    def test_slip_belongs_to_any_form(self) -> None:
        slip = CardSlip(masked_card="479072******1111")
        (payment,) = settle(
            (other(301, "КАРТКА", 2748, slip=slip),), due=Money(2748), cash_step=Money(50)
        )
        assert payment == Payment(301, "КАРТКА", Money(2748), slip=slip)

    def test_shift_totals_tell_forms_by_code_and_name(self) -> None:
        """As the official Z-report does, which has one code under two names."""
        receipt = priced(
            line(10_000),
            payments=(
                other(2, "ПЕРЕДПЛАТА", 1000),
                other(2, "ПОДАРУНКОВИЙ СЕРТИФІКАТ", 2000),
                other(301, "КАРТКА", 3000),
                CardPayment(amount=Money(4000)),
            ),
        )
        totals = ShiftTotals().with_sale(receipt).with_sale(receipt).sales.payments
        assert totals == (
            PaymentFormTotal(1, "КАРТКА", Money(8000)),
            PaymentFormTotal(2, "ПЕРЕДПЛАТА", Money(2000)),
            PaymentFormTotal(2, "ПОДАРУНКОВИЙ СЕРТИФІКАТ", Money(4000)),
            PaymentFormTotal(301, "КАРТКА", Money(6000)),
        )


class TestRefused:
    @pytest.mark.parametrize(
        ("requests", "error", "field"),
        [
            ((other(0, "ГОТІВКА", 2748),), InvalidField, "payments.0.code"),
            ((other(-1),), InvalidField, "payments.0.code"),
            ((CashPayment(), other(LARGEST_FORM_CODE + 1)), InvalidField, "payments.1.code"),
            ((other(name=" "),), InvalidField, "payments.0.name"),
            ((other(name="готівка"),), InvalidField, "payments.0.name"),
            ((other(name="Б" * 129),), InvalidField, "payments.0.name"),
            ((other(name="💳"),), InvalidField, "payments.0.name"),
            ((other(amount=0),), InvalidField, "payments.0.amount_kopecks"),
            ((other(amount=2749), CashPayment()), PaymentsDiffer, "payments"),
            ((other(amount=2749),), PaymentsDiffer, "payments"),
            ((other(amount=2747),), PaymentsDiffer, "payments"),
            ((other(amount=2748), CashPayment()), InvalidField, "payments"),
            (
                (other(slip=CardSlip(terminal_id="Т" * 129)),),
                InvalidField,
                "payments.0.slip.terminal_id",
            ),
            (
                (other(slip=CardSlip(masked_card="4149 4999 1234 5678")),),
                InvalidField,
                "payments.0.slip.masked_card",
            ),
            (
                (CardPayment(Money(2748), CardSlip(masked_card="4149499912345678")),),
                InvalidField,
                "payments.0.slip.masked_card",
            ),
        ],
    )
    def test_bad_payment_names_its_field(
        self, requests: tuple[PaymentRequest, ...], error: type[FiscalError], field: str
    ) -> None:
        with pytest.raises(error) as refused:
            settled(*requests)
        assert refused.value.facts()["field"] == field
