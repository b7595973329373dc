"""Rows of turnover."""

from __future__ import annotations

from datetime import date
from typing import Any, Self
from uuid import UUID

from pydantic import Field

from api.schemas.common import AnswerModel
from domain.documents.receipt import ReceiptKind
from projections.turnover_view import CashierTurnover, Place, ProductTurnover, TaxTurnover

_ID = "7e5a0000-0b1c-4d2e-8f30-a1b2c3d401f7"


class TurnoverRow(AnswerModel):
    """What one row is about: what the sums are not split by is null."""

    day: date | None = Field(description="The day of Kyiv.", examples=["2026-11-05"])
    shift_id: UUID | None = Field(
        description="The shift; null also where a receipt was taken over without its shift.",
        examples=[_ID],
    )
    register_id: UUID | None = Field(description="The register.", examples=[_ID])
    business_unit_id: UUID | None = Field(description="The business unit.", examples=[_ID])
    company_id: UUID | None = Field(description="The company.", examples=[_ID])
    kind: ReceiptKind = Field(
        description="`sale` for what was sold, `return` for what was given back.",
        examples=["sale"],
    )


def _place(place: Place) -> dict[str, Any]:
    return {
        "day": place.day,
        "shift_id": place.shift_id,
        "register_id": place.register_id,
        "business_unit_id": place.business_unit_id,
        "company_id": place.company_id,
        "kind": place.kind,
    }


class TaxTurnoverAnswer(TurnoverRow):
    """Sums of one tax letter."""

    tax_kind: int = Field(description="0 VAT, 1 excise.", examples=[0])
    name: str = Field(description="The tax.", examples=["ПДВ"])
    letter: str = Field(description="The letter.", examples=["А"])
    rate_basis_points: int = Field(description="The rate: 20 % is 2000.", examples=[2000])
    receipts: int = Field(description="Receipts with the letter.", examples=[12])
    turnover_kopecks: int = Field(description="Turnover before discounts.", examples=[57480])
    discounted_turnover_kopecks: int = Field(
        description="The same after discounts.", examples=[54000]
    )
    base_kopecks: int = Field(
        description="What the tax was taken from, the tax included.", examples=[54000]
    )
    tax_kopecks: int = Field(description="The tax.", examples=[9000])

    @classmethod
    def of(cls, row: TaxTurnover) -> Self:
        """Return the answer about a letter."""
        return cls(
            **_place(row.place),
            tax_kind=row.tax_kind,
            name=row.name,
            letter=row.letter,
            rate_basis_points=row.rate.basis_points,
            receipts=row.receipts,
            turnover_kopecks=row.turnover.kopecks,
            discounted_turnover_kopecks=row.discounted_turnover.kopecks,
            base_kopecks=row.base.kopecks,
            tax_kopecks=row.tax.kopecks,
        )


class ProductTurnoverAnswer(TurnoverRow):
    """Sums of one product."""

    code: str | None = Field(description="Its code.", examples=["00042"])
    name: str = Field(description="Its name.", examples=["Хліб житній"])
    unit_name: str | None = Field(description="What it is counted in.", examples=["шт"])
    lines: int = Field(description="Lines of receipts.", examples=[12])
    quantity_thousandths: int = Field(description="The quantity.", examples=[15000])
    cost_kopecks: int = Field(description="Before discounts.", examples=[41220])
    taken_off_kopecks: int = Field(
        description="Discounts less surcharges, the lines' own and those of whole receipts.",
        examples=[1220],
    )
    total_kopecks: int = Field(
        description="cost − taken off. Of goods paid in parts: what was paid; their quantity, cost and discounts count "
        "with the final settlement.",
        examples=[40000],
    )

    @classmethod
    def of(cls, row: ProductTurnover) -> Self:
        """Return the answer about a product."""
        return cls(
            **_place(row.place),
            code=row.code,
            name=row.name,
            unit_name=row.unit_name,
            lines=row.lines,
            quantity_thousandths=row.quantity.thousandths,
            cost_kopecks=row.cost.kopecks,
            taken_off_kopecks=row.taken_off.kopecks,
            total_kopecks=row.total.kopecks,
        )


class CashierTurnoverAnswer(TurnoverRow):
    """Sums of one cashier's receipts."""

    cashier_name: str | None = Field(
        description="The name on the receipts.", examples=["Приклад О. П."]
    )
    receipts: int = Field(description="How many.", examples=[12])
    total_kopecks: int = Field(description="What was paid.", examples=[40000])
    unrounded_kopecks: int = Field(description="Before cash rounding.", examples=[39998])
    rounding_kopecks: int = Field(description="unrounded − total.", examples=[-2])
    taken_off_kopecks: int = Field(description="Discounts less surcharges.", examples=[1220])

    @classmethod
    def of(cls, row: CashierTurnover) -> Self:
        """Return the answer about a cashier."""
        return cls(
            **_place(row.place),
            cashier_name=row.cashier_name,
            receipts=row.receipts,
            total_kopecks=row.total.kopecks,
            unrounded_kopecks=row.unrounded.kopecks,
            rounding_kopecks=row.rounding.kopecks,
            taken_off_kopecks=row.taken_off.kopecks,
        )
