"""A register's lane, its balances, and alarms: what an operator looks at."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas.common import AnswerModel, Id, RequestModel, text
from domain.documents.receipt import ReceiptKind, ReceiptState
from domain.documents.shift import DocumentKind
from domain.register.aggregate import Register
from domain.register.state import LaneStep, Outstanding
from infra.lane_status import LaneStatus
from projections.balances import Balances

_ID = "7e5a0000-0b1c-4d2e-8f30-a1b2c3d401f7"
_REGISTER = "c2f3de55-9f0b-5b0e-8f6e-2a6f0c1b7d20"


class ResumeBody(RequestModel):
    """Why the lane may go on."""

    reason: str = text(
        "What was done about the cause; kept in the log.",
        longest=256,
        example="Касу розблоковано в кабінеті платника",
    )


class ParkedAnswer(AnswerModel):
    """Why a lane is stopped until a person acts."""

    reason: str = Field(description="Stable name.", examples=["server-code-1"])
    server_code: int | None = Field(description="The tax service's code.", examples=[1])
    text: str | None = Field(description="Its own words.", examples=["ПРРО не зареєстрований"])
    at: datetime = Field(description="Since when.", examples=["2026-11-05T08:15:04Z"])


class OutstandingAnswer(AnswerModel):
    """The one signed document without an outcome."""

    document_id: Id = Field(description="Its id.", examples=[_ID])
    subject_id: Id = Field(
        description="What it registers: a receipt, a shift, a Z-report, a closing.", examples=[_ID]
    )
    kind: DocumentKind = Field(description="What it is.", examples=["sale"])
    local_number: int = Field(description="Its local number.", examples=[4321])
    at: datetime = Field(description="Its time.", examples=["2026-11-05T08:15:04Z"])
    attempts: int = Field(description="How often it was sent.", examples=[1])
    unknown: bool = Field(
        description="It may have arrived; the tax service is asked.", examples=[False]
    )

    @classmethod
    def of(cls, document: Outstanding) -> OutstandingAnswer:
        """Return the answer about a document on its way."""
        return cls(
            document_id=document.document_id,
            subject_id=document.item.subject_id,
            kind=document.item.kind,
            local_number=document.local_number,
            at=document.at,
            attempts=document.attempts,
            unknown=document.unknown,
        )


class LaneAnswer(AnswerModel):
    """A register's documents, one after another."""

    register_id: Id = Field(description="The register.", examples=[_REGISTER])
    next_step: LaneStep = Field(description="What is done next.", examples=["submit"])
    parked: ParkedAnswer | None = Field(description="Why it is stopped until a person acts.")
    outstanding: OutstandingAnswer | None = Field(description="The document on its way.")
    waiting: int = Field(description="What waits behind it, unsigned.", examples=[0])
    refused_receipt_ids: list[UUID] = Field(
        description="Receipts to correct or void.", examples=[[_ID]]
    )
    due_at: datetime | None = Field(
        description="When a worker takes it next; null: nothing to do, or one has it.",
        examples=["2026-11-05T08:15:06Z"],
    )
    held_until: datetime | None = Field(
        description="A worker has it, at most until then.", examples=["2026-11-05T08:16:04Z"]
    )
    failures: int = Field(description="Tries without progress, in a row.", examples=[0])
    reason: str | None = Field(
        description="What it waits for.", examples=["the tax service did not answer"]
    )

    @classmethod
    def of(cls, register: Register, status: LaneStatus | None) -> LaneAnswer:
        """Return the answer about a register's lane."""
        parked, outstanding = register.parked, register.outstanding
        return cls(
            register_id=register.id,
            next_step=register.next_step(),
            parked=None
            if parked is None
            else ParkedAnswer(
                reason=parked.reason,
                server_code=parked.server_code,
                text=parked.text,
                at=parked.at,
            ),
            outstanding=None if outstanding is None else OutstandingAnswer.of(outstanding),
            waiting=len(register.waiting),
            refused_receipt_ids=list(register.refused),
            due_at=None if status is None else status.due_at,
            held_until=None if status is None else status.lease_until,
            failures=0 if status is None else status.failures,
            reason=None if status is None else status.reason,
        )


class PaymentBalanceAnswer(AnswerModel):
    """Money of one payment form in receipts of one kind and state."""

    kind: ReceiptKind = Field(description="Kind of the receipts.", examples=["sale"])
    state: ReceiptState = Field(description="Their state.", examples=["registered"])
    form_code: int = Field(description="The form's code.", examples=[0])
    form_name: str = Field(description="The form's name.", examples=["ГОТІВКА"])
    payments: int = Field(description="How many payments.", examples=[1])
    amount_kopecks: int = Field(description="Their sum.", examples=[2750])


class ReceiptBalanceAnswer(AnswerModel):
    """Receipts of one kind and state."""

    kind: ReceiptKind = Field(description="Kind of the receipts.", examples=["sale"])
    state: ReceiptState = Field(description="Their state.", examples=["registered"])
    receipts: int = Field(description="How many.", examples=[1])
    total_kopecks: int = Field(description="What was paid.", examples=[2750])
    unrounded_kopecks: int = Field(description="Before cash rounding.", examples=[2748])
    rounding_kopecks: int = Field(description="unrounded − total.", examples=[-2])


class BalancesAnswer(AnswerModel):
    """Money of a register: of one shift, or of all its shifts together."""

    register_id: Id = Field(description="The register.", examples=[_REGISTER])
    shift_id: UUID | None = Field(description="The shift; null: all.", examples=[_ID])
    testing: bool = Field(description="Whether these are sums of tests.", examples=[False])
    cash_in_drawer_kopecks: int = Field(
        description="Cash in less cash out by receipts, whatever the tax service says of them; the drawer's own figure,"
        " with what counts found, is under `/v1/registers/{register_id}/drawer`.",
        examples=[2750],
    )
    payments: list[PaymentBalanceAnswer] = Field(description="By payment form and state.")
    receipts: list[ReceiptBalanceAnswer] = Field(description="By kind and state.")

    @classmethod
    def of(cls, balances: Balances) -> BalancesAnswer:
        """Return the answer about a register's money."""
        return cls(
            register_id=balances.register_id,
            shift_id=balances.shift_id,
            testing=balances.testing,
            cash_in_drawer_kopecks=balances.cash_in_drawer.kopecks,
            payments=[
                PaymentBalanceAnswer(
                    kind=row.kind,
                    state=row.state,
                    form_code=row.form_code,
                    form_name=row.form_name,
                    payments=row.payments,
                    amount_kopecks=row.amount.kopecks,
                )
                for row in balances.payments
            ],
            receipts=[
                ReceiptBalanceAnswer(
                    kind=row.kind,
                    state=row.state,
                    receipts=row.receipts,
                    total_kopecks=row.total.kopecks,
                    unrounded_kopecks=row.unrounded.kopecks,
                    rounding_kopecks=row.rounding.kopecks,
                )
                for row in balances.receipts
            ],
        )


class BalancesPage(AnswerModel):
    """Balances of the registers asked for."""

    items: list[BalancesAnswer] = Field(description="One for each register.")
    position: str = Field(
        description="The place of the log that these show, opaque.", examples=["AQEBAg"]
    )
