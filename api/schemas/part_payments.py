"""What a till sends to take a part of a price, and what is still owed."""

from __future__ import annotations

from pydantic import Field

from api.schemas.common import LARGEST_KOPECKS, AnswerModel, Id, RequestModel, optional_text
from api.schemas.payments import MOST_PAYMENTS, PaymentBody
from api.schemas.returns import OriginalBody
from api.schemas.sales import LONGEST_SOURCE_TEXT, SaleBody
from domain.documents.receipt import Receipt
from domain.money import Money
from domain.part_payment import LaterPaymentRequest, PrepaymentRequest
from domain.returns import SoldReceipt

_RECEIPT = "7e5a0208-0b1c-4d2e-8f30-a1b2c3d40208"
_REGISTER = "c2f3de55-9f0b-5b0e-8f6e-2a6f0c1b7d20"


class PrepaymentBody(SaleBody):
    """A prepayment: all the goods at their full price, and how much of it is paid now."""

    amount_kopecks: int = Field(
        gt=0,
        le=LARGEST_KOPECKS,
        description="What is paid now, before cash rounding: the price of the goods at most. `payments` cover it.",
        examples=[1000],
    )

    def to_prepayment(self) -> PrepaymentRequest:
        """Return the prepayment as the ledger takes it."""
        return PrepaymentRequest(goods=self.to_domain(), amount=Money(self.amount_kopecks))


class SettlementBody(RequestModel):
    """A payment on a prepayment: a further one, or the final settlement."""

    original: OriginalBody = Field(
        description="The prepayment that is paid on.", examples=[{"receipt_id": _RECEIPT}]
    )
    amount_kopecks: int | None = Field(
        default=None,
        gt=0,
        le=LARGEST_KOPECKS,
        description="What a further payment takes, before cash rounding; absent: the final settlement, which takes all "
        "that is owed and with which the goods change hands.",
        examples=[5000],
    )
    payments: list[PaymentBody] = Field(
        max_length=MOST_PAYMENTS,
        description="How it is paid: any number of cards and other forms, cash at most once; empty where nothing is "
        "owed any more.",
        examples=[[{"form": "card", "amount_kopecks": 5000}]],
    )
    comment: str | None = optional_text(
        "A line of text on the receipt.", longest=LONGEST_SOURCE_TEXT, example="Замовлення № 77"
    )

    def to_domain(self) -> LaterPaymentRequest:
        """Return the payment as the ledger takes it."""
        return LaterPaymentRequest(
            payments=tuple(payment.to_domain() for payment in self.payments),
            amount=None if self.amount_kopecks is None else Money(self.amount_kopecks),
            comment=self.comment,
        )


class OwedLineAnswer(AnswerModel):
    """What is still owed for one line."""

    line: int = Field(description="The line, from 1 on.", examples=[1])
    name: str = Field(description="What is sold.", examples=["Книга"])
    full_kopecks: int = Field(description="Its price after discounts.", examples=[12000])
    owed_kopecks: int = Field(description="What is still to pay for it.", examples=[9000])


class OwedAnswer(AnswerModel):
    """What is still owed on a prepayment; payments on their way count as paid, before cash rounding."""

    receipt_id: Id = Field(description="The prepayment.", examples=[_RECEIPT])
    register_id: Id = Field(description="Its register.", examples=[_REGISTER])
    full_kopecks: int = Field(
        description="The price of the goods after discounts.", examples=[12000]
    )
    owed_kopecks: int = Field(
        description="What is still to pay; 0 also where the prepayment came back.", examples=[9000]
    )
    settled: bool = Field(
        description="Whether the final settlement was made and stands.", examples=[False]
    )
    lines: list[OwedLineAnswer] = Field(
        description="Every line, also those for which nothing is owed."
    )

    @classmethod
    def of(cls, sold: SoldReceipt, receipt: Receipt) -> OwedAnswer:
        """Return the answer about a prepayment."""
        owed = sold.owed()
        return cls(
            receipt_id=sold.receipt_id,
            register_id=sold.register_id,
            full_kopecks=receipt.registered_total.kopecks,
            owed_kopecks=Money.total(owed).kopecks,
            settled=sold.settled,
            lines=[
                OwedLineAnswer(
                    line=number,
                    name=line.name,
                    full_kopecks=line.discounted.kopecks,
                    owed_kopecks=rest.kopecks,
                )
                for number, (line, rest) in enumerate(
                    zip(receipt.lines, owed, strict=True), start=1
                )
            ],
        )
