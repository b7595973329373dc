"""A whole world in one process: ledger, lane worker, real client, simulated tax service, one clock that we move.

`ShopFloor` is what every such world is. In `World` requests go straight into the simulator, so a document costs about a
millisecond and thousands of days can be lived. A process can be killed at every commit and every request.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

from domain.answers import ServerShiftTotals
from domain.clock import ManualClock
from domain.documents.shift import Seller, ShiftTotals
from domain.errors import Unreachable
from domain.identifiers import document_id, document_uid, shard_of, sold_receipt_id
from domain.ports import CommandKey, Commit, LogPosition
from domain.readings import DEFAULT_READINGS, Readings
from domain.register.aggregate import Register
from domain.returns import SoldReceipt
from infra.event_store.feed import Cursor, FeedEvent
from infra.event_store.memory import MemoryLanes, MemoryStore
from infra.fiscal_server.client import FiscalServerClient
from infra.fiscal_server.transport import HttpAnswer
from infra.signing import cms
from infra.signing.timestamp import TimestampAuthority
from infra.simulator.endpoints import Request
from infra.simulator.envelope import CmsEnvelope, stamper
from infra.simulator.faults import Fault, ScriptStep
from infra.simulator.registry import CompanyEntry, KeyEntry, RegisterEntry, Role, UnitEntry
from infra.simulator.replies import (
    AnswerLost,
    ConnectionRefusedBySimulator,
    NoReply,
    SilenceBySimulator,
)
from infra.simulator.simulator import Simulator
from infra.simulator.stored_document import StoredDocument
from tests.support.cheap_signer import CHEAP_SUITE, cheap_key
from tests.support.journal import log_of, sweep
from tests.support.ledger_of_tills import LedgerOfTills
from tests.support.shop import COMPANY, REGISTER_NUMBER, START, UNIT, Shop
from workers.submitter import SubmissionRules, Submitter

RULES = SubmissionRules(
    lease_margin_seconds=36,
    lease_seconds=60,
    documents_per_claim=10,
    retry_first_seconds=1,
    retry_longest_seconds=30,
    state_check_seconds=300,
    stale_after_seconds=240,
    most_skew_seconds=300,
)

INJECTED_PARKINGS = {"shift-opening-refused", "shift-closing-refused", "z-report-refused"}
"""What a refusal by code 9 may stop; every other stop is a fault of ours."""

ANSWER_SECONDS = 15.0
"""How long an answer of the tax service is waited for, on the world's clock."""

Fact = TypeVar("Fact")


class Killed(BaseException):
    """The process died here."""


@dataclass
class Death:
    """Kills the process at the n-th chance from now; None lets it live."""

    after: int | None = None

    def pass_by(self) -> None:
        if self.after is None:
            return
        self.after -= 1
        if self.after < 0:
            self.after = None
            raise Killed


class MortalStore(MemoryStore):
    """A store whose process may die right before or right after any commit."""

    death: Death

    def commit(self, commit: Commit) -> LogPosition:
        self.death.pass_by()
        position = super().commit(commit)
        self.death.pass_by()
        return position


class StraightToSimulator:
    """A `Carrier` without a network; how a connection ends decides `sent`, as with real sockets."""

    def __init__(self, simulator: Simulator, *, clock: ManualClock, death: Death) -> None:
        self._simulator = simulator
        self._clock = clock
        self._death = death

    @property
    def skew_seconds(self) -> float | None:
        return None

    def close(self) -> None:
        """Nothing is open."""

    def post(self, path: str, body: bytes, *, content_type: str) -> HttpAnswer:
        self._death.pass_by()
        resource = path.removeprefix("/").partition("?")[0]
        request = Request(
            resource,  # type: ignore[arg-type]
            body,
            {"content-type": content_type},
            result_as_json="resultAsJson=true" in path,
        )
        try:
            reply = self._simulator.handle(request)
        except SilenceBySimulator as silence:
            self._clock.advance(timedelta(seconds=min(silence.seconds, ANSWER_SECONDS)))
            raise Unreachable(reason="silence", sent=True) from silence
        except ConnectionRefusedBySimulator as refused:
            raise Unreachable(reason="connection refused", sent=False) from refused
        except NoReply as ended:
            lost = "answer lost" if isinstance(ended, AnswerLost) else "connection reset"
            raise Unreachable(reason=lost, sent=True) from ended
        self._death.pass_by()
        return HttpAnswer(status=reply.status, body=reply.body)


