"""Totals of shifts, as X-reports and Z-reports show them."""

from __future__ import annotations

from pydantic import Field

from api.schemas.common import AnswerModel
from domain.documents.receipt import TaxRow
from domain.documents.shift import OrderTotals, ShiftTotals, WithdrawalTotals


class TaxAnswer(AnswerModel):
    """One tax: `base_kopecks` includes the tax it gives."""

    letter: str = Field(description="The letter.", examples=["А"])
    name: str = Field(description="The tax's name.", examples=["ПДВ"])
    rate_basis_points: int = Field(description="The rate: 20 % is 2000.", examples=[2000])
    turnover_kopecks: int = Field(
        description="Turnover under the letter, before discounts.", examples=[2748]
    )
    discounted_turnover_kopecks: int = Field(
        description="The same after discounts.", examples=[2748]
    )
    base_kopecks: int = Field(description="What the tax is taken from.", examples=[2748])
    tax_kopecks: int = Field(description="The tax.", examples=[458])

    @classmethod
    def of(cls, row: TaxRow) -> TaxAnswer:
        """Return the answer about a tax."""
        return cls(
            letter=row.letter,
            name=row.name,
            rate_basis_points=row.rate.basis_points,
            turnover_kopecks=row.turnover.kopecks,
            discounted_turnover_kopecks=row.discounted_turnover.kopecks,
            base_kopecks=row.base.kopecks,
            tax_kopecks=row.tax.kopecks,
        )


class FormTotalAnswer(AnswerModel):
    """Money of one payment form."""

    form_code: int = Field(description="The form's code.", examples=[0])
    form_name: str = Field(description="The form's name.", examples=["ГОТІВКА"])
    amount_kopecks: int = Field(description="The sum.", examples=[2750])


class OrderTotalsAnswer(AnswerModel):
    """Sums over the receipts of one direction."""

    count: int = Field(description="How many receipts.", examples=[1])
    total_kopecks: int = Field(description="What was paid.", examples=[2750])
    unrounded_kopecks: int = Field(description="Before cash rounding.", examples=[2748])
    rounding_kopecks: int = Field(description="unrounded − total.", examples=[-2])
    payments: list[FormTotalAnswer] = Field(
        description="By payment form.",
        examples=[[{"form_code": 0, "form_name": "ГОТІВКА", "amount_kopecks": 2750}]],
    )
    taxes: list[TaxAnswer] = Field(description="By letter.", examples=[[]])

    @classmethod
    def of(cls, totals: OrderTotals) -> OrderTotalsAnswer:
        """Return the answer about sums of one direction."""
        return cls(
            count=totals.count,
            total_kopecks=totals.total.kopecks,
            unrounded_kopecks=totals.unrounded.kopecks,
            rounding_kopecks=totals.rounding.kopecks,
            payments=[
                FormTotalAnswer(
                    form_code=row.form_code,
                    form_name=row.form_name,
                    amount_kopecks=row.amount.kopecks,
                )
                for row in totals.payments
            ],
            taxes=[TaxAnswer.of(row) for row in totals.taxes],
        )


class WithdrawalTotalsAnswer(AnswerModel):
    """Cash given out to cards; the commission stands beside the total."""

    count: int = Field(description="How many.", examples=[1])
    total_kopecks: int = Field(description="What was given out.", examples=[50000])
    commission_kopecks: int = Field(description="What it cost the card holders.", examples=[0])

    @classmethod
    def of(cls, totals: WithdrawalTotals) -> WithdrawalTotalsAnswer:
        """Return the answer about cash given out."""
        return cls(
            count=totals.count,
            total_kopecks=totals.total.kopecks,
            commission_kopecks=totals.commission.kopecks,
        )


class ShiftTotalsAnswer(AnswerModel):
    """Everything a report says about a shift."""

    sales: OrderTotalsAnswer = Field(description="Sales.")
    returns: OrderTotalsAnswer = Field(description="Returns.")
    service_deposits_kopecks: int = Field(description="Cash put in.", examples=[0])
    service_issues_kopecks: int = Field(description="Cash taken out.", examples=[0])
    cash_withdrawals: WithdrawalTotalsAnswer = Field(description="Cash given out to cards.")

    @classmethod
    def of(cls, totals: ShiftTotals) -> ShiftTotalsAnswer:
        """Return the answer about a shift's totals."""
        return cls(
            sales=OrderTotalsAnswer.of(totals.sales),
            returns=OrderTotalsAnswer.of(totals.returns),
            service_deposits_kopecks=totals.service_deposits.kopecks,
            service_issues_kopecks=totals.service_issues.kopecks,
            cash_withdrawals=WithdrawalTotalsAnswer.of(totals.withdrawals or WithdrawalTotals()),
        )
