"""What endpoints ask for: the ledger, the views, tokens, held calls, threads.

Ledger and views block; they run on a pool of threads of their own, so that the event loop only ever parses, waits
and answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, Protocol, TypeVar
from uuid import UUID

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout

from api.auth import TokenDirectory
from api.metrics import Metrics
from api.waiting import Bell, Waits
from domain.errors import StoreUnavailable
from domain.identifiers import shard_of
from domain.ledger import FiscalLedger
from domain.ports import LedgerStore
from domain.register.aggregate import Register
from infra.event_store.feed import Cursor, Page
from infra.lane_status import LaneStatuses
from infra.settings import Settings
from projections.alarms import AlarmsView
from projections.balances import BalancesView
from projections.documents import DocumentsView
from projections.drawer_view import DrawerMovementsView
from projections.receipts_view import ReceiptsView
from projections.shifts import ShiftsView
from projections.structure import StructureView
from projections.turnover_view import TurnoverView

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Feed(Protocol):
    """The log, page by page."""

    def page(self, cursor: Cursor, limit: int) -> Page:
        """Return at most `limit` events after a cursor. Raises: StoreUnavailable."""
        ...

    def heads(self) -> Cursor:
        """Return the end of the log. Raises: StoreUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Views:
    """The read models."""

    structure: StructureView
    shifts: ShiftsView
    receipts: ReceiptsView
    documents: DocumentsView
    balances: BalancesView
    drawer: DrawerMovementsView
    alarms: AlarmsView
    turnover: TurnoverView


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that readiness needs; `look` returns nothing when it is well, else what is wrong."""

    name: str
    look: Callable[[], str | None]


@dataclass(frozen=True)
class Parts:
    """All that an API process is made of."""

    settings: Settings
    ledger: FiscalLedger
    store: LedgerStore
    feed: Feed
    lanes: LaneStatuses
    views: Views
    tokens: TokenDirectory
    waits: Waits
    bell: Bell
    checks: tuple[Check, ...]
    metrics: Metrics
    threads: ThreadPoolExecutor
    view_threads: ThreadPoolExecutor
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _fiscal_numbers: dict[UUID, str] = field(default_factory=dict)

    async def fiscal_number(self, register_id: UUID) -> str:
        """Return a register's fiscal number, which never changes. Raises: NotFound."""
        known = self._fiscal_numbers.get(register_id)
        if known is None:
            register = await self.in_thread(
                self.store.read, Register, register_id, shard=shard_of(register_id)
            )
            known = self._fiscal_numbers[register_id] = register.fiscal_number
        return known

    async def in_thread(
        self,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Run a use case. Raises: what it raises, StoreUnavailable for a lost database."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self.threads, partial(_without_driver_errors, function, *args, **kwargs)
        )

    async def from_view(
        self,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Read a view, on threads of their own: a slow search never keeps a sale waiting. Raises: as `in_thread`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self.view_threads, partial(_without_driver_errors, function, *args, **kwargs)
        )


def _without_driver_errors(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Run a function; a database that is away is our error with its next step and not the driver's."""
    try:
        return function(*args, **kwargs)
    except (psycopg.OperationalError, PoolTimeout, PoolClosed) as error:
        raise StoreUnavailable(what="database", reason="it does not answer") from error
