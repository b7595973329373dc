"""Returns of one sale from several processes over one PostgreSQL: together they never give back more than was sold."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

import pytest

from domain.clock import SystemClock
from domain.errors import Conflict, NothingLeft
from domain.identifiers import shard_of, sold_receipt_id
from domain.ledger import FiscalLedger, Issued, RegisteredSale
from domain.money import Money, Quantity
from domain.ports import CommandKey
from domain.refund import ReturnRequest
from domain.register.state import RegisterSettings
from domain.returns import SoldReceipt, WantedLine
from domain.sale import CashPayment
from infra.event_store.lanes import PostgresLanes
from infra.event_store.store import PostgresStore
from tests.support.cheap_signer import CheapSigner
from tests.support.journal import registered_sale
from tests.support.lane_player import LanePlayer
from tests.support.shop import sale

PROCESSES = 3
CALLS = 24
TENTH = ReturnRequest((CashPayment(),), (WantedLine(1, Quantity(100)),))


@dataclass(frozen=True, slots=True)
class Network:
    """One sale, and the processes and registers that may give it back."""

    stores: tuple[PostgresStore, ...]
    ledgers: tuple[FiscalLedger, ...]
    registers: tuple[UUID, ...]
    sale: RegisteredSale

    def give_back(self, number: int, command: CommandKey) -> Issued | None:
        """A return by one of the processes, sent again after a conflict as a till does; None when nothing is left."""
        for _ in range(50):
            try:
                return self.ledgers[number % PROCESSES].give_back(
                    register_id=self.registers[number % 2],
                    sale=self.sale,
                    request=TENTH,
                    command=command,
                )
            except Conflict:
                continue
            except NothingLeft:
                return None
        raise AssertionError("conflicts without end")

    def sold(self) -> SoldReceipt:
        return self.stores[0].refresh(
            SoldReceipt,
            sold_receipt_id(self.sale.receipt.receipt_id),
            shard=shard_of(self.sale.register_id),
        )


@pytest.fixture
def network(app_dsn: str) -> Iterator[Network]:
    stores = tuple(PostgresStore(app_dsn, name=f"process {n}") for n in range(PROCESSES))
    signer = CheapSigner()
    ledgers = tuple(
        FiscalLedger(store=store, signer=signer, clock=SystemClock()) for store in stores
    )
    ledger = ledgers[0]
    company_id = ledger.register_company(code="99900011", vat="999000110019", name="Калина")
    unit_id = ledger.register_business_unit(company_id=company_id, name="Калина", address=None)
    cashier_id = ledger.enrol_cashier(company_id=company_id, name="Приклад", key_id="olena")
    registers = tuple(
        ledger.add_register(
            business_unit_id=unit_id,
            fiscal_number=f"400077700{n}",
            local_number=n,
            name="Каса",
            live=False,
            settings=RegisterSettings(),
        )
        for n in (1, 2)
    )
    player = LanePlayer(stores[0], PostgresLanes(stores[0]), signer)
    for register_id in registers:
        ledger.open_shift(register_id=register_id, cashier_id=cashier_id)
        player.run(register_id)
    issued = ledger.sell(register_id=registers[0], request=sale(2749))
    player.run(registers[0])
    yield Network(stores, ledgers, registers, registered_sale(stores[0], issued.receipt_id))
    for store in stores:
        store.close()


def test_returns_at_once_give_back_exactly_what_was_sold(network: Network) -> None:
    def one(number: int) -> Issued | None:
        return network.give_back(number, CommandKey("till", f"return-{number}", b"body"))

    with ThreadPoolExecutor(CALLS) as threads:
        backs = [back for back in threads.map(one, range(CALLS)) if back is not None]

    assert len(backs) == 10
    assert Money.total(back.receipt.unrounded for back in backs if back.receipt) == Money(2749)
    assert set(network.sold().taken) == {back.receipt_id for back in backs}
    assert {(line.quantity, line.cost) for line in network.sold().left()} == {
        (Quantity(0), Money(0))
    }


def test_the_same_return_sent_many_times_gives_back_once(network: Network) -> None:
    command = CommandKey("till", "return", b"body")

    def one(number: int) -> Issued | None:
        return network.give_back(2 * number, command)

    with ThreadPoolExecutor(CALLS) as threads:
        backs = list(threads.map(one, range(CALLS)))

    assert len({back.receipt_id for back in backs if back is not None}) == 1
    assert None not in backs
    assert network.sold().left()[0].quantity == Quantity(900)
