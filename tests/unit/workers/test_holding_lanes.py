"""How a worker holds a lane: its lease outlasts every request, and a lane that cannot go on is not hammered."""

from datetime import timedelta
from typing import Any

import pytest

from domain.errors import LaneParked, TooManyWaiting
from domain.identifiers import shard_of
from domain.ports import StoredKind
from domain.register.events import AttemptBegun, DocumentRegistered
from infra.event_store.saves import LaneState
from infra.simulator.endpoints import Request
from infra.simulator.faults import Fault, FaultKind
from tests.support.shop import sale
from tests.support.world import RULES, World


@pytest.fixture
def world() -> World:
    made = World()
    made.shop.ledger.open_shift(register_id=made.shop.register_id, cashier_id=made.shop.cashier_id)
    made.settle()
    return made


@pytest.fixture
def posts(world: World, monkeypatch: pytest.MonkeyPatch) -> list[timedelta]:
    """What is left of the lease whenever a document reaches the service."""
    left: list[timedelta] = []
    handle = world.simulator.handle

    def watch(request: Request) -> Any:
        if request.resource == "doc":
            until = lane(world).lease_until
            assert until is not None
            left.append(until - world.clock.now())
        return handle(request)

    monkeypatch.setattr(world.simulator, "handle", watch)
    return left


def lane(world: World) -> LaneState:
    register_id = world.shop.register_id
    return world.store.known.lanes[shard_of(register_id), register_id]


def pass_time(world: World, *, seconds: float) -> None:
    world.clock.advance(timedelta(seconds=seconds))


def sell(world: World) -> None:
    world.shop.ledger.sell(register_id=world.shop.register_id, request=sale(1000))


class TestLease:
    def test_one_that_nears_its_end_is_renewed_before_the_document_is_sent(
        self, world: World, posts: list[timedelta]
    ) -> None:
        sell(world)
        world.while_stamping = lambda: pass_time(world, seconds=45)
        world.work()

        assert posts == [timedelta(seconds=RULES.lease_seconds)]
        assert len(world.facts(DocumentRegistered)) == 2

    def test_one_that_has_enough_left_costs_nothing(
        self, world: World, posts: list[timedelta]
    ) -> None:
        sell(world)
        world.while_stamping = lambda: pass_time(world, seconds=15)
        world.work()

        assert posts == [timedelta(seconds=RULES.lease_seconds - 15)]

    @pytest.mark.parametrize("gone_seconds", [RULES.lease_seconds + 1, 10 * RULES.lease_seconds])
    def test_nothing_is_sent_under_one_that_another_worker_took(
        self, world: World, posts: list[timedelta], gone_seconds: int
    ) -> None:
        def taken() -> None:
            now = world.clock.advance(timedelta(seconds=gone_seconds))
            assert world.lanes.claim(
                world.shop.register_id, owner="another", now=now, seconds=RULES.lease_seconds
            )

        sell(world)
        world.while_stamping = taken
        world.work()

        assert posts == []
        # The one begun is the shift opening's.
        assert len(world.facts(AttemptBegun)) == 1


class TestCannotGoOn:
    def test_stored_bytes_that_changed_stop_the_lane(self, world: World) -> None:
        sell(world)
        *_, newest = (
            stored
            for ref, stored in world.store._documents.items()
            if ref.kind is StoredKind.SIGNED
        )
        object.__setattr__(newest, "sha256", bytes(32))
        world.work()

        parked = world.register().parked
        assert parked is not None
        assert parked.reason == "integrity-fault"
        with pytest.raises(LaneParked):
            sell(world)

    def test_refused_receipts_that_nobody_corrects_are_bounded_with_those_that_wait(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("domain.register.aggregate.MOST_WAITING", 3)
        world.simulator.faults.stand(Fault(kind=FaultKind.REFUSE_CODE, resources=("doc",), code=9))
        for _ in range(2):
            sell(world)
            world.work()
        sell(world)
        sell(world)
        version = world.register().version

        assert len(world.register().refused) == 2
        with pytest.raises(TooManyWaiting):
            sell(world)
        assert world.register().version == version

    def test_a_service_that_answers_questions_and_takes_no_document_is_asked_ever_later(
        self, world: World, posts: list[timedelta]
    ) -> None:
        world.simulator.faults.stand(Fault(kind=FaultKind.RESET, resources=("doc",)))
        sell(world)
        for _ in range(600):
            world.work()
            world.clock.advance(timedelta(seconds=1))

        # Ten minutes at one look a second: after the first few, one document every half minute.
        assert 5 < len(posts) < 40
        world.settle()
        assert [stored.kind.value for stored in world.book()] == ["open", "sale"]
