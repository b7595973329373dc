"""Every projection against histories that the real ledger made, compared with what the registers themselves know."""

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.documents.receipt import ReceiptState
from domain.documents.shift import PaymentFormTotal, ShiftTotals
from domain.payments import CASH
from domain.register import events
from infra.postgres import Connection, connect
from projections.catalogue import PROJECTIONS
from projections.rebuild import first_difference, make_tables
from tests.support.history import History, pour
from tests.support.journal import open_returns

pytestmark = pytest.mark.timeout(600)

scripts = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 59)), min_size=30, max_size=80)


@pytest.fixture(scope="module")
def connection(module_postgres_dsn: str) -> Iterator[Connection]:
    with connect(module_postgres_dsn, name="projections test") as connection:
        yield connection


@settings(max_examples=settings().max_examples // 2)
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
        assert _turnover(connection) == _taxes(history)
        assert _open_returns(connection) == {each.return_id for each in open_returns(history.store)}
        for testing in (False, True):
            drawers = _drawers(connection, testing=testing)
            assert drawers == {
                register_id: history.register(register_id).drawer.holds(testing=testing).kopecks
                for register_id in history.registers
            }
            assert _last_balances(connection, testing=testing).items() <= drawers.items()


def _open_returns(connection: Connection) -> set[UUID]:
    return {
        row[0]
        for row in connection.execute(
            "SELECT return_id FROM projections.returns"
            " WHERE (NOT confirmed OR stornoed) AND NOT released AND reserved_at IS NOT NULL"
        )
    }


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


def _shift_totals(history: History) -> dict[UUID, ShiftTotals]:
    """What each shift holds of registered receipts, as the registers counted it for their Z-reports."""
    shifts: dict[UUID, ShiftTotals] = {}
    for stored in history.events:
        if isinstance(stored.event, events.ShiftClosed):
            shifts[stored.event.shift_id] = stored.event.totals
    for register_id in history.registers:
        shift = history.register(register_id).shift
        if shift is not None:
            shifts[shift.shift_id] = shift.totals
    return shifts


def _totals(history: History) -> dict[UUID, dict[tuple[int, str], int]]:
    """Registered money of each shift by payment form."""
    sums: dict[UUID, dict[tuple[int, str], int]] = {}
    for shift_id, totals in _shift_totals(history).items():
        taken = Counter({_form(row): row.amount.kopecks for row in totals.sales.payments})
        taken.subtract({_form(row): row.amount.kopecks for row in totals.returns.payments})
        taken[CASH] += totals.service_deposits.kopecks - totals.service_issues.kopecks
        if totals.withdrawals is not None:
            taken[CASH] -= totals.withdrawals.total.kopecks
        sums[shift_id] = _not_zero(taken)
    return {shift_id: money for shift_id, money in sums.items() if money}


def _taxes(history: History) -> dict[tuple[UUID, str, str, int], tuple[int, int]]:
    """Turnover and tax of each shift by direction, letter and rate, as the registers counted it."""
    return {
        (shift_id, kind, row.letter, row.rate.basis_points): (
            row.turnover.kopecks,
            row.tax.kopecks,
        )
        for shift_id, totals in _shift_totals(history).items()
        for kind, orders in (("sale", totals.sales), ("return", totals.returns))
        for row in orders.taxes
    }


def _turnover(connection: Connection) -> dict[tuple[UUID, str, str, int], tuple[int, int]]:
    return {
        (row[0], row[1], row[2], row[3]): (row[4], row[5])
        for row in connection.execute(
            "SELECT t.shift_id, t.kind, letter, rate_basis_points,"
            " sum(turnover_kopecks)::bigint, sum(tax_kopecks)::bigint"
            " FROM projections.turnover_taxes t"
            " JOIN projections.shifts s ON s.shift_id = t.shift_id AND s.number IS NOT NULL"
            " GROUP BY 1, 2, 3, 4 HAVING sum(receipts) <> 0"
        )
    }


def _form(row: PaymentFormTotal) -> tuple[int, str]:
    return (row.form_code, row.form_name)


def _not_zero(money: dict[tuple[int, str], int]) -> dict[tuple[int, str], int]:
    return {form: kopecks for form, kopecks in money.items() if kopecks}


def _registered(connection: Connection) -> dict[UUID, dict[tuple[int, str], int]]:
    sums: dict[UUID, dict[tuple[int, str], int]] = {}
    for shift_id, code, name, kopecks in connection.execute(
        "SELECT p.shift_id, form_code, form_name,"
        " sum(CASE WHEN kind IN ('return', 'service-issue', 'cash-withdrawal')"
        " THEN -amount_kopecks ELSE amount_kopecks END)::bigint"
        " FROM projections.balances_payments p"
        " JOIN projections.shifts s ON s.shift_id = p.shift_id AND s.number IS NOT NULL"
        " WHERE p.state = 'registered' AND payments <> 0"
        " GROUP BY 1, 2, 3"
    ):
        sums.setdefault(shift_id, {})[code, name] = kopecks
    kept = {shift_id: _not_zero(money) for shift_id, money in sums.items()}
    return {shift_id: money for shift_id, money in kept.items() if money}
