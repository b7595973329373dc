"""The simulated tax service, in process: what the HTTP shell and tests talk to.

Each request passes the faults in force, then the service. A connection that ends without an answer
is an exception of ``replies``; the HTTP shell turns it into a socket that really closes.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from infra.signing.timestamp import TimestampAuthority
from infra.simulator.answers import Code, Refusal
from infra.simulator.book import FIRST_FISCAL_NUMBER, Book
from infra.simulator.endpoints import TEXT, Endpoints, Request
from infra.simulator.envelope import Envelope
from infra.simulator.faults import Disturbance, Fault, FaultKind, Faults
from infra.simulator.journal import Journal, NoJournal
from infra.simulator.package import PackagePost
from infra.simulator.registry import CompanyEntry, Registry
from infra.simulator.replies import (
    AnswerLost,
    ConnectionRefusedBySimulator,
    ConnectionResetBySimulator,
    Reply,
    SilenceBySimulator,
    date_header,
)
from infra.simulator.service import Clock, Conditions, RefusedDocument, TaxService
from infra.simulator.sniffing import register_of
from infra.simulator.stored_document import StoredDocument
from infra.simulator.switches import Switches


class Simulator:
    """A tax service with a clock, a registry, a book, switches and faults. Safe for threads."""

    def __init__(
        self,
        *,
        clock: Clock,
        envelope: Envelope,
        authority: TimestampAuthority | None = None,
        switches: Switches | None = None,
        journal: Journal | None = None,
        first_fiscal_number: int = FIRST_FISCAL_NUMBER,
    ) -> None:
        """Start from what ``journal`` holds; without ``authority`` time-stamps answer 503."""
        self._clock = clock
        self._service = TaxService(
            envelope=envelope,
            switches=switches or Switches(),
            journal=journal or NoJournal(),
            first_fiscal_number=first_fiscal_number,
        )
        self._endpoints = Endpoints(self._service, authority=authority)
        self._lock = threading.RLock()
        self._late: dict[int, Callable[[], Reply]] = {}
        self._late_count = 0
        self.faults = Faults()
        self.skew_seconds = 0.0

    # --- the protocol -----------------------------------------------------------------------------

    def doc(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """POST /fs/doc: one signed document. ``headers`` have lower-case names.

        Raises: NoReply when a fault ends the connection.
        """
        return self.handle(Request("doc", body, headers))

    def package(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """POST /fs/pck: an offline package, signed around its documents. Raises: NoReply."""
        return self.handle(Request("pck", body, headers))

    def cmd(
        self, body: bytes, headers: Mapping[str, str], *, result_as_json: bool = False
    ) -> Reply:
        """POST /fs/cmd: one command, signed or bare. Raises: NoReply."""
        return self.handle(Request("cmd", body, headers, result_as_json=result_as_json))

    def timestamp(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """POST /tsa: an RFC 3161 time-stamp request. Raises: NoReply."""
        return self.handle(Request("tsa", body, headers))

    def handle(self, request: Request) -> Reply:
        """Any of the four. Raises: NoReply when a fault ends the connection."""
        with self._lock:
            register = register_of(request.body, request.headers)
            disturbance = Disturbance(self.faults.strike(request.resource, register))
            if disturbance.has(FaultKind.NUMBER_TAKEN) and register is not None:
                self._take_number(register)
            reply = self._disturbed(request, disturbance)
            now = self._conditions(disturbance).now
            return Reply(
                status=reply.status,
                body=reply.body,
                headers={**reply.headers, "date": date_header(now)},
                delay_seconds=disturbance.delay_seconds,
            )

    def process_late(self, late: int | None = None) -> list[Reply]:
        """Process a request a fault held back, or all of them; their answers reach nobody."""
        with self._lock:
            chosen = list(self._late) if late is None else [late]
            return [self._late.pop(each)() for each in chosen if each in self._late]

    # --- the administrator ------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The server's moment, standing skew included; aware, in UTC."""
        return self._clock.now() + timedelta(seconds=self.skew_seconds)

    @property
    def lock(self) -> threading.RLock:
        """Held while a request is processed; take it to read several things of one moment."""
        return self._lock

    @property
    def switches(self) -> Switches:
        """The switches in force."""
        return self._service.switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        with self._lock:
            self._service.switches = switches

    @property
    def book(self) -> Book:
        """What was accepted."""
        return self._service.book

    @property
    def registry(self) -> Registry:
        """Who is registered."""
        return self._service.registry

    @property
    def refusals(self) -> list[RefusedDocument]:
        """The latest refused documents, oldest first; injected refusals are not among them."""
        with self._lock:
            return list(self._service.refusals)

    @property
    def packages(self) -> list[PackagePost]:
        """The latest offline packages that could be opened, oldest first."""
        with self._lock:
            return list(self._service.packages)

    @property
    def refusal_count(self) -> int:
        """How many documents were refused since the last reset."""
        return self._service.refusal_count

    def set_up(self, company: CompanyEntry) -> None:
        """Register a company, or replace what was known of it. Raises: ValueError."""
        with self._lock:
            self._service.set_up(company)

    def close_register(self, register: str, *, closed: bool = True) -> None:
        """Cancel a register's registration, or bring it back. Raises: KeyError."""
        with self._lock:
            self._service.close_register(register, closed=closed)

    def block_register(self, register: str, *, blocked: bool = True) -> None:
        """Block a register, or unblock it. Raises: KeyError."""
        with self._lock:
            self._service.block_register(register, blocked=blocked)

    def allow_offline(self, register: str, *, allowed: bool = True) -> None:
        """Allow a register to work offline, or forbid it. Raises: KeyError."""
        with self._lock:
            self._service.allow_offline(register, allowed=allowed)

    def withdraw_access(self, *, key_id: str, register: str, withdrawn: bool = True) -> None:
        """Take a key's access to a register away, or give it back."""
        with self._lock:
            self._service.withdraw_access(key_id=key_id, register=register, withdrawn=withdrawn)

    def register_foreign(self, register: str, *, xml: bytes | None = None) -> StoredDocument:
        """Register a document as if another device had sent it: the XML given, or a made-up one.

        Raises: Refusal when the register is unknown or the document does not fit its state.
        """
        with self._lock:
            return self._service.register_foreign(register, xml=xml, at=self.now)

    def reset(self, *, keep_registry: bool = True) -> None:
        """Forget documents, numbers and faults, and the registry too unless it is kept."""
        with self._lock:
            self._service.reset(keep_registry=keep_registry)
            self.faults.clear()
            self.faults.forget()
            self._late.clear()
            self.skew_seconds = 0.0

    def close(self) -> None:
        """Close the journal; nothing can be accepted after that."""
        with self._lock:
            self._service.close()

    # --- one request ------------------------------------------------------------------------------

    def _disturbed(self, request: Request, disturbance: Disturbance) -> Reply:
        fault = disturbance.disruption

        def honestly(*, wrong_uid: bool = False) -> Reply:
            return self._endpoints.answer(
                request, self._conditions(disturbance), wrong_uid=wrong_uid
            )

        if fault is None or (fault.kind is FaultKind.REFUSE_CODE and fault.document is not None):
            return honestly()
        if fault.kind is FaultKind.REFUSE_CODE:
            code = Code(fault.code)
            refusal = Refusal(code, fault.text or code.symbol)
            return self._endpoints.refuse(request, self._conditions(disturbance), refusal)
        if fault.kind is FaultKind.SERVER_ERROR:
            return _server_error(fault)
        self._break_before(fault, honestly)
        reply = honestly(wrong_uid=fault.kind is FaultKind.WRONG_TICKET_UID)
        if fault.kind is FaultKind.DUPLICATE:
            second = honestly()
            return reply if fault.answer == "first" else second
        return _broken_after(fault, reply)

    def _break_before(self, fault: Fault, honestly: Callable[[], Reply]) -> None:
        match fault.kind:
            case FaultKind.REFUSE:
                raise ConnectionRefusedBySimulator
            case FaultKind.RESET:
                raise ConnectionResetBySimulator
            case FaultKind.SILENT_BEFORE:
                raise SilenceBySimulator(fault.seconds, processed=False)
            case FaultKind.LATE:
                self._late_count += 1
                self._late[self._late_count] = honestly
                raise SilenceBySimulator(fault.seconds, processed=False, late=self._late_count)
            case _:
                pass

    def _conditions(self, disturbance: Disturbance) -> Conditions:
        fault, refused = disturbance.disruption, None
        if fault is not None and fault.kind is FaultKind.REFUSE_CODE and fault.document is not None:
            code = Code(fault.code)
            refused = fault.document, Refusal(code, fault.text or code.symbol)
        return Conditions(
            now=self.now + timedelta(seconds=disturbance.skew_seconds),
            access_withdrawn=disturbance.has(FaultKind.ACCESS_WITHDRAWN),
            register_closed=disturbance.has(FaultKind.REGISTER_CLOSED),
            register_blocked=disturbance.has(FaultKind.REGISTER_BLOCKED),
            refused_document=refused,
        )

    def _take_number(self, register: str) -> None:
        book = self.book.find(register)
        if book is not None and not book.session.is_open:
            self._service.register_foreign(register, xml=None, at=self.now)


def _broken_after(fault: Fault, reply: Reply) -> Reply:
    match fault.kind:
        case FaultKind.ANSWER_LOST:
            raise AnswerLost
        case FaultKind.SILENT_AFTER:
            raise SilenceBySimulator(fault.seconds, processed=True)
        case FaultKind.SERVER_ERROR_AFTER:
            return _server_error(fault)
        case FaultKind.TRUNCATED:
            return Reply(reply.status, reply.body[: len(reply.body) // 2], reply.headers)
        case _:
            return reply


def _server_error(fault: Fault) -> Reply:
    return Reply(fault.status, (fault.text or "").encode("utf-8"), TEXT if fault.text else {})
