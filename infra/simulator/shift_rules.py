"""What a register may send in the state it is in.

```
closed --100--> open --receipts…--> open --ZREP--> open with Z --101--> closed
```
"""

from typing import Final

from infra.simulator.answers import (
    Code,
    Refusal,
    invalid,
    last_must_be_z_report,
    register_absent,
    session_is_open,
    shift_held,
    shift_not_opened,
    z_report_present,
)
from infra.simulator.blocking import check_not_blocked
from infra.simulator.book import Shift
from infra.simulator.case import Case
from infra.simulator.figures import Kind
from infra.simulator.stored_document import StoredDocument

_CLOSING: Final = frozenset({Kind.Z_REPORT, Kind.CLOSE})
_OFFLINE_MARKS: Final = frozenset({Kind.OFFLINE_BEGIN, Kind.OFFLINE_END})


def check_state(case: Case) -> None:
    """Refuse a document that does not fit the register's state. Raises: Refusal."""
    if not case.in_package:
        _check_online(case)
    check_not_blocked(case)
    _check_registration_in_force(case)
    shift = case.register_book.shift
    if case.kind is Kind.OPEN:
        if shift is not None:
            raise _held(case, shift, Code.SHIFT_ALREADY_OPENED)
        return
    if shift is None:
        if case.kind in _OFFLINE_MARKS and case.in_package:
            return
        raise shift_not_opened(case.document.register)
    _check_owner(case, shift)
    _check_testing(case, shift)
    _check_z_report(case, shift)


def _check_online(case: Case) -> None:
    """Offline documents come in packages only, and no online ones while a session is open."""
    if case.register_book.session.is_open:
        raise session_is_open(case.document.register)
    if not case.switches.refuse_offline_documents_at_doc:
        return
    head = case.document.head
    if case.kind in _OFFLINE_MARKS or case.document.is_offline or "ORDERTAXNUM" in head:
        raise invalid("Документи, створені в режимі офлайн, приймаються лише у складі пакета")
    if "PREVDOCHASH" in head:
        raise invalid("Елемент PREVDOCHASH зазначається лише в документах офлайн сесії")


def _check_registration_in_force(case: Case) -> None:
    if not case.is_closed or case.switches.closed_register_allows == "everything":
        return
    if case.kind in _CLOSING and case.switches.closed_register_allows == "z-and-close":
        return
    raise register_absent(case.document.register)


def _check_owner(case: Case, shift: Shift) -> None:
    """A shift belongs to the key that opened it; a senior cashier or the head may close it or pack it."""
    if case.key_id == shift.open_key_id:
        return
    if not ((case.kind in _CLOSING or case.in_package) and case.key.is_chief):
        raise _held(case, shift, Code(case.switches.foreign_key_code))


def _held(case: Case, shift: Shift, code: Code) -> Refusal:
    return shift_held(
        code=code,
        register=case.document.register,
        name=shift.open_name,
        key_id=shift.open_key_id,
    )


def _check_testing(case: Case, shift: Shift) -> None:
    if case.document.is_testing != shift.is_testing:
        holds = "тестові" if shift.is_testing else "фіскальні"
        raise invalid(f"Поточна зміна може містити лише {holds} документи")


def _check_z_report(case: Case, shift: Shift) -> None:
    register = case.document.register
    if case.kind is Kind.CLOSE:
        # Marks of a session may stand between the two, or a shift whose link broke there had no end.
        last = next((each for each in reversed(shift.documents) if _is_own(each)), None)
        if last is None or last.kind is not Kind.Z_REPORT or last.is_revoked:
            raise last_must_be_z_report(register)
        return
    if shift.z_report is None or case.kind in _OFFLINE_MARKS:
        return
    if case.kind is Kind.Z_REPORT or case.switches.receipt_after_z_report == "refuse":
        raise z_report_present(register=register, fiscal_number=shift.z_report.fiscal_number)


def _is_own(stored: StoredDocument) -> bool:
    return stored.kind not in _OFFLINE_MARKS
