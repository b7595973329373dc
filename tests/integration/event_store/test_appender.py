"""Group commit under faults: what is acknowledged is stored once, what is refused is not stored at all."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from domain.errors import Conflict, IntegrityFault, StoreUnavailable
from domain.identifiers import shard_of
from domain.ports import CommandAlreadyRecorded, LaneChange
from infra.event_store.appender import Appender
from infra.event_store.codec import LedgerMapper
from infra.event_store.recorder import SESSION
from infra.event_store.saves import Admitted, Save, prepare
from infra.event_store.verify import verify
from infra.postgres import connect
from tests.support.postgres_proxy import COMMITTED, PostgresProxy
from tests.support.till import NOON, command_named, commit_of, document_of, new_till

MAPPER = LedgerMapper()


def new_save(key: str | None = None, **parts: object) -> Save:
    commit = commit_of(new_till(), command=None if key is None else command_named(key))
    return replace(prepare(commit, MAPPER, snapshot_every=200), **parts)  # type: ignore[arg-type]


def appender(dsn: str, **options: float) -> Appender:
    return Appender(
        lambda: connect(dsn, name="appender", settings=SESSION),
        **options,  # type: ignore[arg-type]
    )


@pytest.fixture
def ours(app_dsn: str) -> Iterator[Appender]:
    made = appender(app_dsn)
    yield made
    made.close()


@pytest.fixture
def proxy(app_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresProxy]:
    folder = tmp_path_factory.mktemp("w")
    assert len(str(folder)) < 90, "too long for a unix socket"
    with PostgresProxy(app_dsn, Path(folder)) as made:
        yield made


def stored(dsn: str) -> Counter[str]:
    """How often each stream's first event is stored."""
    with connect(dsn, name="test") as connection:
        rows = connection.execute("SELECT stream_id::text FROM events WHERE version = 1")
        return Counter(row[0] for row in rows)


def name_of(save: Save) -> str:
    return str(save.parts[0].stream_id)


@contextmanager
def gathered(dsn: str, ours: Appender, saves: Sequence[Save]) -> Iterator[list[Future[Admitted]]]:
    """Append saves so that they are one batch: while the block runs, a first save waits for a lock before them."""
    first = new_save()
    with ThreadPoolExecutor(len(saves) + 1) as pool:
        with connect(dsn, name="test", autocommit=False) as locking:
            locking.execute("SELECT FROM heads FOR UPDATE")
            before = pool.submit(ours.append, first)
            wait_until(lambda: not ours._queue)
            answers = []
            for number, save in enumerate(saves, start=1):
                answers.append(pool.submit(ours.append, save))
                wait_until(lambda wanted=number: len(ours._queue) == wanted)  # type: ignore[misc]
            locking.rollback()
        before.result()
        yield answers


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


