"""Errors as HTTP: one table from class to status, answered as `application/problem+json` (RFC 9457).

Beyond the RFC's members every problem has `code` (stable), `field` (path in the request, or null), `retryable`
(may the same request succeed later), `next_step` (what a person does now), `facts` (the error's values) and, where
the tax service said something, its `server_code` and `server_text` as received.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from starlette.responses import Response

from api import errors as edge
from domain import errors as domain
from domain.errors import FiscalError

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 20
"""Wrong fields that one answer lists; the first one is the problem itself."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How an error is answered; `field` is the input it speaks of when the error itself does not say."""

    status: int
    field: str | None = None
    retry_after_seconds: int | None = None


TABLE: Mapping[type[FiscalError], Shape] = {
    # branches; a class without its own row is answered as the nearest one above it
    domain.FiscalError: Shape(500),
    domain.RuleViolation: Shape(409),
    domain.NotFound: Shape(404),
    domain.Conflict: Shape(409, retry_after_seconds=1),
    domain.Unavailable: Shape(503, retry_after_seconds=1),
    domain.FiscalServerError: Shape(502),
    domain.IntegrityFault: Shape(500),
    # input
    domain.InvalidField: Shape(422),
    domain.EmptyReceipt: Shape(422, "lines"),
    domain.UnknownTaxLetter: Shape(422),
    domain.DiscountExceedsCost: Shape(422),
    domain.TotalsDiffer: Shape(422),
    domain.PaymentsDiffer: Shape(422),
    domain.WithdrawalOutsideLimits: Shape(422),
    # state
    domain.ShiftAlreadyOpen: Shape(409, "register_id"),
    domain.NoOpenShift: Shape(409, "register_id"),
    domain.ShiftClosing: Shape(409, "register_id"),
    domain.RefusedReceiptsRemain: Shape(409, "register_id"),
    domain.ReceiptNotRefused: Shape(409, "receipt_id"),
    domain.ReceiptKindDiffers: Shape(409, "receipt_id"),
    domain.ReceiptNotRegistered: Shape(409, "receipt_id", retry_after_seconds=1),
    domain.ReceiptNotReturnable: Shape(409, "original"),
    domain.NothingLeft: Shape(409, "original"),
    domain.LaterPaymentsStand: Shape(409, "original"),
    domain.ReceiptNotPayable: Shape(409, "original"),
    domain.PaymentExceedsOwed: Shape(409),
    domain.PaymentLapsed: Shape(409, "Idempotency-Key"),
    domain.ReturnExceedsSale: Shape(409),
    domain.ReturnLapsed: Shape(409, "Idempotency-Key"),
    domain.StornoNotPossible: Shape(409, "receipt_id"),
    domain.NotEnoughCash: Shape(409, "amount_kopecks"),
    domain.LaneParked: Shape(409, "register_id"),
    domain.LaneNotParked: Shape(409, "register_id"),
    domain.TooManyWaiting: Shape(503, "register_id", retry_after_seconds=5),
    domain.KeyNotForLiveRegister: Shape(409, "cashier_id"),
    domain.CashierMayNotSell: Shape(409, "cashier_id"),
    domain.AlreadyExists: Shape(409),
    domain.IdempotencyKeyReused: Shape(409, "Idempotency-Key"),
    domain.StaleLease: Shape(409),
    # ours
    domain.SignerUnavailable: Shape(503, retry_after_seconds=1),
    domain.StoreUnavailable: Shape(503, retry_after_seconds=1),
    domain.DocumentTimeBehind: Shape(503, retry_after_seconds=60),
    domain.KeyUnknown: Shape(409, "key_id"),
    edge.TooFarBehind: Shape(503, "at_least", retry_after_seconds=1),
    # the tax service
    domain.Unreachable: Shape(503, retry_after_seconds=5),
    domain.Refused: Shape(502),
    domain.PackageRefused: Shape(502),
    domain.DocumentTooLarge: Shape(500),
    # the request itself
    edge.RequestError: Shape(400),
    edge.Unauthenticated: Shape(401, "Authorization"),
    edge.Forbidden: Shape(403, "Authorization"),
    edge.UnknownAddress: Shape(404),
    edge.MethodNotAllowed: Shape(405),
    edge.IdempotencyKeyMissing: Shape(400, "Idempotency-Key"),
    edge.BodyTooLarge: Shape(413),
    edge.UnsupportedMediaType: Shape(415, "Content-Type"),
    edge.MalformedJson: Shape(400),
    edge.UnknownField: Shape(422),
    edge.MissingField: Shape(422),
    edge.RepeatedField: Shape(422),
}


def shape_of(error: FiscalError | type[FiscalError]) -> Shape:
    """Return how an error is answered: its class's row, or that of the nearest class above."""
    cls = error if isinstance(error, type) else type(error)
    return next(TABLE[base] for base in cls.__mro__ if base in TABLE)


def title_of(cls: type[FiscalError]) -> str:
    """Return the same short title for every problem of a code: the code in words."""
    return cls.code.replace("-", " ").capitalize()


def type_of(cls: type[FiscalError]) -> str:
    """Return the URI that names the problem."""
    return f"urn:fiscal-ledger:problem:{cls.code}"


def problem(
    error: FiscalError,
    *,
    field: str | None = None,
    others: Sequence[FiscalError] = (),
    instance: str | None = None,
) -> dict[str, Any]:
    """Return the members of a problem; `field` overrides, `others` are further wrong fields."""
    cls = type(error)
    shape = shape_of(cls)
    facts = error.facts()
    members = {
        "type": type_of(cls),
        "title": title_of(cls),
        "status": shape.status,
        "detail": str(error),
        "code": cls.code,
        "field": field or facts.get("field") or shape.field,
        "retryable": cls.retryable,
        "next_step": cls.next_step,
        "facts": {name: _plain(value) for name, value in facts.items()},
    }
    if instance is not None:
        members["instance"] = instance
    if isinstance(error, domain.Refused):
        members["server_code"], members["server_text"] = error.server_code, error.text
    if others:
        members["errors"] = [
            {
                "code": type(other).code,
                "field": other.facts().get("field"),
                "detail": str(other),
            }
            for other in (error, *others)[:MOST_ERRORS]
        ]
    return members


def problem_response(
    error: FiscalError,
    *,
    field: str | None = None,
    others: Sequence[FiscalError] = (),
    instance: str | None = None,
) -> Response:
    """Return the problem as a response, with Retry-After and the other headers its status asks for."""
    members = problem(error, field=field, others=others, instance=instance)
    headers = {"Cache-Control": "no-store"}
    shape = shape_of(error)
    if shape.retry_after_seconds is not None and type(error).retryable:
        headers["Retry-After"] = str(shape.retry_after_seconds)
    if isinstance(error, edge.Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="fiscal-ledger"'
    if isinstance(error, edge.MethodNotAllowed):
        headers["Allow"] = error.allowed
    return Response(
        orjson.dumps(members),
        status_code=shape.status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


def _plain(value: Any) -> Any:
    """Return a fact as JSON has it."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)
