"""`fiscal lanes`: the registers' queues of documents, and letting a stopped one go on."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from infra.cli.console import Problem, load_settings, new_group, new_table, out

if TYPE_CHECKING:
    from infra.postgres import Connection

app = new_group("Lanes: each register's documents, strictly one after another.")

_LANES = """
    SELECT lanes.register_id, registers.fiscal_number, registers.name, lanes.parked, lanes.reason,
        lanes.failures, lanes.due_at, lanes.lease_until
    FROM lanes LEFT JOIN projections.structure_registers AS registers USING (register_id)
    ORDER BY lanes.parked IS NULL, lanes.failures DESC, registers.fiscal_number
"""


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A lane with its register; the register's number and name are None until a projector has read them."""

    register_id: UUID
    fiscal_number: str | None
    name: str | None
    parked: str | None
    reason: str | None
    failures: int
    due_at: datetime | None
    lease_until: datetime | None

    def state(self, now: datetime) -> str:
        """Return in a word what the lane does."""
        if self.parked is not None:
            return "parked"
        if self.lease_until is not None and self.lease_until > now:
            return "working"
        if self.lease_until is not None or (self.due_at is not None and self.due_at <= now):
            return "due"
        return "idle" if self.due_at is None else "waiting"


def read_lanes(connection: Connection) -> list[LaneRow]:
    """Return all lanes, the parked ones first."""
    return [LaneRow(*row) for row in connection.execute(_LANES)]


@app.command("list")
def list_lanes(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Show idle lanes too.")] = False,
) -> None:
    """Show lanes that are parked, wait, or have work."""
    from infra.cli.database import database
    from infra.postgres import connect

    now = datetime.now(UTC)
    with database(load_settings()) as dsn, connect(dsn, name="fiscal lanes") as connection:
        rows = read_lanes(connection)
    shown = [row for row in rows if everything or row.state(now) != "idle"]
    if not shown:
        out.print(f"[green]✓[/] All {len(rows)} lanes are idle: nothing waits.")
        return
    table = new_table("register", "name", "state", "why", "tries", "register id")
    for row in shown:
        table.add_row(
            row.fiscal_number or "?",
            row.name or "?",
            row.state(now),
            row.parked or row.reason or "",
            str(row.failures or ""),
            str(row.register_id),
        )
    out.print(table)


@app.command()
def resume(
    register: Annotated[str, typer.Argument(help="Fiscal number or id of the register.")],
    *,
    reason: Annotated[str, typer.Option(help="What was done about the cause; kept in the log.")],
) -> None:
    """Let a parked lane go on, once the cause it names is gone.

    The register's state is read from the tax service first.
    """
    from infra.bootstrap import open_engine
    from infra.cli.database import database

    settings = load_settings()
    register_id = _register_id(register)
    with database(settings), open_engine(settings, name="fiscal lanes") as engine:
        engine.ledger.resume_lane(
            register_id=register_id, by=f"{getpass.getuser()} (command line)", reason=reason
        )
    out.print(f"[green]✓[/] The lane of register {register} goes on.")


def _register_id(text: str) -> UUID:
    """Return a register's id from its id or its fiscal number. Raises: Problem."""
    from domain.errors import InvalidField
    from domain.identifiers import register_number, register_stream_id

    try:
        return UUID(text)
    except ValueError:
        pass
    try:
        return register_stream_id(register_number(text))
    except InvalidField:
        raise Problem(
            f"{text} is neither an id nor a fiscal number.", next_step="See `fiscal lanes list`."
        ) from None
