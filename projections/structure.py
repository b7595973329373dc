"""The network as it is: companies, business units, registers with where they stand, cashiers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeVar
from uuid import UUID

from psycopg import sql

from domain.errors import NotFound
from domain.register.state import RegisterSettings
from domain.taxes.rates import TaxGroup
from projections.tables import Table
from projections.view import SCHEMA, RowPage, View, Where

AnyRow = TypeVar("AnyRow")


@dataclass(frozen=True, slots=True)
class NetworkRow:
    """The network."""

    network_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class CompanyRow:
    """A company with the letters of its taxes."""

    company_id: UUID
    tax_id: str
    vat_number: str | None
    name: str
    tax_groups: tuple[TaxGroup, ...]


@dataclass(frozen=True, slots=True)
class BusinessUnitRow:
    """A place of sale of a company."""

    business_unit_id: UUID
    company_id: UUID
    name: str
    address: str | None


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """A register: `local_number` is its own number at the business unit, `next_local_number` its next document's.

    `next_local_number` is None until the tax service was asked. `shift_id` and what follows: the shift that is open
    or closing now. `parked_*`: why the lane is stopped until a person acts, since when, with the tax service's code
    and text.
    """

    register_id: UUID
    company_id: UUID
    business_unit_id: UUID
    fiscal_number: str
    local_number: int
    name: str
    live: bool
    settings: RegisterSettings
    next_local_number: int | None = None
    last_document_at: datetime | None = None
    last_fiscal_number: str | None = None
    shift_id: UUID | None = None
    shift_number: int | None = None
    shift_closing: bool = False
    cashier_id: UUID | None = None
    cashier_name: str | None = None
    parked_reason: str | None = None
    parked_code: int | None = None
    parked_text: str | None = None
    parked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CashierRow:
    """A cashier of a company; without `key_id` no shift can be opened."""

    cashier_id: UUID
    company_id: UUID
    name: str
    key_id: str | None


NETWORK = Table("structure_network", NetworkRow, key=("network_id",))
COMPANIES = Table("structure_companies", CompanyRow, key=("company_id",))
BUSINESS_UNITS = Table("structure_business_units", BusinessUnitRow, key=("business_unit_id",))
REGISTERS = Table("structure_registers", RegisterRow, key=("register_id",))
CASHIERS = Table("structure_cashiers", CashierRow, key=("cashier_id",))


class StructureView(View):
    """Reads the structure; lists are ordered by name."""

    PROJECTION: ClassVar[str] = "structure"

    def network(self) -> NetworkRow | None:
        """Return the network; None before it has a name."""
        found = self._select(NETWORK, Where(), order=NETWORK.key, limit=1)
        return found[0] if found else None

    def company(self, company_id: UUID) -> CompanyRow:
        """Return a company. Raises: NotFound."""
        return self._one(COMPANIES, company_id, what="company")

    def business_unit(self, business_unit_id: UUID) -> BusinessUnitRow:
        """Return a business unit. Raises: NotFound."""
        return self._one(BUSINESS_UNITS, business_unit_id, what="business unit")

    def register(self, register_id: UUID) -> RegisterRow:
        """Return a register. Raises: NotFound."""
        return self._one(REGISTERS, register_id, what="register")

    def cashier(self, cashier_id: UUID) -> CashierRow:
        """Return a cashier. Raises: NotFound."""
        return self._one(CASHIERS, cashier_id, what="cashier")

    def companies(self, *, limit: int = 50, after: str | None = None) -> RowPage[CompanyRow]:
        """Return a page of companies. Raises: InvalidField."""
        return self._named(COMPANIES, Where(), limit=limit, after=after)

    def business_units(
        self, *, company_id: UUID | None = None, limit: int = 50, after: str | None = None
    ) -> RowPage[BusinessUnitRow]:
        """Return a page of business units, of one company or of all. Raises: InvalidField."""
        where = Where()
        where.equal("company_id", company_id)
        return self._named(BUSINESS_UNITS, where, limit=limit, after=after)

    def registers(
        self,
        *,
        company_id: UUID | None = None,
        business_unit_id: UUID | None = None,
        fiscal_number: str | None = None,
        parked: bool | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> RowPage[RegisterRow]:
        """Return a page of registers. Raises: InvalidField."""
        where = Where()
        where.equal("company_id", company_id)
        where.equal("business_unit_id", business_unit_id)
        where.equal("fiscal_number", fiscal_number)
        if parked is not None:
            where.add("(parked_reason IS NOT NULL) = %s", parked)
        return self._named(REGISTERS, where, limit=limit, after=after)

    def cashiers(
        self, *, company_id: UUID | None = None, limit: int = 50, after: str | None = None
    ) -> RowPage[CashierRow]:
        """Return a page of cashiers, of one company or of all. Raises: InvalidField."""
        where = Where()
        where.equal("company_id", company_id)
        return self._named(CASHIERS, where, limit=limit, after=after)

    def _one(self, table: Table[AnyRow], id: UUID, *, what: str) -> AnyRow:
        where = Where()
        where.equal(table.key[0], id)
        found = self._select(table, where, order=table.key, limit=1)
        if not found:
            raise NotFound(what=what, id=str(id))
        return found[0]

    def _named(
        self, table: Table[AnyRow], where: Where, *, limit: int, after: str | None
    ) -> RowPage[AnyRow]:
        order = ("name", table.key[0])
        return self._page(
            lambda where, most: self._select(table, where, order=order, limit=most),
            where,
            order=order,
            limit=limit,
            after=after,
        )

    def _select(
        self, table: Table[AnyRow], where: Where, *, order: tuple[str, ...], limit: int
    ) -> list[AnyRow]:
        query = sql.SQL("SELECT {} FROM {}{} ORDER BY {} LIMIT %s").format(
            table.columns(),
            sql.Identifier(SCHEMA, table.name),
            where.clause,
            sql.SQL(", ").join(map(sql.Identifier, order)),
        )
        with self._rows() as rows:
            return [table.row(row) for row in rows.execute(query, [*where.values, limit])]
