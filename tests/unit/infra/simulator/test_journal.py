"""A simulator that starts anew from its journal knows all it knew."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest

from infra.simulator.journal import FileJournal
from infra.simulator.overview import book_json
from infra.simulator.registry import RegistryEntries
from infra.simulator.simulator import Simulator
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import (
    CASHIER,
    START,
    Clock,
    Office,
    company,
    key_id,
    new_simulator,
)

Opener = Callable[..., Office]


@pytest.fixture
def office_over() -> Iterator[Opener]:
    """Opens offices over a journal's file; closes them all at the end."""
    with ExitStack() as stack:

        def build(path: Path, clock: Clock) -> Office:
            office = Office(clock=clock)
            office.simulator = new_simulator(clock, journal=FileJournal(path))
            stack.callback(office.simulator.close)
            return office

        yield build


def everything(simulator: Simulator) -> list[object]:
    books = [book_json(simulator, book) for book in simulator.book.registers()]
    return [books, simulator.registry.entries().model_dump()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "book.jsonl"


def test_everything_is_known_after_a_restart(path: Path, office_over: Opener) -> None:
    clock = Clock()
    office = office_over(path, clock)
    office.simulator.set_up(company())
    office.open()
    office.sell()
    number = office.sell()["ORDERTAXNUM"]
    office.accept(make.storno(4, office.local, target=number))
    office.asked("DeviceRegister", NumFiscal=make.REGISTER, DeviceId="d" * 64)
    office.simulator.register_foreign(make.REGISTER)
    office.simulator.close_register(make.OTHER_REGISTER)
    before = everything(office.simulator)

    again = office_over(path, clock)

    assert everything(again.simulator) == before
    assert again.sell()["ORDERTAXNUM"] == "3600000106"
    stored = again.simulator.book.find_document(number)
    assert stored is not None
    assert stored.signed == office.simulator.book.documents[2].signed


def test_shift_goes_on_to_its_close_after_a_restart(path: Path, office_over: Opener) -> None:
    clock = Clock()
    office = office_over(path, clock)
    office.simulator.set_up(company())
    office.open()
    office.sell()

    again = office_over(path, clock)
    again.accept(make.z_report(3, again.local, {"ZREPREALIZ": make.orders(5000, 1)}))
    again.accept(make.close_shift(4, again.local))
    again.open()

    third = office_over(path, clock)
    assert third.state()["ShiftId"] == 7712341


def test_withdrawn_access_stays_withdrawn(path: Path, office_over: Opener) -> None:
    office = office_over(path, Clock())
    office.simulator.set_up(company())
    office.simulator.withdraw_access(key_id=key_id(CASHIER), register=make.REGISTER)

    again = office_over(path, Clock())

    assert "2 OperatorAccess" in again.refused(make.open_shift(1, again.local))


def test_half_a_line_of_a_killed_process_is_dropped(path: Path, office_over: Opener) -> None:
    clock = Clock()
    office = office_over(path, clock)
    office.simulator.set_up(company())
    office.open()
    with path.open("ab") as file:
        file.write(b'{"entry": "docum')

    again = office_over(path, clock)
    again.sell()

    assert again.number == 3
    assert all(orjson.loads(line) for line in path.read_bytes().splitlines())


@pytest.mark.parametrize("keep_registry", [True, False])
def test_reset_is_remembered(path: Path, office_over: Opener, keep_registry: bool) -> None:
    office = office_over(path, Clock())
    office.simulator.set_up(company())
    office.open()
    office.simulator.reset(keep_registry=keep_registry)

    again = office_over(path, Clock(START)).simulator

    assert again.book.documents == []
    expected = (company(),) if keep_registry else ()
    assert again.registry.entries() == RegistryEntries(companies=expected)


def test_closed_simulator_accepts_nothing_more(path: Path, office_over: Opener) -> None:
    office = office_over(path, Clock())
    office.simulator.close()

    with pytest.raises(ValueError, match="closed"):
        office.simulator.set_up(company())
