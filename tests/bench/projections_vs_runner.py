"""Projections: our pages against the library's ProjectionRunner, the same events into the same tables.

Both keep a balance by till and form of payment and a row for each receipt. The library's side is what its
documentation shows: a runner, a projection, and a view whose methods write one event's rows and the tracking record
in one transaction; it decodes with our mapper, so the difference is only how the log is read and written.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import Mapper, Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import get_topic
from psycopg.conninfo import conninfo_to_dict

from domain.money import Money
from infra.event_store.arrays import bigints, integers, texts, uuids
from infra.event_store.codec import LedgerMapper
from infra.event_store.feed import FeedEvent
from infra.event_store.projector import Projector
from infra.event_store.store import PostgresStore
from infra.postgres import Connection, application_dsn, connect
from tests.bench.context import Context
from tests.bench.figures import Figure, median
from tests.support.till import Till, commit_of, new_till

TILLS = 500
FORMS = ("cash", "card", "certificate")
_TABLES = """
    CREATE TABLE bench_balances (
        till uuid, form text, receipts bigint NOT NULL, kopecks bigint NOT NULL,
        PRIMARY KEY (till, form)
    ) WITH (fillfactor = 50);
    CREATE TABLE bench_receipts (
        till uuid, version integer, form text NOT NULL, kopecks bigint NOT NULL,
        PRIMARY KEY (till, version)
    );
    GRANT SELECT, INSERT, UPDATE, TRUNCATE ON bench_balances, bench_receipts TO fiscal_app;
"""


def measure(context: Context) -> list[Figure]:
    """Return `projections_vs_runner`: events per second, ours over the library's."""
    blocks = context.pick(3, 1)
    with context.database() as dsn, connect(dsn, name="bench") as owner:
        owner.execute(_TABLES)
        events = _seed(dsn, context.pick(30_000, 300))
        runner, ours = [], []
        _copy_to_library(owner, dsn)
        for _ in range(blocks):
            owner.execute("TRUNCATE bench_balances, bench_receipts")
            runner.append(_runner(dsn, context.seconds(8.0)))
            ours.append(_ours(dsn, owner, context.seconds(4.0)))
    ratios = [mine / theirs for mine, theirs in zip(ours, runner, strict=True)]
    return [
        Figure(
            name="projections_vs_runner",
            value=median(ratios),
            unit="x",
            against="the library's ProjectionRunner",
            now=40,
            aim=60,
            detail=f"{median(ours):,.0f} events/s against {median(runner):,.0f}; log of {events:,}",
        )
    ]


