"""Cash that moves in and out of a register's drawer without a sale: what a till asks, and the receipt it becomes.

The protocol has one service deposit (DOCTYPE 0, DOCSUBTYPE 2) and one service issue (0 / 4, «службова видача» or
«інкасація»); what the cash was for is kept in our record as a named purpose, and only the reason in words goes into the
document, as its COMMENT. A cash withdrawal at the till (DOCTYPE 3) has a kind of document of its own.

Amounts of these receipts are never rounded: cash is rounded where a sale or a refund is settled (reference §8.4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from domain.documents.receipt import (
    CardSlip,
    CashPurpose,
    CashWithdrawal,
    Payment,
    Receipt,
    ReceiptKind,
)
from domain.documents.text import Limit, optional
from domain.errors import InvalidField, WithdrawalOutsideLimits
from domain.identifiers import vat_number
from domain.money import LARGEST_AMOUNT, ZERO, Money
from domain.payments import CASH, checked_slip

WITHDRAWAL_MINIMUM = Money(50_000)
"""Least amount given out to a card: 500 UAH. Source: NBU resolution 148 of 29.12.2017, item 9 (reference §8.3).

The same item leaves the largest amount to the shop, so there is none unless the register's settings name one.
"""

WITHDRAWAL_PURPOSE = "Видача готівки держателю картки"
"""PAYPURPOSE of a withdrawal for which the till gives none, as in worked example 11.7."""

DIRECTIONS = MappingProxyType(
    {
        ReceiptKind.SALE: 1,
        ReceiptKind.RETURN: -1,
        ReceiptKind.SERVICE_DEPOSIT: 1,
        ReceiptKind.SERVICE_ISSUE: -1,
        ReceiptKind.CASH_WITHDRAWAL: -1,
    }
)
"""Which way the cash of a receipt goes: into the drawer or out of it. A storno goes against what it takes back."""

DEPOSIT_PURPOSES = frozenset({CashPurpose.CHANGE_FUND, CashPurpose.SAFE, CashPurpose.OTHER})
ISSUE_PURPOSES = frozenset(CashPurpose) - {CashPurpose.CHANGE_FUND, CashPurpose.CLOSING}
"""What a till may name; `closing` is the register's own word for what it issues before a Z-report."""


@dataclass(frozen=True, slots=True)
class DrawerSettings:
    """How a register treats its drawer.

    `may_go_below_zero`: more may be issued than the drawer holds by the books, as where the register was taken over
    with cash that nobody told of. `empties_before_z`: closing issues all cash before the Z-report. The withdrawal limits
    hold for cash given out to cards; no `withdrawal_maximum` means only what the drawer holds.
    """

    may_go_below_zero: bool = False
    empties_before_z: bool = False
    withdrawal_minimum: Money = WITHDRAWAL_MINIMUM
    withdrawal_maximum: Money | None = None


@dataclass(frozen=True, slots=True)
class DepositRequest:
    """Cash put in; `reason` is free text for the document, required when the purpose is `other`."""

    amount: Money
    purpose: CashPurpose = CashPurpose.CHANGE_FUND
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """Cash taken out; `reason` as for a deposit."""

    amount: Money
    purpose: CashPurpose
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class WithdrawalRequest:
    """Cash given out to a card. `slip` is the terminal's, `commission` what the holder pays for it beside the amount."""

    amount: Money
    slip: CardSlip | None = None
    commission: Money = ZERO
    recipient_name: str | None = None
    recipient_number: str | None = None
    payer_name: str | None = None
    payment_purpose: str | None = None
    comment: str | None = None


CashRequest = DepositRequest | IssueRequest | WithdrawalRequest

KINDS: dict[type, ReceiptKind] = {
    DepositRequest: ReceiptKind.SERVICE_DEPOSIT,
    IssueRequest: ReceiptKind.SERVICE_ISSUE,
    WithdrawalRequest: ReceiptKind.CASH_WITHDRAWAL,
}
"""Which receipt a request becomes."""

_ALL_CASH = frozenset(KINDS.values())


class _InForm(Protocol):
    """A sum in one form of payment: of a receipt, of a shift, of a balance."""

    @property
    def form_code(self) -> int:
        """The form's code."""

    @property
    def amount(self) -> Money:
        """The sum."""


def cash_effect(receipt: Receipt) -> Money:
    """Return by how much a receipt changes the cash in the drawer; cash paid counts without its change."""
    original = receipt.original
    return cash_moved(
        receipt.kind, receipt.payments, takes_back=None if original is None else original.kind
    )


def cash_moved(
    kind: ReceiptKind, payments: Iterable[_InForm], *, takes_back: ReceiptKind | None = None
) -> Money:
    """Return by how much payments of a receipt of a kind change the cash in the drawer.

    Of sales and returns only what was paid in cash moves any: cards, certificates and the other forms do not. A deposit,
    an issue and a withdrawal are cash whatever form their documents name, and a program that is not ours may name the
    card. `takes_back`: the kind of receipt that a storno takes back; one that is not known moves nothing, its sums are not
    known either.
    """
    if kind is ReceiptKind.STORNO:
        return ZERO if takes_back is None else -cash_moved(takes_back, payments)
    in_cash = kind in _ALL_CASH
    moved = sum(row.amount.kopecks for row in payments if in_cash or row.form_code == CASH[0])
    return Money(DIRECTIONS[kind] * moved)


