"""Documents another device would have sent: what a client finds in its register's numbering.

Made for the fault "number taken": the smallest document that fits the register's state.
"""

import uuid
from datetime import datetime
from xml.sax.saxutils import escape

from infra.simulator.book import RegisterBook
from infra.simulator.kyiv import KYIV
from infra.simulator.registry import Registered
from infra.simulator.xml_reader import Document, read_document


def foreign_document(registered: Registered, book: RegisterBook, *, at: datetime) -> Document:
    """A service deposit of 1.00 in an open shift, its closing after a Z-report, or the opening of one.

    ``at`` is the moment it pretends to be made, aware.
    """
    shift = book.shift
    if shift is None:
        return _document(registered, book, document_type=100, at=at, is_testing=False)
    document_type = 0 if shift.z_report is None else 101
    return _document(
        registered, book, document_type=document_type, at=at, is_testing=shift.is_testing
    )


def _document(
    registered: Registered,
    book: RegisterBook,
    *,
    document_type: int,
    at: datetime,
    is_testing: bool,
) -> Document:
    local = at.astimezone(KYIV)
    last = book.last_document
    # Never before the last document, or the client's own next one could not follow.
    issued_at = local.replace(tzinfo=None)
    if last is not None:
        issued_at = max(issued_at, last.issued_at)
    is_deposit = document_type == 0
    elements = {
        "DOCTYPE": str(document_type),
        "DOCSUBTYPE": "2" if is_deposit else None,
        "UID": str(uuid.uuid4()).upper(),
        "TIN": registered.company.tin,
        "IPN": registered.company.ipn,
        "ORGNM": registered.company.name,
        "POINTNM": registered.unit.name,
        "POINTADDR": registered.unit.address,
        "ORDERDATE": f"{issued_at:%d%m%Y}",
        "ORDERTIME": f"{issued_at:%H%M%S}",
        "ORDERNUM": str(book.next_local_number),
        "CASHDESKNUM": str(registered.register.local_number),
        "CASHREGISTERNUM": registered.register.fiscal_number,
        "CASHIER": "Інший пристрій",
        "VER": "1",
        "TESTING": "true" if is_testing else None,
    }
    head = "".join(
        f"<{name}>{escape(value)}</{name}>" for name, value in elements.items() if value is not None
    )
    total = "<CHECKTOTAL><SUM>1.00</SUM></CHECKTOTAL>" if is_deposit else ""
    xml = (
        '<?xml version="1.0" encoding="windows-1251"?>'
        f"<CHECK><CHECKHEAD>{head}</CHECKHEAD>{total}</CHECK>"
    )
    return read_document(xml.encode("windows-1251"))
