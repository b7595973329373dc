"""The ledger at work: projections, lanes, tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from infra.cli.doctor.finding import Chart, Finding, Patient
from infra.cli.lanes import read_lanes
from infra.event_store.reading import read_heads
from infra.postgres import Connection, connect
from infra.tokens import ADMINISTRATOR_FILE, Role, list_tokens

_MOST_BEHIND = 5_000
_LATE = timedelta(seconds=60)
_TRACKING = """
    SELECT projection, positions, failed_at, failure FROM tracking
    WHERE projection NOT LIKE '% in %' ORDER BY projection
"""


def look_at_ledger(patient: Patient) -> list[Finding]:
    """Look at what the database says of the work; a database without our tables was told of elsewhere."""
    chart = Chart("ledger")
    if patient.dsn is None:
        return chart.findings
    with connect(patient.dsn, name="fiscal doctor") as connection:
        if connection.execute("SELECT to_regclass('tokens')").fetchone() == (None,):
            return chart.findings
        _projections(chart, connection)
        _lanes(chart, connection)
        _tokens(chart, connection, patient)
    return chart.findings


def _projections(chart: Chart, connection: Connection) -> None:
    heads = sum(read_heads(connection).positions)
    rows = connection.execute(_TRACKING).fetchall()
    failed = [(name, failure) for name, _, failed_at, failure in rows if failed_at is not None]
    behind = max((heads - sum(positions) for _, positions, *_ in rows), default=heads)
    for name, failure in failed:
        chart.fail(
            f"projection {name}",
            f"stands still: {failure}",
            next_step="See the projector's log; `fiscal projections rebuild` makes it again.",
        )
    if not rows and heads:
        chart.fail("projections", "none has run", next_step="`fiscal projector` starts them.")
    elif behind > _MOST_BEHIND:
        chart.warn(
            "projections",
            f"{behind:,} events behind the log",
            next_step="They catch up by themselves while a projector runs.",
        )
    elif not failed:
        chart.ok("projections", f"{len(rows)}, {behind:,} events behind a log of {heads:,}")


def _lanes(chart: Chart, connection: Connection) -> None:
    now = datetime.now(UTC)
    rows = read_lanes(connection)
    parked = [row for row in rows if row.parked is not None]
    for row in parked:
        chart.fail(
            f"lane {row.fiscal_number or row.register_id}",
            f"parked: {row.parked}",
            next_step="Remove the cause, then `fiscal lanes resume … --reason …`.",
        )
    late = [
        row
        for row in rows
        if row.state(now) == "due" and (row.lease_until or row.due_at or now) < now - _LATE
    ]
    if late:
        chart.fail(
            "lanes",
            f"{len(late)} have work that nobody does",
            next_step="`fiscal worker` starts a worker; see its log.",
        )
    waiting = [row for row in rows if row.state(now) == "waiting" and row.failures]
    if waiting:
        chart.warn(
            "lanes",
            f"{len(waiting)} wait: {waiting[0].reason}",
            next_step="They are tried again by themselves; `fiscal lanes list` shows them.",
        )
    if not (parked or late or waiting):
        chart.ok("lanes", f"{len(rows)}, none parked or late")


def _tokens(chart: Chart, connection: Connection, patient: Patient) -> None:
    valid = [row for row in list_tokens(connection) if row.revoked_at is None]
    administrators = [row for row in valid if row.role is Role.ADMINISTRATOR]
    file = patient.settings.data_dir / ADMINISTRATOR_FILE
    if file.exists() and file.stat().st_mode & 0o077:
        chart.fail("tokens", f"{file} is open to other users", next_step=f"chmod 600 {file}")
    elif not administrators:
        chart.fail(
            "tokens",
            "nobody is administrator",
            next_step="`fiscal tokens create NAME --role administrator`",
        )
    else:
        chart.ok("tokens", f"{len(valid)} valid, {len(administrators)} of an administrator")
