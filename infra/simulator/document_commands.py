"""Commands about documents, shifts and totals."""

import base64
from datetime import datetime
from typing import Final

from infra.simulator.answers import bad_parameter
from infra.simulator.book import RegisterBook, Shift
from infra.simulator.command_request import CommandRequest, Json, local_time
from infra.simulator.figures import DOCUMENT_SUBTYPE_NAMES, DOCUMENT_TYPE_NAMES
from infra.simulator.stored_document import StoredDocument
from infra.simulator.tickets import server_copy
from infra.simulator.totals import totals_of
from infra.simulator.totals_json import totals_json
from infra.simulator.visualisation import cabinet_url, visualised

_RESULTS: Final = {
    0: "Ok",
    1: "OnlineDocumentAbsent",
    2: "OfflineNumberReserved",
    3: "OfflineNumberNotReserved",
    4: "TransactionsRegistrarNotRegistered",
    5: "DocumentAbsent",
}
_AVAILABILITY, _ORIGINAL, _SERVER_SIGNED, _TEXT, _SENDER_SIGNED, _BOTH_SIGNED = range(6)
_OFFLINE_NUMBER_PARTS: Final = 3


def check(request: CommandRequest) -> bytes | None:
    """Check: a check as CMS signed by the server, or None when there is none."""
    return _signed_by_server(request, wants_z_report=False)


def z_report(request: CommandRequest) -> bytes | None:
    """ZRep: a Z-report as CMS signed by the server, or None when there is none."""
    return _signed_by_server(request, wants_z_report=True)


def check_ext(request: CommandRequest) -> Json:
    """CheckExt: a check in one of six forms, with a result code when it is absent."""
    return _extended(request, wants_z_report=False)


def z_report_ext(request: CommandRequest) -> Json:
    """ZRepExt: the same for a Z-report."""
    return _extended(request, wants_z_report=True)


def shifts(request: CommandRequest) -> Json:
    """Shifts of a register: one by its id, or those opened in a period."""
    book = request.register_book()
    shift_id = request.number("ShiftId")
    if shift_id is not None:
        found = [shift for shift in book.shifts if shift.shift_id == shift_id]
    else:
        since, until = _required_moment(request, "From"), _required_moment(request, "To")
        if until < since:
            raise bad_parameter("To", "менше за From")
        found = [shift for shift in book.shifts if since <= shift.opened_at <= until]
    return {"UID": request.uid, "Shifts": [_shift(shift) for shift in found]}


def documents(request: CommandRequest) -> Json:
    """Documents of one shift, named by its id or by the number of its opening document."""
    book = request.register_book()
    shift_id, opening = request.number("ShiftId"), request.string("OpenShiftFiscalNum")
    if shift_id is None and opening is None:
        raise bad_parameter("ShiftId", "відсутній")
    listed = [
        stored
        for shift in book.shifts
        if shift_id == shift.shift_id or (shift_id is None and opening == shift.open_fiscal_number)
        for stored in shift.documents
    ]
    return {
        "UID": request.uid,
        "Documents": [
            {
                "NumFiscal": stored.fiscal_number,
                "NumLocal": stored.local_number,
                "DocDateTime": f"{stored.issued_at:%Y-%m-%dT%H:%M:%S}",
                **_description(request, stored),
            }
            for stored in listed
        ],
    }


def document_info(request: CommandRequest) -> Json | None:
    """DocumentInfoByLocalNum: what a document is, or None when there is none."""
    book = request.register_book()
    stored = book.by_local_number.get(request.required_number("NumLocal"))
    if stored is None:
        return None
    return {
        "UID": request.uid,
        "NumFiscal": stored.fiscal_number,
        **_description(request, stored),
    }


def last_shift_totals(request: CommandRequest) -> Json | None:
    """LastShiftTotals: the register's last shift; None when it never had one."""
    book = request.register_book()
    if not book.shifts:
        return None
    shift = book.shifts[-1]
    is_open = shift.closing is None
    totals = totals_of(shift, switches=request.switches) if is_open else None
    return {
        "UID": request.uid,
        "ShiftState": 1 if is_open else 0,
        "ZRepPresent": shift.z_report is not None,
        "Testing": shift.is_testing,
        "Opened": local_time(shift.opened_at),
        "OpenName": shift.open_name,
        "OpenSubjectKeyId": shift.open_key_id,
        **_closing(shift),
        "ZRepFiscalNum": shift.z_report.fiscal_number if shift.z_report else None,
        "Totals": None if totals is None else totals_json(totals),
    }