def cash_receipt(
    request: CashRequest,
    *,
    settings: DrawerSettings,
    receipt_id: UUID,
    issued_at: datetime,
    cashier_id: UUID | None,
    cashier_name: str | None,
) -> Receipt:
    """Return the receipt that a request of a till becomes.

    Raises: InvalidField, WithdrawalOutsideLimits.
    """
    if not ZERO < request.amount <= LARGEST_AMOUNT:
        raise InvalidField(
            field="amount_kopecks", expected=f"between 1 and {LARGEST_AMOUNT.kopecks}"
        )
    if isinstance(request, WithdrawalRequest):
        _check_limits(request.amount, settings)
        purpose, comment = None, optional(request.comment, field="comment")
        withdrawal, slip = _withdrawal(request), request.slip
    else:
        purpose, comment = _purpose(request), optional(request.reason, field="reason")
        withdrawal, slip = None, None
    code, name = CASH
    payment = Payment(
        form_code=code,
        form_name=name,
        amount=request.amount,
        slip=None if slip is None else checked_slip(slip, field="slip"),
    )
    return Receipt(
        receipt_id=receipt_id,
        kind=KINDS[type(request)],
        lines=(),
        payments=(payment,),
        taxes=(),
        unrounded=request.amount,
        rounding=ZERO,
        total=request.amount,
        issued_at=issued_at,
        cashier_id=cashier_id,
        cashier_name=cashier_name,
        comment=comment,
        purpose=purpose,
        withdrawal=withdrawal,
    )


def closing_issue(
    amount: Money,
    *,
    receipt_id: UUID,
    issued_at: datetime,
    cashier_id: UUID | None,
    cashier_name: str | None,
) -> Receipt:
    """Return the service issue with which a closing register empties its drawer."""
    code, name = CASH
    return Receipt(
        receipt_id=receipt_id,
        kind=ReceiptKind.SERVICE_ISSUE,
        lines=(),
        payments=(Payment(form_code=code, form_name=name, amount=amount),),
        taxes=(),
        unrounded=amount,
        rounding=ZERO,
        total=amount,
        issued_at=issued_at,
        cashier_id=cashier_id,
        cashier_name=cashier_name,
        purpose=CashPurpose.CLOSING,
    )


def checked_drawer_settings(settings: DrawerSettings) -> DrawerSettings:
    """Return the settings if their limits are limits. Raises: InvalidField."""
    least, most = settings.withdrawal_minimum, settings.withdrawal_maximum
    if not ZERO <= least <= LARGEST_AMOUNT:
        raise InvalidField(
            field="drawer.withdrawal_minimum_kopecks",
            expected=f"between 0 and {LARGEST_AMOUNT.kopecks}",
        )
    if most is not None and not least <= most <= LARGEST_AMOUNT:
        raise InvalidField(
            field="drawer.withdrawal_maximum_kopecks",
            expected=f"between the minimum and {LARGEST_AMOUNT.kopecks}",
        )
    return settings


def _check_limits(amount: Money, settings: DrawerSettings) -> None:
    least, most = settings.withdrawal_minimum, settings.withdrawal_maximum
    if amount < least or (most is not None and amount > most):
        raise WithdrawalOutsideLimits(
            field="amount_kopecks",
            amount_kopecks=amount.kopecks,
            minimum_kopecks=least.kopecks,
            maximum_kopecks=None if most is None else most.kopecks,
        )


def _purpose(request: DepositRequest | IssueRequest) -> CashPurpose:
    allowed = DEPOSIT_PURPOSES if isinstance(request, DepositRequest) else ISSUE_PURPOSES
    if request.purpose not in allowed:
        names = ", ".join(sorted(allowed))
        raise InvalidField(field="purpose", expected=f"one of {names}")
    if request.purpose is CashPurpose.OTHER and not (request.reason or "").strip():
        raise InvalidField(field="reason", expected="given where the purpose is `other`")
    return request.purpose


def _withdrawal(request: WithdrawalRequest) -> CashWithdrawal:
    if not ZERO <= request.commission <= LARGEST_AMOUNT:
        raise InvalidField(field="commission_kopecks", expected="0 or more")
    number = request.recipient_number
    purpose = optional(
        request.payment_purpose, field="payment_purpose", limit=Limit.PAYMENT_PURPOSE
    )
    return CashWithdrawal(
        commission=request.commission,
        recipient_name=optional(request.recipient_name, field="recipient_name"),
        recipient_number=None if not number else vat_number(number, field="recipient_number"),
        payer_name=optional(request.payer_name, field="payer_name"),
        payment_purpose=purpose or WITHDRAWAL_PURPOSE,
    )
