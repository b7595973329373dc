"""Cash in a register's drawer: what a till asks, what moved, and how a register treats its drawer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from api.schemas.common import LARGEST_KOPECKS, AnswerModel, Id, RequestModel, optional_text
from api.schemas.payments import SlipBody
from api.schemas.sales import LONGEST_SOURCE_TEXT
from domain.documents.receipt import CashPurpose, ReceiptKind
from domain.drawer import (
    WITHDRAWAL_MINIMUM,
    DepositRequest,
    DrawerSettings,
    IssueRequest,
    WithdrawalRequest,
)
from domain.money import Money
from domain.register.aggregate import Register
from projections.drawer import MovementCause, MovementRow

_REGISTER = "c2f3de55-9f0b-5b0e-8f6e-2a6f0c1b7d20"
_ID = "7e5a0000-0b1c-4d2e-8f30-a1b2c3d401f7"


class _AmountBody(RequestModel):
    """An amount of cash."""

    amount_kopecks: int = Field(
        gt=0,
        le=LARGEST_KOPECKS,
        description="The cash, in kopecks; it is not rounded.",
        examples=[50000],
    )


class DepositBody(_AmountBody):
    """Cash put into the drawer."""

    purpose: Literal["change-fund", "safe", "other"] = Field(
        default="change-fund",
        description="What it is: change for the day, cash from the safe, something else. Kept in our record; the tax "
        "service knows one kind of deposit.",
        examples=["change-fund"],
    )
    reason: str | None = optional_text(
        "In words, for the document; required with `other`.",
        longest=LONGEST_SOURCE_TEXT,
        example="Розмінна монета",
    )

    def to_domain(self) -> DepositRequest:
        """Return the deposit as the ledger takes it."""
        return DepositRequest(
            amount=Money(self.amount_kopecks),
            purpose=CashPurpose(self.purpose),
            reason=self.reason,
        )


class IssueBody(_AmountBody):
    """Cash taken out of the drawer."""

    purpose: Literal["bank-collection", "safe", "salary", "purchase", "other"] = Field(
        description="What it is for. Kept in our record; the tax service knows one kind of issue.",
        examples=["bank-collection"],
    )
    reason: str | None = optional_text(
        "In words, for the document; required with `other`.",
        longest=LONGEST_SOURCE_TEXT,
        example="Інкасація, сумка № 17",
    )

    def to_domain(self) -> IssueRequest:
        """Return the issue as the ledger takes it."""
        return IssueRequest(
            amount=Money(self.amount_kopecks),
            purpose=CashPurpose(self.purpose),
            reason=self.reason,
        )


class WithdrawalBody(_AmountBody):
    """Cash given out to the holder of a card, who was charged for it on the terminal."""

    commission_kopecks: int = Field(
        default=0,
        ge=0,
        le=LARGEST_KOPECKS,
        description="What the holder pays for it beside the amount.",
        examples=[0],
    )
    slip: SlipBody | None = Field(
        default=None,
        description="The terminal's slip, where a terminal is connected.",
        examples=[{"masked_card": "9804********1234", "authorisation_code": "204561"}],
    )
    recipient_name: str | None = optional_text(
        "Who gets the cash.", longest=LONGEST_SOURCE_TEXT, example="Зразок Іван Петрович"
    )
    recipient_number: str | None = optional_text(
        "The recipient's tax number.", longest=16, example="111111111111"
    )
    payer_name: str | None = optional_text(
        "Who gives it.", longest=LONGEST_SOURCE_TEXT, example="Приклад О. П."
    )
    payment_purpose: str | None = optional_text(
        "Purpose on the document; absent: that a card holder is given cash.",
        longest=256,
        example="Видача готівки держателю картки",
    )
    comment: str | None = optional_text(
        "A line of text on the receipt.", longest=LONGEST_SOURCE_TEXT, example="Каса 7"
    )

    def to_domain(self) -> WithdrawalRequest:
        """Return the withdrawal as the ledger takes it."""
        return WithdrawalRequest(
            amount=Money(self.amount_kopecks),
            slip=None if self.slip is None else self.slip.to_domain(),
            commission=Money(self.commission_kopecks),
            recipient_name=self.recipient_name,
            recipient_number=self.recipient_number,
            payer_name=self.payer_name,
            payment_purpose=self.payment_purpose,
            comment=self.comment,
        )


class DrawerAnswer(AnswerModel):
    """A register's drawer as it stands now."""

    register_id: Id = Field(description="The register.", examples=[_REGISTER])
    shift_id: UUID | None = Field(description="Its open shift.", examples=[_ID])
    cash_in_drawer_kopecks: int = Field(
        description="Cash by the books: what came in less what went out, carried from shift to shift; after a count, "
        "what was found.",
        examples=[97250],
    )
    testing: bool = Field(
        description="A test shift is open: this is what its tests pretend, and no money.",
        examples=[False],
    )

    @classmethod
    def of(cls, register: Register) -> DrawerAnswer:
        """Return the answer about a register's drawer."""
        return cls(
            register_id=register.id,
            shift_id=None if register.shift is None else register.shift.shift_id,
            cash_in_drawer_kopecks=register.cash_in_drawer.kopecks,
            testing=register.shift is not None and register.shift.testing,
        )


