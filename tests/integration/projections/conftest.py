"""One day of a small shop, written by the real ledger, poured into a database and projected."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from domain.documents.receipt import CardSlip
from domain.money import Money, Quantity
from domain.ports import LogPosition
from domain.sale import CardPayment, CashPayment, LineRequest, SaleRequest
from infra.postgres import Pool, application_dsn, connect, open_pool
from projections.catalogue import PROJECTIONS
from tests.support.history import History, pour

BREAD = LineRequest("Хліб житній", Quantity(1000), Money(2748), "А", code="1002")
SYRUP = LineRequest("Сироп від кашлю", Quantity(1000), Money(8520), "Б", barcode="4820000000031")
SET = LineRequest("Кав’ярняний набір", Quantity(1000), Money(10_000), "")
CASH = (CashPayment(provided=Money(20_000)),)


def card(kopecks: int) -> tuple[CardPayment, ...]:
    return (CardPayment(Money(kopecks), CardSlip(masked_card="4149 62** **** 1234")),)


@dataclass
class Day:
    """What happened, by name, and where to read it.

    Register 0: shift 1 closed with one registered sale and a Z-report the tax service counts otherwise; shift 2 open
    with a registered, an unknown and a waiting sale. Register 1: its lane is parked over a refused and a waiting sale.
    """

    history: History
    dsn: str
    pool: Pool
    receipts: dict[str, UUID]
    shifts: dict[str, UUID]

    @property
    def end(self) -> LogPosition:
        """Where the newest event of the first register stands."""
        register_id = self.history.registers[0]
        last = [stored for stored in self.history.events if stored.stream_id == register_id][-1]
        return LogPosition(last.shard, last.position)


@pytest.fixture(scope="module")
def day(module_postgres_dsn: str) -> Iterator[Day]:
    history = History(registers=2)
    receipts: dict[str, UUID] = {}
    shifts: dict[str, UUID] = {}
    _first_register(history, receipts, shifts)
    _second_register(history, receipts, shifts)
    with connect(module_postgres_dsn, name="pour") as owner:
        pour(history.events, owner)
    dsn = application_dsn(module_postgres_dsn)
    with connect(dsn, name="projector") as connection:
        for projection in PROJECTIONS:
            projection().catch_up(connection, page_events=10)
    with open_pool(dsn, name="views", size=4) as pool:
        yield Day(history, module_postgres_dsn, pool, receipts, shifts)


def _first_register(history: History, receipts: dict[str, UUID], shifts: dict[str, UUID]) -> None:
    register_id = history.registers[0]
    shifts["closed"] = history.open(register_id)
    receipts["bread"] = history.sell(register_id, SaleRequest((BREAD,), CASH))
    history.accept_all(register_id)
    history.ledger.close_shift(register_id=register_id)
    history.make_z(register_id, agrees=False)
    history.accept_all(register_id)
    shifts["open"] = history.open(register_id)
    receipts["syrup"] = history.sell(register_id, SaleRequest((SYRUP,), card(8520)))
    history.accept_all(register_id)
    receipts["unknown"] = history.sell(register_id, SaleRequest((SET,), CASH))
    receipts["waiting"] = history.sell(register_id, SaleRequest((BREAD, SYRUP), CASH))
    history.lose_answer(register_id)


def _second_register(history: History, receipts: dict[str, UUID], shifts: dict[str, UUID]) -> None:
    register_id = history.registers[1]
    shifts["parked"] = history.open(register_id)
    history.accept_all(register_id)
    receipts["refused"] = history.sell(register_id, SaleRequest((SET,), CASH))
    receipts["parked"] = history.sell(register_id, SaleRequest((BREAD,), CASH))
    history.refuse(register_id)
    history.park(register_id)


Names = Callable[[object], list[str]]


@pytest.fixture(scope="module")
def named(day: Day) -> Callable[[list[UUID]], list[str]]:
    """Names of receipts by their ids, so that a test reads as a sentence."""
    names = {receipt_id: name for name, receipt_id in day.receipts.items()}
    return lambda ids: [names[receipt_id] for receipt_id in ids]
