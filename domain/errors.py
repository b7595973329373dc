"""The tree of everything that can be refused or go wrong, drawn at the top.

FiscalError                    code: stable, kebab-case; dataclass fields: the facts
├── RuleViolation              the command is refused; nothing was recorded
│   └── InvalidField           one input value is wrong: which, and what was expected
├── NotFound, Conflict         unknown register; same idempotency key with another body
├── Unavailable                something of ours is not there now: signing agent, store; try again
├── FiscalServerError
│   ├── Unreachable            no answer was possible: nothing was sent, or nobody knows
│   ├── Refused                an answer with a code of the tax service
│   │   └── PackageRefused     the same about a package of offline documents, and which of them is meant
│   └── DocumentTooLarge       never sent: no package takes it
└── IntegrityFault             chain broken, bytes differ: stop and call a person

A sentence is made from the facts; no error carries personal data, passwords or key material.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar
from uuid import UUID


@dataclass(eq=False)
class FiscalError(Exception):
    """Root of the tree. `code` is the stable name clients may rely on."""

    code: ClassVar[str] = "fiscal-error"
    sentence: ClassVar[str] = "The request failed."
    next_step: ClassVar[str] = "Report this to support with the time of the request."
    retryable: ClassVar[bool] = False

    def facts(self) -> dict[str, Any]:
        """Return the facts by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __str__(self) -> str:
        return self.sentence.format(**self.facts())


# --- refused by a rule -------------------------------------------------------------------------------------


@dataclass(eq=False)
class RuleViolation(FiscalError):
    """A rule refuses the command; nothing was recorded."""

    code: ClassVar[str] = "rule-violation"


@dataclass(eq=False)
class InvalidField(RuleViolation):
    """One input value is wrong; `field` is its path in the request, such as `lines.2.price_kopecks`."""

    code: ClassVar[str] = "invalid-field"
    sentence: ClassVar[str] = "The field {field} must be {expected}."
    next_step: ClassVar[str] = (
        "Correct the field and send the request again with a new idempotency key."
    )
    field: str
    expected: str


@dataclass(eq=False)
class ShiftAlreadyOpen(RuleViolation):
    """A register has one open shift at most."""

    code: ClassVar[str] = "shift-already-open"
    sentence: ClassVar[str] = "Shift {shift_number} of this register is open."
    next_step: ClassVar[str] = "Go on selling in it, or close it first."
    shift_number: int


@dataclass(eq=False)
class NoOpenShift(RuleViolation):
    """The command needs an open shift."""

    code: ClassVar[str] = "no-open-shift"
    sentence: ClassVar[str] = "This register has no open shift."
    next_step: ClassVar[str] = (
        "Open a shift, or let the register open it with the first sale (setting)."
    )


@dataclass(eq=False)
class ShiftClosing(RuleViolation):
    """The shift is being closed: the Z-report is on its way."""

    code: ClassVar[str] = "shift-closing"
    sentence: ClassVar[str] = "Shift {shift_number} is closing; it takes no new receipts."
    next_step: ClassVar[str] = "Wait until the shift is closed, then open the next one."
    shift_number: int


@dataclass(eq=False)
class RefusedReceiptsRemain(RuleViolation):
    """A shift cannot close while a refused receipt is neither corrected nor voided."""

    code: ClassVar[str] = "refused-receipts-remain"
    sentence: ClassVar[str] = (
        "{count} refused receipts of this shift are neither corrected nor voided."
    )
    next_step: ClassVar[str] = "Correct or void each refused receipt, then close the shift."
    count: int
    receipt_ids: tuple[UUID, ...] = ()


@dataclass(eq=False)
class ReceiptNotRefused(RuleViolation):
    """Only a refused receipt can be corrected or voided."""

    code: ClassVar[str] = "receipt-not-refused"
    sentence: ClassVar[str] = (
        "Receipt {receipt_id} is not refused; it can be neither corrected nor voided."
    )
    next_step: ClassVar[str] = (
        "Read the receipt's state; a registered receipt is undone by a return."
    )
    receipt_id: UUID


