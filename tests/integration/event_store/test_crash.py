"""PostgreSQL is killed with -9 under load and started again: what was acknowledged is there, once."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from domain.errors import StoreUnavailable
from domain.identifiers import shard_of
from domain.money import Money
from infra.embedded_postgres import EmbeddedPostgres
from infra.event_store.feed import Cursor
from infra.event_store.store import PostgresStore
from infra.event_store.verify import verify
from infra.postgres import application_dsn, connect, migrate
from tests.support.till import Till, command_named, commit_of, document_of, new_till

WRITERS = 8
ROUNDS = 2
SALES_A_ROUND = 300


class Server:
    """A PostgreSQL of the test's own, which flushes what it commits and can be killed."""

    def __init__(self, folder: Path) -> None:
        self._orphans: list[psutil.Process] = []
        self._server = EmbeddedPostgres(folder)
        self.dsn = self._server.start()

    def kill(self) -> None:
        pid = int((self._server.pgdata / "postmaster.pid").read_text().split()[0])
        self._orphans = psutil.Process(pid).children(recursive=True)
        os.kill(pid, signal.SIGKILL)

    def wait_for_orphans(self) -> None:
        """Return when no session is left: one may still commit after its postmaster was killed."""
        psutil.wait_procs(self._orphans, timeout=10.0)

    def start_again(self) -> None:
        self._server.stop()
        assert self._server.start() == self.dsn

    def stop(self) -> None:
        self._server.stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "pg")
    migrate(server.dsn)
    yield server
    server.stop()


class Sellers:
    """Threads that sell, each on tills of its own, until told to stop."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._tills = [new_till() for _ in range(4 * WRITERS)]
        for till in self._tills:
            store.commit(commit_of(till))
        self._stop = threading.Event()
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        self.fault: Exception | None = None
        self._threads = [
            threading.Thread(target=self._run, args=[number]) for number in range(WRITERS)
        ]
        for thread in self._threads:
            thread.start()

    def wait_for_sales(self) -> None:
        """Return once another few hundred sales were acknowledged."""
        until = len(self.acknowledged) + SALES_A_ROUND
        while len(self.acknowledged) < until and self.fault is None:
            time.sleep(0.01)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, writer: int) -> None:
        dice = random.Random(writer)
        number = 0
        try:
            while not self._stop.is_set():
                number += 1
                self._sell(dice.choice(self._tills[writer::WRITERS]), f"{writer}.{number}")
        except Exception as fault:
            self.fault = fault
            raise

    def _sell(self, till: Till, form: str) -> None:
        document = document_of(till, form.encode() * 300)
        try:
            with self._store.hold(Till, till.id, shard=shard_of(till.id)) as held:
                held.sell(amount=Money(1), form=form)
                self._store.commit(
                    commit_of(held, documents=(document,), command=command_named(form))
                )
            self.acknowledged.append(form)
        except StoreUnavailable:
            self.refused.append(form)
            time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_acknowledged_saves_survive_the_server_and_the_store_goes_on_by_itself(
    server: Server,
) -> None:
    store = PostgresStore(application_dsn(server.dsn), give_up_seconds=60.0)
    sellers = Sellers(store)
    for _ in range(ROUNDS):
        sellers.wait_for_sales()
        server.kill()
        server.start_again()
    sellers.wait_for_sales()
    sellers.stop()

    assert sellers.fault is None
    sold = [
        event.event.form
        for event in store.page(Cursor(), 1_000_000).events
        if event.topic == "test-till.sold"
    ]
    assert len(sold) == len(set(sold)), "a sale is stored twice"
    assert set(sellers.acknowledged) == set(sold), "an acknowledged sale is lost, or a refused kept"
    store.close()
    with connect(server.dsn, name="test") as connection:
        assert verify(connection) == []
        assert connection.execute("SELECT count(*) FROM commands").fetchone() == (len(sold),)


@pytest.mark.slow
def test_a_server_away_for_good_refuses_in_time_and_closing_does_not_wait_for_it(
    server: Server,
) -> None:
    store = PostgresStore(application_dsn(server.dsn), give_up_seconds=0.5)
    till = new_till()
    store.commit(commit_of(till))
    server.kill()
    server.wait_for_orphans()
    till.sell(amount=Money(1))
    with pytest.raises(StoreUnavailable):
        store.commit(commit_of(till))
    started = time.monotonic()
    store.close()
    assert time.monotonic() < started + 15.0
    server.start_again()
    with PostgresStore(application_dsn(server.dsn)) as store:
        assert store.refresh(Till, till.id, shard=shard_of(till.id)).sales == 0
