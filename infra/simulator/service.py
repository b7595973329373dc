"""The tax service when nothing goes wrong: it opens, judges and registers documents.

Faults, HTTP and locking are around it, in ``simulator``.
"""

import base64
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from infra.simulator.answers import (
    Code,
    Refusal,
    invalid,
    register_absent,
    shift_held,
    shift_not_opened,
)
from infra.simulator.book import FIRST_FISCAL_NUMBER, Book, StoredDocument
from infra.simulator.case import Case
from infra.simulator.envelope import Envelope, Opened
from infra.simulator.figures import Kind, figures_of, kind_of
from infra.simulator.foreign import foreign_document
from infra.simulator.journal import Entry, Journal
from infra.simulator.judge import judge
from infra.simulator.registry import CompanyEntry, Registry
from infra.simulator.switches import Switches
from infra.simulator.tickets import ticket
from infra.simulator.xml_reader import Document, read_document

_REFUSALS_KEPT: Final = 10_000


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class Conditions:
    """What holds for one request only. ``now`` is the server's moment, skew included."""

    now: datetime
    access_withdrawn: bool = False
    register_closed: bool = False


@dataclass(frozen=True, slots=True)
class RefusedDocument:
    """A document that was refused, as far as it could be read."""

    at: datetime
    code: Code
    text: str
    register: str | None
    local_number: int | None
    uid: str | None


