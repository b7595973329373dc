"""Appending through the engine against bare inserts, measured in turns in one run.

The reference is what PostgreSQL does with no engine at all: 8 processes, each inserting single prepared rows into a
table with the columns and indexes of `events`, each row committed and flushed. The engine has 32 saves in flight from
one process; each save is an event with its chain, a document of 3 KB, a command key and the register's lane.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
import time
from multiprocessing.synchronize import Event
from uuid import uuid4

from domain.identifiers import shard_of
from domain.ports import LaneChange
from infra.event_store.store import PostgresStore
from infra.postgres import application_dsn, connect
from tests.bench.figures import Figure, median
from tests.support.till import NOON, Till, command_named, commit_of, document_of, new_till

WRITERS = 8
IN_FLIGHT = 32
REGISTERS = 1_000


def measure(dsn: str, *, seconds: float = 24.0, blocks: int = 8) -> list[Figure]:
    """Return `append_vs_raw`. `dsn` is the owner's, on a migrated database of a server that flushes its commits."""
    with connect(dsn, name="bench", autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_raw")
        connection.execute("CREATE TABLE bench_raw (LIKE events INCLUDING ALL)")
    block = seconds / (2 * blocks)
    store = PostgresStore(application_dsn(dsn), name="bench")
    try:
        tills = _installed(store)
        _engine(store, tills, block)
        raw, engine = [], []
        for _ in range(blocks):
            raw.append(_raw(dsn, block))
            engine.append(_engine(store, tills, block))
        batch = store.appender.saves / store.appender.batches
    finally:
        store.close()
        with connect(dsn, name="bench", autocommit=True) as connection:
            connection.execute("DROP TABLE bench_raw")
    ratios = [ours / theirs for ours, theirs in zip(engine, raw, strict=True)]
    detail = (
        f"{median(engine):,.0f} saves/s with {IN_FLIGHT} in flight ({batch:.1f} a batch), "
        f"{median(raw):,.0f} rows/s by {WRITERS} writers"
    )
    return [
        Figure(
            name="append_vs_raw",
            value=median(ratios),
            unit="x",
            against="single-row INSERT and commit, 8 writers",
            now=0.40,
            aim=0.55,
            detail=detail,
        )
    ]


# --- the engine -----------------------------------------------------------------------------------------------


def _installed(store: PostgresStore) -> list[Till]:
    tills = [new_till(f"Каса {number}") for number in range(REGISTERS)]
    for till in tills:
        store.commit(commit_of(till))
    return tills


def _engine(store: PostgresStore, tills: list[Till], seconds: float) -> float:
    """Return saves per second."""
    stop = time.monotonic() + seconds
    counts = [0] * IN_FLIGHT
    documents = [_document(number) for number in range(100)]
    texts = [_text(number) for number in range(100)]

    def sell(number: int) -> None:
        # Threads have registers of their own: conflicts are another figure.
        mine = tills[number::IN_FLIGHT]
        dice = random.Random(number)
        while time.monotonic() < stop:
            till = dice.choice(mine)
            with store.hold(Till, till.id, shard=shard_of(till.id)) as held:
                held.note(text=dice.choice(texts))
                store.commit(
                    commit_of(
                        held,
                        documents=(document_of(till, dice.choice(documents)),),
                        command=command_named(uuid4().hex, body=till.id.bytes * 2, receipt="1"),
                        lane=LaneChange(till.id, due_at=NOON),
                    )
                )
            counts[number] += 1

    threads = [threading.Thread(target=sell, args=[number]) for number in range(IN_FLIGHT)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - started)


def _text(seed: int) -> str:
    """Return 950 characters that compress like the JSON of a receipt, to a third."""
    dice = random.Random(seed)
    return "".join(f"{dice.randrange(10**6):06d} рядок чека; " for _ in range(50))[:950]


def _document(seed: int) -> bytes:
    """Return what a signed document is like: half of it XML, half certificate and signature."""
    dice = random.Random(seed)
    line = '<ROW ROWNUM="{0}"><NAME>Хліб пшеничний</NAME><AMOUNT>{0}.000</AMOUNT><COST>{1}.50</COST></ROW>\r\n'
    xml = "".join(line.format(n, dice.randrange(1000)) for n in range(1, 18)).encode("cp1251")
    return xml[:1_500] + dice.randbytes(1_500)


# --- the reference --------------------------------------------------------------------------------------------


def _raw(dsn: str, seconds: float) -> float:
    """Return rows per second of all writers together."""
    context = multiprocessing.get_context("fork")
    go = context.Event()
    results: multiprocessing.SimpleQueue[float] = context.SimpleQueue()
    writers = [
        context.Process(target=_write_rows, args=[dsn, number, seconds, go, results])
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    for _ in writers:
        results.get()
    go.set()
    rates = [results.get() for _ in writers]
    for writer in writers:
        writer.join()
    return sum(rates)


def _write_rows(
    dsn: str, writer: int, seconds: float, go: Event, results: multiprocessing.SimpleQueue[float]
) -> None:
    state, chain = os.urandom(1_000), os.urandom(32)
    first = time.time_ns()
    with connect(dsn, name="bench raw") as connection:
        insert = (
            "INSERT INTO bench_raw (shard, position, stream_id, version, topic, chain, state)"
            " VALUES (%s, %s, %s, 1, 'test-till.sold', %s, %s)"
        )
        connection.execute(insert, [writer, first, uuid4(), chain, state], prepare=True)
        results.put(0.0)
        go.wait()
        count, started = 0, time.monotonic()
        while (now := time.monotonic()) < started + seconds:
            count += 1
            connection.execute(insert, [writer, first + count, uuid4(), chain, state], prepare=True)
        results.put(count / (now - started))
    # A forked child must not run the parent's exit handlers.
    os._exit(0)
