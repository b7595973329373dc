"""What can still be given back of a receipt, whichever business unit asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.aggregate import Aggregate, AggregateCreated, event
from domain.documents.receipt import Receipt
from domain.money import Money, Quantity


@dataclass(frozen=True, slots=True)
class SoldLine:
    """Quantity of one line of the original and what was owed for it after discounts, in the lines' order."""

    quantity: Quantity
    cost: Money


class SoldReceipt(Aggregate):
    """One sale, from the side of what may come back. It lives on its register's shard from the sale on."""

    TOPIC: ClassVar[str] = "sold-receipt"

    register_id: UUID
    receipt_id: UUID
    lines: tuple[SoldLine, ...]
    total: Money
    void: bool

    class Event(Aggregate.Event):
        """A fact about what was given back."""

        TOPIC: ClassVar[str] = "sold-receipt.event"

    class Issued(Event, AggregateCreated):
        """The sale was issued; all of it may come back."""

        TOPIC: ClassVar[str] = "sold-receipt.issued"
        register_id: UUID
        receipt_id: UUID
        lines: tuple[SoldLine, ...]
        total: Money

    class Corrected(Event):
        """The receipt was refused and made again with other lines."""

        TOPIC: ClassVar[str] = "sold-receipt.corrected"
        lines: tuple[SoldLine, ...]
        total: Money

    class Voided(Event):
        """The receipt was refused and voided; nothing of it may come back."""

        TOPIC: ClassVar[str] = "sold-receipt.voided"
        at: datetime

    @event(Issued)
    def __init__(
        self,
        *,
        id: UUID,
        register_id: UUID,
        receipt_id: UUID,
        lines: tuple[SoldLine, ...],
        total: Money,
    ) -> None:
        self.register_id = register_id
        self.receipt_id = receipt_id
        self.lines = lines
        self.total = total
        self.void = False

    def correct(self, receipt: Receipt) -> None:
        """Take over the lines of the corrected receipt."""
        self._corrected(lines=sold_lines(receipt), total=receipt.total)

    def annul(self, *, at: datetime) -> None:
        """Nothing was sold after all."""
        self._voided(at=at)

    @event(Corrected)
    def _corrected(self, *, lines: tuple[SoldLine, ...], total: Money) -> None:
        self.lines = lines
        self.total = total

    @event(Voided)
    def _voided(self, *, at: datetime) -> None:
        self.void = True


def sold_lines(receipt: Receipt) -> tuple[SoldLine, ...]:
    """Return quantity and discounted cost of each line: no more than was owed for a line may come back."""
    return tuple(SoldLine(quantity=line.quantity, cost=line.discounted) for line in receipt.lines)
