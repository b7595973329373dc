"""The book: what the simulated tax service has accepted, register by register.

Numbers, shifts and documents change in ``RegisterBook.enter`` only, after the judge has agreed.
Entering decides nothing, so that a journal can be entered again at the next start. Documents leave
again, latest first, when a package is refused or the end of a session is rolled back.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from infra.simulator.figures import Kind
from infra.simulator.offline_session import FINANCIAL, OfflineSession
from infra.simulator.registry import RegisterEntry
from infra.simulator.stored_document import IssuedSession, StoredDocument
from infra.simulator.xml_reader import Document, flag, part, text

FIRST_FISCAL_NUMBER: Final = 3_600_000_101
_FIRST_SHIFT_ID: Final = 7_712_340
_FIRST_SESSION_ID: Final = 21_999
_SEED_FLOOR: Final = 10**14


@dataclass(slots=True)
class Shift:
    """One shift, from the opening document to the closing one."""

    shift_id: int
    is_testing: bool
    opened_at: datetime
    open_name: str
    open_key_id: str
    open_fiscal_number: str
    first_local_number: int
    documents: list[StoredDocument] = field(default_factory=list)
    z_report: StoredDocument | None = None
    closing: StoredDocument | None = None


class RegisterBook:
    """All that is known of one register."""

    def __init__(self, *, entry: RegisterEntry, session: OfflineSession) -> None:
        self.register = entry.fiscal_number
        self.next_local_number = entry.next_local_number
        self.sessions = [session]
        self.device_id: str | None = None
        self.shift: Shift | None = None
        self.shifts: list[Shift] = []
        self.documents: list[StoredDocument] = []
        self.by_local_number: dict[int, StoredDocument] = {}
        self.by_fiscal_number: dict[str, StoredDocument] = {}

    @property
    def session(self) -> OfflineSession:
        """The offline session that is open or would be used next."""
        return self.sessions[-1]

    @property
    def last_document(self) -> StoredDocument | None:
        """The document accepted last, whatever shift it belongs to."""
        return self.documents[-1] if self.documents else None

    def enter(self, stored: StoredDocument) -> None:
        """Take an accepted document into the book and move the register's state."""
        revoked = revocation_of(self, stored.document)
        if revoked is not None:
            self._mark_revoked(revoked, is_revoked=True)
        if stored.kind is Kind.OPEN:
            self.shift = Shift(
                shift_id=stored.shift_id,
                is_testing=stored.document.is_testing,
                opened_at=stored.happened_at,
                open_name=stored.signer_name,
                open_key_id=stored.key_id,
                open_fiscal_number=stored.fiscal_number,
                first_local_number=stored.local_number,
            )
            self.shifts.append(self.shift)
        if stored.kind is Kind.STORNO:
            self._storned_by(stored).is_storned = True
        self.documents.append(stored)
        self.by_local_number[stored.local_number] = stored
        self.by_fiscal_number[stored.fiscal_number] = stored
        self.next_local_number = stored.local_number + 1
        if self.shift is not None:
            self._enter_in_shift(self.shift, stored)
        if stored.offline is not None:
            self.session.documents.append(stored)
            if stored.next_session is not None:
                self.sessions.append(OfflineSession(stored.next_session))

    def leave(self) -> StoredDocument:
        """Take the last document out again, with all that entering it changed."""
        stored = self.documents.pop()
        del self.by_local_number[stored.local_number]
        del self.by_fiscal_number[stored.fiscal_number]
        self.next_local_number = stored.local_number
        if stored.next_session is not None:
            self.sessions.pop()
        if stored.offline is not None:
            self.session.documents.pop()
        if stored.kind is Kind.STORNO:
            self._storned_by(stored).is_storned = False
        if stored.kind is Kind.OPEN:
            self.shift = None
            self.shifts.pop()
        elif self.shifts and self.shifts[-1].documents[-1] is stored:
            self._leave_shift(self.shifts[-1], stored)
        revoked = revocation_of(self, stored.document)
        if revoked is not None:
            self._mark_revoked(revoked, is_revoked=False)
        return stored

    def _enter_in_shift(self, shift: Shift, stored: StoredDocument) -> None:
        shift.documents.append(stored)
        if stored.kind is Kind.Z_REPORT:
            shift.z_report = stored
        elif stored.kind is Kind.CLOSE:
            shift.closing = stored
            self.shift = None

    def _leave_shift(self, shift: Shift, stored: StoredDocument) -> None:
        shift.documents.pop()
        if stored.kind is Kind.Z_REPORT:
            shift.z_report = None
        elif stored.kind is Kind.CLOSE:
            shift.closing = None
            self.shift = shift

    def _mark_revoked(self, revoked: StoredDocument, *, is_revoked: bool) -> None:
        revoked.is_revoked = is_revoked
        if revoked.kind is Kind.STORNO:
            self._storned_by(revoked).is_storned = not is_revoked
        if revoked.kind is Kind.Z_REPORT:
            self.shifts[-1].z_report = None if is_revoked else revoked

    def _storned_by(self, storno: StoredDocument) -> StoredDocument:
        return self.by_fiscal_number[text(storno.document.head, "ORDERSTORNUM") or ""]


