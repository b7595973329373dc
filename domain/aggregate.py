"""Base classes of our aggregates and events: explicit topics, UTC, ids given from outside."""

from __future__ import annotations

from typing import ClassVar

from eventsourcing.domain import Aggregate as LibraryAggregate
from eventsourcing.domain import AggregateCreated as LibraryCreated
from eventsourcing.domain import event

__all__ = ["Aggregate", "AggregateCreated", "event"]


class Aggregate(LibraryAggregate):
    """An event stream's current state.

    Every subclass and every event class states its `TOPIC`: the stored name outlives files and classes. All
    attributes are declared with their types, because a snapshot is written and read by them. `__init__` takes
    `id`, so that a forgotten one is an error and never a random stream.
    """

    TOPIC: ClassVar[str]

    class Event(LibraryAggregate.Event):
        """A fact of this stream."""

        TOPIC: ClassVar[str] = "aggregate.event"


class AggregateCreated(LibraryCreated):
    """The first event of a stream."""

    TOPIC: ClassVar[str] = "aggregate.created"
