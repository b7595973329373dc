"""Submission: the worker draining a prepared backlog, against bare posts, and against what its threads could do.

1. `submission_vs_post`: as many time-stamp requests and documents as the worker sends, prepared beforehand, posted by as
   many threads with a bare httpx client each to the same simulator; in turns. What the worker does besides: claims,
   commits of attempt and outcome, checks of stamp and ticket, the next signature.
2. `submission_at_latency`: every document takes 300 ms in all at the tax service; 32 threads on 200 registers could do
   32 / 0.3 documents a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx

from domain.clock import whole_second
from domain.documents.shift import DocumentKind, FiscalDocument, Heading
from domain.documents.xml import to_xml
from domain.identifiers import shard_of
from domain.register.aggregate import Register
from domain.sale import price_sale
from infra.event_store.writing import LANES_CHANNEL
from infra.postgres import connect
from infra.signing import cms
from infra.signing.suites import SUITES
from infra.signing.timestamp import build_request, token_of_response
from tests.bench.chain_store import SALE, ChainStore, chain_store, in_threads
from tests.bench.context import Context
from tests.bench.figures import Figure, median
from tests.support.deployment import Deployment

THREADS = 32
LATENCY_SECONDS = 0.3
_PATIENCE_SECONDS = 600.0
_STAMP_TYPE = {"content-type": "application/timestamp-query"}
_DOCUMENT_TYPE = {"content-type": "application/octet-stream"}
# The worker may take its time to get under way and to run out of lanes: neither is its speed.
_WINDOW = (0.10, 0.75)

_HOLD = "UPDATE lanes SET due_at = now() + interval '1 day' WHERE due_at IS NOT NULL"
_LET_GO = "UPDATE lanes SET due_at = now() WHERE due_at IS NOT NULL"
_BUSY = "SELECT count(*) FROM lanes WHERE due_at IS NOT NULL OR lease_until IS NOT NULL"
_REGISTERED = """
    SELECT recorded_at FROM events WHERE topic = 'register.document-registered' AND recorded_at > %s
    ORDER BY recorded_at
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The two requests that one document takes."""

    stamp_request: bytes
    stamped: bytes


def measure(context: Context) -> list[Figure]:
    """Return `submission_vs_post` and `submission_at_latency`."""
    registers = context.pick(200, 10)
    with (
        context.database() as dsn,
        Deployment(
            context.folder / "data", dsn=dsn, worker_threads=THREADS, projects=False
        ) as deployment,
        chain_store(deployment, registers=2 * registers) as chain,
    ):
        chain.wait_until_registered(2 * registers)
        ours, bare = chain.ids[:registers], chain.ids[registers:]
        return [
            _against_posts(context, chain, ours, bare),
            _at_latency(context, chain, ours),
        ]


# --- against bare posts ---------------------------------------------------------------------------------


def _against_posts(
    context: Context, chain: ChainStore, ours: Sequence[UUID], bare: Sequence[UUID]
) -> Figure:
    each, blocks = context.pick(5, 1), context.pick(5, 1)
    worker, posts = [], []
    for block in range(blocks + 1):
        prepared = [
            _prepared(chain, register_id, first=2 + block * each, count=each)
            for register_id in bare
        ]
        posts.append(each * len(bare) / _post_all(chain, prepared))
        worker.append(each * len(ours) / _drained(chain, ours, each=each))
    ratios = [w / p for w, p in zip(worker[1:], posts[1:], strict=True)]
    return Figure(
        name="submission_vs_post",
        value=median(ratios),
        unit="x",
        against="bare POSTs of time-stamp requests and documents",
        now=0.5,
        aim=0.7,
        detail=f"{median(worker[1:]):,.0f} documents/s by the worker, {median(posts[1:]):,.0f} by bare posts, "
        f"{THREADS} threads each, the simulator on the same machine",
    )


def _drained(chain: ChainStore, registers: Sequence[UUID], *, each: int) -> float:
    """Return the seconds in which the worker registers `each` receipts of every register."""
    worker = chain.deployment.workers[0]
    worker.stop()
    chain.sell(each=each, registers=registers)
    with connect(chain.deployment.dsn, name="bench") as connection:
        connection.execute(_HOLD)
        worker.start()
        chain.deployment.wait_until_ready()
        started = time.monotonic()
        connection.execute(_LET_GO)
        connection.execute("SELECT pg_notify(%s, '')", [LANES_CHANNEL])
        while connection.execute(_BUSY).fetchone() != (0,):
            assert time.monotonic() < started + _PATIENCE_SECONDS, "the worker does not get done"
            time.sleep(0.02)
        return time.monotonic() - started


def _prepared(
    chain: ChainStore, register_id: UUID, *, first: int, count: int
) -> tuple[Prepared, ...]:
    """Return documents as the ledger would have sent them, numbered on from `first`."""
    register = chain.store.read(Register, register_id, shard=shard_of(register_id))
    with httpx.Client(base_url=_simulator(chain), trust_env=False) as client:
        return tuple(
            _signed_and_stamped(chain, client, register, local_number=number)
            for number in range(first, first + count)
        )


def _signed_and_stamped(
    chain: ChainStore, client: httpx.Client, register: Register, *, local_number: int
) -> Prepared:
    shift, now = register.shift, chain.ledger.clock.now()
    assert shift is not None
    receipt = price_sale(
        SALE,
        receipt_id=uuid4(),
        tax_groups=shift.tax_groups,
        cash_step=shift.cash_step,
        issued_at=now,
        cashier_id=shift.cashier_id,
        cashier_name=shift.cashier_name,
    )
    heading = Heading(
        uid=uuid4(),
        seller=shift.seller,
        register_fiscal_number=register.fiscal_number,
        register_local_number=register.local_number,
        local_number=local_number,
        at=whole_second(now),
        cashier_name=shift.cashier_name,
        testing=shift.testing,
    )
    xml = to_xml(FiscalDocument(kind=DocumentKind.SALE, heading=heading, content=receipt))
    signed = chain.signer.sign(key_id=shift.key_id, content=xml)
    signer = cms.parse(signed).signer
    request = build_request(
        signer.signature, suite=SUITES.by_signature(signer.signature_oid), nonce=local_number
    )
    answer = client.post("/tsa", content=request, headers=_STAMP_TYPE)
    return Prepared(request, cms.with_timestamp(signed, token_of_response(answer.content)))


def _post_all(chain: ChainStore, prepared: Sequence[tuple[Prepared, ...]]) -> float:
    """Return the seconds in which as many threads as the worker has post everything, registers side by side."""
    clients = [httpx.Client(base_url=_simulator(chain), trust_env=False) for _ in range(THREADS)]
    faults: list[str] = []

    def post(number: int) -> None:
        client = clients[number]
        for documents in prepared[number::THREADS]:
            for document in documents:
                stamp = client.post("/tsa", content=document.stamp_request, headers=_STAMP_TYPE)
                answer = client.post("/fs/doc", content=document.stamped, headers=_DOCUMENT_TYPE)
                if (stamp.status_code, answer.status_code) != (200, 200):
                    faults.append(answer.text)

    threads = [threading.Thread(target=post, args=[number]) for number in range(THREADS)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - started
    in_threads(httpx.Client.close, clients)
    assert not faults, faults[0]
    return seconds


def _simulator(chain: ChainStore) -> str:
    url = chain.deployment.settings.simulator_url
    assert url is not None
    return url


# --- at latency -----------------------------------------------------------------------------------------


def _at_latency(context: Context, chain: ChainStore, registers: Sequence[UUID]) -> Figure:
    each = context.pick(12, 2)
    half = LATENCY_SECONDS / 2
    slow = [{"kind": "slow", "resources": [part], "seconds": half} for part in ("tsa", "doc")]
    chain.deployment.admin("PUT", "faults", {"faults": slow})
    with connect(chain.deployment.dsn, name="bench") as connection:
        began = connection.execute("SELECT clock_timestamp()").fetchone()
        assert began is not None
        _drained(chain, registers, each=each)
        times = [row[0] for row in connection.execute(_REGISTERED, began)]
    chain.deployment.admin("DELETE", "faults")
    first, last = (int(len(times) * part) for part in _WINDOW)
    rate = (last - first) / (times[last] - times[first]).total_seconds()
    possible = THREADS / LATENCY_SECONDS
    return Figure(
        name="submission_at_latency",
        value=rate / possible,
        unit="x",
        against="threads ÷ latency",
        now=0.7,
        aim=0.9,
        detail=f"{rate:,.0f} documents/s of {possible:,.0f} that {THREADS} threads could send at "
        f"{1000 * LATENCY_SECONDS:.0f} ms, {len(registers)} registers",
    )
