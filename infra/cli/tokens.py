"""`fiscal tokens`: who may call the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from infra.cli.console import err, load_settings, new_group, new_table, out
from infra.tokens import Role

if TYPE_CHECKING:
    from infra.postgres import Connection

app = new_group(
    "Tokens of the API: make, list, revoke. A token is shown once; only its hash is kept."
)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose it is: a person, a till, a program.")],
    *,
    role: Annotated[Role, typer.Option(help="What its owner may do.")],
) -> None:
    """Make a token and print it, alone on standard output.

    A cashier's sells and reads; a service's also follows the events; an auditor's only reads; an administrator's may
    do everything.
    """
    from infra.tokens import create_token

    with _connection() as connection:
        token = create_token(connection, name, role)
    out.print(token, soft_wrap=True)
    err.print("It is not shown again.")


@app.command("list")
def list_tokens(
    *,
    revoked: Annotated[bool, typer.Option("--revoked", help="Show revoked ones too.")] = False,
) -> None:
    """Show the tokens, newest first."""
    from infra.tokens import list_tokens as read_tokens

    table = new_table("id", "name", "role", "made", "revoked")
    with _connection() as connection:
        for row in read_tokens(connection):
            if revoked or row.revoked_at is None:
                table.add_row(
                    str(row.token_id),
                    row.name,
                    row.role.value,
                    f"{row.created_at:%Y-%m-%d %H:%M}",
                    "" if row.revoked_at is None else f"{row.revoked_at:%Y-%m-%d %H:%M}",
                )
    out.print(table)


@app.command()
def revoke(token_id: Annotated[UUID, typer.Argument(help="Its id, as `list` shows it.")]) -> None:
    """Make a token invalid, within seconds and for good."""
    from infra.tokens import revoke_token

    with _connection() as connection:
        row = revoke_token(connection, token_id)
    out.print(f"[green]✓[/] The token of {row.name} does not work any more.")


@contextmanager
def _connection() -> Iterator[Connection]:
    from infra.cli.database import database
    from infra.postgres import connect

    with database(load_settings()) as dsn, connect(dsn, name="fiscal tokens") as connection:
        yield connection
