"""Companies (legal entities, sole proprietors) and their business units (outlets)."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

from domain.aggregate import Aggregate, AggregateCreated, event
from domain.taxes.rates import TaxGroup, checked_groups, groups_in_force


class Company(Aggregate):
    """A seller: its code, VAT number and name as the tax service's registry has them."""

    TOPIC: ClassVar[str] = "company"

    tax_id: str
    vat_number: str | None
    name: str
    tax_groups: tuple[TaxGroup, ...]

    class Event(Aggregate.Event):
        """A fact about a company."""

        TOPIC: ClassVar[str] = "company.event"

    class Registered(Event, AggregateCreated):
        """A company joined the network."""

        TOPIC: ClassVar[str] = "company.registered"
        tax_id: str
        vat_number: str | None
        name: str
        tax_groups: tuple[TaxGroup, ...]

    class Renamed(Event):
        """The registry has another name or VAT number for the company."""

        TOPIC: ClassVar[str] = "company.renamed"
        vat_number: str | None
        name: str

    class TaxGroupsSet(Event):
        """The company's tax letters mean something else from the next shift on."""

        TOPIC: ClassVar[str] = "company.tax-groups-set"
        tax_groups: tuple[TaxGroup, ...]

    @event(Registered)
    def __init__(
        self,
        *,
        id: UUID,
        tax_id: str,
        vat_number: str | None,
        name: str,
        tax_groups: tuple[TaxGroup, ...],
    ) -> None:
        self.tax_id = tax_id
        self.vat_number = vat_number
        self.name = name
        self.tax_groups = tax_groups

    def rename(self, *, name: str, vat_number: str | None) -> None:
        """Take over name and VAT number from the registry; no change records nothing."""
        if (name, vat_number) != (self.name, self.vat_number):
            self._renamed(name=name, vat_number=vat_number)

    def set_tax_groups(self, groups: tuple[TaxGroup, ...], *, on: date) -> None:
        """Give the letters another meaning; open shifts keep theirs. Raises: InvalidField."""
        checked = checked_groups(groups, on=on, pays_vat=self.vat_number is not None)
        if checked != self.tax_groups:
            self._tax_groups_set(tax_groups=checked)

    def tax_groups_on(self, day: date) -> tuple[TaxGroup, ...]:
        """Return the groups that a shift opened on this day may use."""
        return groups_in_force(self.tax_groups, on=day, pays_vat=self.vat_number is not None)

    @event(Renamed)
    def _renamed(self, *, name: str, vat_number: str | None) -> None:
        self.name = name
        self.vat_number = vat_number

    @event(TaxGroupsSet)
    def _tax_groups_set(self, *, tax_groups: tuple[TaxGroup, ...]) -> None:
        self.tax_groups = tax_groups


class BusinessUnit(Aggregate):
    """A registered place of sale; *outlet* in prose and on screens."""

    TOPIC: ClassVar[str] = "business-unit"

    company_id: UUID
    name: str
    address: str | None

    class Event(Aggregate.Event):
        """A fact about a business unit."""

        TOPIC: ClassVar[str] = "business-unit.event"

    class Registered(Event, AggregateCreated):
        """A place of sale joined its company."""

        TOPIC: ClassVar[str] = "business-unit.registered"
        company_id: UUID
        name: str
        address: str | None

    class Renamed(Event):
        """The registry has another name or address for the unit."""

        TOPIC: ClassVar[str] = "business-unit.renamed"
        name: str
        address: str | None

    @event(Registered)
    def __init__(self, *, id: UUID, company_id: UUID, name: str, address: str | None) -> None:
        self.company_id = company_id
        self.name = name
        self.address = address

    def rename(self, *, name: str, address: str | None) -> None:
        """Take over name and address from the registry; no change records nothing."""
        if (name, address) != (self.name, self.address):
            self._renamed(name=name, address=address)

    @event(Renamed)
    def _renamed(self, *, name: str, address: str | None) -> None:
        self.name = name
        self.address = address
