"""`fiscal backup`: everything of one moment in one file, while the parts go on."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra.cli.console import Problem, out, progress_bar
from infra.cli.database import database
from infra.cli.dump import CHUNK_BYTES, Programs, failure, server_major
from infra.postgres import connect, pending_migrations
from infra.settings import Settings


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup: its file, its size, and how many events and documents it holds at least."""

    file: Path
    size_bytes: int
    events: int
    documents: int


def run(settings: Settings, file: Path, *, overwrite: bool) -> None:
    """Write a backup and say what is in it. Raises: Problem."""
    if file.exists() and not overwrite:
        raise Problem(
            f"{file} exists.", next_step="Choose another name, or --overwrite to replace it."
        )
    with database(settings) as dsn:
        done = backup(dsn, file)
    out.print(
        f"[green]✓[/] {done.file}: {done.size_bytes:,} bytes, {done.events:,} events, "
        f"{done.documents:,} documents",
        soft_wrap=True,
    )
    out.print("Signing keys are not in it: keep the data folder's keys as safe as this file.")


def backup(dsn: str, file: Path) -> Backup:
    """Write the whole database, as of one moment, into a file that is complete or not there.

    Raises: Problem, NoPostgresProgram, OSError.
    """
    if pending_migrations(dsn):
        raise Problem("The database lacks migrations.", next_step="Run `fiscal migrate`.")
    with connect(dsn, name="fiscal backup") as connection:
        programs = Programs(dsn, major=server_major(connection))
        # Counted before: what is committed while we dump may be in the backup, this certainly is.
        counted = connection.execute(
            "SELECT (SELECT coalesce(sum(position), 0)::bigint FROM heads),"
            " (SELECT count(*) FROM documents)"
        ).fetchone()
        assert counted is not None
    draft = file.with_name(f"{file.name}.part")
    try:
        size = _dump(programs, draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return Backup(file=file, size_bytes=size, events=counted[0], documents=counted[1])


def _dump(programs: Programs, draft: Path) -> int:
    """Write the dump and return its size; it reaches the disk before its name says that it is whole."""
    written = 0
    with (
        os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target,
        tempfile.TemporaryFile() as errors,
        progress_bar(total_known=False) as progress,
    ):
        task = progress.add_task("Backing up", total=None, note="")
        dump = programs.start(
            "pg_dump",
            ["--format=custom", "--no-owner", "--lock-wait-timeout=30s"],
            stdout=subprocess.PIPE,
            errors=errors,
        )
        assert dump.stdout is not None
        with dump.stdout:
            while chunk := dump.stdout.read(CHUNK_BYTES):
                target.write(chunk)
                written += len(chunk)
                progress.update(task, note=f"{written / 1e6:,.1f} MB")
        if dump.wait() != 0:
            raise failure("pg_dump", errors)
        target.flush()
        os.fsync(target.fileno())
    return written
