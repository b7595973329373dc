"""One example of every event, and their stored form in tests/golden/events.

`python -m tests.event_examples` writes the golden file of each new event or class version. Files that exist are
never written again: what was stored once must load for ever.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from eventsourcing.domain import CanMutateAggregate

from domain.cashier import Cashier
from domain.company import BusinessUnit, Company
from domain.documents.receipt import PartPaymentKind, ReceiptKind
from domain.documents.shift import DocumentKind, OrderTotals, ShiftTotals, ZReport
from domain.drawer import DrawerSettings
from domain.identifiers import document_id, document_uid, return_stream_id, sold_receipt_id
from domain.money import Money, Quantity
from domain.network import NETWORK_ID, Network
from domain.register import events
from domain.register.aggregate import Register
from domain.register.state import RegisterSettings, Shift
from domain.return_outcome import Return, ReturnState
from domain.returns import SoldReceipt
from domain.sold_lines import TakenLine, sold_lines
from domain.taxes.rates import STANDARD_GROUPS
from infra.event_store.codec import LedgerMapper
from tests.examples import (
    DEPOSIT,
    ISSUE,
    PART_RETURN,
    PLAIN_SALE,
    PREPAYMENT,
    RETURN,
    RETURN_ELSEWHERE,
    RICH_SALE,
    SALE,
    SELLER,
    SETTLEMENT,
    STORNO,
    WITHDRAWAL,
)

FOLDER = Path(__file__).parent / "golden" / "events"

COMPANY_ID = UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d40001")
UNIT_ID = UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d40002")
REGISTER_ID = UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d40003")
CASHIER_ID = UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d40004")
SHIFT_ID = UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d40005")
CLOSING_ID = UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d40006")
Z_REPORT_ID = UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d40007")
FOREIGN_UID = UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d40008")
RECEIPT_ID = SALE.receipt_id
DOCUMENT_ID = document_id(RECEIPT_ID, number=0)

KEY_ID = "olena"
AT = datetime(2026, 11, 5, 8, 15, 4, tzinfo=UTC)
RECORDED_AT = datetime(2026, 11, 5, 8, 15, 4, 120_000, tzinfo=UTC)
SERVER_TIME = datetime(2026, 11, 5, 8, 15, 5, tzinfo=UTC)
TOTALS = ShiftTotals().with_sale(SALE)
SHIFT = Shift(
    shift_id=SHIFT_ID,
    number=12,
    cashier_id=CASHIER_ID,
    cashier_name="Приклад О. П.",
    key_id=KEY_ID,
    seller=SELLER,
    tax_groups=STANDARD_GROUPS,
    cash_step=Money(50),
    opened_at=AT,
    testing=False,
    opening_fiscal_number="3600000101",
)

_ADOPTED: dict[str, Any] = {
    "server_kind": "SaleGoods/CheckGoods",
    "xml_sha256": "ab" * 32,
    "subject_id": None,
    "kind": DocumentKind.SALE,
    "local_number": 504,
    "fiscal_number": "3600000104",
    "uid": document_uid(FOREIGN_UID),
    "at": AT,
    "receipt": None,
    "z_report": None,
    "in_shift": True,
    "testing": False,
    "shift": None,
}
_REGISTERED: dict[str, Any] = {
    "document_id": DOCUMENT_ID,
    "subject_id": RECEIPT_ID,
    "kind": DocumentKind.SALE,
    "local_number": 503,
    "fiscal_number": "3600000103",
    "server_time": SERVER_TIME,
    "at": AT,
    "learned": "ticket",
    "ticket_sha256": "c" * 64,
    "offline_session_id": "21999",
    "offline_seed": "881270455193",
}


def _first(event_class: type[Any], stream_id: UUID, **fields: Any) -> Any:
    """The event that begins a stream."""
    return event_class(
        originator_id=stream_id,
        originator_version=1,
        timestamp=RECORDED_AT,
        originator_topic=event_class.TOPIC.partition(".")[0],
        **fields,
    )


def _of(event_class: type[Any], stream_id: UUID = REGISTER_ID, **fields: Any) -> Any:
    """A later event."""
    return event_class(
        originator_id=stream_id, originator_version=2, timestamp=RECORDED_AT, **fields
    )


EVENTS: dict[str, Any] = {
    "network-established": _first(Network.Established, NETWORK_ID, name="Мережа «Калина»"),
    "network-renamed": _of(Network.Renamed, NETWORK_ID, name="Мережа «Калина плюс»"),
    "company-registered": _first(
        Company.Registered,
        COMPANY_ID,
        tax_id=SELLER.tax_id,
        vat_number=SELLER.vat_number,
        name=SELLER.name,
        tax_groups=STANDARD_GROUPS,
    ),
    "company-renamed": _of(
        Company.Renamed, COMPANY_ID, vat_number=None, name='ТОВ "Калина-Зразок"'
    ),
    "company-tax-groups-set": _of(Company.TaxGroupsSet, COMPANY_ID, tax_groups=STANDARD_GROUPS[:2]),
    "business-unit-registered": _first(
        BusinessUnit.Registered,
        UNIT_ID,
        company_id=COMPANY_ID,
        name=SELLER.unit_name,
        address=SELLER.unit_address,
    ),
    "business-unit-renamed": _of(
        BusinessUnit.Renamed, UNIT_ID, name='Магазин "Калина-2"', address=None
    ),
    "cashier-enrolled": _first(
        Cashier.Enrolled, CASHIER_ID, company_id=COMPANY_ID, name="Приклад О. П."
    ),
    "cashier-key-assigned": _of(Cashier.KeyAssigned, CASHIER_ID, key_id=KEY_ID),
    "sold-receipt-issued": _first(
        SoldReceipt.Issued,
        sold_receipt_id(RECEIPT_ID),
        register_id=REGISTER_ID,
        receipt_id=RECEIPT_ID,
        lines=sold_lines(SALE),
        total=SALE.total,
    ),
    "sold-receipt-corrected": _of(
        SoldReceipt.Corrected,
        sold_receipt_id(RECEIPT_ID),
        lines=sold_lines(PLAIN_SALE),
        total=PLAIN_SALE.total,
    ),
    "sold-receipt-reserved": _of(
        SoldReceipt.Reserved,
        sold_receipt_id(RECEIPT_ID),
        return_id=RETURN.receipt_id,
        register_id=REGISTER_ID,
        sold_register_id=REGISTER_ID,
        sold_receipt_id=RECEIPT_ID,
        lines=(TakenLine(number=2, quantity=Quantity(1000), cost=Money(2748)),),
        adopted=False,
        at=RECORDED_AT,
        pays=None,
    ),
    "sold-receipt-issued-prepayment": _first(
        SoldReceipt.Issued,
        sold_receipt_id(PREPAYMENT.receipt_id),
        register_id=REGISTER_ID,
        receipt_id=PREPAYMENT.receipt_id,
        lines=sold_lines(PREPAYMENT),
        total=PREPAYMENT.total,
    ),
    "sold-receipt-reserved-payment": _of(
        SoldReceipt.Reserved,
        sold_receipt_id(PREPAYMENT.receipt_id),
        return_id=SETTLEMENT.receipt_id,
        register_id=REGISTER_ID,
        sold_register_id=REGISTER_ID,
        sold_receipt_id=PREPAYMENT.receipt_id,
        lines=tuple(
            TakenLine(number=number, quantity=Quantity(0), cost=line.due)
            for number, line in enumerate(SETTLEMENT.lines, start=1)
        ),
        adopted=False,
        at=RECORDED_AT,
        pays=PartPaymentKind.FINAL,
    ),
    "sold-receipt-confirmed": _of(
        SoldReceipt.Confirmed,
        sold_receipt_id(RECEIPT_ID),
        return_id=RETURN.receipt_id,
        at=RECORDED_AT,
    ),
    "sold-receipt-released": _of(
        SoldReceipt.Released,
        sold_receipt_id(RECEIPT_ID),
        return_id=RETURN.receipt_id,
        at=RECORDED_AT,
    ),
    "return-begun": _first(
        Return.Begun,
        return_stream_id(RETURN.receipt_id),
        register_id=REGISTER_ID,
        receipt_id=RETURN.receipt_id,
        original_register_id=REGISTER_ID,
        original_receipt_id=RECEIPT_ID,
        original_kind=ReceiptKind.SALE,
        state=ReturnState.ISSUED,
    ),
    "return-outcome-recorded-given-back": _of(
        Return.OutcomeRecorded,
        return_stream_id(SETTLEMENT.receipt_id),
        receipt_id=SETTLEMENT.receipt_id,
        state=ReturnState.GIVEN_BACK,
    ),
    "return-outcome-recorded": _of(
        Return.OutcomeRecorded,
        return_stream_id(RETURN.receipt_id),
        receipt_id=RETURN.receipt_id,
        state=ReturnState.REGISTERED,
    ),
    "sold-receipt-voided": _of(SoldReceipt.Voided, sold_receipt_id(RECEIPT_ID), at=AT),
    "registered": _first(
        events.Registered,
        REGISTER_ID,
        company_id=COMPANY_ID,
        business_unit_id=UNIT_ID,
        fiscal_number="4000777001",
        local_number=7,
        name="Каса 7",
        live=True,
        settings=RegisterSettings(),
    ),
    "settings-changed": _of(
        events.SettingsChanged,
        settings=RegisterSettings(opens_with_first_sale=True, cash_step=Money(10)),
    ),
    "settings-changed-drawer": _of(
        events.SettingsChanged,
        settings=RegisterSettings(
            drawer=DrawerSettings(empties_before_z=True, withdrawal_maximum=Money(500_000))
        ),
    ),
    "shift-opened": _of(
        events.ShiftOpened,
        shift_id=SHIFT_ID,
        number=12,
        cashier_id=CASHIER_ID,
        cashier_name="Приклад О. П.",
        key_id=KEY_ID,
        seller=SELLER,
        tax_groups=STANDARD_GROUPS,
        cash_step=Money(50),
        opened_at=AT,
        testing=False,
    ),
    "receipt-issued": _of(events.ReceiptIssued, shift_id=SHIFT_ID, receipt=SALE),
    "receipt-issued-return": _of(events.ReceiptIssued, shift_id=SHIFT_ID, receipt=RETURN),
    "receipt-issued-return-elsewhere": _of(
        events.ReceiptIssued, shift_id=SHIFT_ID, receipt=RETURN_ELSEWHERE
    ),
    "receipt-issued-storno": _of(events.ReceiptIssued, shift_id=SHIFT_ID, receipt=STORNO),
    "receipt-issued-plain": _of(events.ReceiptIssued, shift_id=SHIFT_ID, receipt=PLAIN_SALE),
    "receipt-issued-rich": _of(events.ReceiptIssued, shift_id=SHIFT_ID, receipt=RICH_SALE),
    "receipt-issued-prepayment": _of(events.ReceiptIssued, shift_id=SHIFT_ID, receipt=PREPAYMENT),
    "receipt-issued-settlement": _of(events.ReceiptIssued, shift_id=SHIFT_ID, receipt=SETTLEMENT),
    "receipt-issued-part-return": _of(events.ReceiptIssued, shift_id=SHIFT_ID, receipt=PART_RETURN),
    "receipt-issued-deposit": _of(events.ReceiptIssued, shift_id=SHIFT_ID, receipt=DEPOSIT),
    "receipt-issued-issue": _of(events.ReceiptIssued, shift_id=SHIFT_ID, receipt=ISSUE),
    "receipt-issued-withdrawal": _of(events.ReceiptIssued, shift_id=SHIFT_ID, receipt=WITHDRAWAL),
    "receipt-corrected": _of(
        events.ReceiptCorrected, receipt=replace(PLAIN_SALE, receipt_id=RECEIPT_ID)
    ),
    "receipt-voided": _of(
        events.ReceiptVoided, receipt_id=RECEIPT_ID, reason="покупець пішов", voided_at=AT
    ),
    "document-signed": _of(
        events.DocumentSigned,
        document_id=DOCUMENT_ID,
        subject_id=RECEIPT_ID,
        kind=DocumentKind.SALE,
        local_number=503,
        key_id=KEY_ID,
        at=AT,
        xml_sha256="a" * 64,
        signed_sha256="b" * 64,
    ),
    "attempt-begun": _of(
        events.AttemptBegun,
        document_id=DOCUMENT_ID,
        attempt=1,
        epoch=41,
        begun_at=RECORDED_AT,
        stamped_sha256="d" * 64,
    ),
    "attempt-ended": _of(events.AttemptEnded, document_id=DOCUMENT_ID, reason="unreachable"),
    "outcome-unknown": _of(events.OutcomeUnknown, document_id=DOCUMENT_ID, reason="no-answer"),
    "document-absent": _of(events.DocumentAbsent, document_id=DOCUMENT_ID),
    "document-registered": _of(events.DocumentRegistered, **_REGISTERED),
    "document-registered-by-inquiry": _of(
        events.DocumentRegistered,
        **_REGISTERED
        | {
            "server_time": None,
            "learned": "inquiry",
            "ticket_sha256": None,
            "offline_session_id": None,
            "offline_seed": None,
        },
    ),
    "document-refused": _of(
        events.DocumentRefused,
        document_id=DOCUMENT_ID,
        subject_id=RECEIPT_ID,
        kind=DocumentKind.SALE,
        local_number=503,
        server_code=9,
        text="Помилка валідації XML",
    ),
    "document-withdrawn": _of(
        events.DocumentWithdrawn,
        document_id=DOCUMENT_ID,
        subject_id=RECEIPT_ID,
        reason="number-taken",
        disagreement=True,
    ),
    "document-adopted-sale": _of(
        events.DocumentAdopted,
        **_ADOPTED | {"subject_id": RECEIPT_ID, "receipt": SALE},
    ),
    "document-adopted-deposit": _of(
        events.DocumentAdopted,
        **_ADOPTED | {"kind": DocumentKind.SERVICE_DEPOSIT, "receipt": DEPOSIT},
    ),
    "document-adopted-z-report": _of(
        events.DocumentAdopted,
        **_ADOPTED | {"kind": DocumentKind.Z_REPORT, "z_report": ZReport(Z_REPORT_ID, TOTALS)},
    ),
    "document-adopted-opening": _of(
        events.DocumentAdopted,
        **_ADOPTED | {"kind": DocumentKind.SHIFT_OPENING, "in_shift": False, "shift": SHIFT},
    ),
    "state-needed": _of(events.StateNeeded, reason="number-taken"),
    "server-state-read": _of(
        events.ServerStateRead,
        next_local_number=504,
        shift_open=True,
        open_shift_fiscal_number="3600000101",
        offline_supported=True,
        offline_session_id="21999",
        offline_seed="881270455193",
    ),
    "drawer-counted": _of(
        events.DrawerCounted,
        shift_id=SHIFT_ID,
        counted=Money(97_000),
        expected=Money(97_250),
        difference=Money(-250),
        counted_at=RECORDED_AT,
    ),
    "closing-begun": _of(
        events.ClosingBegun,
        shift_id=SHIFT_ID,
        closing_id=CLOSING_ID,
        z_report_id=Z_REPORT_ID,
        requested_at=RECORDED_AT,
    ),
    "z-report-made": _of(
        events.ZReportMade,
        shift_id=SHIFT_ID,
        z_report=ZReport(Z_REPORT_ID, TOTALS),
        ours=ShiftTotals(sales=OrderTotals()),
        server=TOTALS,
        differences=("sales.count", "sales.total", "sales.payments", "sales.taxes"),
        made_at=RECORDED_AT,
    ),
    "z-report-made-withdrawals": _of(
        events.ZReportMade,
        shift_id=SHIFT_ID,
        z_report=ZReport(Z_REPORT_ID, TOTALS.with_receipt(WITHDRAWAL)),
        ours=TOTALS,
        server=TOTALS.with_receipt(WITHDRAWAL),
        differences=("withdrawals",),
        made_at=RECORDED_AT,
    ),
    "shift-closed": _of(
        events.ShiftClosed,
        shift_id=SHIFT_ID,
        number=12,
        closed_at=RECORDED_AT,
        totals=TOTALS,
        opening_fiscal_number="3600000101",
        z_fiscal_number="3600000110",
        closing_fiscal_number="3600000111",
    ),
    "lane-parked": _of(
        events.LaneWasParked,
        reason="transport-key",
        server_code=2,
        text="Ключ не зареєстровано",
        at=RECORDED_AT,
    ),
    "lane-resumed": _of(
        events.LaneResumed, by="admin", reason="ключ зареєстровано", at=RECORDED_AT
    ),
}
"""Examples by name. Events whose optional parts matter have more than one."""

STREAMS: Sequence[type[Any]] = (
    Network,
    Company,
    BusinessUnit,
    Cashier,
    SoldReceipt,
    Return,
    Register,
)
"""Every aggregate."""


def event_classes() -> set[type[Any]]:
    """Every class of events that can be recorded; `Event` is a base, `Created` is the library's own default.

    Streams hold their events as attributes; a register's stand in a package of their own.
    """
    return {
        value
        for holder in (*STREAMS, events)
        for name, value in vars(holder).items()
        if isinstance(value, type)
        and issubclass(value, CanMutateAggregate)
        and name not in ("Event", "Created")
    }


def golden_of(name: str) -> Path:
    """The golden file of an example at its class version now."""
    version = getattr(type(EVENTS[name]), "class_version", 1)
    return FOLDER / f"{name}.v{version}.json"


def stored_form(event: Any) -> dict[str, Any]:
    """The topic and the JSON of an event, as they are stored."""
    mapper = LedgerMapper()
    stored = mapper.to_stored_event(event)
    assert mapper.compressor is not None
    return {
        "topic": stored.topic,
        "stream_id": str(stored.originator_id),
        "version": stored.originator_version,
        "state": orjson.loads(mapper.compressor.decompress(stored.state)),
    }


def write_missing() -> list[Path]:
    """Write the golden files that are not there yet; return them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    missing = [name for name in EVENTS if not golden_of(name).exists()]
    for name in missing:
        text = orjson.dumps(stored_form(EVENTS[name]), option=orjson.OPT_INDENT_2)
        golden_of(name).write_bytes(text + b"\n")
    return [golden_of(name) for name in missing]


if __name__ == "__main__":
    for path in write_missing():
        print(path.name)
