"""The fiscal server over HTTP: documents and all commands of the protocol (reference §1, §6)."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from domain.answers import (
    DocumentEntry,
    NextOfflineSession,
    OperatorEntry,
    PackageAnswer,
    RegistrarState,
    ServerShiftTotals,
    ShiftEntry,
    TaxObject,
    Ticket,
)
from domain.clock import KYIV, Clock, SystemClock
from domain.errors import Refused
from domain.ports import Signer
from domain.readings import DEFAULT_READINGS, Readings, ReturnRounding
from infra.fiscal_server import replies
from infra.fiscal_server.answers import refused
from infra.fiscal_server.commands import (
    BINARY,
    Commands,
    from_base64,
    not_understood,
    raise_refusal,
    read_reply,
    to_base64,
)
from infra.fiscal_server.envelope import ServerEnvelope, is_signed
from infra.fiscal_server.packages import frame, next_session, package_refused, read_package_answer
from infra.fiscal_server.tickets import read_ticket
from infra.fiscal_server.totals import ShiftTotalsReply
from infra.fiscal_server.transport import Carrier, Transport
from infra.signing.suites import SUITES, SuiteRegistry
from infra.signing.trust import TrustAnchors

MAX_MESSAGE_BYTES = 200 * 1024
"""Size of a signed message that must never be exceeded (reference §1.1)."""

_TOO_LARGE = 413
_REGISTER_ABSENT = 1
_COPY_ORIGINAL = 1


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schema files in force at the server."""

    check: bytes
    z_report: bytes


@dataclass(frozen=True, slots=True)
class SignedCopy:
    """A document signed by the server: the message as received, and the XML inside."""

    raw: bytes
    xml: bytes


