"""`fiscal projections` on a real database."""

from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner, Result

from infra.postgres import Connection, connect
from projections.__main__ import app
from projections.catalogue import PROJECTIONS
from tests.support.history import History, pour

NAMES = [projection.NAME for projection in PROJECTIONS]


@pytest.fixture
def owner(postgres_dsn: str) -> Iterator[Connection]:
    history = History()
    history.run([(number % 3, number * 7 % 60) for number in range(60)])
    with connect(postgres_dsn, name="owner") as connection:
        pour(history.events, connection)
        for projection in PROJECTIONS:
            projection().catch_up(connection)
        yield connection


@pytest.fixture
def run(owner: Connection, postgres_dsn: str) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, env={"FISCAL_DATABASE_DSN": postgres_dsn})

    return run


def test_check_says_of_each_projection_that_it_is_sound(run: Callable[..., Result]) -> None:
    result = run("rebuild", "--check")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [f"{name}: as rebuilt" for name in NAMES]


def test_check_names_a_difference_and_fails(run: Callable[..., Result], owner: Connection) -> None:
    owner.execute("UPDATE projections.structure_companies SET name = 'інша'")
    result = run("rebuild", "--check", "structure", "alarms")
    assert result.exit_code == 1
    assert "table structure_companies" in result.stdout
    assert "name is 'інша'" in result.stdout.replace("\n", " ")
    assert "alarms: as rebuilt" in result.stdout


def test_rebuild_repairs_the_named_projection(
    run: Callable[..., Result], owner: Connection
) -> None:
    owner.execute("UPDATE projections.structure_companies SET name = 'інша'")
    assert run("rebuild", "structure").exit_code == 0
    assert run("rebuild", "--check", "structure").exit_code == 0


def test_an_unknown_projection_is_named(run: Callable[..., Result]) -> None:
    result = run("rebuild", "nope")
    assert result.exit_code == 2
    assert "nope" in result.stderr


def test_status_shows_how_far_each_projection_is(
    run: Callable[..., Result], owner: Connection
) -> None:
    owner.execute(
        "UPDATE tracking SET positions = array_fill(0, ARRAY[64]) WHERE projection = 'alarms'"
    )
    result = run("status")
    assert result.exit_code == 0
    rows = {
        line.split()[0]: line.split()[1] for line in result.stdout.splitlines()[1:] if line.strip()
    }
    assert set(NAMES) <= rows.keys()
    assert rows["balances"] == "0"
    assert int(rows["alarms"].replace(",", "")) > 0