class MovementAnswer(AnswerModel):
    """One change of the cash in a drawer."""

    movement_id: Id = Field(description="Its id.", examples=[_ID])
    register_id: Id = Field(description="The register.", examples=[_REGISTER])
    business_unit_id: Id = Field(description="Where it stands.", examples=[_REGISTER])
    company_id: Id = Field(description="Whose it is.", examples=[_REGISTER])
    shift_id: UUID | None = Field(description="In which shift it happened.", examples=[_ID])
    at: datetime = Field(description="When it was recorded.", examples=["2026-11-05T18:45:00Z"])
    cause: MovementCause = Field(
        description="`issued` with a receipt; `corrected` or `voided` after a refusal; `adopted` from another device; "
        "`counted` by hand.",
        examples=["issued"],
    )
    kind: ReceiptKind | None = Field(
        description="Kind of the receipt; null for a count.", examples=["service-issue"]
    )
    purpose: CashPurpose | None = Field(
        description="What a deposit or an issue was for.", examples=["bank-collection"]
    )
    reason: str | None = Field(
        description="In words: the receipt's comment, or why it was voided.",
        examples=["Інкасація, сумка № 17"],
    )
    amount_kopecks: int = Field(
        description="Into the drawer above 0, out of it below 0.", examples=[-20000]
    )
    balance_kopecks: int = Field(description="In the drawer after it.", examples=[97250])
    receipt_id: UUID | None = Field(description="The receipt.", examples=[_ID])
    document_id: UUID | None = Field(
        description="The document that registered it; null until then.", examples=[_ID]
    )
    local_number: int | None = Field(description="That document's local number.", examples=[4321])
    fiscal_number: str | None = Field(
        description="The number given by the tax service.", examples=["3600000109"]
    )
    cashier_name: str | None = Field(
        description="The name on the receipt.", examples=["Приклад О. П."]
    )
    testing: bool = Field(description="Whether it is a test and no money.", examples=[False])

    @classmethod
    def of(cls, row: MovementRow) -> MovementAnswer:
        """Return the answer about a movement."""
        return cls(
            movement_id=row.movement_id,
            register_id=row.register_id,
            business_unit_id=row.business_unit_id,
            company_id=row.company_id,
            shift_id=row.shift_id,
            at=row.at,
            cause=row.cause,
            kind=row.kind,
            purpose=row.purpose,
            reason=row.reason,
            amount_kopecks=row.amount.kopecks,
            balance_kopecks=row.balance.kopecks,
            receipt_id=row.receipt_id,
            document_id=row.document_id,
            local_number=row.local_number,
            fiscal_number=row.fiscal_number,
            cashier_name=row.cashier_name,
            testing=row.testing,
        )


class DrawerSettingsModel(RequestModel):
    """How a register treats its drawer; given as a whole."""

    may_go_below_zero: bool = Field(
        default=False,
        description="Let more be taken out than the drawer holds by the books, as on a register taken over with cash.",
        examples=[False],
    )
    empties_before_z: bool = Field(
        default=False,
        description="Closing issues all cash of the drawer before the Z-report.",
        examples=[True],
    )
    withdrawal_minimum_kopecks: int = Field(
        default=WITHDRAWAL_MINIMUM.kopecks,
        ge=0,
        le=LARGEST_KOPECKS,
        description="Least amount given out to a card; 500 UAH by NBU resolution 148, item 9.",
        examples=[50000],
    )
    withdrawal_maximum_kopecks: int | None = Field(
        default=None,
        ge=0,
        le=LARGEST_KOPECKS,
        description="Most given out to a card at once; null: what the drawer holds.",
        examples=[500000],
    )

    def to_domain(self) -> DrawerSettings:
        """Return the settings as the ledger takes them."""
        most = self.withdrawal_maximum_kopecks
        return DrawerSettings(
            may_go_below_zero=self.may_go_below_zero,
            empties_before_z=self.empties_before_z,
            withdrawal_minimum=Money(self.withdrawal_minimum_kopecks),
            withdrawal_maximum=None if most is None else Money(most),
        )

    @classmethod
    def of(cls, settings: DrawerSettings) -> DrawerSettingsModel:
        """Return the model of a drawer's settings."""
        most = settings.withdrawal_maximum
        return cls(
            may_go_below_zero=settings.may_go_below_zero,
            empties_before_z=settings.empties_before_z,
            withdrawal_minimum_kopecks=settings.withdrawal_minimum.kopecks,
            withdrawal_maximum_kopecks=None if most is None else most.kopecks,
        )
