"""PostgreSQL's own dump and restore programs: which to run, and how they sign in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from infra.cli.console import Problem
from infra.postgres import Connection
from infra.postgres_binaries import find_program

CHUNK_BYTES = 1 << 20


def server_major(connection: Connection) -> int:
    """Return the major version of the server."""
    return connection.info.server_version // 10_000


class Programs:
    """`pg_dump`, `pg_restore` and `psql` for one database. Raises: NoPostgresProgram when asked for one."""

    def __init__(self, dsn: str, *, major: int) -> None:
        self._major = major
        given = conninfo_to_dict(dsn)
        # In the environment, because everyone sees the arguments of a process.
        password = given.pop("password", None)
        self._dsn = make_conninfo("", **given)
        self._environment = _environment() | ({"PGPASSWORD": str(password)} if password else {})

    def start(
        self,
        name: str,
        arguments: Sequence[str | Path],
        *,
        stdin: IO[bytes] | int = subprocess.DEVNULL,
        stdout: IO[bytes] | int = subprocess.PIPE,
        errors: IO[bytes],
        connects: bool = True,
    ) -> subprocess.Popen[bytes]:
        """Start a program; what it complains about goes to the file `errors`."""
        database = ["--dbname", self._dsn] if connects else []
        return subprocess.Popen(
            [find_program(name, major=self._major), *database, *arguments],
            env=self._environment,
            stdin=stdin,
            stdout=stdout,
            stderr=errors,
        )


def failure(name: str, errors: IO[bytes]) -> Problem:
    """Return as a problem what a program complained about last."""
    errors.seek(0)
    lines = [
        line
        for line in errors.read().decode(errors="replace").splitlines()
        if "error" in line.lower() or "fatal" in line.lower()
    ]
    return Problem(f"{name} failed: " + ("\n".join(lines[:5]) or "it does not say why."))


def _environment() -> dict[str, str]:
    # PGHOST, PGOPTIONS and the like of the person's own server must not leak into ours.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C.UTF-8", "PGCONNECT_TIMEOUT": "10"}
