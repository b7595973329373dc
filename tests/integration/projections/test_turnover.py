"""Turnover of a small chain's two days: by letter, product and cashier, split and paged, stornos and tests left out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from domain.documents.receipt import ReceiptKind
from domain.errors import InvalidField
from domain.money import Money, Quantity, Rate
from domain.sale import CashPayment, DiscountRequest, LineRequest, SaleRequest
from domain.sold_lines import WantedLine
from infra.postgres import application_dsn, connect, open_pool
from projections.receipts import ReceiptsProjection
from projections.turnover_view import ProductTurnover, SplitBy, TurnoverQuery, TurnoverView
from tests.support.history import History, pour

BREAD = LineRequest("Хліб житній", Quantity(2000), Money(2748), "А", code="1002", unit_name="шт")
SYRUP = LineRequest(
    "Сироп від кашлю",
    Quantity(1000),
    Money(8520),
    "Б",
    discount=DiscountRequest(amount=Money(520)),
)
CASH = (CashPayment(),)
FIRST, SECOND = date(2026, 11, 5), date(2026, 11, 6)
BOTH = TurnoverQuery(first_day=FIRST, last_day=SECOND)


@dataclass
class Chain:
    """Register 0 sells bread and syrup and takes half of the bread back, next day a sale that is taken back by a storno;
    register 1 sells bread on the second day in a fiscal shift; register 2 holds a test shift. One sale waits."""

    view: TurnoverView
    registers: list[UUID]
    shifts: dict[str, UUID]


@pytest.fixture(scope="module")
def chain(module_postgres_dsn: str) -> Iterator[Chain]:
    history = History(registers=3)
    first, second, third = history.registers
    shifts = {"first": history.open(first)}
    sold = history.sell(first, SaleRequest((BREAD, SYRUP), CASH))
    history.accept_all(first)
    assert history.give_back(first, sold, WantedLine(1, Quantity(1000))) is not None
    history.accept_all(first)
    history.clock.advance(timedelta(days=1))
    mistaken = history.sell(first, SaleRequest((SYRUP,), CASH))
    history.accept_all(first)
    assert history.storno(first, mistaken) is not None
    history.accept_all(first)
    shifts["second"] = history.open(second)
    history.sell(second, SaleRequest((BREAD,), CASH))
    history.accept_all(second)
    history.sell(second, SaleRequest((BREAD,), CASH))
    shifts["tests"] = history.open(third, testing=True)
    history.sell(third, SaleRequest((BREAD,), CASH))
    history.accept_all(third)
    with connect(module_postgres_dsn, name="pour") as owner:
        pour(history.events, owner)
    dsn = application_dsn(module_postgres_dsn)
    with connect(dsn, name="projector") as connection:
        ReceiptsProjection().catch_up(connection, page_events=7)
    with open_pool(dsn, name="views", size=2) as pool:
        yield Chain(TurnoverView(pool), history.registers, shifts)


class TestTaxes:
    def test_letters_of_a_period_show_what_was_sold_and_given_back(self, chain: Chain) -> None:
        rows = chain.view.taxes(BOTH).rows
        assert [
            (row.place.kind, row.letter, row.rate, row.receipts, row.turnover, row.base, row.tax)
            for row in rows
        ] == [
            (ReceiptKind.RETURN, "А", Rate(2000), 1, Money(2748), Money(2748), Money(458)),
            # 5496 × 20 ÷ 120 = 916; twice
            (ReceiptKind.SALE, "А", Rate(2000), 2, Money(10992), Money(10992), Money(1832)),
            # 8520 − 520 = 8000, × 7 ÷ 107 = 523.36…
            (ReceiptKind.SALE, "Б", Rate(700), 1, Money(8520), Money(8000), Money(523)),
        ]

    def test_days_are_those_of_the_documents(self, chain: Chain) -> None:
        rows = chain.view.taxes(replace(BOTH, by=SplitBy.DAY, kind=ReceiptKind.SALE)).rows
        assert [(row.place.day, row.letter, row.tax) for row in rows] == [
            (FIRST, "А", Money(916)),
            (FIRST, "Б", Money(523)),
            (SECOND, "А", Money(916)),
        ]

    def test_what_a_storno_took_back_is_in_no_sum(self, chain: Chain) -> None:
        query = TurnoverQuery(first_day=SECOND, last_day=SECOND, register_id=chain.registers[0])
        assert chain.view.taxes(query).rows == ()
        assert chain.view.products(query).rows == ()
        assert chain.view.cashiers(query).rows == ()

    def test_a_shift_needs_no_days(self, chain: Chain) -> None:
        rows = chain.view.taxes(TurnoverQuery(shift_id=chain.shifts["second"])).rows
        assert [(row.letter, row.tax) for row in rows] == [("А", Money(916))]

    def test_tests_stand_apart(self, chain: Chain) -> None:
        tests = chain.view.taxes(replace(BOTH, testing=True, by=SplitBy.SHIFT)).rows
        assert [(row.place.shift_id, row.tax) for row in tests] == [
            (chain.shifts["tests"], Money(916))
        ]


class TestProducts:
    def test_discounts_quantities_and_sums(self, chain: Chain) -> None:
        rows = chain.view.products(replace(BOTH, kind=ReceiptKind.SALE)).rows
        assert [
            (row.name, row.code, row.unit_name, row.lines, row.quantity.thousandths) for row in rows
        ] == [
            ("Сироп від кашлю", None, None, 1, 1000),
            ("Хліб житній", "1002", "шт", 2, 4000),
        ]
        assert [(row.cost, row.taken_off, row.total) for row in rows] == [
            (Money(8520), Money(520), Money(8000)),
            (Money(10992), Money(0), Money(10992)),
        ]

    def test_pages_follow_one_another_without_a_gap(self, chain: Chain) -> None:
        query = replace(BOTH, by=SplitBy.REGISTER)
        whole = chain.view.products(query).rows
        pages: list[ProductTurnover] = []
        after = None
        while True:
            page = chain.view.products(replace(query, limit=1, after=after))
            pages += page.rows
            after = page.next
            if after is None:
                break
        assert tuple(pages) == whole
        assert len(whole) == 4


class TestPartPayments:
    def test_goods_paid_in_parts_count_their_money_each_time_and_themselves_once(
        self, postgres_dsn: str
    ) -> None:
        history = History(registers=2)
        first, second = history.registers
        for register_id in (first, second):
            history.open(register_id)
        prepaid = history.prepay(first, SaleRequest((BREAD, SYRUP), CASH), Money(5_000))
        history.accept_all(first)
        further = history.pay_on(second, prepaid, Money(3_000))
        history.accept_all(second)
        final = history.pay_on(first, prepaid)
        assert None not in (further, final)
        history.accept_all(first)
        with connect(postgres_dsn, name="pour") as owner:
            pour(history.events, owner)
        dsn = application_dsn(postgres_dsn)
        with connect(dsn, name="projector") as connection:
            ReceiptsProjection().catch_up(connection, page_events=7)
        with open_pool(dsn, name="views", size=2) as pool:
            rows = TurnoverView(pool).products(BOTH).rows
            bread, syrup = sorted(rows, key=lambda row: row.code or "", reverse=True)
            cashiers = TurnoverView(pool).cashiers(BOTH).rows

        assert (bread.lines, bread.quantity.thousandths, bread.cost) == (3, 2000, Money(5496))
        assert (bread.total, syrup.total) == (Money(5496), Money(8000))
        assert (syrup.quantity.thousandths, syrup.taken_off) == (1000, Money(520))
        assert Money.total(row.unrounded for row in cashiers) == Money(13_496)
        assert Money.total(row.taken_off for row in cashiers) == Money(520)


class TestCashiers:
    def test_sums_are_those_of_the_receipts(self, chain: Chain) -> None:
        rows = chain.view.cashiers(replace(BOTH, by=SplitBy.BUSINESS_UNIT)).rows
        sold = [row for row in rows if row.place.kind is ReceiptKind.SALE]
        assert sum(row.receipts for row in sold) == 2
        # 13496 → 13500, 5496 → 5500
        assert Money.total(row.total for row in sold) == Money(19_000)
        assert Money.total(row.unrounded for row in sold) == Money(18_992)
        assert Money.total(row.taken_off for row in sold) == Money(520)
        assert all(row.cashier_name for row in rows)


class TestBadQueries:
    @pytest.mark.parametrize(
        ("query", "field"),
        [
            (TurnoverQuery(), "first_day"),
            (TurnoverQuery(first_day=FIRST), "first_day"),
            (TurnoverQuery(first_day=SECOND, last_day=FIRST), "last_day"),
            (TurnoverQuery(first_day=FIRST, last_day=FIRST + timedelta(days=366)), "first_day"),
            (replace(BOTH, limit=0), "limit"),
            (replace(BOTH, after="nonsense"), "after"),
            (replace(BOTH, after="WyJzYWxlIl0"), "after"),
            (
                replace(BOTH, by=SplitBy.REGISTER, after="WyJ4Iiwic2FsZSIsMCwi0J8iLCLQkCIsMjAwMF0"),
                "after",
            ),
        ],
    )
    def test_name_their_field(self, chain: Chain, query: TurnoverQuery, field: str) -> None:
        with pytest.raises(InvalidField) as refusal:
            chain.view.taxes(query)
        assert refusal.value.field == field
