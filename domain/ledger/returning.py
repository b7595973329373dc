"""Giving goods back on any register of the seller.

A return is reserved on the sale's shard, issued on the selling register's, and settled (settling.py) on the sale's again;
each step is one commit on one shard and may be repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.clock import fiscal_day
from domain.documents.receipt import Original, Receipt, ReceiptKind
from domain.errors import ReceiptNotReturnable, ReturnLapsed
from domain.identifiers import shard_of
from domain.ledger.base import Issued
from domain.ledger.selling import Selling
from domain.ledger.settling import RegisteredSale, Settling, begun
from domain.ports import CommandKey
from domain.readings import Readings
from domain.refund import ReturnRequest, price_return
from domain.register.aggregate import Register
from domain.register.state import Shift, Waiting
from domain.sold_lines import TakenLine


class Returning(Selling, Settling):
    """Use case of a till that gives money back."""

    def give_back(
        self,
        *,
        register_id: UUID,
        sale: RegisteredSale,
        request: ReturnRequest,
        command: CommandKey | None = None,
    ) -> Issued:
        """Issue a return of a sale of this or another register of the same company.

        Everything is decided once on a trial before the sale is touched, so that an ordinary refusal reserves nothing.

        Raises: NotFound, NoOpenShift, ShiftClosing, LaneParked, TooManyWaiting, ReceiptNotReturnable, NothingLeft,
        LaterPaymentsStand, ReturnExceedsSale, ReturnLapsed, InvalidField, PaymentsDiffer.
        """
        return_id = self._identity_of_return(command)

        def decide() -> Issued:
            register = self.store.read(Register, register_id, shard=shard_of(register_id))
            original = self._original(register, sale)
            shift = register.selling_shift()
            if shift.testing is not sale.testing:
                raise _mixed(sale)
            sold = self._sold_receipt_of(sale)
            wanted = request.lines
            if return_id not in sold.taken and return_id not in sold.released:
                trial = _priced_return(
                    request,
                    sale,
                    sold.part(wanted),
                    original,
                    shift,
                    return_id,
                    self.clock.now(),
                    self.readings,
                )
                self._check_size(register, shift=shift, item=Waiting.of(trial))
            lines = self._reserve_part(
                sale,
                lambda sold: sold.reserve(
                    return_id=return_id, register_id=register_id, wanted=wanted, at=self.clock.now()
                ),
            )
            return self._issue_return(
                register_id, sale, request, original, lines, return_id=return_id, command=command
            )

        return self._once_issued(register_id, command=command, decide=decide)

    def void(
        self,
        *,
        register_id: UUID,
        receipt_id: UUID,
        reason: str,
        command: CommandKey | None = None,
    ) -> Issued:
        """Give a refused receipt up; what a return had reserved is free at once. Raises: as `Selling.void`."""
        issued = super().void(
            register_id=register_id, receipt_id=receipt_id, reason=reason, command=command
        )
        self._settle_own(register_id, receipt_id)
        return issued

    # --- steps of a return -----------------------------------------------------------------------------------

    def _original(self, register: Register, sale: RegisteredSale) -> Original:
        """Return what the return's document names. Raises: ReceiptNotReturnable."""
        receipt = sale.receipt
        if receipt.kind is not ReceiptKind.SALE:
            raise ReceiptNotReturnable(
                receipt_id=receipt.receipt_id, reason=f"it is a {receipt.kind.value}, not a sale"
            )
        own = sale.register_id == register.id
        seller = self._seller(register, sale)
        if seller.company_id != register.company_id:
            raise ReceiptNotReturnable(
                receipt_id=receipt.receipt_id, reason="another company sold it"
            )
        if seller.live is not register.live:
            raise _mixed(sale)
        return Original(
            fiscal_number=sale.fiscal_number,
            register_fiscal_number=None if own else seller.fiscal_number,
            day=None if own else fiscal_day(sale.document_at),
            kind=ReceiptKind.SALE,
            receipt_id=receipt.receipt_id,
            register_id=sale.register_id,
        )

    def _issue_return(
        self,
        register_id: UUID,
        sale: RegisteredSale,
        request: ReturnRequest,
        original: Original,
        lines: Sequence[TakenLine],
        *,
        return_id: UUID,
        command: CommandKey | None,
    ) -> Issued:
        now = self.clock.now()
        with self.store.hold(Register, register_id, shard=shard_of(register_id)) as register:
            self._check_not_begun(register, return_id, lapsed=ReturnLapsed(return_id=return_id))
            shift = register.selling_shift()
            receipt = _priced_return(
                request, sale, lines, original, shift, return_id, now, self.readings
            )
            register.issue(receipt)
            opening = begun(register_id, receipt)
            return self._issued(
                register, receipt, opening, receipt_id=return_id, now=now, command=command
            )


def _mixed(sale: RegisteredSale) -> ReceiptNotReturnable:
    """Return the refusal of a test that gives back a fiscal sale, or the other way round (reference §3.9)."""
    return ReceiptNotReturnable(
        receipt_id=sale.receipt.receipt_id, reason="tests and fiscal receipts do not mix"
    )


def _priced_return(
    request: ReturnRequest,
    sale: RegisteredSale,
    lines: Sequence[TakenLine],
    original: Original,
    shift: Shift,
    return_id: UUID,
    now: datetime,
    readings: Readings,
) -> Receipt:
    return price_return(
        request,
        sale=sale.receipt,
        taken=lines,
        original=original,
        receipt_id=return_id,
        cash_step=shift.cash_step,
        issued_at=now,
        cashier_id=shift.cashier_id,
        cashier_name=shift.cashier_name,
        readings=readings,
    )
