"""Keys of a test authority, and clients of a fiscal server at any address."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import uuid4

import pytest

from domain.answers import ServerShiftTotals, Ticket
from domain.clock import SystemClock, whole_second
from domain.documents.receipt import Receipt
from domain.documents.shift import (
    DocumentKind,
    FiscalDocument,
    ShiftClosingContent,
    ShiftOpening,
    ZReport,
)
from domain.documents.xml import to_xml
from domain.ports import TimestampAuthority
from infra.fiscal_server.client import HttpFiscalServer
from infra.signing import cms
from infra.signing.development import DevelopmentKeyStore, Holder, KeyPurpose
from infra.signing.local_signer import LocalSigner
from infra.signing.timestamp import TimestampAuthority as TimestampService
from infra.signing.timestamp_client import TsaClient
from infra.simulator.envelope import CmsEnvelope, stamper
from infra.simulator.registry import CompanyEntry, KeyEntry, RegisterEntry, Role, UnitEntry
from infra.simulator.server import BackgroundServer, SimulatorServer
from infra.simulator.simulator import Simulator
from infra.simulator.switches import Switches
from tests import examples

CASHIER_KEY = "cashier"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentKeyStore:
    """A test authority with a cashier's key and the tax service's."""
    store = DevelopmentKeyStore(tmp_path_factory.mktemp("keys") / "store")
    store.ensure(CASHIER_KEY, Holder(common_name="Приклад Олена", company_code="99900011"))
    store.ensure("server", Holder(common_name="Сервер"), purpose=KeyPurpose.TICKETS)
    return store


@pytest.fixture(scope="session")
def sealed(keys: DevelopmentKeyStore) -> Callable[[bytes], bytes]:
    """Signs content as the tax service does."""
    signer = keys.open("server").signer
    return lambda content: cms.sign(content, signer=signer)


class Connect(Protocol):
    """Makes a client of the server at an address; keyword arguments as HttpFiscalServer has them."""

    def __call__(self, url: str, **arguments: Any) -> HttpFiscalServer: ...


@pytest.fixture
def connect(keys: DevelopmentKeyStore) -> Iterator[Connect]:
    with ExitStack() as opened:

        def make(url: str, **arguments: Any) -> HttpFiscalServer:
            defaults: dict[str, Any] = {
                "signer": LocalSigner(keys),
                "ticket_trust": keys.trust_anchors(),
                "connect_timeout_seconds": 0.5,
                "answer_timeout_seconds": 0.5,
            }
            return opened.enter_context(HttpFiscalServer(url, **(defaults | arguments)))

        yield make


@pytest.fixture(scope="session")
def signed_document(keys: DevelopmentKeyStore) -> bytes:
    """A signed message of the size of a document."""
    return cms.sign(b"<CHECK>" + b" " * 2_000 + b"</CHECK>", signer=keys.open(CASHIER_KEY).signer)


REGISTER = "4000777001"
Content = Receipt | ZReport | ShiftOpening | ShiftClosingContent


@dataclass
class Shop:
    """One register at the simulated service: makes documents, signs, stamps and submits them."""

    simulator: Simulator
    server: HttpFiscalServer
    stamps: TimestampAuthority
    keys: DevelopmentKeyStore
    next_number: int = 1

    @property
    def asking(self) -> dict[str, Any]:
        return {"key_id": CASHIER_KEY, "register": REGISTER}

    def document(self, kind: DocumentKind, content: Content) -> FiscalDocument:
        heading = examples.heading(self.next_number, whole_second(datetime.now(UTC)))
        return FiscalDocument(kind, replace(heading, uid=uuid4()), content)

    def stamped(self, document: FiscalDocument) -> bytes:
        signed = LocalSigner(self.keys).sign(key_id=CASHIER_KEY, content=to_xml(document))
        return self.stamps.stamp(signed)

    def register(self, kind: DocumentKind, content: Content) -> tuple[FiscalDocument, Ticket]:
        document = self.document(kind, content)
        ticket = self.server.submit(self.stamped(document))
        self.next_number += 1
        return document, ticket

    def open_shift(self) -> tuple[FiscalDocument, Ticket]:
        return self.register(DocumentKind.SHIFT_OPENING, ShiftOpening())

    def totals(self) -> ServerShiftTotals:
        found = self.server.shift_totals(**self.asking)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def running_simulator(
    keys: DevelopmentKeyStore,
) -> Iterator[tuple[Simulator, SimulatorServer]]:
    clock = SystemClock()
    stamp_key = keys.ensure(
        "stamps", Holder(common_name="Позначки часу"), purpose=KeyPurpose.TIMESTAMPS
    )
    authority = TimestampService(stamp_key.signer, clock=clock.now)
    signer = keys.open("server").signer
    simulator = Simulator(
        clock=clock,
        envelope=CmsEnvelope(signer=signer, stamp=stamper(authority, suite=signer.suite)),
        authority=authority,
    )
    # With a port of its own for the administrator the public one really closes when cut off.
    with BackgroundServer(SimulatorServer(simulator, admin_port=0)) as server:
        yield simulator, server


@pytest.fixture
def running(running_simulator: tuple[Simulator, SimulatorServer]) -> SimulatorServer:
    return running_simulator[1]


@pytest.fixture
def simulator(
    running_simulator: tuple[Simulator, SimulatorServer], keys: DevelopmentKeyStore
) -> Simulator:
    """The service without documents, faults and switches, knowing one company."""
    simulator, _ = running_simulator
    simulator.reset(keep_registry=False)
    simulator.switches = Switches()
    simulator.set_up(
        CompanyEntry(
            tin="99900011",
            ipn="999000110019",
            name=examples.SELLER.name,
            units=(
                UnitEntry(
                    name=examples.SELLER.unit_name,
                    address=examples.SELLER.unit_address or "",
                    registers=(
                        RegisterEntry(fiscal_number=REGISTER, local_number=7, name="Каса 7"),
                    ),
                ),
            ),
            keys=(
                KeyEntry(
                    subject_key_id=keys.open(CASHIER_KEY).description.subject_key_id,
                    name="Приклад Олена Петрівна",
                    role=Role.SENIOR_CASHIER,
                    registration_number="12",
                ),
            ),
        )
    )
    return simulator


@pytest.fixture
def shop(
    simulator: Simulator,
    running: SimulatorServer,
    connect: Connect,
    keys: DevelopmentKeyStore,
) -> Iterator[Shop]:
    server = connect(f"{running.base_url}/fs", answer_timeout_seconds=5)
    with TsaClient(
        [f"{running.base_url}/tsa"],
        timeout_seconds=5,
        connect_timeout_seconds=1,
        trust=keys.trust_anchors(),
    ) as stamps:
        yield Shop(simulator, server, stamps, keys)
