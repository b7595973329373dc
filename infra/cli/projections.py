"""`fiscal projections`: read models, how far they are, and making them again. A process of its own does it."""

from __future__ import annotations

import subprocess
from typing import Annotated

import typer

from infra.cli import parts
from infra.cli.console import load_settings, new_group

app = new_group("Read models: how far they are, and making them again from the log.")


@app.command("list")
def list_projections() -> None:
    """Show each projection, how many events it is behind the log, and why it stands still if it does."""
    _run("status")


@app.command()
def rebuild(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Projections to take; all of them when none is named."),
    ] = None,
    *,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Compare with the live tables instead of replacing them; exit 1 if they differ.",
        ),
    ] = False,
    page_events: Annotated[int, typer.Option(min=1, help="Events in one transaction.")] = 2_000,
) -> None:
    """Make read models again from the log, beside the live ones, and put them in their place."""
    options = ["--page-events", str(page_events), *(["--check"] if check else [])]
    _run("rebuild", *options, *(names or ()))


def _run(*arguments: str) -> None:
    from infra.cli.database import database

    with database(load_settings()):
        done = subprocess.run(parts.PROJECTIONS.command(arguments), check=False)
    raise typer.Exit(done.returncode)
