"""A simulated tax office in process, with one company and somebody who signs for it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from lxml import etree

from infra.signing import cms
from infra.signing.timestamp import TimestampAuthority, build_request
from infra.simulator.endpoints import Request
from infra.simulator.envelope import CmsEnvelope, stamper
from infra.simulator.faults import Resource
from infra.simulator.journal import Journal
from infra.simulator.kyiv import KYIV
from infra.simulator.registry import CompanyEntry, KeyEntry, RegisterEntry, Role, UnitEntry
from infra.simulator.replies import Reply
from infra.simulator.simulator import Simulator
from infra.simulator.switches import Switches
from tests.support.cheap_signer import CheapKey, cheap_key
from tests.unit.infra.simulator import documents as make

START = datetime(2026, 11, 5, 7, 0, tzinfo=UTC)

CASHIER = cheap_key("cashier", owner="Смерека Ольга Остапівна")
SECOND_CASHIER = cheap_key("second-cashier", owner="Клен Петро Іванович")
SENIOR = cheap_key("senior", owner="Явір Ганна Петрівна")
STRANGER = cheap_key("stranger", owner="Чужа Людина")
SERVER_KEY = cheap_key("tax-service")
STAMP_KEY = cheap_key("time-stamps", for_timestamps=True)

SIGNED = {"content-type": "application/octet-stream"}
BARE = {"content-type": "application/json; charset=UTF-8"}


class Clock:
    """A clock that is moved by hand."""

    def __init__(self, now: datetime = START) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def forward(self, **by: float) -> None:
        self.moment += timedelta(**by)


def key_id(key: CheapKey) -> str:
    value = key.certificate.subject_key_id_hex
    assert value is not None
    return value


def key_entry(key: CheapKey, role: Role = Role.CASHIER) -> KeyEntry:
    name = key.certificate.subject.common_name
    assert name is not None
    return KeyEntry(subject_key_id=key_id(key), name=name, role=role)


def company(**register: Any) -> CompanyEntry:
    """The company of ``documents``, with two registers; ``register`` changes the first one."""
    first: dict[str, Any] = {
        "fiscal_number": make.REGISTER,
        "local_number": make.DESK,
        "name": "Каса 4",
    }
    return CompanyEntry(
        tin=make.TIN,
        ipn=make.IPN,
        name=make.ORG_NAME,
        units=(
            UnitEntry(
                name=make.POINT_NAME,
                address=make.POINT_ADDRESS,
                registers=(
                    RegisterEntry(**(first | register)),
                    RegisterEntry(fiscal_number=make.OTHER_REGISTER, local_number=5),
                ),
            ),
        ),
        keys=(
            key_entry(CASHIER),
            key_entry(SECOND_CASHIER),
            key_entry(SENIOR, Role.SENIOR_CASHIER),
        ),
    )


def new_simulator(
    clock: Clock,
    *,
    switches: Switches | None = None,
    journal: Journal | None = None,
    **more: Any,
) -> Simulator:
    authority = TimestampAuthority(STAMP_KEY, clock=clock.now)
    return Simulator(
        clock=clock,
        envelope=CmsEnvelope(signer=SERVER_KEY, stamp=stamper(authority, suite=SERVER_KEY.suite)),
        authority=authority,
        switches=switches,
        journal=journal,
        **more,
    )


@dataclass
class Office:
    """The simulator, the time it is, and short ways to send it things."""

    switches: Switches = field(default_factory=Switches)
    clock: Clock = field(default_factory=Clock)
    entry: CompanyEntry = field(default_factory=company)

    def __post_init__(self) -> None:
        self.simulator = new_simulator(self.clock, switches=self.switches)
        self.simulator.set_up(self.entry)
        self._authority = TimestampAuthority(STAMP_KEY, clock=self.clock.now)
        self._stamp = stamper(self._authority, suite=CASHIER.suite)

    @property
    def local(self) -> datetime:
        """Local time without a zone, as documents state it."""
        return self.clock.now().astimezone(KYIV).replace(tzinfo=None)

    @property
    def number(self) -> int:
        """The number the first register's next document must have."""
        book = self.simulator.book.find(make.REGISTER)
        assert book is not None
        return book.next_local_number

    def signed(self, content: bytes, *, key: CheapKey = CASHIER, stamped: bool = True) -> bytes:
        message = cms.sign(content, signer=key)
        if not stamped:
            return message
        return cms.with_timestamp(message, self._stamp(cms.parse(message).signer.signature))

    def send(self, xml: bytes, *, key: CheapKey = CASHIER, stamped: bool = True) -> Reply:
        """Post a document and let a minute pass."""
        reply = self.simulator.doc(self.signed(xml, key=key, stamped=stamped), SIGNED)
        self.clock.forward(minutes=1)
        return reply

    def accept(self, xml: bytes, *, key: CheapKey = CASHIER) -> dict[str, str]:
        """Post a document that must be accepted; its ticket."""
        reply = self.send(xml, key=key)
        assert reply.status == 200, reply.body.decode("utf-8", "replace")
        return ticket_of(reply)

    def refused(self, xml: bytes, *, key: CheapKey = CASHIER, stamped: bool = True) -> str:
        """Post a document that must be refused; the text of the refusal."""
        reply = self.send(xml, key=key, stamped=stamped)
        assert reply.status in (400, 401, 404), reply.status
        return reply.body.decode("utf-8")

    def open(self, **changes: Any) -> dict[str, str]:
        return self.accept(make.open_shift(self.number, self.local, **changes))

    def sell(self, kopecks: int = 5000, **changes: Any) -> dict[str, str]:
        return self.accept(make.sale(self.number, self.local, kopecks, **changes))

    def command(
        self,
        command: str,
        *,
        key: CheapKey | None = CASHIER,
        as_json: bool = False,
        **parameters: Any,
    ) -> Reply:
        """A command, signed unless ``key`` is None."""
        body = orjson.dumps({"Command": command, "UID": "u-1", **parameters})
        if key is None:
            return self.simulator.cmd(body, BARE, result_as_json=as_json)
        signed = cms.sign(body, signer=key)
        return self.simulator.cmd(signed, SIGNED, result_as_json=as_json)

    def asked(self, command: str, *, key: CheapKey | None = CASHIER, **parameters: Any) -> Any:
        """The JSON answer of a command that must succeed."""
        reply = self.command(command, key=key, **parameters)
        assert reply.status == 200, (reply.status, reply.body.decode())
        return orjson.loads(reply.body)

    def state(self, key: CheapKey = CASHIER) -> Any:
        return self.asked("TransactionsRegistrarState", key=key, NumFiscal=make.REGISTER)

    def stamp_request(self) -> Reply:
        request = build_request(b"signature", suite=CASHIER.suite, nonce=7)
        return self.simulator.timestamp(request, {"content-type": "application/timestamp-query"})

    def post(self, resource: Resource, body: bytes, headers: Mapping[str, str]) -> Reply:
        return self.simulator.handle(Request(resource, body, headers))


def ticket_of(reply: Reply) -> dict[str, str]:
    """The ticket inside a reply, proven to be signed by the server."""
    return ticket_in(reply.body)


def ticket_in(signed: bytes) -> dict[str, str]:
    message = cms.parse(signed)
    assert cms.verify(message, trust=None) == SERVER_KEY.certificate
    assert message.content is not None
    root = etree.fromstring(message.content)
    assert root.tag == "TICKET"
    return {child.tag: child.text or "" for child in root}


def data_of(answer: Any) -> bytes:
    """The bytes in an answer's Data."""
    return base64.b64decode(answer["Data"])
