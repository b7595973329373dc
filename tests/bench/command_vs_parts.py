"""A whole sale against the bare parts nobody can do without: validate, write XML, sign, insert.

Both begin with the same JSON body and end with a committed row. The parts stand alone: no state, no prices, no
numbers, no events, no idempotency; a document of the same elements built and written by lxml, as one does; one row
for each signed document, inserted and committed by the thread that made it. The whole is what the ledger does, with
32 sales in flight on registers that have nothing else to do, so that each sale is signed in its own commit.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import orjson
from lxml import etree

from api.schemas.sales import SaleBody
from domain.identifiers import shard_of
from domain.ledger.base import document_ref
from domain.ports import CommandKey, StoredKind
from domain.register.aggregate import Register
from infra.event_store.store import PostgresStore
from infra.postgres import application_dsn, connect
from infra.signing import cms
from tests.bench.context import Context
from tests.bench.figures import Figure, median
from tests.bench.registers import Network, copies_of, open_network
from tests.support.cheap_signer import CheapSigner

IN_FLIGHT = 32
WRITERS = 8
"""Threads of the bare parts: what `append_vs_raw` compares with, and faster here than 32."""
BLOCKS = 24
SALES_A_BLOCK = 400
BODY = orjson.dumps(
    {
        "lines": [
            {
                "name": name,
                "quantity_thousandths": 1000,
                "price_kopecks": price,
                "letters": "А",
                "code": code,
                "unit_name": "шт",
            }
            for name, price, code in (
                ("Хліб житній", 2748, "1002"),
                ("Молоко 2,5 %", 4790, "1003"),
                ("Сир твердий", 18_990, "2040"),
                ("Яблука", 3_215, "3111"),
            )
        ],
        "payments": [{"form": "cash", "provided_kopecks": 50_000}],
    }
)


def measure(context: Context) -> list[Figure]:
    """Return `command_vs_parts`: whole sales per second over bare ones."""
    blocks, sales = context.pick(BLOCKS, 1), context.pick(SALES_A_BLOCK, 40)
    with (
        context.database() as dsn,
        PostgresStore(application_dsn(dsn), name="bench", cached_aggregates=50_000) as store,
    ):
        network = open_network(store)
        with connect(dsn, name="seed") as owner:
            registers = iter(copies_of(network, owner, sales * (blocks + 1)))
            owner.execute("CREATE TABLE bench_parts (id uuid PRIMARY KEY, signed bytea NOT NULL)")
            owner.execute("VACUUM (ANALYZE)")
        document = _document(network)
        _whole(network, list(itertools.islice(registers, sales)))
        _parts(dsn, document, sales)
        whole, parts = [], []
        for _ in range(blocks):
            parts.append(_parts(dsn, document, sales))
            whole.append(_whole(network, list(itertools.islice(registers, sales))))
    ratios = [ours / bare for ours, bare in zip(whole, parts, strict=True)]
    return [
        Figure(
            name="command_vs_parts",
            value=median(ratios),
            unit="x",
            against="validate + XML + sign + insert",
            now=0.5,
            aim=0.7,
            detail=(
                f"{median(whole):,.0f} sales/s with {IN_FLIGHT} in flight"
                f" against {median(parts):,.0f}/s by {WRITERS} threads; 4 lines, cheap signer"
            ),
        )
    ]


Element = tuple[str, dict[str, str], str | list["Element"]]
"""An element as plain data: tag, attributes, text or children."""


def _document(network: Network) -> Element:
    """Return the elements of the document that the ledger itself makes of the body."""
    body = SaleBody.model_validate_json(BODY)
    network.ledger.sell(register_id=network.register_id, request=body.to_domain())
    shard = shard_of(network.register_id)
    register = network.store.read(Register, network.register_id, shard=shard)
    outstanding = register.outstanding
    assert outstanding is not None
    ref = document_ref(
        register.id,
        document_id=outstanding.document_id,
        at=outstanding.at,
        kind=StoredKind.SIGNED,
    )
    xml = cms.parse(network.store.document(ref)).content
    assert xml is not None
    return _plain(etree.fromstring(xml))


def _plain(element: etree._Element) -> Element:
    children = [_plain(child) for child in element]
    attributes = {str(name): str(value) for name, value in element.attrib.items()}
    return str(element.tag), attributes, children or element.text or ""


def _written(document: Element) -> bytes:
    """Return the document built and written by lxml."""
    tag, attributes, content = document
    root = etree.Element(tag, attributes)
    _fill(root, content)
    written = etree.tostring(root, encoding="windows-1251", xml_declaration=True)
    assert isinstance(written, bytes)
    return written


def _fill(element: etree._Element, content: str | list[Element]) -> None:
    if isinstance(content, str):
        element.text = content
        return
    for tag, attributes, inner in content:
        _fill(etree.SubElement(element, tag, attributes), inner)


def _whole(network: Network, registers: list[UUID]) -> float:
    """Sell once on each register; return sales per second."""
    for register_id in registers:
        network.store.read(Register, register_id, shard=shard_of(register_id))

    def sell(register_id: UUID) -> None:
        request = SaleBody.model_validate_json(BODY).to_domain()
        command = CommandKey(scope="bench", key=uuid4().hex, body_hash=bytes(32))
        issued = network.ledger.sell(register_id=register_id, request=request, command=command)
        assert issued.local_number is not None, "the sale was not signed"

    def worker(work: Iterator[UUID]) -> None:
        for register_id in work:
            sell(register_id)

    return _rate(worker, registers, threads=IN_FLIGHT)


def _parts(dsn: str, document: Element, sales: int) -> float:
    """Do the parts so many times; return how often per second."""
    signer = CheapSigner()

    def worker(work: Iterator[UUID]) -> None:
        with connect(dsn, name="bench parts") as connection:
            for identity in work:
                SaleBody.model_validate_json(BODY)
                signed = signer.sign(key_id="olena", content=_written(document))
                connection.execute(
                    "INSERT INTO bench_parts VALUES (%s, %s)", [identity, signed], prepare=True
                )

    return _rate(worker, [uuid4() for _ in range(sales)], threads=WRITERS)


def _rate(worker: Callable[[Iterator[UUID]], None], work: list[UUID], *, threads: int) -> float:
    """Let threads share the work; return how much of it was done per second."""
    # `next` of a list's iterator is atomic: each id goes to one thread.
    shared = iter(work)
    faults: list[Exception] = []

    def run() -> None:
        try:
            worker(shared)
        except Exception as fault:
            faults.append(fault)
            raise

    running = [threading.Thread(target=run) for _ in range(threads)]
    started = time.monotonic()
    for each in running:
        each.start()
    for each in running:
        each.join()
    assert not faults, faults
    return len(work) / (time.monotonic() - started)
