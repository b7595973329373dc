"""Streams that stand beside a receipt and learn its outcome in the same commit: what a sale or a return left to give back.

All of them live on the shard of the register that issues the receipt.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from domain.aggregate import Aggregate
from domain.documents.receipt import Receipt, ReceiptKind
from domain.errors import NotFound
from domain.identifiers import return_stream_id, shard_of, sold_receipt_id
from domain.ledger.base import LedgerBase
from domain.ports import LedgerStore
from domain.register.aggregate import Register
from domain.register.events import DocumentRegistered
from domain.register.state import Outstanding
from domain.return_outcome import Return, ReturnState
from domain.returns import SoldReceipt

AnyAggregate = TypeVar("AnyAggregate", bound=Aggregate)

FOLLOWING = frozenset({ReceiptKind.RETURN, ReceiptKind.STORNO})
"""Kinds of receipts that follow another one."""

_WITH_OUTCOME = frozenset({ReceiptKind.RETURN, ReceiptKind.SALE})
"""Kinds that may have a `Return` stream: of sales the later payments."""


class Beside:
    """Streams of one shard that are held, each once, until they are committed with their register."""

    def __init__(self, store: LedgerStore, held: ExitStack, *, shard: int) -> None:
        self._store = store
        self._held = held
        self._shard = shard
        self._streams: dict[UUID, Aggregate] = {}

    @property
    def changed(self) -> tuple[Aggregate, ...]:
        """The streams that have something to commit."""
        return tuple(stream for stream in self._streams.values() if stream.pending_events)

    def add(self, stream: Aggregate) -> None:
        """Let a stream that begins here be committed too."""
        self._streams[stream.id] = stream

    def sold(self, receipt_id: UUID) -> SoldReceipt | None:
        """Return what may come back of a sale; None when no such sale is known here."""
        return self._find(SoldReceipt, sold_receipt_id(receipt_id))

    def returned(self, receipt_id: UUID) -> Return | None:
        """Return what became of a return; None when it was not issued here."""
        return self._find(Return, return_stream_id(receipt_id))

    def _find(self, stream_class: type[AnyAggregate], stream_id: UUID) -> AnyAggregate | None:
        known = self._streams.get(stream_id)
        if known is None:
            holding = self._store.hold(stream_class, stream_id, shard=self._shard)
            try:
                known = self._streams[stream_id] = self._held.enter_context(holding)
            except NotFound:
                return None
        assert isinstance(known, stream_class)
        return known


class Counterparts(LedgerBase):
    """Moves the streams beside a receipt."""

    @contextmanager
    def _held(self, register_id: UUID) -> Iterator[tuple[Register, Beside]]:
        """Hold a register, and what stands beside its receipts as far as it is asked for. Raises: NotFound."""
        shard = shard_of(register_id)
        with ExitStack() as held:
            register = held.enter_context(self.store.hold(Register, register_id, shard=shard))
            yield register, Beside(self.store, held, shard=shard)

    @staticmethod
    def _tell_void(beside: Beside, receipt: Receipt, *, at: datetime) -> None:
        """Record that a receipt was given up."""
        if receipt.kind is ReceiptKind.SALE:
            sold = beside.sold(receipt.receipt_id)
            assert sold is not None, "a sale is issued together with what may come back of it"
            sold.annul(at=at)
        if follows(receipt):
            given_up = beside.returned(receipt.receipt_id)
            assert given_up is not None, "what follows a receipt is issued together with its stream"
            given_up.record(ReturnState.VOIDED)

    def _tell_registered(
        self, register: Register, beside: Beside, before: Outstanding | None
    ) -> None:
        """Record that what was on its way `before` is registered, if it follows another receipt and now is."""
        receipt = None if before is None else before.item.receipt
        if receipt is None or not follows(receipt):
            return
        if any(
            isinstance(fact, DocumentRegistered) and fact.subject_id == receipt.receipt_id
            for fact in register.pending_events
        ):
            self._tell_outcome(beside, receipt)

    @staticmethod
    def _tell_outcome(beside: Beside, receipt: Receipt) -> None:
        """Record that a return or a later payment is registered, or that a registered storno took one of them back.

        What was made elsewhere has no stream of ours; its storno gives nothing back here.
        """
        if not follows(receipt):
            return
        own = beside.returned(receipt.receipt_id)
        if own is not None:
            own.record(ReturnState.REGISTERED)
        original = receipt.original
        if receipt.kind is not ReceiptKind.STORNO or original is None:
            return
        if original.kind in _WITH_OUTCOME and original.receipt_id is not None:
            reversed_one = beside.returned(original.receipt_id)
            if reversed_one is not None:
                reversed_one.record(ReturnState.STORNOED)


def follows(receipt: Receipt) -> bool:
    """Return whether a receipt follows another one, and so has a `Return` stream: a return, storno or later payment."""
    return receipt.kind in FOLLOWING or receipt.pays_on


def takes(receipt: Receipt) -> bool:
    """Return whether a receipt takes from a sale: a return does, and the storno of a sale."""
    original = receipt.original
    return receipt.kind is ReceiptKind.RETURN or (
        receipt.kind is ReceiptKind.STORNO
        and original is not None
        and original.kind is ReceiptKind.SALE
    )
