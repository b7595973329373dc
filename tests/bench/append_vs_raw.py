"""Appending through the engine against bare inserts, measured in turns in one run.

The reference is what PostgreSQL does with no engine at all: 8 processes, each inserting single prepared rows into a
table with the columns and indexes of `events`, each row committed and flushed. The engine has 32 saves in flight from
one process; each save is an event of a register and the first event of a receipt's own stream, with their chains, a
document of 3 KB, a command key and the register's lane. What a save holds is made before the clock runs, on both
sides: deciding is another figure. Encoding, compressing, hashing and chaining are the engine's and are measured.
"""

from __future__ import annotations

import itertools
import math
import multiprocessing
import os
import random
import threading
import time
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self
from uuid import uuid4

from domain.ports import Commit, LaneChange
from infra.event_store.store import PostgresStore
from infra.postgres import application_dsn, connect
from tests.bench.context import Context
from tests.bench.figures import Figure, median
from tests.support.till import NOON, Till, command_named, commit_of, document_of, new_till

WRITERS = 8
IN_FLIGHT = 32
REGISTERS = 6_000
BODY_HASH = bytes(32)


def measure(context: Context) -> list[Figure]:
    """Return `append_vs_raw`: the median over pairs of blocks, each pair measured one right after the other."""
    blocks, block = context.pick(10, 1), context.seconds(1.5)
    with context.database() as dsn:
        with connect(dsn, name="bench") as connection:
            connection.execute("CREATE TABLE bench_raw (LIKE events INCLUDING ALL)")
        with (
            PostgresStore(application_dsn(dsn), name="bench") as store,
            _RawWriters(dsn) as writers,
        ):
            ours = _Engine(store, registers=context.pick(REGISTERS, 10 * IN_FLIGHT))
            ours.saves_per_second(block)
            saves, batches = store.appender.saves, store.appender.batches
            raw, engine = [], []
            for _ in range(blocks):
                raw.append(writers.rows_per_second(block))
                engine.append(ours.saves_per_second(block))
            batch = (store.appender.saves - saves) / (store.appender.batches - batches)
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


class _Engine:
    """Registers whose next save is ready, shared out to threads; each register is in one save at a time."""

    def __init__(self, store: PostgresStore, *, registers: int) -> None:
        self._store = store
        self._dice = random.Random(1)
        self._documents = [_document(number) for number in range(100)]
        self._texts = [_text(number) for number in range(100)]
        self._numbers = itertools.count()
        self._idle: list[Till] = []
        self._ready = [commit_of(new_till(f"Каса {number}")) for number in range(registers)]
        self._save(seconds=math.inf)

    def saves_per_second(self, seconds: float) -> float:
        """Save for so long, or until every register had its turn."""
        self._ready += [self._next_save(register) for register in self._idle]
        return self._save(seconds=seconds)

    def _save(self, *, seconds: float) -> float:
        work = iter(self._ready)
        done: list[Till] = []
        stop = time.monotonic() + seconds

        def save() -> None:
            # `next` of a list's iterator is atomic: each save goes to one thread.
            for commit in work:
                self._store.commit(commit)
                register = commit.streams[0]
                assert isinstance(register, Till)
                done.append(register)
                if time.monotonic() > stop:
                    return

        threads = [threading.Thread(target=save) for _ in range(IN_FLIGHT)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spent = time.monotonic() - started
        self._idle, self._ready = done, list(work)
        return len(done) / spent

    def _next_save(self, register: Till) -> Commit:
        dice = self._dice
        register.note(text=dice.choice(self._texts))
        sold = new_till("Чек")
        document = document_of(register, dice.choice(self._documents))
        command = command_named(f"{next(self._numbers)}", body=BODY_HASH, receipt="1")
        return commit_of(
            register,
            sold,
            documents=(document,),
            command=command,
            lane=LaneChange(register.id, due_at=NOON),
        )


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


class _RawWriters:
    """Processes that insert single rows whenever they are told to, for as long as they are told to."""

    def __init__(self, dsn: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes = []
        self._processes = []
        for number in range(WRITERS):
            ours, theirs = context.Pipe()
            self._pipes.append(ours)
            self._processes.append(context.Process(target=_write_rows, args=[dsn, number, theirs]))

    def __enter__(self) -> Self:
        for process in self._processes:
            process.start()
        for pipe in self._pipes:
            pipe.recv()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for pipe in self._pipes:
            pipe.send(None)
        for process in self._processes:
            process.join()
        for pipe in self._pipes:
            pipe.close()

    def rows_per_second(self, seconds: float) -> float:
        """Return what all of them write together."""
        for pipe in self._pipes:
            pipe.send(seconds)
        rates: list[float] = [pipe.recv() for pipe in self._pipes]
        return sum(rates)


def _write_rows(dsn: str, writer: int, pipe: Connection[float, float | None]) -> None:
    state, chain = os.urandom(1_000), os.urandom(32)
    insert = (
        "INSERT INTO bench_raw (shard, position, stream_id, version, topic, chain, state)"
        " VALUES (%s, %s, %s, 1, 'test-till.noted', %s, %s)"
    )
    position = 0
    with connect(dsn, name="bench raw") as connection:
        pipe.send(0.0)
        while (seconds := pipe.recv()) is not None:
            count, started = 0, time.monotonic()
            while (now := time.monotonic()) < started + seconds:
                count += 1
                position += 1
                values = [writer, position, uuid4(), chain, state]
                connection.execute(insert, values, prepare=True, binary=True)
            pipe.send(count / (now - started))
