"""The registers' state machine with all parts apart: tills over HTTP, PostgreSQL, worker and tax service over sockets."""

import os
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from infra.simulator.faults import Fault
from tests.support.http_world import HttpWorld, Place, running_place
from tests.support.register_machine import RegisterMachine, faults, registers

LEAST_STEPS = 15
LEAST_DOCUMENTS = 8
"""What the tax service must have of a sequence that counts; chance makes many in which next to nothing happens."""

DEFAULT_SEQUENCES = 25 if os.environ.get("CI") == "true" else 5
SEQUENCES = int(os.environ.get("FISCAL_TEST_HTTP_SEQUENCES", DEFAULT_SEQUENCES))


class RegistersOverHttp(RegisterMachine):
    """Each sequence has two new registers of one place; at rest what the API shows is looked at too.

    `lived` is called when a sequence that counts has ended well. There are few, so each begins with open shifts and a
    sale.
    """

    world: HttpWorld

    def __init__(self, place: Place, lived: Callable[[], None]) -> None:
        super().__init__(HttpWorld(place))
        self._lived = lived
        self._steps = -1

    @initialize(begun=st.just(True))
    def a_day_begins(self, begun: bool) -> None:
        super().a_day_begins(begun)

    @rule(on=registers, price=st.integers(1, 9_999), fault=faults, times=st.integers(1, 2))
    def a_disturbed_sale(self, on: int, price: int, fault: Fault, times: int) -> None:
        """A sale meets a fault for certain: few sequences would otherwise see few faults."""
        self.sell(on, price, 0, "А")
        self.disturb(fault, times)
        for _ in range(times + 1):
            self.work(on)
            self.wait(1)

    @invariant()
    def something_happens(self) -> None:
        """Leave sequences alone in which the tax service hears of next to nothing; asked once before the first step."""
        self._steps += 1
        assume(self._steps < LEAST_STEPS or self._is_worth_while())

    def teardown(self) -> None:
        super().teardown()
        if self._steps >= LEAST_STEPS and self._is_worth_while():
            self._lived()

    def _is_worth_while(self) -> bool:
        documents = sum(len(self.world.book(register_id)) for register_id in self.registers)
        return documents >= LEAST_DOCUMENTS

    def _settle(self) -> None:
        super()._settle()
        self.world.check_answers(self.tills)


@pytest.fixture(scope="module")
def place(module_postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(module_postgres_dsn, tmp_path_factory.mktemp("data")) as place:
        yield place


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_whatever_happens_over_http_all_books_agree_at_rest(place: Place) -> None:
    lived: list[bool] = []
    run_state_machine_as_test(
        # It asks for a class and takes anything that gives a machine, as its documentation says.
        cast(
            "type[RegistersOverHttp]", lambda: RegistersOverHttp(place, lambda: lived.append(True))
        ),
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=20,
            # A sequence takes a second or two, so a failing one is shown as it is.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
        _min_steps=LEAST_STEPS,
    )
    assert len(lived) >= SEQUENCES
