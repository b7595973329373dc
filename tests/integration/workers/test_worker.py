"""The worker as it runs: real PostgreSQL, real signing agent, the simulator over sockets, both brokers."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import SecretStr

from domain.clock import SystemClock, whole_second
from domain.documents.shift import DocumentKind, FiscalDocument, Heading
from domain.documents.xml import to_xml
from domain.identifiers import shard_of
from domain.ledger import FiscalLedger
from domain.register.aggregate import Register
from domain.register.events import DocumentRegistered, ZReportMade
from domain.sale import price_sale
from infra.event_store.feed import Cursor
from infra.event_store.store import PostgresStore
from infra.postgres import application_dsn
from infra.settings import Settings
from infra.signing.client import AgentSigner
from infra.signing.development import DevelopmentKeyStore, Holder, KeyPurpose
from infra.signing.timestamp import TimestampAuthority
from infra.simulator.envelope import CmsEnvelope, stamper
from infra.simulator.faults import Fault, FaultKind, ScriptStep
from infra.simulator.registry import CompanyEntry, KeyEntry, RegisterEntry, Role, UnitEntry
from infra.simulator.server import BackgroundServer, SimulatorServer
from infra.simulator.simulator import Simulator
from infra.simulator.switches import Switches
from tests.support.shop import COMPANY, UNIT, sale
from tests.support.signing_agent import AgentProcess
from workers import main as worker

REGISTERS = ("4000777001", "4000777002", "4000777003")
PATIENCE_SECONDS = 30.0


@dataclass
class Outlet:
    """Registers of one outlet, the ledger over them, and the tax service."""

    ledger: FiscalLedger
    store: PostgresStore
    simulator: Simulator
    registers: dict[str, UUID]
    cashier_id: UUID

    def wait_until(self, well: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not well():
            assert time.monotonic() < until, f"{what}: {self.accepted()}"
            time.sleep(0.02)

    def accepted(self) -> dict[str, list[tuple[int, str]]]:
        """What the tax service has, by register."""
        books = {number: self.simulator.book.find(number) for number in self.registers}
        return {
            number: []
            if book is None
            else [(d.local_number, d.fiscal_number) for d in book.documents]
            for number, book in books.items()
        }

    def recorded(self) -> dict[str, list[tuple[int, str]]]:
        """What the log says is registered, by register, in the order it was recorded."""
        names = {register_id: number for number, register_id in self.registers.items()}
        found: dict[str, list[tuple[int, str]]] = {number: [] for number in self.registers}
        for stored in self.store.page(Cursor(), 100_000).events:
            if stored.topic == DocumentRegistered.TOPIC:
                event = stored.event
                found[names[stored.stream_id]].append((event.local_number, event.fiscal_number))
        return found

    def register(self, number: str) -> Register:
        register_id = self.registers[number]
        return self.store.refresh(Register, register_id, shard=shard_of(register_id))


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    with AgentProcess(tmp_path_factory.mktemp("agent")) as process:
        yield process


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[tuple[Simulator, str, DevelopmentKeyStore]]:
    keys = DevelopmentKeyStore(tmp_path / "tax-service")
    signer = keys.ensure("server", Holder("Сервер"), purpose=KeyPurpose.TICKETS).signer
    stamps = keys.ensure("stamps", Holder("Позначки"), purpose=KeyPurpose.TIMESTAMPS).signer
    clock = SystemClock()
    authority = TimestampAuthority(stamps, clock=clock.now)
    made = Simulator(
        clock=clock,
        envelope=CmsEnvelope(signer=signer, stamp=stamper(authority, suite=signer.suite)),
        authority=authority,
        switches=Switches(),
    )
    with BackgroundServer(SimulatorServer(made, admin_port=0)) as server:
        yield made, server.base_url, keys


@pytest.fixture(params=["in-process broker", "RabbitMQ"])
def outlet(
    request: pytest.FixtureRequest,
    postgres_dsn: str,
    agent: AgentProcess,
    simulator: tuple[Simulator, str, DevelopmentKeyStore],
    tmp_path: Path,
) -> Iterator[Outlet]:
    broker = request.getfixturevalue("rabbitmq_url") if request.param == "RabbitMQ" else None
    tax_service, url, keys = simulator
    settings = Settings(
        data_dir=tmp_path,
        database_dsn=SecretStr(postgres_dsn),
        broker_url=None if broker is None else SecretStr(broker),
        broker_queue=f"test-{uuid4()}",
        signer_socket=agent.socket_path,
        simulator_url=url,
        trust_dir=_trust(tmp_path / "trust", keys),
        worker_threads=4,
        connect_timeout_seconds=0.5,
        answer_timeout_seconds=0.7,
        lease_seconds=5,
        sweep_seconds=0.2,
        retry_first_seconds=0.1,
        retry_longest_seconds=0.5,
    )
    store = PostgresStore(application_dsn(postgres_dsn))
    stop = threading.Event()
    running = threading.Thread(target=worker.run, args=(settings, stop))
    with AgentSigner(agent.socket_path) as signer:
        key = signer.ensure_development_key(
            "olena", Holder("Приклад О. П.", company_code=str(COMPANY["code"]))
        )
        ledger = FiscalLedger(store=store, signer=signer, clock=SystemClock(), new_id=uuid4)
        made = _structure(ledger, store, tax_service, key_id=key.subject_key_id)
        running.start()
        yield made
        stop.set()
        running.join()
    store.close()


def _trust(folder: Path, keys: DevelopmentKeyStore) -> Path:
    folder.mkdir()
    (folder / "simulator.cer").write_bytes(keys.authority_certificate.raw)
    return folder


def _structure(
    ledger: FiscalLedger, store: PostgresStore, tax_service: Simulator, *, key_id: str
) -> Outlet:
    company_id = ledger.register_company(**COMPANY)
    unit_id = ledger.register_business_unit(company_id=company_id, **UNIT)
    cashier_id = ledger.enrol_cashier(company_id=company_id, name="Приклад О. П.", key_id="olena")
    registers = {}
    for local_number, number in enumerate(REGISTERS, start=1):
        registers[number] = ledger.add_register(
            business_unit_id=unit_id,
            fiscal_number=number,
            local_number=local_number,
            name=f"Каса {local_number}",
            live=False,
        )
    entries = tuple(
        RegisterEntry(fiscal_number=number, local_number=local_number)
        for local_number, number in enumerate(REGISTERS, start=1)
    )
    tax_service.set_up(
        CompanyEntry(
            tin=str(COMPANY["code"]),
            ipn=str(COMPANY["vat"]),
            name=str(COMPANY["name"]),
            units=(
                UnitEntry(name=str(UNIT["name"]), address=str(UNIT["address"]), registers=entries),
            ),
            keys=(KeyEntry(subject_key_id=key_id, name="Приклад О. П.", role=Role.SENIOR_CASHIER),),
        )
    )
    return Outlet(ledger, store, tax_service, registers, cashier_id)


def _live_a_day(outlet: Outlet, *, sales: int) -> None:
    for register_id in outlet.registers.values():
        outlet.ledger.open_shift(register_id=register_id, cashier_id=outlet.cashier_id)
    for number in range(sales):
        for register_id in outlet.registers.values():
            outlet.ledger.sell(register_id=register_id, request=sale(1000 + number))
    for register_id in outlet.registers.values():
        outlet.ledger.close_shift(register_id=register_id)
    outlet.wait_until(
        lambda: all(outlet.register(number).shift is None for number in REGISTERS),
        "every shift closes",
    )


class TestDay:
    def test_every_document_is_registered_in_order_and_the_shifts_close(
        self, outlet: Outlet
    ) -> None:
        _live_a_day(outlet, sales=5)
        assert outlet.recorded() == outlet.accepted()
        for documents in outlet.accepted().values():
            assert [local_number for local_number, _ in documents] == list(range(1, 9))

    def test_a_lost_answer_is_asked_for_and_never_registered_twice(self, outlet: Outlet) -> None:
        for number in REGISTERS:
            outlet.simulator.faults.script(
                [
                    ScriptStep(fault=None, times=2),
                    ScriptStep(fault=Fault(kind=FaultKind.ANSWER_LOST)),
                    ScriptStep(fault=Fault(kind=FaultKind.RESET)),
                    ScriptStep(fault=Fault(kind=FaultKind.SERVER_ERROR, status=503)),
                    ScriptStep(fault=Fault(kind=FaultKind.WRONG_TICKET_UID)),
                ],
                register=number,
            )
        _live_a_day(outlet, sales=4)
        assert outlet.recorded() == outlet.accepted()
        assert all(len(documents) == 7 for documents in outlet.accepted().values())
        learned = {
            stored.event.learned
            for stored in outlet.store.page(Cursor(), 100_000).events
            if stored.topic == DocumentRegistered.TOPIC
        }
        assert learned == {"ticket", "inquiry"}


class TestTrouble:
    def test_while_cut_off_the_lane_names_the_reason_and_goes_on_by_itself(
        self, outlet: Outlet, postgres_dsn: str
    ) -> None:
        number = REGISTERS[0]
        register_id = outlet.registers[number]
        outlet.ledger.open_shift(register_id=register_id, cashier_id=outlet.cashier_id)
        outlet.wait_until(lambda: len(outlet.accepted()[number]) == 1, "the shift opens")
        outlet.simulator.faults.cut_off(on=True)
        outlet.ledger.sell(register_id=register_id, request=sale())
        outlet.wait_until(
            lambda: "tax-service-unreachable" in _lane_reason(postgres_dsn, register_id),
            "the lane says why it waits",
        )
        outlet.simulator.faults.cut_off(on=False)
        outlet.wait_until(lambda: len(outlet.accepted()[number]) == 2, "the sale arrives")
        outlet.wait_until(lambda: outlet.register(number).outstanding is None, "it is recorded")
        assert outlet.recorded() == outlet.accepted()

    def test_a_register_without_rights_is_parked_and_the_others_go_on(self, outlet: Outlet) -> None:
        parked, *others = REGISTERS
        outlet.simulator.faults.script(
            [ScriptStep(fault=Fault(kind=FaultKind.REFUSE_CODE, code=2))], register=parked
        )
        for register_id in outlet.registers.values():
            outlet.ledger.open_shift(register_id=register_id, cashier_id=outlet.cashier_id)
        outlet.wait_until(
            lambda: outlet.register(parked).parked is not None, "the register is parked"
        )
        outlet.wait_until(
            lambda: all(len(outlet.accepted()[number]) == 1 for number in others), "others go on"
        )
        stop = outlet.register(parked).parked
        assert stop is not None
        assert stop.server_code == 2
        outlet.ledger.resume_lane(
            register_id=outlet.registers[parked], by="test", reason="права видано"
        )
        outlet.wait_until(lambda: len(outlet.accepted()[parked]) == 1, "it goes on")

    def test_documents_of_a_second_device_are_adopted_and_counted(self, outlet: Outlet) -> None:
        number = REGISTERS[0]
        register_id = outlet.registers[number]
        outlet.ledger.open_shift(register_id=register_id, cashier_id=outlet.cashier_id)
        outlet.wait_until(
            lambda: (
                outlet.register(number).outstanding is None and len(outlet.accepted()[number]) == 1
            ),
            "the shift opens",
        )
        outlet.simulator.register_foreign(number, xml=foreign_sale(outlet, number, local_number=2))
        outlet.ledger.sell(register_id=register_id, request=sale(500))
        outlet.wait_until(lambda: len(outlet.accepted()[number]) == 3, "the sale gets number 3")
        outlet.wait_until(lambda: outlet.register(number).outstanding is None, "it is recorded")
        register = outlet.register(number)
        assert register.next_local_number == 4
        assert register.shift is not None
        assert register.shift.totals.sales.count == 2
        outlet.ledger.close_shift(register_id=register_id)
        outlet.wait_until(lambda: outlet.register(number).shift is None, "the shift closes")
        (made,) = [
            stored.event
            for stored in outlet.store.page(Cursor(), 100_000).events
            if stored.topic == ZReportMade.TOPIC
        ]
        assert made.differences == ()

    def test_what_we_cannot_count_goes_into_z_as_the_service_has_it_and_is_named(
        self, outlet: Outlet
    ) -> None:
        number = REGISTERS[0]
        register_id = outlet.registers[number]
        outlet.ledger.open_shift(register_id=register_id, cashier_id=outlet.cashier_id)
        outlet.wait_until(lambda: len(outlet.accepted()[number]) == 1, "the shift opens")
        outlet.wait_until(lambda: outlet.register(number).outstanding is None, "it is recorded")
        # A pawnshop's document: the service counts it among the sales, our types cannot hold it.
        pawned = foreign_sale(outlet, number, local_number=2)
        outlet.simulator.register_foreign(number, xml=pawned.replace(b"<DOCTYPE>0", b"<DOCTYPE>4"))
        outlet.ledger.sell(register_id=register_id, request=sale(500))
        outlet.ledger.close_shift(register_id=register_id)
        outlet.wait_until(lambda: outlet.register(number).shift is None, "the shift closes")
        (made,) = [
            stored.event
            for stored in outlet.store.page(Cursor(), 100_000).events
            if stored.topic == ZReportMade.TOPIC
        ]
        assert "sales.total" in made.differences
        assert made.z_report.totals == made.server


def foreign_sale(outlet: Outlet, number: str, *, local_number: int) -> bytes:
    """A sale as another device of the shop would have made it."""
    shift = outlet.register(number).shift
    assert shift is not None
    receipt = price_sale(
        sale(700),
        receipt_id=uuid4(),
        tax_groups=shift.tax_groups,
        cash_step=shift.cash_step,
        issued_at=SystemClock().now(),
        cashier_id=None,
        cashier_name=None,
    )
    heading = Heading(
        uid=uuid4(),
        seller=shift.seller,
        register_fiscal_number=number,
        register_local_number=1,
        local_number=local_number,
        at=whole_second(SystemClock().now()),
        cashier_name=None,
    )
    return to_xml(FiscalDocument(kind=DocumentKind.SALE, heading=heading, content=receipt))


def _lane_reason(dsn: str, register_id: UUID) -> str:
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT reason FROM lanes WHERE register_id = %s", [register_id]
        ).fetchone()
    return "" if found is None or found[0] is None else str(found[0])
