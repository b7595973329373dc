"""What a till sends: lines, payments, and what the ledger makes of them."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from api.schemas.common import (
    LARGEST_KOPECKS,
    LARGEST_THOUSANDTHS,
    RequestModel,
    optional_text,
    text,
)
from api.schemas.payments import MOST_PAYMENTS, PaymentBody
from domain.discounts import WHOLE, DiscountRequest
from domain.documents.text import Limit
from domain.money import Money, Quantity, Rate
from domain.sale import MOST_LINES, MOST_STAMPS, LineRequest, SaleRequest

LONGEST_SOURCE_TEXT = 2 * Limit.LONGEST
"""Some characters fall away when text is made fit for documents, so a source may be longer than its result."""

ExciseStamp = Annotated[str, Field(min_length=1, max_length=2 * Limit.EXCISE_STAMP)]
_NAME_OF_DISCOUNT = (
    "What the discount is called; kept with the receipt, documents have no place for it."
)
_SURCHARGE = (
    "true: a surcharge, which adds to the price. The document has it as a negative discount."
)


class PercentDiscountBody(RequestModel):
    """A percentage, half kopecks up."""

    by: Literal["percent"] = Field(description="How it is given.", examples=["percent"])
    percent_basis_points: int = Field(
        ge=1,
        le=WHOLE.basis_points,
        description="The percentage: 12.5 % is 1250.",
        examples=[1250],
    )
    surcharge: bool = Field(default=False, description=_SURCHARGE, examples=[False])
    name: str | None = optional_text(
        _NAME_OF_DISCOUNT, longest=256, example="Картка постійного покупця"
    )

    def to_domain(self) -> DiscountRequest:
        """Return the discount as the ledger takes it."""
        return DiscountRequest(
            percent=Rate(self.percent_basis_points), surcharge=self.surcharge, name=self.name
        )


class AmountDiscountBody(RequestModel):
    """A sum of money off the whole line or the whole receipt."""

    by: Literal["amount"] = Field(description="How it is given.", examples=["amount"])
    amount_kopecks: int = Field(
        gt=0, le=LARGEST_KOPECKS, description="The sum, in kopecks.", examples=[1000]
    )
    surcharge: bool = Field(default=False, description=_SURCHARGE, examples=[False])
    name: str | None = optional_text(_NAME_OF_DISCOUNT, longest=256, example="Ціна тижня")

    def to_domain(self) -> DiscountRequest:
        """Return the discount as the ledger takes it."""
        return DiscountRequest(
            amount=Money(self.amount_kopecks), surcharge=self.surcharge, name=self.name
        )


DiscountBody = Annotated[PercentDiscountBody | AmountDiscountBody, Field(discriminator="by")]


class LineBody(RequestModel):
    """One line of a sale; its cost is price × quantity, half kopecks up, before any discount."""

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
    dkpp: str | None = optional_text(
        "Service code ДКПП; a line has either this or УКТЗЕД.", longest=16, example="25.61.22-30.00"
    )
    excise_stamps: list[ExciseStamp] = Field(
        default=[],
        max_length=MOST_STAMPS,
        description="Series and number of each excise stamp; a receipt has each of them once.",
        examples=[["ABCD123456", "ABCD123457"]],
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
        description="What your till computed for the line before discounts; refused when it differs.",
        examples=[2748],
    )
    discount: DiscountBody | None = Field(
        default=None,
        description="The line's own discount or surcharge.",
        examples=[{"by": "percent", "percent_basis_points": 1250}],
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
            dkpp=self.dkpp,
            excise_stamps=tuple(self.excise_stamps),
            discount=None if self.discount is None else self.discount.to_domain(),
        )


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
        description="How it is paid: any number of cards and other forms, cash at most once.",
        examples=[[{"form": "cash", "provided_kopecks": 5000}]],
    )
    total_kopecks: int | None = Field(
        default=None,
        ge=0,
        le=LARGEST_KOPECKS,
        description="What your till shows the buyer: after discounts, before cash rounding; refused when it "
        "differs.",
        examples=[2748],
    )
    discount: DiscountBody | None = Field(
        default=None,
        description="A discount or surcharge on the whole receipt, after those of the lines. It is shared over the "
        "lines by their cost, to the kopeck.",
        examples=[{"by": "amount", "amount_kopecks": 1000, "name": "Купон"}],
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
            discount=None if self.discount is None else self.discount.to_domain(),
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
