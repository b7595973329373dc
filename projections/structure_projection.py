"""Keeping the structure up to date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch
from typing import Any, ClassVar
from uuid import UUID

from domain.cashier import Cashier
from domain.company import BusinessUnit, Company
from domain.network import Network
from domain.register import events
from domain.register.aggregate import Register
from infra.event_store.feed import FeedEvent
from infra.postgres import Connection
from projections.projection import Projection
from projections.structure import (
    BUSINESS_UNITS,
    CASHIERS,
    COMPANIES,
    NETWORK,
    REGISTERS,
    BusinessUnitRow,
    CashierRow,
    CompanyRow,
    NetworkRow,
    RegisterRow,
)
from projections.tables import Table

_TABLES: dict[str, Table[Any]] = {
    Network.TOPIC: NETWORK,
    Company.TOPIC: COMPANIES,
    BusinessUnit.TOPIC: BUSINESS_UNITS,
    Register.TOPIC: REGISTERS,
    Cashier.TOPIC: CASHIERS,
}
_REGISTER_EVENTS = (
    events.Registered,
    events.SettingsChanged,
    events.ShiftOpened,
    events.ClosingBegun,
    events.ShiftClosed,
    events.DocumentRegistered,
    events.DocumentAdopted,
    events.ServerStateRead,
    events.LaneWasParked,
    events.LaneResumed,
)


class StructureProjection(Projection):
    """Keeps one row for each thing of the network."""

    NAME: ClassVar[str] = "structure"
    TOPICS: ClassVar[frozenset[str]] = frozenset(
        event.TOPIC
        for event in (
            Network.Established,
            Network.Renamed,
            Company.Registered,
            Company.Renamed,
            Company.TaxGroupsSet,
            BusinessUnit.Registered,
            BusinessUnit.Renamed,
            Cashier.Enrolled,
            Cashier.KeyAssigned,
            *_REGISTER_EVENTS,
        )
    )
    TABLES: ClassVar[dict[str, str]] = {table.name: "" for table in _TABLES.values()}

    def write(self, connection: Connection, page: Sequence[FeedEvent]) -> None:
        """Bring the rows that a page of events is about up to date."""
        for thing, table in _TABLES.items():
            ours = [stored for stored in page if stored.topic.partition(".")[0] == thing]
            if not ours:
                continue
            rows = table.load(connection, self.schema, {stored.stream_id for stored in ours})
            for stored in ours:
                rows.put(_after(stored.event, stored.stream_id, rows.get(stored.stream_id)))
            table.save(connection, self.schema, rows)


@singledispatch
def _after(event: object, id: UUID, row: Any) -> Any:
    """Return the row of a stream after an event."""
    raise NotImplementedError(f"no rule for {type(event).__name__}")


@_after.register
def _(event: Network.Established, id: UUID, row: None) -> NetworkRow:
    return NetworkRow(network_id=id, name=event.name)


@_after.register
def _(event: Network.Renamed, id: UUID, row: NetworkRow) -> NetworkRow:
    return replace(row, name=event.name)


@_after.register
def _(event: Company.Registered, id: UUID, row: None) -> CompanyRow:
    return CompanyRow(
        company_id=id,
        tax_id=event.tax_id,
        vat_number=event.vat_number,
        name=event.name,
        tax_groups=event.tax_groups,
    )


@_after.register
def _(event: Company.Renamed, id: UUID, row: CompanyRow) -> CompanyRow:
    return replace(row, name=event.name, vat_number=event.vat_number)


@_after.register
def _(event: Company.TaxGroupsSet, id: UUID, row: CompanyRow) -> CompanyRow:
    return replace(row, tax_groups=event.tax_groups)


@_after.register
def _(event: BusinessUnit.Registered, id: UUID, row: None) -> BusinessUnitRow:
    return BusinessUnitRow(
        business_unit_id=id, company_id=event.company_id, name=event.name, address=event.address
    )


@_after.register
def _(event: BusinessUnit.Renamed, id: UUID, row: BusinessUnitRow) -> BusinessUnitRow:
    return replace(row, name=event.name, address=event.address)


@_after.register
def _(event: Cashier.Enrolled, id: UUID, row: None) -> CashierRow:
    return CashierRow(cashier_id=id, company_id=event.company_id, name=event.name, key_id=None)


@_after.register
def _(event: Cashier.KeyAssigned, id: UUID, row: CashierRow) -> CashierRow:
    return replace(row, key_id=event.key_id)


# --- registers ------------------------------------------------------------------------------------


@_after.register
def _(event: events.Registered, id: UUID, row: None) -> RegisterRow:
    return RegisterRow(
        register_id=id,
        company_id=event.company_id,
        business_unit_id=event.business_unit_id,
        fiscal_number=event.fiscal_number,
        local_number=event.local_number,
        name=event.name,
        live=event.live,
        settings=event.settings,
    )


@_after.register
def _(event: events.SettingsChanged, id: UUID, row: RegisterRow) -> RegisterRow:
    return replace(row, settings=event.settings)


@_after.register
def _(event: events.ShiftOpened, id: UUID, row: RegisterRow) -> RegisterRow:
    return replace(
        row,
        shift_id=event.shift_id,
        shift_number=event.number,
        shift_closing=False,
        cashier_id=event.cashier_id,
        cashier_name=event.cashier_name,
    )


@_after.register
def _(event: events.ClosingBegun, id: UUID, row: RegisterRow) -> RegisterRow:
    return replace(row, shift_closing=True)


@_after.register
def _(event: events.ShiftClosed, id: UUID, row: RegisterRow) -> RegisterRow:
    return replace(
        row,
        shift_id=None,
        shift_number=None,
        shift_closing=False,
        cashier_id=None,
        cashier_name=None,
    )


@_after.register
def _(
    event: events.DocumentRegistered | events.DocumentAdopted, id: UUID, row: RegisterRow
) -> RegisterRow:
    following = event.local_number + 1
    last = row.last_document_at
    row = replace(
        row,
        next_local_number=max(following, row.next_local_number or following),
        last_document_at=event.at if last is None else max(last, event.at),
        last_fiscal_number=event.fiscal_number,
    )
    opened = event.shift if isinstance(event, events.DocumentAdopted) else None
    if opened is None:
        return row
    return replace(
        row,
        shift_id=opened.shift_id,
        shift_number=opened.number,
        shift_closing=False,
        cashier_id=opened.cashier_id,
        cashier_name=opened.cashier_name,
    )


@_after.register
def _(event: events.ServerStateRead, id: UUID, row: RegisterRow) -> RegisterRow:
    return replace(row, next_local_number=event.next_local_number)


@_after.register
def _(event: events.LaneWasParked, id: UUID, row: RegisterRow) -> RegisterRow:
    return replace(
        row,
        parked_reason=event.reason,
        parked_code=event.server_code,
        parked_text=event.text,
        parked_at=event.at,
    )


@_after.register
def _(event: events.LaneResumed, id: UUID, row: RegisterRow) -> RegisterRow:
    return replace(row, parked_reason=None, parked_code=None, parked_text=None, parked_at=None)
