"""Base classes of our aggregates and events: explicit topics, UTC, ids given from outside."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar

from eventsourcing.domain import Aggregate as LibraryAggregate
from eventsourcing.domain import AggregateCreated as LibraryCreated
from eventsourcing.domain import event
from eventsourcing.utils import resolve_topic

__all__ = ["Aggregate", "AggregateCreated", "event"]


class Aggregate(LibraryAggregate):
    """An event stream's current state.

    Every subclass and every event class states its `TOPIC`: the stored name outlives files and classes. All
    attributes are declared with their types, because a snapshot is written and read by them. `__init__` takes
    `id`, so that a forgotten one is an error and never a random stream.
    """

    TOPIC: ClassVar[str]

    def trigger_event(self, event_class: type[Any], **values: Any) -> None:
        """Make an event the next of this stream and apply it.

        As the library does, which also looks the event's topic up again each time: tests/architecture has checked
        the topics of all events.
        """
        fact = event_class(
            originator_id=self.id,
            originator_version=self.version + 1,
            timestamp=event_class.create_timestamp(),
            **values,
        )
        fact.mutate(self)
        self.pending_events.append(fact)

    class Event(LibraryAggregate.Event):
        """A fact of this stream."""

        TOPIC: ClassVar[str] = "aggregate.event"


class AggregateCreated(LibraryCreated):
    """The first event of a stream."""

    TOPIC: ClassVar[str] = "aggregate.created"

    def mutate(self, _: Any) -> Any:
        """Return the aggregate that the event begins: its `__init__` takes `id` and what the event holds."""
        made = object.__new__(resolve_topic(self.originator_topic))
        made.__base_init__(self.originator_id, self.originator_version, self.timestamp)
        values = {name: value for name, value in vars(self).items() if name not in _BEGINNING}
        made.__init__(id=self.originator_id, **values)
        self.apply(made)
        return made


_BEGINNING = frozenset(field.name for field in fields(LibraryCreated))
"""What the event that begins a stream has for the library."""