class TestBatch:
    def test_saves_that_wait_together_are_one_commit(
        self, postgres_dsn: str, ours: Appender
    ) -> None:
        saves = [new_save() for _ in range(10)]
        with gathered(postgres_dsn, ours, saves) as answers:
            positions = {
                (save.shard, answer.result().position)
                for save, answer in zip(saves, answers, strict=True)
            }
        assert ours.batches == 2
        assert ours.saves == 11
        assert len(positions) == 10
        with connect(postgres_dsn, name="test") as connection:
            times = connection.execute("SELECT count(DISTINCT recorded_at) FROM events").fetchone()
        assert times == (2,)

    def test_a_conflict_fails_only_its_own_save(self, postgres_dsn: str, ours: Appender) -> None:
        good, other = new_save(), new_save()
        late = replace(other, parts=(replace(other.parts[0], first_version=5),))
        with gathered(postgres_dsn, ours, [good, late, other]) as answers:
            assert answers[0].result().position > 0
            with pytest.raises(Conflict):
                answers[1].result()
            assert answers[2].result().position > 0
        assert ours.batches == 2

    def test_a_stream_begun_a_second_time_fails_alone(
        self, postgres_dsn: str, ours: Appender
    ) -> None:
        begun, other = new_save(), new_save()
        ours.append(begun)
        with gathered(postgres_dsn, ours, [other, begun]) as answers:
            assert answers[0].result().position > 0
            with pytest.raises(Conflict):
                answers[1].result()
        assert stored(postgres_dsn)[name_of(begun)] == 1

    def test_two_saves_of_one_stream_in_a_batch_are_judged_in_turn(
        self, postgres_dsn: str, ours: Appender
    ) -> None:
        save = new_save()
        with gathered(postgres_dsn, ours, [save, save]) as answers:
            assert answers[0].result().position > 0
            with pytest.raises(Conflict):
                answers[1].result()
        assert stored(postgres_dsn)[name_of(save)] == 1

    def test_one_key_twice_in_a_batch_is_recorded_once(
        self, postgres_dsn: str, ours: Appender
    ) -> None:
        till = new_till()
        first, second = (
            prepare(
                commit_of(till, command=command_named("key", number=number)),
                MAPPER,
                snapshot_every=200,
            )
            for number in (1, 2)
        )
        with gathered(postgres_dsn, ours, [first, second]) as answers:
            answers[0].result()
            with pytest.raises(CommandAlreadyRecorded) as repeated:
                answers[1].result()
        assert repeated.value.recorded.result == {"number": 1}

    @pytest.mark.parametrize(
        ("key", "error"), [("\0", psycopg.DataError), ("\ud800", UnicodeEncodeError)]
    )
    def test_a_save_the_database_refuses_fails_alone(
        self, postgres_dsn: str, ours: Appender, key: str, error: type[Exception]
    ) -> None:
        good, other = new_save(), new_save()
        poison = new_save(f"a key with {key} in it")
        with gathered(postgres_dsn, ours, [good, poison, other]) as answers:
            assert answers[0].result().position > 0
            with pytest.raises(error):
                answers[1].result()
            assert answers[2].result().position > 0
        assert stored(postgres_dsn)[name_of(poison)] == 0

    def test_other_bytes_under_one_name_in_a_batch_fail_alone(
        self, postgres_dsn: str, ours: Appender
    ) -> None:
        till = new_till()
        document = document_of(till, b"first")
        saves = [
            prepare(commit_of(till, documents=(one,)), MAPPER, snapshot_every=200)
            for one in (document, replace(document, content=b"second"))
        ]
        saves = [saves[0], replace(saves[1], parts=()), replace(saves[0], parts=())]
        with gathered(postgres_dsn, ours, saves) as answers:
            answers[0].result()
            with pytest.raises(IntegrityFault):
                answers[1].result()
            answers[2].result()

    def test_lane_work_of_one_batch_adds_up(self, postgres_dsn: str, ours: Appender) -> None:
        till = new_till()
        installed = prepare(commit_of(till), MAPPER, snapshot_every=200)
        changes = [
            LaneChange(till.id, due_at=NOON),
            LaneChange(till.id, parked="no key"),
            LaneChange(till.id, resumed=True),
            LaneChange(till.id, parked="blocked"),
        ]
        saves = [replace(installed, parts=(), lane=change) for change in changes]
        with gathered(postgres_dsn, ours, saves) as answers:
            for answer in answers:
                answer.result()
        with connect(postgres_dsn, name="test") as connection:
            lane = connection.execute("SELECT due_at, parked, epoch FROM lanes").fetchall()
        assert lane == [(NOON, "blocked", 0)]


