"""How we read what the tax service's description leaves open (reference §12).

Each is a setting of the deployment with its reason; the numbers are those of the open questions. They are asked when
something is decided or written, never on replay: what was decided under one reading stays as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.money import Ties


class PartPaymentSum(StrEnum):
    """Which sum of a part payment is meant: the full price of the goods, or what this receipt takes of it."""

    FULL = "full"
    PAID = "paid"


class Surcharges(StrEnum):
    """What is done with a surcharge: written as a discount with a minus, or not taken at all."""

    NEGATIVE_DISCOUNT = "negative-discount"
    REFUSED = "refused"


class ReturnRounding(StrEnum):
    """The sign of RNDSUM in returns: NORNDSUM − SUM as in a sale, or the opposite, as the money goes the other way."""

    AS_IN_SALES = "as-in-sales"
    OPPOSITE = "opposite"


@dataclass(frozen=True, slots=True)
class Readings:
    """One answer to each open question.

    - `part_payment_checked_sum` (12): the sum in the QR code and in the offline control number. The full price, because
      CHECKTOTAL/SUM is that and the control number is of "the sum of the check".
    - `surcharges` (14): the type of DISCOUNTSUM allows a minus and every remark says "discount/surcharge"; nothing else
      tells the two apart.
    - `storno_keeps_count` (15): whether the receipt a storno takes back stays in the count of receipts, without its sum. It
      leaves both, the natural reading of "registered with a zero amount".
    - `part_payment_counted_sum` (25): what a shift's totals and its Z-report count. What is paid, because the payment
      forms beside it add up to that.
    - `half_kopeck_of_tax` (26): up, as in the worked examples of taxes.
    - `settlement_row_of_nothing` (27): whether a final settlement with nothing left to pay has a payment row of 0.00. The
      schema asks for none.
    - `return_rounding` (28): as in sales, because the schema's remark gives one formula.
    """

    part_payment_checked_sum: PartPaymentSum = PartPaymentSum.FULL
    surcharges: Surcharges = Surcharges.NEGATIVE_DISCOUNT
    storno_keeps_count: bool = False
    part_payment_counted_sum: PartPaymentSum = PartPaymentSum.PAID
    half_kopeck_of_tax: Ties = Ties.UP
    settlement_row_of_nothing: bool = False
    return_rounding: ReturnRounding = ReturnRounding.AS_IN_SALES


DEFAULT_READINGS = Readings()
