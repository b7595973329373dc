"""What the administrator's API shows of the book: plain JSON."""

from collections.abc import Iterable

from infra.simulator.book import RegisterBook
from infra.simulator.command_request import Json
from infra.simulator.offline_session import month_duration, whole_minutes
from infra.simulator.package import PackagePost
from infra.simulator.service import RefusedDocument
from infra.simulator.simulator import Simulator
from infra.simulator.stored_document import StoredDocument
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
        "is_blocked": registered.register.blocked if registered else None,
        "offline_allowed": registered.register.offline_allowed if registered else None,
        "offline_session": _session_json(simulator, book),
    }


def _session_json(simulator: Simulator, book: RegisterBook) -> Json:
    session, counted_to = book.session, simulator.switches.offline_counted_to
    month = month_duration(book.sessions, at=simulator.now, counted_to=counted_to)
    return {
        "session_id": session.session_id,
        "seed": str(session.seed),
        "next_number": session.next_number,
        "is_open": session.is_open,
        "document_count": len(session.documents),
        "minutes": whole_minutes(session.duration(counted_to=counted_to)),
        "month_minutes": whole_minutes(month),
        "ended_count": sum(1 for each in book.sessions if each.is_ended),
    }


def packages_json(packages: Iterable[PackagePost]) -> list[Json]:
    """Packages that came, latest first."""
    return [
        {
            "at": package.at.isoformat(),
            "register": package.register,
            "byte_count": package.byte_count,
            "document_count": package.document_count,
            "accepted_count": package.accepted_count,
            "code": int(package.code),
            "name": package.code.symbol,
            "text": package.text,
        }
        for package in reversed(list(packages))
    ]


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
            "packages": packages_json(simulator.packages[-20:]),
            "refusals": refusals_json(simulator.refusals[-20:]),
        }