class FiscalServerClient:
    """`domain.ports.FiscalServer` over anything that carries requests. Safe to share between threads."""

    def __init__(
        self,
        transport: Carrier,
        *,
        signer: Signer,
        ticket_trust: TrustAnchors | None,
        ticket_signer_code: str | None = None,
        errors_as_json: bool = True,
        readings: Readings = DEFAULT_READINGS,
        clock: Clock | None = None,
        suites: SuiteRegistry = SUITES,
    ) -> None:
        """Speak the protocol through `transport`.

        `signer` signs commands. `ticket_trust` and `ticket_signer_code` say whose tickets are believed, see
        `ServerEnvelope`. `errors_as_json` asks for refusals of commands as JSON; both forms are understood.
        `readings` says which sign the rounding of returns has.
        """
        self._clock = clock if clock is not None else SystemClock()
        self._envelope = ServerEnvelope(
            trust=ticket_trust, signer_code=ticket_signer_code, suites=suites
        )
        self._transport = transport
        self._signer = signer
        self._returns_turned = readings.return_rounding is ReturnRounding.OPPOSITE
        self._commands = Commands(
            transport,
            signer=signer,
            envelope=self._envelope,
            clock=self._clock,
            errors_as_json=errors_as_json,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of all threads."""
        self._transport.close()

    @property
    def skew_seconds(self) -> float | None:
        """The server's clock minus ours, to about a second; None before the first answer."""
        return self._transport.skew_seconds

    # --- documents -------------------------------------------------------------------------------

    def submit(self, signed: bytes) -> Ticket:
        """Send one signed and time-stamped document; return the verified ticket."""
        _check_size(signed)
        answer = self._transport.post("/doc", signed, content_type=BINARY)
        if is_signed(answer.body):
            # A signed ticket counts whatever the status: refusals may come that way too.
            return self._ticket(answer.body)
        raise_refusal(answer)
        raise not_understood("/doc")

    def submit_package(self, documents: Sequence[bytes], *, key_id: str) -> PackageAnswer:
        """Send signed offline documents of one session as one package, in the order of their local numbers.

        The key signs the package; the signature has no time-stamp, as those of offline documents need none.
        """
        signed = self._signer.sign(key_id=key_id, content=frame(documents))
        try:
            _check_size(signed)
            answer = self._transport.post("/pck", signed, content_type=BINARY)
            if not is_signed(answer.body):
                raise_refusal(answer)
            content = self._envelope.content_of(answer.body, place="/pck", at=self._clock.now())
            return read_package_answer(content, raw=answer.body)
        except Refused as refusal:
            raise package_refused(refusal) from refusal

    def send_document(self, signed: bytes) -> Ticket:
        """Send one document by the command `SendDocument`; return the verified ticket."""
        _check_size(signed)
        fields = self._commands.fields("SendDocument", Document=to_base64(signed))
        reply = read_reply(replies.TicketReply, fields, command="SendDocument")
        return self._ticket(from_base64(reply.ticket, command="SendDocument"))

    def send_offline_package(
        self, documents: Sequence[bytes], *, key_id: str
    ) -> NextOfflineSession | None:
        """Send signed offline documents in the order of their numbers (`SendOflPackage`).

        Returns the next session's data when the package ended the session, else None.
        """
        fields = self._commands.fields(
            "SendOflPackage", key_id=key_id, Documents=[to_base64(one) for one in documents]
        )
        if fields is None:
            return None
        return next_session(fields, command="SendOflPackage")

    def _ticket(self, signed: bytes) -> Ticket:
        content = self._envelope.opened(signed, place="ticket", at=self._clock.now())
        return read_ticket(content, raw=signed)

    # --- the service and the registry ------------------------------------------------------------

    def server_time(self) -> datetime:
        """Return the service's clock (`ServerState`); the cheapest probe."""
        fields = self._commands.fields("ServerState")
        return read_reply(replies.ServerStateReply, fields, command="ServerState").timestamp

    def schemas(self) -> Schemas:
        """Return the schema files in force (`Schemas`)."""
        fields = self._commands.fields("Schemas")
        reply = read_reply(replies.SchemasReply, fields, command="Schemas")
        return Schemas(
            check=from_base64(reply.xsd_schema_check, command="Schemas"),
            z_report=from_base64(reply.xsd_schema_z_rep, command="Schemas"),
        )

    def objects(self, *, key_id: str) -> tuple[TaxObject, ...]:
        """Return the units and registers the key may work with; empty when there are none."""
        fields = self._commands.fields("Objects", key_id=key_id)
        if fields is None:
            return ()
        reply = read_reply(replies.ObjectsReply, fields, command="Objects")
        return tuple(part.to_domain() for part in reply.tax_objects)

    def operators(self, *, key_id: str) -> tuple[OperatorEntry, ...]:
        """Return the keys of the taxpayer whose code is in the signing certificate."""
        fields = self._commands.fields("Operators", key_id=key_id)
        if fields is None:
            return ()
        return read_reply(replies.OperatorsReply, fields, command="Operators").to_domain()

    def register_device(
        self, *, key_id: str, register: str, device_id: str, forced: bool = False
    ) -> str:
        """Record the device a register runs on, 64 characters; return the one on record.

        Another than the one sent means that the register runs elsewhere; `forced` overwrites it.
        """
        fields = self._commands.fields(
            "DeviceRegister", key_id=key_id, NumFiscal=register, DeviceId=device_id, Forced=forced
        )
        return read_reply(replies.DeviceReply, fields, command="DeviceRegister").device_id

    # --- a register ------------------------------------------------------------------------------

    def registrar_state(
        self,
        *,
        key_id: str,
        register: str,
        offline_session_id: str | None = None,
        offline_seed: str | None = None,
        include_tax_object: bool = False,
    ) -> RegistrarState | None:
        """Return the register's state; None when the key may not see it."""
        fields = self._commands.fields(
            "TransactionsRegistrarState",
            key_id=key_id,
            NumFiscal=register,
            OfflineSessionId=offline_session_id,
            OfflineSeed=offline_seed,
            IncludeTaxObject=include_tax_object,
        )
        if fields is None:
            return None
        command = "TransactionsRegistrarState"
        return read_reply(replies.RegistrarStateReply, fields, command=command).to_domain()

    def document_info(
        self, *, key_id: str, register: str, local_number: int
    ) -> DocumentEntry | None:
        """Return what the service has under a local number; None when nothing."""
        command = "DocumentInfoByLocalNum"
        fields = self._commands.fields(
            command, key_id=key_id, NumFiscal=register, NumLocal=local_number
        )
        if fields is None:
            return None
        reply = read_reply(replies.DocumentPart, fields, command=command)
        return reply.to_domain(local_number=local_number)

    def document_xml(
        self, *, key_id: str, register: str, fiscal_number: str, is_z_report: bool
    ) -> bytes | None:
        """Return the document's original XML (`CheckExt`, `ZRepExt`); None when it is not there."""
        command = "ZRepExt" if is_z_report else "CheckExt"
        fields = self._commands.fields(
            command,
            # Checks may be read by anybody who knows their number; a Z-report asks for a key.
            key_id=key_id if is_z_report else None,
            RegistrarNumFiscal=register,
            NumFiscal=fiscal_number,
            Type=_COPY_ORIGINAL,
        )
        if fields is None:
            return None
        reply = read_reply(replies.CopyReply, fields, command=command)
        if reply.result_code == "TransactionsRegistrarNotRegistered":
            raise refused(_REGISTER_ABSENT, text=reply.result_text or reply.result_code)
        if reply.result_code != "Ok":
            return None
        if not reply.data:
            raise not_understood(command)
        data = from_base64(reply.data, command=command)
        return self._envelope.content_of(data, place=command, at=self._clock.now())

    def signed_copy(
        self,
        *,
        key_id: str,
        register: str,
        fiscal_number: str,
        is_z_report: bool,
        original: bool = True,
        timestamped: bool = False,
    ) -> SignedCopy | None:
        """Return a document signed by the server (`Check`, `ZRep`); None when it is not there.

        `original` asks for it as the seller sent it, `timestamped` for a time-stamp in the signature.
        """
        command = "ZRep" if is_z_report else "Check"
        answer = self._commands.body(
            command,
            key_id=key_id if is_z_report else None,
            RegistrarNumFiscal=register,
            NumFiscal=fiscal_number,
            Original=original,
            SetTimestamp=timestamped,
        )
        if answer is None:
            return None
        if not is_signed(answer):
            raise not_understood(command)
        xml = self._envelope.opened(answer, place=command, at=self._clock.now())
        return SignedCopy(raw=answer, xml=xml)

    def shifts(
        self, *, key_id: str, register: str, since: datetime, until: datetime
    ) -> tuple[ShiftEntry, ...]:
        """Return the shifts of a period of at most a month."""
        fields = self._commands.fields(
            "Shifts",
            key_id=key_id,
            NumFiscal=register,
            From=since.astimezone(KYIV).isoformat(),
            To=until.astimezone(KYIV).isoformat(),
        )
        if fields is None:
            return ()
        return read_reply(replies.ShiftsReply, fields, command="Shifts").to_domain()

    def documents(
        self, *, key_id: str, register: str, open_shift_fiscal_number: str
    ) -> tuple[DocumentEntry, ...]:
        """Return the documents of a shift in the server's order."""
        command = "Documents"
        fields = self._commands.fields(
            command,
            key_id=key_id,
            NumFiscal=register,
            OpenShiftFiscalNum=open_shift_fiscal_number,
        )
        if fields is None:
            return ()
        try:
            parts = read_reply(replies.DocumentsReply, fields, command=command).documents
            return tuple(part.to_domain() for part in parts)
        except ValueError as error:
            raise not_understood(command, str(error)) from error

    def shift_totals(self, *, key_id: str, register: str) -> ServerShiftTotals | None:
        """Return the service's totals of the last shift; None when there is none."""
        fields = self._commands.fields("LastShiftTotals", key_id=key_id, NumFiscal=register)
        if fields is None:
            return None
        reply = read_reply(ShiftTotalsReply, fields, command="LastShiftTotals")
        return reply.to_domain(returns_turned=self._returns_turned)


class HttpFiscalServer(FiscalServerClient):
    """The tax service over HTTP."""

    def __init__(
        self,
        base_url: str,
        *,
        signer: Signer,
        ticket_trust: TrustAnchors | None,
        connect_timeout_seconds: float,
        answer_timeout_seconds: float,
        ticket_signer_code: str | None = None,
        gzip_requests: bool = False,
        errors_as_json: bool = True,
        tls: ssl.SSLContext | None = None,
        proxy: str | None = None,
        on_skew: Callable[[float], None] | None = None,
        readings: Readings = DEFAULT_READINGS,
        clock: Clock | None = None,
        suites: SuiteRegistry = SUITES,
    ) -> None:
        """Reach the server at `base_url`, the address before `/doc`; see `FiscalServerClient` for the rest.

        `on_skew` gets the server's clock minus ours in seconds with each answer. `tls` replaces the public
        authorities, `proxy` is the address of a proxy; the environment is not looked at.
        """
        clock = clock if clock is not None else SystemClock()
        transport = Transport(
            base_url,
            clock=clock,
            connect_timeout_seconds=connect_timeout_seconds,
            answer_timeout_seconds=answer_timeout_seconds,
            gzip_requests=gzip_requests,
            tls=tls,
            proxy=proxy,
            on_skew=on_skew,
        )
        super().__init__(
            transport,
            signer=signer,
            ticket_trust=ticket_trust,
            ticket_signer_code=ticket_signer_code,
            errors_as_json=errors_as_json,
            readings=readings,
            clock=clock,
            suites=suites,
        )


def _check_size(signed: bytes) -> None:
    if len(signed) > MAX_MESSAGE_BYTES:
        text = f"{len(signed)} bytes, at most {MAX_MESSAGE_BYTES} are accepted; not sent"
        raise refused(_TOO_LARGE, text=text)
