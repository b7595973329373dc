"""What a register is at a moment of its history: the state that its events make and its decisions read."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.aggregate import Aggregate
from domain.money import Money
from domain.register.state import (
    Drawer,
    Outstanding,
    Parked,
    RefusedReceipt,
    RegisterSettings,
    Shift,
    Waiting,
)


class RegisterStream(Aggregate):
    """The state of one register; `Register` decides over it, events change it."""

    company_id: UUID
    business_unit_id: UUID
    fiscal_number: str
    local_number: int
    name: str
    live: bool
    settings: RegisterSettings
    next_local_number: int | None
    state_needed: bool
    shift: Shift | None
    last_shift_number: int
    waiting: tuple[Waiting, ...]
    outstanding: Outstanding | None
    refused: dict[UUID, RefusedReceipt]
    disagreements: int
    last_document_at: datetime | None
    parked: Parked | None
    offline_session_id: str | None
    offline_seed: str | None
    drawer: Drawer

    @property
    def cash_in_drawer(self) -> Money:
        """What the drawer holds by the books: of a test shift that is open what its tests pretend, else the money."""
        return self.drawer.holds(testing=self.shift is not None and self.shift.testing)

    def the_outstanding(self) -> Outstanding:
        """Return the outstanding document where our own code guarantees that there is one."""
        assert self.outstanding is not None
        return self.outstanding