@dataclass(eq=False)
class ReceiptNotRegistered(RuleViolation):
    """Only what the tax service has can be returned, reversed or paid on."""

    code: ClassVar[str] = "receipt-not-registered"
    retryable: ClassVar[bool] = True
    sentence: ClassVar[str] = (
        "Receipt {receipt_id} is {state}; only a registered one can be undone or paid on."
    )
    next_step: ClassVar[str] = (
        "Wait until the receipt is registered; correct or void a refused one."
    )
    receipt_id: UUID
    state: str


@dataclass(eq=False)
class ReceiptNotReturnable(RuleViolation):
    """Goods come back of registered sales only, and to their seller."""

    code: ClassVar[str] = "receipt-not-returnable"
    sentence: ClassVar[str] = "Nothing can be returned of receipt {receipt_id}: {reason}."
    next_step: ClassVar[str] = "Name the sale itself, and a register of the company that sold."
    receipt_id: UUID
    reason: str


@dataclass(eq=False)
class NothingLeft(RuleViolation):
    """All of the sale came back already, or is on its way back."""

    code: ClassVar[str] = "nothing-left-to-return"
    sentence: ClassVar[str] = "Nothing is left to return of receipt {receipt_id}."
    next_step: ClassVar[str] = "Read what was returned, and when, in the receipt's chain."
    receipt_id: UUID


@dataclass(eq=False)
class ReturnExceedsSale(RuleViolation):
    """More of a line was to come back than is left of it; `line` counts from 1."""

    code: ClassVar[str] = "return-exceeds-sale"
    sentence: ClassVar[str] = (
        "Of line {line} {left_thousandths} thousandths are left, {asked_thousandths} were to come back."
    )
    next_step: ClassVar[str] = "Return what is left at most."
    field: str
    line: int
    asked_thousandths: int
    left_thousandths: int


@dataclass(eq=False)
class ReturnLapsed(RuleViolation):
    """A return was begun and not issued in time; what it had reserved is free again."""

    code: ClassVar[str] = "return-lapsed"
    sentence: ClassVar[str] = "Return {return_id} was begun and not issued in time; it is void."
    next_step: ClassVar[str] = "Send the return again with a new idempotency key."
    return_id: UUID


@dataclass(eq=False)
class LaterPaymentsStand(RuleViolation):
    """A prepayment comes back last: the payments that followed it name it."""

    code: ClassVar[str] = "later-payments-stand"
    sentence: ClassVar[str] = (
        "Prepayment {receipt_id} cannot come back: {payments} later payments of it stand."
    )
    next_step: ClassVar[str] = (
        "Give the later payments back first (the receipt's chain shows them), then the prepayment."
    )
    receipt_id: UUID
    payments: int


@dataclass(eq=False)
class ReceiptNotPayable(RuleViolation):
    """Further and final payments follow a registered prepayment, taken by the same seller."""

    code: ClassVar[str] = "receipt-not-payable"
    sentence: ClassVar[str] = "Nothing can be paid on receipt {receipt_id}: {reason}."
    next_step: ClassVar[str] = (
        "Name the prepayment itself, and a register of the company that took it; "
        "take a new prepayment where it came back."
    )
    receipt_id: UUID
    reason: str


@dataclass(eq=False)
class PaymentExceedsOwed(RuleViolation):
    """More was to be paid than the goods cost, or than is still owed for them."""

    code: ClassVar[str] = "payment-exceeds-owed"
    sentence: ClassVar[str] = "{asked_kopecks} kopecks were to be paid, {owed_kopecks} are owed."
    next_step: ClassVar[str] = "Take what is owed at most; payments on their way count as paid."
    field: str
    asked_kopecks: int
    owed_kopecks: int


