"""From a handler's signature to its arguments: path and query parameters checked, the body's model known."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

from fastapi import params
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticUndefined
from starlette.types import Scope

from api.bodies import field_error
from api.errors import MissingField, RepeatedField, UnknownField
from domain.errors import InvalidField

MOST_PARAMETERS = 50


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    alias: str
    adapter: TypeAdapter[Any]
    default: Any

    def value(self, text: str) -> Any:
        try:
            return self.adapter.validate_python(text)
        except ValidationError as error:
            found = field_error(error.errors(include_url=False)[0], None)
            expected = found.expected if isinstance(found, InvalidField) else str(found)
            raise InvalidField(field=self.alias, expected=expected) from None


class Binding:
    """What a handler takes.

    `body` is the model of its parameter `body`; None without one. `without_body` is what a request without a body says,
    None where it has to have one.
    """

    def __init__(self, handler: Callable[..., Any]) -> None:
        hints = get_type_hints(handler, include_extras=True)
        self._path: list[_Parameter] = []
        self._query: dict[str, _Parameter] = {}
        self.body: type[BaseModel] | None = None
        self.without_body: BaseModel | None = None
        for name, parameter in inspect.signature(handler).parameters.items():
            self._add(name, hints[name], parameter.default)

    @property
    def has_parameters(self) -> bool:
        """Whether anything of the address is checked."""
        return bool(self._path or self._query)

    @property
    def names_things(self) -> bool:
        """Whether the path names something that may not exist."""
        return bool(self._path)

    def arguments(self, scope: Scope) -> dict[str, Any]:
        """Return the arguments but for the body.

        Raises: InvalidField, UnknownField, MissingField, RepeatedField.
        """
        given = scope["path_params"]
        arguments = {
            parameter.name: parameter.value(given[parameter.alias]) for parameter in self._path
        }
        if scope["query_string"] or self._query:
            self._add_query(scope["query_string"], arguments)
        return arguments

    def _add_query(self, query_string: bytes, arguments: dict[str, Any]) -> None:
        seen: set[str] = set()
        for alias, text in _pairs(query_string):
            parameter = self._query.get(alias)
            if parameter is None:
                raise UnknownField(field=alias, expected="absent")
            if alias in seen:
                raise RepeatedField(field=alias, expected="given once")
            seen.add(alias)
            arguments[parameter.name] = parameter.value(text)
        for alias, parameter in self._query.items():
            if alias not in seen:
                if parameter.default is PydanticUndefined:
                    raise MissingField(field=alias, expected="given")
                arguments[parameter.name] = parameter.default

    def _add(self, name: str, hint: Any, default: Any) -> None:
        marks = get_args(hint)[1:] if get_origin(hint) is not None else ()
        if any(isinstance(mark, params.Depends) for mark in marks):
            return
        place = next((mark for mark in marks if isinstance(mark, params.Param)), None)
        if place is None:
            assert name == "body", f"{name} is neither call, body, path nor query"
            assert isinstance(hint, type)
            assert issubclass(hint, BaseModel)
            self.body = hint
            if isinstance(default, BaseModel):
                self.without_body = default
            return
        alias = place.alias or name
        if default is inspect.Parameter.empty:
            default = PydanticUndefined
        parameter = _Parameter(name, alias, TypeAdapter(hint), default)
        if isinstance(place, params.Path):
            self._path.append(parameter)
        else:
            assert isinstance(place, params.Query)
            self._query[alias] = parameter


def _pairs(query_string: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(query_string),
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:
        raise InvalidField(field="query", expected="name=value pairs in UTF-8") from None
