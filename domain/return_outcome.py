"""What became of a return; the first step of its two-sided story is told in returns.py."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.aggregate import Aggregate, AggregateCreated, event
from domain.documents.receipt import ReceiptKind


class ReturnState(StrEnum):
    """What became of a return; `GIVEN_BACK` is for a later payment that came back by a return of its own."""

    ISSUED = "issued"
    ABANDONED = "abandoned"
    REGISTERED = "registered"
    VOIDED = "voided"
    STORNOED = "stornoed"
    GIVEN_BACK = "given-back"


UNDONE = frozenset({ReturnState.STORNOED, ReturnState.GIVEN_BACK})
"""What was registered and stands no longer."""


class Return(Aggregate):
    """What became of one return or storno, on the shard of the register that issues it.

    The original is what it gives back of or takes back: a sale, or the return that a storno reverses. A further payment or
    final settlement has such a stream too: its original is the prepayment, and what it takes is what is owed.

    It begins in the commit that issues the return, or as abandoned when the return is given up before: of the two only
    the first to be committed stands.
    """

    TOPIC: ClassVar[str] = "return"

    register_id: UUID
    receipt_id: UUID
    original_register_id: UUID
    original_receipt_id: UUID
    original_kind: ReceiptKind
    state: ReturnState

    class Event(Aggregate.Event):
        """A fact about a return."""

        TOPIC: ClassVar[str] = "return.event"

    class Begun(Event, AggregateCreated):
        """The return was issued, or abandoned before it could be."""

        TOPIC: ClassVar[str] = "return.begun"
        register_id: UUID
        receipt_id: UUID
        original_register_id: UUID
        original_receipt_id: UUID
        original_kind: ReceiptKind
        state: ReturnState

    class OutcomeRecorded(Event):
        """The return was registered, voided after a refusal, or undone: by a storno, a payment also by a return."""

        TOPIC: ClassVar[str] = "return.outcome-recorded"
        receipt_id: UUID
        state: ReturnState

    @event(Begun)
    def __init__(
        self,
        *,
        id: UUID,
        register_id: UUID,
        receipt_id: UUID,
        original_register_id: UUID,
        original_receipt_id: UUID,
        original_kind: ReceiptKind,
        state: ReturnState,
    ) -> None:
        self.register_id = register_id
        self.receipt_id = receipt_id
        self.original_register_id = original_register_id
        self.original_receipt_id = original_receipt_id
        self.original_kind = original_kind
        self.state = state

    def record(self, state: ReturnState) -> None:
        """Record an outcome; the same one again changes nothing."""
        if state is not self.state:
            self._outcome_recorded(receipt_id=self.receipt_id, state=state)

    @event(OutcomeRecorded)
    def _outcome_recorded(self, *, receipt_id: UUID, state: ReturnState) -> None:
        self.state = state
