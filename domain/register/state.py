"""What a register knows between its events: the open shift, what waits, what is on its way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.documents.receipt import Receipt, ReceiptKind
from domain.documents.shift import DocumentKind, Seller, ShiftTotals, ZReport, document_kind
from domain.drawer import DrawerSettings
from domain.money import ZERO, Money
from domain.taxes.rates import TaxGroup

MOST_WAITING = 500
"""Receipts that may wait for registration at once; the state of a register stays bounded."""

RECOGNISED_DOCUMENTS = 8
"""How many documents signed after a backup are recognised for one receipt when the backup is restored."""


@dataclass(frozen=True, slots=True)
class RegisterSettings:
    """How a register behaves; `cash_step` is the step of cash rounding in kopecks (1, 10 or 50).

    `testing`: its shifts hold test documents unless the opening says otherwise.
    `drawer`: None stands for its defaults, as in what was stored before there were any.
    """

    opens_with_first_sale: bool = False
    cash_step: Money = Money(50)
    testing: bool = False
    drawer: DrawerSettings | None = None

    @property
    def of_drawer(self) -> DrawerSettings:
        """How the register treats its drawer."""
        return self.drawer or DrawerSettings()


@dataclass(frozen=True, slots=True)
class Drawer:
    """Cash by the books: `cash` is money, `tests` is what the documents of test shifts pretend; they never mix."""

    cash: Money = ZERO
    tests: Money = ZERO

    def holds(self, *, testing: bool) -> Money:
        """Return what is in it in one of the two modes."""
        return self.tests if testing else self.cash

    def moved(self, amount: Money, *, testing: bool) -> Drawer:
        """Return the drawer with an amount more, or less when it is below 0."""
        return self.counted(self.holds(testing=testing) + amount, testing=testing)

    def counted(self, amount: Money, *, testing: bool) -> Drawer:
        """Return the drawer with this amount in it."""
        return replace(self, tests=amount) if testing else replace(self, cash=amount)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something to register that has no number and no signature yet.

    `documents` counts the documents signed for it so far: it makes the next document's id. `testing`: it was issued in a
    test shift.
    """

    subject_id: UUID
    kind: DocumentKind
    receipt: Receipt | None = None
    z_report: ZReport | None = None
    documents: int = 0
    testing: bool = False

    @staticmethod
    def of(receipt: Receipt, *, documents: int = 0, testing: bool = False) -> Waiting:
        """Return a receipt as something to register."""
        return Waiting(
            subject_id=receipt.receipt_id,
            kind=document_kind(receipt),
            receipt=receipt,
            documents=documents,
            testing=testing,
        )


@dataclass(frozen=True, slots=True)
class Outstanding:
    """The one signed online document without an outcome.

    `open_epoch` is the lease epoch of an attempt whose outcome is not recorded; `unknown` means that the
    request may have arrived, so the service must be asked before anything is sent again.
    """

    document_id: UUID
    item: Waiting
    local_number: int
    key_id: str
    at: datetime
    signed_sha256: str
    unknown: bool = False
    attempts: int = 0
    open_epoch: int | None = None
    stamped: bool = False


@dataclass(frozen=True, slots=True)
class RefusedReceipt:
    """A receipt the tax service refused; it is corrected or voided, never sent again unchanged."""

    receipt: Receipt
    server_code: int
    text: str
    documents: int
    testing: bool = False

    def as_waiting(self) -> Waiting:
        """Return the receipt as something to register again."""
        return Waiting.of(self.receipt, documents=self.documents, testing=self.testing)


@dataclass(frozen=True, slots=True)
class Closing:
    """The staged closing of a shift: what waits, then the Z-report, then document 101.

    `z_documents` counts the documents signed for the Z-report before it was refused: each has its own id. `emptied`: the
    drawer's cash was issued before the Z-report, once, whatever the tax service says of that issue.
    """

    closing_id: UUID
    z_report_id: UUID
    requested_at: datetime
    z_refusals: int = 0
    z_documents: int = 0
    emptied: bool = False


@dataclass(frozen=True, slots=True)
class LastReceipt:
    """The receipt of the shift that was registered last: a storno may take it back while no document follows it.

    `totals_before` are the shift's totals without it. They are kept, because no subtraction knows whether a payment form
    or letter whose sum comes to zero had been there before.
    """

    receipt: Receipt
    local_number: int
    fiscal_number: str
    totals_before: ShiftTotals

    def totals_after(self, storno: Receipt) -> ShiftTotals:
        """Return the shift's totals once this storno has taken the receipt back."""
        totals = self.totals_before
        if storno.original is None or not storno.original.still_counted:
            return totals
        match self.receipt.kind:
            case ReceiptKind.SALE:
                return replace(totals, sales=replace(totals.sales, count=totals.sales.count + 1))
            case ReceiptKind.RETURN:
                counted = replace(totals.returns, count=totals.returns.count + 1)
                return replace(totals, returns=counted)
            case _:
                return totals


@dataclass(frozen=True, slots=True)
class Shift:
    """The open shift: `totals` hold registered receipts only; names, letters and key cannot change inside it."""

    shift_id: UUID
    number: int
    cashier_id: UUID | None
    cashier_name: str | None
    key_id: str
    seller: Seller
    tax_groups: tuple[TaxGroup, ...]
    cash_step: Money
    opened_at: datetime
    testing: bool
    opening_fiscal_number: str | None = None
    totals: ShiftTotals = field(default_factory=ShiftTotals)
    z_report: ZReport | None = None
    z_fiscal_number: str | None = None
    closing: Closing | None = None
    last_receipt: LastReceipt | None = None

    def counting(self, receipt: Receipt, *, local_number: int, fiscal_number: str) -> Shift:
        """Return the shift with a registered receipt counted.

        A storno leaves what there was before the receipt it takes back (`LastReceipt.totals_after`). One whose receipt is not the last known here
        was made elsewhere: it leaves our totals as they are, and the Z-report names what the service counts otherwise.
        """
        last = self.last_receipt
        if receipt.kind is ReceiptKind.STORNO:
            original = receipt.original
            if last is None or original is None or last.fiscal_number != original.fiscal_number:
                return self
            return replace(self, totals=last.totals_after(receipt), last_receipt=None)
        return replace(
            self,
            totals=self.totals.with_receipt(receipt),
            last_receipt=LastReceipt(
                receipt=receipt,
                local_number=local_number,
                fiscal_number=fiscal_number,
                totals_before=self.totals,
            ),
        )


@dataclass(frozen=True, slots=True)
class Parked:
    """Why the register's documents are stopped until a person acts."""

    reason: str
    server_code: int | None
    text: str | None
    at: datetime


class LaneStep(StrEnum):
    """What the lane has to do next; exactly one thing at a time."""

    IDLE = "idle"
    READ_STATE = "read-state"
    SIGN = "sign"
    SUBMIT = "submit"
    ASK = "ask"
    EMPTY_DRAWER = "empty-drawer"
    MAKE_Z = "make-z"
