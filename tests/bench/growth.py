"""Does a receipt cost more after 200,000 receipts of its register than after 1,000?

Two databases on one server, each with one register; the second register's past is written by COPY. A receipt is the
whole of it: the sale, its signature, the attempt, the ticket. Its cost is CPU of this process and of the database's
sessions, in alternating blocks; each block loads the register anew, as a process does after a start.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from uuid import uuid4

import psutil

from domain.identifiers import shard_of
from domain.register.aggregate import Register
from infra.event_store.store import PostgresStore
from infra.postgres import application_dsn, connect
from tests.bench.context import Context
from tests.bench.figures import Figure, median
from tests.bench.registers import Network, give_past, open_network
from tests.support.shop import sale

SHORT, LONG = 1_000, 200_000
REAL = 5
"""Receipts made by the ledger itself before the rest is copied."""
BLOCKS = 12
RECEIPTS_A_BLOCK = 60
_NAME = "bench"


def measure(context: Context) -> list[Figure]:
    """Return `growth`: CPU a receipt after a long past over CPU a receipt after a short one."""
    with ExitStack() as stack:
        short, long = (
            _Side(stack, context, receipts)
            for receipts in (context.pick(SHORT, 20), context.pick(LONG, 100))
        )
        count = context.pick(RECEIPTS_A_BLOCK, 2)
        for side in (short, long):
            side.cost(count)
        costs: dict[_Side, list[float]] = {short: [], long: []}
        for number in range(context.pick(BLOCKS, 1)):
            order = (short, long) if number % 2 else (long, short)
            for side in order:
                costs[side].append(side.cost(count))
        before, after = median(costs[short]), median(costs[long])
        versions = [side.version() for side in (short, long)]
    return [
        Figure(
            name="growth",
            value=after / before,
            unit="x",
            against=f"cost per receipt after {short.receipts:,} receipts",
            now=1.2,
            aim=1.05,
            lower_is_better=True,
            detail=(
                f"{after * 1e3:.2f} ms CPU a receipt after {long.receipts:,}"
                f" against {before * 1e3:.2f} ms; streams of {versions[0]:,} and {versions[1]:,} events"
            ),
        )
    ]


class _Side:
    """One database with one register that has sold `receipts` before."""

    def __init__(self, stack: ExitStack, context: Context, receipts: int) -> None:
        self.receipts = receipts
        self._dsn = stack.enter_context(context.database())
        store = stack.enter_context(PostgresStore(application_dsn(self._dsn), name=_NAME))
        self._network: Network = open_network(store)
        for number in range(REAL):
            self._network.sell(sale(), key=f"real-{number}")
        with connect(self._dsn, name="seed") as owner:
            owner.execute("SET synchronous_commit = off")
            give_past(self._network, owner, receipts - REAL)
            owner.execute("VACUUM (ANALYZE)")
            owner.execute("CHECKPOINT")

    def version(self) -> int:
        """Return how long the register's stream is."""
        network = self._network
        register_id = network.register_id
        return network.store.read(Register, register_id, shard=shard_of(register_id)).version

    def cost(self, count: int) -> float:
        """Sell `count` receipts; return seconds of CPU for each."""
        self._network.store.forget_aggregates()
        before = self._cpu()
        for _ in range(count):
            self._network.sell(sale(), key=uuid4().hex)
        return (self._cpu() - before) / count

    def _cpu(self) -> float:
        """Return CPU seconds of this process and of its sessions at the database; others come and go."""
        with connect(self._dsn, name="cpu") as connection:
            sessions = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name LIKE %s",
                [f"{_NAME}%"],
            ).fetchall()
        times = [psutil.Process(pid).cpu_times() for (pid,) in sessions]
        return time.process_time() + sum(each.user + each.system for each in times)
