"""What commands say, and how they end: results on standard output, the rest on standard error."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from typer.core import TyperGroup

from infra.settings import Settings

_PIPE_WIDTH = 200


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let whoever prints decide; rich itself would end the process, with its children running."""
        raise BrokenPipeError


def _console(*, stderr: bool) -> Console:
    """Return a console; what goes into a file or a pipe is not broken at 80 columns."""
    console = _Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


out = _console(stderr=False)
err = _console(stderr=True)


class Problem(Exception):
    """A command cannot do what was asked; `next_step` says what a person can do about it."""

    def __init__(self, message: str, *, next_step: str | None = None) -> None:
        super().__init__(message)
        self.next_step = next_step


class Commands(TyperGroup):
    """A group of commands that tells what went wrong in a sentence and exits with 1, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; everything foreseen becomes a sentence, the rest stays a traceback."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Whoever read us went away, as `head` does; Python must not flush into nothing at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise typer.Exit(1) from None
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
            tell(problem)
            raise typer.Exit(1) from None


def new_group(help_text: str) -> typer.Typer:
    """Return an empty group of commands."""
    return typer.Typer(
        cls=Commands,
        help=help_text,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )


def mention(console: Console, text: str, *, style: str | None = None, markup: bool = True) -> None:
    """Print a line of whoever must go on even when nobody reads any more: the terminal may be gone."""
    with suppress(OSError):
        console.print(text, style=style, markup=markup, soft_wrap=True)


def tell(problem: Problem) -> None:
    """Write a problem and its next step on standard error."""
    err.print(f"[bold red]✗[/] {escape(str(problem))}", soft_wrap=True)
    if problem.next_step:
        err.print(f"  → {escape(problem.next_step)}", soft_wrap=True)


def problem_of(error: Exception) -> Problem | None:
    """Return an error as a problem in words; None for one that is a fault of the program."""
    # Imported when something went wrong: a command that works need not wait for the drivers.
    import psycopg

    from domain.errors import FiscalError
    from infra.embedded_postgres import EmbeddedPostgresError
    from infra.postgres import MigrationError
    from infra.postgres_binaries import NoPostgresBinaries, NoPostgresProgram
    from infra.server_account import NoServerAccount
    from infra.signing.errors import KeyStoreError

    if isinstance(error, Problem):
        return error
    if isinstance(error, FiscalError):
        return Problem(str(error), next_step=error.next_step)
    if isinstance(error, psycopg.errors.UndefinedTable):
        return Problem("The database lacks tables.", next_step="Run `fiscal migrate`.")
    if isinstance(error, psycopg.OperationalError):
        return Problem(
            f"The database does not answer: {str(error).strip()}", next_step="Run `fiscal doctor`."
        )
    known = (EmbeddedPostgresError, MigrationError, NoPostgresBinaries, NoPostgresProgram)
    if isinstance(error, (*known, NoServerAccount, KeyStoreError)):
        return Problem(str(error))
    return None


def load_settings() -> Settings:
    """Return the settings of the environment. Raises: Problem naming each impossible one."""
    from pydantic import ValidationError

    try:
        return Settings()
    except ValidationError as error:
        # Without the values, which may be secrets.
        wrong = [
            f"FISCAL_{'_'.join(str(part) for part in each['loc']).upper()}: {each['msg']}"
            for each in error.errors(include_input=False, include_url=False)
        ]
        raise Problem("\n".join(wrong), next_step="See docs/settings.md.") from None


def new_table(*columns: str) -> Table:
    """Return an empty table; columns named `id` are never cut, because people copy them."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=column.endswith("id"), overflow="fold")
    return table


def progress_bar(*, total_known: bool = True) -> Progress:
    """Return a progress display for long work; on something that is no terminal it stays silent."""
    columns = [SpinnerColumn(), TextColumn("{task.description}")]
    if total_known:
        columns += [BarColumn(), TextColumn("{task.completed:,.0f}/{task.total:,.0f}")]
    else:
        columns += [TextColumn("{task.fields[note]}")]
    return Progress(
        *columns, TimeElapsedColumn(), console=err, transient=True, disable=not err.is_terminal
    )
