"""What happens to a lane: it stops, goes on, and learns where the tax service stands."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from domain.register.events.base import Event
from domain.register.state import (
    Parked,
)
from domain.register.stream import RegisterStream


class StateNeeded(Event):
    """The service's state must be read before the next document."""

    TOPIC: ClassVar[str] = "register.state-needed"
    reason: str

    def apply(self, register: RegisterStream) -> None:
        register.state_needed = True


class ServerStateRead(Event):
    """Where the service believes the register stands."""

    TOPIC: ClassVar[str] = "register.server-state-read"
    next_local_number: int
    shift_open: bool
    open_shift_fiscal_number: str | None
    offline_supported: bool
    offline_session_id: str | None
    offline_seed: str | None

    def apply(self, register: RegisterStream) -> None:
        register.state_needed = False
        register.next_local_number = self.next_local_number
        if self.offline_session_id is not None:
            register.offline_session_id = self.offline_session_id
            register.offline_seed = self.offline_seed


class LaneWasParked(Event):
    """The register's documents stopped; a person must act."""

    TOPIC: ClassVar[str] = "register.lane-parked"
    reason: str
    server_code: int | None
    text: str | None
    at: datetime

    def apply(self, register: RegisterStream) -> None:
        register.parked = Parked(
            reason=self.reason, server_code=self.server_code, text=self.text, at=self.at
        )


class LaneResumed(Event):
    """A person removed the cause."""

    TOPIC: ClassVar[str] = "register.lane-resumed"
    by: str
    reason: str
    at: datetime

    def apply(self, register: RegisterStream) -> None:
        register.parked = None
        register.state_needed = True
        register.disagreements = 0
