"""What the administrator's API shows of the book: plain JSON."""

from collections.abc import Iterable

from infra.simulator.book import RegisterBook, StoredDocument
from infra.simulator.command_request import Json
from infra.simulator.service import RefusedDocument
from infra.simulator.simulator import Simulator
from infra.simulator.totals import totals_of
from infra.simulator.totals_json import totals_json
from infra.simulator.visualisation import visualised


def document_json(stored: StoredDocument, *, with_content: bool = False) -> Json:
    """One document; with content also its XML and its text form."""
    shown: Json = {
        "order": stored.order,
        "register": stored.register,
        "local_number": stored.local_number,
        "fiscal_number": stored.fiscal_number,
        "uid": stored.document.uid,
        "kind": stored.kind.value,
        "sum_kopecks": stored.figures.total,
        "due_kopecks": stored.figures.due,
        "issued_at": stored.issued_at.isoformat(),
        "accepted_at": stored.accepted_at.isoformat(),
        "key_id": stored.key_id,
        "signer_name": stored.signer_name,
        "shift_id": stored.shift_id,
        "is_testing": stored.document.is_testing,
        "is_offline": stored.document.is_offline,
        "is_revoked": stored.is_revoked,
        "is_storned": stored.is_storned,
    }
    if with_content:
        shown["xml"] = stored.document.xml.decode("windows-1251")
        shown["text"] = visualised(stored)
    return shown


def register_json(simulator: Simulator, book: RegisterBook) -> Json:
    """Where one register stands."""
    registered = simulator.registry.find(book.register)
    shift = book.shift
    return {
        "register": book.register,
        "unit": registered.unit.name if registered else None,
        "company": registered.company.name if registered else None,
        "is_closed": registered.register.closed if registered else None,
        "accepted_count": len(book.documents),
        "next_local_number": book.next_local_number,
        "device_id": book.device_id,
        "shift": None
        if shift is None
        else {
            "shift_id": shift.shift_id,
            "is_testing": shift.is_testing,
            "opened_at": shift.opened_at.isoformat(),
            "open_name": shift.open_name,
            "open_key_id": shift.open_key_id,
            "has_z_report": shift.z_report is not None,
        },
        "offline_session": {
            "session_id": book.session.session_id,
            "seed": str(book.session.seed),
            "next_number": book.session.next_number,
        },
    }


def book_json(simulator: Simulator, book: RegisterBook) -> Json:
    """One register with all its documents, in the order they were accepted."""
    shift = book.shift
    totals = totals_of(shift, switches=simulator.switches) if shift else None
    return {
        **register_json(simulator, book),
        "totals": totals_json(totals) if totals else None,
        "documents": [document_json(stored) for stored in book.documents],
    }


def refusals_json(refusals: Iterable[RefusedDocument]) -> list[Json]:
    """Refused documents, latest first."""
    return [
        {
            "at": refused.at.isoformat(),
            "code": int(refused.code),
            "name": refused.code.symbol,
            "text": refused.text,
            "register": refused.register,
            "local_number": refused.local_number,
            "uid": refused.uid,
        }
        for refused in reversed(list(refusals))
    ]


def overview_json(simulator: Simulator, *, documents: int) -> Json:
    """What the page shows: registers, the latest documents and refusals, the faults in force."""
    with simulator.lock:
        return {
            "now": simulator.now.isoformat(),
            "skew_seconds": simulator.skew_seconds,
            "accepted_count": len(simulator.book.documents),
            "refused_count": simulator.refusal_count,
            "is_cut_off": simulator.faults.is_cut_off,
            "faults": [each.model_dump(mode="json") for each in simulator.faults.standing],
            "registers": [register_json(simulator, book) for book in simulator.book.registers()],
            "documents": [
                document_json(stored) for stored in reversed(simulator.book.documents[-documents:])
            ],
            "refusals": refusals_json(simulator.refusals[-20:]),
        }
