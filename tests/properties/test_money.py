"""Laws of money: whatever a basket holds, lines, discounts, taxes, payments and totals add up, here and there.

"There" is the simulated tax service, which reads the documents with its own reader and its own arithmetic: every receipt
is accepted, taxes by formula and steps of rounding included, and the shift closes without a difference in a kopeck.
"""

from dataclasses import dataclass, replace

from hypothesis import example, given
from hypothesis import strategies as st

from domain.documents.receipt import Receipt
from domain.documents.shift import ShiftTotals
from domain.documents.xml import read_document, to_xml
from domain.money import ZERO, Money, Quantity, Rate
from domain.register.events import ZReportMade
from domain.sale import CashPayment, DiscountRequest, LineRequest, SaleRequest, price_sale
from domain.taxes.rates import EXCISE, VAT
from infra.simulator.figures import Kind
from infra.simulator.switches import Switches
from tests import examples
from tests.baskets import GROUPS, STEPS, sales
from tests.properties.test_documents import as_carried
from tests.support.world import World

BY_LETTER = {group.letter: group for group in GROUPS}


def priced(request: SaleRequest, *, step: int) -> Receipt:
    return price_sale(
        request,
        receipt_id=examples.SALE.receipt_id,
        tax_groups=GROUPS,
        cash_step=Money(step),
        issued_at=examples.SALE.issued_at,
        cashier_id=None,
        cashier_name="Приклад О. П.",
    )


@dataclass(frozen=True)
class Sets:
    """Taxes worked out again from the lines, by the words of docs/money.md: per set of letters, excise first."""

    receipt: Receipt

    def of(self, letter: str) -> tuple[Money, Money, Money, Money]:
        """Turnover, turnover after discounts, base and tax of a letter."""
        turnover, discounted, base, tax = ZERO, ZERO, ZERO, ZERO
        sets = {frozenset(line.letters) for line in self.receipt.lines if letter in line.letters}
        for letters in sets:
            lines = [line for line in self.receipt.lines if frozenset(line.letters) == letters]
            sold = Money.total(line.discounted for line in lines)
            from_what = sold
            if BY_LETTER[letter].kind == VAT:
                from_what = sold - Money.total(
                    BY_LETTER[each].rate.contained_in(sold)
                    for each in letters
                    if BY_LETTER[each].kind == EXCISE
                )
            turnover += Money.total(line.cost for line in lines)
            discounted += sold
            base += from_what
            tax += BY_LETTER[letter].rate.contained_in(from_what)
        return turnover, discounted, base, tax


@given(request=sales(), step=st.sampled_from(STEPS))
def test_any_basket_adds_up(request: SaleRequest, step: int) -> None:
    receipt = priced(request, step=step)

    for line in receipt.lines:
        assert line.discounted >= ZERO
        assert line.discounted + line.taken_off == line.cost == line.price.times(line.quantity)
    cost = Money.total(line.cost for line in receipt.lines)
    assert cost - receipt.taken_off == receipt.unrounded > ZERO
    shared = Money.total(line.receipt_discount or ZERO for line in receipt.lines)
    assert shared == (ZERO if receipt.discount is None else receipt.discount.amount)

    assert Money.total(payment.amount for payment in receipt.payments) == receipt.total
    assert receipt.unrounded - receipt.rounding == receipt.total
    assert 2 * abs(receipt.rounding.kopecks) <= step
    cash = [payment for payment in receipt.payments if payment.form_code == 0]
    assert bool(receipt.rounding) <= bool(cash)
    assert all(payment.amount.kopecks % step == 0 for payment in cash)
    for payment in receipt.payments:
        assert (payment.change is None) or payment in cash
        assert (payment.provided or payment.amount) - (payment.change or ZERO) == payment.amount

    letters = {letter for line in receipt.lines for letter in line.letters}
    assert [row.letter for row in receipt.taxes] == sorted(letters)
    for row in receipt.taxes:
        found = (row.turnover, row.discounted_turnover, row.base, row.tax)
        assert found == Sets(receipt).of(row.letter)
        assert ZERO <= row.tax <= row.base <= row.discounted_turnover


@given(request=sales(), step=st.sampled_from(STEPS))
def test_any_basket_survives_the_round_trip(request: SaleRequest, step: int) -> None:
    receipt = priced(request, step=step)
    # Documents have VAT before excise.
    in_order = tuple(sorted(receipt.taxes, key=lambda row: (row.kind, row.letter)))
    document = replace(examples.SALE_DOCUMENT, content=replace(receipt, taxes=in_order))

    found = read_document(to_xml(document))

    assert found.unread == ()
    assert found.document == as_carried(document)
    assert isinstance(found.document.content, Receipt)
    assert found.document.content.taken_off == receipt.taken_off


FREE_AT_ZERO_RATE = SaleRequest(
    lines=(
        LineRequest(
            "Подарунок", Quantity(1000), Money(500), "В",
            discount=DiscountRequest(percent=Rate(10_000)),
        ),
        LineRequest("Товар", Quantity(1000), Money(1000), "А"),
    ),
    payments=(CashPayment(),),
)  # fmt: skip


FREE_AT_ZERO_RATE_ALONE = replace(
    FREE_AT_ZERO_RATE,
    lines=(FREE_AT_ZERO_RATE.lines[0], replace(FREE_AT_ZERO_RATE.lines[1], letters="")),
)
"""Nothing in the service's totals tells that the receipt sent its turnover after discounts."""


@given(requests=st.lists(sales(), min_size=1, max_size=4), step=st.sampled_from(STEPS))
@example(requests=[FREE_AT_ZERO_RATE], step=50)
@example(requests=[FREE_AT_ZERO_RATE_ALONE], step=50)
def test_tax_service_takes_any_basket_and_counts_the_same(
    requests: list[SaleRequest], step: int
) -> None:
    world = World()
    world.simulator.switches = Switches(tax_check="formula", rounding_steps_kopecks=STEPS)
    shop = world.shop
    shop.ledger.set_tax_groups(shop.company_id, GROUPS)
    shop.ledger.change_register_settings(
        shop.register_id, replace(world.register().settings, cash_step=Money(step))
    )
    shop.ledger.open_shift(register_id=shop.register_id, cashier_id=shop.cashier_id)
    ours = ShiftTotals()
    for request in requests:
        issued = shop.ledger.sell(register_id=shop.register_id, request=request)
        assert issued.receipt is not None
        ours = ours.with_sale(issued.receipt)
        world.settle()
    shop.ledger.close_shift(register_id=shop.register_id)
    world.settle()

    assert world.simulator.refusals == []
    sold = [stored for stored in world.book() if stored.kind is Kind.SALE]
    assert len(sold) == len(requests)
    (made,) = world.facts(ZReportMade)
    assert made.differences == ()
    assert made.ours == ours
    assert made.z_report.totals.sales.payments == ours.sales.payments
    assert world.register().shift is None
