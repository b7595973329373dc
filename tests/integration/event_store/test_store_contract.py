"""What every store does, in memory and in PostgreSQL: one meaning, one set of tests."""

from dataclasses import replace
from datetime import date, timedelta
from threading import Event, Thread
from uuid import uuid4

import pytest

from domain.errors import (
    Conflict,
    IdempotencyKeyReused,
    IntegrityFault,
    NotFound,
    StaleLease,
)
from domain.identifiers import shard_of
from domain.money import Money
from domain.ports import CommandAlreadyRecorded, Commit, LaneChange, LogPosition, StoredKind
from domain.register.aggregate import Register
from infra.event_store.feed import FeedEvent
from tests.integration.event_store.conftest import Engine, FeedStore
from tests.support.till import (
    NOON,
    Till,
    command_named,
    commit_of,
    document_of,
    new_till,
)


def stored_till(store: FeedStore, *, sales: int = 0) -> Till:
    till = new_till()
    for _ in range(sales):
        till.sell(amount=Money(100))
    store.commit(commit_of(till))
    return till


def read(store: FeedStore, till: Till) -> Till:
    store.forget_aggregates()
    return store.read(Till, till.id, shard=shard_of(till.id))


class TestCommit:
    def test_gives_back_what_was_committed(self, engine: Engine) -> None:
        till = stored_till(engine.store, sales=3)
        assert read(engine.store, till) == till
        assert read(engine.store, till).sales == 3

    def test_answers_with_the_place_of_its_last_event(self, engine: Engine) -> None:
        till = new_till()
        till.sell(amount=Money(100))
        shard = shard_of(till.id)
        before = engine.start.positions[shard]
        assert engine.store.commit(commit_of(till)) == LogPosition(shard, before + 2)
        assert till.pending_events == []

    def test_several_streams_become_true_at_once(self, engine: Engine) -> None:
        one, other = new_till("one"), new_till("other")
        engine.store.commit(replace(commit_of(one), streams=(one, other)))
        shard = shard_of(one.id)
        assert engine.store.read(Till, other.id, shard=shard).name == "other"
        before = engine.start.positions[shard]
        assert [event.position for event in engine.log()] == [before + 1, before + 2]

    def test_is_refused_when_the_stream_moved_meanwhile(self, engine: Engine) -> None:
        till = stored_till(engine.store)
        first, second = read(engine.store, till), read(engine.store, till)
        for each in (first, second):
            each._pending_events = []
        first.sell(amount=Money(1))
        second.sell(amount=Money(2))
        engine.store.commit(commit_of(first))
        with pytest.raises(Conflict):
            engine.store.commit(commit_of(second))
        assert read(engine.store, till).total == Money(1)

    def test_a_refused_one_leaves_nothing_of_any_of_its_parts(self, engine: Engine) -> None:
        till, stale = stored_till(engine.store), new_till()
        engine.store.commit(commit_of(till_sold := _sold(read(engine.store, till))))
        assert till_sold.sales == 1
        late = _sold(till)
        document = document_of(till, b"bytes")
        with pytest.raises(Conflict):
            engine.store.commit(
                Commit(
                    shard=shard_of(till.id),
                    streams=(stale, late),
                    documents=(document,),
                    command=command_named("late"),
                    lane=LaneChange(till.id, due_at=NOON),
                )
            )
        assert len(engine.log()) == 2
        assert engine.store.recorded(shard=shard_of(till.id), scope="test", key="late") is None
        assert till.id not in engine.lanes.due(now=NOON, limit=1_000)
        with pytest.raises(NotFound):
            engine.store.document(document.ref)
        with pytest.raises(NotFound):
            engine.store.read(Till, stale.id, shard=shard_of(till.id))

    def test_a_commit_without_events_still_stores_the_rest(self, engine: Engine) -> None:
        till = stored_till(engine.store)
        document = document_of(till, b"bytes")
        engine.store.commit(
            commit_of(till, documents=(document,), command=command_named(till.id.hex))
        )
        assert engine.store.document(document.ref) == b"bytes"
        assert len(engine.log()) == 1


def _sold(till: Till, amount: int = 100) -> Till:
    till._pending_events = []
    till.sell(amount=Money(amount))
    return till


