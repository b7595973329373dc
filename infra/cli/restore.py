"""`fiscal restore`: a backup becomes the database, whole or not at all, and every lane asks the tax service anew."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import IO
from uuid import UUID

import typer
from psycopg import sql

from domain.errors import FiscalError
from infra.bootstrap import open_engine
from infra.cli import standing
from infra.cli.console import Problem, err, out, progress_bar
from infra.cli.database import database
from infra.cli.dump import CHUNK_BYTES, Programs, failure, server_major
from infra.postgres import (
    APPLICATION_ROLE,
    Connection,
    connect,
    ensure_application_role,
    migrate,
)
from infra.settings import Settings
from infra.tokens import ADMINISTRATOR_FILE

# Everything of ours is in these schemas; a rebuild that was interrupted may have left others.
_OUR_SCHEMAS = """
    SELECT nspname FROM pg_namespace
    WHERE nspname IN ('public', 'projections') OR nspname LIKE 'projections\\_%' ORDER BY 1
"""
_ANY_TABLE = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LIMIT 1"
# The backup's own sentence names the role that owned that database, which this server need not have.
_DEFAULT_RIGHTS = sql.SQL(
    "ALTER DEFAULT PRIVILEGES IN SCHEMA projections"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}"
).format(sql.Identifier(APPLICATION_ROLE))
_OTHER_SESSIONS = """
    SELECT application_name FROM pg_stat_activity
    WHERE datname = current_database() AND usename = %s LIMIT 1
"""
# A higher epoch shuts out whoever held the lane; what was being done at the time of the backup is due again.
_FREE_LANES = """
    UPDATE lanes SET epoch = epoch + 1, owner = NULL, lease_until = NULL, failures = 0,
        due_at = CASE WHEN due_at IS NULL AND lease_until IS NULL THEN NULL ELSE now() END
"""


def run(settings: Settings, file: Path, *, replace: bool, confirmed: bool) -> None:
    """Restore a backup and say what came of it. Raises: Problem."""
    running = standing.read(settings.data_dir)
    if running is not None:
        raise Problem(
            f"`fiscal up` runs in {settings.data_dir} (process {running.pid}).",
            next_step="Stop it first: nobody may write while the database is replaced.",
        )
    with database(settings, create=True) as dsn:
        events = _refuse_others(dsn)
        if events and not replace:
            raise Problem(
                f"The database holds {events:,} events, which a restore would replace.",
                next_step="Make a backup of them, then use --replace.",
            )
        if events and not confirmed:
            err.print(f"[bold]{events:,} events[/] of this database will be replaced by {file}.")
            typer.confirm("Replace them?", abort=True, err=True)
        registers = restore(settings, dsn, file)
    out.print(f"[green]✓[/] {file} is restored; {registers} lanes ask the tax service first.")
    out.print("Clients that follow the events begin again: their cursors belong to another log.")
    if not (settings.data_dir / ADMINISTRATOR_FILE).exists():
        out.print(
            "Tokens are those of the backup; `fiscal tokens create NAME --role administrator` makes one."
        )


def restore(settings: Settings, dsn: str, file: Path) -> int:
    """Replace the database by a backup; return how many lanes have to ask the tax service first.

    The replacement is one transaction: after a failure the database is as it was. Raises: Problem,
    NoPostgresProgram, MigrationError, psycopg.Error.
    """
    with connect(dsn, name="fiscal restore") as connection:
        programs = Programs(dsn, major=server_major(connection))
        contents = _contents(programs, file)
        ensure_application_role(dsn)
        schemas = [row[0] for row in connection.execute(_OUR_SCHEMAS)]
    _replace(programs, file, contents=contents, schemas=schemas)
    migrate(dsn)
    with connect(dsn, name="fiscal restore") as connection:
        connection.execute(_DEFAULT_RIGHTS)
        connection.execute("ANALYZE")
        connection.execute(_FREE_LANES)
        lanes = [row[0] for row in connection.execute("SELECT register_id FROM lanes ORDER BY 1")]
    return _ask_anew(settings, lanes)


def _ask_anew(settings: Settings, lanes: list[UUID]) -> int:
    """Let every register with an open shift read the service's state; return how many there are."""
    count = 0
    with (
        open_engine(settings, name="fiscal restore") as engine,
        progress_bar() as progress,
    ):
        task = progress.add_task("Preparing lanes", total=len(lanes))
        for register_id in lanes:
            try:
                count += engine.ledger.after_restore(register_id) is not None
            except FiscalError as error:
                raise Problem(
                    f"Register {register_id} cannot go on: {error}",
                    next_step="Run `fiscal verify`, then restore again.",
                ) from error
            progress.advance(task)
    return count


