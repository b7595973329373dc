"""Shifts and Z-reports: who sold when, which documents opened and closed the shift, our totals beside the server's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import singledispatch
from typing import ClassVar
from uuid import UUID

from psycopg import sql

from domain.documents.shift import DocumentKind, ShiftTotals
from domain.errors import NotFound
from domain.register import events
from infra.event_store.feed import FeedEvent
from infra.postgres import Connection
from projections.projection import Projection
from projections.standing import (
    SHIFT_CHANGES,
    Standing,
    adopted_shift_id,
    load_standings,
    standings_table,
    topics_of,
    whole,
)
from projections.tables import Rows, Table
from projections.view import SCHEMA, RowPage, View, Where

# --- what is read ---------------------------------------------------------------------------------


class ShiftState(StrEnum):
    """How far a shift is: closing takes no new receipts."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """One shift of a register.

    `number` is our count of the register's shifts, None for a shift that ran elsewhere from end to end. `adopted`:
    it was opened elsewhere. The fiscal numbers are the tax service's; each comes with its local number and the
    server's time where a ticket told it. `z_totals` is what the Z-report says, `our_totals` what our own records
    give, `server_totals` what the tax service counted before the Z-report; `differences` name what the last two
    disagree in, such as `sales.total`.
    """

    shift_id: UUID
    register_id: UUID
    company_id: UUID
    business_unit_id: UUID
    number: int | None
    state: ShiftState
    adopted: bool
    testing: bool
    cashier_id: UUID | None
    cashier_name: str | None
    key_id: str | None
    opened_at: datetime
    opening_local_number: int | None = None
    opening_fiscal_number: str | None = None
    opening_server_time: datetime | None = None
    closing_requested_at: datetime | None = None
    z_report_id: UUID | None = None
    z_made_at: datetime | None = None
    z_local_number: int | None = None
    z_fiscal_number: str | None = None
    z_server_time: datetime | None = None
    z_refusal_code: int | None = None
    z_refusal_text: str | None = None
    closing_local_number: int | None = None
    closing_fiscal_number: str | None = None
    closing_server_time: datetime | None = None
    closed_at: datetime | None = None
    z_totals: ShiftTotals | None = None
    our_totals: ShiftTotals | None = None
    server_totals: ShiftTotals | None = None
    differences: tuple[str, ...] = ()


class ShiftsView(View):
    """Reads shifts."""

    PROJECTION: ClassVar[str] = "shifts"

    def get(self, shift_id: UUID) -> ShiftRow:
        """Return a shift. Raises: NotFound."""
        where = Where()
        where.equal("shift_id", shift_id)
        found = self._read(where, limit=1)
        if not found:
            raise NotFound(what="shift", id=str(shift_id))
        return found[0]

    def of_register_now(self, register_id: UUID) -> ShiftRow | None:
        """Return the register's open or closing shift; None when it has none."""
        where = Where()
        where.equal("register_id", register_id)
        where.add("state <> 'closed' AND number IS NOT NULL")
        found = self._read(where, limit=1)
        return found[0] if found else None

    def search(
        self,
        *,
        register_id: UUID | None = None,
        business_unit_id: UUID | None = None,
        company_id: UUID | None = None,
        cashier_id: UUID | None = None,
        state: ShiftState | None = None,
        opened_from: datetime | None = None,
        opened_before: datetime | None = None,
        differing: bool = False,
        testing: bool | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> RowPage[ShiftRow]:
        """Return shifts, newest first; `differing`: only those whose totals the tax service counts otherwise.

        `testing`: only test shifts, or none of them; None: all.

        Raises: InvalidField.
        """
        where = Where()
        where.equal("register_id", register_id)
        where.equal("business_unit_id", business_unit_id)
        where.equal("company_id", company_id)
        where.equal("cashier_id", cashier_id)
        where.equal("state", state)
        if opened_from is not None:
            where.add("opened_at >= %s", opened_from)
        if opened_before is not None:
            where.add("opened_at < %s", opened_before)
        where.equal("testing", testing)
        if differing:
            where.add("differences <> '[]'")
        return self._page(
            self._read, where, order=("opened_at", "shift_id"), limit=limit, after=after
        )

    def _read(self, where: Where, limit: int) -> list[ShiftRow]:
        query = sql.SQL(
            "SELECT {} FROM {}{} ORDER BY opened_at DESC, shift_id DESC LIMIT %s"
        ).format(_SHIFTS.columns(), sql.Identifier(SCHEMA, _SHIFTS.name), where.clause)
        with self._rows() as rows:
            return [_SHIFTS.row(row) for row in rows.execute(query, [*where.values, limit])]


# --- what is written ------------------------------------------------------------------------------

_STANDINGS = standings_table("shifts_standings")
_SHIFTS = Table("shifts", ShiftRow, key=("shift_id",))


class ShiftsProjection(Projection):
    """Keeps one row a shift."""

    NAME: ClassVar[str] = "shifts"
    TOPICS: ClassVar[frozenset[str]] = topics_of(SHIFT_CHANGES) | {
        event.TOPIC
        for event in (
            events.DocumentRegistered,
            events.DocumentRefused,
            events.ClosingBegun,
            events.ZReportMade,
        )
    }
    TABLES: ClassVar[dict[str, str]] = {"shifts_standings": "", "shifts": ""}

    def write(self, connection: Connection, page: Sequence[FeedEvent]) -> None:
        """Bring the shifts that a page of events is about up to date."""
        standings = load_standings(connection, self.schema, _STANDINGS, page, SHIFT_CHANGES)
        known = {
            shift_id
            for standing in standings.rows
            for shift_id in (standing.shift_id, standing.elsewhere_shift_id)
            if shift_id is not None
        }
        shifts = _SHIFTS.load(connection, self.schema, known)
        for standing, event in standings.follow(whole(page)):
            shift = _after(event, standing, shifts)
            if shift is not None:
                shifts.put(shift)
        _STANDINGS.save(connection, self.schema, standings.rows)
        _SHIFTS.save(connection, self.schema, shifts)


@singledispatch
def _after(event: object, standing: Standing, shifts: Rows[ShiftRow]) -> ShiftRow | None:
    """Return the shift that an event changes, after it; None when it changes none."""
    return None


@_after.register
def _(event: events.ShiftOpened, standing: Standing, shifts: Rows[ShiftRow]) -> ShiftRow | None:
    return ShiftRow(
        shift_id=event.shift_id,
        register_id=standing.register_id,
        company_id=standing.company_id,
        business_unit_id=standing.business_unit_id,
        number=event.number,
        state=ShiftState.OPEN,
        adopted=False,
        testing=event.testing,
        cashier_id=event.cashier_id,
        cashier_name=event.cashier_name,
        key_id=event.key_id,
        opened_at=event.opened_at,
    )


@_after.register
def _(
    event: events.DocumentRegistered, standing: Standing, shifts: Rows[ShiftRow]
) -> ShiftRow | None:
    shift = shifts.get(standing.shift_id)
    return shift and _numbered(
        shift,
        event.kind,
        local_number=event.local_number,
        fiscal_number=event.fiscal_number,
        server_time=event.server_time,
    )


@_after.register
def _(event: events.DocumentRefused, standing: Standing, shifts: Rows[ShiftRow]) -> ShiftRow | None:
    shift = shifts.get(standing.shift_id)
    if shift is None or event.kind is not DocumentKind.Z_REPORT:
        return None
    return replace(shift, z_refusal_code=event.server_code, z_refusal_text=event.text)


@_after.register
def _(event: events.DocumentAdopted, standing: Standing, shifts: Rows[ShiftRow]) -> ShiftRow | None:
    shift_id = adopted_shift_id(standing, event)
    opens = event.kind is DocumentKind.SHIFT_OPENING and not event.in_shift
    shift = _opened_elsewhere(event, shift_id, standing) if opens else shifts.get(shift_id)
    if shift is None:
        return None
    shift = _numbered(
        shift,
        event.kind,
        local_number=event.local_number,
        fiscal_number=event.fiscal_number,
        server_time=None,
    )
    if event.kind is DocumentKind.Z_REPORT:
        report = event.z_report
        return replace(
            shift,
            z_report_id=None if report is None else report.z_report_id,
            z_totals=None if report is None else report.totals,
            z_made_at=event.at,
        )
    if event.kind is DocumentKind.SHIFT_CLOSING and not event.in_shift:
        return replace(shift, state=ShiftState.CLOSED, closed_at=event.at)
    return shift


@_after.register
def _(event: events.ClosingBegun, standing: Standing, shifts: Rows[ShiftRow]) -> ShiftRow | None:
    shift = shifts.get(event.shift_id)
    return shift and replace(
        shift, state=ShiftState.CLOSING, closing_requested_at=event.requested_at
    )


@_after.register
def _(event: events.ZReportMade, standing: Standing, shifts: Rows[ShiftRow]) -> ShiftRow | None:
    shift = shifts.get(event.shift_id)
    return shift and replace(
        shift,
        z_report_id=event.z_report.z_report_id,
        z_totals=event.z_report.totals,
        z_made_at=event.made_at,
        our_totals=event.ours,
        server_totals=event.server,
        differences=event.differences,
    )


@_after.register
def _(event: events.ShiftClosed, standing: Standing, shifts: Rows[ShiftRow]) -> ShiftRow | None:
    shift = shifts.get(event.shift_id)
    return shift and replace(
        shift, state=ShiftState.CLOSED, closed_at=event.closed_at, our_totals=event.totals
    )


def _opened_elsewhere(
    event: events.DocumentAdopted, shift_id: UUID | None, standing: Standing
) -> ShiftRow:
    assert shift_id is not None
    ours = event.shift
    return ShiftRow(
        shift_id=shift_id,
        register_id=standing.register_id,
        company_id=standing.company_id,
        business_unit_id=standing.business_unit_id,
        number=None if ours is None else ours.number,
        state=ShiftState.OPEN,
        adopted=True,
        testing=ours is not None and ours.testing,
        cashier_id=None if ours is None else ours.cashier_id,
        cashier_name=None if ours is None else ours.cashier_name,
        key_id=None if ours is None else ours.key_id,
        opened_at=event.at if ours is None else ours.opened_at,
    )


def _numbered(
    shift: ShiftRow,
    kind: DocumentKind,
    *,
    local_number: int,
    fiscal_number: str,
    server_time: datetime | None,
) -> ShiftRow:
    """Return the shift with the numbers of its opening, Z-report or closing; a receipt changes nothing."""
    if kind is DocumentKind.SHIFT_OPENING:
        return replace(
            shift,
            opening_local_number=local_number,
            opening_fiscal_number=fiscal_number,
            opening_server_time=server_time,
        )
    if kind is DocumentKind.Z_REPORT:
        return replace(
            shift,
            z_local_number=local_number,
            z_fiscal_number=fiscal_number,
            z_server_time=server_time,
            z_refusal_code=None,
            z_refusal_text=None,
        )
    if kind is DocumentKind.SHIFT_CLOSING:
        return replace(
            shift,
            closing_local_number=local_number,
            closing_fiscal_number=fiscal_number,
            closing_server_time=server_time,
        )
    return shift