class TestCommands:
    @pytest.fixture
    def key(self) -> str:
        return uuid4().hex

    def test_a_recorded_command_is_found_with_its_result(self, engine: Engine, key: str) -> None:
        till = new_till()
        command = command_named(key, receipt="r-1", number=7)
        engine.store.commit(commit_of(till, command=command))
        found = engine.store.recorded(shard=shard_of(till.id), scope="test", key=key)
        assert found == command

    def test_a_repetition_is_answered_with_the_first_result(self, engine: Engine, key: str) -> None:
        till = stored_till(engine.store)
        first = command_named(key, number=1)
        engine.store.commit(commit_of(_sold(till), command=first))
        with pytest.raises(CommandAlreadyRecorded) as repeated:
            engine.store.commit(commit_of(_sold(till), command=command_named(key, number=2)))
        assert repeated.value.recorded == first

    def test_a_repetition_gets_its_result_even_when_the_stream_moved(
        self, engine: Engine, key: str
    ) -> None:
        till = stored_till(engine.store)
        stale = read(engine.store, till)
        engine.store.commit(commit_of(_sold(till), command=command_named(key)))
        with pytest.raises(CommandAlreadyRecorded):
            engine.store.commit(commit_of(_sold(stale), command=command_named(key)))

    def test_the_same_key_with_another_body_is_a_conflict(self, engine: Engine, key: str) -> None:
        till = stored_till(engine.store)
        engine.store.commit(commit_of(_sold(till), command=command_named(key, body=b"a")))
        with pytest.raises(IdempotencyKeyReused):
            engine.store.commit(commit_of(_sold(till), command=command_named(key, body=b"b")))

    def test_the_same_key_of_another_register_is_another_command(
        self, engine: Engine, key: str
    ) -> None:
        for _ in range(5):
            till = new_till()
            command = replace(command_named(key))
            engine.store.commit(
                commit_of(
                    till,
                    command=replace(command, command=replace(command.command, scope=till.id.hex)),
                )
            )
        assert len(engine.log()) == 5


class TestDocuments:
    CONTENT = b"<CHECK/>" * 500

    def test_bytes_come_back_as_they_were(self, engine: Engine) -> None:
        till = new_till()
        documents = tuple(document_of(till, self.CONTENT, kind=kind) for kind in StoredKind)
        engine.store.commit(commit_of(till, documents=documents))
        for document in documents:
            assert engine.store.document(document.ref) == self.CONTENT

    def test_months_far_apart_are_stored_alike(self, engine: Engine) -> None:
        till = new_till()
        months = [date(2024, 2, 1), date(2026, 12, 1), date(2031, 1, 1)]
        documents = tuple(document_of(till, b"x", month=month) for month in months)
        engine.store.commit(commit_of(till, documents=documents))
        assert [engine.store.document(document.ref) for document in documents] == [b"x"] * 3

    def test_unknown_bytes_are_not_found(self, engine: Engine) -> None:
        with pytest.raises(NotFound):
            engine.store.document(document_of(new_till(), b"x").ref)

    def test_the_same_bytes_may_come_again(self, engine: Engine) -> None:
        till = stored_till(engine.store)
        document = document_of(till, self.CONTENT)
        for _ in range(2):
            engine.store.commit(commit_of(_sold(till), documents=(document,)))
        assert engine.store.document(document.ref) == self.CONTENT
        assert read(engine.store, till).sales == 2

    def test_other_bytes_under_the_same_name_are_a_fault(self, engine: Engine) -> None:
        till = stored_till(engine.store)
        document = document_of(till, self.CONTENT)
        engine.store.commit(commit_of(_sold(till), documents=(document,)))
        with pytest.raises(IntegrityFault):
            engine.store.commit(
                commit_of(_sold(till), documents=(replace(document, content=b"other"),))
            )
        assert engine.store.document(document.ref) == self.CONTENT


class TestLease:
    def leased(self, engine: Engine) -> tuple[Till, int]:
        till = new_till()
        engine.store.commit(commit_of(till, lane=LaneChange(till.id, due_at=NOON)))
        lease = engine.lanes.claim(till.id, owner="one", now=NOON, seconds=60)
        assert lease is not None
        return till, lease.epoch

    def test_a_commit_under_the_lease_stands(self, engine: Engine) -> None:
        till, epoch = self.leased(engine)
        engine.store.commit(commit_of(_sold(till), lane=LaneChange(till.id, fence=epoch)))
        assert read(engine.store, till).sales == 1

    def test_a_commit_under_an_older_lease_is_refused(self, engine: Engine) -> None:
        till, epoch = self.leased(engine)
        later = NOON + timedelta(seconds=61)
        assert engine.lanes.claim(till.id, owner="two", now=later, seconds=60) is not None
        with pytest.raises(StaleLease):
            engine.store.commit(commit_of(_sold(till), lane=LaneChange(till.id, fence=epoch)))
        assert read(engine.store, till).sales == 0

    def test_a_commit_after_the_lane_was_given_back_is_refused(self, engine: Engine) -> None:
        till, epoch = self.leased(engine)
        lease = engine.lanes.claim(till.id, owner="two", now=NOON + timedelta(61), seconds=60)
        assert lease is not None
        engine.lanes.finish(lease, due_at=None, reason=None, failures=0)
        for fence in (epoch, lease.epoch):
            with pytest.raises(StaleLease):
                engine.store.commit(commit_of(_sold(till), lane=LaneChange(till.id, fence=fence)))

    def test_a_lane_that_never_was_has_no_lease(self, engine: Engine) -> None:
        till = new_till()
        with pytest.raises(StaleLease):
            engine.store.commit(commit_of(till, lane=LaneChange(till.id, fence=0)))


