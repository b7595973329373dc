"""The database: does it answer, is it ours, is it protected, is there room for the months ahead."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg

from domain.clock import fiscal_day
from infra.cli.doctor.finding import Chart, Finding, Patient
from infra.postgres import (
    APPLICATION_ROLE,
    Connection,
    MigrationError,
    application_dsn,
    connect,
    pending_migrations,
)
from infra.postgres_binaries import OLDEST_MAJOR

_MOST_SKEW_SECONDS = 2.0

_UNPROTECTED = """
    SELECT c.relname FROM pg_class c
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE (c.oid IN ('events'::regclass, 'documents'::regclass) OR i.inhparent = 'documents'::regclass)
        AND NOT EXISTS (
            SELECT FROM pg_trigger t
            WHERE t.tgrelid = c.oid AND t.tgname LIKE '%\\_are\\_final' AND t.tgenabled = 'A'
        )
    ORDER BY 1
"""
_RIGHTS = """
    SELECT rolsuper OR rolcreaterole OR rolcreatedb,
        has_table_privilege(rolname, 'events', 'UPDATE, DELETE, TRUNCATE')
            OR has_table_privilege(rolname, 'documents', 'UPDATE, DELETE, TRUNCATE')
    FROM pg_roles WHERE rolname = %s
"""


def look_at_database(patient: Patient) -> list[Finding]:
    """Look at the database itself."""
    chart = Chart("database")
    if patient.dsn is None:
        given = patient.settings.database_dsn is not None
        chart.fail(
            "connection",
            "the database of FISCAL_DATABASE_DSN does not answer"
            if given
            else f"no server runs in {patient.settings.data_dir}",
            next_step="Check the address and the server." if given else "Start `fiscal up`.",
        )
        return chart.findings
    with connect(patient.dsn, name="fiscal doctor") as connection:
        _server(chart, connection)
        if _migrations(chart, patient.dsn):
            _role(chart, connection, patient.dsn)
            _protection(chart, connection)
            _partitions(chart, connection)
    return chart.findings


def _server(chart: Chart, connection: Connection) -> None:
    major = connection.info.server_version // 10_000
    if major < OLDEST_MAJOR:
        chart.fail(
            "connection",
            f"PostgreSQL {major}",
            next_step=f"Move to PostgreSQL {OLDEST_MAJOR} or newer.",
        )
    else:
        chart.ok("connection", f"PostgreSQL {major} answers")
    found = connection.execute("SELECT clock_timestamp()").fetchone()
    assert found is not None
    skew = (found[0] - datetime.now(UTC)).total_seconds()
    if abs(skew) > _MOST_SKEW_SECONDS:
        chart.warn(
            "clock", f"{skew:+.1f} s from ours", next_step="Let both machines follow a time server."
        )


def _migrations(chart: Chart, dsn: str) -> bool:
    try:
        pending = pending_migrations(dsn)
    except MigrationError as error:
        chart.fail("migrations", str(error), next_step="Run the version that migrated it.")
        return False
    if pending:
        chart.fail("migrations", f"missing: {', '.join(pending)}", next_step="`fiscal migrate`")
        return False
    chart.ok("migrations", "all applied")
    return True


def _role(chart: Chart, connection: Connection, dsn: str) -> None:
    try:
        with connect(application_dsn(dsn), name="fiscal doctor"):
            pass
    except psycopg.OperationalError as error:
        chart.fail(
            "application role",
            f"{APPLICATION_ROLE} cannot sign in: {str(error).strip()}",
            next_step="Give it the owner's password, or let it in by pg_hba.conf.",
        )
        return
    found = connection.execute(_RIGHTS, [APPLICATION_ROLE]).fetchone()
    if found != (False, False):
        chart.fail(
            "application role",
            f"{APPLICATION_ROLE} may do more than add to the log",
            next_step="Take its superuser, CREATEROLE, CREATEDB, UPDATE and DELETE rights away.",
        )
    else:
        chart.ok("application role", f"{APPLICATION_ROLE} may add, and change nothing")


def _protection(chart: Chart, connection: Connection) -> None:
    tables = [row[0] for row in connection.execute(_UNPROTECTED)]
    if tables:
        chart.fail(
            "append-only",
            f"nothing keeps {', '.join(tables)} from being changed",
            next_step="ALTER TABLE … ENABLE ALWAYS TRIGGER …, then `fiscal verify`.",
        )
    else:
        chart.ok("append-only", "events and documents refuse every change")


def _partitions(chart: Chart, connection: Connection) -> None:
    today = fiscal_day(datetime.now(UTC))
    months = [(today.year, today.month), (today.year + today.month // 12, today.month % 12 + 1)]
    names = [f"documents_{year:04}_{month:02}" for year, month in months]
    missing = [
        name
        for name in names
        if connection.execute("SELECT to_regclass(%s)", [name]).fetchone() == (None,)
    ]
    if missing:
        chart.warn(
            "partitions",
            f"not made yet: {', '.join(missing)}",
            next_step="A worker makes them ahead; a document makes its own if need be.",
        )
    else:
        chart.ok("partitions", "made for this month and the next")
