"""Taking the register's last receipt back: always on the register that issued it, so reserved and issued in one commit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.documents.receipt import Original, Receipt, ReceiptKind
from domain.documents.text import encodable
from domain.errors import NotFound, StornoNotPossible
from domain.identifiers import return_stream_id, shard_of, sold_receipt_id
from domain.ledger.base import Issued
from domain.ledger.counterparts import Beside, takes
from domain.ledger.selling import Selling
from domain.ledger.settling import Settling, begun
from domain.ports import CommandKey
from domain.readings import Readings
from domain.register.aggregate import Register
from domain.register.state import LastReceipt, Shift
from domain.return_outcome import Return
from domain.returns import SoldReceipt


class Reversing(Selling, Settling):
    """Use case of a till that undoes its last receipt."""

    def storno(
        self,
        *,
        register_id: UUID,
        receipt_id: UUID,
        comment: str | None = None,
        command: CommandKey | None = None,
    ) -> Issued:
        """Take the register's last receipt back as a whole: a sale, a return, a service deposit or a service issue.

        What a till learns of an older receipt of the drawer is `NotFound`: the ledger keeps no stream of those.

        Raises: NotFound, NoOpenShift, ShiftClosing, LaneParked, TooManyWaiting, ReceiptNotRegistered,
        StornoNotPossible, NotEnoughCash, InvalidField.
        """
        text = None if comment is None else encodable(comment, field="comment")
        storno_id = self._identity_of_return(command)

        def decide() -> Issued:
            now = self.clock.now()
            # Another process may have registered the receipt a moment ago; what this one remembers would refuse it.
            self.store.refresh(Register, register_id, shard=shard_of(register_id))
            with self._held(register_id) as (register, beside):
                self._check_known(register, receipt_id)
                last = register.storno_target(receipt_id)
                shift = register.selling_shift()
                storno = _storno_of(
                    last,
                    register,
                    shift,
                    storno_id=storno_id,
                    comment=text,
                    now=now,
                    readings=self.readings,
                )
                register.issue(storno)
                if takes(storno):
                    _reserve_whole(beside, storno, at=now)
                beside.add(begun(register_id, storno))
                return self._issued(
                    register,
                    storno,
                    *beside.changed,
                    receipt_id=storno_id,
                    now=now,
                    command=command,
                )

        return self._once_issued(register_id, command=command, decide=decide)

    def _check_known(self, register: Register, receipt_id: UUID) -> None:
        """Tell a receipt that was never issued here from one that is too old. Raises: NotFound."""
        last = None if register.shift is None else register.shift.last_receipt
        if last is not None and last.receipt.receipt_id == receipt_id:
            return
        shard = shard_of(register.id)
        for look in (
            lambda: self.store.read(SoldReceipt, sold_receipt_id(receipt_id), shard=shard),
            lambda: self.store.read(Return, return_stream_id(receipt_id), shard=shard),
        ):
            try:
                known: SoldReceipt | Return = look()
            except NotFound:
                continue
            if known.register_id == register.id:
                return
        raise NotFound(what="receipt", id=str(receipt_id))


def _storno_of(
    last: LastReceipt,
    register: Register,
    shift: Shift,
    *,
    storno_id: UUID,
    comment: str | None,
    now: datetime,
    readings: Readings,
) -> Receipt:
    taken_back = last.receipt
    return Receipt(
        receipt_id=storno_id,
        kind=ReceiptKind.STORNO,
        lines=(),
        payments=taken_back.payments,
        taxes=(),
        unrounded=taken_back.unrounded,
        rounding=taken_back.rounding,
        total=taken_back.total,
        issued_at=now,
        cashier_id=shift.cashier_id,
        cashier_name=shift.cashier_name,
        comment=comment,
        original=Original(
            fiscal_number=last.fiscal_number,
            kind=taken_back.kind,
            receipt_id=taken_back.receipt_id,
            register_id=register.id,
            still_counted=readings.storno_keeps_count or None,
        ),
    )


def _reserve_whole(beside: Beside, storno: Receipt, *, at: datetime) -> None:
    """Keep all of a sale for its storno. Raises: StornoNotPossible."""
    original = storno.original
    assert original is not None
    assert original.receipt_id is not None
    assert original.register_id is not None
    sold = beside.sold(original.receipt_id)
    if sold is None or sold.taken:
        raise StornoNotPossible(
            receipt_id=original.receipt_id,
            reason="nothing is known of what came back"
            if sold is None
            else "a later payment was made on it"
            if sold.payments
            else "something of it was returned already",
        )
    sold.reserve(return_id=storno.receipt_id, register_id=original.register_id, wanted=None, at=at)
