"""Totals of a shift, the Z-report, and what every document of a register carries in its head."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from domain.documents.offline import OfflineBegin, OfflineEnd, OfflineMark
from domain.documents.receipt import Payment, Receipt, ReceiptKind, TaxRow
from domain.money import ZERO, Money


class DocumentKind(StrEnum):
    """What a fiscal document registers."""

    SHIFT_OPENING = "shift-opening"
    SALE = "sale"
    RETURN = "return"
    STORNO = "storno"
    SERVICE_DEPOSIT = "service-deposit"
    SERVICE_ISSUE = "service-issue"
    CASH_WITHDRAWAL = "cash-withdrawal"
    Z_REPORT = "z-report"
    SHIFT_CLOSING = "shift-closing"
    OFFLINE_BEGIN = "offline-begin"
    OFFLINE_END = "offline-end"
    OTHER = "other"
    """Made by another program, of a kind that our types cannot hold; only ever adopted."""


_KINDS = {kind: DocumentKind(kind.value) for kind in ReceiptKind}


def document_kind(receipt: Receipt) -> DocumentKind:
    """Return the kind of document that registers a receipt."""
    return _KINDS[receipt.kind]


@dataclass(frozen=True, slots=True)
class Seller:
    """Who sells and where, exactly as registered: the server compares each letter (reference §3.3)."""

    tax_id: str
    vat_number: str | None
    name: str
    unit_name: str
    unit_address: str | None


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a document: `at` is an aware time in whole seconds, written as Kyiv time.

    `offline` is there in the documents of an offline session, which the register numbers itself.
    """

    uid: UUID
    seller: Seller
    register_fiscal_number: str
    register_local_number: int
    local_number: int
    at: datetime
    cashier_name: str | None
    testing: bool = False
    offline: OfflineMark | None = None


@dataclass(frozen=True, slots=True)
class PaymentFormTotal:
    """Money of one payment form; forms are told apart by code and name (reference §3.5)."""

    form_code: int
    form_name: str
    amount: Money


@dataclass(frozen=True, slots=True)
class OrderTotals:
    """Sums over receipts of one direction (sales or returns) of a shift."""

    count: int = 0
    total: Money = ZERO
    unrounded: Money = ZERO
    rounding: Money = ZERO
    payments: tuple[PaymentFormTotal, ...] = ()
    taxes: tuple[TaxRow, ...] = ()

    def plus(self, receipt: Receipt) -> OrderTotals:
        """Return the totals with one receipt more; tax rows are sums of receipts' rows (reference §3.10)."""
        return OrderTotals(
            count=self.count + 1,
            total=self.total + receipt.counted_total,
            unrounded=self.unrounded + receipt.counted_total + receipt.rounding,
            rounding=self.rounding + receipt.rounding,
            payments=_with_payments(self.payments, receipt.payments),
            taxes=_with_taxes(self.taxes, receipt.taxes),
        )


@dataclass(frozen=True, slots=True)
class WithdrawalTotals:
    """Cash withdrawals at the till of a shift; `commission` stands beside `total`."""

    count: int = 0
    total: Money = ZERO
    commission: Money = ZERO

    def plus(self, receipt: Receipt) -> WithdrawalTotals:
        """Return the totals with one withdrawal more."""
        assert receipt.withdrawal is not None
        return WithdrawalTotals(
            count=self.count + 1,
            total=self.total + receipt.total,
            commission=self.commission + receipt.withdrawal.commission,
        )


