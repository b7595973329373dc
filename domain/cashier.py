"""Cashiers: who may sell, for which company, and whose key signs."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from domain.aggregate import Aggregate, AggregateCreated, event


class Cashier(Aggregate):
    """A person at a till. The name is what receipts print; nothing else about the person is kept."""

    TOPIC: ClassVar[str] = "cashier"

    company_id: UUID
    name: str
    key_id: str | None

    class Event(Aggregate.Event):
        """A fact about a cashier."""

        TOPIC: ClassVar[str] = "cashier.event"

    class Enrolled(Event, AggregateCreated):
        """A cashier joined a company."""

        TOPIC: ClassVar[str] = "cashier.enrolled"
        company_id: UUID
        name: str

    class KeyAssigned(Event):
        """Shifts the cashier opens are signed with this key from now on."""

        TOPIC: ClassVar[str] = "cashier.key-assigned"
        key_id: str

    @event(Enrolled)
    def __init__(self, *, id: UUID, company_id: UUID, name: str) -> None:
        self.company_id = company_id
        self.name = name
        self.key_id = None

    def assign_key(self, *, key_id: str) -> None:
        """Sign with another key from the next shift on; the same key records nothing."""
        if key_id != self.key_id:
            self._key_assigned(key_id=key_id)

    @event(KeyAssigned)
    def _key_assigned(self, *, key_id: str) -> None:
        self.key_id = key_id
