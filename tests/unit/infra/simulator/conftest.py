from collections.abc import Callable
from typing import Any

import pytest

from infra.simulator.switches import Switches
from tests.unit.infra.simulator.office import Office


@pytest.fixture
def office() -> Office:
    """One company, its registers, all shifts closed."""
    return Office()


@pytest.fixture
def opened(office: Office) -> Office:
    """The same with an open shift on the first register."""
    office.open()
    return office


@pytest.fixture
def office_with() -> Callable[..., Office]:
    """Offices with some switches changed and a shift open."""

    def build(**switches: Any) -> Office:
        office = Office(switches=Switches(**switches))
        office.open()
        return office

    return build