def _seed(dsn: str, sales: int) -> int:
    each = 50
    with PostgresStore(application_dsn(dsn), name="bench") as store:
        tills = [new_till(f"Каса {number}") for number in range(TILLS)]
        for number in range(sales // each):
            till = tills[number % TILLS]
            for sale in range(each):
                till.sell(amount=Money(100 + sale), form=FORMS[sale % len(FORMS)])
            store.commit(commit_of(till))
        return sum(store.heads().positions)


# --- ours -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SalePart:
    """What a balance needs of a sale."""

    form: str
    total: Money


class Balances(Projector):
    """A page becomes one statement a table."""

    NAME = "bench-balances"

    def apply(self, page: Sequence[FeedEvent], connection: Connection) -> None:
        """Add the page's sums and rows."""
        sums: dict[tuple[UUID, str], list[int]] = defaultdict(lambda: [0, 0])
        rows: list[tuple[UUID, int, str, int]] = []
        for stored in page:
            if stored.topic != Till.Sold.TOPIC:
                continue
            sold = stored.part(SalePart)
            kopecks = sold.total.kopecks
            total = sums[stored.stream_id, sold.form]
            total[0] += 1
            total[1] += kopecks
            rows.append((stored.stream_id, stored.version, sold.form, kopecks))
        if not rows:
            return
        tills, versions, forms, amounts = zip(*rows, strict=True)
        connection.execute(
            "INSERT INTO bench_receipts SELECT * FROM unnest(%s, %s, %s, %s)",
            [uuids(tills), integers(versions), texts(forms), bigints(amounts)],
        )
        keys = sorted(sums)
        connection.execute(
            "INSERT INTO bench_balances AS b SELECT * FROM unnest(%s, %s, %s, %s)"
            " ON CONFLICT (till, form) DO UPDATE SET receipts = b.receipts + excluded.receipts,"
            " kopecks = b.kopecks + excluded.kopecks",
            [
                uuids([till for till, _ in keys]),
                texts([form for _, form in keys]),
                bigints([sums[key][0] for key in keys]),
                bigints([sums[key][1] for key in keys]),
            ],
        )


def _ours(dsn: str, owner: Connection, seconds: float) -> float:
    """Return events per second, reading the log again and again from its beginning."""
    count, spent = 0, 0.0
    with connect(application_dsn(dsn), name="bench projector") as connection:
        while spent < seconds:
            owner.execute("TRUNCATE bench_balances, bench_receipts")
            owner.execute("DELETE FROM tracking")
            started = time.monotonic()
            count += Balances().catch_up(connection)
            spent += time.monotonic() - started
    return count / spent


# --- the library's --------------------------------------------------------------------------------------------


class LibraryTills(Application[UUID]):
    """The application whose log the runner follows."""

    name = "bench"

    def construct_mapper(self) -> Mapper[UUID]:
        """Return our mapper: decoding costs both sides the same."""
        return LedgerMapper()


class LibraryBalances(PostgresTrackingRecorder):
    """The same two tables, a row at a time."""

    def add(self, sold: Any, tracking: Tracking) -> None:
        """Write one event's rows and its tracking record."""
        kopecks = sold.total.kopecks
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO bench_receipts VALUES (%s, %s, %s, %s)",
                (sold.originator_id, sold.originator_version, sold.form, kopecks),
                prepare=True,
            )
            cursor.execute(
                "INSERT INTO bench_balances AS b VALUES (%s, %s, 1, %s)"
                " ON CONFLICT (till, form) DO UPDATE SET receipts = b.receipts + 1,"
                " kopecks = b.kopecks + excluded.kopecks",
                (sold.originator_id, sold.form, kopecks),
                prepare=True,
            )


class LibraryProjection(Projection[LibraryBalances]):
    """Hands each sale to the view."""

    name = "bench_balances"
    topics: ClassVar[tuple[str, ...]] = (get_topic(Till.Sold),)  # type: ignore[misc]

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Process one event."""
        self.view.add(domain_event, tracking)


def _environment(dsn: str) -> dict[str, str]:
    given = conninfo_to_dict(dsn)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(given["dbname"]),
        "POSTGRES_HOST": str(given["host"]),
        "POSTGRES_PORT": str(given["port"]),
        "POSTGRES_USER": str(given["user"]),
        "POSTGRES_PASSWORD": str(given.get("password") or "none"),
        "POSTGRES_SCHEMA": "public",
    }


def _copy_to_library(owner: Connection, dsn: str) -> None:
    """Give the library's log the same events."""
    application = LibraryTills(_environment(dsn))
    application.close()
    owner.execute(
        "INSERT INTO bench_events (originator_id, originator_version, topic, state)"
        " SELECT stream_id, version, topic, state FROM events ORDER BY shard, position"
    )


def _runner(dsn: str, seconds: float) -> float:
    """Return events per second; the runner goes on where it stopped in the block before."""
    environment = _environment(dsn)
    with ProjectionRunner(
        application_class=LibraryTills,
        projection_class=LibraryProjection,
        view_class=LibraryBalances,
        env=environment,
    ) as runner:
        before, started = _tracked(runner.view), time.monotonic()
        runner.run_forever(timeout=seconds)
        count, spent = _tracked(runner.view) - before, time.monotonic() - started
    assert count, "the runner reached the end of the log"
    return count / spent


def _tracked(view: LibraryBalances) -> int:
    found = view.max_tracking_id(LibraryTills.name)
    return 0 if found is None else found
