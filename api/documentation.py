"""The OpenAPI document beyond what signatures say: problems by status, headers, tokens, rights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse, Response

from api import errors as edge
from api.idempotency import HEADER, PATTERN
from api.problems import MEDIA_TYPE, problem, shape_of
from api.schemas.problem import Problem
from domain import errors as domain
from domain.errors import FiscalError

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_BODY = (
    edge.MalformedJson,
    edge.BodyTooLarge,
    edge.UnsupportedMediaType,
    edge.UnknownField,
    edge.MissingField,
    edge.RepeatedField,
    domain.InvalidField,
)
_PARAMETERS = (edge.UnknownField, edge.RepeatedField, domain.InvalidField)


def response_class(media_type: str) -> type[Response]:
    """Return the class that tells FastAPI the media type of the good answer."""
    if media_type == "application/json":
        return JSONResponse
    return type("OtherResponse", (Response,), {"media_type": media_type})


def responses(
    *,
    method: str,
    public: bool,
    has_parameters: bool,
    has_body: bool,
    names_things: bool,
    refuses: Sequence[type[FiscalError]],
    others: Mapping[int | str, dict[str, Any]],
) -> dict[int | str, dict[str, Any]]:
    """Return every answer besides the good one: the usual problems and the endpoint's own, by status."""
    classes: list[type[FiscalError]] = []
    if not public:
        classes += [edge.Unauthenticated, edge.Forbidden, domain.StoreUnavailable]
    if method == "POST":
        classes += [edge.IdempotencyKeyMissing, domain.IdempotencyKeyReused, domain.Conflict]
    if has_parameters or not has_body:
        classes += _PARAMETERS
    if has_body:
        classes += _BODY
    if names_things:
        classes.append(domain.NotFound)
    classes += [*refuses, domain.FiscalError]
    by_status: dict[int, list[type[FiscalError]]] = {}
    for cls in classes:
        found = by_status.setdefault(shape_of(cls).status, [])
        if cls not in found:
            found.append(cls)
    return {**others, **{status: _described(status, by_status[status]) for status in by_status}}


def _described(status: int, classes: Sequence[type[FiscalError]]) -> dict[str, Any]:
    meanings = [f"`{cls.code}`: {first_sentence(cls)}" for cls in classes]
    return {
        "description": f"{HTTPStatus(status).phrase}.\n\n" + "\n".join(f"- {m}" for m in meanings),
        "content": {
            MEDIA_TYPE: {
                "schema": _PROBLEM,
                "examples": {cls.code: {"value": problem(example_error(cls))} for cls in classes},
            }
        },
    }


def first_sentence(cls: type) -> str:
    """Return the first sentence of a class's description; a page of something has that of the page."""
    described = next(base.__doc__ for base in cls.__mro__ if base.__doc__)
    return described.strip().split("\n\n")[0].replace("\n", " ")


_EXAMPLE_FACTS: Mapping[str, Any] = {
    "field": "lines.0.price_kopecks",
    "expected": "a whole number, without quotes and fraction",
    "what": "register",
    "id": "7e5a0000-0b1c-4d2e-8f30-a1b2c3d401f7",
    "reason": "it does not answer",
    "letter": "Ж",
    "known": "АБВГД",
    "key_id": "demo-cashier-1",
    "kind": "development",
    "role": "auditor",
    "right": "sell",
    "allowed": "GET, POST",
    "place": "Expecting value at character 17",
    "name": "CheckLocalNumberInvalid",
    "text": "Документ не пройшов перевірку",
    "receipt_ids": (),
    "sent": True,
}


def example_error(cls: type[FiscalError]) -> FiscalError:
    """Return an example of an error; numbers are 12."""
    facts = {field.name: _EXAMPLE_FACTS.get(field.name, 12) for field in fields(cls)}
    return cls(**facts)


def extra(*, method: str, right: str | None, waits: bool) -> dict[str, Any]:
    """Return headers, security and the right of an operation."""
    parameters: list[dict[str, Any]] = []
    if method == "POST":
        parameters.append(
            {
                "name": HEADER,
                "in": "header",
                "required": True,
                "description": "Your own key for this request: the same key with the same body gets the first "
                "answer again, with another body it is refused.",
                "schema": {"type": "string", "pattern": f"^{PATTERN}$", "maxLength": 128},
                "example": "a3f1c6e2-4b0d-4f67-9d1e-6a54b1a4f1d0",
            }
        )
    if waits:
        parameters.append(
            {
                "name": "Prefer",
                "in": "header",
                "required": False,
                "description": "`wait=N`: hold the answer for up to N seconds (60 at most) until the outcome is known.",
                "schema": {"type": "string", "maxLength": 64},
                "example": "wait=20",
            }
        )
    operation: dict[str, Any] = {"security": [] if right is None else [{"token": []}]}
    if parameters:
        operation["parameters"] = parameters
    if right is not None:
        operation["x-right"] = right
    return operation


def install(app: FastAPI) -> None:
    """Let the application give the completed document, made once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            components = document.setdefault("components", {})
            schemas = components.setdefault("schemas", {})
            schemas["Problem"] = Problem.model_json_schema(
                ref_template="#/components/schemas/{model}", mode="serialization"
            )
            for name, schema in schemas["Problem"].pop("$defs", {}).items():
                schemas.setdefault(name, schema)
            components["securitySchemes"] = {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token made by `fiscal token create`; the first one lies in the data folder.",
                }
            }
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
