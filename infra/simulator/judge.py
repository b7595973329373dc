"""The judge of documents: every check the server makes before it registers one.

A check is a function that raises ``Refusal``; which are made and in which order is a switch, because
nobody outside knows the server's order.
"""

from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Final

from infra.simulator.answers import (
    Code,
    differs_from_registration,
    invalid_tin,
    time_went_back,
    wrong_local_number,
    wrong_time,
)
from infra.simulator.case import Case
from infra.simulator.content_rules import check_content
from infra.simulator.figures import Kind
from infra.simulator.kyiv import KYIV
from infra.simulator.offline_rules import check_offline
from infra.simulator.shift_rules import check_state
from infra.simulator.switches import CheckName
from infra.simulator.totals import totals_of
from infra.simulator.xml_reader import integer, text
from infra.simulator.z_check import check_z_report


def judge(case: Case) -> None:
    """Make all checks in the order of the switch. Raises: Refusal at the first that fails."""
    for name in case.switches.check_order:
        _CHECKS[name](case)


def _check_register(case: Case) -> None:
    assert case.registered is not None


def _check_access(case: Case) -> None:
    assert case.key is not None


def _check_tin(case: Case) -> None:
    sent = text(case.document.head, "TIN") or ""
    if sent != case.registered.company.tin:
        raise invalid_tin(sent=sent, register=case.document.register)


def _check_names(case: Case) -> None:
    """Names and addresses as registered, letter case included."""
    registered = case.registered
    head = case.document.head
    expected: dict[str, str | None] = {
        "IPN": registered.company.ipn,
        "ORGNM": registered.company.name,
        "POINTNM": registered.unit.name,
    }
    if "POINTADDR" in head:
        expected["POINTADDR"] = registered.unit.address
    for element, value in expected.items():
        sent = text(head, element)
        if sent != value:
            raise differs_from_registration(element=element, sent=sent, registered=value)
    local_number = integer(head, "CASHDESKNUM")
    if local_number != registered.register.local_number:
        raise differs_from_registration(
            element="CASHDESKNUM",
            sent=str(local_number),
            registered=str(registered.register.local_number),
        )


def _check_clock(case: Case) -> None:
    """An online document's local time is near ours; no document is older than the one before it."""
    if not case.in_package:
        _check_present(case)
    last = case.register_book.last_document
    issued_at = case.document.issued_at
    if case.switches.refuse_time_going_back and last is not None and issued_at < last.issued_at:
        code = Code.PACKAGE_VALIDATION_ERROR if case.in_package else Code.DOCUMENT_VALIDATION_ERROR
        raise time_went_back(case.document.local_number, code=code)


def _check_present(case: Case) -> None:
    """Near in either reading of the repeated October hour; a stale one may be taken late."""
    issued_at = case.document.issued_at
    ahead = min(
        (issued_at.replace(tzinfo=KYIV, fold=fold).astimezone(UTC) - case.now for fold in (0, 1)),
        key=abs,
    )
    if ahead < timedelta() and case.switches.stale_documents == "accept":
        return
    if abs(ahead) > case.switches.clock_tolerance:
        raise wrong_time(issued_at)


def _check_number(case: Case) -> None:
    expected = case.register_book.next_local_number
    if case.document.local_number != expected:
        raise wrong_local_number(
            sent=case.document.local_number, register=case.document.register, expected=expected
        )


def _check_totals(case: Case) -> None:
    shift = case.register_book.shift
    if case.kind is Kind.Z_REPORT and shift is not None and case.switches.z_check == "strict":
        check_z_report(case.document, totals_of(shift, switches=case.switches))


_CHECKS: Final[dict[CheckName, Callable[[Case], None]]] = {
    "register": _check_register,
    "access": _check_access,
    "tin": _check_tin,
    "names": _check_names,
    "clock": _check_clock,
    "number": _check_number,
    "session": check_offline,
    "state": check_state,
    "content": check_content,
    "totals": _check_totals,
}
