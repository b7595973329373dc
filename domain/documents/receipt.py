"""A receipt as frozen data: what was sold, how it was paid, which taxes it carries.

Every amount here was decided when the receipt was issued; nothing is computed again on reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from domain.money import ZERO, Money, Quantity, Rate


class ReceiptKind(StrEnum):
    """What the buyer or the drawer gets."""

    SALE = "sale"
    RETURN = "return"
    STORNO = "storno"
    SERVICE_DEPOSIT = "service-deposit"
    SERVICE_ISSUE = "service-issue"
    CASH_WITHDRAWAL = "cash-withdrawal"


class ReceiptState(StrEnum):
    """Where a receipt stands on its way to the tax service; the same words everywhere."""

    WAITING = "waiting"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    REGISTERED = "registered"
    OFFLINE = "offline"
    REFUSED = "refused"
    VOIDED = "voided"
    PARKED = "parked"


class CashPurpose(StrEnum):
    """What cash was put in or taken out for; kept in our record, the protocol has no place for it."""

    CHANGE_FUND = "change-fund"
    SAFE = "safe"
    BANK_COLLECTION = "bank-collection"
    SALARY = "salary"
    PURCHASE = "purchase"
    CLOSING = "closing"
    OTHER = "other"


class PartPaymentKind(StrEnum):
    """Which part of the price of goods a sale takes: the first, one in between, or the last, with which they change hands."""

    PREPAYMENT = "prepayment"
    FURTHER = "further"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Discount:
    """What was taken off a line or a whole receipt; a negative amount is a surcharge.

    `percent` is there where a percentage was asked for and has the amount's sign. `name` is our own record and
    what people read: the documents' schema has no place for it.
    """

    amount: Money
    percent: Rate | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `cost` is price × quantity, half kopecks up, before any discount.

    `discount` is the line's own, `receipt_discount` the line's share of the receipt's; None where it has none.
    Of `uktzed` (goods) and `dkpp` (services) a line has one at most. `excise_stamps` is None for no stamps. `paid` is there
    in part payments only: what this receipt takes of the line, before cash rounding.
    """

    name: str
    quantity: Quantity
    price: Money
    cost: Money
    letters: str
    code: str | None = None
    barcode: str | None = None
    uktzed: str | None = None
    unit_code: int | None = None
    unit_name: str | None = None
    fiscal_name: str | None = None
    dkpp: str | None = None
    excise_stamps: tuple[str, ...] | None = None
    discount: Discount | None = None
    receipt_discount: Money | None = None
    paid: Money | None = None

    @property
    def taken_off(self) -> Money:
        """What was taken off the cost by both discounts together; negative where surcharges outweigh."""
        own, share = self.discount, self.receipt_discount
        if own is None:
            return ZERO if share is None else share
        return own.amount if share is None else own.amount + share

    @property
    def discounted(self) -> Money:
        """What the buyer owes for the line: its cost less everything taken off."""
        if self.discount is None and self.receipt_discount is None:
            return self.cost
        return self.cost - self.taken_off

    @property
    def due(self) -> Money:
        """What this receipt takes for the line: all that is owed for it, or the part that is paid now."""
        return self.discounted if self.paid is None else self.paid


@dataclass(frozen=True, slots=True)
class CardSlip:
    """What the bank terminal printed; only for a payment through a connected terminal."""

    payment_system: str | None = None
    acquirer_id: str | None = None
    acquirer_name: str | None = None
    transaction_id: str | None = None
    paid_at: datetime | None = None
    slip_number: str | None = None
    terminal_id: str | None = None
    masked_card: str | None = None
    authorisation_code: str | None = None
    commission: Money | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """`amount` covers the purchase; `provided` and `change` only where change was given from cash.

    The form is told by code and name together (reference §3.5): 0 is cash, 1 a bank card, the rest an open list.
    """

    form_code: int
    form_name: str
    amount: Money
    provided: Money | None = None
    change: Money | None = None
    slip: CardSlip | None = None


@dataclass(frozen=True, slots=True)
class CashWithdrawal:
    """What a cash withdrawal at the till tells besides its amount and the card's slip.

    `commission` stands beside the amount, it is not part of it. `recipient_number` is the recipient's tax number.
    """

    commission: Money = ZERO
    recipient_name: str | None = None
    recipient_number: str | None = None
    payer_name: str | None = None
    payment_purpose: str | None = None


