"""Request bodies: read within the limit, parsed without losing a repeated field, checked against a model.

1. A declared length above the limit is refused before a byte is read; an undeclared one when it passes the limit.
2. JSON parsers keep the last of two equal names. A till that sends `total_kopecks` twice has a fault, and which one
   it means is not ours to guess, so the body is parsed once with a hook that sees every pair.
3. The models are strict: a number in quotes or with a fraction is no whole number.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from api.errors import (
    BodyTooLarge,
    MalformedJson,
    MissingField,
    RepeatedField,
    UnknownField,
    UnsupportedMediaType,
)
from domain.errors import FiscalError, InvalidField

Model = TypeVar("Model", bound=BaseModel)


@dataclass(eq=False)
class InvalidBody(Exception):
    """What is wrong with a body, the first thing first."""

    first: FiscalError
    others: Sequence[FiscalError] = ()


def header(scope: Scope, name: bytes) -> str | None:
    """Return a request header by its lower-case name; None when absent."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


async def read_body(scope: Scope, receive: Receive, *, limit: int) -> bytes:
    """Return the whole body. Raises: BodyTooLarge, UnsupportedMediaType, ClientDisconnect."""
    declared = header(scope, b"content-length")
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise BodyTooLarge(limit_bytes=limit)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise BodyTooLarge(limit_bytes=limit)
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def check_content_type(scope: Scope) -> None:
    """Raises: UnsupportedMediaType unless the body says it is plain JSON in UTF-8."""
    content_type = header(scope, b"content-type") or ""
    media_type, _, parameters = content_type.partition(";")
    charset = parameters.replace(" ", "").replace('"', "").lower()
    if (
        media_type.strip().lower() != "application/json"
        or charset not in ("", "charset=utf-8")
        or header(scope, b"content-encoding") is not None
    ):
        raise UnsupportedMediaType


def parse(body: bytes) -> Any:
    """Return the JSON value of a body. Raises: MalformedJson, RepeatedField."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise MalformedJson(place=f"byte {error.start} is not UTF-8") from None
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise MalformedJson(place=f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise MalformedJson(place="it is nested too deeply") from None
    except ValueError:
        # The only other one: Python refuses whole numbers of more than 4,300 digits.
        raise MalformedJson(place="a number has too many digits") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise RepeatedField(field=name, expected="given once")
            seen.add(name)
    return values


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJson(place=f"{name} is not JSON")


def validate(model: type[Model], body: bytes, parsed: Any) -> Model:
    """Return the body as a model; `parsed` is the same body from `parse`. Raises: InvalidBody."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        found = [
            field_error(details, parsed)
            for details in error.errors(include_url=False, include_context=True)
        ]
        raise InvalidBody(found[0], found[1:]) from None


def field_error(details: ErrorDetails, parsed: Any) -> FiscalError:
    """Return one validation error as ours: which field, and what was expected."""
    field = _path(details["loc"], parsed)
    kind = details["type"]
    if kind == "missing":
        return MissingField(field=field, expected="given")
    if kind == "extra_forbidden":
        return UnknownField(field=field, expected="absent")
    return InvalidField(field=field or "body", expected=_expected(kind, details))


def _path(loc: Sequence[int | str], parsed: Any) -> str:
    """Return the dotted path of a location, without the names of union members, which no request has."""
    path: list[str] = []
    here = parsed
    last = len(loc) - 1
    for number, part in enumerate(loc):
        if _has(here, part):
            here = here[part]
        elif number != last or not isinstance(here, dict):
            continue
        path.append(str(part))
    return ".".join(path)


def _has(value: Any, part: int | str) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


_WORDS = {
    "int_type": "a whole number, without quotes and fraction",
    "int_from_float": "a whole number, without quotes and fraction",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of sensible size",
    "string_type": "text",
    "string_unicode": "valid Unicode text",
    "string_sub_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "model_type": "an object",
    "dict_type": "an object",
    "model_attributes_type": "an object",
    "uuid_type": "a UUID",
    "uuid_parsing": "a UUID",
    "none_required": "null",
    "timezone_aware": "a time with its offset, as RFC 3339 writes it",
    "json_invalid": "valid JSON",
}


def _expected(kind: str, details: ErrorDetails) -> str:  # noqa: C901 - a table in the shape of a match
    facts = details.get("ctx", {})
    if kind in _WORDS:
        return _WORDS[kind]
    if kind.startswith(("datetime_", "date_from", "date_")):
        return "a time as RFC 3339 writes it"
    match kind:
        case "greater_than":
            return f"more than {facts['gt']}"
        case "greater_than_equal":
            return f"{facts['ge']} or more"
        case "less_than":
            return f"less than {facts['lt']}"
        case "less_than_equal":
            return f"{facts['le']} at most"
        case "string_too_short":
            return f"at least {facts['min_length']} characters long"
        case "string_too_long":
            return f"at most {facts['max_length']} characters long"
        case "too_short":
            return f"a list of at least {facts['min_length']}"
        case "too_long":
            return f"a list of at most {facts['max_length']}"
        case "enum" | "literal_error":
            return f"one of {facts['expected']}"
        case "union_tag_invalid":
            return f"an object whose {facts['discriminator']} is one of {facts['expected_tags']}"
        case "union_tag_not_found":
            return f"an object with {facts['discriminator']}"
        case _:
            return details["msg"].removeprefix("Value error, ")
