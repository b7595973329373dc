"""What a person has to look at: parked lanes, Z-reports whose totals the tax service counts otherwise.

An alarm's id is made from the event that raised it, so a rebuilt projection has the same alarms, and the record of
who was told of them, which is no read model, still fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid5

from psycopg import sql
from psycopg.rows import dict_row

from domain.register import events
from infra.event_store.feed import FeedEvent
from infra.postgres import Connection
from projections.projection import Projection
from projections.standing import (
    SHIFT_CHANGES,
    Standing,
    load_standings,
    standings_table,
    topics_of,
    whole,
)
from projections.tables import Rows, Table
from projections.view import SCHEMA, RowPage, View, Where

# --- what is read ---------------------------------------------------------------------------------


class AlarmKind(StrEnum):
    """What happened. A parked lane is resolved when the lane is resumed; a differing Z-report stays a notice."""

    LANE_PARKED = "lane-parked"
    Z_REPORT_DIFFERS = "z-report-differs"


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One alarm. `reason` is a stable word; `server_code` and `server_text` are the tax service's own, if any.

    `differences` name what the tax service counts otherwise, such as `sales.total`.
    """

    alarm_id: UUID
    kind: AlarmKind
    register_id: UUID
    company_id: UUID
    business_unit_id: UUID
    register_fiscal_number: str
    shift_id: UUID | None
    raised_at: datetime
    reason: str
    server_code: int | None = None
    server_text: str | None = None
    differences: tuple[str, ...] = ()
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolution: str | None = None


