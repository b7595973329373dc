"""The ledger as tills reach it: over HTTP, with JSON bodies, idempotency keys and problems."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

import httpx

from domain.documents.receipt import Receipt, ReceiptKind
from domain.drawer import CashRequest, DepositRequest, IssueRequest, WithdrawalRequest
from domain.errors import FiscalError, InvalidField, NotFound, RuleViolation
from domain.ledger import Issued, RegisteredSale, ShiftChange
from domain.money import Money, Quantity, Rate
from domain.part_payment import LaterPaymentRequest, PrepaymentRequest
from domain.ports import CommandKey
from domain.refund import ReturnRequest
from domain.register.state import RegisterSettings
from domain.sale import CardPayment, CashPayment, DiscountRequest, OtherPayment, SaleRequest
from domain.sold_lines import WantedLine
from tests.support.world import Death

FORMS: dict[type, str] = {CashPayment: "cash", CardPayment: "card", OtherPayment: "other"}
"""Each form of payment as a body names it."""

_OF_THE_DRAWER: dict[type, str] = {
    DepositRequest: "service-deposits",
    IssueRequest: "service-issues",
    WithdrawalRequest: "cash-withdrawals",
}
_TAKEN = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED})


@dataclass(eq=False)
class Declined(RuleViolation):
    """The API declined a command by a rule; `problem` is the rule's code."""

    code = "declined"
    sentence = "The API declines: {problem}, {detail}"
    problem: str
    detail: str


class HttpLedger:
    """The `LedgerOfTills` behind an API. A cashier's `till` sells, an administrator's `office` does the rest.

    `recorded` tells a receipt as the log has it last: what the API says of it must be the same. The till's process may
    die before it sends a command and before it reads the answer.
    """

    def __init__(
        self,
        *,
        till: httpx.Client,
        office: httpx.Client,
        death: Death,
        recorded: Callable[[UUID], Receipt],
    ) -> None:
        self._till = till
        self._office = office
        self._death = death
        self._recorded = recorded

    def open_shift(self, *, register_id: UUID, cashier_id: UUID) -> ShiftChange:
        """Open a register's next shift."""
        return self._shift(register_id, "shifts", {"cashier_id": str(cashier_id)})

    def sell(self, *, register_id: UUID, request: SaleRequest) -> Issued:
        """Issue a sale."""
        return self._issued(register_id, "receipts", body_of(request))

    def give_back(
        self,
        *,
        register_id: UUID,
        sale: RegisteredSale,
        request: ReturnRequest,
        command: CommandKey,
    ) -> Issued:
        """Issue a return; a sale of another register is named by the numbers on its receipt."""
        body = {"original": self._named(sale, register_id), **body_of(request)}
        return self._issued(register_id, "returns", body, key=command.key)

    def prepay(self, *, register_id: UUID, request: PrepaymentRequest) -> Issued:
        """Issue a prepayment."""
        body = {**body_of(request.goods), "amount_kopecks": request.amount.kopecks}
        return self._issued(register_id, "prepayments", body)

    def pay_on(
        self,
        *,
        register_id: UUID,
        prepayment: RegisteredSale,
        request: LaterPaymentRequest,
        command: CommandKey,
    ) -> Issued:
        """Issue a payment on a prepayment; one of another register is named by the numbers on its receipt."""
        original = self._named(prepayment, register_id)
        body = {"original": original, "payments": [], **body_of(request)}
        return self._issued(register_id, "settlements", body, key=command.key)

    def storno(self, *, register_id: UUID, receipt_id: UUID, command: CommandKey) -> Issued:
        """Take the last receipt back."""
        return self._issued(register_id, f"receipts/{receipt_id}/storno", {}, key=command.key)

    def move_cash(self, *, register_id: UUID, request: CashRequest) -> Issued:
        """Issue a receipt of the drawer."""
        return self._issued(register_id, _OF_THE_DRAWER[type(request)], body_of(request))

    def correct(self, *, register_id: UUID, receipt_id: UUID, request: SaleRequest) -> Issued:
        """Make a refused sale again."""
        return self._issued(register_id, f"receipts/{receipt_id}/correction", body_of(request))

    def correct_cash(self, *, register_id: UUID, receipt_id: UUID, request: CashRequest) -> Issued:
        """Make a refused receipt of the drawer again."""
        path = f"{_OF_THE_DRAWER[type(request)]}/{receipt_id}/correction"
        return self._issued(register_id, path, body_of(request))

    def void(self, *, register_id: UUID, receipt_id: UUID, reason: str) -> Issued:
        """Give a refused receipt up."""
        return self._issued(register_id, f"receipts/{receipt_id}/void", {"reason": reason})

    def close_shift(self, *, register_id: UUID, counted: Money | None = None) -> ShiftChange:
        """Begin to close the open shift."""
        body = {} if counted is None else {"counted_kopecks": counted.kopecks}
        return self._shift(register_id, "shifts/current/close", body)

    def change_register_settings(self, register_id: UUID, settings: RegisterSettings) -> None:
        """Let a register behave otherwise."""
        path = f"/v1/registers/{register_id}/settings"
        self._answer(self._office.patch(path, json=body_of(settings)))

    def resume_lane(self, *, register_id: UUID, by: str, reason: str) -> None:
        """Let a stopped lane go on; who does it is known by the token, so `by` stands in the reason."""
        self._post(self._office, register_id, "lane/resume", {"reason": f"{reason}, {by}"})

    def shown(self, register_id: UUID, path: str = "") -> dict[str, Any]:
        """Return what the API shows of a register, or of something below it."""
        return self._answer(self._till.get(f"/v1/registers/{register_id}/{path}".rstrip("/")))

    def _named(self, receipt: RegisteredSale, register_id: UUID) -> dict[str, str]:
        """Return how a till of a register names a registered receipt."""
        if receipt.register_id == register_id:
            return {"receipt_id": str(receipt.receipt.receipt_id)}
        return {
            "fiscal_number": receipt.fiscal_number,
            "register_fiscal_number": self.shown(receipt.register_id)["fiscal_number"],
        }

    # --- inside ----------------------------------------------------------------------------------------------------

    def _issued(
        self, register_id: UUID, path: str, body: dict[str, Any], *, key: str | None = None
    ) -> Issued:
        """Ask for a receipt; what the answer says of it must be what was recorded."""
        answer = self._post(self._till, register_id, path, body, key=key)
        receipt = self._recorded(UUID(answer["receipt_id"]))
        assert UUID(answer["register_id"]) == register_id
        assert ReceiptKind(answer["kind"]) is receipt.kind
        assert answer["total_kopecks"] == receipt.total.kopecks
        assert answer["unrounded_kopecks"] == receipt.unrounded.kopecks
        return Issued(
            receipt_id=receipt.receipt_id,
            register_id=register_id,
            position=None,
            receipt=receipt,
            local_number=answer["local_number"],
            testing=answer["testing"],
        )

    def _shift(self, register_id: UUID, path: str, body: dict[str, Any]) -> ShiftChange:
        answer = self._post(self._till, register_id, path, body)
        return ShiftChange(
            shift_id=UUID(answer["shift_id"]),
            register_id=register_id,
            number=answer["number"],
            position=None,
        )

    def _post(
        self,
        http: httpx.Client,
        register_id: UUID,
        path: str,
        body: dict[str, Any],
        *,
        key: str | None = None,
    ) -> dict[str, Any]:
        self._death.pass_by()
        answer = http.post(
            f"/v1/registers/{register_id}/{path}",
            json=body,
            headers={"Idempotency-Key": key or str(uuid4())},
        )
        self._death.pass_by()
        return self._answer(answer)

    @staticmethod
    def _answer(answer: httpx.Response) -> dict[str, Any]:
        """Return what was answered. Raises: Declined for every rule of the ledger, NotFound; nothing else may be."""
        said: dict[str, Any] = answer.json()
        if answer.status_code in _TAKEN:
            return said
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        if said["code"] == NotFound.code:
            raise NotFound(**said["facts"])
        # A till may ask for nothing or less of a drawer; every other wrong field would be a fault of `body_of`.
        asks_for_nothing = said["code"] == InvalidField.code and said["field"] == "amount_kopecks"
        assert said["code"] in _RULES or asks_for_nothing, answer.text
        raise Declined(problem=said["code"], detail=said["detail"])


