"""What tills ask of the drawer: service deposit, service issue, cash withdrawal at the till to a card."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.documents.receipt import Receipt
from domain.drawer import KINDS, CashRequest, cash_receipt
from domain.errors import NoOpenShift
from domain.identifiers import shard_of
from domain.ledger.base import Issued
from domain.ledger.selling import Selling
from domain.ports import CommandKey
from domain.register.aggregate import Register
from domain.register.state import Shift


class CashDrawer(Selling):
    """Use cases of a drawer; its receipts go the way of all receipts of the register."""

    def move_cash(
        self, *, register_id: UUID, request: CashRequest, command: CommandKey | None = None
    ) -> Issued:
        """Put cash in, take it out or give it to a card holder, in the open shift.

        Raises: NotFound, NoOpenShift, ShiftClosing, LaneParked, TooManyWaiting, InvalidField, WithdrawalOutsideLimits,
        NotEnoughCash.
        """
        shard = shard_of(register_id)

        def decide() -> Issued:
            now = self.clock.now()
            with self.store.hold(Register, register_id, shard=shard) as register:
                shift = register.selling_shift()
                receipt = _receipt(
                    request, register=register, shift=shift, receipt_id=self.new_id(), now=now
                )
                register.issue(receipt)
                return self._issued(register, receipt, receipt.receipt_id, now=now, command=command)

        return self._once_issued(register_id, command=command, decide=decide)

    def correct_cash(
        self,
        *,
        register_id: UUID,
        receipt_id: UUID,
        request: CashRequest,
        command: CommandKey | None = None,
    ) -> Issued:
        """Make a refused receipt of the drawer again under its id, as the kind it was.

        Raises: NotFound, ReceiptNotRefused, ReceiptKindDiffers, NoOpenShift, InvalidField, WithdrawalOutsideLimits,
        NotEnoughCash.
        """
        shard = shard_of(register_id)

        def decide() -> Issued:
            now = self.clock.now()
            with self.store.hold(Register, register_id, shard=shard) as register:
                register.refused_receipt(receipt_id, kind=KINDS[type(request)])
                shift = register.shift
                if shift is None:
                    raise NoOpenShift
                receipt = _receipt(
                    request, register=register, shift=shift, receipt_id=receipt_id, now=now
                )
                register.correct(receipt)
                return self._issued(register, receipt, receipt_id, now=now, command=command)

        return self._once_issued(register_id, command=command, decide=decide)


def _receipt(
    request: CashRequest, *, register: Register, shift: Shift, receipt_id: UUID, now: datetime
) -> Receipt:
    return cash_receipt(
        request,
        settings=register.settings.of_drawer,
        receipt_id=receipt_id,
        issued_at=now,
        cashier_id=shift.cashier_id,
        cashier_name=shift.cashier_name,
    )