@dataclass(eq=False)
class PaymentLapsed(RuleViolation):
    """A payment was begun and not issued in time; what it was to pay is owed again."""

    code: ClassVar[str] = "payment-lapsed"
    sentence: ClassVar[str] = "Payment {payment_id} was begun and not issued in time; it is void."
    next_step: ClassVar[str] = "Send the payment again with a new idempotency key."
    payment_id: UUID


@dataclass(eq=False)
class StornoNotPossible(RuleViolation):
    """A storno takes back the register's last document only (reference §7.4)."""

    code: ClassVar[str] = "storno-not-possible"
    sentence: ClassVar[str] = "Receipt {receipt_id} cannot be reversed by a storno: {reason}."
    next_step: ClassVar[str] = (
        "Give the goods of a sale back by a return (POST …/returns); sell again what a return took back wrongly;"
        " undo a wrong deposit by an issue of the same sum, and the reverse."
    )
    receipt_id: UUID
    reason: str


@dataclass(eq=False)
class EmptyReceipt(RuleViolation):
    """A receipt has at least one line."""

    code: ClassVar[str] = "empty-receipt"
    sentence: ClassVar[str] = "The receipt has no lines."
    next_step: ClassVar[str] = "Add a line."


@dataclass(eq=False)
class UnknownTaxLetter(RuleViolation):
    """A line names a letter that the shift's tax groups do not have."""

    code: ClassVar[str] = "unknown-tax-letter"
    sentence: ClassVar[str] = "The tax letter {letter!r} of {field} is not one of {known}."
    next_step: ClassVar[str] = "Use one of the letters of the open shift (Cyrillic)."
    field: str
    letter: str
    known: str


@dataclass(eq=False)
class DiscountExceedsCost(RuleViolation):
    """More is taken off than there is."""

    code: ClassVar[str] = "discount-exceeds-cost"
    sentence: ClassVar[str] = (
        "{field} takes off {discount_kopecks} kopecks, at most {most_kopecks} are possible."
    )
    next_step: ClassVar[str] = (
        "Lower the discount: a line may become free, a whole receipt may not."
    )
    field: str
    discount_kopecks: int
    most_kopecks: int


@dataclass(eq=False)
class TotalsDiffer(RuleViolation):
    """The total the client expects is not the one the lines give."""

    code: ClassVar[str] = "totals-differ"
    sentence: ClassVar[str] = (
        "{field} is {stated_kopecks} kopecks, the lines give {computed_kopecks}."
    )
    next_step: ClassVar[str] = (
        "Compute again from prices, quantities and discounts, halves up; see docs/money.md."
    )
    field: str
    stated_kopecks: int
    computed_kopecks: int


@dataclass(eq=False)
class PaymentsDiffer(RuleViolation):
    """Payments cover more or less than there is to pay."""

    code: ClassVar[str] = "payments-differ"
    sentence: ClassVar[str] = "Payments give {paid_kopecks} kopecks, to pay are {due_kopecks}."
    next_step: ClassVar[str] = "Correct the payments; change is given from cash only."
    field: str
    paid_kopecks: int
    due_kopecks: int


@dataclass(eq=False)
class NotEnoughCash(RuleViolation):
    """More cash was to leave the drawer than it holds by the books."""

    code: ClassVar[str] = "not-enough-cash"
    sentence: ClassVar[str] = (
        "The drawer holds {in_drawer_kopecks} kopecks, {amount_kopecks} were to be taken out."
    )
    next_step: ClassVar[str] = (
        "Take out less, deposit what is missing, or let the drawer go below zero (setting of the register)."
    )
    amount_kopecks: int
    in_drawer_kopecks: int


@dataclass(eq=False)
class WithdrawalOutsideLimits(RuleViolation):
    """Cash is given out to a card between two limits; no maximum: as much as the drawer holds."""

    code: ClassVar[str] = "withdrawal-outside-limits"
    sentence: ClassVar[str] = (
        "{amount_kopecks} kopecks cannot be given out to a card: the least is {minimum_kopecks}, "
        "the most {maximum_kopecks}."
    )
    next_step: ClassVar[str] = "Give out an amount between the register's limits (settings)."
    field: str
    amount_kopecks: int
    minimum_kopecks: int
    maximum_kopecks: int | None


