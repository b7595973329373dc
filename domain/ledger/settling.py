"""What became of returns and later payments, told to the receipt they take from; safe to repeat, at any time, by anybody."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.aggregate import Aggregate
from domain.documents.receipt import Receipt, ReceiptKind
from domain.errors import Conflict, FiscalError, IntegrityFault, NotFound
from domain.identifiers import id_made_by, return_stream_id, shard_of, sold_receipt_id
from domain.ledger.base import LedgerBase
from domain.part_payment import paid_of_lines
from domain.ports import CommandKey, Commit
from domain.register.aggregate import Register
from domain.return_outcome import UNDONE, Return, ReturnState
from domain.returns import SoldReceipt
from domain.sold_lines import TakenLine, sold_lines

LAPSES_AFTER = timedelta(minutes=2)
"""How long a reservation may stand without its return: longer than any command runs, short enough for a queue of buyers."""


@dataclass(frozen=True, slots=True)
class RegisteredSale:
    """A sale that the tax service has, as the journal shows it: what a return names and copies.

    `testing`: it is a test and no fiscal receipt.

    The journal may be trusted with it, because a registered sale never changes; what is left of it is the ledger's.
    """

    register_id: UUID
    receipt: Receipt
    fiscal_number: str
    document_at: datetime
    testing: bool


@dataclass(frozen=True, slots=True)
class OpenReturn:
    """A return or payment whose reservation is neither confirmed nor released, by the ids of its sides."""

    return_id: UUID
    register_id: UUID
    sold_register_id: UUID
    sold_receipt_id: UUID
    reserved_at: datetime


class Settling(LedgerBase):
    """Use cases of whoever settles returns."""

    def settle_return(self, pending: OpenReturn) -> bool:
        """Confirm or release a reservation by what became of its return or payment; return whether that is decided.

        What was not issued in time is abandoned first. Where a later payment of a chain came back by a return, its own
        outcome says so from the same commit on: settled in its turn, it makes the amount owed again.

        Raises: NotFound, Conflict, StoreUnavailable.
        """
        now = self.clock.now()
        state = self._again_after_conflict(lambda: self._state_of(pending, now=now))
        if state in (None, ReturnState.ISSUED):
            return False
        shard = shard_of(pending.sold_register_id)
        stream_id = sold_receipt_id(pending.sold_receipt_id)

        def decide() -> None:
            registered = state is ReturnState.REGISTERED
            with ExitStack() as held:
                payment = self._payment(stream_id, held, shard=shard) if registered else None
                sold = held.enter_context(self.store.hold(SoldReceipt, stream_id, shard=shard))
                if registered:
                    sold.confirm(pending.return_id, at=now)
                    _record_given_back(payment)
                else:
                    sold.release(pending.return_id, at=now)
                self._commit_changed(shard, sold, payment)

        self._again_after_conflict(decide)
        return True

    def count_adopted_return(
        self, *, register_id: UUID, returned: Receipt, sale: RegisteredSale
    ) -> None:
        """Count on the sale what a return that was made elsewhere gave back; a second time changes nothing.

        Its lines are found among the sale's by code, name and price. Raises: NotFound, IntegrityFault.
        """
        self._sold_receipt_of(sale)
        shard = shard_of(sale.register_id)
        stream_id = sold_receipt_id(sale.receipt.receipt_id)

        def decide() -> None:
            with ExitStack() as held:
                payment = self._payment(stream_id, held, shard=shard)
                sold = held.enter_context(self.store.hold(SoldReceipt, stream_id, shard=shard))
                sold.count(
                    return_id=returned.receipt_id,
                    register_id=register_id,
                    lines=matching_lines(returned, sale.receipt, sold),
                    at=self.clock.now(),
                )
                _record_given_back(payment)
                self._commit_changed(shard, sold, payment)

        self._again_after_conflict(decide)

    def count_adopted_payment(
        self, *, register_id: UUID, payment: Receipt, prepayment: RegisteredSale
    ) -> None:
        """Count on the prepayment a later payment that was made elsewhere; a second time changes nothing.

        It gets an outcome of its own first, as one of ours has, so that its return or storno makes the amount owed again.

        Raises: NotFound, IntegrityFault.
        """
        self._sold_receipt_of(prepayment)
        shard = shard_of(prepayment.register_id)
        stream_id = sold_receipt_id(prepayment.receipt.receipt_id)
        assert payment.part is not None
        kind, paid = payment.part.kind, paid_of_lines(payment)
        state = self._again_after_conflict(
            lambda: self._outcome_of_adopted(register_id, payment, prepayment)
        )

        def decide() -> None:
            now = self.clock.now()
            with self.store.hold(SoldReceipt, stream_id, shard=shard) as sold:
                sold.count_payment(
                    payment_id=payment.receipt_id,
                    register_id=register_id,
                    kind=kind,
                    paid=paid,
                    at=now,
                )
                if state in UNDONE:
                    sold.release(payment.receipt_id, at=now)
                self._commit_changed(shard, sold)

        self._again_after_conflict(decide)

    def _outcome_of_adopted(
        self, register_id: UUID, payment: Receipt, prepayment: RegisteredSale
    ) -> ReturnState:
        """Return the outcome of a payment made elsewhere, which begins here: registered, unless it came back before."""
        shard = shard_of(register_id)
        outcome_id = return_stream_id(payment.receipt_id)
        try:
            return self.store.refresh(Return, outcome_id, shard=shard).state
        except NotFound:
            own = self.store.refresh(SoldReceipt, sold_receipt_id(payment.receipt_id), shard=shard)
        came_back = any(taken.confirmed for taken in own.taken.values())
        outcome = Return(
            id=outcome_id,
            register_id=register_id,
            receipt_id=payment.receipt_id,
            original_register_id=prepayment.register_id,
            original_receipt_id=prepayment.receipt.receipt_id,
            original_kind=ReceiptKind.SALE,
            state=ReturnState.GIVEN_BACK if came_back else ReturnState.REGISTERED,
        )
        self.store.commit(Commit(shard=shard, streams=(outcome,)))
        return outcome.state

    # --- steps of what takes its part ------------------------------------------------------------------------

    def _seller(self, register: Register, sale: RegisteredSale) -> Register:
        """Return the register that sold, where it is another one as well. Raises: NotFound."""
        if sale.register_id == register.id:
            return register
        return self.store.read(Register, sale.register_id, shard=shard_of(sale.register_id))

    def _reserve_part(
        self, sale: RegisteredSale, reserve: Callable[[SoldReceipt], tuple[TakenLine, ...]]
    ) -> tuple[TakenLine, ...]:
        """Reserve on a receipt's shard, in one commit."""
        shard = shard_of(sale.register_id)
        stream_id = sold_receipt_id(sale.receipt.receipt_id)

        def decide() -> tuple[TakenLine, ...]:
            with self.store.hold(SoldReceipt, stream_id, shard=shard) as sold:
                lines = reserve(sold)
                self._commit_changed(shard, sold)
                return lines

        return self._again_after_conflict(decide)

    def _check_not_begun(
        self, register: Register, receipt_id: UUID, *, lapsed: FiscalError
    ) -> None:
        """Refuse to issue what was abandoned. Raises: `lapsed`, Conflict."""
        try:
            known = self.store.read(
                Return, return_stream_id(receipt_id), shard=shard_of(register.id)
            )
        except NotFound:
            return
        if known.state is ReturnState.ABANDONED:
            raise lapsed
        # Issued by the same command at the same moment: its answer is found by the command's key.
        raise Conflict

    def _payment(self, stream_id: UUID, held: ExitStack, *, shard: int) -> Return | None:
        """Hold the outcome of a later payment of a chain, which lives on the shard of its `SoldReceipt`.

        None for every other sale. It is held before the `SoldReceipt`, as lanes do that take over documents.
        """
        sold = self.store.read(SoldReceipt, stream_id, shard=shard)
        if not sold.in_part or sold.payments:
            return None
        try:
            return held.enter_context(
                self.store.hold(Return, return_stream_id(sold.receipt_id), shard=shard)
            )
        except NotFound:
            # A prepayment follows nothing; a payment made elsewhere has no outcome before it is counted.
            return None

    def _commit_changed(self, shard: int, *streams: Aggregate | None) -> None:
        """Commit the streams that have something to commit."""
        changed = tuple(each for each in streams if each is not None and each.pending_events)
        if changed:
            self.store.commit(Commit(shard=shard, streams=changed))

    def _settle_own(self, register_id: UUID, receipt_id: UUID) -> None:
        """Settle a return or payment of a register now instead of with the next sweep; others have nothing to settle."""
        try:
            known = self.store.read(
                Return, return_stream_id(receipt_id), shard=shard_of(register_id)
            )
        except NotFound:
            return
        if known.original_kind is not ReceiptKind.SALE:
            return
        self.settle_return(
            OpenReturn(
                return_id=receipt_id,
                register_id=register_id,
                sold_register_id=known.original_register_id,
                sold_receipt_id=known.original_receipt_id,
                reserved_at=self.clock.now(),
            )
        )

    def _sold_receipt_of(self, sale: RegisteredSale) -> SoldReceipt:
        """Return what is left of a sale, to look at. Raises: NotFound, IntegrityFault."""
        receipt_id = sale.receipt.receipt_id
        try:
            # As the log has it: what another process released or took would be refused, or promised, wrongly.
            sold = self.store.refresh(
                SoldReceipt, sold_receipt_id(receipt_id), shard=shard_of(sale.register_id)
            )
        except NotFound:
            raise NotFound(what="receipt", id=str(receipt_id)) from None
        if not sold.void and sold.lines != sold_lines(sale.receipt):
            raise IntegrityFault(
                place=f"receipt {receipt_id}", what="the journal shows other lines than were sold"
            )
        return sold

    def _state_of(self, pending: OpenReturn, *, now: datetime) -> ReturnState | None:
        """Return how far a return is; None for one that may still be issued. A late one is abandoned."""
        shard = shard_of(pending.register_id)
        try:
            return self.store.refresh(
                Return, return_stream_id(pending.return_id), shard=shard
            ).state
        except NotFound:
            if now - pending.reserved_at < LAPSES_AFTER:
                return None
        abandoned = Return(
            id=return_stream_id(pending.return_id),
            register_id=pending.register_id,
            receipt_id=pending.return_id,
            original_register_id=pending.sold_register_id,
            original_receipt_id=pending.sold_receipt_id,
            original_kind=ReceiptKind.SALE,
            state=ReturnState.ABANDONED,
        )
        # Where the return is issued at this moment, one of the two commits is refused.
        self.store.commit(Commit(shard=shard, streams=(abandoned,)))
        return ReturnState.ABANDONED

    def _identity_of_return(self, command: CommandKey | None) -> UUID:
        """Return the receipt's id; a command's own, so that its repetition finds what it reserved."""
        if command is None:
            return self.new_id()
        return id_made_by(scope=command.scope, key=command.key)


