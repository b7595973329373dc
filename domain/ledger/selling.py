"""What tills ask: open a shift, sell, correct or void what was refused, X-report, close."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.aggregate import Aggregate
from domain.cashier import Cashier
from domain.clock import fiscal_day
from domain.company import BusinessUnit, Company
from domain.documents.receipt import Receipt, ReceiptKind
from domain.documents.shift import Seller, ShiftTotals
from domain.errors import (
    CashierMayNotSell,
    InvalidField,
    KeyNotForLiveRegister,
    NoOpenShift,
    ReceiptKindDiffers,
)
from domain.identifiers import shard_of, sold_receipt_id
from domain.ledger.base import Issued, ShiftChange
from domain.ledger.counterparts import Counterparts
from domain.money import LARGEST_AMOUNT, ZERO, Money
from domain.part_payment import PrepaymentRequest, price_prepayment
from domain.ports import CommandKey, KeyKind, LaneChange, LogPosition
from domain.register.aggregate import Register
from domain.register.state import Parked, Shift, Waiting
from domain.returns import SoldReceipt
from domain.sale import SaleRequest, price_sale
from domain.sold_lines import sold_lines


@dataclass(frozen=True, slots=True)
class XReport:
    """The open shift so far: `issued` counts what is on its way, `registered` only what the service has.

    `cash_in_drawer` is the register's figure: what was in the drawer before the shift is in it.
    """

    register_id: UUID
    shift_id: UUID
    number: int
    testing: bool
    cashier_name: str | None
    opened_at: datetime
    closing: bool
    issued: ShiftTotals
    registered: ShiftTotals
    waiting: int
    refused: int
    parked: Parked | None
    cash_in_drawer: Money
    made_at: datetime


class Selling(Counterparts):
    """Use cases of a till."""

    def open_shift(
        self,
        *,
        register_id: UUID,
        cashier_id: UUID,
        testing: bool | None = None,
        command: CommandKey | None = None,
    ) -> ShiftChange:
        """Open a shift; its document 100 is registered before any receipt of it.

        `testing`: whether it is a test shift; None: as the register is set.

        Raises: NotFound, ShiftAlreadyOpen, CashierMayNotSell, KeyNotForLiveRegister, LaneParked, KeyUnknown,
        SignerUnavailable.
        """
        shard = shard_of(register_id)

        def decide() -> ShiftChange:
            with self.store.hold(Register, register_id, shard=shard) as register:
                shift = self._open(register, cashier_id=cashier_id, testing=testing)
                position = self._save(
                    register,
                    command=self._recorded(
                        command, shift_id=str(shift.shift_id), number=shift.number
                    ),
                    lane=self._due(register, self.clock.now()),
                )
                return ShiftChange(shift.shift_id, register_id, shift.number, position)

        return self._once(
            shard=shard,
            command=command,
            decide=decide,
            repeat=lambda result: _shift_change(register_id, result),
        )

    def sell(
        self,
        *,
        register_id: UUID,
        request: SaleRequest,
        cashier_id: UUID | None = None,
        command: CommandKey | None = None,
    ) -> Issued:
        """Issue a sale; sign it in the same commit when it is its turn, else it waits unsigned.

        A register set to open with the first sale opens a shift with `cashier_id`'s key.

        Raises: NotFound, NoOpenShift, ShiftClosing, LaneParked, TooManyWaiting, CashierMayNotSell, and all of
        `price_sale`.
        """

        def priced(shift: Shift, receipt_id: UUID, now: datetime) -> Receipt:
            return self._priced(request, shift=shift, receipt_id=receipt_id, now=now)

        return self._sell(
            register_id=register_id, priced=priced, cashier_id=cashier_id, command=command
        )

    def prepay(
        self,
        *,
        register_id: UUID,
        request: PrepaymentRequest,
        cashier_id: UUID | None = None,
        command: CommandKey | None = None,
    ) -> Issued:
        """Issue a prepayment: a sale of all the goods that takes a part of their price. Otherwise as `sell`.

        Raises: as `sell`, PaymentExceedsOwed.
        """

        def priced(shift: Shift, receipt_id: UUID, now: datetime) -> Receipt:
            return price_prepayment(
                request,
                receipt_id=receipt_id,
                tax_groups=shift.tax_groups,
                cash_step=shift.cash_step,
                issued_at=now,
                cashier_id=shift.cashier_id,
                cashier_name=shift.cashier_name,
                readings=self.readings,
            )

        return self._sell(
            register_id=register_id, priced=priced, cashier_id=cashier_id, command=command
        )

    def _sell(
        self,
        *,
        register_id: UUID,
        priced: Callable[[Shift, UUID, datetime], Receipt],
        cashier_id: UUID | None,
        command: CommandKey | None,
    ) -> Issued:
        shard = shard_of(register_id)

        def decide() -> Issued:
            now = self.clock.now()
            with self.store.hold(Register, register_id, shard=shard) as register:
                if register.shift is None and register.settings.opens_with_first_sale:
                    if cashier_id is None:
                        raise InvalidField(field="cashier_id", expected="given to open the shift")
                    self._open(register, cashier_id=cashier_id)
                shift = register.selling_shift()
                receipt = priced(shift, self.new_id(), now)
                self._check_size(register, shift=shift, item=Waiting.of(receipt))
                register.issue(receipt)
                return self._issued(
                    register,
                    receipt,
                    sold_receipt(register_id, receipt),
                    receipt_id=receipt.receipt_id,
                    now=now,
                    command=command,
                )

        return self._once_issued(register_id, command=command, decide=decide)

    def correct(
        self,
        *,
        register_id: UUID,
        receipt_id: UUID,
        request: SaleRequest,
        command: CommandKey | None = None,
    ) -> Issued:
        """Make a refused sale again under its id; a part payment is voided and taken anew instead.

        Raises: NotFound, ReceiptNotRefused, ReceiptKindDiffers, as `sell`.
        """

        def decide() -> Issued:
            now = self.clock.now()
            with self._held(register_id) as (register, beside):
                refused = register.refused_receipt(receipt_id, kind=ReceiptKind.SALE)
                if refused.part is not None:
                    # Its amount may be reserved on the prepayment, and who pays on it counts on its goods.
                    kind = f"part payment ({refused.part.kind.value})"
                    raise ReceiptKindDiffers(receipt_id=receipt_id, kind=kind)
                shift = register.shift
                if shift is None:
                    raise NoOpenShift
                receipt = self._priced(request, shift=shift, receipt_id=receipt_id, now=now)
                self._check_size(register, shift=shift, item=Waiting.of(receipt))
                register.correct(receipt)
                sold = beside.sold(receipt_id)
                assert sold is not None, "a sale is issued together with what may come back of it"
                sold.correct(receipt)
                return self._issued(
                    register, receipt, sold, receipt_id=receipt_id, now=now, command=command
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
        """Give a refused receipt up, with a reason. Raises: NotFound, ReceiptNotRefused, InvalidField."""
        if not reason.strip() or len(reason) > 256:
            raise InvalidField(field="reason", expected="1 to 256 characters")

        def decide() -> Issued:
            now = self.clock.now()
            with self._held(register_id) as (register, beside):
                receipt = register.refused_receipt(receipt_id)
                register.void(receipt_id, reason=reason, at=now)
                self._tell_void(beside, receipt, at=now)
                return self._issued(
                    register, None, *beside.changed, receipt_id=receipt_id, now=now, command=command
                )

        return self._once_issued(register_id, command=command, decide=decide)

    def close_shift(
        self,
        *,
        register_id: UUID,
        shift_id: UUID | None = None,
        counted: Money | None = None,
        command: CommandKey | None = None,
    ) -> ShiftChange:
        """Begin the staged closing: what waits, the issue of the drawer's cash (setting), the Z-report, document 101.

        `shift_id`: only if this shift is the open one; who saw it open may be late. `counted` is the cash found in the
        drawer; its difference from the books is recorded, and the books follow.

        Raises: NotFound, NoOpenShift, ShiftClosing, RefusedReceiptsRemain, InvalidField.
        """
        shard = shard_of(register_id)
        if counted is not None and not ZERO <= counted <= LARGEST_AMOUNT:
            raise InvalidField(
                field="counted_kopecks", expected=f"between 0 and {LARGEST_AMOUNT.kopecks}"
            )

        def decide() -> ShiftChange:
            now = self.clock.now()
            with self.store.hold(Register, register_id, shard=shard) as register:
                if shift_id is not None and not register.has_open(shift_id):
                    raise NoOpenShift
                register.begin_closing(
                    closing_id=self.new_id(), z_report_id=self.new_id(), at=now, counted=counted
                )
                shift = register.shift
                assert shift is not None
                position = self._save(
                    register,
                    command=self._recorded(
                        command, shift_id=str(shift.shift_id), number=shift.number
                    ),
                    lane=self._due(register, now),
                )
                return ShiftChange(shift.shift_id, register_id, shift.number, position)

        return self._once(
            shard=shard,
            command=command,
            decide=decide,
            repeat=lambda result: _shift_change(register_id, result),
        )

    def x_report(self, register_id: UUID) -> XReport:
        """Return the open shift's figures so far; nothing is recorded. Raises: NotFound, NoOpenShift."""
        register = self.store.read(Register, register_id, shard=shard_of(register_id))
        shift = register.shift
        if shift is None:
            raise NoOpenShift
        on_the_way = 0 if register.outstanding is None else 1
        return XReport(
            register_id=register_id,
            shift_id=shift.shift_id,
            number=shift.number,
            testing=shift.testing,
            cashier_name=shift.cashier_name,
            opened_at=shift.opened_at,
            closing=shift.closing is not None,
            issued=register.issued_totals(),
            registered=shift.totals,
            waiting=len(register.waiting) + on_the_way,
            refused=len(register.refused),
            parked=register.parked,
            cash_in_drawer=register.cash_in_drawer,
            made_at=self.clock.now(),
        )

    def resume_lane(
        self, *, register_id: UUID, by: str, reason: str, command: CommandKey | None = None
    ) -> LogPosition | None:
        """Lift the stop of a parked lane; None when the same command had done so before.

        Raises: NotFound, LaneNotParked.
        """
        shard = shard_of(register_id)

        def decide() -> LogPosition | None:
            now = self.clock.now()
            with self.store.hold(Register, register_id, shard=shard) as register:
                register.resume(by=by, reason=reason, at=now)
                return self._save(
                    register,
                    command=self._recorded(command, register_id=str(register_id)),
                    lane=LaneChange(register_id=register_id, due_at=now, resumed=True),
                )

        return self._once(shard=shard, command=command, decide=decide, repeat=lambda _: None)

    # --- helpers ---------------------------------------------------------------------------------------------

    def _open(self, register: Register, *, cashier_id: UUID, testing: bool | None = None) -> Shift:
        cashier = self.store.read(Cashier, cashier_id, shard=shard_of(cashier_id))
        if cashier.company_id != register.company_id:
            raise CashierMayNotSell(reason="the cashier works for another company")
        if cashier.key_id is None:
            raise CashierMayNotSell(reason="no signing key is assigned")
        key = self.signer.describe(key_id=cashier.key_id)
        if register.live and key.kind is not KeyKind.QUALIFIED:
            raise KeyNotForLiveRegister(key_id=key.key_id, kind=key.kind)
        now = self.clock.now()
        company_id, unit_id = register.company_id, register.business_unit_id
        company = self.store.read(Company, company_id, shard=shard_of(company_id))
        unit = self.store.read(BusinessUnit, unit_id, shard=shard_of(unit_id))
        register.open_shift(
            shift_id=self.new_id(),
            cashier_id=cashier_id,
            cashier_name=cashier.name,
            key_id=cashier.key_id,
            seller=Seller(
                tax_id=company.tax_id,
                vat_number=company.vat_number,
                name=company.name,
                unit_name=unit.name,
                unit_address=unit.address,
            ),
            tax_groups=company.tax_groups_on(fiscal_day(now)),
            opened_at=now,
            testing=register.settings.testing if testing is None else testing,
        )
        assert register.shift is not None
        return register.shift

    def _priced(
        self, request: SaleRequest, *, shift: Shift, receipt_id: UUID, now: datetime
    ) -> Receipt:
        return price_sale(
            request,
            receipt_id=receipt_id,
            tax_groups=shift.tax_groups,
            cash_step=shift.cash_step,
            issued_at=now,
            cashier_id=shift.cashier_id,
            cashier_name=shift.cashier_name,
            readings=self.readings,
        )

    def _issued(
        self,
        register: Register,
        receipt: Receipt | None,
        *beside: Aggregate,
        receipt_id: UUID,
        now: datetime,
        command: CommandKey | None,
    ) -> Issued:
        documents = self._sign_if_possible(register, now=now)
        position = self._save(
            register,
            *beside,
            documents=documents,
            command=self._recorded(command, receipt_id=str(receipt_id)),
            lane=self._due(register, now),
        )
        outstanding = register.outstanding
        ours = outstanding is not None and outstanding.item.subject_id == receipt_id
        return Issued(
            receipt_id=receipt_id,
            register_id=register.id,
            position=position,
            receipt=receipt,
            local_number=outstanding.local_number if outstanding is not None and ours else None,
            testing=register.shift is not None and register.shift.testing,
        )

    def _once_issued(
        self,
        register_id: UUID,
        *,
        command: CommandKey | None,
        decide: Callable[[], Issued],
    ) -> Issued:
        return self._once(
            shard=shard_of(register_id),
            command=command,
            decide=decide,
            repeat=lambda result: Issued(
                receipt_id=UUID(str(result["receipt_id"])),
                register_id=register_id,
                position=None,
                receipt=None,
            ),
        )


def sold_receipt(register_id: UUID, receipt: Receipt) -> SoldReceipt:
    """Return the stream that begins with a sale: what may come back of it."""
    return SoldReceipt(
        id=sold_receipt_id(receipt.receipt_id),
        register_id=register_id,
        receipt_id=receipt.receipt_id,
        lines=sold_lines(receipt),
        total=receipt.total,
    )


def _shift_change(register_id: UUID, result: dict[str, str | int]) -> ShiftChange:
    return ShiftChange(
        shift_id=UUID(str(result["shift_id"])),
        register_id=register_id,
        number=int(result["number"]),
        position=None,
    )
