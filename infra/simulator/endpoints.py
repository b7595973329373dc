"""The four addresses of the service: bytes and headers in, an HTTP reply out.

Refusals become replies here, in the form the switches ask for.
"""

import gzip
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Final

import orjson

from infra.signing.timestamp import TimestampAuthority
from infra.simulator.answers import Code, Refusal, TransportRefusal
from infra.simulator.command_request import Json
from infra.simulator.commands import Answer, next_session_json, parse_command, run_command
from infra.simulator.faults import Resource
from infra.simulator.intake import take_body
from infra.simulator.package import unpack
from infra.simulator.replies import Reply
from infra.simulator.service import Conditions, TaxService
from infra.simulator.tickets import ticket

SIGNED: Final = {"content-type": "application/octet-stream"}
JSON: Final = {"content-type": "application/json; charset=utf-8"}
TEXT: Final = {"content-type": "text/plain"}
_TSA_QUERY: Final = "application/timestamp-query"
_TSA_REPLY: Final = {"content-type": "application/timestamp-reply"}
_UID: Final = re.compile(rb"<UID>[^<]*</UID>")
_COMPRESS_FROM_BYTES: Final = 256


class Request:
    """One request to one address. ``headers`` have lower-case names."""

    __slots__ = ("body", "headers", "resource", "result_as_json")

    def __init__(
        self,
        resource: Resource,
        body: bytes,
        headers: Mapping[str, str],
        *,
        result_as_json: bool = False,
    ) -> None:
        self.resource = resource
        self.body = body
        self.headers = headers
        self.result_as_json = result_as_json


