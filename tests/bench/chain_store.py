"""A chain of shops to measure with: many registers made by the ledger directly, known to the simulator, shifts open."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.clock import SystemClock
from domain.ledger import FiscalLedger
from domain.money import Money, Quantity
from domain.sale import CashPayment, LineRequest, SaleRequest
from infra.event_store.lanes import PostgresLanes
from infra.event_store.store import PostgresStore
from infra.postgres import application_dsn, connect
from infra.signing.client import AgentSigner
from infra.signing.development import Holder
from tests.support.deployment import Deployment
from tests.support.lane_player import LanePlayer

COMPANY = {"tin": "99900011", "ipn": "999000110019", "name": "ТОВ Калина"}
UNIT: dict[str, Any] = {"name": "Магазин 1", "address": "М. ЛЬВІВ, вул. Вигадана, 5"}
CASHIER, KEY = "Приклад О. П.", "bench-cashier"
_THREADS = 16
_PATIENCE_SECONDS = 600.0

LINES = (
    ("Хліб пшеничний «Київський» нарізний, 500 г", 1000, 2748),
    ("Молоко «Яготинське» 2,6 %, 900 мл", 2000, 4215),
    ("Яблука Голден", 1375, 3990),
)
SALE_BODY = json.dumps(
    {
        "lines": [
            {
                "name": name,
                "quantity_thousandths": quantity,
                "price_kopecks": price,
                "letters": "А",
                "code": f"100{number}",
                "barcode": f"482000000003{number}",
                "unit_name": "шт",
            }
            for number, (name, quantity, price) in enumerate(LINES)
        ],
        "payments": [{"form": "cash", "provided_kopecks": 50_000}],
    },
    ensure_ascii=False,
)
SALE = SaleRequest(
    lines=tuple(
        LineRequest(name=name, quantity=Quantity(quantity), price=Money(price), letters="А")
        for name, quantity, price in LINES
    ),
    payments=(CashPayment(provided=Money(50_000)),),
)


@dataclass(frozen=True, slots=True)
class ChainStore:
    """The registers by fiscal number, and a ledger of the bench's own over the same database."""

    deployment: Deployment
    store: PostgresStore
    lanes: PostgresLanes
    signer: AgentSigner
    ledger: FiscalLedger
    registers: dict[str, UUID]

    @property
    def ids(self) -> list[UUID]:
        """The registers' ids."""
        return list(self.registers.values())

    def sale_paths(self) -> list[str]:
        """Where to sell, by register."""
        return [f"/v1/registers/{each}/receipts" for each in self.ids]

    def sell(self, *, each: int, registers: Sequence[UUID] | None = None) -> None:
        """Sell on every register, round by round."""
        chosen = self.ids if registers is None else registers
        for _ in range(each):
            in_threads(
                lambda register_id: self.ledger.sell(register_id=register_id, request=SALE), chosen
            )

    def play_lanes(self, player: LanePlayer) -> None:
        """Register what waits without a tax service."""
        in_threads(player.run, self.ids)

    def wait_until_registered(self, documents: int) -> None:
        """Wait until so many documents are registered in all. Raises: AssertionError."""
        query = "SELECT count(*) FROM events WHERE topic = 'register.document-registered'"
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with connect(self.deployment.dsn, name="bench") as connection:
            while True:
                found = connection.execute(query).fetchone()
                assert found is not None
                if found[0] >= documents:
                    return
                assert time.monotonic() < deadline, f"{found[0]} of {documents} are registered"
                time.sleep(0.1)


@contextmanager
def chain_store(
    deployment: Deployment, *, registers: int, open_shifts: bool = True
) -> Iterator[ChainStore]:
    """Make the registers in a running deployment; with `open_shifts` each has a shift open and its opening due."""
    with ExitStack() as stack:
        store = PostgresStore(application_dsn(deployment.dsn), name="bench", pool_size=_THREADS)
        stack.callback(store.close)
        signer = stack.enter_context(AgentSigner(deployment.settings.signer_socket))
        key = signer.ensure_development_key(KEY, Holder(CASHIER, company_code=COMPANY["tin"]))
        numbers = [f"4{number:09d}" for number in range(1, registers + 1)]
        deployment.admin("POST", "registry", _registry(numbers, key.subject_key_id))
        ledger = FiscalLedger(store=store, signer=signer, clock=SystemClock())
        made, cashier_id = _registers(ledger, numbers)
        if open_shifts:
            in_threads(
                lambda each: ledger.open_shift(register_id=each, cashier_id=cashier_id),
                list(made.values()),
            )
        yield ChainStore(deployment, store, PostgresLanes(store), signer, ledger, made)


def _registers(ledger: FiscalLedger, numbers: Sequence[str]) -> tuple[dict[str, UUID], UUID]:
    company_id = ledger.register_company(
        code=COMPANY["tin"], vat=COMPANY["ipn"], name=COMPANY["name"]
    )
    unit_id = ledger.register_business_unit(company_id=company_id, **UNIT)
    cashier_id = ledger.enrol_cashier(company_id=company_id, name=CASHIER, key_id=KEY)
    ids = in_threads(
        lambda number: ledger.add_register(
            business_unit_id=unit_id,
            fiscal_number=number,
            local_number=int(number[1:]),
            name=f"Каса {int(number[1:])}",
            live=False,
        ),
        numbers,
    )
    return dict(zip(numbers, ids, strict=True)), cashier_id


def _registry(numbers: Sequence[str], key_id: str) -> dict[str, Any]:
    registers = [{"fiscal_number": number, "local_number": int(number[1:])} for number in numbers]
    key = {"subject_key_id": key_id, "name": CASHIER, "role": "senior-cashier"}
    unit = {**UNIT, "registers": registers}
    return {"companies": [{**COMPANY, "units": [unit], "keys": [key]}]}


def in_threads(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """Do the work for each item, many at a time; return the results in order."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(work, items))
