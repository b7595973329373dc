"""The registers' state machine in one process: thousands of days, each with faults and deaths at every commit."""

import os
from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from tests.baskets import GROUPS
from tests.support.register_machine import RegisterMachine
from tests.support.world import World

LEAST_STEPS = 15
"""Steps of a sequence that counts."""

DEFAULT_SEQUENCES = 2_000 if os.environ.get("CI") == "true" else 100
SEQUENCES = int(os.environ.get("FISCAL_TEST_SEQUENCES", DEFAULT_SEQUENCES))

pytestmark = pytest.mark.timeout(900)


class RegistersInMemory(RegisterMachine):
    """Each sequence has a world of its own; `lived` is called when one that counts has ended well."""

    def __init__(self, lived: Callable[[], None]) -> None:
        world = World()
        world.shop.ledger.set_tax_groups(world.shop.company_id, GROUPS)
        super().__init__(world)
        self._lived = lived
        self._steps = -1

    @invariant()
    def a_step_is_made(self) -> None:
        """Count the steps; invariants are asked once before the first."""
        self._steps += 1

    def teardown(self) -> None:
        super().teardown()
        if self._steps >= LEAST_STEPS:
            self._lived()


def live(sequences: int) -> None:
    """Live so many sequences that count, or fail."""
    lived: list[bool] = []
    run_state_machine_as_test(
        # It asks for a class and takes anything that gives a machine, as its documentation says.
        cast("type[RegistersInMemory]", lambda: RegistersInMemory(lambda: lived.append(True))),
        settings=settings(
            max_examples=sequences,
            stateful_step_count=18,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
        _min_steps=LEAST_STEPS,
    )
    assert len(lived) >= sequences


class TestRegisters:
    def test_whatever_happens_all_books_agree_at_rest(self) -> None:
        live(SEQUENCES // 2)


class TestMoreRegisters:
    """The other half of the sequences: two classes can run at the same time."""

    def test_whatever_happens_all_books_agree_at_rest(self) -> None:
        live(SEQUENCES - SEQUENCES // 2)
