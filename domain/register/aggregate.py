"""The register: its shift, its numbers, its documents one after another.

Methods here decide and raise; what an event does to the state stands beside the event (`events.py`), because
that part runs again on every replay. A receipt is the business fact; a document is one signed attempt to register
it.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.aggregate import event
from domain.documents.receipt import PartPaymentKind, Receipt, ReceiptKind
from domain.documents.shift import Seller, ShiftTotals
from domain.drawer import cash_effect
from domain.errors import (
    LaneParked,
    NoOpenShift,
    NotEnoughCash,
    ReceiptKindDiffers,
    ReceiptNotRefused,
    ReceiptNotRegistered,
    RefusedReceiptsRemain,
    ShiftAlreadyOpen,
    ShiftClosing,
    StornoNotPossible,
    TooManyWaiting,
)
from domain.money import Money
from domain.register import events
from domain.register.lane import RegisterLane
from domain.register.state import (
    MOST_WAITING,
    Drawer,
    LastReceipt,
    RegisterSettings,
    Shift,
)
from domain.taxes.rates import TaxGroup

_TAKES_OUT = frozenset({ReceiptKind.SERVICE_ISSUE, ReceiptKind.CASH_WITHDRAWAL})


class Register(RegisterLane):
    """One fiscal cash register (ПРРО)."""

    TOPIC: ClassVar[str] = "register"

    Event = events.Event
    Registered = events.Registered

    @event(Registered)
    def __init__(
        self,
        *,
        id: UUID,
        company_id: UUID,
        business_unit_id: UUID,
        fiscal_number: str,
        local_number: int,
        name: str,
        live: bool,
        settings: RegisterSettings,
    ) -> None:
        self.company_id = company_id
        self.business_unit_id = business_unit_id
        self.fiscal_number = fiscal_number
        self.local_number = local_number
        self.name = name
        self.live = live
        self.settings = settings
        self.next_local_number = None
        self.state_needed = True
        self.shift = None
        self.last_shift_number = 0
        self.waiting = ()
        self.outstanding = None
        self.refused = {}
        self.disagreements = 0
        self.last_document_at = None
        self.parked = None
        self.offline_session_id = None
        self.offline_seed = None
        self.drawer = Drawer()

    @property
    def wants_snapshot(self) -> bool:
        """Whether this is a good moment for a snapshot: a shift has just ended and the state is small."""
        return any(isinstance(fact, events.ShiftClosed) for fact in self.pending_events)

    # --- what a till asks ----------------------------------------------------------------------------------

    def change_settings(self, settings: RegisterSettings) -> None:
        """Behave differently from now on; the same settings record nothing."""
        if settings != self.settings:
            self.trigger_event(events.SettingsChanged, settings=settings)

    def open_shift(
        self,
        *,
        shift_id: UUID,
        cashier_id: UUID,
        cashier_name: str,
        key_id: str,
        seller: Seller,
        tax_groups: tuple[TaxGroup, ...],
        opened_at: datetime,
        testing: bool,
    ) -> None:
        """Open the next shift; all documents of a test shift are tests (reference §3.9).

        Raises: ShiftAlreadyOpen, LaneParked.
        """
        if self.shift is not None:
            raise ShiftAlreadyOpen(shift_number=self.shift.number)
        self._check_not_parked()
        self.trigger_event(
            events.ShiftOpened,
            shift_id=shift_id,
            number=self.last_shift_number + 1,
            cashier_id=cashier_id,
            cashier_name=cashier_name,
            key_id=key_id,
            seller=seller,
            tax_groups=tax_groups,
            cash_step=self.settings.cash_step,
            opened_at=opened_at,
            testing=testing,
        )

    def selling_shift(self) -> Shift:
        """Return the shift that takes a new receipt now.

        Raises: NoOpenShift, ShiftClosing, LaneParked, TooManyWaiting.
        """
        if self.shift is None:
            raise NoOpenShift
        if self.shift.closing is not None or self.shift.z_fiscal_number is not None:
            raise ShiftClosing(shift_number=self.shift.number)
        self._check_not_parked()
        unsettled = len(self.waiting) + len(self.refused)
        if unsettled >= MOST_WAITING:
            raise TooManyWaiting(waiting=unsettled, limit=MOST_WAITING)
        return self.shift

    def issue(self, receipt: Receipt) -> None:
        """Issue a receipt in the open shift. Raises: as `selling_shift`, NotEnoughCash."""
        shift = self.selling_shift()
        self._check_drawer(receipt, holds=self.cash_in_drawer)
        self.trigger_event(events.ReceiptIssued, shift_id=shift.shift_id, receipt=receipt)

    def correct(self, receipt: Receipt) -> None:
        """Make a refused receipt again, under the same id, with other content.

        Raises: ReceiptNotRefused, ReceiptKindDiffers, NotEnoughCash.
        """
        before = self.refused_receipt(receipt.receipt_id, kind=receipt.kind)
        holds = self.drawer.holds(testing=self.refused[receipt.receipt_id].testing)
        self._check_drawer(receipt, holds=holds - cash_effect(before))
        self.trigger_event(events.ReceiptCorrected, receipt=receipt)

    def void(self, receipt_id: UUID, *, reason: str, at: datetime) -> None:
        """Give a refused receipt up. Raises: ReceiptNotRefused."""
        self._check_refused(receipt_id)
        self.trigger_event(events.ReceiptVoided, receipt_id=receipt_id, reason=reason, voided_at=at)

    def has_open(self, shift_id: UUID) -> bool:
        """Return whether this shift is the one that is open."""
        return self.shift is not None and self.shift.shift_id == shift_id

    def begin_closing(
        self,
        *,
        closing_id: UUID,
        z_report_id: UUID,
        at: datetime,
        counted: Money | None = None,
    ) -> None:
        """Begin the staged closing of the shift; `counted` is the cash found in the drawer, if somebody counted it.

        Raises: NoOpenShift, ShiftClosing, RefusedReceiptsRemain.
        """
        if self.shift is None:
            raise NoOpenShift
        if self.shift.closing is not None:
            raise ShiftClosing(shift_number=self.shift.number)
        if self.refused:
            raise RefusedReceiptsRemain(count=len(self.refused), receipt_ids=tuple(self.refused))
        if counted is not None:
            self.trigger_event(
                events.DrawerCounted,
                shift_id=self.shift.shift_id,
                counted=counted,
                expected=self.cash_in_drawer,
                difference=counted - self.cash_in_drawer,
                counted_at=at,
            )
        self.trigger_event(
            events.ClosingBegun,
            shift_id=self.shift.shift_id,
            closing_id=closing_id,
            z_report_id=z_report_id,
            requested_at=at,
        )

    def issued_totals(self) -> ShiftTotals:
        """Return the open shift's totals with what is on its way: the X-report. Raises: NoOpenShift."""
        if self.shift is None:
            raise NoOpenShift
        totals = self.shift.totals
        items = [] if self.outstanding is None else [self.outstanding.item]
        on_the_way = [item.receipt for item in (*items, *self.waiting) if item.receipt is not None]
        last = self.shift.last_receipt
        if last is not None:
            for receipt in on_the_way:
                if _takes_back(receipt, last):
                    totals = last.totals_after(receipt)
        for receipt in on_the_way:
            totals = totals.with_receipt(receipt)
        return totals

    def storno_target(self, receipt_id: UUID) -> LastReceipt:
        """Return the receipt to take back by a storno: the register's last document, of the open shift.

        Sales, returns, service deposits and service issues can be taken back; of cash withdrawals nothing says so.

        Raises: NoOpenShift, ShiftClosing, LaneParked, TooManyWaiting, ReceiptNotRegistered, StornoNotPossible.
        Source: reference §7.4 (tax offices, 2022 and 2023): until the next settlement document is registered.
        """
        shift = self.selling_shift()
        items = [] if self.outstanding is None else [self.outstanding.item]
        on_the_way = [item.subject_id for item in (*items, *self.waiting)]
        if receipt_id in on_the_way:
            raise ReceiptNotRegistered(receipt_id=receipt_id, state="on its way")
        if receipt_id in self.refused:
            raise ReceiptNotRegistered(receipt_id=receipt_id, state="refused")
        last = shift.last_receipt
        if last is None or last.receipt.receipt_id != receipt_id:
            reason = "it is not the last receipt of the open shift"
        elif self.next_local_number != last.local_number + 1:
            reason = "another document was registered after it"
        elif on_the_way:
            reason = "a later document is on its way"
        elif last.receipt.kind is ReceiptKind.CASH_WITHDRAWAL:
            reason = "the cash was given out to a card"
        elif last.receipt.kind is ReceiptKind.RETURN and _of_later_payment(last.receipt):
            # What it gave back is owed again, and may be paid elsewhere by now.
            reason = "it gave a later payment back; take the payment again"
        else:
            return last
        raise StornoNotPossible(receipt_id=receipt_id, reason=reason)

    # --- helpers of decisions ------------------------------------------------------------------------------

    def _check_not_parked(self) -> None:
        if self.parked is not None:
            raise LaneParked(reason=self.parked.reason)

    def refused_receipt(self, receipt_id: UUID, *, kind: ReceiptKind | None = None) -> Receipt:
        """Return a receipt that the tax service refused and nobody has settled yet, of a kind where one is asked for.

        Raises: ReceiptNotRefused, ReceiptKindDiffers.
        """
        self._check_refused(receipt_id)
        receipt = self.refused[receipt_id].receipt
        if kind is not None and receipt.kind is not kind:
            raise ReceiptKindDiffers(receipt_id=receipt_id, kind=receipt.kind.value)
        return receipt

    def _check_drawer(self, receipt: Receipt, *, holds: Money) -> None:
        """Refuse to take out more than a drawer that `holds` so much has. A buyer's refund is not judged here."""
        original = receipt.original
        undoes_deposit = original is not None and original.kind is ReceiptKind.SERVICE_DEPOSIT
        if not (undoes_deposit or receipt.kind in _TAKES_OUT):
            return
        if receipt.total > holds and not self.settings.of_drawer.may_go_below_zero:
            raise NotEnoughCash(
                amount_kopecks=receipt.total.kopecks, in_drawer_kopecks=holds.kopecks
            )

    def _check_refused(self, receipt_id: UUID) -> None:
        if receipt_id not in self.refused:
            raise ReceiptNotRefused(receipt_id=receipt_id)


def _of_later_payment(receipt: Receipt) -> bool:
    return receipt.part is not None and receipt.part.kind is not PartPaymentKind.PREPAYMENT


def _takes_back(receipt: Receipt, last: LastReceipt) -> bool:
    original = receipt.original
    return (
        receipt.kind is ReceiptKind.STORNO
        and original is not None
        and original.fiscal_number == last.fiscal_number
    )
