"""A till that works offline: it numbers, links and signs its documents, then packs them."""

import hashlib
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from infra.simulator.replies import Reply
from tests.support.cheap_signer import CheapKey
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import CASHIER, SIGNED, Office


def control(xml: bytes, *, seed: int) -> int:
    """The control number of a document, computed apart from the simulator's own code."""
    root = etree.fromstring(xml)
    head = root[0]
    names = ("ORDERDATE", "ORDERTIME", "ORDERNUM", "CASHREGISTERNUM", "CASHDESKNUM")
    parts = [str(seed), *(head.findtext(name) or "" for name in names)]
    total = root.findtext("CHECKTOTAL/SUM")
    parts += [value for value in (total, head.findtext("PREVDOCHASH")) if value is not None]
    checksum = zlib.crc32(",".join(parts).encode("ascii"))
    return int(struct.unpack("<I", struct.pack(">I", checksum))[0] % 10_000) or 1


def framed(documents: Sequence[bytes]) -> bytes:
    return b"".join(struct.pack("<I", len(each)) + each for each in documents)


@dataclass
class OfflineTill:
    """Makes one session's documents in order; ``packed`` waits for the next package."""

    office: Office
    key: CheapKey = CASHIER
    start: int | None = None
    packed: list[bytes] = field(default_factory=list)
    position: int = 0
    previous: bytes = b""
    last_number: str = ""

    def __post_init__(self) -> None:
        book = self.office.simulator.book.find(make.REGISTER)
        assert book is not None
        self.session_id, self.seed = book.session.session_id, book.session.seed
        self.next_local = self.start or book.next_local_number

    def add(
        self,
        build: Callable[..., bytes],
        *args: Any,
        tax_number: str | None = None,
        key: CheapKey | None = None,
        stamped: bool = False,
        **changes: Any,
    ) -> None:
        """One more document; ``changes`` override what the rules ask for. A minute passes."""
        self.position += 1
        if self.position > 2 and "PREVDOCHASH" not in changes:
            changes["PREVDOCHASH"] = hashlib.sha256(self.previous).hexdigest()
        number = changes.pop("number", self.next_local)
        changes.setdefault("OFFLINE", "true")
        at = changes.pop("at", self.office.local)
        plain = build(number, at, *args, ORDERTAXNUM="1.1.1", **changes)
        self.last_number = tax_number or (
            f"{self.session_id}.{self.position}.{control(plain, seed=self.seed)}"
        )
        xml = build(number, at, *args, ORDERTAXNUM=self.last_number, **changes)
        self.previous = self.office.signed(xml, key=key or self.key, stamped=stamped)
        self.packed.append(self.previous)
        self.next_local = number + 1
        self.office.clock.forward(minutes=1)

    def begin(self, **changes: Any) -> "OfflineTill":
        self.add(make.check, document_type=102, **changes)
        return self

    def sell(self, kopecks: int = 5000, **changes: Any) -> "OfflineTill":
        self.add(make.sale, kopecks, **changes)
        return self

    def end(self, **changes: Any) -> "OfflineTill":
        self.add(make.check, document_type=103, **changes)
        return self

    def post(self, *, key: CheapKey | None = None) -> Reply:
        """Send what is packed to the package address."""
        content, self.packed = framed(self.packed), []
        message = self.office.signed(content, key=key or self.key, stamped=False)
        return self.office.simulator.package(message, SIGNED)

    def deliver(self) -> bytes:
        """A package that must be taken; the answer's body."""
        reply = self.post()
        assert reply.status == 200, reply.body.decode()
        return reply.body

    def refused(self) -> str:
        """A package that must be refused with HTTP 400; the text."""
        reply = self.post()
        assert reply.status == 400, reply.body
        return reply.body.decode()
