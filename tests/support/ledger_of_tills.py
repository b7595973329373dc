"""The ledger as tills see it: `FiscalLedger` itself, or whatever stands between it and them."""

from typing import Protocol
from uuid import UUID

from domain.drawer import CashRequest
from domain.ledger import Issued, RegisteredSale, ShiftChange
from domain.money import Money
from domain.part_payment import LaterPaymentRequest, PrepaymentRequest
from domain.ports import CommandKey, LogPosition
from domain.refund import ReturnRequest
from domain.register.state import RegisterSettings
from domain.sale import SaleRequest


class LedgerOfTills(Protocol):
    """What tills ask, in the words of `FiscalLedger`.

    Every method may raise a RuleViolation, NotFound when it names what is not there, and Killed when the till's own
    process dies on the way.
    """

    def open_shift(self, *, register_id: UUID, cashier_id: UUID) -> ShiftChange:
        """Open a register's next shift."""
        ...

    def sell(self, *, register_id: UUID, request: SaleRequest) -> Issued:
        """Issue a sale."""
        ...

    def prepay(self, *, register_id: UUID, request: PrepaymentRequest) -> Issued:
        """Issue a prepayment."""
        ...

    def pay_on(
        self,
        *,
        register_id: UUID,
        prepayment: RegisteredSale,
        request: LaterPaymentRequest,
        command: CommandKey,
    ) -> Issued:
        """Issue a further payment or the final settlement; the same command issues it once."""
        ...

    def give_back(
        self,
        *,
        register_id: UUID,
        sale: RegisteredSale,
        request: ReturnRequest,
        command: CommandKey,
    ) -> Issued:
        """Issue a return of a sale; the same command issues it once."""
        ...

    def storno(self, *, register_id: UUID, receipt_id: UUID, command: CommandKey) -> Issued:
        """Take the last receipt back; the same command does it once."""
        ...

    def move_cash(self, *, register_id: UUID, request: CashRequest) -> Issued:
        """Issue a receipt of the drawer."""
        ...

    def correct(self, *, register_id: UUID, receipt_id: UUID, request: SaleRequest) -> Issued:
        """Make a refused sale again."""
        ...

    def correct_cash(self, *, register_id: UUID, receipt_id: UUID, request: CashRequest) -> Issued:
        """Make a refused receipt of the drawer again."""
        ...

    def void(self, *, register_id: UUID, receipt_id: UUID, reason: str) -> Issued:
        """Give a refused receipt up."""
        ...

    def close_shift(self, *, register_id: UUID, counted: Money | None = None) -> ShiftChange:
        """Begin to close the open shift; `counted` is the cash found in the drawer."""
        ...

    def change_register_settings(
        self, register_id: UUID, settings: RegisterSettings
    ) -> LogPosition | None:
        """Let a register behave otherwise."""
        ...

    def resume_lane(self, *, register_id: UUID, by: str, reason: str) -> LogPosition | None:
        """Let a stopped lane go on."""
        ...
