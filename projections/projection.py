"""What every projection of ours has: its topics, its tables, and the schema it writes to.

The live tables stand in the schema `projections`. A rebuild runs the same projection over another schema and another
tracking row, beside the live one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from infra.event_store.feed import FeedEvent
from infra.event_store.projector import Projector
from infra.postgres import Connection
from projections.view import SCHEMA


class Projection(Projector):
    """One projection over the tables of one schema.

    `TABLES` names its tables, each with the condition of rows that mean something: a sum that came back to zero may
    be there or not, depending on how the log fell into pages.
    """

    TOPICS: ClassVar[frozenset[str]]
    TABLES: ClassVar[dict[str, str]]

    def __init__(self, *, schema: str = SCHEMA) -> None:
        self.schema = schema

    @property
    def tracked_as(self) -> str:
        """Return the name under which the place reached is kept; a rebuild has its own."""
        return self.NAME if self.schema == SCHEMA else f"{self.NAME} in {self.schema}"

    def apply(self, page: Sequence[FeedEvent], connection: Connection) -> None:
        """Write what these events mean; topics that mean nothing here are not even decoded."""
        ours = [stored for stored in page if stored.topic in self.TOPICS]
        if ours:
            self.write(connection, ours)

    def stand_still(self, connection: Connection) -> None:
        """Keep the projection from moving, whoever runs it, until the transaction ends."""
        self._place(connection)

    @abstractmethod
    def write(self, connection: Connection, page: Sequence[FeedEvent]) -> None:
        """Write what events of our topics mean."""
