"""The tax service when nothing goes wrong: it opens, judges and registers documents.

Faults, HTTP and locking are around it, in ``simulator``.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from infra.simulator.answers import (
    Code,
    Refusal,
    access_not_granted,
    invalid,
    register_absent,
    session_is_open,
    shift_held,
    shift_not_opened,
)
from infra.simulator.book import FIRST_FISCAL_NUMBER, Book
from infra.simulator.case import Case
from infra.simulator.entries import document_entry, stored_document
from infra.simulator.envelope import Envelope, Opened
from infra.simulator.figures import Kind
from infra.simulator.foreign import foreign_document
from infra.simulator.journal import Entry, Journal
from infra.simulator.judge import judge
from infra.simulator.offline_numbers import read_offline_number
from infra.simulator.package import PackagePost, Packed
from infra.simulator.registry import CompanyEntry, Registry
from infra.simulator.sniffing import register_of
from infra.simulator.stored_document import StoredDocument
from infra.simulator.switches import Switches
from infra.simulator.tickets import ticket
from infra.simulator.xml_reader import Document, read_document, text

_REFUSALS_KEPT: Final = 10_000
_PACKAGES_KEPT: Final = 1_000


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
    register_blocked: bool = False
    refused_document: tuple[int, Refusal] | None = None
    """Index of a package's document that a fault refuses, and with what."""


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
        self.packages: deque[PackagePost] = deque(maxlen=_PACKAGES_KEPT)
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

    def block_register(self, register: str, *, blocked: bool) -> None:
        """Block a register, or unblock it. Raises: KeyError."""
        self.registry.block(register, blocked=blocked)
        self._journal.append({"entry": "blocked", "register": register, "blocked": blocked})

    def allow_offline(self, register: str, *, allowed: bool) -> None:
        """Allow a register to work offline, or forbid it. Raises: KeyError."""
        self.registry.allow_offline(register, allowed=allowed)
        self._journal.append({"entry": "offline", "register": register, "allowed": allowed})

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
        self.packages.clear()
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
            opened = self.open(signed, at=conditions.now)
            document = read_document(opened.content)
            return self._registered(document, opened, signed, conditions)
        except Refusal as refusal:
            self._remember(refusal, document, at=conditions.now)
            raise

    def open(self, message: bytes, *, at: datetime) -> Opened:
        """A signed message opened, its digest judged by the switch. Raises: Refusal."""
        opened = self.envelope.open(message, at=at)
        if opened.has_kupyna_digest and self.switches.kupyna_digests == "refuse":
            raise Refusal(Code.CRYPTOGRAPHY_ERROR, f"Невідомий алгоритм: {opened.digest_oid}")
        return opened

    def register_package(
        self, documents: list[Packed], *, signer: Opened, byte_count: int, conditions: Conditions
    ) -> StoredDocument:
        """Judge a package's documents one after another and take them into the book; the last one.

        Raises: Refusal naming the document; by the switch none stay, or those before it.
        """
        taken: list[StoredDocument] = []
        refusal: Refusal | None = None
        try:
            for packed in documents:
                taken.append(self._packed(packed, documents, taken, signer, conditions))
        except Refusal as error:
            refusal = error
            if self.switches.package_refused == "all":
                while taken:
                    self.book.leave(taken.pop().register)
        if taken:
            self._journal.append(
                {"entry": "package", "documents": [document_entry(stored) for stored in taken]}
            )
        self.packages.append(
            PackagePost(
                at=conditions.now,
                register=register_of(documents[0].signed, {}),
                byte_count=byte_count,
                document_count=len(documents),
                accepted_count=len(taken),
                code=refusal.code if refusal else Code.OK,
                text=refusal.text if refusal else "",
            )
        )
        if refusal is not None:
            raise refusal
        return taken[-1]

    def roll_back_end(
        self, register: str, *, session_id: int, seed: int | None, uid: str | None
    ) -> None:
        """Take back the end of the session named, if it was the register's last act and the switch says so."""
        book = self.book.find(register)
        last = book.last_document if book else None
        if book is None or last is None or last.next_session is None:
            return
        ended = book.sessions[-2]
        is_named = ended.session_id == session_id and ended.seed == seed
        if not is_named or self.switches.session_rollback == "off":
            return
        count = 1
        if self.switches.session_rollback == "package":
            count = sum(1 for each in ended.documents if each.accepted_at == last.accepted_at)
        self._take_back(register, count=count, uid=uid or "")
        self._journal.append(
            {"entry": "rolled-back", "register": register, "count": count, "uid": uid or ""}
        )

    def _take_back(self, register: str, *, count: int, uid: str) -> None:
        for _ in range(count):
            self.book.leave(register)
        book = self.book.find(register)
        assert book is not None, "a session is rolled back in a known register"
        book.session.rolled_back_by = uid

    def _packed(
        self,
        packed: Packed,
        documents: list[Packed],
        taken: list[StoredDocument],
        signer: Opened,
        conditions: Conditions,
    ) -> StoredDocument:
        """One document of a package, judged and entered. Raises: Refusal."""
        document: Document | None = None
        try:
            if conditions.refused_document and conditions.refused_document[0] == packed.index:
                raise conditions.refused_document[1]
            opened = self.open(packed.signed, at=conditions.now)
            document = read_document(opened.content)
            case = self._case(
                document, key_id=opened.key_id, conditions=conditions, in_package=True
            )
            if taken and document.register != taken[0].register:
                raise _package_refusal("Пакет містить документи різних ПРРО")
            if case.kind is Kind.OFFLINE_END and packed is not documents[-1]:
                raise _package_refusal("«Завершення офлайн сесії» повинно бути останнім у пакеті")
            judge(case)
        except Refusal as refusal:
            wrapped = packed.refused(refusal)
            self._remember(wrapped, document, at=conditions.now)
            raise wrapped from refusal
        if not taken:
            # The outer signature can be made anew, so its refusal names no document.
            self._check_sender(case, signer)
        return self._enter(case, signed=packed.signed, signer_name=case.key.name)

    def _check_sender(self, case: Case, signer: Opened) -> None:
        """A package is signed by the key that opened the shift, a senior cashier or the head."""
        register = case.document.register
        right = self.registry.right(key_id=signer.key_id, register=register)
        if right is None or case.access_withdrawn:
            raise access_not_granted(register=register, key_id=signer.key_id)
        shift = case.register_book.shift
        if shift is not None and signer.key_id != shift.open_key_id and not right.is_chief:
            raise access_not_granted(register=register, key_id=signer.key_id)

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
        if case.register_book.session.is_open:
            raise session_is_open(document.register)
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
            session=case.register_book.session.issued if opens else None,
        )

    def _case(
        self,
        document: Document,
        *,
        key_id: str,
        conditions: Conditions,
        in_package: bool = False,
    ) -> Case:
        return Case(
            document=document,
            key_id=key_id,
            now=conditions.now,
            switches=self.switches,
            registry=self.registry,
            book=self.book,
            access_withdrawn=conditions.access_withdrawn,
            register_closed=conditions.register_closed,
            register_blocked=conditions.register_blocked,
            in_package=in_package,
        )

    def _enter(self, case: Case, *, signed: bytes, signer_name: str) -> StoredDocument:
        stored = self._as_stored(case, signed=signed, signer_name=signer_name)
        self.book.enter(stored)
        if not case.in_package:
            self._journal.append({"entry": "document", **document_entry(stored)})
        return stored

    def _as_stored(self, case: Case, *, signed: bytes, signer_name: str) -> StoredDocument:
        shift_id = case.register_book.shift.shift_id if case.register_book.shift else 0
        offline_number = text(case.document.head, "ORDERTAXNUM") if case.in_package else None
        ends = offline_number is not None and case.kind is Kind.OFFLINE_END
        last = self.book.documents[-1] if self.book.documents else None
        return StoredDocument(
            register=case.document.register,
            document=case.document,
            kind=case.kind,
            figures=case.figures,
            signed=signed,
            fiscal_number=offline_number or self.book.take_fiscal_number(),
            accepted_at=case.now,
            issued_at=case.document.issued_at,
            key_id=case.key_id,
            signer_name=signer_name,
            shift_id=self.book.take_shift_id() if case.kind is Kind.OPEN else shift_id,
            order=last.order + 1 if last else 1,
            offline=read_offline_number(offline_number) if offline_number else None,
            next_session=self.book.take_session(case.document.register) if ends else None,
        )

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
            case "blocked":
                self.registry.block(entry["register"], blocked=entry["blocked"])
            case "offline":
                self.registry.allow_offline(entry["register"], allowed=entry["allowed"])
            case "package":
                for document in entry["documents"]:
                    self.book.enter(stored_document(document))
            case "rolled-back":
                self._take_back(entry["register"], count=entry["count"], uid=entry["uid"])
            case "access":
                self.registry.withdraw(
                    key_id=entry["key"], register=entry["register"], withdrawn=entry["withdrawn"]
                )
            case "device":
                book = self.book.find(entry["register"])
                assert book is not None, "a device is registered for a known register"
                book.device_id = entry["id"]
            case _:
                self.book.enter(stored_document(entry))


def _package_refusal(reason: str) -> Refusal:
    return Refusal(Code.PACKAGE_VALIDATION_ERROR, reason)
