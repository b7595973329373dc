"""Test shifts with the tax service: every document marked, never beside a fiscal one."""

import pytest

from domain.register.state import RegisterSettings
from tests.support.shop import sale
from tests.support.world import World


@pytest.fixture
def world() -> World:
    return World()


def live_a_day(world: World, *, testing: bool | None) -> None:
    ledger, register_id = world.shop.ledger, world.shop.register_id
    ledger.open_shift(register_id=register_id, cashier_id=world.shop.cashier_id, testing=testing)
    issued = ledger.sell(register_id=register_id, request=sale(1000))
    assert issued.testing is (testing or False)
    world.settle()
    ledger.close_shift(register_id=register_id)
    world.settle()


def marks(world: World) -> list[bool]:
    return [stored.document.is_testing for stored in world.book()]


def test_every_document_of_a_test_shift_is_marked_and_accepted(world: World) -> None:
    live_a_day(world, testing=True)

    assert [stored.kind.value for stored in world.book()] == ["open", "sale", "z-report", "close"]
    assert marks(world) == [True] * 4


def test_the_next_shift_is_fiscal_again(world: World) -> None:
    live_a_day(world, testing=True)
    live_a_day(world, testing=None)

    assert marks(world) == [True] * 4 + [False] * 4


def test_a_register_set_to_test_tests_until_an_opening_says_otherwise(world: World) -> None:
    world.shop.ledger.change_register_settings(
        world.shop.register_id, RegisterSettings(testing=True)
    )
    ledger, register_id = world.shop.ledger, world.shop.register_id
    ledger.open_shift(register_id=register_id, cashier_id=world.shop.cashier_id)
    assert ledger.x_report(register_id).testing
    ledger.close_shift(register_id=register_id)
    world.settle()
    live_a_day(world, testing=False)

    assert marks(world) == [True] * 3 + [False] * 4


@pytest.mark.parametrize("theirs", [True, False])
def test_a_shift_of_the_other_mode_open_at_the_service_stops_the_lane_and_says_so(
    world: World, theirs: bool
) -> None:
    ledger, register_id = world.shop.ledger, world.shop.register_id
    ledger.open_shift(register_id=register_id, cashier_id=world.shop.cashier_id, testing=theirs)
    world.settle()
    stranger = World()
    stranger.simulator = world.simulator
    stranger.clock.advance(world.clock.now() - stranger.clock.now())
    stranger.start_worker()
    stranger.shop.ledger.open_shift(
        register_id=stranger.shop.register_id,
        cashier_id=stranger.shop.cashier_id,
        testing=not theirs,
    )
    stranger.shop.ledger.sell(register_id=stranger.shop.register_id, request=sale(1000))
    stranger.work()

    parked = stranger.register().parked
    assert parked is not None
    assert parked.reason == "shift-of-another-mode"
    assert marks(world) == [theirs]
