"""The server's totals of a shift as the domain counts them, so that the two can be compared (§6.10).

What differs in form only is evened out:

1. NoRndSum was seen as 0.0 when nothing was rounded, and may count rounded receipts only; the sum before
   rounding is Sum + RndSum in every reading.
2. TurnoverDiscount was seen as 0.0 when receipts had not sent it; it is then the turnover. The same holds of
   SourceSum. A turnover wholly discounted away has a base and a tax of zero at a rate above zero: there 0.0 is
   the true figure. At a rate of zero it is where another row has a TurnoverDiscount: the receipts sent it then. Where
   none has, it may be either: then there are two readings, and what we count ourselves decides between them.
3. Rows come in any order; here payment forms stand by code and name, taxes by letter.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from domain.answers import ServerShiftTotals
from domain.documents.receipt import TaxRow
from domain.documents.shift import (
    OrderTotals,
    PaymentFormTotal,
    ShiftTotals,
    WithdrawalTotals,
)
from domain.money import ZERO
from infra.fiscal_server.moments import Amount, Percent
from infra.fiscal_server.replies import Flag, Reply, or_empty


class PaymentFormPart(Reply):
    """Money of one payment form."""

    pay_form_code: int
    pay_form_name: str
    sum: Amount


class TaxPart(Reply):
    """Turnover and tax of one letter."""

    type: int
    name: str
    letter: str | None = None
    prc: Percent
    turnover: Amount
    turnover_discount: Amount = ZERO
    source_sum: Amount = ZERO
    sum: Amount

    def to_domain(self, *, discounts_sent: bool) -> TaxRow:
        """Return the row by rule 2; `discounts_sent`: zeros of a TurnoverDiscount at a rate of zero are true."""
        left_out_at_zero = not self.prc.basis_points and not discounts_sent
        taxed = bool(self.source_sum or self.sum or left_out_at_zero)
        discounted = self.turnover_discount
        if taxed and not discounted:
            discounted = self.turnover
        base = self.source_sum
        if taxed and not base:
            base = discounted
        return TaxRow(
            kind=self.type,
            name=self.name,
            letter=self.letter or "",
            rate=self.prc,
            turnover=self.turnover,
            discounted_turnover=discounted,
            base=base,
            tax=self.sum,
        )


class OrdersPart(Reply):
    """Totals of one direction."""

    sum: Amount
    rnd_sum: Amount = ZERO
    orders_count: int
    pay_form: Annotated[tuple[PaymentFormPart, ...], BeforeValidator(or_empty)] = ()
    tax: Annotated[tuple[TaxPart, ...], BeforeValidator(or_empty)] = ()

    def to_domain(self, *, as_sent: bool, turned: bool = False) -> OrderTotals:
        """Return the totals by rules 1 and 3; `turned`: RndSum has the opposite sign."""
        rounding = -self.rnd_sum if turned else self.rnd_sum
        payments = (
            PaymentFormTotal(
                form_code=part.pay_form_code, form_name=part.pay_form_name, amount=part.sum
            )
            for part in self.pay_form
        )
        discounts_sent = as_sent or any(part.turnover_discount for part in self.tax)
        taxes = (part.to_domain(discounts_sent=discounts_sent) for part in self.tax)
        return OrderTotals(
            count=self.orders_count,
            total=self.sum,
            unrounded=self.sum + rounding,
            rounding=rounding,
            payments=tuple(sorted(payments, key=lambda row: (row.form_code, row.form_name))),
            taxes=tuple(sorted(taxes, key=lambda row: (row.letter, row.kind, row.name, row.rate))),
        )


class WithdrawalsPart(Reply):
    """Totals of cash withdrawals at the till."""

    sum: Amount
    commission: Amount = ZERO
    orders_count: int

    def to_domain(self) -> WithdrawalTotals | None:
        """Return the totals; an object of zeros says that there were none, as null does."""
        found = WithdrawalTotals(
            count=self.orders_count, total=self.sum, commission=self.commission
        )
        return None if found == WithdrawalTotals() else found


class TotalsPart(Reply):
    """Totals of a shift; currency is not represented."""

    real: OrdersPart | None = None
    ret: OrdersPart | None = None
    cash: WithdrawalsPart | None = None
    service_input: Amount = ZERO
    service_output: Amount = ZERO

    def to_domain(self, *, as_sent: bool = False, returns_turned: bool = False) -> ShiftTotals:
        """Return the totals; null stands for none. `as_sent`: every 0.0 of rule 2 at a rate of zero is the figure.

        `returns_turned`: the rounding of returns has the opposite sign (reference §12, question 28).
        """
        returns = self.ret
        return ShiftTotals(
            sales=OrderTotals() if self.real is None else self.real.to_domain(as_sent=as_sent),
            returns=OrderTotals()
            if returns is None
            else returns.to_domain(as_sent=as_sent, turned=returns_turned),
            service_deposits=self.service_input,
            service_issues=self.service_output,
            withdrawals=None if self.cash is None else self.cash.to_domain(),
        )


class ShiftTotalsReply(Reply):
    """Answer of `LastShiftTotals`."""

    shift_state: int
    z_rep_present: Flag = False
    testing: Flag = False
    totals: TotalsPart | None = None

    def to_domain(self, *, returns_turned: bool = False) -> ServerShiftTotals:
        """Return what the server has of the last shift, in both readings where rule 2 leaves two."""
        totals = as_sent = None
        if self.totals is not None:
            totals = self.totals.to_domain(returns_turned=returns_turned)
            as_sent = self.totals.to_domain(as_sent=True, returns_turned=returns_turned)
        return ServerShiftTotals(
            shift_open=self.shift_state == 1,
            z_report_present=self.z_rep_present,
            testing=self.testing,
            totals=totals,
            or_else=None if as_sent == totals else as_sent,
        )