class TaxService:
    """Registry, book and judge together. Not thread-safe: its owner holds a lock."""

    def __init__(
        self,
        *,
        envelope: Envelope,
        switches: Switches,
        journal: Journal,
        first_fiscal_number: int = FIRST_FISCAL_NUMBER,
    ) -> None:
        self.envelope = envelope
        self.switches = switches
        self.refusals: deque[RefusedDocument] = deque(maxlen=_REFUSALS_KEPT)
        self.refusal_count = 0
        self._journal = journal
        self._first_fiscal_number = first_fiscal_number
        self.registry = Registry()
        self.book = Book(first_fiscal_number=first_fiscal_number)
        for entry in journal.entries():
            self._replay(entry)

    def set_up(self, company: CompanyEntry) -> None:
        """Register a company with its units, registers and keys.

        Raises: ValueError when a register belongs to another company already.
        """
        self._set_up(company)
        self._journal.append({"entry": "company", "company": company.model_dump(mode="json")})

    def close_register(self, register: str, *, closed: bool) -> None:
        """Cancel a register's registration, or bring it back. Raises: KeyError."""
        self.registry.close(register, closed=closed)
        self._journal.append({"entry": "closed", "register": register, "closed": closed})

    def withdraw_access(self, *, key_id: str, register: str, withdrawn: bool) -> None:
        """Take a key's access to a register away, or give it back."""
        self.registry.withdraw(key_id=key_id, register=register, withdrawn=withdrawn)
        self._journal.append(
            {"entry": "access", "key": key_id, "register": register, "withdrawn": withdrawn}
        )

    def remember_device(self, register: str) -> None:
        """Keep the device id a register's book got."""
        book = self.book.find(register)
        if book is not None:
            self._journal.append({"entry": "device", "register": register, "id": book.device_id})

    def reset(self, *, keep_registry: bool) -> None:
        """Forget all documents and numbers, and the registry too unless it is kept."""
        companies = self.registry.entries().companies if keep_registry else ()
        self._journal.clear()
        self.refusals.clear()
        self.refusal_count = 0
        self.registry = Registry()
        self.book = Book(first_fiscal_number=self._first_fiscal_number)
        for company in companies:
            self.set_up(company)

    def close(self) -> None:
        """Close the journal; nothing is accepted after that."""
        self._journal.close()

    def register(self, signed: bytes, conditions: Conditions) -> bytes:
        """Judge a signed document, take it into the book and answer with its ticket's XML.

        Raises: Refusal; what was refused is kept in ``refusals``.
        """
        document: Document | None = None
        try:
            opened = self.envelope.open(signed, at=conditions.now)
            document = read_document(opened.content)
            return self._registered(document, opened, signed, conditions)
        except Refusal as refusal:
            self._remember(refusal, document, at=conditions.now)
            raise

    def refusal_ticket(self, signed: bytes, refusal: Refusal, *, at: datetime) -> bytes | None:
        """The ticket form of a refusal, or None when the document could not even be read."""
        try:
            document = read_document(self.envelope.open(signed, at=at).content)
        except Refusal:
            return None
        return ticket(
            uid=document.uid,
            local_number=document.local_number,
            at=at,
            code=refusal.code,
            text=refusal.text,
        )

    def register_foreign(self, register: str, *, xml: bytes | None, at: datetime) -> StoredDocument:
        """Take a document of another device into the book, unjudged, in the shift owner's name.

        Without ``xml`` the smallest document that fits the register's state is made up.
        Raises: Refusal with code 1 for an unknown register, 4 or 5 when the state does not fit.
        """
        if xml is not None:
            document = read_document(xml)
        else:
            registered = self.registry.find(register)
            if registered is None:
                raise register_absent(register)
            document = foreign_document(registered, self.book.open(registered.register), at=at)
        case = self._case(document, key_id="", conditions=Conditions(now=at))
        shift = case.register_book.shift
        if shift is None and case.kind is not Kind.OPEN:
            raise shift_not_opened(document.register)
        if shift is not None and case.kind is Kind.OPEN:
            raise shift_held(
                code=Code.SHIFT_ALREADY_OPENED,
                register=document.register,
                name=shift.open_name,
                key_id=shift.open_key_id,
            )
        owner = case.registered.company.keys[0]
        case.key_id = shift.open_key_id if shift else owner.subject_key_id
        name = shift.open_name if shift else owner.name
        return self._enter(case, signed=self.envelope.seal(document.xml), signer_name=name)

    def _registered(
        self, document: Document, opened: Opened, signed: bytes, conditions: Conditions
    ) -> bytes:
        if not opened.is_timestamped and not document.is_offline:
            raise invalid("Підпис повинен містити позначку часу для підпису")
        case = self._case(document, key_id=opened.key_id, conditions=conditions)
        judge(case)
        stored = self._enter(case, signed=signed, signer_name=case.key.name)
        opens = stored.kind is Kind.OPEN and case.registered.register.offline_allowed
        return ticket(
            uid=document.uid,
            local_number=document.local_number,
            at=conditions.now,
            fiscal_number=stored.fiscal_number,
            session=case.register_book.session if opens else None,
        )

    def _case(self, document: Document, *, key_id: str, conditions: Conditions) -> Case:
        return Case(
            document=document,
            key_id=key_id,
            now=conditions.now,
            switches=self.switches,
            registry=self.registry,
            book=self.book,
            access_withdrawn=conditions.access_withdrawn,
            register_closed=conditions.register_closed,
        )

    def _enter(self, case: Case, *, signed: bytes, signer_name: str) -> StoredDocument:
        shift = case.register_book.shift
        stored = StoredDocument(
            register=case.document.register,
            document=case.document,
            kind=case.kind,
            figures=case.figures,
            signed=signed,
            fiscal_number=self.book.take_fiscal_number(),
            accepted_at=case.now,
            issued_at=case.document.issued_at,
            key_id=case.key_id,
            signer_name=signer_name,
            shift_id=shift.shift_id if shift else self.book.take_shift_id(),
            order=len(self.book.documents) + 1,
        )
        self.book.enter(stored)
        self._journal.append(_entry(stored))
        return stored

    def _remember(self, refusal: Refusal, document: Document | None, *, at: datetime) -> None:
        self.refusal_count += 1
        self.refusals.append(
            RefusedDocument(
                at=at,
                code=refusal.code,
                text=refusal.text,
                register=document.register if document else None,
                local_number=document.local_number if document else None,
                uid=document.uid if document else None,
            )
        )

    def _set_up(self, company: CompanyEntry) -> None:
        self.registry.put(company)
        for unit in company.units:
            for register in unit.registers:
                self.book.open(register)

    def _replay(self, entry: Entry) -> None:
        match entry["entry"]:
            case "company":
                self._set_up(CompanyEntry.model_validate(entry["company"]))
            case "closed":
                self.registry.close(entry["register"], closed=entry["closed"])
            case "access":
                self.registry.withdraw(
                    key_id=entry["key"], register=entry["register"], withdrawn=entry["withdrawn"]
                )
            case "device":
                book = self.book.find(entry["register"])
                assert book is not None, "a device is registered for a known register"
                book.device_id = entry["id"]
            case _:
                self.book.enter(_stored(entry))


def _entry(stored: StoredDocument) -> dict[str, Any]:
    return {
        "entry": "document",
        "signed": base64.b64encode(stored.signed).decode("ascii"),
        "xml": base64.b64encode(stored.document.xml).decode("ascii"),
        "fiscal_number": stored.fiscal_number,
        "accepted_at": stored.accepted_at.isoformat(),
        "key": stored.key_id,
        "name": stored.signer_name,
        "shift": stored.shift_id,
        "order": stored.order,
    }


def _stored(entry: dict[str, Any]) -> StoredDocument:
    document = read_document(base64.b64decode(entry["xml"]))
    kind = kind_of(document)
    assert kind is not None, "only documents of a known kind are entered"
    return StoredDocument(
        register=document.register,
        document=document,
        kind=kind,
        figures=figures_of(document),
        signed=base64.b64decode(entry["signed"]),
        fiscal_number=entry["fiscal_number"],
        accepted_at=datetime.fromisoformat(entry["accepted_at"]),
        issued_at=document.issued_at,
        key_id=entry["key"],
        signer_name=entry["name"],
        shift_id=entry["shift"],
        order=entry["order"],
    )
