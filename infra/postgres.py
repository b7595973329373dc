"""PostgreSQL: connections, the two roles, and migrations.

The owner role migrates; the programs sign in as `fiscal_app`, which may add to the ledger but never change it.
On a server that trusts its private socket the application role needs no password; elsewhere it gets the password
of the owner's DSN when the database is migrated.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

APPLICATION_ROLE = "fiscal_app"

Connection = psycopg.Connection[tuple[Any, ...]]
Pool = ConnectionPool[Connection]

_MIGRATION_LOCK = 6_514_921_730_184_177
"""Key of the advisory lock; any number that no other program uses in this database."""

# A session that dies or is suspended inside a transaction must not keep the heads of all shards locked.
_SESSION = {
    "idle_in_transaction_session_timeout": "10s",
    "timezone": "UTC",
}
_KEEPALIVES: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
}


class MigrationError(RuntimeError):
    """The database was migrated by another version of the program, or an applied migration was changed."""


def refuse_database_functions(environ: Mapping[str, str] = os.environ) -> None:
    """Refuse to start under POSTGRES_ENABLE_DB_FUNCTIONS.

    The eventsourcing library's database functions insert without its table lock, and whoever tails the log then
    misses events for ever (25 of 4,754 were measured). Our recorder does not use them; whoever set the variable
    believes otherwise and must know. Raises: RuntimeError.
    """
    value = environ.get("POSTGRES_ENABLE_DB_FUNCTIONS", "")
    if value.strip().lower() not in ("", "0", "n", "no", "f", "false", "off"):
        raise RuntimeError(
            "POSTGRES_ENABLE_DB_FUNCTIONS is set: with it, readers of the event log lose events. Unset it."
        )


def connect(
    dsn: str, *, name: str, autocommit: bool = True, settings: Mapping[str, str] | None = None
) -> Connection:
    """Return a connection whose session is called `name`; `settings` are session settings.

    Raises: psycopg.OperationalError.
    """
    return psycopg.connect(
        session_dsn(dsn, name=name, settings=settings), autocommit=autocommit, prepare_threshold=1
    )


def open_pool(dsn: str, *, name: str, size: int) -> Pool:
    """Return an open pool of at most `size` autocommit connections; it does not wait for the server."""
    return ConnectionPool(
        session_dsn(dsn, name=name),
        kwargs={"autocommit": True, "prepare_threshold": 1},
        min_size=1,
        max_size=size,
        name=name,
        open=True,
        reconnect_timeout=5.0,
    )


def session_dsn(dsn: str, *, name: str, settings: Mapping[str, str] | None = None) -> str:
    """Return a DSN with the session's name, our time-outs and `settings`."""
    given = conninfo_to_dict(dsn)
    ours = " ".join(f"-c {key}={value}" for key, value in (_SESSION | dict(settings or {})).items())
    options = f"{given.get('options') or ''} {ours}".strip()
    defaults = {key: value for key, value in _KEEPALIVES.items() if key not in given}
    return make_conninfo(dsn, application_name=name, options=options, **defaults)


def application_dsn(dsn: str) -> str:
    """Return the DSN of the application role on the same database; the password stays as it is."""
    return make_conninfo(dsn, user=APPLICATION_ROLE)


def ensure_application_role(dsn: str) -> None:
    """Make the application role, if the owner's server does not have it: a backup does not hold roles.

    Raises: psycopg.Error.
    """
    with connect(dsn, name="fiscal roles") as connection:
        if connection.execute(_ROLE_EXISTS, [APPLICATION_ROLE]).fetchone() is None:
            connection.execute(_MAKE_ROLE)
        _give_password(connection, dsn)


_ROLE_EXISTS = "SELECT 1 FROM pg_roles WHERE rolname = %s"
# As 0001_roles.sql makes it.
_MAKE_ROLE = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT").format(
    sql.Identifier(APPLICATION_ROLE)
)


# --- migrations ----------------------------------------------------------------------------------------------


def migrate(dsn: str) -> list[str]:
    """Bring the database of the owner's `dsn` up to date; return the names applied now, in order.

    Any number of processes may call it at once: one advisory lock lets them in one after another.

    Raises: MigrationError; psycopg.Error when a migration fails, which then left no trace.
    """
    refuse_database_functions()
    with connect(dsn, name="fiscal migrate") as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        applied = _migrate(connection)
        if applied:
            _give_password(connection, dsn)
        return applied


def pending_migrations(dsn: str) -> list[str]:
    """Return the names of migrations the database does not have yet. Raises: MigrationError."""
    with connect(dsn, name="fiscal migrate") as connection:
        present = connection.execute("SELECT to_regclass('migrations') IS NOT NULL").fetchone()
        applied = _applied(connection) if present == (True,) else {}
        return [name for name in _checked(applied) if name not in applied]


def _migrate(connection: Connection) -> list[str]:
    connection.execute("SET client_min_messages = warning")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, sha256 text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())"
    )
    applied = _applied(connection)
    new = []
    for name, text in _checked(applied).items():
        if name in applied:
            continue
        with connection.transaction():
            connection.execute(text.encode())
            connection.execute(
                "INSERT INTO migrations (name, sha256) VALUES (%s, %s)", [name, _digest(text)]
            )
        new.append(name)
    return new


def _applied(connection: Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, sha256 FROM migrations ORDER BY name").fetchall())


def _checked(applied: Mapping[str, str]) -> dict[str, str]:
    """Return the program's migrations by name, in order, after comparing them with the applied ones."""
    ours = {
        file.name.removesuffix(".sql"): file.read_text(encoding="utf-8")
        for file in sorted(files("infra").joinpath("migrations").iterdir(), key=lambda f: f.name)
        if file.name.endswith(".sql")
    }
    unknown = sorted(set(applied) - set(ours))
    if unknown:
        raise MigrationError(
            f"The database is newer than this program: it has {', '.join(unknown)}."
        )
    changed = sorted(name for name, digest in applied.items() if _digest(ours[name]) != digest)
    if changed:
        raise MigrationError(
            f"Migrations were changed after they were applied: {', '.join(changed)}."
        )
    return ours


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _give_password(connection: Connection, dsn: str) -> None:
    password = conninfo_to_dict(dsn).get("password")
    if password:
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                sql.Identifier(APPLICATION_ROLE), sql.Literal(password)
            )
        )