def _signed_by_server(request: CommandRequest, *, wants_z_report: bool) -> bytes | None:
    stored = _find(request, request.register_book("RegistrarNumFiscal"))
    if stored is None or stored.document.is_z_report != wants_z_report:
        return None
    content = stored.document.xml if request.flag("Original") else server_copy(stored)
    return request.envelope.seal(content, timestamp=request.flag("SetTimestamp"))


def _extended(request: CommandRequest, *, wants_z_report: bool) -> Json:
    form = request.required_number("Type")
    if not _AVAILABILITY <= form <= _BOTH_SIGNED:
        raise bad_parameter("Type", "очікується число від 0 до 5")
    register = request.register_number("RegistrarNumFiscal")
    if request.registry.find(register) is None:
        return _result(request, 4)
    book = request.register_book("RegistrarNumFiscal")
    stored = _find(request, book)
    if stored is None or stored.document.is_z_report != wants_z_report:
        return _result(request, _absence(request, book))
    answer = _result(request, 0)
    answer["ShiftId"] = stored.shift_id
    data = _in_form(request, stored, form)
    answer["Data"] = None if data is None else base64.b64encode(data).decode("ascii")
    if not wants_z_report and request.flag("AcquireCabinetUrl"):
        answer["CabinetUrl"] = cabinet_url(stored)
    return answer


def _in_form(request: CommandRequest, stored: StoredDocument, form: int) -> bytes | None:
    with_timestamp = request.flag("SetTimestamp")
    match form:
        case 1:
            as_sent = not request.switches.original_carries_fiscal_number
            return stored.document.xml if as_sent else server_copy(stored)
        case 2:
            return request.envelope.seal(server_copy(stored), timestamp=with_timestamp)
        case 3:
            return visualised(stored).encode("utf-8")
        case 4:
            return stored.signed
        case 5:
            # The sender's message inside the server's: how both signatures stand is not described.
            return request.envelope.seal(stored.signed, timestamp=with_timestamp)
        case _:
            return None


def _result(request: CommandRequest, code: int) -> Json:
    as_text = request.switches.result_code_as_text
    return {
        "UID": request.uid,
        "Data": None,
        "ShiftId": None,
        "ResultCode": str(code) if as_text else code,
        "ResultText": _RESULTS[code],
        "CabinetUrl": None,
    }


def _find(request: CommandRequest, book: RegisterBook) -> StoredDocument | None:
    fiscal_number, local_number = request.string("NumFiscal"), request.number("NumLocal")
    if fiscal_number is not None:
        return book.by_fiscal_number.get(fiscal_number)
    if local_number is None:
        raise bad_parameter("NumFiscal", "очікується NumFiscal або NumLocal")
    return book.by_local_number.get(local_number)


def _absence(request: CommandRequest, book: RegisterBook) -> int:
    """Why a document is not there, as a result code."""
    fiscal_number = request.string("NumFiscal")
    if fiscal_number is None:
        return 5
    parts = fiscal_number.split(".")
    if len(parts) != _OFFLINE_NUMBER_PARTS or not all(part.isdecimal() for part in parts):
        return 1
    is_current = int(parts[0]) == book.session.session_id
    return 2 if is_current and int(parts[1]) >= book.session.next_number else 3


def _description(request: CommandRequest, stored: StoredDocument) -> Json:
    is_z_report = stored.document.is_z_report
    document_type = DOCUMENT_TYPE_NAMES[stored.document.document_type]
    return {
        "DocClass": "ZRep" if is_z_report else "Check",
        "CheckDocType": request.switches.z_report_document_type if is_z_report else document_type,
        "CheckDocSubType": DOCUMENT_SUBTYPE_NAMES[stored.document.document_subtype],
        "Revoked": stored.is_revoked,
        "Storned": stored.is_storned,
    }


def _shift(shift: Shift) -> Json:
    return {
        "ShiftId": shift.shift_id,
        "OpenShiftFiscalNum": shift.open_fiscal_number,
        "CloseShiftFiscalNum": shift.closing.fiscal_number if shift.closing else None,
        "Testing": shift.is_testing,
        "Opened": local_time(shift.opened_at),
        "OpenName": shift.open_name,
        "OpenSubjectKeyId": shift.open_key_id,
        **_closing(shift),
        "ZRepFiscalNum": shift.z_report.fiscal_number if shift.z_report else None,
    }


def _closing(shift: Shift) -> Json:
    closing = shift.closing
    return {
        "Closed": local_time(closing.happened_at) if closing else None,
        "CloseName": closing.signer_name if closing else None,
        "CloseSubjectKeyId": closing.key_id if closing else None,
    }


def _required_moment(request: CommandRequest, name: str) -> datetime:
    moment = request.moment(name)
    if moment is None:
        raise bad_parameter(name, "відсутній")
    return moment