def revocation_of(book: RegisterBook, begin: Document) -> StoredDocument | None:
    """The online document an "offline begin" revokes: the last one, if it moved money in this shift."""
    last = book.last_document
    if not flag(begin.head, "REVOKELASTONLINEDOC") or last is None or book.shift is None:
        return None
    is_online = last.offline is None
    return last if is_online and last.kind in FINANCIAL else None


class Book:
    """The registers' books and the three sequences they share."""

    def __init__(self, *, first_fiscal_number: int = FIRST_FISCAL_NUMBER) -> None:
        self._next_fiscal_number = first_fiscal_number
        self._next_shift_id = _FIRST_SHIFT_ID
        self._next_session_id = _FIRST_SESSION_ID
        self._registers: dict[str, RegisterBook] = {}
        self._by_fiscal_number: dict[str, StoredDocument] = {}
        self._returns: dict[str, list[StoredDocument]] = {}
        self._payments: dict[str, list[StoredDocument]] = {}
        self.documents: list[StoredDocument] = []

    def open(self, entry: RegisterEntry) -> RegisterBook:
        """The register's book, begun when it is first asked for."""
        book = self._registers.get(entry.fiscal_number)
        if book is None:
            book = RegisterBook(entry=entry, session=self._session_for(entry))
            self._registers[entry.fiscal_number] = book
        return book

    def registers(self) -> list[RegisterBook]:
        """All books, in the order they were begun."""
        return list(self._registers.values())

    def find(self, register: str) -> RegisterBook | None:
        """The register's book, or None when there is none."""
        return self._registers.get(register)

    def take_fiscal_number(self) -> str:
        """The next number of the one growing sequence."""
        number = self._next_fiscal_number
        self._next_fiscal_number += 1
        return str(number)

    def take_session(self, register: str) -> IssuedSession:
        """The next offline session for a register."""
        return self._issue(register, session_id=self._next_session_id, seed=None)

    def take_shift_id(self) -> int:
        """The next shift id."""
        shift_id = self._next_shift_id
        self._next_shift_id += 1
        return shift_id

    def enter(self, stored: StoredDocument) -> None:
        """Take an accepted document into the register's book and into the common list."""
        self._registers[stored.register].enter(stored)
        self.documents.append(stored)
        self._by_fiscal_number[stored.fiscal_number] = stored
        returned = text(stored.document.head, "ORDERRETNUM")
        if returned:
            self._returns.setdefault(returned, []).append(stored)
        prepayment = text(part(stored.document.content, "CHECKTOTAL"), "PARTPAYORDPREPAYNUM")
        if prepayment and stored.kind is Kind.SALE:
            self._payments.setdefault(prepayment, []).append(stored)
        self._next_shift_id = max(self._next_shift_id, stored.shift_id + 1)
        if stored.next_session is not None:
            issued = stored.next_session.session_id
            self._next_session_id = max(self._next_session_id, issued + 1)
        if stored.fiscal_number.isdecimal():
            self._next_fiscal_number = max(self._next_fiscal_number, int(stored.fiscal_number) + 1)

    def leave(self, register: str) -> StoredDocument:
        """Take a register's last document out again; numbers given out stay used."""
        stored = self._registers[register].leave()
        self.documents.remove(stored)
        del self._by_fiscal_number[stored.fiscal_number]
        returned = text(stored.document.head, "ORDERRETNUM")
        if returned:
            self._returns[returned].remove(stored)
        for payments in self._payments.values():
            if stored in payments:
                payments.remove(stored)
        return stored

    def find_document(self, fiscal_number: str) -> StoredDocument | None:
        """A document by its fiscal number, whichever register sent it."""
        return self._by_fiscal_number.get(fiscal_number)

    def returns_of(self, fiscal_number: str) -> list[StoredDocument]:
        """The returns that name this receipt, whichever register sent them."""
        return self._returns.get(fiscal_number, [])

    def payments_on(self, fiscal_number: str) -> list[StoredDocument]:
        """The later payments that name this prepayment, whichever register sent them."""
        return self._payments.get(fiscal_number, [])

    def _session_for(self, entry: RegisterEntry) -> OfflineSession:
        session_id = entry.offline_session_id
        if session_id is None:
            session_id = self._next_session_id
        issued = self._issue(entry.fiscal_number, session_id=session_id, seed=entry.offline_seed)
        return OfflineSession(issued)

    def _issue(self, register: str, *, session_id: int, seed: int | None) -> IssuedSession:
        self._next_session_id = max(self._next_session_id, session_id + 1)
        if seed is None:
            # About 15 digits, as real ones; from the id, so that a replayed journal agrees.
            digest = hashlib.sha256(f"{session_id}/{register}".encode()).digest()
            seed = _SEED_FLOOR + int.from_bytes(digest[:8], "big") % (9 * _SEED_FLOOR)
        return IssuedSession(session_id=session_id, seed=seed)