class StraightStamps:
    """Time-stamps from the simulator's authority, unless it is cut off; `meanwhile` is what happens before each."""

    def __init__(
        self,
        simulator: Simulator,
        authority: TimestampAuthority,
        *,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self._simulator = simulator
        self._authority = authority
        self._meanwhile = meanwhile

    def stamp(self, signed: bytes) -> bytes:
        self._meanwhile()
        if self._simulator.faults.is_cut_off:
            raise Unreachable(reason="connection refused", sent=False)
        message = cms.parse(signed)
        stamp = stamper(self._authority, suite=CHEAP_SUITE)
        return cms.with_timestamp(signed, stamp(message.signer.signature))


OTHER_REGISTER_NUMBER = "4000777002"


class ShopFloor(ABC):
    """Two registers, their worker and the tax service, wherever the ledger lives.

    `ledger` is asked as tills ask it, `numbers` are the registers' fiscal numbers by id, `submitter` works the lanes and
    `server` is its client of the tax service. What names no register is about the first.
    """

    ledger: LedgerOfTills
    cashier_id: UUID
    numbers: Mapping[UUID, str]
    clock: ManualClock
    death: Death
    simulator: Simulator
    server: FiscalServerClient
    submitter: Submitter

    # --- what the places differ in ---------------------------------------------------------------------------------

    @abstractmethod
    def start_worker(self) -> None:
        """Start a worker process anew: it remembers nothing but the log."""

    @abstractmethod
    def command(self, key: str) -> CommandKey:
        """Return the identity of a till's command, which makes the id of what it issues."""

    @abstractmethod
    def recorded(self) -> tuple[FeedEvent, ...]:
        """Return what was recorded in this world so far; each stream's events in their order."""

    @abstractmethod
    def register(self, register_id: UUID | None = None) -> Register:
        """Return a register as the log has it now."""

    @abstractmethod
    def sold(self, receipt_id: UUID, *, register_id: UUID) -> SoldReceipt:
        """Return what came back of a sale of a register, as the log has it now."""

    @abstractmethod
    def sweep(self) -> None:
        """Settle the returns that can be settled, as housekeeping does. Raises: Killed."""

    @abstractmethod
    def _is_at_rest(self, register_id: UUID) -> bool:
        """Return whether nobody holds the register's lane and nothing is to be done on it."""

    # --- the network -----------------------------------------------------------------------------------------------

    def disturb(self, fault: Fault, *, times: int = 1) -> None:
        """Let a fault strike the next requests; it takes the place of what was to strike before."""
        with self.simulator.lock:
            self.simulator.faults.script([ScriptStep(fault=fault, times=times)])

    def cut_off(self, *, on: bool) -> None:
        """Cut the tax service off, or end that."""
        with self.simulator.lock:
            self.simulator.faults.cut_off(on=on)

    def calm(self) -> None:
        """End all faults and process what was held back."""
        with self.simulator.lock:
            self.simulator.faults.clear()
        self.simulator.process_late()

    # --- the worker ------------------------------------------------------------------------------------------------

    def work(self, register_id: UUID | None = None) -> int:
        """Let the worker look at a lane once; a killed one is started anew after its lease ran out."""
        try:
            return self.submitter.work(register_id or self._first)
        except Killed:
            self.start_worker()
            self.clock.advance(timedelta(seconds=RULES.lease_seconds + 1))
            return 1

    def settle(self) -> None:
        """Let time pass without faults until no lane has anything to do."""
        self.death.after = None
        self.calm()
        for register_id in self.numbers:
            self._settle_lane(register_id)

    def _settle_lane(self, register_id: UUID) -> None:
        for _ in range(200):
            self.work(register_id)
            parked = self.register(register_id).parked
            if parked is not None:
                # The script refused a document that nothing can follow; a person looks and lets it go on.
                assert parked.reason in INJECTED_PARKINGS, parked
                self.ledger.resume_lane(register_id=register_id, by="test", reason="injected")
            if self._is_at_rest(register_id):
                return
            self.clock.advance(timedelta(seconds=5))
        raise AssertionError("the lane does not come to rest")

    # --- the tax service -------------------------------------------------------------------------------------------

    def shift_is_open_there(self, register_id: UUID | None = None) -> bool:
        """Whether the tax service has a shift of the register open, without its Z-report."""
        found = self.simulator.book.find(self.numbers[register_id or self._first])
        return found is not None and found.shift is not None and found.shift.z_report is None

    def book(self, register_id: UUID | None = None) -> list[StoredDocument]:
        """The documents the tax service accepted from a register."""
        found = self.simulator.book.find(self.numbers[register_id or self._first])
        return [] if found is None else list(found.documents)

    def server_totals(self, register_id: UUID | None = None) -> ServerShiftTotals | None:
        """What the tax service counts in the register's last shift, as the worker would read it."""
        number = self.numbers[register_id or self._first]
        return self.server.shift_totals(key_id="olena", register=number)

    def totals_there(self, register_id: UUID | None = None) -> ShiftTotals:
        """What the tax service counts in the register's open shift."""
        found = self.server_totals(register_id)
        return ShiftTotals() if found is None or found.totals is None else found.totals

    @property
    def _first(self) -> UUID:
        return next(iter(self.numbers))


class World(ShopFloor):
    """A shop floor whose ledger lives in memory, in the process of its worker and its tax service."""

    def __init__(self, *, readings: Readings = DEFAULT_READINGS) -> None:
        self.clock = ManualClock(START)
        self.death = Death()
        store = MortalStore()
        store.death = self.death
        self.shop = Shop(clock=self.clock, store=store, readings=readings)
        self.store = store
        self.ledger = self.shop.ledger
        self.cashier_id = self.shop.cashier_id
        self.other_register_id = self.shop.add_register(OTHER_REGISTER_NUMBER, local_number=8)
        self.numbers = {
            self.shop.register_id: REGISTER_NUMBER,
            self.other_register_id: OTHER_REGISTER_NUMBER,
        }
        self.lanes: MemoryLanes = self.shop.lanes
        self.authority = stamping_authority(self.clock)
        self.simulator = tax_service(self.clock, self.authority)
        self.simulator.set_up(company_entry())
        self._new_id: Callable[[], UUID] = self.shop.ledger.new_id
        self.while_stamping: Callable[[], None] = lambda: None
        self.start_worker()

    def start_worker(self) -> None:
        """Start a worker process anew: it remembers nothing but the log."""
        self.store.forget_aggregates()
        self.server = FiscalServerClient(
            StraightToSimulator(self.simulator, clock=self.clock, death=self.death),
            signer=self.shop.signer,
            ticket_trust=None,
            readings=self.shop.readings,
            clock=self.clock,
        )
        self.submitter = Submitter(
            ledger=self.shop.ledger,
            lanes=self.lanes,
            server=self.server,
            timestamps=StraightStamps(
                self.simulator, self.authority, meanwhile=lambda: self.while_stamping()
            ),
            clock=self.clock,
            rules=RULES,
            owner="worker",
            skew_seconds=lambda: None,
        )

    def command(self, key: str) -> CommandKey:
        """Return the identity of a till's command, which makes the id of what it issues."""
        return CommandKey(scope="till", key=key, body_hash=b"body")

    def recorded(self) -> tuple[FeedEvent, ...]:
        """Return what was recorded so far."""
        return log_of(self.store)

    def register(self, register_id: UUID | None = None) -> Register:
        """Return a register as the log has it now."""
        return self.shop.register(register_id)

    def sold(self, receipt_id: UUID, *, register_id: UUID) -> SoldReceipt:
        """Return what came back of a sale of a register."""
        return self.store.read(
            SoldReceipt, sold_receipt_id(receipt_id), shard=shard_of(register_id)
        )

    def sweep(self) -> None:
        """Settle the returns that can be settled, as housekeeping does. Raises: Killed."""
        sweep(self.shop.ledger, self.store)

    def _is_at_rest(self, register_id: UUID) -> bool:
        lane = self.store.known.lanes.get((shard_of(register_id), register_id))
        return lane is None or (lane.due_at is None and lane.lease_until is None)

    def facts(self, kind: type[Fact]) -> list[Fact]:
        """The recorded events of a kind, in the order of the log."""
        recorded = self.store.page(Cursor(), 100_000).events
        return [stored.event for stored in recorded if isinstance(stored.event, kind)]

    def next_number(self) -> int:
        """The local number the tax service expects."""
        found = self.simulator.book.find(REGISTER_NUMBER)
        return 1 if found is None else found.next_local_number

    def seller(self) -> Seller:
        """The shop's names as documents carry them."""
        return Seller(
            tax_id=str(COMPANY["code"]),
            vat_number=str(COMPANY["vat"]),
            name=str(COMPANY["name"]),
            unit_name=str(UNIT["name"]),
            unit_address=str(UNIT["address"]),
        )


def stamping_authority(clock: ManualClock) -> TimestampAuthority:
    """The authority whose time-stamps the world's documents bear."""
    return TimestampAuthority(cheap_key("stamps", for_timestamps=True), clock=clock.now)


def tax_service(clock: ManualClock, authority: TimestampAuthority) -> Simulator:
    """A tax service that knows nobody yet."""
    key = cheap_key("tax-service")
    envelope = CmsEnvelope(signer=key, stamp=stamper(authority, suite=key.suite))
    return Simulator(clock=clock, envelope=envelope, authority=authority)


REGISTER_ENTRIES = (
    RegisterEntry(fiscal_number=REGISTER_NUMBER, local_number=7, name="Каса 7"),
    RegisterEntry(fiscal_number=OTHER_REGISTER_NUMBER, local_number=8, name="Каса 8"),
)


def company_entry(
    *keys: str, registers: tuple[RegisterEntry, ...] = REGISTER_ENTRIES
) -> CompanyEntry:
    """The shop as the tax service knows it."""
    return CompanyEntry(
        tin=str(COMPANY["code"]),
        ipn=str(COMPANY["vat"]),
        name=str(COMPANY["name"]),
        units=(
            UnitEntry(
                name=str(UNIT["name"]),
                address=str(UNIT["address"]),
                registers=registers,
            ),
        ),
        keys=tuple(
            KeyEntry(
                subject_key_id=cheap_key(key).certificate.subject_key_id_hex or "",
                name="Приклад О. П.",
                role=Role.SENIOR_CASHIER,
            )
            for key in keys or ("olena",)
        ),
    )


@lru_cache(maxsize=10_000)
def uids_of(subject_id: UUID, *, most: int = 20) -> frozenset[str]:
    """Every UID a document for this subject may have."""
    return frozenset(document_uid(document_id(subject_id, number=n)) for n in range(most))