def body_of(request: Any) -> dict[str, Any]:
    """The JSON body of what a till asks: names with their units, what is not given left out."""
    body: dict[str, Any] = {}
    if type(request) in FORMS:
        body["form"] = FORMS[type(request)]
    if isinstance(request, DiscountRequest):
        body["by"] = "amount" if request.percent is None else "percent"
    for field in fields(request):
        value = getattr(request, field.name)
        if value is not None and value != ():
            name, given = _given(field.name, value)
            body["line" if isinstance(request, WantedLine) and name == "number" else name] = given
    return body


def _given(name: str, value: Any) -> tuple[str, Any]:
    """Return a field as a body has it: its name with the unit, and its value."""
    match value:
        case Money():
            return f"{name}_kopecks", value.kopecks
        case Quantity():
            return f"{name}_thousandths", value.thousandths
        case Rate():
            return f"{name}_basis_points", value.basis_points
        case StrEnum():
            return name, value.value
        case str() | int():
            return name, value
        case tuple():
            return name, [each if isinstance(each, str) else body_of(each) for each in value]
        case _:
            return name, body_of(value)


def _kinds_of(error: type[FiscalError]) -> Iterator[type[FiscalError]]:
    """Yield an error's class and all classes below it."""
    yield error
    for kind in error.__subclasses__():
        yield from _kinds_of(kind)


_RULES = frozenset(
    kind.code
    for kind in _kinds_of(RuleViolation)
    if kind is not Declined and not issubclass(kind, InvalidField)
)
