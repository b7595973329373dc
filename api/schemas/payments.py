"""How a till says that a receipt is paid: cash, cards, any other form by its code and name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from api.schemas.common import LARGEST_KOPECKS, RequestModel, optional_text, text
from domain.documents.receipt import CardSlip
from domain.money import Money
from domain.payments import LARGEST_FORM_CODE, CardPayment, CashPayment, OtherPayment

MOST_PAYMENTS = 20


class SlipBody(RequestModel):
    """What the bank terminal printed; all of it appears on the receipt."""

    payment_system: str | None = optional_text("Payment system.", longest=256, example="ПРОСТІР")
    acquirer_id: str | None = optional_text("Acquirer's id.", longest=256, example="700123456")
    acquirer_name: str | None = optional_text("Acquirer.", longest=256, example='АТ "Банк-Приклад"')
    transaction_id: str | None = optional_text(
        "Retrieval reference number (RRN).", longest=256, example="630812345678"
    )
    paid_at: AwareDatetime | None = Field(
        default=None,
        description="Time on the slip, RFC 3339.",
        examples=["2026-11-05T10:15:02+02:00"],
    )
    slip_number: str | None = optional_text("Number of the slip.", longest=256, example="000482")
    terminal_id: str | None = optional_text("Terminal.", longest=256, example="S1EX0007")
    masked_card: str | None = optional_text(
        "Card number with its middle hidden; a full one is refused.",
        longest=256,
        example="9804********1234",
    )
    authorisation_code: str | None = optional_text(
        "Authorisation code.", longest=128, example="204518"
    )
    commission_kopecks: int | None = Field(
        default=None,
        ge=0,
        le=LARGEST_KOPECKS,
        description="Commission in kopecks.",
        examples=[0],
    )

    def to_domain(self) -> CardSlip:
        """Return the slip as the ledger takes it."""
        commission = self.commission_kopecks
        return CardSlip(
            payment_system=self.payment_system,
            acquirer_id=self.acquirer_id,
            acquirer_name=self.acquirer_name,
            transaction_id=self.transaction_id,
            paid_at=self.paid_at,
            slip_number=self.slip_number,
            terminal_id=self.terminal_id,
            masked_card=self.masked_card,
            authorisation_code=self.authorisation_code,
            commission=None if commission is None else Money(commission),
        )


class CashBody(RequestModel):
    """Cash: takes what the other forms leave, rounded as the law asks."""

    form: Literal["cash"] = Field(description="The payment form.", examples=["cash"])
    provided_kopecks: int | None = Field(
        default=None,
        ge=0,
        le=LARGEST_KOPECKS,
        description="What the buyer handed over; absent: exactly what is due. The rest is change.",
        examples=[50000],
    )

    def to_domain(self) -> CashPayment:
        """Return the payment as the ledger takes it."""
        provided = self.provided_kopecks
        return CashPayment(provided=None if provided is None else Money(provided))


class CardBody(RequestModel):
    """A card: the amount that was charged."""

    form: Literal["card"] = Field(description="The payment form.", examples=["card"])
    amount_kopecks: int = Field(
        gt=0, le=LARGEST_KOPECKS, description="What was charged, in kopecks.", examples=[30000]
    )
    slip: SlipBody | None = Field(
        default=None,
        description="The terminal's slip, where a terminal is connected.",
        examples=[{"masked_card": "9804********1234", "authorisation_code": "204518"}],
    )

    def to_domain(self) -> CardPayment:
        """Return the payment as the ledger takes it."""
        return CardPayment(
            amount=Money(self.amount_kopecks),
            slip=None if self.slip is None else self.slip.to_domain(),
        )


class OtherBody(RequestModel):
    """Any other form, told by its code and its name together: totals are kept for each pair.

    No source lists all codes. Seen in the tax service's own samples: 2 prepayment or gift certificate, 3 credit, 301 card,
    305 certificate, 306 transfer from an account, 100000 direct debit.
    """

    form: Literal["other"] = Field(description="The payment form.", examples=["other"])
    code: int = Field(
        ge=1, le=LARGEST_FORM_CODE, description="The form's code; 0 is cash.", examples=[305]
    )
    name: str = text(
        "The form's name, as the receipt prints it.", longest=256, example="СЕРТИФІКАТ"
    )
    amount_kopecks: int = Field(
        gt=0, le=LARGEST_KOPECKS, description="What it covers, in kopecks.", examples=[20000]
    )
    slip: SlipBody | None = Field(
        default=None,
        description="The terminal's slip, where a terminal is connected.",
        examples=[{"masked_card": "9804********1234", "authorisation_code": "204518"}],
    )

    def to_domain(self) -> OtherPayment:
        """Return the payment as the ledger takes it."""
        return OtherPayment(
            code=self.code,
            name=self.name,
            amount=Money(self.amount_kopecks),
            slip=None if self.slip is None else self.slip.to_domain(),
        )


PaymentBody = Annotated[CashBody | CardBody | OtherBody, Field(discriminator="form")]
