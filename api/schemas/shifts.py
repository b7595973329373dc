"""Shifts, X-reports and Z-reports."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas.common import LARGEST_KOPECKS, AnswerModel, Id, Links, RequestModel
from api.schemas.totals import ShiftTotalsAnswer
from api.shift_progress import ShiftProgress
from domain.ledger import XReport
from projections.shifts import ShiftRow, ShiftState

_SHIFT = "7e5a0000-0b1c-4d2e-8f30-a1b2c3d40010"
_REGISTER = "c2f3de55-9f0b-5b0e-8f6e-2a6f0c1b7d20"
_CASHIER = "9b1c5f30-2d11-5e7a-b0f4-7d9e8c6a5b40"


class OpenShiftBody(RequestModel):
    """Who opens the shift."""

    cashier_id: UUID = Field(
        description="The cashier; the shift is signed with this cashier's key.", examples=[_CASHIER]
    )
    testing: bool | None = Field(
        default=None,
        description="Whether all its documents are tests: they get fiscal numbers and are not fiscal. Absent: as the "
        "register is set.",
        examples=[False],
    )


class CloseShiftBody(RequestModel):
    """How the shift is closed."""

    counted_kopecks: int | None = Field(
        default=None,
        ge=0,
        le=LARGEST_KOPECKS,
        description="Cash found in the drawer, if it was counted; its difference from the books is recorded.",
        examples=[97250],
    )


class ShiftAnswer(AnswerModel):
    """A shift. The fiscal numbers are the tax service's; null until it has the document."""

    shift_id: Id = Field(description="Its id.", examples=[_SHIFT])
    register_id: Id = Field(description="Its register.", examples=[_REGISTER])
    number: int | None = Field(
        description="The register's count of shifts; null for one that ran elsewhere.",
        examples=[12],
    )
    state: ShiftState = Field(description="`closing` takes no new receipts.", examples=["open"])
    testing: bool = Field(description="Whether its documents are tests.", examples=[False])
    cashier_id: UUID | None = Field(description="Who opened it.", examples=[_CASHIER])
    cashier_name: str | None = Field(description="The name.", examples=["Приклад О. П."])
    opened_at: datetime = Field(description="When.", examples=["2026-11-05T06:55:12Z"])
    opening_fiscal_number: str | None = Field(
        description="Number of the opening document.", examples=["3600000101"]
    )
    closing_requested_at: datetime | None = Field(
        description="When the closing was asked for.", examples=["2026-11-05T19:00:45Z"]
    )
    z_fiscal_number: str | None = Field(
        description="Number of the Z-report.", examples=["3600000140"]
    )
    closing_fiscal_number: str | None = Field(
        description="Number of the closing document.", examples=["3600000141"]
    )
    closed_at: datetime | None = Field(
        description="When it was closed.", examples=["2026-11-05T19:01:05Z"]
    )
    waiting_reason: str | None = Field(
        default=None,
        description="Why the opening or the closing is not registered yet.",
        examples=["The register's documents are stopped until a person acts."],
    )
    position: str | None = Field(
        default=None,
        description="The place of the log that shows this; give it as `at_least` to read your write.",
        examples=["17-4321"],
    )
    links: Links = Field(description="Where to go on from here.")

    @classmethod
    def of(cls, row: ShiftRow) -> ShiftAnswer:
        """Return the answer about a shift of the journal."""
        return cls(
            shift_id=row.shift_id,
            register_id=row.register_id,
            number=row.number,
            state=row.state,
            testing=row.testing,
            cashier_id=row.cashier_id,
            cashier_name=row.cashier_name,
            opened_at=row.opened_at,
            opening_fiscal_number=row.opening_fiscal_number,
            closing_requested_at=row.closing_requested_at,
            z_fiscal_number=row.z_fiscal_number,
            closing_fiscal_number=row.closing_fiscal_number,
            closed_at=row.closed_at,
            links=shift_links(row.shift_id, row.register_id),
        )

    @classmethod
    def of_progress(
        cls, shift: ShiftProgress, *, waiting_reason: str | None, position: str | None
    ) -> ShiftAnswer:
        """Return the answer about a shift just opened or being closed."""
        return cls(
            shift_id=shift.shift_id,
            register_id=shift.register_id,
            number=shift.number,
            state=shift.state,
            testing=shift.testing,
            cashier_id=shift.cashier_id,
            cashier_name=shift.cashier_name,
            opened_at=shift.opened_at,
            opening_fiscal_number=shift.opening_fiscal_number,
            closing_requested_at=shift.closing_requested_at,
            z_fiscal_number=shift.z_fiscal_number,
            closing_fiscal_number=shift.closing_fiscal_number,
            closed_at=shift.closed_at,
            waiting_reason=waiting_reason,
            position=position,
            links=shift_links(shift.shift_id, shift.register_id),
        )