def _refuse_others(dsn: str) -> int:
    """Return how many events the database holds. Raises: Problem while a part is connected."""
    with connect(dsn, name="fiscal restore") as connection:
        found = connection.execute(_OTHER_SESSIONS, [APPLICATION_ROLE]).fetchone()
        if found is not None:
            raise Problem(
                f"A part of the program is connected to the database ({found[0]}).",
                next_step="Stop all parts first: nobody may write while the database is replaced.",
            )
        return _count_events(connection)


def _count_events(connection: Connection) -> int:
    if connection.execute("SELECT to_regclass('public.heads')").fetchone() == (None,):
        foreign = connection.execute(_ANY_TABLE).fetchone()
        if foreign is not None:
            raise Problem(
                f"The database belongs to another program: it has a table {foreign[0]}.",
                next_step="Name a database of its own in FISCAL_DATABASE_DSN.",
            )
        return 0
    found = connection.execute("SELECT coalesce(sum(position), 0)::bigint FROM heads").fetchone()
    assert found is not None
    count: int = found[0]
    return count


def _contents(programs: Programs, file: Path) -> bytes:
    """Return the backup's table of contents, what is to be loaded of it. Raises: Problem when it is none of ours."""
    if not file.is_file():
        raise Problem(f"There is no file {file}.")
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as contents:
        listing = programs.start(
            "pg_restore", ["--list", file], stdout=contents, errors=errors, connects=False
        )
        if listing.wait() != 0:
            raise failure("pg_restore", errors)
        contents.seek(0)
        listed = contents.read()
    if not all(f"TABLE public {table} ".encode() in listed for table in ("events", "heads")):
        raise Problem(f"{file} is no backup of this program.")
    return b"".join(
        line for line in listed.splitlines(keepends=True) if b" DEFAULT ACL " not in line
    )


def _replace(programs: Programs, file: Path, *, contents: bytes, schemas: list[str]) -> None:
    """Drop what is there and load the backup, in one transaction."""
    with (
        tempfile.NamedTemporaryFile() as chosen,
        tempfile.TemporaryFile() as reading,
        tempfile.TemporaryFile() as loading,
    ):
        chosen.write(contents)
        chosen.flush()
        dump = programs.start(
            "pg_restore",
            ["--no-owner", "--use-list", chosen.name, "--file=-", file],
            errors=reading,
            connects=False,
        )
        load = programs.start(
            "psql",
            ["-X", "-q", "-v", "ON_ERROR_STOP=1", "--file=-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            errors=loading,
        )
        assert dump.stdout is not None
        assert load.stdin is not None
        with dump.stdout, load.stdin:
            _pump(dump.stdout, load.stdin, preamble=_preamble(schemas), whole=dump)
        loaded = load.wait()
        if dump.wait() != 0:
            raise failure("pg_restore", reading)
        if loaded != 0:
            raise failure("psql", loading)


def _preamble(schemas: list[str]) -> bytes:
    # The triggers that refuse changes do not refuse this: what is dropped is replaced in the same transaction.
    drops = [f'DROP SCHEMA IF EXISTS "{name}" CASCADE;' for name in schemas]
    # As every new database has it; the backup holds only what differs from that.
    public = ["CREATE SCHEMA public;", "GRANT USAGE ON SCHEMA public TO PUBLIC;"]
    return "\n".join(["SET client_min_messages = warning;", "BEGIN;", *drops, *public, ""]).encode()


def _pump(
    source: IO[bytes], target: IO[bytes], *, preamble: bytes, whole: subprocess.Popen[bytes]
) -> None:
    """Send the statements on, and COMMIT only after the last one.

    A backup that was cut short, or a restore that was killed, never gets there: psql then ends without it.
    """
    with progress_bar(total_known=False) as progress:
        task = progress.add_task("Restoring", total=None, note="")
        sent = 0
        try:
            target.write(preamble)
            while chunk := source.read(CHUNK_BYTES):
                target.write(chunk)
                sent += len(chunk)
                progress.update(task, note=f"{sent / 1e6:,.1f} MB")
            if whole.wait() == 0:
                target.write(b"\nCOMMIT;\n")
            target.flush()
        except BrokenPipeError:
            # psql gave up; its own complaint says why.
            return
