"""`python -m projections`, behind `fiscal projections`: which read models there are, how far they are, making them again."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from domain.errors import FiscalError
from infra.bootstrap import owner_dsn
from infra.event_store import reading
from infra.postgres import connect
from infra.settings import Settings
from projections.catalogue import PROJECTIONS
from projections.projection import Projection
from projections.rebuild import RebuildRunning, check, rebuild

app = typer.Typer(
    help="Read models: how far they are, and making them again from the log.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)

Names = Annotated[
    list[str] | None,
    typer.Argument(help="Projections to take; all of them when none is named.", show_default=False),
]


@app.command()
def status() -> None:
    """Show each projection, how many events it is behind the log, and why it stands still if it does."""
    table = Table("projection", "behind", "last moved", "stands still because of", box=None)
    with connect(owner_dsn(Settings()), name="fiscal projections") as connection:
        heads = reading.read_heads(connection)
        tracked = {
            name: (positions, updated_at, failure)
            for name, positions, updated_at, failure in connection.execute(
                "SELECT projection, positions, updated_at, failure FROM tracking"
            )
        }
    for projection in PROJECTIONS:
        positions, updated_at, failure = tracked.get(projection.NAME, ([], None, None))
        behind = sum(heads.positions) - sum(positions)
        table.add_row(projection.NAME, f"{behind:,}", _time(updated_at), failure or "")
    _out.print(table)


@app.command("rebuild")
def rebuild_command(
    names: Names = None,
    only_check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Compare with the live tables instead of replacing them; exit 1 if they differ.",
        ),
    ] = False,
    page_events: Annotated[int, typer.Option(min=1, help="Events in one transaction.")] = 2_000,
) -> None:
    """Make read models again from the log, beside the live ones, and put them in their place."""
    chosen = _chosen(names)
    dsn = owner_dsn(Settings())
    differ = False
    with _progress_bar() as bar:
        for projection in chosen:
            task = bar.add_task(projection.NAME, total=None)

            def show(_: str, done: int, total: int, task: int = task) -> None:
                bar.update(task, completed=done, total=total)  # type: ignore[arg-type]

            if not only_check:
                count = rebuild(projection, dsn=dsn, page_events=page_events, progress=show)
                _out.print(f"{projection.NAME}: rebuilt from {count:,} events")
                continue
            difference = check(projection, dsn=dsn, page_events=page_events, progress=show)
            differ = differ or difference is not None
            _out.print(f"{projection.NAME}: as rebuilt" if difference is None else str(difference))
    if differ:
        raise typer.Exit(1)


def _chosen(names: list[str] | None) -> list[type[Projection]]:
    known = {projection.NAME: projection for projection in PROJECTIONS}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise typer.BadParameter(f"no projection {unknown[0]}; there are {', '.join(known)}")
    return [known[name] for name in names or known]


def _progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=_err,
        transient=True,
    )


def _time(moment: datetime | None) -> str:
    return "never" if moment is None else moment.isoformat(timespec="seconds")


def main() -> None:
    """Run a command of the line; what is foreseen becomes a sentence and exit status 1."""
    try:
        app(prog_name="fiscal projections")
    except FiscalError as error:
        _err.print(f"{error}\n{error.next_step}")
        sys.exit(1)
    except RebuildRunning as error:
        _err.print(str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
