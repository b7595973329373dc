"""The registers' state machine in one process: thousands of days, each with faults and deaths at every commit."""

import os
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from domain.money import Ties
from domain.readings import DEFAULT_READINGS, PartPaymentSum, Readings, ReturnRounding
from infra.simulator.switches import Switches
from tests.baskets import GROUPS
from tests.support.register_machine import JUDGING, RegisterMachine
from tests.support.world import World

LEAST_STEPS = 15
"""Steps of a sequence that counts."""

DEFAULT_SEQUENCES = 2_000 if os.environ.get("CI") == "true" else 100
SEQUENCES = int(os.environ.get("FISCAL_TEST_SEQUENCES", DEFAULT_SEQUENCES))

pytestmark = pytest.mark.timeout(900)


class RegistersInMemory(RegisterMachine):
    """Each sequence has a world of its own; `lived` is called when one that counts has ended well."""

    def __init__(
        self,
        lived: Callable[[], None],
        *,
        readings: Readings = DEFAULT_READINGS,
        judging: Switches = JUDGING,
    ) -> None:
        world = World(readings=readings)
        world.shop.ledger.set_tax_groups(world.shop.company_id, GROUPS)
        super().__init__(world, judging=judging)
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


def live(sequences: int, **otherwise: Any) -> None:
    """Live so many sequences that count, or fail."""
    lived: list[bool] = []
    run_state_machine_as_test(
        # It asks for a class and takes anything that gives a machine, as its documentation says.
        cast(
            "type[RegistersInMemory]",
            lambda: RegistersInMemory(lambda: lived.append(True), **otherwise),
        ),
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


class TestRegistersWithOtherReadings:
    """A tax service that reads the open questions the other way, and a ledger set to read them so."""

    def test_whatever_happens_all_books_agree_at_rest(self) -> None:
        live(
            max(5, SEQUENCES // 20),
            readings=Readings(
                part_payment_checked_sum=PartPaymentSum.PAID,
                part_payment_counted_sum=PartPaymentSum.FULL,
                storno_keeps_count=True,
                half_kopeck_of_tax=Ties.DOWN,
                settlement_row_of_nothing=True,
                return_rounding=ReturnRounding.OPPOSITE,
            ),
            judging=JUDGING.model_copy(
                update={
                    "part_payment_counts": "full",
                    "storno_counts": "counted-without-sum",
                    "return_rounding_sign": "reversed",
                    "settled_needs_payment_row": True,
                }
            ),
        )
