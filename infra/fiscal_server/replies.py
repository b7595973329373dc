"""JSON answers of commands (reference §6) as pydantic models, and what they are to the domain.

Reading is lenient where captures differ: numbers come as text or as integers, lists as null, fields are missing.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from domain.answers import (
    DocumentEntry,
    OperatorEntry,
    RegisterEntry,
    RegistrarState,
    ShiftEntry,
    TaxObject,
)
from infra.fiscal_server.moments import Moment

_CLASSES = {"0": "Check", "1": "ZRep"}
_TYPES = {
    "0": "SaleGoods",
    "1": "TransferFunds",
    "2": "CurrencyExchange",
    "3": "CashWithdrawal",
    "100": "OpenShift",
    "101": "CloseShift",
    "102": "OfflineBegin",
    "103": "OfflineEnd",
}
_SUBTYPES = {
    "0": "CheckGoods",
    "1": "CheckReturn",
    "2": "ServiceDeposit",
    "3": "AdditionalDeposit",
    "4": "ServiceIssue",
    "5": "CheckStorno",
}


def _named(names: dict[str, str]) -> BeforeValidator:
    """Return a validator that turns a number, as early answers have it, into the name."""
    return BeforeValidator(
        lambda value: None if value is None else names.get(str(value), str(value))
    )


def or_empty(value: Any) -> Any:
    """Return a list, or nothing for the null that stands for an empty one."""
    return () if value is None else value


def _or_false(value: Any) -> Any:
    return False if value is None else value


Flag = Annotated[bool, BeforeValidator(_or_false)]


class Reply(BaseModel):
    """An answer of the server; fields nobody needs are ignored."""

    model_config = ConfigDict(
        alias_generator=to_pascal,
        validate_by_name=True,
        extra="ignore",
        frozen=True,
        coerce_numbers_to_str=True,
    )


class ServerStateReply(Reply):
    """Answer of `ServerState`."""

    timestamp: Moment


class SchemasReply(Reply):
    """Answer of `Schemas`: Base64 of the schema files."""

    xsd_schema_check: str
    xsd_schema_z_rep: str


class RegisterPart(Reply):
    """A register inside a tax object."""

    num_fiscal: str
    num_local: int
    name: str | None = None
    closed: Flag = False


class TaxObjectPart(Reply):
    """A business unit."""

    tax_obj_id: int
    single_tax: Flag = False
    name: str
    address: str | None = None
    tin: str
    ipn: str | None = None
    org_name: str
    chief_cashier: Flag = False
    transactions_registrars: Annotated[tuple[RegisterPart, ...], BeforeValidator(or_empty)] = ()

    def to_domain(self) -> TaxObject:
        """Return the unit with its registers; names are kept to the letter."""
        return TaxObject(
            unit_id=self.tax_obj_id,
            name=self.name,
            address=self.address or "",
            tax_id=self.tin,
            vat_number=self.ipn or None,
            company_name=self.org_name,
            single_tax=self.single_tax,
            senior_cashier=self.chief_cashier,
            registers=tuple(
                RegisterEntry(
                    fiscal_number=part.num_fiscal,
                    local_number=part.num_local,
                    name=part.name or "",
                    closed=part.closed,
                )
                for part in self.transactions_registrars
            ),
        )


class ObjectsReply(Reply):
    """Answer of `Objects`."""

    tax_objects: Annotated[tuple[TaxObjectPart, ...], BeforeValidator(or_empty)] = ()


class OperatorPart(Reply):
    """A key that the service knows."""

    subject_key_id: str
    reg_num: str | None = None
    chief_cashier: Flag = False


class OperatorsReply(Reply):
    """Answer of `Operators`."""

    operators: Annotated[tuple[OperatorPart, ...], BeforeValidator(or_empty)] = ()

    def to_domain(self) -> tuple[OperatorEntry, ...]:
        """Return the keys in the server's order."""
        return tuple(
            OperatorEntry(
                subject_key_id=part.subject_key_id,
                registration_number=part.reg_num,
                senior_cashier=part.chief_cashier,
            )
            for part in self.operators
        )


