"""Builds the parts of a process from its settings: store, lanes, signer, ledger, the way to the tax service."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from domain.clock import Clock, SystemClock
from domain.errors import StoreUnavailable
from domain.ledger import FiscalLedger
from domain.readings import Readings
from infra.embedded_postgres import EmbeddedPostgres
from infra.event_store.follower import FeedFollower
from infra.event_store.lanes import PostgresLanes
from infra.event_store.store import PostgresStore
from infra.fiscal_server.client import HttpFiscalServer
from infra.postgres import application_dsn
from infra.settings import Settings
from infra.signing.client import AgentSigner
from infra.signing.timestamp_client import TsaClient
from infra.signing.trust import TrustAnchors
from infra.telemetry import CLOCK_SKEW_SECONDS

POSTGRES_FOLDER = "postgres"


@dataclass(frozen=True, slots=True)
class Engine:
    """What every process that writes or follows the log is made of."""

    settings: Settings
    dsn: str
    clock: Clock
    store: PostgresStore
    lanes: PostgresLanes
    follower: FeedFollower
    signer: AgentSigner
    ledger: FiscalLedger


def embedded_postgres(settings: Settings) -> EmbeddedPostgres:
    """Return the private server of the data folder, not started."""
    return EmbeddedPostgres(settings.data_dir / POSTGRES_FOLDER)


def owner_dsn(settings: Settings) -> str:
    """Return the DSN of the database's owner: the one given, or the running private server's.

    Raises: StoreUnavailable when no DSN is given and the private server does not run.
    """
    if settings.database_dsn is not None:
        return settings.database_dsn.get_secret_value()
    dsn = embedded_postgres(settings).dsn_if_running()
    if dsn is None:
        raise StoreUnavailable(
            what="database", reason=f"no server runs in {settings.data_dir}; start `fiscal up`"
        )
    return dsn


@contextmanager
def open_engine(
    settings: Settings,
    *,
    name: str,
    pool_size: int | None = None,
    gather_seconds: float = 0.005,
) -> Iterator[Engine]:
    """Open the engine for one process; the feed is followed as long as the block runs, see `FeedFollower`.

    Raises: StoreUnavailable.
    """
    clock = SystemClock()
    dsn = application_dsn(owner_dsn(settings))
    with ExitStack() as stack:
        store = PostgresStore(
            dsn,
            name=name,
            pool_size=pool_size or settings.database_pool_size,
            snapshot_every=settings.snapshot_every_events,
            cached_aggregates=settings.cached_aggregates,
        )
        stack.callback(store.close)
        signer = stack.enter_context(AgentSigner(settings.signer_socket))
        follower = FeedFollower(store, dsn, name=name, gather_seconds=gather_seconds)
        follower.start()
        stack.callback(follower.stop)
        yield Engine(
            settings=settings,
            dsn=dsn,
            clock=clock,
            store=store,
            lanes=PostgresLanes(store),
            follower=follower,
            signer=signer,
            ledger=FiscalLedger(
                store=store, signer=signer, clock=clock, readings=readings_of(settings)
            ),
        )


def readings_of(settings: Settings) -> Readings:
    """Return how this deployment reads what the protocol leaves open."""
    return Readings(
        part_payment_checked_sum=settings.part_payment_checked_sum,
        surcharges=settings.surcharges,
        storno_keeps_count=settings.storno_keeps_count,
        part_payment_counted_sum=settings.part_payment_counted_sum,
        half_kopeck_of_tax=settings.half_kopeck_of_tax,
        settlement_row_of_nothing=settings.settlement_row_of_nothing,
        return_rounding=settings.return_rounding,
    )


def trust_anchors(settings: Settings) -> TrustAnchors | None:
    """Return whose tickets and time-stamps are believed; None where no certificate is given."""
    folder: Path = settings.trust_dir
    if not folder.is_dir() or not any(folder.iterdir()):
        return None
    return TrustAnchors.from_folder(folder)


def open_fiscal_server(settings: Settings, signer: AgentSigner) -> HttpFiscalServer:
    """Return the client of the tax service, or of the simulator where one is set."""
    base = settings.fiscal_server_url
    if settings.simulator_url is not None:
        base = f"{settings.simulator_url}/fs"
    return HttpFiscalServer(
        base,
        signer=signer,
        ticket_trust=trust_anchors(settings),
        ticket_signer_code=settings.ticket_signer_code,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        answer_timeout_seconds=settings.answer_timeout_seconds,
        on_skew=CLOCK_SKEW_SECONDS.set,
        readings=readings_of(settings),
    )


def open_timestamps(settings: Settings) -> TsaClient:
    """Return the client of the time-stamp authorities, or of the simulator's where one is set."""
    urls = settings.tsa_urls
    if settings.simulator_url is not None:
        urls = (f"{settings.simulator_url}/tsa",)
    return TsaClient(
        urls,
        timeout_seconds=settings.answer_timeout_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        trust=trust_anchors(settings),
    )


def process_name(part: str) -> str:
    """Return a name that tells this process from every other: it owns leases."""
    return f"{part}@{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
