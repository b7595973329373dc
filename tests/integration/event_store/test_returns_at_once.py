"""Returns of one sale, and payments on one prepayment, from several processes over one PostgreSQL.

Together they never give back more than was sold, and never pay more than is owed.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

import pytest

from domain.clock import SystemClock
from domain.documents.receipt import PartPaymentKind
from domain.errors import (
    Conflict,
    LaterPaymentsStand,
    NothingLeft,
    PaymentExceedsOwed,
    ReceiptNotPayable,
)
from domain.identifiers import shard_of, sold_receipt_id
from domain.ledger import FiscalLedger, Issued, RegisteredSale
from domain.money import Money, Quantity
from domain.part_payment import LaterPaymentRequest, PrepaymentRequest
from domain.ports import CommandKey
from domain.refund import ReturnRequest
from domain.register.state import RegisterSettings
from domain.returns import SoldReceipt
from domain.sale import CashPayment
from domain.sold_lines import WantedLine
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
    """One sale and one prepayment of 3.49 on the same goods, and the processes and registers that may go on with them."""

    stores: tuple[PostgresStore, ...]
    ledgers: tuple[FiscalLedger, ...]
    registers: tuple[UUID, ...]
    sale: RegisteredSale
    prepayment: RegisteredSale

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

    def pay(self, number: int, amount: Money | None) -> Issued | None:
        """A payment by one of the processes; None when the prepayment takes it no more."""
        return self._again(
            lambda: self.ledgers[number % PROCESSES].pay_on(
                register_id=self.registers[number % 2],
                prepayment=self.prepayment,
                request=LaterPaymentRequest((CashPayment(),), amount),
                command=CommandKey("till", f"payment-{number}", b"body"),
            )
        )

    def give_prepayment_back(self, number: int) -> Issued | None:
        """A return of the prepayment by one of the processes; None when it is refused."""
        return self._again(
            lambda: self.ledgers[number % PROCESSES].give_back(
                register_id=self.registers[number % 2],
                sale=self.prepayment,
                request=ReturnRequest((CashPayment(),)),
                command=CommandKey("till", f"prepayment-{number}", b"body"),
            )
        )

    @staticmethod
    def _again(ask: Callable[[], Issued]) -> Issued | None:
        for _ in range(50):
            try:
                return ask()
            except Conflict:
                continue
            except (ReceiptNotPayable, PaymentExceedsOwed, LaterPaymentsStand, NothingLeft):
                return None
        raise AssertionError("conflicts without end")

    def sold(self) -> SoldReceipt:
        return self._of(self.sale)

    def prepaid(self) -> SoldReceipt:
        return self._of(self.prepayment)

    def _of(self, sale: RegisteredSale) -> SoldReceipt:
        return self.stores[0].refresh(
            SoldReceipt,
            sold_receipt_id(sale.receipt.receipt_id),
            shard=shard_of(sale.register_id),
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
    prepaid = ledger.prepay(
        register_id=registers[0], request=PrepaymentRequest(sale(2749), Money(349))
    )
    player.run(registers[0])
    yield Network(
        stores,
        ledgers,
        registers,
        sale=registered_sale(stores[0], issued.receipt_id),
        prepayment=registered_sale(stores[0], prepaid.receipt_id),
    )
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


def test_payments_at_once_take_exactly_what_is_owed(network: Network) -> None:
    def one(number: int) -> Issued | None:
        return network.pay(number, Money(200))

    with ThreadPoolExecutor(CALLS) as threads:
        paid = [each for each in threads.map(one, range(CALLS)) if each is not None]

    assert len(paid) == 12
    assert set(network.prepaid().taken) == {each.receipt_id for each in paid}
    assert network.prepaid().owed() == (Money(0),)


def test_of_settlements_and_returns_at_once_one_kind_wins(network: Network) -> None:
    def one(number: int) -> tuple[bool, Issued | None]:
        if number % 2:
            return True, network.pay(number, None)
        return False, network.give_prepayment_back(number)

    with ThreadPoolExecutor(CALLS) as threads:
        done = [(pays, each) for pays, each in threads.map(one, range(CALLS)) if each is not None]

    ((pays, winner),) = done
    (taken,) = network.prepaid().taken.items()
    assert winner is not None
    assert taken[0] == winner.receipt_id
    assert (taken[1].pays is PartPaymentKind.FINAL) is pays
