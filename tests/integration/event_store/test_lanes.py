"""Lanes: one worker at a time on a register, fenced by an epoch; the same in memory and in PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.errors import StoreUnavailable
from domain.ports import LaneChange, LaneLease
from infra.event_store.follower import Hints
from infra.event_store.lanes import PostgresLanes
from infra.event_store.store import PostgresStore
from infra.event_store.writing import LANES_CHANNEL
from tests.integration.event_store.conftest import Engine, FeedStore
from tests.support.till import NOON, Till, commit_of, new_till

MINUTE = timedelta(minutes=1)


def with_work(store: FeedStore, *, due_at: datetime = NOON) -> Till:
    till = new_till()
    store.commit(commit_of(till, lane=LaneChange(till.id, due_at=due_at)))
    return till


def change(engine: Engine, till: Till, lane: LaneChange) -> None:
    till.note(text="lane")
    engine.store.commit(commit_of(till, lane=lane))


def claimed(engine: Engine, till: Till, *, now: datetime = NOON, owner: str = "one") -> LaneLease:
    lease = engine.lanes.claim(till.id, owner=owner, now=now, seconds=60)
    assert lease is not None
    return lease


def is_due(engine: Engine, till: Till, now: datetime) -> bool:
    return till.id in engine.lanes.due(now=now, limit=10_000)


class TestClaim:
    def test_takes_a_due_lane(self, engine: Engine) -> None:
        till = with_work(engine.store)
        assert is_due(engine, till, NOON)
        lease = claimed(engine, till)
        assert (lease.register_id, lease.epoch, lease.failures) == (till.id, 1, 0)
        assert not is_due(engine, till, NOON)

    def test_leaves_alone_what_is_not_due(self, engine: Engine) -> None:
        till = with_work(engine.store, due_at=NOON + MINUTE)
        assert not is_due(engine, till, NOON)
        assert engine.lanes.claim(till.id, owner="one", now=NOON, seconds=60) is None

    def test_leaves_alone_what_another_holds(self, engine: Engine) -> None:
        till = with_work(engine.store)
        claimed(engine, till)
        change(engine, till, LaneChange(till.id, due_at=NOON))
        assert engine.lanes.claim(till.id, owner="two", now=NOON, seconds=60) is None

    def test_leaves_alone_a_register_that_never_had_work(self, engine: Engine) -> None:
        till = new_till()
        engine.store.commit(commit_of(till))
        assert engine.lanes.claim(till.id, owner="one", now=NOON, seconds=60) is None

    def test_takes_over_when_the_lease_ran_out_and_raises_the_epoch(self, engine: Engine) -> None:
        till = with_work(engine.store)
        first = claimed(engine, till)
        assert is_due(engine, till, NOON + MINUTE)
        second = claimed(engine, till, now=NOON + MINUTE, owner="two")
        assert second.epoch == first.epoch + 1

    def test_one_of_many_at_once_wins(self, engine: Engine) -> None:
        till = with_work(engine.store)

        def claim(number: int) -> LaneLease | None:
            return engine.lanes.claim(till.id, owner=str(number), now=NOON, seconds=60)

        with ThreadPoolExecutor(8) as threads:
            leases = [lease for lease in threads.map(claim, range(16)) if lease is not None]
        assert [lease.epoch for lease in leases] == [1]

    def test_longest_due_first(self, engine: Engine) -> None:
        early = NOON - timedelta(days=3_000)
        tills = [with_work(engine.store, due_at=early + n * MINUTE) for n in (2, 0, 1)]
        due = engine.lanes.due(now=NOON, limit=3)
        assert due == [tills[1].id, tills[2].id, tills[0].id]
        for till in tills:
            claimed(engine, till)


class TestExtend:
    def test_keeps_the_lane(self, engine: Engine) -> None:
        till = with_work(engine.store)
        lease = claimed(engine, till)
        assert engine.lanes.extend(lease, now=NOON + MINUTE / 2, seconds=60)
        assert engine.lanes.claim(till.id, owner="two", now=NOON + MINUTE, seconds=60) is None

    def test_fails_once_another_took_over(self, engine: Engine) -> None:
        till = with_work(engine.store)
        lease = claimed(engine, till)
        claimed(engine, till, now=NOON + MINUTE, owner="two")
        assert not engine.lanes.extend(lease, now=NOON + MINUTE, seconds=60)

    def test_fails_once_the_lane_was_given_back(self, engine: Engine) -> None:
        lease = claimed(engine, with_work(engine.store))
        assert engine.lanes.finish(lease, due_at=None, reason=None, failures=0)
        assert not engine.lanes.extend(lease, now=NOON, seconds=60)


class TestFinish:
    def test_the_lane_rests_until_it_has_work(self, engine: Engine) -> None:
        till = with_work(engine.store)
        assert engine.lanes.finish(claimed(engine, till), due_at=None, reason=None, failures=0)
        assert not is_due(engine, till, NOON + timedelta(days=365))
        change(engine, till, LaneChange(till.id, due_at=NOON))
        assert claimed(engine, till).epoch == 2

    def test_the_next_due_time_and_the_failures_are_kept(self, engine: Engine) -> None:
        till = with_work(engine.store)
        lease = claimed(engine, till)
        engine.lanes.finish(lease, due_at=NOON + MINUTE, reason="no answer", failures=3)
        assert not is_due(engine, till, NOON)
        assert claimed(engine, till, now=NOON + MINUTE).failures == 3

    def test_work_committed_meanwhile_stays_due(self, engine: Engine) -> None:
        till = with_work(engine.store)
        lease = claimed(engine, till)
        change(engine, till, LaneChange(till.id, due_at=NOON))
        engine.lanes.finish(lease, due_at=NOON + MINUTE, reason=None, failures=0)
        assert is_due(engine, till, NOON)

    def test_fails_once_the_lease_was_lost(self, engine: Engine) -> None:
        till = with_work(engine.store)
        lease = claimed(engine, till)
        second = claimed(engine, till, now=NOON + MINUTE, owner="two")
        assert not engine.lanes.finish(lease, due_at=None, reason=None, failures=0)
        assert engine.lanes.extend(second, now=NOON + MINUTE, seconds=60)


class TestChange:
    def test_an_earlier_due_time_stays(self, engine: Engine) -> None:
        till = with_work(engine.store)
        change(engine, till, LaneChange(till.id, due_at=NOON + MINUTE))
        assert is_due(engine, till, NOON)

    def test_a_change_without_a_time_leaves_it(self, engine: Engine) -> None:
        till = with_work(engine.store)
        change(engine, till, LaneChange(till.id))
        assert is_due(engine, till, NOON)

    def test_a_parked_lane_is_claimed_only_after_it_was_resumed(self, engine: Engine) -> None:
        till = with_work(engine.store)
        change(engine, till, LaneChange(till.id, parked="refused"))
        assert not is_due(engine, till, NOON)
        assert engine.lanes.claim(till.id, owner="one", now=NOON, seconds=60) is None
        change(engine, till, LaneChange(till.id, resumed=True))
        assert claimed(engine, till).epoch == 1

    def test_a_lane_parked_by_its_holder_stays_parked_when_given_back(self, engine: Engine) -> None:
        till = with_work(engine.store)
        lease = claimed(engine, till)
        change(engine, till, LaneChange(till.id, parked="refused", fence=lease.epoch))
        assert engine.lanes.finish(lease, due_at=NOON, reason="parked", failures=0)
        assert not is_due(engine, till, NOON + timedelta(days=1))


class TestHintsOfLanes:
    """What PostgreSQL adds: whoever listens hears of work."""

    @pytest.fixture
    def hints(self, app_dsn: str) -> Hints:
        hints = Hints(app_dsn, name="test", channel=LANES_CHANNEL)
        assert hints.wait(5.0) == [""]
        return hints

    @staticmethod
    def heard(hints: Hints) -> set[UUID]:
        return {UUID(name) for payload in hints.wait(5.0) for name in payload.split(",")}

    def test_new_work_is_told_once(self, postgres_store: PostgresStore, hints: Hints) -> None:
        till = with_work(postgres_store)
        assert self.heard(hints) == {till.id}
        till.sell(amount=till.total)
        postgres_store.commit(commit_of(till, lane=LaneChange(till.id, due_at=NOON)))
        assert hints.wait(0.2) == []
        hints.close()

    def test_work_left_by_the_holder_is_told(
        self, postgres_store: PostgresStore, hints: Hints
    ) -> None:
        till = with_work(postgres_store)
        assert self.heard(hints) == {till.id}
        lanes = PostgresLanes(postgres_store)
        lease = lanes.claim(till.id, owner="one", now=NOON, seconds=60)
        assert lease is not None
        lanes.finish(lease, due_at=NOON, reason=None, failures=0)
        assert self.heard(hints) == {till.id}
        lease = lanes.claim(till.id, owner="one", now=NOON, seconds=60)
        assert lease is not None
        lanes.finish(lease, due_at=None, reason=None, failures=0)
        assert hints.wait(0.2) == []
        hints.close()

    def test_a_claim_waits_for_a_commit_that_is_being_written(
        self, postgres_store: PostgresStore, app_dsn: str
    ) -> None:
        till = with_work(postgres_store)
        lanes = PostgresLanes(postgres_store)
        with ThreadPoolExecutor(1) as threads, postgres_store.pool.connection() as other:
            with other.transaction():
                other.execute("SELECT FROM lanes FOR NO KEY UPDATE")
                claim = threads.submit(lanes.claim, till.id, owner="one", now=NOON, seconds=60)
                with pytest.raises(TimeoutError):
                    claim.result(timeout=0.2)
            assert claim.result(timeout=10) is not None

    def test_without_a_database_lanes_are_unavailable(self, app_dsn: str) -> None:
        store = PostgresStore(app_dsn)
        lanes = PostgresLanes(store)
        store.close()
        with pytest.raises(StoreUnavailable):
            lanes.due(now=NOON, limit=1)
