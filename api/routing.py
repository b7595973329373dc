"""Endpoints: declared once, with their right, their answers and what they may refuse.

FastAPI writes the OpenAPI document from the same signatures; serving is done here, because

- the body must be seen as bytes (limit, repeated fields, strict validation straight from JSON),
- every address needs a right or the word public, and a POST its idempotency key, so that none can be forgotten,
- a sale must not pay for machinery that it does not use.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api import documentation
from api.auth import Caller, Right, bearer_token
from api.binding import Binding
from api.bodies import InvalidBody, check_content_type, header, parse, read_body, validate
from api.dependencies import Parts
from api.idempotency import command_key
from api.problems import problem_response
from api.waiting import Watch
from domain.errors import FiscalError, NotFound
from domain.ports import CommandKey

JSON = "application/json"
_NO_STORE = {"Cache-Control": "no-store"}


@dataclass(slots=True)
class CallContext:
    """What an endpoint knows besides its parameters.

    `command` is set for every POST, `wait_seconds` is what `Prefer: wait` asks for, 0 without it.
    """

    scope: Scope
    parts: Parts
    caller: Caller | None
    command: CommandKey | None
    wait_seconds: float

    def watching(self, register_id: UUID) -> AbstractContextManager[Watch | None]:
        """Watch a register from now on if the caller wants to wait; gives None otherwise."""
        return self.parts.waits.watch(register_id) if self.wait_seconds else nullcontext()

    @property
    def the_caller(self) -> Caller:
        """The caller of an address that is not public."""
        assert self.caller is not None
        return self.caller

    @property
    def the_command(self) -> CommandKey:
        """The idempotency key of a POST."""
        assert self.command is not None
        return self.command


def _given_by_the_route() -> None:
    """Stand for what `EndpointRoute` passes; FastAPI only reads the signature."""


Call = Annotated[CallContext, Depends(_given_by_the_route)]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status of its own or with headers."""

    answer: BaseModel
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = BaseModel | Reply | Response
Handler = Callable[..., Awaitable[Answer]]
Others = dict[int | str, dict[str, Any]]
"""Further good answers by status, as OpenAPI describes them."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address and method. `right` None: public. `refuses`: what besides the usual it may answer."""

    method: str
    path: str
    handler: Handler
    tag: str
    right: Right | None
    status: int
    answer: type[BaseModel] | None
    summary: str
    refuses: tuple[type[FiscalError], ...]
    waits: bool
    others: Others
    media_type: str


class Endpoints:
    """The endpoints of one resource."""

    def __init__(self, *, tag: str, description: str) -> None:
        self.tag = tag
        self.description = description
        self._endpoints: list[Endpoint] = []

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._endpoints)

    def add(
        self,
        method: str,
        path: str,
        *,
        right: Right | None,
        answer: type[BaseModel] | None,
        summary: str,
        status: int = 200,
        refuses: tuple[type[FiscalError], ...] = (),
        waits: bool = False,
        others: Others | None = None,
        media_type: str = JSON,
    ) -> Callable[[Handler], Handler]:
        """Return a decorator that declares an endpoint; its docstring is the description.

        `waits`: it heeds `Prefer: wait=N`. `others`: further good answers, as OpenAPI describes them.
        """

        def declare(handler: Handler) -> Handler:
            self._endpoints.append(
                Endpoint(
                    method=method,
                    path=path,
                    handler=handler,
                    tag=self.tag,
                    right=right,
                    status=status,
                    answer=answer,
                    summary=summary,
                    refuses=refuses,
                    waits=waits,
                    others=others or {},
                    media_type=media_type,
                )
            )
            return handler

        return declare


