"""A small network in memory: one company, one outlet, one register, one cashier, and a ledger over them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from domain.clock import ManualClock
from domain.identifiers import shard_of
from domain.ledger import FiscalLedger
from domain.money import Money, Quantity
from domain.ports import LaneLease
from domain.readings import DEFAULT_READINGS, Readings
from domain.register.aggregate import Register
from domain.register.state import RegisterSettings
from domain.sale import CardPayment, CashPayment, LineRequest, SaleRequest
from infra.event_store.memory import MemoryLanes, MemoryStore
from tests.support.cheap_signer import CheapSigner

START = datetime(2026, 11, 5, 7, 0, tzinfo=UTC)

COMPANY: dict[str, Any] = {
    "code": "99900011",
    "vat": "999000110019",
    "name": 'ТОВ "Калина-Приклад"',
}
UNIT: dict[str, Any] = {
    "name": 'Магазин "Калина"',
    "address": "УКРАЇНА, М. ЛЬВІВ, вул. Вигадана, 5",
}
REGISTER_NUMBER = "4000777001"


def counted_ids() -> Callable[[], UUID]:
    """Ids that are the same in every run."""
    numbers: Iterator[int] = count(1)
    return lambda: UUID(int=0x5_0000_0000_0000 + next(numbers))


def sale(price: int = 2748, *, card: int = 0, letters: str = "А", cash: bool = True) -> SaleRequest:
    """One line; paid by card as far as `card` kopecks go, the rest in cash."""
    payments: tuple[CashPayment | CardPayment, ...] = ()
    if card:
        payments += (CardPayment(amount=Money(card)),)
    if cash and card < price:
        payments += (CashPayment(),)
    line = LineRequest(
        name="Хліб житній", quantity=Quantity(1000), price=Money(price), letters=letters
    )
    return SaleRequest(lines=(line,), payments=payments)


@dataclass
class Shop:
    """The network; `open()` makes the structure, `lease()` takes the lane as a worker would."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    store: MemoryStore = field(default_factory=MemoryStore)
    readings: Readings = DEFAULT_READINGS

    def __post_init__(self) -> None:
        self.lanes = MemoryLanes(self.store)
        self.signer = CheapSigner()
        self.ledger = FiscalLedger(
            store=self.store,
            signer=self.signer,
            clock=self.clock,
            new_id=counted_ids(),
            readings=self.readings,
        )
        self.company_id = self.ledger.register_company(**COMPANY)
        self.unit_id = self.ledger.register_business_unit(company_id=self.company_id, **UNIT)
        self.cashier_id = self.ledger.enrol_cashier(
            company_id=self.company_id, name="Приклад О. П.", key_id="olena"
        )
        self.register_id = self.add_register(REGISTER_NUMBER, local_number=7)

    def add_register(
        self, number: str, *, local_number: int, live: bool = False, **settings: object
    ) -> UUID:
        return self.ledger.add_register(
            business_unit_id=self.unit_id,
            fiscal_number=number,
            local_number=local_number,
            name=f"Каса {local_number}",
            live=live,
            settings=RegisterSettings(**settings),  # type: ignore[arg-type]
        )

    def register(self, register_id: UUID | None = None) -> Register:
        register_id = register_id or self.register_id
        return self.store.read(Register, register_id, shard=shard_of(register_id))

    def lease(self) -> LaneLease:
        lease = self.lanes.claim(self.register_id, owner="test", now=self.clock.now(), seconds=60)
        assert lease is not None
        return lease

    def tick(self, seconds: float = 1.0) -> None:
        self.clock.advance(timedelta(seconds=seconds))
