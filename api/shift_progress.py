"""How far the opening or the closing of a shift is, moved on by events of its register."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.documents.shift import DocumentKind
from domain.register import events
from domain.register.aggregate import Register
from domain.register.state import Shift
from projections.shifts import ShiftRow, ShiftState


@dataclass(frozen=True, slots=True)
class ShiftProgress:
    """A shift of a register here; `parked` says why its documents stopped."""

    register_id: UUID
    shift_id: UUID
    number: int | None
    state: ShiftState
    cashier_id: UUID | None
    cashier_name: str | None
    opened_at: datetime
    testing: bool
    opening_fiscal_number: str | None = None
    closing_requested_at: datetime | None = None
    z_report_id: UUID | None = None
    z_fiscal_number: str | None = None
    closing_fiscal_number: str | None = None
    closed_at: datetime | None = None
    parked: str | None = None

    def after(self, event: Any) -> ShiftProgress:
        """Return the standing after an event of the shift's register."""
        match event:
            case events.DocumentRegistered(
                kind=DocumentKind.SHIFT_OPENING, subject_id=self.shift_id
            ):
                return replace(self, opening_fiscal_number=event.fiscal_number)
            case events.DocumentRegistered(kind=DocumentKind.Z_REPORT, subject_id=self.z_report_id):
                return replace(self, z_fiscal_number=event.fiscal_number)
            case events.DocumentAdopted(kind=DocumentKind.SHIFT_OPENING, in_shift=True):
                return replace(self, opening_fiscal_number=event.fiscal_number)
            case events.DocumentAdopted(kind=DocumentKind.Z_REPORT, in_shift=True):
                return replace(self, z_fiscal_number=event.fiscal_number)
            case events.ShiftClosed(shift_id=self.shift_id):
                return replace(
                    self,
                    state=ShiftState.CLOSED,
                    opening_fiscal_number=event.opening_fiscal_number,
                    z_fiscal_number=event.z_fiscal_number,
                    closing_fiscal_number=event.closing_fiscal_number,
                    closed_at=event.closed_at,
                )
            case events.LaneWasParked():
                return replace(self, parked=event.reason)
            case _:
                return self


def decided_shift(row: ShiftRow) -> ShiftProgress:
    """Return the standing of a shift as the journal has it."""
    return ShiftProgress(
        register_id=row.register_id,
        shift_id=row.shift_id,
        number=row.number,
        state=row.state,
        cashier_id=row.cashier_id,
        cashier_name=row.cashier_name,
        opened_at=row.opened_at,
        testing=row.testing,
        opening_fiscal_number=row.opening_fiscal_number,
        closing_requested_at=row.closing_requested_at,
        z_report_id=row.z_report_id,
        z_fiscal_number=row.z_fiscal_number,
        closing_fiscal_number=row.closing_fiscal_number,
        closed_at=row.closed_at,
    )


def shift_progress(register: Register, shift_id: UUID) -> ShiftProgress | None:
    """Return the standing of a register's open shift; None when that shift is no longer open."""
    shift = register.shift
    if shift is None or shift.shift_id != shift_id:
        return None
    return _of(register, shift)


def _of(register: Register, shift: Shift) -> ShiftProgress:
    closing = shift.closing
    return ShiftProgress(
        register_id=register.id,
        shift_id=shift.shift_id,
        number=shift.number,
        state=ShiftState.OPEN if closing is None else ShiftState.CLOSING,
        cashier_id=shift.cashier_id,
        cashier_name=shift.cashier_name,
        opened_at=shift.opened_at,
        testing=shift.testing,
        opening_fiscal_number=shift.opening_fiscal_number,
        closing_requested_at=None if closing is None else closing.requested_at,
        z_report_id=None if closing is None else closing.z_report_id,
        z_fiscal_number=shift.z_fiscal_number,
        parked=None if register.parked is None else register.parked.reason,
    )