class AlarmsView(View):
    """Reads alarms and keeps the record of what the operator was told."""

    PROJECTION: ClassVar[str] = "alarms"

    def search(
        self,
        *,
        register_id: UUID | None = None,
        business_unit_id: UUID | None = None,
        kind: AlarmKind | None = None,
        resolved: bool | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> RowPage[AlarmRow]:
        """Return a page of alarms, newest first. Raises: InvalidField."""
        where = Where()
        where.equal("register_id", register_id)
        where.equal("business_unit_id", business_unit_id)
        where.equal("kind", kind)
        if resolved is not None:
            where.add("(resolved_at IS NOT NULL) = %s", resolved)
        return self._page(
            self._read, where, order=("raised_at", "alarm_id"), limit=limit, after=after
        )

    def undelivered(self, *, channel: str, limit: int = 100) -> tuple[AlarmRow, ...]:
        """Return alarms that this channel has not delivered, oldest first; resolved ones too, they were raised."""
        query = sql.SQL(
            "SELECT {} FROM {} a WHERE NOT EXISTS (SELECT FROM alarm_deliveries d"
            " WHERE d.alarm_id = a.alarm_id AND d.channel = %s) ORDER BY raised_at, alarm_id LIMIT %s"
        ).format(_ALARMS.columns(), sql.Identifier(SCHEMA, _ALARMS.name))
        with self._rows() as rows:
            return tuple(map(_ALARMS.row, rows.execute(query, [channel, limit])))

    def record_delivery(self, alarm_id: UUID, *, channel: str, at: datetime) -> bool:
        """Record that a channel delivered an alarm; False when it had done so before."""
        with self._rows() as rows:
            rows.execute(
                "INSERT INTO alarm_deliveries (alarm_id, channel, delivered_at) VALUES (%s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                [alarm_id, channel, at],
            )
            return rows.rowcount == 1

    def delivered_at(self, alarm_ids: Sequence[UUID], *, channel: str) -> dict[UUID, datetime]:
        """Return when a channel delivered these alarms; those it did not deliver are not there."""
        with self._rows() as rows:
            found = rows.execute(
                "SELECT alarm_id, delivered_at FROM alarm_deliveries"
                " WHERE channel = %s AND alarm_id = ANY(%s)",
                [channel, list(alarm_ids)],
            )
            return {row["alarm_id"]: row["delivered_at"] for row in found}

    def _read(self, where: Where, limit: int) -> list[AlarmRow]:
        query = sql.SQL(
            "SELECT {} FROM {}{} ORDER BY raised_at DESC, alarm_id DESC LIMIT %s"
        ).format(_ALARMS.columns(), sql.Identifier(SCHEMA, _ALARMS.name), where.clause)
        with self._rows() as rows:
            return [_ALARMS.row(row) for row in rows.execute(query, [*where.values, limit])]


# --- what is written ------------------------------------------------------------------------------

_IDS = UUID("6e1f5d6a-9d4e-5d52-8a54-2f3f4a7f1c06")
_STANDINGS = standings_table("alarms_standings")
_ALARMS = Table("alarms", AlarmRow, key=("alarm_id",))


class AlarmsProjection(Projection):
    """Raises alarms and resolves them."""

    NAME: ClassVar[str] = "alarms"
    TOPICS: ClassVar[frozenset[str]] = topics_of(SHIFT_CHANGES) | {
        event.TOPIC for event in (events.ZReportMade, events.LaneWasParked, events.LaneResumed)
    }
    TABLES: ClassVar[dict[str, str]] = {"alarms_standings": "", "alarms": ""}

    def write(self, connection: Connection, page: Sequence[FeedEvent]) -> None:
        """Raise and resolve the alarms that a page of events is about."""
        standings = load_standings(connection, self.schema, _STANDINGS, page, SHIFT_CHANGES)
        resumed = [stored.stream_id for stored in page if stored.topic == events.LaneResumed.TOPIC]
        alarms = self._unresolved(connection, resumed)
        for standing, event in standings.follow(whole(page)):
            if isinstance(event, events.LaneResumed):
                _resolve(event, alarms)
            alarm = _raised(event, standing)
            if alarm is not None:
                alarms.put(alarm)
        _STANDINGS.save(connection, self.schema, standings.rows)
        _ALARMS.save(connection, self.schema, alarms)

    def _unresolved(self, connection: Connection, register_ids: list[UUID]) -> Rows[AlarmRow]:
        if not register_ids:
            return Rows(_ALARMS)
        query = sql.SQL(
            "SELECT {} FROM {} WHERE register_id = ANY(%s) AND kind = %s AND resolved_at IS NULL"
        ).format(_ALARMS.columns(), sql.Identifier(self.schema, _ALARMS.name))
        with connection.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(query, [register_ids, AlarmKind.LANE_PARKED])
            return Rows(_ALARMS, map(_ALARMS.row, found))


def _raised(event: Any, standing: Standing) -> AlarmRow | None:
    """Return the alarm an event raises, if it raises one."""
    if isinstance(event, events.LaneWasParked):
        return replace(
            _alarm(event, standing, AlarmKind.LANE_PARKED, reason=event.reason, at=event.at),
            server_code=event.server_code,
            server_text=event.text,
        )
    if isinstance(event, events.ZReportMade) and event.differences:
        return replace(
            _alarm(
                event,
                standing,
                AlarmKind.Z_REPORT_DIFFERS,
                reason="totals-differ",
                at=event.made_at,
            ),
            differences=event.differences,
        )
    return None


def _alarm(
    event: Any, standing: Standing, kind: AlarmKind, *, reason: str, at: datetime
) -> AlarmRow:
    return AlarmRow(
        alarm_id=uuid5(_IDS, f"{event.originator_id.hex}:{event.originator_version}"),
        kind=kind,
        register_id=standing.register_id,
        company_id=standing.company_id,
        business_unit_id=standing.business_unit_id,
        register_fiscal_number=standing.fiscal_number,
        shift_id=standing.shift_id,
        raised_at=at,
        reason=reason,
    )


def _resolve(event: events.LaneResumed, alarms: Rows[AlarmRow]) -> None:
    for alarm in list(alarms):
        if (
            alarm.kind is AlarmKind.LANE_PARKED
            and alarm.register_id == event.originator_id
            and alarm.resolved_at is None
        ):
            alarms.put(
                replace(alarm, resolved_at=event.at, resolved_by=event.by, resolution=event.reason)
            )