def _record_given_back(payment: Return | None) -> None:
    """Record that a later payment came back, unless it is settled otherwise already."""
    if payment is not None and payment.state is ReturnState.REGISTERED:
        payment.record(ReturnState.GIVEN_BACK)


def begun(register_id: UUID, receipt: Receipt) -> Return:
    """Return the stream that begins with a return, a storno or a later payment when it is issued."""
    original, part = receipt.original, receipt.part
    if receipt.pays_on:
        assert part is not None
        kind: ReceiptKind | None = ReceiptKind.SALE
        its_register, its_id = part.prepayment_register_id, part.prepayment_receipt_id
    else:
        assert original is not None
        kind, its_register, its_id = original.kind, original.register_id, original.receipt_id
    assert its_id is not None
    assert its_register is not None
    assert kind is not None
    return Return(
        id=return_stream_id(receipt.receipt_id),
        register_id=register_id,
        receipt_id=receipt.receipt_id,
        original_register_id=its_register,
        original_receipt_id=its_id,
        original_kind=kind,
        state=ReturnState.ISSUED,
    )


def matching_lines(returned: Receipt, sale: Receipt, sold: SoldReceipt) -> tuple[TakenLine, ...]:
    """Return which lines of a sale a return made elsewhere took, as far as they can be told and are left."""
    left = list(sold.left())
    taken: list[TakenLine] = []
    for line in returned.lines:
        rest = line.quantity
        for position, candidate in enumerate(sale.lines):
            same = (candidate.code, candidate.price) == (line.code, line.price) and (
                candidate.fiscal_name or candidate.name
            ) == line.name
            quantity = min(rest, left[position].quantity)
            if not same or not quantity.thousandths:
                continue
            all_of_it = quantity == left[position].quantity
            share = left[position].cost.share(
                numerator=quantity.thousandths, denominator=left[position].quantity.thousandths
            )
            cost = left[position].cost if all_of_it else share
            taken.append(TakenLine(number=position + 1, quantity=quantity, cost=cost))
            left[position] = replace(
                left[position],
                quantity=left[position].quantity - quantity,
                cost=left[position].cost - cost,
            )
            rest -= quantity
    return tuple(taken)