class RegistrarStateReply(Reply):
    """Answer of `TransactionsRegistrarState`."""

    shift_state: int
    shift_id: int | None = None
    open_shift_fiscal_num: str | None = None
    z_rep_present: Flag = False
    testing: Flag = False
    name: str | None = None
    subject_key_id: str | None = None
    first_local_num: int | None = None
    next_local_num: int
    last_fiscal_num: str | None = None
    offline_supported: Flag = False
    chief_cashier: Flag = False
    offline_session_id: str | None = None
    offline_seed: str | None = None
    offline_next_local_num: int | None = None
    offline_session_duration: int | None = None
    offline_sessions_monthly_duration: int | None = None
    offline_session_rolled_back: Flag = False
    # The service writes the last word in capitals, which the names made from ours do not have.
    offline_session_rollback_cmd_uid: Annotated[
        str | None, Field(alias="OfflineSessionRollbackCmdUID")
    ] = None
    closed: Flag = False
    tax_object: TaxObjectPart | None = None

    def to_domain(self) -> RegistrarState:
        """Return the state; what the server writes as empty text is absent."""
        return RegistrarState(
            shift_open=self.shift_state == 1,
            shift_id=self.shift_id or None,
            open_shift_fiscal_number=self.open_shift_fiscal_num or None,
            z_report_present=self.z_rep_present,
            testing=self.testing,
            opener_name=self.name or None,
            opener_key_id=self.subject_key_id or None,
            first_local_number=self.first_local_num or 0,
            next_local_number=self.next_local_num,
            last_fiscal_number=self.last_fiscal_num or None,
            offline_supported=self.offline_supported,
            senior_cashier=self.chief_cashier,
            offline_session_id=self.offline_session_id or None,
            offline_seed=self.offline_seed or None,
            offline_next_number=self.offline_next_local_num,
            offline_session_minutes=self.offline_session_duration,
            offline_month_minutes=self.offline_sessions_monthly_duration,
            offline_session_rolled_back=self.offline_session_rolled_back,
            closed=self.closed,
            tax_object=None if self.tax_object is None else self.tax_object.to_domain(),
            offline_rollback_command_uid=self.offline_session_rollback_cmd_uid or None,
        )


class ShiftPart(Reply):
    """A shift in a list."""

    shift_id: int
    open_shift_fiscal_num: str
    close_shift_fiscal_num: str | None = None
    testing: Flag = False
    opened: Moment | None = None
    open_name: str | None = None
    open_subject_key_id: str | None = None
    closed: Moment | None = None
    close_name: str | None = None
    close_subject_key_id: str | None = None
    z_rep_fiscal_num: str | None = None


class ShiftsReply(Reply):
    """Answer of `Shifts`."""

    shifts: Annotated[tuple[ShiftPart, ...], BeforeValidator(or_empty)] = ()

    def to_domain(self) -> tuple[ShiftEntry, ...]:
        """Return the shifts in the server's order."""
        return tuple(
            ShiftEntry(
                shift_id=part.shift_id,
                open_fiscal_number=part.open_shift_fiscal_num,
                close_fiscal_number=part.close_shift_fiscal_num or None,
                testing=part.testing,
                opened_at=part.opened,
                opener_name=part.open_name,
                opener_key_id=part.open_subject_key_id,
                closed_at=part.closed,
                closer_name=part.close_name,
                closer_key_id=part.close_subject_key_id,
                z_report_fiscal_number=part.z_rep_fiscal_num or None,
            )
            for part in self.shifts
        )


class DocumentPart(Reply):
    """A document in a list, or the answer of `DocumentInfoByLocalNum`, which has no local number."""

    num_fiscal: str
    num_local: int | None = None
    doc_date_time: Moment | None = None
    doc_class: Annotated[str, _named(_CLASSES)]
    check_doc_type: Annotated[str | None, _named(_TYPES)] = None
    check_doc_sub_type: Annotated[str | None, _named(_SUBTYPES)] = None
    revoked: Flag = False
    storned: Flag = False

    def to_domain(self, *, local_number: int | None = None) -> DocumentEntry:
        """Return the document; `local_number` is the one asked for. Raises: ValueError without any."""
        number = self.num_local if local_number is None else local_number
        if number is None:
            raise ValueError("NumLocal is missing")
        return DocumentEntry(
            fiscal_number=self.num_fiscal,
            local_number=number,
            at=self.doc_date_time,
            is_z_report=self.doc_class == "ZRep",
            kind=self.check_doc_type,
            subkind=self.check_doc_sub_type,
            revoked=self.revoked,
            storned=self.storned,
        )


class DocumentsReply(Reply):
    """Answer of `Documents`."""

    documents: Annotated[tuple[DocumentPart, ...], BeforeValidator(or_empty)] = ()


class CopyReply(Reply):
    """Answer of `CheckExt` and `ZRepExt`; the code was seen as a number and is described as a name."""

    data: str | None = None
    result_code: Annotated[
        str,
        _named(
            {
                "0": "Ok",
                "1": "OnlineDocumentAbsent",
                "2": "OfflineNumberReserved",
                "3": "OfflineNumberNotReserved",
                "4": "TransactionsRegistrarNotRegistered",
                "5": "DocumentAbsent",
            }
        ),
    ]
    result_text: str | None = None


class TicketReply(Reply):
    """Answer of `SendDocument`: Base64 of the ticket."""

    ticket: str


class PackageReply(Reply):
    """Answer of `SendOflPackage`; both are there when the package ended the session."""

    offline_session_id: str | None = None
    offline_seed: str | None = None


class DeviceReply(Reply):
    """Answer of `DeviceRegister`: the device the server has on record."""

    device_id: str
