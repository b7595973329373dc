"""Builds the parts of an API process from its settings: database, signing agent, ledger, views."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psycopg
from psycopg_pool import PoolTimeout

from api.auth import TokenDirectory
from api.dependencies import Check, Parts, Views
from api.metrics import Metrics
from api.waiting import Bell, Waits
from domain.errors import SignerUnavailable, StoreUnavailable
from domain.ledger import FiscalLedger
from infra.bootstrap import open_engine
from infra.event_store.follower import FeedFollower
from infra.event_store.store import PostgresStore
from infra.lane_status import StoredLanes
from infra.postgres import (
    MigrationError,
    Pool,
    connect,
    open_pool,
    pending_migrations,
)
from infra.settings import Settings
from infra.signing.client import AgentSigner
from infra.tokens import TokenRow, ensure_administrator, find_token
from projections.alarms import AlarmsView
from projections.balances import BalancesView
from projections.documents import DocumentsView
from projections.drawer_view import DrawerMovementsView
from projections.receipts_view import ReceiptsView
from projections.shifts import ShiftsView
from projections.structure import StructureView
from projections.turnover_view import TurnoverView

MOST_EVENTS_BEHIND = 5_000
"""A follower further behind than this shows held calls too late; the process is not ready."""


@contextmanager
def opened_parts(settings: Settings) -> Iterator[Parts]:
    """Give the parts of an API process and close them afterwards; the first run makes the administrator's token.

    Raises: StoreUnavailable.
    """
    with open_engine(settings, name="fiscal api") as engine:
        signer = engine.signer
        with connect(engine.dsn, name="fiscal api") as connection:
            ensure_administrator(connection, settings.data_dir)
        with parts_over(
            settings,
            dsn=engine.dsn,
            store=engine.store,
            follower=engine.follower,
            ledger=engine.ledger,
            checks=(Check("signer", lambda: _signer(signer)),),
        ) as parts:
            yield parts


@contextmanager
def parts_over(
    settings: Settings,
    *,
    dsn: str,
    store: PostgresStore,
    follower: FeedFollower,
    ledger: FiscalLedger,
    checks: tuple[Check, ...] = (),
) -> Iterator[Parts]:
    """Give the parts over a store that somebody else opened and closes; `checks` are looked at for readiness too."""
    with ExitStack() as stack:
        pool = stack.enter_context(
            open_pool(dsn, name="fiscal api views", size=settings.database_pool_size)
        )
        threads = stack.enter_context(ThreadPoolExecutor(settings.api_threads, "ledger"))
        view_threads = stack.enter_context(ThreadPoolExecutor(settings.api_view_threads, "view"))
        waits, bell = Waits(most=settings.most_held_calls), Bell()
        follower.subscribe(waits.heard)
        follower.subscribe(bell.ring)
        yield Parts(
            settings=settings,
            ledger=ledger,
            store=store,
            feed=store,
            lanes=StoredLanes(pool),
            views=Views(
                structure=StructureView(pool),
                shifts=ShiftsView(pool),
                receipts=ReceiptsView(pool),
                documents=DocumentsView(pool),
                balances=BalancesView(pool),
                drawer=DrawerMovementsView(pool),
                alarms=AlarmsView(pool),
                turnover=TurnoverView(pool),
            ),
            tokens=_tokens(pool, settings),
            waits=waits,
            bell=bell,
            checks=(
                Check("database", lambda: _database(pool)),
                Check("migrations", _Migrations(dsn).look),
                Check("follower", lambda: _follower(store, follower)),
                *checks,
            ),
            metrics=Metrics(),
            threads=threads,
            view_threads=view_threads,
        )


def _tokens(pool: Pool, settings: Settings) -> TokenDirectory:
    def find(sha256: bytes) -> TokenRow | None:
        with pool.connection() as connection:
            return find_token(connection, sha256)

    return TokenDirectory(find, remember_seconds=settings.remember_tokens_seconds)


# --- readiness -----------------------------------------------------------------------------------------------


def _database(pool: Pool) -> str | None:
    try:
        with pool.connection(timeout=2.0) as connection:
            connection.execute("SELECT 1")
    except (psycopg.Error, PoolTimeout):
        return "it does not answer"
    return None


class _Migrations:
    """Whether the database has all migrations; once it has, it keeps them."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._complete = False

    def look(self) -> str | None:
        if self._complete:
            return None
        try:
            pending = pending_migrations(self._dsn)
        except MigrationError as error:
            return str(error)
        except psycopg.Error:
            return "the database does not answer"
        self._complete = not pending
        return None if self._complete else f"missing: {', '.join(pending)}; run `fiscal migrate`"


def _signer(signer: AgentSigner) -> str | None:
    try:
        signer.health()
    except SignerUnavailable as error:
        return str(error)
    return None


def _follower(store: PostgresStore, follower: FeedFollower) -> str | None:
    try:
        heads = store.heads()
    except StoreUnavailable as error:
        return str(error)
    behind = sum(heads.positions) - sum(follower.cursor.positions)
    return None if behind <= MOST_EVENTS_BEHIND else f"{behind} events behind the log"
