"""Several processes write the same streams while one reader follows the log and one writer is killed."""

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.event_store.feed import Cursor, FeedEvent
from infra.event_store.store import PostgresStore
from infra.event_store.verify import verify
from infra.postgres import connect
from tests.support.till import commit_of, new_till

WRITERS = 8
SECONDS = 4.0


@pytest.fixture
def writers(
    app_dsn: str, postgres_store: PostgresStore, root: Path
) -> Iterator[list[subprocess.Popen[str]]]:
    tills = [new_till() for _ in range(12)]
    for till in tills:
        postgres_store.commit(commit_of(till))
    names = [str(till.id) for till in tills]
    started = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.support.writer",
                app_dsn,
                str(SECONDS),
                str(seed),
                *names,
            ],
            cwd=root,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(WRITERS)
    ]
    yield started
    for writer in started:
        writer.kill()
        writer.wait()
        assert writer.stdout is not None
        writer.stdout.close()


@pytest.mark.slow
def test_eight_writers_and_a_kill_leave_a_whole_log(
    postgres_dsn: str, postgres_store: PostgresStore, writers: list[subprocess.Popen[str]]
) -> None:
    cursor = Cursor()
    seen: list[FeedEvent] = []
    answers = _Answers(writers)
    pages = killed = 0
    while answers.open() or cursor != postgres_store.heads():
        page = postgres_store.page(cursor, 500)
        cursor = page.cursor
        seen += page.events
        pages += bool(page.events)
        if not killed and len(seen) > 500:
            writers[0].kill()
            killed = 1
        time.sleep(0.01)
    acknowledged = answers.all()

    positions = defaultdict(list)
    for event in seen:
        positions[event.shard].append(event.position)
    assert killed
    assert pages > 20
    for shard, found in positions.items():
        assert found == list(range(1, len(found) + 1)), f"shard {shard} has gaps or repetitions"
    sales = [
        f"{event.stream_id} {event.event.form}" for event in seen if event.topic == "test-till.sold"
    ]
    assert len(sales) == len(set(sales)), "a sale is stored twice"
    assert acknowledged <= set(sales), "an acknowledged sale is not in the log"
    # Whatever is stored without an acknowledgement was in flight in the writer that was killed.
    assert all(sale.split()[1].startswith("0.") for sale in set(sales) - acknowledged)
    with connect(postgres_dsn, name="test") as connection:
        stored = connection.execute("SELECT count(*) FROM events").fetchone()
        assert stored == (len(seen),)
        assert verify(connection) == []


class _Answers:
    """Collects what writers print, without letting their pipes fill up."""

    def __init__(self, writers: list[subprocess.Popen[str]]) -> None:

        self._pool = ThreadPoolExecutor(len(writers))
        self._outputs = [self._pool.submit(writer.communicate) for writer in writers]

    def open(self) -> bool:
        return not all(output.done() for output in self._outputs)

    def all(self) -> set[str]:
        lines = {line for output in self._outputs for line in output.result()[0].splitlines()}
        self._pool.shutdown()
        # A killed process may leave half a line.
        return {line for line in lines if len(line.split()) == 2 and line.count(".") == 2}
