"""After a backup was restored: what the tax service has is found before anything is sent."""

from datetime import timedelta

import pytest

from domain.ledger.restoring import REASON
from domain.register.events import OutcomeUnknown, StateNeeded
from domain.register.state import LaneStep
from infra.event_store.feed import Cursor
from tests.support.shop import Shop, sale
from tests.support.world import StraightStamps, World


@pytest.fixture
def shop() -> Shop:
    return Shop()


def open_shift(shop: Shop) -> None:
    shop.ledger.open_shift(register_id=shop.register_id, cashier_id=shop.cashier_id)


class TestAfterRestore:
    def test_register_without_a_shift_is_left_alone(self, shop: Shop) -> None:
        version = shop.register().version

        assert shop.ledger.after_restore(shop.register_id) is None
        assert shop.register().version == version

    def test_idle_register_reads_the_state_before_its_next_document(self, world: World) -> None:
        shop = world.shop
        open_shift(shop)
        world.settle()
        assert not world.register().state_needed

        assert shop.ledger.after_restore(shop.register_id) is not None

        assert world.register().next_step() is LaneStep.READ_STATE
        assert shop.lanes.due(now=shop.clock.now(), limit=10) == [shop.register_id]

    def test_document_on_its_way_is_asked_about(self, world: World) -> None:
        shop = world.shop
        open_shift(shop)
        world.settle()
        shop.ledger.sell(register_id=shop.register_id, request=sale())
        start = world.store.page(Cursor(), 1_000).cursor

        shop.ledger.after_restore(shop.register_id)

        events = [each.event for each in world.store.page(start, 10).events]
        assert [type(event) for event in events] == [OutcomeUnknown, StateNeeded]
        assert {event.reason for event in events} == {REASON}
        assert world.register().next_step() is LaneStep.ASK

    def test_second_time_records_nothing(self, world: World) -> None:
        shop = world.shop
        open_shift(shop)
        world.settle()
        shop.ledger.after_restore(shop.register_id)

        assert shop.ledger.after_restore(shop.register_id) is None

    def test_old_document_that_was_registered_after_the_backup_is_not_registered_twice(
        self, world: World
    ) -> None:
        shop = world.shop
        open_shift(shop)
        world.settle()
        sold = shop.ledger.sell(register_id=shop.register_id, request=sale())
        signed = world.store.document(shop.ledger.lane_task(shop.register_id).signed_ref)
        stamped = StraightStamps(world.simulator, world.authority).stamp(signed)
        # What happened after the backup: the service has the document, and the ledger does not know.
        before = len(world.book())
        world.simulator.doc(stamped, {"content-type": "application/octet-stream"})
        assert len(world.book()) == before + 1
        # So late that the document, if nobody had it, would be signed anew.
        world.clock.advance(timedelta(hours=3))

        shop.ledger.after_restore(shop.register_id)
        world.settle()

        register = world.register()
        assert len(world.book()) == before + 1
        assert (register.outstanding, register.waiting) == (None, ())
        assert register.shift is not None
        assert register.shift.totals.sales.count == 1
        assert register.next_local_number == world.next_number()
        assert sold.receipt_id not in register.refused


@pytest.fixture
def world() -> World:
    return World()