@dataclass(frozen=True, slots=True)
class ShiftTotals:
    """Everything a Z-report says about a shift; `withdrawals` is None where there were none."""

    sales: OrderTotals = OrderTotals()
    returns: OrderTotals = OrderTotals()
    service_deposits: Money = ZERO
    service_issues: Money = ZERO
    withdrawals: WithdrawalTotals | None = None

    def with_receipt(self, receipt: Receipt) -> ShiftTotals:
        """Return the totals with one receipt more; a storno is no sum of its own, it takes another away."""
        match receipt.kind:
            case ReceiptKind.SALE:
                return self.with_sale(receipt)
            case ReceiptKind.RETURN:
                return replace(self, returns=self.returns.plus(receipt))
            case ReceiptKind.STORNO:
                return self
            case ReceiptKind.SERVICE_DEPOSIT:
                return replace(self, service_deposits=self.service_deposits + receipt.total)
            case ReceiptKind.SERVICE_ISSUE:
                return replace(self, service_issues=self.service_issues + receipt.total)
            case ReceiptKind.CASH_WITHDRAWAL:
                so_far = self.withdrawals or WithdrawalTotals()
                return replace(self, withdrawals=so_far.plus(receipt))

    def with_sale(self, receipt: Receipt) -> ShiftTotals:
        """Return the totals with one sale more."""
        return replace(self, sales=self.sales.plus(receipt))

    def differences(self, other: ShiftTotals) -> tuple[str, ...]:
        """Return in words what differs from `other`, empty when they agree."""
        found = []
        for name, ours, theirs in (
            ("sales", self.sales, other.sales),
            ("returns", self.returns, other.returns),
        ):
            for label in ("count", "total", "payments", "taxes"):
                mine, their = getattr(ours, label), getattr(theirs, label)
                if (sorted(mine, key=str) if isinstance(mine, tuple) else mine) != (
                    sorted(their, key=str) if isinstance(their, tuple) else their
                ):
                    found.append(f"{name}.{label}")
        if self.service_deposits != other.service_deposits:
            found.append("service_deposits")
        if self.service_issues != other.service_issues:
            found.append("service_issues")
        if (self.withdrawals or WithdrawalTotals()) != (other.withdrawals or WithdrawalTotals()):
            found.append("withdrawals")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class ZReport:
    """The closing report of a shift as registered with the tax service."""

    z_report_id: UUID
    totals: ShiftTotals


@dataclass(frozen=True, slots=True)
class ShiftOpening:
    """Content of document 100: there is none beyond the head."""


@dataclass(frozen=True, slots=True)
class ShiftClosingContent:
    """Content of document 101: there is none beyond the head."""


DocumentContent: TypeAlias = (
    Receipt | ZReport | ShiftOpening | ShiftClosingContent | OfflineBegin | OfflineEnd
)
"""What a document registers."""


@dataclass(frozen=True, slots=True)
class FiscalDocument:
    """One document: its head and what it registers."""

    kind: DocumentKind
    heading: Heading
    content: DocumentContent


def _with_payments(
    totals: tuple[PaymentFormTotal, ...], payments: tuple[Payment, ...]
) -> tuple[PaymentFormTotal, ...]:
    sums = {(row.form_code, row.form_name): row.amount for row in totals}
    for payment in payments:
        key = (payment.form_code, payment.form_name)
        sums[key] = sums.get(key, ZERO) + payment.amount
    return tuple(
        PaymentFormTotal(form_code=code, form_name=name, amount=amount)
        for (code, name), amount in sorted(sums.items())
    )


def _with_taxes(totals: tuple[TaxRow, ...], rows: tuple[TaxRow, ...]) -> tuple[TaxRow, ...]:
    sums = {(row.letter, row.kind, row.name, row.rate): row for row in totals}
    for row in rows:
        key = (row.letter, row.kind, row.name, row.rate)
        before = sums.get(key)
        sums[key] = (
            row
            if before is None
            else TaxRow(
                kind=row.kind,
                name=row.name,
                letter=row.letter,
                rate=row.rate,
                turnover=before.turnover + row.turnover,
                discounted_turnover=before.discounted_turnover + row.discounted_turnover,
                base=before.base + row.base,
                tax=before.tax + row.tax,
            )
        )
    return tuple(sums[key] for key in sorted(sums))