class Endpoints:
    """Answers requests honestly; faults are around it. Not thread-safe."""

    def __init__(self, service: TaxService, *, authority: TimestampAuthority | None) -> None:
        self._service = service
        self._authority = authority

    def answer(self, request: Request, conditions: Conditions, *, wrong_uid: bool = False) -> Reply:
        """The service's reply; ``wrong_uid`` puts another document's UID into the ticket."""

        def process() -> Reply:
            match request.resource:
                case "doc":
                    return self._document(request, conditions, wrong_uid=wrong_uid)
                case "cmd":
                    return self._command(request, conditions)
                case "pck":
                    return self._package(request, conditions)
                case _:
                    return self._timestamp(request)

        return self._compressed(request, self._refusals_answered(request, conditions, process))

    def refuse(self, request: Request, conditions: Conditions, refusal: Refusal) -> Reply:
        """The reply to a request that is refused without being looked at."""

        def process() -> Reply:
            raise refusal

        return self._refusals_answered(request, conditions, process)

    def _document(self, request: Request, conditions: Conditions, *, wrong_uid: bool) -> Reply:
        signed, _ = self._taken(request, takes_json=False)
        xml = self._service.register(signed, conditions)
        if wrong_uid:
            xml = _UID.sub(f"<UID>{str(uuid.uuid4()).upper()}</UID>".encode("ascii"), xml)
        return Reply(200, self._service.envelope.seal(xml), SIGNED)

    def _command(self, request: Request, conditions: Conditions) -> Reply:
        content, kind = self._taken(request, takes_json=True)
        signer = None
        if kind == "signed":
            signer = self._service.open(content, at=conditions.now)
            content = signer.content
        parameters = parse_command(content)
        answer = run_command(self._service, parameters, signer=signer, conditions=conditions)
        return self._answered(request, answer, uid=parameters.get("UID"))

    def _answered(self, request: Request, answer: Answer, *, uid: object) -> Reply:
        if isinstance(answer, bytes):
            return Reply(200, answer, SIGNED)
        if answer is None:
            if not request.result_as_json:
                return Reply(204)
            return self._json(_error(uid, Code.NO_CONTENT, Code.NO_CONTENT.symbol))
        success = self._service.switches.error_code_on_success
        if request.result_as_json and success != "absent":
            answer = {**answer, "ErrorCode": 0 if success == "zero" else "Ok", "ErrorMessage": None}
        return self._json(answer)

    def _json(self, answer: Json) -> Reply:
        body = orjson.dumps(answer)
        if self._service.switches.commands_in_cms:
            return Reply(200, self._service.envelope.seal(body), SIGNED)
        return Reply(200, body, JSON)

    def _package(self, request: Request, conditions: Conditions) -> Reply:
        content, _ = self._taken(request, takes_json=False)
        signer = self._service.open(content, at=conditions.now)
        last = self._service.register_package(
            unpack(signer.content),
            signer=signer,
            byte_count=len(content),
            conditions=conditions,
        )
        if self._service.switches.package_answer == "ticket":
            xml = ticket(
                uid=last.document.uid,
                local_number=last.local_number,
                at=conditions.now,
                fiscal_number=last.fiscal_number,
                session=last.next_session,
            )
            return Reply(200, self._service.envelope.seal(xml), SIGNED)
        if last.next_session is None:
            return Reply(200, b"OK", TEXT)
        return Reply(200, orjson.dumps(next_session_json(last)), JSON)

    def _timestamp(self, request: Request) -> Reply:
        if request.headers.get("content-type", "").lower() != _TSA_QUERY:
            raise TransportRefusal(415, f"Очікується 'Content-Type' {_TSA_QUERY}")
        if self._authority is None:
            raise TransportRefusal(503, "")
        return Reply(200, self._authority.answer(request.body), _TSA_REPLY)

    def _taken(self, request: Request, *, takes_json: bool) -> tuple[bytes, str]:
        return take_body(
            request.body,
            request.headers,
            switches=self._service.switches,
            takes_json=takes_json,
        )

    def _refusals_answered(
        self, request: Request, conditions: Conditions, process: Callable[[], Reply]
    ) -> Reply:
        try:
            return process()
        except TransportRefusal as refusal:
            return self._text(refusal.status, refusal.text)
        except Refusal as refusal:
            if request.resource == "cmd" and request.result_as_json:
                uid = self._uid_of(request, conditions)
                return self._json(_error(uid, refusal.code, refusal.text))
            if request.resource == "doc" and self._service.switches.refusal_form == "ticket":
                ticket = self._refusal_ticket(request, refusal, conditions)
                if ticket is not None:
                    return Reply(200, self._service.envelope.seal(ticket), SIGNED)
            status = refusal.status(self._service.switches.refusal_status)
            return self._text(status, refusal.as_text())

    def _refusal_ticket(
        self, request: Request, refusal: Refusal, conditions: Conditions
    ) -> bytes | None:
        """The refusal as a ticket, when the document could be read at all."""
        try:
            signed, _ = self._taken(request, takes_json=False)
        except TransportRefusal:
            return None
        return self._service.refusal_ticket(signed, refusal, at=conditions.now)

    def _uid_of(self, request: Request, conditions: Conditions) -> object:
        """UID of a refused command, when it could be read at all."""
        try:
            content, kind = self._taken(request, takes_json=True)
            if kind == "signed":
                content = self._service.envelope.open(content, at=conditions.now).content
            return parse_command(content).get("UID")
        except (Refusal, TransportRefusal):
            return None

    def _text(self, status: int, text: str) -> Reply:
        encoding = self._service.switches.refusal_text_encoding
        return Reply(status, text.encode(encoding, "replace"), TEXT)

    def _compressed(self, request: Request, reply: Reply) -> Reply:
        accepts = "gzip" in request.headers.get("accept-encoding", "")
        if not (self._service.switches.compress_replies and accepts):
            return reply
        if len(reply.body) < _COMPRESS_FROM_BYTES:
            return reply
        headers = {**reply.headers, "content-encoding": "gzip"}
        return Reply(reply.status, gzip.compress(reply.body, compresslevel=1), headers)


def _error(uid: object, code: Code, text: str) -> Json:
    return {"UID": uid, "ErrorCode": int(code), "ErrorMessage": text}
