"""Commands about the server, the registry and a register's state."""

import base64
from typing import Final

from infra.simulator.answers import bad_parameter
from infra.simulator.book import RegisterBook
from infra.simulator.command_request import CommandRequest, Json, timestamp
from infra.simulator.offline_session import month_duration, whole_minutes
from infra.simulator.registry import CompanyEntry, KeyEntry, Registered, UnitEntry
from infra.simulator.schema_files import schema_file

_DEVICE_ID_LENGTH: Final = 64
_MADE_UP_ENTITY: Final = 9_900_000
_MADE_UP_OBJECT: Final = 32_100_000


def server_state(request: CommandRequest) -> Json:
    """ServerState: the server answers, and what time it has."""
    return {"UID": request.uid, "Timestamp": timestamp(request.now)}


def schemas(request: CommandRequest) -> Json:
    """Schemas: written from our own tables, not copies of the official files."""
    return {
        "UID": request.uid,
        "XsdSchemaCheck": base64.b64encode(schema_file("CHECK")).decode("ascii"),
        "XsdSchemaZRep": base64.b64encode(schema_file("ZREP")).decode("ascii"),
    }


def objects(request: CommandRequest) -> Json | None:
    """Objects: units and registers the signing key may work with; None when there are none."""
    units = [
        _tax_object(request, company=company, unit=unit, key=key)
        for company, key in request.registry.companies_of(request.key_id)
        for unit in company.units
    ]
    units = [unit for unit in units if unit["TransactionsRegistrars"]]
    if not units:
        return None
    return {"UID": request.uid, "TaxObjects": units}


def operators(request: CommandRequest) -> Json | None:
    """Operators: all keys of the taxpayer the signing key belongs to."""
    companies = request.registry.companies_of(request.key_id)
    if not companies:
        return None
    company, _ = companies[0]
    return {
        "UID": request.uid,
        "Tin": company.tin,
        "Operators": [
            {
                "SubjectKeyId": key.subject_key_id,
                "RegNum": key.registration_number,
                "ChiefCashier": key.is_chief,
            }
            for key in company.keys
        ],
    }


def registrar_state(request: CommandRequest) -> Json | None:
    """TransactionsRegistrarState; None when the register is unknown to the signing key."""
    register = request.register_number()
    registered = request.registry.find(register)
    key = request.right(register)
    if registered is None or key is None:
        return None
    book = request.book.open(registered.register)
    shift = book.shift
    tax_object = None
    if request.flag("IncludeTaxObject"):
        tax_object = _tax_object(request, company=registered.company, unit=registered.unit, key=key)
    return {
        "UID": request.uid,
        "Timestamp": timestamp(request.now),
        "ShiftState": 1 if shift else 0,
        "ShiftId": shift.shift_id if shift else 0,
        "OpenShiftFiscalNum": shift.open_fiscal_number if shift else None,
        "ZRepPresent": shift is not None and shift.z_report is not None,
        "Testing": shift is not None and shift.is_testing,
        "Name": shift.open_name if shift else None,
        "SubjectKeyId": shift.open_key_id if shift else None,
        "FirstLocalNum": shift.first_local_number if shift else 0,
        "NextLocalNum": book.next_local_number,
        "LastFiscalNum": shift.documents[-1].fiscal_number if shift else None,
        "OfflineSupported": registered.register.offline_allowed,
        "ChiefCashier": key.is_chief,
        **_offline(request, registered=registered, book=book),
        "Closed": request.register_closed or registered.register.closed,
        "TaxObject": tax_object,
    }


def device_register(request: CommandRequest) -> Json:
    """DeviceRegister: the device that stands in the book, overwritten only when forced."""
    book = request.register_book()
    device_id = request.string("DeviceId")
    if device_id is None or len(device_id) != _DEVICE_ID_LENGTH:
        raise bad_parameter("DeviceId", f"очікується {_DEVICE_ID_LENGTH} символи")
    if book.device_id is None or request.flag("Forced"):
        book.device_id = device_id
    return {"UID": request.uid, "DeviceId": book.device_id}


def _offline(request: CommandRequest, *, registered: Registered, book: RegisterBook) -> Json:
    """The Offline… group: null when offline is not allowed or the key is not entitled."""
    session, counted_to = book.session, request.switches.offline_counted_to
    month = month_duration(book.sessions, at=request.now, counted_to=counted_to)
    shown: Json = {
        "OfflineSessionId": session.session_id,
        "OfflineSeed": session.seed,
        "OfflineNextLocalNum": session.next_number,
        "OfflineSessionDuration": whole_minutes(session.duration(counted_to=counted_to)),
        "OfflineSessionsMonthlyDuration": whole_minutes(month),
        "OfflineSessionRolledBack": session.rolled_back_by is not None,
        "OfflineSessionRollbackCmdUID": session.rolled_back_by,
    }
    if registered.register.offline_allowed and sees_offline(request, book):
        return shown
    return dict.fromkeys(shown)


def sees_offline(request: CommandRequest, book: RegisterBook) -> bool:
    """Whether the asking key is shown sessions: the one that opened the shift, and any chief's."""
    key = request.right(book.register)
    is_opener = book.shift is not None and book.shift.open_key_id == request.key_id
    return key is not None and (is_opener or key.is_chief)


def _tax_object(
    request: CommandRequest, *, company: CompanyEntry, unit: UnitEntry, key: KeyEntry
) -> Json:
    position = company.units.index(unit)
    return {
        "Entity": unit.entity or _MADE_UP_ENTITY + position + 1,
        "TaxObjGuid": unit.guid,
        "TaxObjId": unit.object_id or _MADE_UP_OBJECT + position + 1,
        "SingleTax": company.single_tax,
        "Name": unit.name,
        "Address": unit.address,
        "Tin": company.tin,
        "Ipn": company.ipn,
        "OrgName": company.name,
        "ChiefCashier": key.is_chief,
        "TransactionsRegistrars": [
            {
                "NumFiscal": int(register.fiscal_number),
                "NumLocal": register.local_number,
                "Name": register.name,
                "Closed": request.register_closed or register.closed,
            }
            for register in unit.registers
            if request.right(register.fiscal_number) is not None
        ],
    }
