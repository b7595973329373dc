"""Laws of returns: however a sale is split, all parts together are the sale, and nothing is left."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.documents.receipt import Original, Receipt, ReceiptKind
from domain.money import ZERO, Money, Quantity
from domain.refund import ReturnRequest, agrees, price_return
from domain.returns import SoldReceipt
from domain.sale import CashPayment, LineRequest, SaleRequest, price_sale
from domain.sold_lines import WantedLine, sold_lines
from tests import baskets

AT = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
ORIGINAL = Original(fiscal_number="3600000103", kind=ReceiptKind.SALE)
CASH = ReturnRequest(payments=(CashPayment(),))

prices = st.integers(1, 50) | st.integers(1, 999_999)
quantities = st.integers(1, 9) | st.integers(1, 9).map(lambda n: n * 1000) | st.integers(1, 9_999)
sale_lines = st.builds(
    LineRequest,
    name=st.just("Товар"),
    price=prices.map(Money),
    quantity=quantities.map(Quantity),
    letters=st.sampled_from(["", "А", "Б", "АГ"]),
)


def priced(request: SaleRequest) -> Receipt:
    return price_sale(
        request,
        receipt_id=UUID(int=6),
        tax_groups=baskets.GROUPS,
        cash_step=Money(50),
        issued_at=AT,
        cashier_id=None,
        cashier_name=None,
    )


@st.composite
def plain_sales(draw: st.DrawFn) -> Receipt:
    """Priced sales of a few lines without discounts, worth something; small prices and fractions among them."""
    lines = tuple(draw(st.lists(sale_lines, min_size=1, max_size=3)))
    lines += (LineRequest("Пакет", Quantity(1000), Money(100), ""),)
    return priced(SaleRequest(lines=lines, payments=(CashPayment(),)))


def sales() -> st.SearchStrategy[Receipt]:
    """Priced sales, with and without discounts and surcharges of lines and of the whole."""
    return plain_sales() | baskets.sales().map(priced)


def sold_of(sale: Receipt) -> SoldReceipt:
    return SoldReceipt(
        id=UUID(int=5),
        register_id=UUID(int=1),
        receipt_id=sale.receipt_id,
        lines=sold_lines(sale),
        total=sale.total,
    )


def give_back(
    sale: Receipt, sold: SoldReceipt, number: int, wanted: tuple[WantedLine, ...] | None
) -> Receipt:
    return_id = UUID(int=100 + number)
    taken = sold.reserve(return_id=return_id, register_id=UUID(int=2), wanted=wanted, at=AT)
    return price_return(
        CASH,
        sale=sale,
        taken=taken,
        original=ORIGINAL,
        receipt_id=return_id,
        cash_step=Money(50),
        issued_at=AT,
        cashier_id=None,
        cashier_name=None,
    )


def some_of(data: st.DataObject, sold: SoldReceipt) -> tuple[WantedLine, ...]:
    """Parts of some of the lines that still have something."""
    left = [
        (number, line.quantity.thousandths)
        for number, line in enumerate(sold.left(), start=1)
        if line.quantity.thousandths
    ]
    chosen = data.draw(st.lists(st.sampled_from(left), min_size=1, unique=True))
    return tuple(
        WantedLine(number, Quantity(data.draw(st.integers(1, quantity))))
        for number, quantity in chosen
    )


def check_arithmetic(receipt: Receipt) -> None:
    """What the tax service may check of a return (reference §3.4, §3.5)."""
    assert receipt.unrounded == Money.total(line.discounted for line in receipt.lines)
    assert receipt.unrounded == Money.total(line.cost for line in receipt.lines) - receipt.taken_off
    assert receipt.rounding == receipt.unrounded - receipt.total
    assert receipt.total == Money.total(payment.amount for payment in receipt.payments)
    assert abs(receipt.rounding.kopecks) <= 25
    for line in receipt.lines:
        assert line.price >= ZERO
        assert agrees(line.cost, price=line.price, quantity=line.quantity)


@given(data=st.data(), sale=sales())
def test_any_split_adds_up_to_the_sale_and_leaves_nothing(
    data: st.DataObject, sale: Receipt
) -> None:
    sold = sold_of(sale)
    back: list[Receipt] = []
    for number in range(data.draw(st.integers(0, 8))):
        if not any(line.quantity.thousandths for line in sold.left()):
            break
        back.append(give_back(sale, sold, number, some_of(data, sold)))
    if any(line.quantity.thousandths for line in sold.left()):
        back.append(give_back(sale, sold, 99, None))

    for receipt in back:
        check_arithmetic(receipt)
    assert Money.total(receipt.unrounded for receipt in back) == sale.unrounded
    assert all((line.quantity, line.cost) == (Quantity(0), ZERO) for line in sold.left())
    for number, line in enumerate(sale.lines, start=1):
        parts = [part for taken in sold.taken.values() for part in taken.lines]
        mine = [part for part in parts if part.number == number]
        assert Money.total(part.cost for part in mine) == line.discounted
        assert sum(part.quantity.thousandths for part in mine) == line.quantity.thousandths


@given(data=st.data(), sale=sales())
def test_releases_between_lose_nothing_either(data: st.DataObject, sale: Receipt) -> None:
    sold = sold_of(sale)
    for number in range(data.draw(st.integers(1, 12))):
        standing = list(sold.taken)
        releases: bool = data.draw(st.booleans())
        if standing and releases:
            sold.release(data.draw(st.sampled_from(standing)), at=AT)
        elif any(line.quantity.thousandths for line in sold.left()):
            check_arithmetic(give_back(sale, sold, number, some_of(data, sold)))
        assert all(line.quantity >= Quantity(0) and line.cost >= ZERO for line in sold.left())
    if any(line.quantity.thousandths for line in sold.left()):
        check_arithmetic(give_back(sale, sold, 99, None))
    costs = [part.cost for taken in sold.taken.values() for part in taken.lines]
    assert Money.total(costs) == sale.unrounded


@given(sale=sales())
def test_a_whole_return_says_of_goods_money_and_taxes_what_the_sale_said(sale: Receipt) -> None:
    receipt = give_back(sale, sold_of(sale), 0, None)
    assert receipt.lines == sale.lines
    assert (receipt.taxes, receipt.unrounded) == (sale.taxes, sale.unrounded)
