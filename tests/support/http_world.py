"""A world whose parts are as far apart as in service: tills, API, PostgreSQL, worker and tax service.

Tills talk to the API over HTTP, events lie in PostgreSQL, the worker has a store of its own and reaches the tax service
through sockets. One clock that we move is everybody's. The parts that cost time to start are a `Place`, made once; a
`HttpWorld` is a pair of registers in it that nobody used before.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import httpx

from api.schemas.structure import TaxGroupModel
from domain.clock import ManualClock
from domain.documents.receipt import Receipt, ReceiptState
from domain.errors import Unreachable
from domain.identifiers import shard_of, sold_receipt_id
from domain.ledger import FiscalLedger
from domain.ports import CommandKey, Commit, LogPosition
from domain.register.aggregate import Register
from domain.register.events import ReceiptCorrected, ReceiptIssued
from domain.returns import SoldReceipt
from infra.event_store.feed import FeedEvent
from infra.event_store.follower import FeedFollower
from infra.event_store.lanes import PostgresLanes
from infra.event_store.store import PostgresStore
from infra.fiscal_server.client import FiscalServerClient
from infra.fiscal_server.transport import Carrier, HttpAnswer, Transport
from infra.lane_status import StoredLanes
from infra.signing.timestamp_client import TsaClient
from infra.simulator.faults import Fault
from infra.simulator.registry import RegisterEntry
from infra.simulator.server import BackgroundServer, SimulatorServer
from infra.simulator.simulator import Simulator
from infra.tokens import Role
from projections.returns import OpenReturnsView
from tests.baskets import GROUPS
from tests.support.agreement import Tills
from tests.support.api_server import Api, made, running_api
from tests.support.cheap_signer import CheapSigner
from tests.support.http_ledger import HttpLedger
from tests.support.shop import COMPANY, START, UNIT
from tests.support.world import (
    ANSWER_SECONDS,
    RULES,
    Death,
    ShopFloor,
    company_entry,
    stamping_authority,
    tax_service,
    uids_of,
)
from workers.returns import settle_all
from workers.submitter import Submitter

SILENCE_SECONDS = 0.4
"""How long an answer is really waited for. Only those that a fault holds back take so long."""

PATIENCE_SECONDS = 20.0
"""How long the parts may take to hear of each other."""

_PAGE = 100_000
_LOOK_SECONDS = 0.005
_FIRST_NUMBER = 4_000_777_001


class MortalPostgresStore(PostgresStore):
    """A store whose process may die right before or right after any commit."""

    death: Death

    def commit(self, commit: Commit) -> LogPosition:
        """Make a commit durable. Raises: Killed, and what the store raises."""
        self.death.pass_by()
        position = super().commit(commit)
        self.death.pass_by()
        return position


class ShortPatience:
    """Carries as another `Carrier` does; waiting for an answer in vain costs the world's clock what it does in service.

    The process may die before a request and after its answer.
    """

    def __init__(self, carrier: Carrier, *, clock: ManualClock, death: Death) -> None:
        self._carrier = carrier
        self._clock = clock
        self._death = death

    @property
    def skew_seconds(self) -> float | None:
        return self._carrier.skew_seconds

    def close(self) -> None:
        """Close what is open."""
        self._carrier.close()

    def post(self, path: str, body: bytes, *, content_type: str) -> HttpAnswer:
        """Send a request and return the answer. Raises: Unreachable, Killed."""
        self._death.pass_by()
        try:
            answer = self._carrier.post(path, body, content_type=content_type)
        except Unreachable as error:
            if isinstance(error.__cause__, httpx.TimeoutException):
                self._clock.advance(timedelta(seconds=ANSWER_SECONDS))
            raise
        self._death.pass_by()
        return answer


@dataclass
class Place:
    """What is started once: the API over its database, the worker's store and ways to the tax service, which runs too.

    One company with its unit and cashier is known everywhere. `till` is a cashier's client of the API, `scope` what keeps
    its idempotency keys apart from others'. The worker follows the log when it is told to, so that a sequence runs the
    same way twice.
    """

    api: Api
    till: httpx.Client
    scope: str
    workers_store: MortalPostgresStore
    workers_follower: FeedFollower
    simulator: Simulator
    server: SimulatorServer
    transport: Transport
    timestamps: TsaClient
    clock: ManualClock
    unit_id: UUID
    cashier_id: UUID
    registers: list[RegisterEntry] = field(default_factory=list)

    def new_register(self) -> tuple[UUID, str]:
        """Add a register that nobody used, here and at the tax service; return its id and fiscal number."""
        local_number = len(self.registers) + 1
        number = str(_FIRST_NUMBER + len(self.registers))
        name = f"Каса {local_number}"
        self.registers.append(
            RegisterEntry(fiscal_number=number, local_number=local_number, name=name)
        )
        self.simulator.set_up(company_entry(registers=tuple(self.registers)))
        register = made(
            self.api.post(
                "/v1/registers",
                {
                    "business_unit_id": str(self.unit_id),
                    "fiscal_number": number,
                    "local_number": local_number,
                    "name": name,
                    "live": False,
                },
            )
        )
        return UUID(register["register_id"]), number


@contextmanager
def running_place(owner_dsn: str, data_dir: Path) -> Iterator[Place]:
    """Run all parts over a migrated database."""
    clock = ManualClock(START)
    simulator = tax_service(clock, stamping_authority(clock))
    with ExitStack() as stack:
        server = stack.enter_context(BackgroundServer(SimulatorServer(simulator, admin_port=0)))
        api = stack.enter_context(
            running_api(owner_dsn, data_dir, clock=clock, own_write_seconds=PATIENCE_SECONDS)
        )
        store = MortalPostgresStore(api.dsn, name="worker", pool_size=2)
        stack.callback(store.close)
        follower = FeedFollower(store, api.dsn, name="worker")
        stack.callback(follower.stop)
        transport = Transport(
            f"{server.base_url}/fs",
            clock=clock,
            connect_timeout_seconds=PATIENCE_SECONDS,
            answer_timeout_seconds=SILENCE_SECONDS,
        )
        stack.callback(transport.close)
        timestamps = stack.enter_context(
            TsaClient(
                [f"{server.base_url}/tsa"],
                timeout_seconds=PATIENCE_SECONDS,
                connect_timeout_seconds=PATIENCE_SECONDS,
                trust=None,
            )
        )
        till = stack.enter_context(api.client(Role.CASHIER))
        groups = [TaxGroupModel.of(group).model_dump() for group in GROUPS]
        company = made(
            api.post(
                "/v1/companies",
                {
                    "tax_id": COMPANY["code"],
                    "vat_number": COMPANY["vat"],
                    "name": COMPANY["name"],
                    "tax_groups": groups,
                },
            )
        )
        company_id = company["company_id"]
        unit = made(api.post("/v1/business-units", {"company_id": company_id, **UNIT}))
        cashier = made(
            api.post(
                "/v1/cashiers",
                {"company_id": company_id, "name": "Приклад О. П.", "key_id": "olena"},
            )
        )
        yield Place(
            api=api,
            till=till,
            scope=api.parts.tokens.look_up(api.tokens[Role.CASHIER]).scope,
            workers_store=store,
            workers_follower=follower,
            simulator=simulator,
            server=server,
            transport=transport,
            timestamps=timestamps,
            clock=clock,
            unit_id=UUID(unit["business_unit_id"]),
            cashier_id=UUID(cashier["cashier_id"]),
        )


_worlds = count(1)


class HttpWorld(ShopFloor):
    """A shop floor whose tills, API, worker and tax service meet over HTTP and PostgreSQL.

    What dies here is the worker, at its commits and requests, and the till, before it sends and before it reads the
    answer. The API's own process lives on: it is killed, with all others, by `tests/chaos`.
    """

    ledger: HttpLedger

    def __init__(self, place: Place) -> None:
        self._place = place
        self._name = next(_worlds)
        self._api = place.api
        self._store = place.workers_store
        self.clock = place.clock
        self.death = self._store.death = Death()
        self.simulator = place.simulator
        self.simulator.reset()
        self._await_listener(listens=True)
        self.cashier_id = place.cashier_id
        self._recorded: list[FeedEvent] = []
        self._read_until = self._store.heads()
        self.numbers = dict(place.new_register() for _ in range(2))
        self.ledger = HttpLedger(
            till=place.till, office=self._api.http, death=self.death, recorded=self._receipt
        )
        signer = CheapSigner()
        self._workers_ledger = FiscalLedger(store=self._store, signer=signer, clock=self.clock)
        self.server = FiscalServerClient(
            ShortPatience(place.transport, clock=self.clock, death=self.death),
            signer=signer,
            ticket_trust=None,
            clock=self.clock,
        )
        self._open_returns = OpenReturnsView(self._store.pool)
        self._lanes = StoredLanes(self._store.pool)
        self.start_worker()

    def start_worker(self) -> None:
        """Start a worker anew: it remembers nothing but the log."""
        self._store.forget_aggregates()
        self.submitter = Submitter(
            ledger=self._workers_ledger,
            lanes=PostgresLanes(self._store),
            server=self.server,
            timestamps=self._place.timestamps,
            clock=self.clock,
            rules=RULES,
            owner="worker",
            skew_seconds=lambda: self.server.skew_seconds,
        )

    def work(self, register_id: UUID | None = None) -> int:
        """Let the worker look at a lane once; it has heard of what went before, and the API hears of it."""
        self._place.workers_follower.catch_up()
        steps = super().work(register_id)
        self._api.follower.catch_up()
        return steps

    def command(self, key: str) -> CommandKey:
        """Return the identity of a till's command: whose it is, and a key that no other world uses."""
        return CommandKey(scope=self._place.scope, key=f"{self._name}-{key}", body_hash=b"")

    def recorded(self) -> tuple[FeedEvent, ...]:
        """Return what was recorded since this world began."""
        page = self._store.page(self._read_until, _PAGE)
        self._recorded += page.events
        self._read_until = page.cursor
        return tuple(self._recorded)

    def register(self, register_id: UUID | None = None) -> Register:
        """Return a register as the log has it now."""
        register_id = register_id or self._first
        return self._store.refresh(Register, register_id, shard=shard_of(register_id))

    def sold(self, receipt_id: UUID, *, register_id: UUID) -> SoldReceipt:
        """Return what came back of a sale of a register, as the log has it now."""
        stream_id = sold_receipt_id(receipt_id)
        return self._store.refresh(SoldReceipt, stream_id, shard=shard_of(register_id))

    def sweep(self) -> None:
        """Settle what can be settled, as the worker's housekeeping does. Raises: Killed.

        The second round is for payments whose returns the first one settled.
        """
        for _ in range(2):
            self._settle_round()

    def _settle_round(self) -> None:
        end = self._store.heads().positions
        _await(
            lambda: all(
                reached >= place
                for reached, place in zip(self._open_returns.cursor().positions, end, strict=True)
            ),
            "the list of open returns shows the end of the log",
        )
        self._place.workers_follower.catch_up()
        settle_all(self._workers_ledger, self._open_returns)
        self._api.follower.catch_up()

    def disturb(self, fault: Fault, *, times: int = 1) -> None:
        """Let a fault strike the next requests; silence outlasts the sequence, so that nothing arrives by itself."""
        lasting = fault.model_copy(update={"seconds": 600.0}) if fault.seconds else fault
        super().disturb(lasting, times=times)

    def cut_off(self, *, on: bool) -> None:
        """Cut the tax service off, or end that; its port is closed or open when this returns."""
        super().cut_off(on=on)
        self._await_listener(listens=not on)

    def calm(self) -> None:
        """End all faults and process what was held back."""
        super().calm()
        self._await_listener(listens=True)

    def check_answers(self, tills: Tills) -> None:
        """At rest the API shows each receipt and drawer as the tax service and the register have them."""
        there = {
            stored.document.uid: stored.fiscal_number
            for register_id in self.numbers
            for stored in self.book(register_id)
        }
        for receipt_id, (register_id, receipt) in tills.issued.items():
            shown = self.ledger.shown(register_id, f"receipts/{receipt_id}")
            number = next((there[uid] for uid in uids_of(receipt_id) if uid in there), None)
            if number is not None:
                state = ReceiptState.REGISTERED
            elif receipt_id in tills.voided:
                state = ReceiptState.VOIDED
            elif receipt_id in self.register(register_id).refused:
                state = ReceiptState.REFUSED
            else:
                state = ReceiptState.WAITING
            assert (ReceiptState(shown["state"]), shown["fiscal_number"]) == (state, number)
            assert shown["total_kopecks"] == receipt.total.kopecks
        for register_id in self.numbers:
            drawer = self.ledger.shown(register_id, "drawer")
            held = self.register(register_id).cash_in_drawer
            assert drawer["cash_in_drawer_kopecks"] == held.kopecks

    # --- inside ----------------------------------------------------------------------------------------------------

    def _is_at_rest(self, register_id: UUID) -> bool:
        lane = self._lanes.of(register_id)
        return lane is None or (lane.due_at is None and lane.lease_until is None)

    def _receipt(self, receipt_id: UUID) -> Receipt:
        """Return a receipt as it was recorded last."""
        return next(
            stored.event.receipt
            for stored in reversed(self.recorded())
            if isinstance(stored.event, ReceiptIssued | ReceiptCorrected)
            and stored.event.receipt.receipt_id == receipt_id
        )

    def _await_listener(self, *, listens: bool) -> None:
        """Wait until the tax service's port is open or closed: its server looks a few times a second."""
        port = self._place.server.port
        _await(lambda: _listens(port) is listens, f"the tax service listens: {listens}")


def _await(well: Callable[[], bool], what: str) -> None:
    """Wait until the other threads have come so far."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not well():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(_LOOK_SECONDS)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS):
            return True
    except ConnectionRefusedError:
        return False
    except ConnectionResetError:
        # It was closed while we were in its queue; the next look is refused.
        return True
