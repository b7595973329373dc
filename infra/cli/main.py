"""The `fiscal` command. Commands import what they need when they run, so `--help` answers at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.cli import keys, lanes, parts, projections, tokens
from infra.cli.console import load_settings, new_group
from infra.cli.parts import Part

app = new_group(
    "A ledger of record for fiscal registers (ПРРО).\n\n"
    "`fiscal up --demo` starts everything on this machine with a demonstration network; `fiscal up` without it "
    "works with the real tax service. Settings are environment variables, FISCAL_…: see docs/settings.md."
)

_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command()
def up(
    *,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo",
            help="Also run a simulated tax service, set up a network of three outlets, and make a first sale.",
        ),
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of the API; 0: any. Default: FISCAL_API_PORT."),
    ] = None,
    simulator_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the simulator; 0: any.")
    ] = 8609,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show warnings and errors of the logs only.")
    ] = False,
) -> None:
    """Start everything on this machine and keep it running until Ctrl-C.

    A private PostgreSQL (unless FISCAL_DATABASE_DSN is set), migrations, the signing agent, the API, a worker, a
    projector. Each has its log in the data folder; one that dies is started again.
    """
    from infra.cli.up import Options, run

    options = Options(demo=demo, port=port, simulator_port=simulator_port, quiet=quiet)
    raise typer.Exit(run(options))


@app.command()
def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Show what is configured, what works and what does not, each with its next step; exit 1 when something fails."""
    from infra.cli.doctor.report import run

    raise typer.Exit(run(load_settings(), as_json=as_json))


# --- the database --------------------------------------------------------------------------------------------


@app.command()
def migrate(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only say what is missing; exit 1 if anything is.")
    ] = False,
) -> None:
    """Bring the database's tables up to date. `up` does it by itself."""
    from infra.cli.migrations import run

    run(load_settings(), check=check)


@app.command()
def verify() -> None:
    """Recompute every event's chain and every document's hash; exit 1 and name the place when one does not hold.

    Safe while everything runs.
    """
    from infra.cli.verification import run

    raise typer.Exit(run(load_settings()))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.", dir_okay=False)],
    *,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it is there.")
    ] = False,
) -> None:
    """Write the whole database, as of one moment, into a file; everything may go on running.

    Signing keys are not in it.
    """
    from infra.cli.backup import run

    run(load_settings(), file, overwrite=overwrite)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file made by `fiscal backup`.", dir_okay=False)],
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a database that is not empty.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before replacing.")] = False,
) -> None:
    """Make a backup the database; all parts must be stopped.

    It is replaced whole or not at all. Afterwards every lane asks the tax service for its state before the next
    document, and takes over what was registered after the backup.
    """
    from infra.cli.restore import run

    run(load_settings(), file, replace=replace, confirmed=yes)


app.add_typer(projections.app, name="projections")
app.add_typer(lanes.app, name="lanes")
app.add_typer(keys.app, name="keys")
app.add_typer(tokens.app, name="tokens")


# --- parts --------------------------------------------------------------------------------------------------


def _add_part(part: Part, help_text: str, *, own_help: bool) -> None:
    """Add the command that becomes a part. A part with options of its own answers `--help` itself."""
    context: dict[str, object] = dict(_PASS_ON)
    if own_help:
        context["help_option_names"] = []

    @app.command(part.name, help=help_text, context_settings=context, rich_help_panel="Parts")
    def run_part(ctx: typer.Context) -> None:
        parts.become(part, ctx.args)


_add_part(
    parts.API,
    "Run the HTTP API in this process (FISCAL_API_HOST, FISCAL_API_PORT). Several may run side by side.",
    own_help=False,
)
_add_part(
    parts.WORKER,
    "Run a worker: it submits documents to the tax service, each register's in order. Several may run.",
    own_help=False,
)
_add_part(
    parts.PROJECTOR,
    "Run the projector: it keeps balances, shifts, journals and alarms up to date.",
    own_help=False,
)
_add_part(
    parts.SIGNER, "Run the signing agent: the one process that holds opened keys.", own_help=True
)
_add_part(
    parts.SIMULATOR, "Run a simulated tax service to test against, with a page.", own_help=True
)
