"""The same command sent many times at once, to one process and to several, has one effect and one answer."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from domain.clock import SystemClock
from domain.identifiers import shard_of
from domain.ledger import FiscalLedger
from domain.ledger.base import Issued
from domain.money import Money
from domain.ports import CommandKey, LedgerStore
from domain.register.aggregate import Register
from domain.register.state import RegisterSettings
from infra.event_store.memory import MemoryStore
from infra.event_store.store import PostgresStore
from tests.support.cheap_signer import CheapSigner
from tests.support.shop import sale

PROCESSES = 3
CALLS = 24


@dataclass(frozen=True, slots=True)
class Processes:
    """Several ledgers over one log; in memory there is only one process."""

    stores: tuple[LedgerStore, ...]

    def ledgers(self) -> list[FiscalLedger]:
        signer = CheapSigner()
        return [
            FiscalLedger(store=store, signer=signer, clock=SystemClock()) for store in self.stores
        ]


@pytest.fixture(params=["memory", "postgres"])
def processes(request: pytest.FixtureRequest) -> Iterator[Processes]:
    if request.param == "memory":
        yield Processes((MemoryStore(),))
        return
    dsn = request.getfixturevalue("app_dsn")
    stores = tuple(PostgresStore(dsn, name=f"process {number}") for number in range(PROCESSES))
    yield Processes(stores)
    for store in stores:
        store.close()


def at_once(ledgers: list[FiscalLedger], call: Callable[[FiscalLedger], Issued]) -> list[Issued]:
    with ThreadPoolExecutor(CALLS) as threads:
        return list(threads.map(call, [ledgers[n % len(ledgers)] for n in range(CALLS)]))


def test_one_sale_is_made_and_every_call_gets_it(processes: Processes) -> None:
    ledgers = processes.ledgers()
    company_id = ledgers[0].register_company(code="99900011", vat="999000110019", name="Калина")
    unit_id = ledgers[0].register_business_unit(company_id=company_id, name="Калина", address=None)
    cashier_id = ledgers[0].enrol_cashier(company_id=company_id, name="Приклад", key_id="olena")
    register_id = ledgers[0].add_register(
        business_unit_id=unit_id,
        fiscal_number="4000777001",
        local_number=7,
        name="Каса",
        live=False,
        settings=RegisterSettings(opens_with_first_sale=True),
    )
    for number in range(5):
        command = CommandKey(scope="till", key=f"sale-{number}", body_hash=bytes(32))
        answers = at_once(
            ledgers,
            lambda ledger, command=command: ledger.sell(  # type: ignore[misc]
                register_id=register_id, request=sale(), cashier_id=cashier_id, command=command
            ),
        )
        assert len({answer.receipt_id for answer in answers}) == 1
        register = ledgers[0].store.refresh(Register, register_id, shard=shard_of(register_id))
        # The opening waits in front of the sales.
        assert len(register.waiting) == number + 2
        assert ledgers[0].x_report(register_id).issued.sales.total == Money(2750 * (number + 1))
