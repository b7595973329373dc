"""What a till sends: lines, payments, and what the ledger makes of them."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, field_validator

from api.schemas.common import (
    LARGEST_KOPECKS,
    LARGEST_THOUSANDTHS,
    RequestModel,
    optional_text,
    text,
)
from domain.documents.receipt import CardSlip
from domain.documents.text import Limit
from domain.money import Money, Quantity
from domain.sale import MOST_LINES, CardPayment, CashPayment, LineRequest, SaleRequest

MOST_PAYMENTS = 20
_WHOLE_CARD_NUMBER = re.compile(r"(\d[ -]?){11}")
LONGEST_SOURCE_TEXT = 2 * Limit.LONGEST
"""Some characters fall away when text is made fit for documents, so a source may be longer than its result."""


class LineBody(RequestModel):
    """One line of a sale; its cost is price × quantity, half kopecks up."""

    name: str = text(
        "What is sold, as the receipt prints it.",
        longest=LONGEST_SOURCE_TEXT,
        example="Хліб житній",
    )
    quantity_thousandths: int = Field(
        gt=0,
        le=LARGEST_THOUSANDTHS,
        description="Quantity in thousandths of the unit: 1.5 kg is 1500.",
        examples=[1000],
    )
    price_kopecks: int = Field(
        ge=0,
        le=LARGEST_KOPECKS,
        description="Price of one unit in kopecks, taxes included.",
        examples=[2748],
    )
    letters: str = Field(
        default="",
        max_length=Limit.LETTERS,
        description="Tax letters of the company (Cyrillic), such as А for VAT 20 %; empty: no tax.",
        examples=["А"],
    )
    code: str | None = optional_text("Your code of the goods.", longest=128, example="1002")
    barcode: str | None = optional_text("Barcode.", longest=128, example="4820000000031")
    uktzed: str | None = optional_text(
        "Goods code УКТЗЕД: 4, 6, 8 or 10 digits.", longest=16, example="2204219700"
    )
    unit_code: int | None = Field(
        default=None,
        ge=0,
        le=99_999,
        description="Code of the unit of measure in the state's classifier.",
        examples=[2009],
    )
    unit_name: str | None = optional_text("Unit of measure.", longest=128, example="шт")
    fiscal_name: str | None = optional_text(
        "Short name for fiscal documents, in place of `name`.",
        longest=LONGEST_SOURCE_TEXT,
        example="Хліб",
    )
    cost_kopecks: int | None = Field(
        default=None,
        ge=0,
        le=LARGEST_KOPECKS,
        description="What your till computed for the line; refused when it differs.",
        examples=[2748],
    )

    def to_domain(self) -> LineRequest:
        """Return the line as the ledger takes it."""
        return LineRequest(
            name=self.name,
            quantity=Quantity(self.quantity_thousandths),
            price=Money(self.price_kopecks),
            letters=self.letters,
            code=self.code,
            barcode=self.barcode,
            uktzed=self.uktzed,
            unit_code=self.unit_code,
            unit_name=self.unit_name,
            fiscal_name=self.fiscal_name,
            cost=None if self.cost_kopecks is None else Money(self.cost_kopecks),
        )


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

    @field_validator("masked_card")
    @classmethod
    def _is_masked(cls, card: str | None) -> str | None:
        """Refuse a whole card number: what is never stored cannot be stolen."""
        if card is not None and _WHOLE_CARD_NUMBER.search(card):
            raise ValueError("a card number with its middle hidden")
        return card

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
    """Cash: takes what cards leave, rounded as the law asks."""

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


PaymentBody = Annotated[CashBody | CardBody, Field(discriminator="form")]

_LINE = {
    "name": "Хліб житній",
    "quantity_thousandths": 1000,
    "price_kopecks": 2748,
    "letters": "А",
    "unit_name": "шт",
}


class CorrectionBody(RequestModel):
    """The content of a receipt."""

    lines: list[LineBody] = Field(
        min_length=1, max_length=MOST_LINES, description="What is sold.", examples=[[_LINE]]
    )
    payments: list[PaymentBody] = Field(
        min_length=1,
        max_length=MOST_PAYMENTS,
        description="How it is paid: any number of cards, cash at most once.",
        examples=[[{"form": "cash", "provided_kopecks": 5000}]],
    )
    total_kopecks: int | None = Field(
        default=None,
        ge=0,
        le=LARGEST_KOPECKS,
        description="What your till shows the buyer, before cash rounding; refused when it differs.",
        examples=[2748],
    )
    comment: str | None = optional_text(
        "A line of text on the receipt.", longest=LONGEST_SOURCE_TEXT, example="Замовлення № 77"
    )

    def to_domain(self) -> SaleRequest:
        """Return the sale as the ledger takes it."""
        return SaleRequest(
            lines=tuple(line.to_domain() for line in self.lines),
            payments=tuple(payment.to_domain() for payment in self.payments),
            total=None if self.total_kopecks is None else Money(self.total_kopecks),
            comment=self.comment,
        )


class SaleBody(CorrectionBody):
    """A sale."""

    cashier_id: UUID | None = Field(
        default=None,
        description="Who sells; needed only when the sale opens the shift.",
        examples=["7e5a0000-0b1c-4d2e-8f30-a1b2c3d40001"],
    )


class VoidBody(RequestModel):
    """Why a refused receipt is given up."""

    reason: str = text(
        "The reason, kept with the receipt.", longest=256, example="Покупець відмовився"
    )