@dataclass(frozen=True, slots=True)
class TaxRow:
    """One tax of a receipt: `base` includes the tax it gives; `kind` 0 VAT, 1 excise (reference §3.6).

    `turnover` is before discounts, `discounted_turnover` after them; both are of the full price in a part payment, while
    `base` and `tax` are of what is paid.
    """

    kind: int
    name: str
    letter: str
    rate: Rate
    turnover: Money
    discounted_turnover: Money
    base: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class Original:
    """The receipt that a return gives goods back of, or that a storno takes back.

    `register_fiscal_number` and `day` (of Kyiv) are there only where another register sold (reference §3.3). The kind and
    our own ids are None in a document of another program whose original is not known here. `still_counted`: a storno takes
    its sum back and leaves it in the shift's count of receipts, a reading of the deployment (`domain.readings`).
    """

    fiscal_number: str
    register_fiscal_number: str | None = None
    day: date | None = None
    kind: ReceiptKind | None = None
    receipt_id: UUID | None = None
    register_id: UUID | None = None
    still_counted: bool | None = None


@dataclass(frozen=True, slots=True)
class PartPayment:
    """What makes a sale, or the return of one, a part payment. `full` is the price of the goods after discounts.

    The prepayment is named where the kind is another: by its fiscal number and by our own ids, which are None in a
    document of another program whose prepayment is not known here.

    `checked` is the sum in the QR code and the offline control number where that is not the full price, `counted` the sum
    in a shift's totals where that is not what is paid: the deployment's readings (`domain.readings`) when it was made.
    """

    kind: PartPaymentKind
    full: Money
    prepayment_fiscal_number: str | None = None
    prepayment_receipt_id: UUID | None = None
    prepayment_register_id: UUID | None = None
    checked: Money | None = None
    counted: Money | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as issued. `total` = `unrounded` − `rounding`; payments add up to `total`.

    `unrounded` is what the lines come to after discounts; in a part payment, what is paid of them now. `discount` is the
    one on the whole receipt; the lines carry their shares of it. Only a document of another program may have one that its
    lines know nothing of.
    `issued_at` is UTC; the document that registers the receipt carries the Kyiv time of its signing. `original` is there
    for returns and storno. Payments of a return are paid out. A storno has no lines and taxes; its amounts and payments
    are those of the receipt it takes back, while its document has no amounts (reference §7.4). A service deposit, a
    service issue and a cash withdrawal have one cash payment and no lines; `purpose` says what a deposit or an issue was
    for, its `comment` gives the reason in words; `withdrawal` is there for a cash withdrawal only.
    """

    receipt_id: UUID
    kind: ReceiptKind
    lines: tuple[Line, ...]
    payments: tuple[Payment, ...]
    taxes: tuple[TaxRow, ...]
    unrounded: Money
    rounding: Money
    total: Money
    issued_at: datetime
    cashier_id: UUID | None
    cashier_name: str | None
    comment: str | None = None
    original: Original | None = None
    discount: Discount | None = None
    purpose: CashPurpose | None = None
    withdrawal: CashWithdrawal | None = None
    part: PartPayment | None = None

    @property
    def pays_on(self) -> bool:
        """Whether it is a sale that pays on a prepayment: a further payment or the final settlement."""
        return (
            self.kind is ReceiptKind.SALE
            and self.part is not None
            and self.part.kind is not PartPaymentKind.PREPAYMENT
        )

    @property
    def registered_total(self) -> Money:
        """CHECKTOTAL/SUM: of a part payment the full price; a storno is registered with a zero amount (reference §7.4)."""
        if self.kind is ReceiptKind.STORNO:
            return ZERO
        return self.total if self.part is None else self.part.full

    @property
    def checked_total(self) -> Money:
        """The sum by which a buyer finds the receipt, and which an offline control number is of."""
        if self.part is not None and self.part.checked is not None:
            return self.part.checked
        return self.registered_total

    @property
    def counted_total(self) -> Money:
        """What the totals of a shift count of it."""
        if self.part is not None and self.part.counted is not None:
            return self.part.counted
        return self.total

    @property
    def taken_off(self) -> Money:
        """All discounts of the receipt and its lines together; negative where surcharges outweigh."""
        if any(line.discount or line.receipt_discount for line in self.lines):
            return Money.total(line.taken_off for line in self.lines)
        return ZERO if self.discount is None else self.discount.amount
