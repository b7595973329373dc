"""The command address: which command needs a signature, and in which form it answers."""

import base64
import binascii
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import orjson

from infra.simulator import document_commands as documents
from infra.simulator import state_commands as state
from infra.simulator.answers import bad_parameter, must_be_signed
from infra.simulator.command_request import CommandRequest, Json
from infra.simulator.envelope import Opened
from infra.simulator.package import numbered
from infra.simulator.service import Conditions, TaxService
from infra.simulator.stored_document import StoredDocument

Answer = Json | bytes | None
Handler = Callable[[CommandRequest], Answer]

_UNSIGNED: Final[dict[str, Handler]] = {
    "ServerState": state.server_state,
    "Schemas": state.schemas,
    "Check": documents.check,
    "CheckExt": documents.check_ext,
}
_SIGNED: Final[dict[str, Handler]] = {
    "Objects": state.objects,
    "Operators": state.operators,
    "TransactionsRegistrarState": state.registrar_state,
    "ZRep": documents.z_report,
    "ZRepExt": documents.z_report_ext,
    "Shifts": documents.shifts,
    "Documents": documents.documents,
    "LastShiftTotals": documents.last_shift_totals,
    "DocumentInfoByLocalNum": documents.document_info,
    "DeviceRegister": state.device_register,
}
_SEND_DOCUMENT: Final = "SendDocument"
_SEND_PACKAGE: Final = "SendOflPackage"


def parse_command(content: bytes) -> Json:
    """The command's JSON object. Raises: Refusal with code 11."""
    try:
        parsed = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise bad_parameter("Command", "тіло запиту не є JSON") from error
    if not isinstance(parsed, dict):
        raise bad_parameter("Command", "очікується об'єкт JSON")
    return parsed


def run_command(
    service: TaxService, parameters: Json, *, signer: Opened | None, conditions: Conditions
) -> Answer:
    """The command's answer: JSON fields, a signed message, or None for "no data".

    Raises: Refusal.
    """
    request = CommandRequest(
        parameters=parameters,
        signer=signer,
        now=conditions.now,
        switches=service.switches,
        registry=service.registry,
        book=service.book,
        envelope=service.envelope,
        access_withdrawn=conditions.access_withdrawn,
        register_closed=conditions.register_closed,
    )
    _refuse_stale(request)
    name = request.string("Command") or ""
    if name == _SEND_DOCUMENT:
        return _send_document(service, request, conditions)
    handler = _UNSIGNED.get(name) or _SIGNED.get(name)
    if handler is None and name != _SEND_PACKAGE:
        raise bad_parameter("Command", f"невідома команда '{name}'")
    if signer is None and name not in _UNSIGNED:
        raise must_be_signed()
    if handler is None:
        assert signer is not None
        return _send_package(service, request, signer, conditions)
    if handler is state.registrar_state:
        _roll_back_end(service, request)
    answer = handler(request)
    if handler is state.device_register:
        service.remember_device(request.register_number())
    return answer


def _refuse_stale(request: CommandRequest) -> None:
    """A command whose time-out has passed is dropped."""
    sent_at, timeout = request.moment("Timestamp"), request.number("Timeout")
    if sent_at is None or timeout is None:
        return
    if request.now > sent_at + timedelta(milliseconds=timeout):
        raise bad_parameter("Timeout", "час очікування команди минув")


def _roll_back_end(service: TaxService, request: CommandRequest) -> None:
    """The state command that names a session just ended may take its end back."""
    register = request.register_number()
    session_id, seed = request.number("OfflineSessionId"), request.number("OfflineSeed")
    book = service.book.find(register)
    if session_id is None or book is None or not state.sees_offline(request, book):
        return
    service.roll_back_end(register, session_id=session_id, seed=seed, uid=request.uid)


def _send_document(service: TaxService, request: CommandRequest, conditions: Conditions) -> Json:
    signed = _decoded("Document", request.string("Document") or "")
    xml = service.register(signed, conditions)
    ticket = service.envelope.seal(xml)
    return {"UID": request.uid, "Ticket": base64.b64encode(ticket).decode("ascii")}


def _send_package(
    service: TaxService, request: CommandRequest, signer: Opened, conditions: Conditions
) -> Json:
    listed = request.parameters.get("Documents")
    if not isinstance(listed, list):
        raise bad_parameter("Documents", "очікується масив")
    documents = numbered(_decoded("Documents", str(each)) for each in listed)
    last = service.register_package(
        documents, signer=signer, byte_count=len(signer.content), conditions=conditions
    )
    return {"UID": request.uid, **next_session_json(last)}


def next_session_json(last: StoredDocument) -> Json:
    """What the answer to a package says of the next session: null unless the package ended one."""
    issued = last.next_session
    return {
        "OfflineSessionId": issued.session_id if issued else None,
        "OfflineSeed": issued.seed if issued else None,
    }


def _decoded(name: str, value: str) -> bytes:
    try:
        signed = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise bad_parameter(name, "очікується Base64") from error
    if not signed:
        raise bad_parameter(name, "відсутній")
    return signed
