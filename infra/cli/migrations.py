"""`fiscal migrate`: the database's tables as this version of the program needs them."""

from __future__ import annotations

from infra.cli.console import Problem, out
from infra.cli.database import database
from infra.postgres import migrate, pending_migrations
from infra.settings import Settings


def run(settings: Settings, *, check: bool) -> None:
    """Apply what is missing, or only say what is. Raises: Problem when `check` finds something missing."""
    with database(settings, create=not check) as dsn:
        if check:
            pending = pending_migrations(dsn)
            if pending:
                raise Problem(f"Missing: {', '.join(pending)}.", next_step="Run `fiscal migrate`.")
            out.print("[green]✓[/] The database has all migrations.")
            return
        applied = migrate(dsn)
    for name in applied:
        out.print(f"applied {name}")
    out.print("[green]✓[/] The database is up to date.")
