"""What a till sends to give money back, and what is left to give back."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from api.schemas.common import (
    LARGEST_THOUSANDTHS,
    AnswerModel,
    Id,
    RequestModel,
    optional_text,
)
from api.schemas.payments import MOST_PAYMENTS, CardBody, OtherBody
from api.schemas.sales import LONGEST_SOURCE_TEXT, ExciseStamp
from domain.documents.receipt import Receipt
from domain.money import ZERO, Money, Quantity
from domain.payments import CashPayment
from domain.refund import ReturnRequest
from domain.returns import SoldReceipt
from domain.sale import MOST_LINES, MOST_STAMPS
from domain.sold_lines import SoldLine, WantedLine

_RECEIPT = "7e5a0000-0b1c-4d2e-8f30-a1b2c3d401f7"
_REGISTER = "c2f3de55-9f0b-5b0e-8f6e-2a6f0c1b7d20"


class OriginalBody(RequestModel):
    """The sale or prepayment: by its id here, or by the two numbers on the buyer's receipt."""

    receipt_id: UUID | None = Field(default=None, description="Its id; alone.", examples=[_RECEIPT])
    fiscal_number: str | None = optional_text(
        "Its fiscal number, together with the register's.", longest=128, example="3600000103"
    )
    register_fiscal_number: str | None = optional_text(
        "The fiscal number of its register.", longest=64, example="4000777001"
    )


class ReturnLineBody(RequestModel):
    """What comes back of one line."""

    line: int = Field(
        ge=1, le=MOST_LINES, description="The line of the sale, from 1 on.", examples=[2]
    )
    quantity_thousandths: int = Field(
        gt=0,
        le=LARGEST_THOUSANDTHS,
        description="Quantity in thousandths of the unit; what is left of the line at most.",
        examples=[1000],
    )

    excise_stamps: list[ExciseStamp] = Field(
        default=[],
        max_length=MOST_STAMPS,
        description="Excise stamps on what comes back, where it is a part of the line; a whole line has all of its own.",
        examples=[["ABCD123456"]],
    )

    def to_domain(self) -> WantedLine:
        """Return the line as the ledger takes it."""
        return WantedLine(
            number=self.line,
            quantity=Quantity(self.quantity_thousandths),
            excise_stamps=tuple(self.excise_stamps),
        )


class CashPayoutBody(RequestModel):
    """Cash: pays out what the other forms leave, rounded as the law asks."""

    form: Literal["cash"] = Field(description="The form of pay-out.", examples=["cash"])

    def to_domain(self) -> CashPayment:
        """Return the pay-out as the ledger takes it."""
        return CashPayment()


PayoutBody = Annotated[CashPayoutBody | CardBody | OtherBody, Field(discriminator="form")]


class ReturnBody(RequestModel):
    """A return."""

    original: OriginalBody = Field(
        description="The sale that goods come back of.", examples=[{"receipt_id": _RECEIPT}]
    )
    lines: list[ReturnLineBody] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_LINES,
        description="What comes back; absent: all that is left of the sale. Part payments come back whole.",
        examples=[[{"line": 2, "quantity_thousandths": 1000}]],
    )
    payments: list[PayoutBody] = Field(
        min_length=1,
        max_length=MOST_PAYMENTS,
        description="How the money goes out: any number of cards and other forms, cash at most once.",
        examples=[[{"form": "cash"}]],
    )
    comment: str | None = optional_text(
        "A line of text on the receipt.", longest=LONGEST_SOURCE_TEXT, example="Не підійшло"
    )

    def to_domain(self) -> ReturnRequest:
        """Return the return as the ledger takes it."""
        return ReturnRequest(
            payments=tuple(payment.to_domain() for payment in self.payments),
            lines=None if self.lines is None else tuple(line.to_domain() for line in self.lines),
            comment=self.comment,
        )


class StornoBody(RequestModel):
    """A storno."""

    comment: str | None = optional_text(
        "A line of text in the document.", longest=LONGEST_SOURCE_TEXT, example="Помилка касира"
    )


class ReturnableLineAnswer(AnswerModel):
    """What may still come back of one line."""

    line: int = Field(description="The line, from 1 on.", examples=[2])
    name: str = Field(description="What was sold.", examples=["Хліб житній"])
    sold_thousandths: int = Field(description="What was sold of it.", examples=[3000])
    left_thousandths: int = Field(description="What may still come back.", examples=[1000])
    left_kopecks: int = Field(
        description="What that is worth, before cash rounding.", examples=[2748]
    )


class ReturnableAnswer(AnswerModel):
    """What may still come back of a sale; what is on its way back is not left any more."""

    receipt_id: Id = Field(description="The sale.", examples=[_RECEIPT])
    register_id: Id = Field(description="Its register.", examples=[_REGISTER])
    lines: list[ReturnableLineAnswer] = Field(
        description="Every line, also those of which nothing is left."
    )
    left_kopecks: int = Field(
        description="What all of it is worth, before cash rounding.", examples=[2748]
    )

    @classmethod
    def of(cls, sold: SoldReceipt, receipt: Receipt) -> ReturnableAnswer:
        """Return the answer about a sale; nothing of a prepayment may come back before the payments that followed it."""
        left = sold.left()
        if sold.payments:
            left = tuple(SoldLine(quantity=Quantity(0), cost=ZERO) for _ in left)
        return cls(
            receipt_id=sold.receipt_id,
            register_id=sold.register_id,
            lines=[
                ReturnableLineAnswer(
                    line=number,
                    name=line.name,
                    sold_thousandths=line.quantity.thousandths,
                    left_thousandths=rest.quantity.thousandths,
                    left_kopecks=rest.cost.kopecks,
                )
                for number, (line, rest) in enumerate(
                    zip(receipt.lines, left, strict=True), start=1
                )
            ],
            left_kopecks=Money.total(rest.cost for rest in left).kopecks,
        )