@dataclass(eq=False)
class ReceiptKindDiffers(RuleViolation):
    """A refused receipt is made again as what it was."""

    code: ClassVar[str] = "receipt-kind-differs"
    sentence: ClassVar[str] = "Receipt {receipt_id} is a {kind}; it is corrected as one."
    next_step: ClassVar[str] = "Use the correction of that kind of receipt, or void the receipt."
    receipt_id: UUID
    kind: str


@dataclass(eq=False)
class LaneParked(RuleViolation):
    """The register's documents are stopped until a person acts."""

    code: ClassVar[str] = "lane-parked"
    sentence: ClassVar[str] = "The register's documents are stopped: {reason}."
    next_step: ClassVar[str] = "Remove the cause that is named, then resume the lane."
    reason: str


@dataclass(eq=False)
class LaneNotParked(RuleViolation):
    """Only a parked lane can be resumed."""

    code: ClassVar[str] = "lane-not-parked"
    sentence: ClassVar[str] = "The register's documents are not stopped."
    next_step: ClassVar[str] = "Nothing needs to be done."


@dataclass(eq=False)
class TooManyWaiting(RuleViolation):
    """The waiting receipts of a register are bounded."""

    code: ClassVar[str] = "too-many-waiting"
    sentence: ClassVar[str] = "{waiting} receipts wait for registration; the limit is {limit}."
    next_step: ClassVar[str] = (
        "Restore the connection to the tax service; the register resumes by itself."
    )
    retryable: ClassVar[bool] = True
    waiting: int
    limit: int


@dataclass(eq=False)
class KeyNotForLiveRegister(RuleViolation):
    """A development key signs for test registers only."""

    code: ClassVar[str] = "key-not-for-live-register"
    sentence: ClassVar[str] = "Key {key_id} is a {kind} key; this register is live."
    next_step: ClassVar[str] = "Give the cashier a qualified key."
    key_id: str
    kind: str


@dataclass(eq=False)
class CashierMayNotSell(RuleViolation):
    """The cashier does not belong to the register's company or has no key."""

    code: ClassVar[str] = "cashier-may-not-sell"
    sentence: ClassVar[str] = "The cashier may not work on this register: {reason}."
    next_step: ClassVar[str] = "Choose another cashier, or assign the key and company."
    reason: str


# --- not found, conflict -----------------------------------------------------------------------------------


@dataclass(eq=False)
class NotFound(FiscalError):
    """Nothing by that id."""

    code: ClassVar[str] = "not-found"
    sentence: ClassVar[str] = "There is no {what} {id}."
    next_step: ClassVar[str] = "Check the identifier."
    what: str
    id: str


@dataclass(eq=False)
class Conflict(FiscalError):
    """Somebody else was first."""

    code: ClassVar[str] = "conflict"
    retryable: ClassVar[bool] = True
    sentence: ClassVar[str] = "The record changed while the command ran."
    next_step: ClassVar[str] = "Send the same request again."


@dataclass(eq=False)
class AlreadyExists(Conflict):
    """The network has this already."""

    code: ClassVar[str] = "already-exists"
    retryable: ClassVar[bool] = False
    sentence: ClassVar[str] = "The network has this {what} already: {id}."
    next_step: ClassVar[str] = "Use the existing one."
    what: str
    id: str


@dataclass(eq=False)
class IdempotencyKeyReused(Conflict):
    """The same key came with another body."""

    code: ClassVar[str] = "idempotency-key-reused"
    retryable: ClassVar[bool] = False
    sentence: ClassVar[str] = "This idempotency key was used for another request."
    next_step: ClassVar[str] = "Use a new key for a new request."