def shift_links(shift_id: UUID, register_id: UUID) -> Links:
    """Return where to go on from a shift."""
    register = f"/v1/registers/{register_id}"
    return Links(self=f"/v1/shifts/{shift_id}", its_register=register, lane=f"{register}/lane")


class XReportAnswer(AnswerModel):
    """The open shift so far; nothing is recorded by asking."""

    register_id: Id = Field(description="The register.", examples=[_REGISTER])
    shift_id: Id = Field(description="Its open shift.", examples=[_SHIFT])
    number: int = Field(description="The shift's number.", examples=[12])
    testing: bool = Field(description="Whether its documents are tests.", examples=[False])
    cashier_name: str | None = Field(description="The cashier.", examples=["Приклад О. П."])
    opened_at: datetime = Field(description="Since when.", examples=["2026-11-05T06:55:12Z"])
    made_at: datetime = Field(description="Time of this report.", examples=["2026-11-05T14:00:00Z"])
    closing: bool = Field(description="Whether the shift is closing.", examples=[False])
    issued: ShiftTotalsAnswer = Field(description="All receipts, those on their way too.")
    registered: ShiftTotalsAnswer = Field(description="Receipts that the tax service has.")
    waiting: int = Field(description="Documents on their way.", examples=[0])
    refused: int = Field(description="Receipts to correct or void.", examples=[0])
    parked: str | None = Field(
        description="Why the register's documents are stopped.", examples=["server-code-1"]
    )
    cash_in_drawer_kopecks: int = Field(
        description="Cash in the drawer by the books, with what was in it before this shift.",
        examples=[97250],
    )

    @classmethod
    def of(cls, report: XReport) -> XReportAnswer:
        """Return the answer about an X-report."""
        return cls(
            register_id=report.register_id,
            shift_id=report.shift_id,
            number=report.number,
            testing=report.testing,
            cashier_name=report.cashier_name,
            opened_at=report.opened_at,
            made_at=report.made_at,
            closing=report.closing,
            issued=ShiftTotalsAnswer.of(report.issued),
            registered=ShiftTotalsAnswer.of(report.registered),
            waiting=report.waiting,
            refused=report.refused,
            parked=None if report.parked is None else report.parked.reason,
            cash_in_drawer_kopecks=report.cash_in_drawer.kopecks,
        )


class ZReportAnswer(AnswerModel):
    """The Z-report of a shift: our totals beside the tax service's."""

    shift_id: Id = Field(description="Its shift.", examples=[_SHIFT])
    register_id: Id = Field(description="Its register.", examples=[_REGISTER])
    shift_number: int | None = Field(description="The shift's number.", examples=[12])
    testing: bool = Field(description="Whether its shift held tests.", examples=[False])
    z_report_id: UUID | None = Field(description="Its id.", examples=[_SHIFT])
    made_at: datetime | None = Field(
        description="When its figures were decided.", examples=["2026-11-05T19:00:48Z"]
    )
    local_number: int | None = Field(description="Local number.", examples=[4360])
    fiscal_number: str | None = Field(
        description="Number given by the tax service; null until it has the report.",
        examples=["3600000140"],
    )
    server_time: datetime | None = Field(
        description="When the tax service registered it.", examples=["2026-11-05T19:00:50Z"]
    )
    totals: ShiftTotalsAnswer | None = Field(description="What the Z-report says.")
    our_totals: ShiftTotalsAnswer | None = Field(description="What our own records give.")
    server_totals: ShiftTotalsAnswer | None = Field(
        description="What the tax service counted before it."
    )
    differences: list[str] = Field(
        description="In what ours and the tax service's disagree; empty: nothing.",
        examples=[["sales.total"]],
    )
    refusal_code: int | None = Field(
        description="The tax service's code, if it refused the report last.", examples=[9]
    )
    refusal_text: str | None = Field(
        description="Its own words.", examples=["Документ не пройшов перевірку"]
    )

    @classmethod
    def of(cls, row: ShiftRow) -> ZReportAnswer:
        """Return the answer about a shift's Z-report."""
        z, ours, server = row.z_totals, row.our_totals, row.server_totals
        return cls(
            shift_id=row.shift_id,
            register_id=row.register_id,
            shift_number=row.number,
            testing=row.testing,
            z_report_id=row.z_report_id,
            made_at=row.z_made_at,
            local_number=row.z_local_number,
            fiscal_number=row.z_fiscal_number,
            server_time=row.z_server_time,
            totals=None if z is None else ShiftTotalsAnswer.of(z),
            our_totals=None if ours is None else ShiftTotalsAnswer.of(ours),
            server_totals=None if server is None else ShiftTotalsAnswer.of(server),
            differences=list(row.differences),
            refusal_code=row.z_refusal_code,
            refusal_text=row.z_refusal_text,
        )
