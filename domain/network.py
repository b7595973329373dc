"""The network: one deployment's chain of companies, business units and registers."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from domain.aggregate import Aggregate, AggregateCreated, event

NETWORK_ID = UUID("0f6a7c52-5b0a-5b58-9a0e-6f1f0e7f5a10")
"""One deployment serves one network, so its stream has a fixed id."""


class Network(Aggregate):
    """The root of the structure."""

    TOPIC: ClassVar[str] = "network"

    name: str

    class Event(Aggregate.Event):
        """A fact about the network."""

        TOPIC: ClassVar[str] = "network.event"

    class Established(Event, AggregateCreated):
        """The network got its name."""

        TOPIC: ClassVar[str] = "network.established"
        name: str

    class Renamed(Event):
        """The network goes by another name."""

        TOPIC: ClassVar[str] = "network.renamed"
        name: str

    @event(Established)
    def __init__(self, *, id: UUID, name: str) -> None:
        self.name = name

    def rename(self, *, name: str) -> None:
        """Give the network another name; the same name records nothing."""
        if name != self.name:
            self._renamed(name=name)

    @event(Renamed)
    def _renamed(self, *, name: str) -> None:
        self.name = name