class TestHold:
    def test_an_unknown_stream_is_not_found(self, engine: Engine) -> None:
        stream_id = uuid4()
        with (
            pytest.raises(NotFound),
            engine.store.hold(Till, stream_id, shard=shard_of(stream_id)),
        ):
            raise AssertionError("held nothing")

    def test_what_was_not_committed_is_forgotten(self, engine: Engine) -> None:
        till = stored_till(engine.store)
        shard = shard_of(till.id)
        with engine.store.hold(Till, till.id, shard=shard) as held:
            held.sell(amount=Money(100))
        with engine.store.hold(Till, till.id, shard=shard) as held:
            assert held.sales == 0
            held.sell(amount=Money(100))
            engine.store.commit(commit_of(held))
        assert engine.store.read(Till, till.id, shard=shard).sales == 1

    def test_an_error_inside_forgets_what_was_decided(self, engine: Engine) -> None:
        till = stored_till(engine.store)
        shard = shard_of(till.id)

        def fail() -> None:
            with engine.store.hold(Till, till.id, shard=shard) as held:
                held.sell(amount=Money(100))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert engine.store.read(Till, till.id, shard=shard).sales == 0

    def test_one_holder_at_a_time(self, engine: Engine) -> None:
        till = stored_till(engine.store)
        shard = shard_of(till.id)

        def sell_some() -> None:
            for _ in range(25):
                with engine.store.hold(Till, till.id, shard=shard) as held:
                    held.sell(amount=Money(1))
                    engine.store.commit(commit_of(held))

        threads = [Thread(target=sell_some) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert read(engine.store, till).sales == 100

    def test_what_is_read_does_not_change_later(self, engine: Engine) -> None:
        till = stored_till(engine.store)
        shard = shard_of(till.id)
        before = engine.store.read(Till, till.id, shard=shard)
        with engine.store.hold(Till, till.id, shard=shard) as held:
            held.sell(amount=Money(100))
            engine.store.commit(commit_of(held))
        assert (before.sales, before.by_form) == (0, {})

    def test_reading_waits_for_the_holder(self, engine: Engine) -> None:
        till = stored_till(engine.store)
        shard = shard_of(till.id)
        holding, seen = Event(), []

        def look() -> None:
            holding.wait()
            seen.append(engine.store.read(Till, till.id, shard=shard).sales)

        thread = Thread(target=look)
        thread.start()
        with engine.store.hold(Till, till.id, shard=shard) as held:
            holding.set()
            held.sell(amount=Money(1))
            engine.store.commit(commit_of(held))
        thread.join()
        assert seen == [1]

    def test_another_kind_of_stream_is_not_found(self, engine: Engine) -> None:
        till = stored_till(engine.store)
        with pytest.raises(NotFound):
            engine.store.read(Register, till.id, shard=shard_of(till.id))


class TestPage:
    def test_pages_show_every_event_once_in_the_order_of_each_shard(self, engine: Engine) -> None:
        tills = [stored_till(engine.store, sales=number % 5) for number in range(40)]
        expected = sum(1 + number % 5 for number in range(40))
        assert len(tills) == 40
        for limit in (1, 7, 1000):
            cursor = engine.start
            seen: list[FeedEvent] = []
            while (page := engine.store.page(cursor, limit)).events:
                assert len(page.events) <= limit
                seen += page.events
                cursor = page.cursor
            places = [(event.shard, event.position) for event in seen]
            assert len(set(places)) == len(places) == expected
            for shard in {place[0] for place in places}:
                positions = [position for at, position in places if at == shard]
                first = engine.start.positions[shard] + 1
                assert positions == list(range(first, first + len(positions)))

    def test_the_end_of_the_log_has_an_empty_page(self, engine: Engine) -> None:
        stored_till(engine.store)
        end = engine.store.page(engine.start, 10).cursor
        assert engine.store.page(end, 10) == engine.store.page(end, 1)
        assert engine.store.page(end, 10).events == ()
        assert engine.store.page(end, 10).cursor == end

    def test_events_come_back_decoded(self, engine: Engine) -> None:
        till = stored_till(engine.store, sales=1)
        installed, sold = engine.log()
        assert isinstance(installed.event, Till.Installed)
        assert isinstance(sold.event, Till.Sold)
        assert sold.event.total == Money(100)
        assert (sold.stream_id, sold.version, sold.topic) == (till.id, 2, "test-till.sold")
