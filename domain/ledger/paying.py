"""Paying on a prepayment, on any register of the seller.

A payment is reserved on the prepayment's shard, issued on the paying register's, and settled (settling.py) on the
prepayment's again, as a return is on its sale's (returning.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.documents.receipt import PartPayment, PartPaymentKind, Receipt, ReceiptKind
from domain.errors import PaymentLapsed, ReceiptNotPayable
from domain.identifiers import shard_of
from domain.ledger.base import Issued
from domain.ledger.selling import Selling, sold_receipt
from domain.ledger.settling import RegisteredSale, Settling, begun
from domain.part_payment import LaterPaymentRequest, price_later_payment
from domain.ports import CommandKey
from domain.readings import Readings
from domain.register.aggregate import Register
from domain.register.state import Shift, Waiting
from domain.sold_lines import TakenLine


class PayingOn(Selling, Settling):
    """Use case of a till that takes what is owed on a prepayment."""

    def pay_on(
        self,
        *,
        register_id: UUID,
        prepayment: RegisteredSale,
        request: LaterPaymentRequest,
        command: CommandKey | None = None,
    ) -> Issued:
        """Issue a further payment, or the final settlement, on a prepayment taken by this company.

        Everything is decided once on a trial before the prepayment is touched, so that an ordinary refusal reserves
        nothing.

        Raises: NotFound, NoOpenShift, ShiftClosing, LaneParked, TooManyWaiting, ReceiptNotPayable, PaymentExceedsOwed,
        PaymentLapsed, InvalidField, PaymentsDiffer.
        """
        payment_id = self._identity_of_return(command)

        def decide() -> Issued:
            register = self.store.read(Register, register_id, shard=shard_of(register_id))
            part = self._part(register, prepayment, kind=request.kind)
            shift = register.selling_shift()
            if shift.testing is not prepayment.testing:
                raise _not_payable(prepayment, "tests and fiscal receipts do not mix")
            sold = self._sold_receipt_of(prepayment)
            if payment_id not in sold.taken and payment_id not in sold.released:
                trial = _priced(
                    request,
                    prepayment,
                    sold.payment(request.amount),
                    part,
                    shift,
                    payment_id,
                    self.clock.now(),
                    self.readings,
                )
                self._check_size(register, shift=shift, item=Waiting.of(trial))
            lines = self._reserve_part(
                prepayment,
                lambda sold: sold.reserve_payment(
                    payment_id=payment_id,
                    register_id=register_id,
                    amount=request.amount,
                    at=self.clock.now(),
                ),
            )
            return self._issue_payment(
                register_id,
                prepayment,
                request,
                lines,
                part,
                payment_id=payment_id,
                command=command,
            )

        return self._once_issued(register_id, command=command, decide=decide)

    # --- steps of a payment ----------------------------------------------------------------------------------

    def _part(
        self, register: Register, prepayment: RegisteredSale, *, kind: PartPaymentKind
    ) -> PartPayment:
        """Return what makes the payment a part of the chain. Raises: ReceiptNotPayable."""
        receipt, its_part = prepayment.receipt, prepayment.receipt.part
        if receipt.kind is not ReceiptKind.SALE or its_part is None:
            what = "sale" if receipt.kind is ReceiptKind.SALE else receipt.kind.value
            raise _not_payable(prepayment, f"it is a {what}, not a prepayment")
        if its_part.kind is not PartPaymentKind.PREPAYMENT:
            raise _not_payable(prepayment, "it is a later payment itself, not the prepayment")
        seller = self._seller(register, prepayment)
        if seller.company_id != register.company_id:
            raise _not_payable(prepayment, "another company took it")
        if seller.live is not register.live:
            raise _not_payable(prepayment, "tests and fiscal receipts do not mix")
        return PartPayment(
            kind=kind,
            full=its_part.full,
            prepayment_fiscal_number=prepayment.fiscal_number,
            prepayment_receipt_id=receipt.receipt_id,
            prepayment_register_id=prepayment.register_id,
        )

    def _issue_payment(
        self,
        register_id: UUID,
        prepayment: RegisteredSale,
        request: LaterPaymentRequest,
        lines: Sequence[TakenLine],
        part: PartPayment,
        *,
        payment_id: UUID,
        command: CommandKey | None,
    ) -> Issued:
        now = self.clock.now()
        with self.store.hold(Register, register_id, shard=shard_of(register_id)) as register:
            self._check_not_begun(register, payment_id, lapsed=PaymentLapsed(payment_id=payment_id))
            shift = register.selling_shift()
            receipt = _priced(
                request, prepayment, lines, part, shift, payment_id, now, self.readings
            )
            register.issue(receipt)
            return self._issued(
                register,
                receipt,
                sold_receipt(register_id, receipt),
                begun(register_id, receipt),
                receipt_id=payment_id,
                now=now,
                command=command,
            )


def _not_payable(prepayment: RegisteredSale, reason: str) -> ReceiptNotPayable:
    return ReceiptNotPayable(receipt_id=prepayment.receipt.receipt_id, reason=reason)


def _priced(
    request: LaterPaymentRequest,
    prepayment: RegisteredSale,
    lines: Sequence[TakenLine],
    part: PartPayment,
    shift: Shift,
    payment_id: UUID,
    now: datetime,
    readings: Readings,
) -> Receipt:
    return price_later_payment(
        request,
        prepayment=prepayment.receipt,
        part=part,
        taken=[line.cost for line in lines],
        receipt_id=payment_id,
        cash_step=shift.cash_step,
        issued_at=now,
        cashier_id=shift.cashier_id,
        cashier_name=shift.cashier_name,
        readings=readings,
    )
