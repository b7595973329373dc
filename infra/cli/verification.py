"""`fiscal verify`: everything stored is recomputed and compared."""

from __future__ import annotations

from rich.progress import TaskID

from infra.cli.console import out, progress_bar
from infra.cli.database import database
from infra.event_store.verify import Break, verify
from infra.postgres import connect
from infra.settings import Settings


def run(settings: Settings) -> int:
    """Say whether the log and the documents are what was recorded; return the exit status: 1 when not."""
    with database(settings) as dsn:
        found, counts = look(dsn)
    if not found:
        seen = ", ".join(f"{count:,} {what}" for what, count in counts.items())
        out.print(f"[bold green]✓ intact[/]: {seen}")
        return 0
    for each in found:
        out.print(f"[bold red]✗[/] {each}", soft_wrap=True)
    out.print(f"[bold red]{len(found)} broken.[/] Keep the data as they are; call a person.")
    return 1


def look(dsn: str) -> tuple[list[Break], dict[str, int]]:
    """Return the breaks and how many things of each kind were looked at. Raises: psycopg.Error."""
    counts: dict[str, int] = {}
    with connect(dsn, name="fiscal verify") as connection, progress_bar() as bar:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            counts[what] = done
            task = tasks.setdefault(what, TaskID(-1))
            if task < 0:
                tasks[what] = task = bar.add_task(what, total=total)
            bar.update(task, completed=done, total=total)

        return verify(connection, progress), counts
