"""What happens at a till and to its shift: opened, sold, corrected, counted, closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.aggregate import AggregateCreated
from domain.documents.receipt import Receipt
from domain.documents.shift import DocumentKind, Seller, ShiftTotals, ZReport
from domain.drawer import cash_effect
from domain.money import Money
from domain.register.events.base import Event, queue_closing
from domain.register.state import (
    Closing,
    RegisterSettings,
    Shift,
    Waiting,
)
from domain.register.stream import RegisterStream
from domain.taxes.rates import TaxGroup


class Registered(Event, AggregateCreated):
    """A register joined its business unit. `live`: its documents create tax obligations."""

    TOPIC: ClassVar[str] = "register.registered"
    class_version: ClassVar[int] = 2
    company_id: UUID
    business_unit_id: UUID
    fiscal_number: str
    local_number: int
    name: str
    live: bool
    settings: RegisterSettings

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Registers had no test mode."""
        state["settings"]["testing"] = False


class SettingsChanged(Event):
    """The register behaves differently from now on; the cash step from the next shift."""

    TOPIC: ClassVar[str] = "register.settings-changed"
    class_version: ClassVar[int] = 2
    settings: RegisterSettings

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Registers had no test mode."""
        state["settings"]["testing"] = False

    def apply(self, register: RegisterStream) -> None:
        register.settings = self.settings


class ShiftOpened(Event):
    """A shift began for us; document 100 is to be registered first."""

    TOPIC: ClassVar[str] = "register.shift-opened"
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

    def apply(self, register: RegisterStream) -> None:
        register.shift = Shift(
            shift_id=self.shift_id,
            number=self.number,
            cashier_id=self.cashier_id,
            cashier_name=self.cashier_name,
            key_id=self.key_id,
            seller=self.seller,
            tax_groups=self.tax_groups,
            cash_step=self.cash_step,
            opened_at=self.opened_at,
            testing=self.testing,
        )
        register.last_shift_number = self.number
        register.state_needed = True
        opening = Waiting(subject_id=self.shift_id, kind=DocumentKind.SHIFT_OPENING)
        register.waiting = (opening, *register.waiting)


class ReceiptIssued(Event):
    """A receipt was issued: the buyer bought or got money back, or cash was put in or taken out; every amount is decided.

    In a closing shift it can only be the service issue that empties the drawer before the Z-report.
    """

    TOPIC: ClassVar[str] = "register.receipt-issued"
    shift_id: UUID
    receipt: Receipt

    def apply(self, register: RegisterStream) -> None:
        shift = register.shift
        testing = shift is not None and shift.testing
        register.waiting = (*register.waiting, Waiting.of(self.receipt, testing=testing))
        register.drawer = register.drawer.moved(cash_effect(self.receipt), testing=testing)
        if shift is not None and shift.closing is not None:
            register.shift = replace(shift, closing=replace(shift.closing, emptied=True))


class ReceiptCorrected(Event):
    """A refused receipt was made again under its own id."""

    TOPIC: ClassVar[str] = "register.receipt-corrected"
    receipt: Receipt

    def apply(self, register: RegisterStream) -> None:
        receipt_id = self.receipt.receipt_id
        item = register.refused[receipt_id].as_waiting()
        register.refused = {k: row for k, row in register.refused.items() if k != receipt_id}
        register.waiting = (*register.waiting, replace(item, receipt=self.receipt))
        assert item.receipt is not None
        register.drawer = register.drawer.moved(
            cash_effect(self.receipt) - cash_effect(item.receipt), testing=item.testing
        )


class ReceiptVoided(Event):
    """A refused receipt was given up, with the reason."""

    TOPIC: ClassVar[str] = "register.receipt-voided"
    receipt_id: UUID
    reason: str
    voided_at: datetime

    def apply(self, register: RegisterStream) -> None:
        row = register.refused[self.receipt_id]
        register.drawer = register.drawer.moved(-cash_effect(row.receipt), testing=row.testing)
        register.refused = {
            key: row for key, row in register.refused.items() if key != self.receipt_id
        }


class DrawerCounted(Event):
    """The drawer's cash was counted: `difference` is what was found less what the books had. The books follow."""

    TOPIC: ClassVar[str] = "register.drawer-counted"
    shift_id: UUID
    counted: Money
    expected: Money
    difference: Money
    counted_at: datetime

    def apply(self, register: RegisterStream) -> None:
        shift = register.shift
        assert shift is not None
        register.drawer = register.drawer.counted(self.counted, testing=shift.testing)


class ClosingBegun(Event):
    """The shift takes no new receipts; Z-report and document 101 follow by themselves."""

    TOPIC: ClassVar[str] = "register.closing-begun"
    shift_id: UUID
    closing_id: UUID
    z_report_id: UUID
    requested_at: datetime

    def apply(self, register: RegisterStream) -> None:
        assert register.shift is not None
        closing = Closing(
            closing_id=self.closing_id,
            z_report_id=self.z_report_id,
            requested_at=self.requested_at,
        )
        register.shift = replace(register.shift, closing=closing)
        queue_closing(register)


class ZReportMade(Event):
    """The figures of the Z-report are decided. `differences` name what the service counts otherwise."""

    TOPIC: ClassVar[str] = "register.z-report-made"
    shift_id: UUID
    z_report: ZReport
    ours: ShiftTotals
    server: ShiftTotals | None
    differences: tuple[str, ...]
    made_at: datetime

    def apply(self, register: RegisterStream) -> None:
        shift = register.shift
        assert shift is not None
        assert shift.closing is not None
        register.shift = replace(shift, z_report=self.z_report)
        item = Waiting(
            subject_id=self.z_report.z_report_id,
            kind=DocumentKind.Z_REPORT,
            z_report=self.z_report,
            documents=shift.closing.z_documents,
        )
        register.waiting = (*register.waiting, item)


class ShiftClosed(Event):
    """The shift is over: its 101 is registered."""

    TOPIC: ClassVar[str] = "register.shift-closed"
    shift_id: UUID
    number: int
    closed_at: datetime
    totals: ShiftTotals
    opening_fiscal_number: str | None
    z_fiscal_number: str | None
    closing_fiscal_number: str

    def apply(self, register: RegisterStream) -> None:
        register.shift = None
        register.waiting = tuple(item for item in register.waiting if item.receipt is not None)
