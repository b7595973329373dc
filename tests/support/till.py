"""A small aggregate for tests and benchmarks of the engine: a till that counts what it sold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar
from uuid import UUID, uuid4

from domain.aggregate import Aggregate, AggregateCreated, event
from domain.identifiers import shard_of
from domain.money import ZERO, Money, Quantity
from domain.ports import (
    CommandKey,
    Commit,
    DocumentRef,
    LaneChange,
    RecordedCommand,
    StoredBytes,
    StoredKind,
)

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
MONTH = date(2026, 3, 1)


@dataclass(frozen=True, slots=True)
class Goods:
    """One line of what was sold."""

    name: str
    quantity: Quantity
    price: Money
    note: str | None = None


class Till(Aggregate):
    """Counts sales and money, by form of payment."""

    TOPIC: ClassVar[str] = "test-till"

    name: str
    sales: int
    total: Money
    by_form: dict[str, Money]
    last_sale_at: datetime | None

    class Event(Aggregate.Event):
        TOPIC: ClassVar[str] = "test-till.event"

    class Installed(Event, AggregateCreated):
        TOPIC: ClassVar[str] = "test-till.installed"
        name: str

    class Sold(Event):
        TOPIC: ClassVar[str] = "test-till.sold"
        form: str
        goods: tuple[Goods, ...]
        total: Money
        at: datetime

    class Renamed(Event):
        TOPIC: ClassVar[str] = "test-till.renamed"
        name: str

    class Noted(Event):
        TOPIC: ClassVar[str] = "test-till.noted"
        text: str

    @event(Installed)
    def __init__(self, *, id: UUID, name: str) -> None:
        self.name = name
        self.sales = 0
        self.total = ZERO
        self.by_form = {}
        self.last_sale_at = None

    def sell(
        self, *, amount: Money, form: str = "cash", at: datetime = NOON, lines: int = 1
    ) -> None:
        goods = tuple(
            Goods(f"Хліб пшеничний, {number} шт", Quantity(1000), amount) for number in range(lines)
        )
        self._sold(form=form, goods=goods, total=amount, at=at)

    @event(Sold)
    def _sold(self, *, form: str, goods: tuple[Goods, ...], total: Money, at: datetime) -> None:
        self.sales += 1
        self.total += total
        self.by_form[form] = self.by_form.get(form, ZERO) + total
        self.last_sale_at = at

    @event(Noted)
    def note(self, *, text: str) -> None:
        """Nothing of it is kept in the state."""

    @event(Renamed)
    def rename(self, *, name: str) -> None:
        self.name = name


def new_till(name: str = "Каса 1") -> Till:
    """Return a till with a random id, not yet stored."""
    return Till(id=uuid4(), name=name)


def commit_of(
    *tills: Till,
    documents: tuple[StoredBytes, ...] = (),
    command: RecordedCommand | None = None,
    lane: LaneChange | None = None,
) -> Commit:
    """Return a commit on the shard of the first till."""
    return Commit(
        shard=shard_of(tills[0].id),
        streams=tills,
        documents=documents,
        command=command,
        lane=lane,
    )


def command_named(key: str, *, body: bytes = b"body", **result: str | int) -> RecordedCommand:
    """Return a command of scope `test`."""
    return RecordedCommand(CommandKey(scope="test", key=key, body_hash=body), dict(result))


def document_of(
    till: Till,
    content: bytes,
    *,
    month: date = MONTH,
    kind: StoredKind = StoredKind.SIGNED,
    document_id: UUID | None = None,
) -> StoredBytes:
    """Return bytes of a till, with a random document id where none is given."""
    ref = DocumentRef(
        shard=shard_of(till.id), month=month, document_id=document_id or uuid4(), kind=kind
    )
    return StoredBytes(ref=ref, register_id=till.id, content=content)
