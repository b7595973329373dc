"""What a till asks of the drawer, and the receipt it becomes: texts, purposes, limits, and the cash it moves."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.documents.receipt import (
    CardSlip,
    CashPurpose,
    Original,
    Payment,
    Receipt,
    ReceiptKind,
)
from domain.drawer import (
    DEPOSIT_PURPOSES,
    DIRECTIONS,
    ISSUE_PURPOSES,
    CashRequest,
    DepositRequest,
    DrawerSettings,
    IssueRequest,
    WithdrawalRequest,
    cash_effect,
    cash_receipt,
    checked_drawer_settings,
)
from domain.errors import InvalidField, WithdrawalOutsideLimits
from domain.money import ZERO, Money
from tests import examples

RECEIPT_ID = UUID(int=5)
AT = datetime(2026, 11, 5, 7, tzinfo=UTC)


def receipt_of(request: CashRequest, **settings: Any) -> Receipt:
    return cash_receipt(
        request,
        settings=DrawerSettings(**settings),
        receipt_id=RECEIPT_ID,
        issued_at=AT,
        cashier_id=None,
        cashier_name="Приклад О. П.",
    )


class TestCashReceipt:
    @pytest.mark.parametrize(
        ("request_", "kind"),
        [
            (DepositRequest(Money(50_001)), ReceiptKind.SERVICE_DEPOSIT),
            (IssueRequest(Money(50_001), CashPurpose.SALARY), ReceiptKind.SERVICE_ISSUE),
            (WithdrawalRequest(Money(50_001)), ReceiptKind.CASH_WITHDRAWAL),
        ],
    )
    def test_amount_is_the_total_to_the_kopeck_and_one_cash_payment(
        self, request_: CashRequest, kind: ReceiptKind
    ) -> None:
        receipt = receipt_of(request_)
        assert (receipt.kind, receipt.receipt_id, receipt.issued_at) == (kind, RECEIPT_ID, AT)
        assert (receipt.total, receipt.unrounded, receipt.rounding) == (
            Money(50_001),
            Money(50_001),
            ZERO,
        )
        (payment,) = receipt.payments
        assert (payment.form_code, payment.amount) == (0, Money(50_001))
        assert (receipt.lines, receipt.taxes) == ((), ())

    def test_reason_becomes_the_comment_fit_for_a_document(self) -> None:
        receipt = receipt_of(IssueRequest(Money(1), CashPurpose.OTHER, reason="Суп’яну‑решта"))
        assert (receipt.purpose, receipt.comment) == (CashPurpose.OTHER, "Суп’яну-решта")

    def test_withdrawal_without_a_purpose_names_the_card_holder(self) -> None:
        receipt = receipt_of(
            WithdrawalRequest(Money(50_000), slip=CardSlip(terminal_id="S1EX0007"))
        )
        assert receipt.withdrawal is not None
        assert receipt.withdrawal.payment_purpose == "Видача готівки держателю картки"
        assert receipt.payments[0].slip == CardSlip(terminal_id="S1EX0007")

    def test_texts_of_a_slip_are_made_fit_and_empty_ones_are_absent(self) -> None:
        slip = CardSlip(payment_system="Visa", acquirer_name="", masked_card="4149‑**** 1")
        (payment,) = receipt_of(WithdrawalRequest(Money(50_000), slip=slip)).payments
        assert payment.slip == CardSlip(payment_system="Visa", masked_card="4149-**** 1")

    @pytest.mark.parametrize(
        ("request_", "field"),
        [
            (DepositRequest(ZERO), "amount_kopecks"),
            (DepositRequest(Money(-1)), "amount_kopecks"),
            (DepositRequest(Money(10_000_000_001)), "amount_kopecks"),
            (DepositRequest(Money(1), CashPurpose.BANK_COLLECTION), "purpose"),
            (DepositRequest(Money(1), CashPurpose.OTHER), "reason"),
            (IssueRequest(Money(1), CashPurpose.OTHER, reason="  "), "reason"),
            (IssueRequest(Money(1), CashPurpose.CLOSING), "purpose"),
            (IssueRequest(Money(1), CashPurpose.CHANGE_FUND), "purpose"),
            (IssueRequest(Money(1), CashPurpose.SAFE, reason="сейф 😀"), "reason"),
            (WithdrawalRequest(Money(50_000), commission=Money(-1)), "commission_kopecks"),
            (WithdrawalRequest(Money(50_000), recipient_number="12"), "recipient_number"),
            (WithdrawalRequest(Money(50_000), payment_purpose="х" * 129), "payment_purpose"),
            (
                WithdrawalRequest(Money(50_000), slip=CardSlip(authorisation_code="1" * 65)),
                "slip.authorisation_code",
            ),
        ],
    )
    def test_bad_request_names_its_field(self, request_: CashRequest, field: str) -> None:
        with pytest.raises(InvalidField) as refusal:
            receipt_of(request_)
        assert refusal.value.field == field

    @pytest.mark.parametrize(
        ("kopecks", "settings", "fits"),
        [
            (49_999, {}, False),
            (50_000, {}, True),
            (10_000_000_000, {}, True),
            (1, {"withdrawal_minimum": ZERO}, True),
            (60_000, {"withdrawal_maximum": Money(60_000)}, True),
            (60_001, {"withdrawal_maximum": Money(60_000)}, False),
        ],
    )
    def test_withdrawal_keeps_the_limits_of_the_register(
        self, kopecks: int, settings: dict[str, Money], fits: bool
    ) -> None:
        request = WithdrawalRequest(Money(kopecks))
        if fits:
            assert receipt_of(request, **settings).total == Money(kopecks)
        else:
            with pytest.raises(WithdrawalOutsideLimits, match=f"{kopecks} kopecks"):
                receipt_of(request, **settings)

    def test_every_purpose_but_the_registers_own_belongs_to_somebody(self) -> None:
        assert set(CashPurpose) - {CashPurpose.CLOSING} == DEPOSIT_PURPOSES | ISSUE_PURPOSES


STORNO_OF_RETURN = replace(
    examples.STORNO,
    payments=examples.RETURN.payments,
    original=Original("3600000105", kind=ReceiptKind.RETURN),
)


class TestCashEffect:
    def test_every_kind_of_receipt_has_a_direction(self) -> None:
        assert set(DIRECTIONS) == set(ReceiptKind) - {ReceiptKind.STORNO}

    @pytest.mark.parametrize(
        ("receipt", "kopecks"),
        [
            # Of a mixed payment the cash counts, without the change that was given back.
            (examples.SALE, 31_350),
            (examples.RETURN, -2_750),
            (examples.STORNO, -examples.PLAIN_SALE.total.kopecks),
            (STORNO_OF_RETURN, 2_750),
            # Of a storno made elsewhere nothing is known but the number it names.
            (replace(examples.STORNO, original=Original("3600000105")), 0),
            # A certificate and a card of another code move none.
            (examples.RICH_SALE, 36_400),
            (examples.DEPOSIT, 50_000),
            (examples.ISSUE, -20_000),
            (examples.WITHDRAWAL, -50_000),
        ],
    )
    def test_cash_goes_in_or_out(self, receipt: Receipt, kopecks: int) -> None:
        assert cash_effect(receipt) == Money(kopecks)

    def test_withdrawal_that_names_the_card_takes_cash_out_all_the_same(self) -> None:
        by_card = Payment(form_code=1, form_name="КАРТКА", amount=Money(50_000))
        withdrawal = replace(examples.WITHDRAWAL, payments=(by_card,))
        assert cash_effect(withdrawal) == Money(-50_000)


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "field"),
        [
            ({"withdrawal_minimum": Money(-1)}, "drawer.withdrawal_minimum_kopecks"),
            ({"withdrawal_maximum": Money(49_999)}, "drawer.withdrawal_maximum_kopecks"),
        ],
    )
    def test_limits_that_are_none_are_refused(self, settings: dict[str, Money], field: str) -> None:
        with pytest.raises(InvalidField) as refusal:
            checked_drawer_settings(DrawerSettings(**settings))  # type: ignore[arg-type]
        assert refusal.value.field == field
