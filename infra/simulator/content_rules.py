"""What a document of each kind holds: its parts, and whom it names.

Which parts a kind has is known from the official samples; amounts are in ``arithmetic``.
"""

from typing import Final

from infra.simulator.answers import invalid, storno_of_last_only
from infra.simulator.arithmetic import check_arithmetic
from infra.simulator.case import Case
from infra.simulator.figures import Kind
from infra.simulator.lexical import as_integer
from infra.simulator.part_payments import check_chain
from infra.simulator.stored_document import StoredDocument
from infra.simulator.tax_check import check_taxes
from infra.simulator.xml_reader import Node, part, rows, text

_HEAD_ONLY: Final = (frozenset[str](), frozenset[str]())
_SALE: Final = (
    frozenset({"CHECKTOTAL", "CHECKBODY"}),
    frozenset({"CHECKPAY", "CHECKTAX", "CHECKPTKS", "CHECKDUTYFREE", "CHECKDUTYFREEREMAINS"}),
)
_SERVICE: Final = (frozenset({"CHECKTOTAL"}), frozenset[str]())
_TRANSFER: Final = (
    frozenset({"CHECKTOTAL", "CHECKPAY", "CHECKBODY"}),
    frozenset({"CHECKTAX", "CHECKPTKS"}),
)
_PARTS: Final[dict[Kind, tuple[frozenset[str], frozenset[str]]]] = {
    Kind.OPEN: _HEAD_ONLY,
    Kind.CLOSE: _HEAD_ONLY,
    Kind.OFFLINE_BEGIN: _HEAD_ONLY,
    Kind.OFFLINE_END: _HEAD_ONLY,
    Kind.STORNO: _HEAD_ONLY,
    Kind.SALE: _SALE,
    Kind.RETURN: _SALE,
    Kind.DEPOSIT: _SERVICE,
    Kind.ISSUE: _SERVICE,
    Kind.TRANSFER: _TRANSFER,
    Kind.TRANSFER_RETURN: _TRANSFER,
    Kind.CURRENCY: (
        frozenset({"CHECKBODY"}),
        frozenset({"CHECKTOTAL", "CHECKPAY", "CHECKTAX"}),
    ),
    Kind.WITHDRAWAL: _TRANSFER,
    Kind.PAWN: (frozenset({"CHECKTOTAL", "CHECKBODY"}), frozenset({"CHECKPAY", "CHECKTAX"})),
}
"""Required and allowed parts beside CHECKHEAD."""

_RETURNS: Final = frozenset({Kind.RETURN, Kind.TRANSFER_RETURN})
_HEAD_ELEMENTS: Final[dict[str, frozenset[Kind]]] = {
    "ORDERRETNUM": _RETURNS,
    "ORDERRETDATE": _RETURNS,
    "ORDERRETCASHREGNUM": _RETURNS,
    "ORDERSTORNUM": frozenset({Kind.STORNO}),
    "REVOKELASTONLINEDOC": frozenset({Kind.OFFLINE_BEGIN}),
    "REVOKED": frozenset(),
    "STORNED": frozenset(),
}
"""Elements of the head that only some kinds may carry; the server's own, none."""

_NEVER_STORNOED: Final = frozenset(
    {
        Kind.OPEN,
        Kind.CLOSE,
        Kind.Z_REPORT,
        Kind.STORNO,
        Kind.OFFLINE_BEGIN,
        Kind.OFFLINE_END,
    }
)


def check_content(case: Case) -> None:
    """Refuse a document whose parts, relations or amounts are wrong. Raises: Refusal, code 9."""
    if not case.document.uid.strip():
        raise invalid("Елемент UID не може бути порожнім")
    if case.switches.strict_parts:
        _check_parts(case)
    if case.kind is Kind.STORNO:
        _check_storno(case)
    elif case.kind in _RETURNS:
        _check_return(case)
    if case.kind is not Kind.Z_REPORT:
        if case.switches.arithmetic:
            check_arithmetic(case)
        check_taxes(case)
        if case.switches.part_payment_chain:
            check_chain(case)


def _check_parts(case: Case) -> None:
    document = case.document
    for element, kinds in _HEAD_ELEMENTS.items():
        if element in document.head and case.kind not in kinds:
            raise invalid(f"Елемент {element} недопустимий для документа цього виду")
    if document.is_z_report:
        _check_row_numbers(document.content)
        return
    required, allowed = _PARTS[case.kind]
    present = document.content.keys() - {"CHECKHEAD"}
    missing = required - present
    if missing:
        raise invalid(f"Відсутній розділ {min(missing)}")
    unexpected = present - required - allowed
    if unexpected:
        raise invalid(f"Розділ {min(unexpected)} недопустимий для документа цього виду")
    if case.kind in (Kind.DEPOSIT, Kind.ISSUE):
        extra = part(document.content, "CHECKTOTAL").keys() - {"SUM"}
        if extra:
            raise invalid(f"Елемент {min(extra)} недопустимий для службового документа")
    _check_row_numbers(document.content)


def _check_row_numbers(node: Node) -> None:
    """ROWNUM starts at 1 and runs without gaps, at every level."""
    for name, value in node.items():
        if isinstance(value, dict):
            _check_row_numbers(value)
        elif isinstance(value, list):
            for number, row in enumerate(rows(node, name), start=1):
                if as_integer(text(row, "ROWNUM") or "") != number:
                    raise invalid(f"Порушено нумерацію рядків ROWNUM у розділі {name}")
                _check_row_numbers(row)


def _check_storno(case: Case) -> None:
    """Only the register's last document, within the shift, and never twice."""
    target = text(case.document.head, "ORDERSTORNUM")
    if not target:
        raise invalid("Відсутній елемент ORDERSTORNUM")
    book = case.register_book
    last = book.last_document
    if last is None or last.fiscal_number != target or last.shift_id != _open_shift_id(case):
        raise storno_of_last_only()
    if last.kind in _NEVER_STORNOED or last.is_storned or last.is_revoked:
        raise invalid(f"Документ № {target} не може бути сторновано")


def _open_shift_id(case: Case) -> int | None:
    shift = case.register_book.shift
    return shift.shift_id if shift is not None else None


def _check_return(case: Case) -> None:
    head = case.document.head
    number = text(head, "ORDERRETNUM")
    if not number:
        raise invalid("Відсутній елемент ORDERRETNUM")
    if case.switches.return_check == "off":
        return
    register = text(head, "ORDERRETCASHREGNUM")
    original_register = str(int(register)) if register else case.document.register
    book = case.book.find(original_register)
    original = book.by_fiscal_number.get(number) if book is not None else None
    if original is None:
        is_own = original_register == case.document.register
        if case.switches.return_check == "all" and is_own:
            raise invalid(f"Документ № {number}, за яким здійснюється повернення, відсутній")
        return
    _check_original(case, original)


def _check_original(case: Case, original: StoredDocument) -> None:
    number = original.fiscal_number
    expected = Kind.SALE if case.kind is Kind.RETURN else Kind.TRANSFER
    if original.kind is not expected or not original.counts:
        raise invalid(f"Повернення за документом № {number} неможливе")
    if original.document.is_testing != case.document.is_testing:
        raise invalid("Повернення тестового та фіскального документів не змішуються")
    returned = sum(
        each.figures.due_unrounded for each in case.book.returns_of(number) if each.counts
    )
    left = original.figures.due_unrounded - returned
    if case.figures.due_unrounded > left:
        raise invalid(
            f"Сума повернення перевищує залишок за документом № {number}: "
            f"{case.figures.due_unrounded} більше {left}"
        )
