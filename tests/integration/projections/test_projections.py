"""Every projection against histories that the real ledger made, compared with what the registers themselves know."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.documents.receipt import ReceiptState
from domain.documents.shift import ShiftTotals
from domain.register import events
from infra.postgres import Connection, connect
from projections.catalogue import PROJECTIONS
from projections.rebuild import first_difference, make_tables
from tests.support.history import History, pour

scripts = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 59)), min_size=30, max_size=80)


@pytest.fixture(scope="module")
def connection(module_postgres_dsn: str) -> Iterator[Connection]:
    with connect(module_postgres_dsn, name="projections test") as connection:
        yield connection


@given(script=scripts, page_events=st.sampled_from((2, 5, 40)))
def test_pages_of_any_size_give_the_same_rows(
    connection: Connection, script: list[tuple[int, int]], page_events: int
) -> None:
    history = History()
    history.run(script)
    with connection.transaction(force_rollback=True):
        pour(history.events, connection)
        for projection in PROJECTIONS:
            projection().catch_up(connection)
            beside = projection(schema="beside")
            make_tables(connection, beside)
            beside.catch_up(connection, page_events=page_events)
            assert first_difference(connection, beside) is None
            connection.execute("DROP SCHEMA beside CASCADE")


@given(script=scripts)
def test_states_and_sums_are_those_the_registers_know(
    connection: Connection, script: list[tuple[int, int]]
) -> None:
    history = History()
    history.run(script)
    with connection.transaction(force_rollback=True):
        pour(history.events, connection)
        for projection in PROJECTIONS:
            projection().catch_up(connection, page_events=50)
        states: dict[UUID, str] = dict(
            connection.execute("SELECT receipt_id, state FROM projections.receipts").fetchall()
        )
        assert states == _states(history)
        assert _registered(connection) == _totals(history)
        for testing in (False, True):
            drawers = _drawers(connection, testing=testing)
            assert drawers == {
                register_id: history.register(register_id).drawer.holds(testing=testing).kopecks
                for register_id in history.registers
            }
            assert _last_balances(connection, testing=testing).items() <= drawers.items()


def _drawers(connection: Connection, *, testing: bool) -> dict[UUID, int]:
    """What each drawer holds by its movements; a drawer that nothing moved in holds nothing."""
    return dict(
        connection.execute(
            "SELECT s.register_id, coalesce(sum(amount_kopecks), 0)::bigint"
            " FROM projections.drawer_standings s"
            " LEFT JOIN projections.drawer_movements m"
            " ON m.register_id = s.register_id AND m.testing = %s GROUP BY s.register_id",
            [testing],
        ).fetchall()
    )


def _last_balances(connection: Connection, *, testing: bool) -> dict[UUID, int]:
    """The balance after each drawer's last movement."""
    return dict(
        connection.execute(
            "SELECT DISTINCT ON (register_id) register_id, balance_kopecks"
            " FROM projections.drawer_movements WHERE testing = %s"
            " ORDER BY register_id, movement_id DESC",
            [testing],
        ).fetchall()
    )


def _states(history: History) -> dict[UUID, str]:
    """The state of each receipt, from what its register holds in the end."""
    states: dict[UUID, str] = {}
    for stored in history.events:
        event = stored.event
        if isinstance(event, events.ReceiptIssued | events.DocumentAdopted):
            if event.receipt is not None:
                states[event.receipt.receipt_id] = ReceiptState.REGISTERED
        elif isinstance(event, events.ReceiptVoided):
            states[event.receipt_id] = ReceiptState.VOIDED
    for register_id in history.registers:
        register = history.register(register_id)
        states |= {
            item.subject_id: ReceiptState.WAITING
            for item in register.waiting
            if item.receipt is not None
        }
        states |= dict.fromkeys(register.refused, ReceiptState.REFUSED)
        document = register.outstanding
        if document is not None and document.item.receipt is not None:
            states[document.item.subject_id] = (
                ReceiptState.UNKNOWN if document.unknown else ReceiptState.SUBMITTED
            )
    return states


def _totals(history: History) -> dict[UUID, dict[tuple[int, str], int]]:
    """Registered money of each shift by payment form, as the registers counted it for their Z-reports."""
    shifts: dict[UUID, ShiftTotals] = {}
    for stored in history.events:
        if isinstance(stored.event, events.ShiftClosed):
            shifts[stored.event.shift_id] = stored.event.totals
    for register_id in history.registers:
        shift = history.register(register_id).shift
        if shift is not None:
            shifts[shift.shift_id] = shift.totals
    return {
        shift_id: {
            (row.form_code, row.form_name): row.amount.kopecks for row in totals.sales.payments
        }
        for shift_id, totals in shifts.items()
        if totals.sales.count
    }


def _registered(connection: Connection) -> dict[UUID, dict[tuple[int, str], int]]:
    sums: dict[UUID, dict[tuple[int, str], int]] = {}
    for shift_id, code, name, kopecks in connection.execute(
        "SELECT p.shift_id, form_code, form_name, amount_kopecks FROM projections.balances_payments p"
        " JOIN projections.shifts s ON s.shift_id = p.shift_id AND s.number IS NOT NULL"
        " WHERE p.state = 'registered' AND p.kind = 'sale' AND payments <> 0"
    ):
        sums.setdefault(shift_id, {})[code, name] = kopecks
    return sums
