"""Hypothesis strategies for what tills ask: baskets with discounts and surcharges, stamps, letters, any payment forms."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import strategies as st

from domain.errors import DiscountExceedsCost, InvalidField
from domain.money import Money, Quantity, Rate
from domain.payments import PaymentRequest
from domain.sale import (
    CardPayment,
    CashPayment,
    DiscountRequest,
    LineRequest,
    OtherPayment,
    SaleRequest,
    priced_lines,
)
from domain.taxes.rates import STANDARD_GROUPS, VAT, TaxGroup

GROUPS = (*STANDARD_GROUPS, TaxGroup("Ж", VAT, "Без ПДВ", Rate(0)))
FORMS = ((2, "ПЕРЕДПЛАТА"), (2, "ПОДАРУНКОВИЙ СЕРТИФІКАТ"), (3, "КРЕДИТ"), (306, "ПЕРЕКАЗ"))
STEPS = (1, 10, 50)


@st.composite
def discounts(draw: st.DrawFn, most: int) -> DiscountRequest | None:
    """None, a percentage or a value, up or down; of `most` kopecks at most where it goes down."""
    surcharge = draw(st.booleans())
    name = draw(st.sampled_from([None, "Акція"]))
    kind = draw(st.sampled_from(["none", "none", "percent", "value"]))
    if kind == "percent":
        rate = Rate(draw(st.integers(1, 10_000)))
        return DiscountRequest(percent=rate, surcharge=surcharge, name=name)
    if kind == "value" and (most > 0 or surcharge):
        amount = draw(st.integers(1, 100_000 if surcharge else most))
        return DiscountRequest(amount=Money(amount), surcharge=surcharge, name=name)
    return None


@st.composite
def line_requests(draw: st.DrawFn) -> LineRequest:
    price, quantity = Money(draw(st.integers(0, 300_000))), Quantity(draw(st.integers(1, 9_999)))
    return LineRequest(
        name="Товар",
        quantity=quantity,
        price=price,
        letters=draw(st.sampled_from(["", "А", "Б", "В", "Д", "Ж", "Г", "АГ", "ГА", "БГ"])),
        dkpp=draw(st.sampled_from([None, "25.61.22-30.00"])),
        discount=draw(discounts(price.times(quantity).kopecks)),
    )


@st.composite
def sales(draw: st.DrawFn) -> SaleRequest:
    """Baskets that are worth something after all discounts, paid in any mix of forms."""
    lines = tuple(draw(st.lists(line_requests(), min_size=1, max_size=8)))
    stamped = draw(st.integers(0, len(lines) - 1))
    stamps = tuple(f"ABCD{number:06}" for number in range(draw(st.integers(0, 3))))
    lines = tuple(
        replace(line, excise_stamps=stamps) if place == stamped else line
        for place, line in enumerate(lines)
    )
    due = _worth(lines, None)
    discount = draw(discounts(due - 1))
    left = _worth(lines, discount)
    if left <= 0:
        discount, left = None, due
    if left <= 0:
        lines = (*lines, LineRequest("Пакет", Quantity(1000), Money(100)))
        left = _worth(lines, discount)
    return SaleRequest(lines, draw(payments(left)), total=Money(left), discount=discount)


def _worth(lines: tuple[LineRequest, ...], discount: DiscountRequest | None) -> int:
    """What the lines come to; nothing where the discount leaves nothing."""
    try:
        priced, _ = priced_lines(lines, discount=discount)
    except (DiscountExceedsCost, InvalidField):
        return 0
    return Money.total(line.discounted for line in priced).kopecks


@st.composite
def payments(draw: st.DrawFn, due: int) -> tuple[PaymentRequest, ...]:
    """Cuts the sum at random; at most one part is cash, anywhere among the others."""
    cuts = draw(st.sets(st.integers(1, due - 1), max_size=3)) if due > 1 else set()
    parts = [after - before for before, after in pairwise((0, *sorted(cuts), due))]
    cash = draw(st.integers(-1, len(parts) - 1))
    requests: list[PaymentRequest] = []
    for place, part in enumerate(parts):
        form = draw(st.none() | st.sampled_from(FORMS))
        if place == cash:
            provided = draw(st.none() | st.just(Money(part + 10_000)))
            requests.append(CashPayment(provided=provided))
        elif form is None:
            requests.append(CardPayment(amount=Money(part)))
        else:
            requests.append(OtherPayment(code=form[0], name=form[1], amount=Money(part)))
    return tuple(requests)
