"""The registers' state machine in one process: thousands of days, each with faults and deaths at every commit."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.baskets import GROUPS
from tests.support.register_machine import RegisterMachine
from tests.support.world import World

DEFAULT_SEQUENCES = 2_000 if os.environ.get("CI") == "true" else 100
SEQUENCES = int(os.environ.get("FISCAL_TEST_SEQUENCES", DEFAULT_SEQUENCES))


class RegistersInMemory(RegisterMachine):
    """Each sequence has a world of its own."""

    def __init__(self) -> None:
        world = World()
        world.shop.ledger.set_tax_groups(world.shop.company_id, GROUPS)
        super().__init__(world)


class MoreRegistersInMemory(RegistersInMemory):
    """The other half of the sequences: two test classes can run at the same time."""


TestRegistersInMemory = pytest.mark.timeout(900)(RegistersInMemory.TestCase)
TestMoreRegistersInMemory = pytest.mark.timeout(900)(MoreRegistersInMemory.TestCase)
TestRegistersInMemory.settings = TestMoreRegistersInMemory.settings = settings(
    max_examples=SEQUENCES // 2,
    stateful_step_count=18,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