@dataclass(eq=False)
class StaleLease(Conflict):
    """The lane was claimed by another worker since."""

    code: ClassVar[str] = "stale-lease"
    retryable: ClassVar[bool] = False
    sentence: ClassVar[str] = "Another worker holds the lane of register {register_id}."
    register_id: UUID


# --- ours, for the moment not there --------------------------------------------------------------------------


@dataclass(eq=False)
class Unavailable(FiscalError):
    """Something of ours is not there for the moment; the command left no trace."""

    code: ClassVar[str] = "unavailable"
    retryable: ClassVar[bool] = True
    sentence: ClassVar[str] = "{what} is not available: {reason}."
    next_step: ClassVar[str] = "Try again shortly; `fiscal doctor` shows what is wrong."
    what: str
    reason: str


@dataclass(eq=False)
class SignerUnavailable(Unavailable):
    """The signing agent does not answer."""

    code: ClassVar[str] = "signer-unavailable"


@dataclass(eq=False)
class StoreUnavailable(Unavailable):
    """The database does not answer."""

    code: ClassVar[str] = "store-unavailable"


@dataclass(eq=False)
class DocumentTimeBehind(Unavailable):
    """The wall clock stands before the last document's time, by more than the tax service forgives."""

    code: ClassVar[str] = "document-time-behind"


@dataclass(eq=False)
class KeyUnknown(FiscalError):
    """The signing agent has no opened key of that name."""

    code: ClassVar[str] = "key-unknown"
    sentence: ClassVar[str] = "The signing agent has no opened key {key_id}."
    next_step: ClassVar[str] = "Open the key in the signing agent."
    key_id: str


# --- the tax service -----------------------------------------------------------------------------------------


@dataclass(eq=False)
class FiscalServerError(FiscalError):
    """The tax service did not do what was asked."""

    code: ClassVar[str] = "fiscal-server-error"


@dataclass(eq=False)
class Unreachable(FiscalServerError):
    """No answer. `sent` tells whether any byte of the request may have arrived: then the outcome is unknown."""

    code: ClassVar[str] = "fiscal-server-unreachable"
    retryable: ClassVar[bool] = True
    sentence: ClassVar[str] = "The tax service did not answer: {reason}."
    next_step: ClassVar[str] = "Nothing needs to be done; the program asks again by itself."
    reason: str
    sent: bool


@dataclass(eq=False)
class Refused(FiscalServerError):
    """The tax service answered with a code (reference §7.1); `text` is its own explanation, never translated."""

    code: ClassVar[str] = "fiscal-server-refused"
    sentence: ClassVar[str] = "The tax service refused: {server_code} {name}: {text}"
    next_step: ClassVar[str] = "See the code's meaning in docs/answers.md."
    server_code: int
    name: str
    text: str


@dataclass(eq=False)
class PackageRefused(Refused):
    """A package of offline documents was refused (reference §5.8).

    `index` counts the document that is meant from 0 within the package, `offset` is where its bytes begin there; both None
    where the service names none. Whether the documents before it are registered is not told.
    """

    code: ClassVar[str] = "package-refused"
    index: int | None
    offset: int | None


@dataclass(eq=False)
class DocumentTooLarge(FiscalServerError):
    """A signed document is longer than a package may be; `index` counts from 0, the size is that in a package."""

    code: ClassVar[str] = "document-too-large"
    sentence: ClassVar[str] = (
        "Document {index} takes {size_bytes} bytes in a package, at most {most_bytes} are possible."
    )
    next_step: ClassVar[str] = "Report this to support: such a document should not have been made."
    index: int
    size_bytes: int
    most_bytes: int


# --- integrity -------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class IntegrityFault(FiscalError):
    """Stored or received bytes are not what they must be: this register stops until a person has looked."""

    code: ClassVar[str] = "integrity-fault"
    sentence: ClassVar[str] = "Integrity fault at {place}: {what}."
    next_step: ClassVar[str] = "Run `fiscal verify` and keep the data as they are; call a person."
    place: str
    what: str