class EndpointRoute(APIRoute):
    """Serves one endpoint; see the module for why FastAPI's own way of serving is not used."""

    def __init__(self, endpoint: Endpoint, parts: Parts) -> None:
        binding = Binding(endpoint.handler)
        super().__init__(
            endpoint.path,
            endpoint.handler,
            methods=[endpoint.method],
            tags=[endpoint.tag],
            status_code=endpoint.status,
            response_model=endpoint.answer,
            response_class=documentation.response_class(endpoint.media_type),
            summary=endpoint.summary,
            response_description=documentation.first_sentence(endpoint.answer)
            if endpoint.answer is not None
            else "The content.",
            operation_id=endpoint.handler.__name__,
            responses=documentation.responses(
                method=endpoint.method,
                public=endpoint.right is None,
                has_parameters=binding.has_parameters,
                has_body=binding.body is not None,
                names_things=binding.names_things,
                refuses=endpoint.refuses,
                others=endpoint.others,
            ),
            openapi_extra=documentation.extra(
                method=endpoint.method,
                right=None if endpoint.right is None else endpoint.right.value,
                waits=endpoint.waits,
            ),
        )
        self.declared = endpoint
        self._parts = parts
        self._binding = binding
        self.app = self._serve

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._respond(scope, receive)
        except FiscalError as error:
            response = problem_response(error, field=_field_of(error, scope), instance=_id(scope))
        except InvalidBody as wrong:
            response = problem_response(wrong.first, others=wrong.others, instance=_id(scope))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        endpoint, parts = self.declared, self._parts
        caller = None
        if endpoint.right is not None:
            caller = await authenticated(scope, parts)
            caller.require(endpoint.right)
        arguments = self._binding.arguments(scope)
        parsed: Any = None
        if self._binding.body is not None:
            parsed, arguments["body"] = await self._body(scope, receive, self._binding.body)
            scope["fiscal.parsed"] = parsed
        command = None
        if endpoint.method == "POST":
            assert caller is not None
            command = command_key(
                caller=caller,
                key=header(scope, b"idempotency-key"),
                method="POST",
                path=scope["path"],
                parsed=parsed,
            )
        wait_seconds = 0.0
        if endpoint.waits:
            longest = parts.settings.longest_wait_seconds
            wait_seconds = asked_to_wait(header(scope, b"prefer"), longest=longest)
        call = CallContext(scope, parts, caller, command, wait_seconds)
        answer = await endpoint.handler(call=call, **arguments)
        return self._response(answer)

    async def _body(
        self, scope: Scope, receive: Receive, model: type[BaseModel]
    ) -> tuple[Any, BaseModel]:
        """Return the body's JSON value and what it says; a body that may be absent and is says its default."""
        limit, without = self._parts.settings.largest_body_bytes, self._binding.without_body
        if without is None:
            check_content_type(scope)
        body = await read_body(scope, receive, limit=limit)
        if without is not None:
            if not body:
                return None, without
            check_content_type(scope)
        parsed = parse(body)
        return parsed, validate(model, body, parsed)

    def _response(self, answer: Answer) -> Response:
        if isinstance(answer, Response):
            return answer
        if isinstance(answer, Reply):
            content, status = answer.answer, answer.status or self.declared.status
            headers = {**_NO_STORE, **answer.headers}
        else:
            content, status, headers = answer, self.declared.status, _NO_STORE
        return Response(
            content.__pydantic_serializer__.to_json(content, by_alias=True),
            status_code=status,
            headers=headers,
            media_type=JSON,
        )


async def authenticated(scope: Scope, parts: Parts) -> Caller:
    """Return who calls. Raises: Unauthenticated, StoreUnavailable."""
    token = bearer_token(header(scope, b"authorization"))
    caller = parts.tokens.remembered(token)
    if caller is None:
        caller = await parts.from_view(parts.tokens.look_up, token)
    return caller


def asked_to_wait(prefer: str | None, *, longest: float) -> float:
    """Return the seconds of `Prefer: wait=N`, `longest` at most; 0 without or with nonsense (RFC 7240)."""
    for preference in (prefer or "").split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            value = value.strip().strip('"')
            # A preference that makes no sense is ignored, the RFC says, and not refused.
            if value.isascii() and value.isdigit() and len(value) <= 6:
                return min(float(value), longest)
    return 0.0


def _field_of(error: FiscalError, scope: Scope) -> str | None:
    """Return the path parameter or the field of the body that names what was not found."""
    if not isinstance(error, NotFound):
        return None
    parsed = scope.get("fiscal.parsed")
    given = {**(parsed if isinstance(parsed, dict) else {}), **scope["path_params"]}
    wanted = error.id.lower()
    return next((name for name, value in given.items() if str(value).lower() == wanted), None)


def _id(scope: Scope) -> str | None:
    request_id = scope.get("fiscal.request_id")
    return None if request_id is None else f"urn:fiscal-ledger:request:{request_id}"
