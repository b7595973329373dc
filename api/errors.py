"""What the API itself refuses before a use case is asked.

RequestError                   the request is not what this address takes
├── Unauthenticated, Forbidden who asks
├── UnknownAddress, MethodNotAllowed
├── IdempotencyKeyMissing
└── BodyTooLarge, UnsupportedMediaType, MalformedJson, …
InvalidField (domain)
├── UnknownField, MissingField, RepeatedField
TooFarBehind                   a read that should show a write which the read model has not seen
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from domain.errors import FiscalError, InvalidField, Unavailable


@dataclass(eq=False)
class RequestError(FiscalError):
    """The request is not one that this address takes."""

    code: ClassVar[str] = "request-error"
    sentence: ClassVar[str] = "The request cannot be read."
    next_step: ClassVar[str] = "Compare the request with /openapi.json."


@dataclass(eq=False)
class Unauthenticated(RequestError):
    """No token, or one that is unknown or revoked."""

    code: ClassVar[str] = "unauthenticated"
    sentence: ClassVar[str] = "The request carries no valid token."
    next_step: ClassVar[str] = (
        "Send `Authorization: Bearer TOKEN`; `fiscal token create` makes a token."
    )


@dataclass(eq=False)
class Forbidden(RequestError):
    """The token is good, its role is not enough."""

    code: ClassVar[str] = "forbidden"
    sentence: ClassVar[str] = "The role {role} has no right to {right}."
    next_step: ClassVar[str] = "Use a token of a role that has the right."
    role: str
    right: str


@dataclass(eq=False)
class UnknownAddress(RequestError):
    """Nothing is served under this path."""

    code: ClassVar[str] = "unknown-address"
    sentence: ClassVar[str] = "There is nothing at this address."
    next_step: ClassVar[str] = "Look the address up in /openapi.json."


@dataclass(eq=False)
class MethodNotAllowed(RequestError):
    """The address exists, the method does not."""

    code: ClassVar[str] = "method-not-allowed"
    sentence: ClassVar[str] = "This address takes {allowed}."
    next_step: ClassVar[str] = "Use one of these methods."
    allowed: str


@dataclass(eq=False)
class IdempotencyKeyMissing(RequestError):
    """Every POST carries a key, so that it can be repeated without harm."""

    code: ClassVar[str] = "idempotency-key-missing"
    sentence: ClassVar[str] = "The header Idempotency-Key is missing or is not {expected}."
    next_step: ClassVar[str] = (
        "Send a key of your own, such as a UUID: a new one for a new request, the same for a repetition."
    )
    expected: str = "1 to 128 letters, digits, `-`, `_`, `.` or `:`"


@dataclass(eq=False)
class BodyTooLarge(RequestError):
    """The body is longer than the limit; the rest of it was not read."""

    code: ClassVar[str] = "body-too-large"
    sentence: ClassVar[str] = "The request body is longer than {limit_bytes} bytes."
    next_step: ClassVar[str] = "Send less at once."
    limit_bytes: int


@dataclass(eq=False)
class UnsupportedMediaType(RequestError):
    """Bodies are JSON."""

    code: ClassVar[str] = "unsupported-media-type"
    sentence: ClassVar[str] = "The body must be application/json in UTF-8, without compression."
    next_step: ClassVar[str] = "Send `Content-Type: application/json`."


@dataclass(eq=False)
class MalformedJson(RequestError):
    """The body is not JSON; `place` says where it stops being so."""

    code: ClassVar[str] = "malformed-json"
    sentence: ClassVar[str] = "The body is not valid JSON: {place}."
    next_step: ClassVar[str] = "Correct the body and send it again."
    place: str


@dataclass(eq=False)
class UnknownField(InvalidField):
    """A field that the schema does not have, often a misspelt name."""

    code: ClassVar[str] = "unknown-field"
    sentence: ClassVar[str] = "There is no field {field} here."
    next_step: ClassVar[str] = "Remove the field or correct its name; see /openapi.json."


@dataclass(eq=False)
class MissingField(InvalidField):
    """A required field is absent."""

    code: ClassVar[str] = "missing-field"
    sentence: ClassVar[str] = "The field {field} is required."
    next_step: ClassVar[str] = "Add the field and send the request again."


@dataclass(eq=False)
class RepeatedField(InvalidField):
    """A field or parameter was given twice, so nobody knows which one is meant."""

    code: ClassVar[str] = "repeated-field"
    sentence: ClassVar[str] = "The field {field} is given more than once."
    next_step: ClassVar[str] = "Give the field once."


@dataclass(eq=False)
class TooFarBehind(Unavailable):
    """The read model has not yet seen the write that the caller wants to see."""

    code: ClassVar[str] = "too-far-behind"
    sentence: ClassVar[str] = "The {what} has not reached this position yet: {reason}."
    next_step: ClassVar[str] = "Ask again shortly; `fiscal doctor` shows how far it is behind."