class TestConnection:
    def test_an_answer_lost_after_the_commit_is_found_out(
        self, proxy: PostgresProxy, postgres_dsn: str
    ) -> None:
        ours = appender(proxy.dsn)
        ours.append(new_save())
        save = new_save("key")
        proxy.lose_answer(COMMITTED)
        admitted = ours.append(save)
        ours.close()
        assert proxy.strikes == 1
        assert stored(postgres_dsn)[name_of(save)] == 1
        with connect(postgres_dsn, name="test") as connection:
            place = connection.execute(
                "SELECT position FROM events WHERE stream_id = %s", [save.parts[0].stream_id]
            ).fetchone()
        assert place == (admitted.position,)

    def test_a_request_lost_before_the_commit_is_sent_again(
        self, proxy: PostgresProxy, postgres_dsn: str
    ) -> None:
        ours = appender(proxy.dsn)
        ours.append(new_save())
        save = new_save("key")
        proxy.lose_request(b"test-till.installed")
        ours.append(save)
        ours.close()
        assert proxy.strikes == 1
        assert stored(postgres_dsn)[name_of(save)] == 1

    def test_a_command_without_events_is_found_by_its_key(
        self, proxy: PostgresProxy, postgres_dsn: str
    ) -> None:
        ours = appender(proxy.dsn)
        ours.append(new_save())
        save = replace(new_save("split"), parts=())
        proxy.lose_answer(COMMITTED)
        ours.append(save)
        ours.close()
        assert proxy.strikes == 1
        with connect(postgres_dsn, name="test") as connection:
            assert connection.execute("SELECT key FROM commands").fetchall() == [("split",)]

    def test_refused_members_of_a_batch_stay_refused_when_its_answer_is_lost(
        self, proxy: PostgresProxy, postgres_dsn: str
    ) -> None:
        ours = appender(proxy.dsn)
        good, other = new_save(), new_save()
        late = replace(other, parts=(replace(other.parts[0], first_version=5),))
        proxy.lose_answer(COMMITTED, skip=1)
        with gathered(postgres_dsn, ours, [late, good]) as answers:
            assert isinstance(answers[0].exception(), Conflict)
            assert answers[1].result().position > 0
        ours.close()
        assert proxy.strikes == 1
        assert stored(postgres_dsn)[name_of(good)] == 1
        assert stored(postgres_dsn)[name_of(other)] == 0

    def test_an_answer_in_doubt_is_waited_for_however_long_it_takes(
        self, proxy: PostgresProxy, postgres_dsn: str
    ) -> None:
        ours = appender(proxy.dsn, give_up_seconds=0.2)
        ours.append(new_save())
        save = new_save()
        with ThreadPoolExecutor(1) as pool:
            proxy.lose_answer(COMMITTED)
            proxy.away.set()
            answer = pool.submit(ours.append, save)
            time.sleep(1.0)
            assert not answer.done()
            proxy.away.clear()
            assert answer.result(timeout=10).position > 0
        ours.close()
        assert stored(postgres_dsn)[name_of(save)] == 1

    def test_while_the_database_is_away_saves_are_refused_in_time_and_leave_nothing(
        self, proxy: PostgresProxy, postgres_dsn: str
    ) -> None:
        ours = appender(proxy.dsn, give_up_seconds=0.3)
        ours.append(new_save())
        proxy.away.set()
        proxy.cut()
        refused = [new_save() for _ in range(5)]
        started = time.monotonic()
        with ThreadPoolExecutor(5) as pool:
            assert list(pool.map(_outcome, [ours] * 5, refused)) == ["StoreUnavailable"] * 5
        assert time.monotonic() - started < 5
        proxy.away.clear()
        last = new_save()
        ours.append(last)
        ours.close()
        found = stored(postgres_dsn)
        assert found[name_of(last)] == 1
        assert not [save for save in refused if found[name_of(save)]]

    def test_connections_killed_at_random_lose_nothing_and_double_nothing(
        self, app_dsn: str, postgres_dsn: str
    ) -> None:
        ours = appender(app_dsn)
        saves = [new_save(f"key {number}") for number in range(600)]
        stop = threading.Event()
        killed = 0

        def kill() -> None:
            nonlocal killed
            dice = random.Random(7)
            with connect(postgres_dsn, name="test") as connection:
                while not stop.wait(dice.uniform(0.0, 0.06)):
                    killed += len(
                        connection.execute(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE application_name = 'appender'"
                        ).fetchall()
                    )

        killer = threading.Thread(target=kill)
        killer.start()
        with ThreadPoolExecutor(16) as pool:
            results = list(pool.map(_outcome, [ours] * len(saves), saves))
        stop.set()
        killer.join()
        ours.close()
        found = stored(postgres_dsn)
        assert killed > 3
        assert set(results) <= {"Admitted", "StoreUnavailable"}
        for save, result in zip(saves, results, strict=True):
            assert found[name_of(save)] == (1 if result == "Admitted" else 0), result
        with connect(postgres_dsn, name="test") as connection:
            assert verify(connection) == []


class TestLimits:
    def test_the_queue_is_bounded(self, app_dsn: str, postgres_dsn: str) -> None:
        ours = appender(app_dsn, most_waiting=3)
        with gathered(postgres_dsn, ours, [new_save() for _ in range(3)]) as answers:
            for answer in answers:
                answer.result()
        with connect(postgres_dsn, name="test", autocommit=False) as locking:
            locking.execute("SELECT FROM heads FOR UPDATE")
            with ThreadPoolExecutor(4) as pool:
                pool.submit(ours.append, new_save())
                wait_until(lambda: not ours._queue)
                for number in range(3):
                    pool.submit(ours.append, new_save())
                    wait_until(lambda wanted=number + 1: len(ours._queue) == wanted)  # type: ignore[misc]
                with pytest.raises(StoreUnavailable):
                    ours.append(new_save())
                locking.rollback()
        ours.close()

    def test_closing_writes_what_is_in_flight_and_refuses_what_comes_later(
        self, app_dsn: str, postgres_dsn: str
    ) -> None:
        ours = appender(app_dsn)
        saves = [new_save() for _ in range(50)]
        with ThreadPoolExecutor(50) as pool:
            answers = [pool.submit(ours.append, save) for save in saves]
            ours.close()
            outcomes = {type(answer.exception()) for answer in answers}
        assert outcomes <= {type(None), StoreUnavailable}
        found = stored(postgres_dsn)
        for save, answer in zip(saves, answers, strict=True):
            assert found[name_of(save)] == (answer.exception() is None)
        with pytest.raises(StoreUnavailable):
            ours.append(new_save())

    def test_a_save_on_the_wrong_shard_of_its_lane_is_our_own_mistake(self) -> None:
        till = new_till()
        wrong = replace(
            commit_of(till, lane=LaneChange(till.id)), shard=(shard_of(till.id) + 1) % 64
        )
        with pytest.raises(AssertionError):
            prepare(wrong, MAPPER, snapshot_every=200)


def _outcome(ours: Appender, save: Save) -> str:
    try:
        return type(ours.append(save)).__name__
    except (Conflict, StoreUnavailable) as refusal:
        return type(refusal).__name__
