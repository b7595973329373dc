"""One command to the fiscal server and its answer (reference §1.3, §6.1).

How an answer is judged, in this order:

1. No answer: Unreachable, with what the transport knows about `sent`.
2. A code, as text or as JSON: Refused, whatever the HTTP status. Code 13 and HTTP 204: nothing there, None.
3. A status that means something by itself (401, 404, 413 …): Refused with the status as its code.
4. Anything else that is not what was asked for, a proxy's page or a cut answer: Unreachable, sent. Nobody knows
   then what the server did, and asking later is right.
5. A signature of the server that does not hold: IntegrityFault.
"""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any, TypeVar
from uuid import uuid4

from pydantic import ValidationError

from domain.clock import Clock
from domain.errors import IntegrityFault, Refused, Unreachable
from domain.ports import Signer
from infra.fiscal_server.answers import (
    NO_CONTENT,
    refusal_in_json,
    refusal_in_text,
    refusal_of_status,
)
from infra.fiscal_server.envelope import ServerEnvelope, is_signed
from infra.fiscal_server.replies import Reply
from infra.fiscal_server.transport import Carrier, HttpAnswer

BINARY = "application/octet-stream"
JSON = "application/json; charset=UTF-8"

AnyReply = TypeVar("AnyReply", bound=Reply)


class Commands:
    """Sends commands, signed where a key is named. Safe to share between threads."""

    def __init__(
        self,
        transport: Carrier,
        *,
        signer: Signer,
        envelope: ServerEnvelope,
        clock: Clock,
        errors_as_json: bool,
    ) -> None:
        self._transport = transport
        self._signer = signer
        self._envelope = envelope
        self._clock = clock
        self._path = "/cmd?resultAsJson=true" if errors_as_json else "/cmd"

    def fields(
        self, command: str, *, key_id: str | None = None, **parameters: Any
    ) -> dict[str, Any] | None:
        """Return the fields of a JSON answer; None where the server has nothing.

        Numbers with a point are Decimal. Raises: Unreachable, Refused, IntegrityFault, SignerUnavailable,
        KeyUnknown.
        """
        uid = str(uuid4())
        body = self._post(command, uid=uid, key_id=key_id, parameters=parameters)
        if body is None:
            return None
        content = self._envelope.content_of(body, place=command, at=self._clock.now())
        fields = json_object(content)
        if fields is None:
            raise not_understood(command)
        # An answer that came signed was not looked into before.
        refusal = refusal_in_json(fields)
        if refusal is not None:
            if refusal.server_code == NO_CONTENT:
                return None
            raise refusal
        echoed = fields.get("UID")
        if echoed and str(echoed).lower() != uid:
            raise IntegrityFault(place=command, what="the answer belongs to another command")
        return fields

    def body(self, command: str, *, key_id: str | None = None, **parameters: Any) -> bytes | None:
        """Return the body of an answer as it came; None where the server has nothing.

        Raises: Unreachable, Refused, SignerUnavailable, KeyUnknown.
        """
        return self._post(command, uid=str(uuid4()), key_id=key_id, parameters=parameters)

    def _post(
        self, command: str, *, uid: str, key_id: str | None, parameters: dict[str, Any]
    ) -> bytes | None:
        payload = {"Command": command, "UID": uid, **parameters}
        body, content_type = json.dumps(payload, ensure_ascii=False).encode(), JSON
        if key_id is not None:
            body, content_type = self._signer.sign(key_id=key_id, content=body), BINARY
        answer = self._transport.post(self._path, body, content_type=content_type)
        if answer.status == 204:
            return None
        try:
            raise_refusal(answer)
        except Refused as refusal:
            if refusal.server_code == NO_CONTENT:
                return None
            raise
        return answer.body


def raise_refusal(answer: HttpAnswer) -> None:
    """Return if the answer is one of success; what is in it, the caller judges.

    Raises: Refused when it carries a code or its status means one; Unreachable for another failing status.
    """
    if not is_signed(answer.body):
        fields = json_object(answer.body)
        refusal = refusal_in_text(answer.body) if fields is None else refusal_in_json(fields)
        if refusal is not None:
            raise refusal
    refusal = refusal_of_status(answer.status, answer.body)
    if refusal is not None:
        raise refusal
    if answer.status != 200:
        raise Unreachable(reason=f"HTTP {answer.status} without a code", sent=True)


def read_reply(model: type[AnyReply], fields: dict[str, Any] | None, *, command: str) -> AnyReply:
    """Return an answer as its model. Raises: Unreachable when it is not what the protocol describes."""
    try:
        return model.model_validate({} if fields is None else fields)
    except ValidationError as error:
        # Names of fields only: their values may be personal data.
        wrong = sorted({".".join(map(str, each["loc"])) for each in error.errors()})
        raise not_understood(command, ", ".join(wrong)) from None


def not_understood(command: str, what: str = "unexpected content") -> Unreachable:
    """Return the error for an answer that is not what was asked for."""
    return Unreachable(reason=f"the answer to {command} was not understood: {what}", sent=True)


def to_base64(data: bytes) -> str:
    """Return bytes as JSON carries them."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str, *, command: str) -> bytes:
    """Return the bytes inside an answer. Raises: Unreachable."""
    try:
        # Some writers break lines.
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise not_understood(command, "no Base64") from None


def json_object(body: bytes) -> dict[str, Any] | None:
    """Return a JSON object, with or without a byte order mark; None for anything else."""
    try:
        text = body.decode("utf-8-sig")
        fields = json.loads(text, parse_float=Decimal) if text.lstrip()[:1] == "{" else None
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None
