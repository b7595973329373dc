"""The outermost layer: a request's id, its time, its log line; routing errors and bugs as problems.

One plain ASGI function in place of FastAPI's stack of middlewares, because a sale passes it each time.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Sequence
from time import perf_counter

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import MethodNotAllowed, UnknownAddress
from api.metrics import Metrics
from api.problems import problem_response
from api.routing import EndpointRoute
from domain.errors import FiscalError

_log = structlog.get_logger(__name__)
_SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


class Edge:
    """Wraps the router."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._metrics = metrics
        self._routes = routes
        self._endpoints = [route for route in routes if isinstance(route, EndpointRoute)]
        # Unique among processes and restarts; a counter is cheaper than a UUID for each request.
        self._prefix = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"{self._prefix}-{next(self._numbers):x}"
        scope["fiscal.request_id"] = request_id
        started = perf_counter()
        status = 0
        extra = [*_SECURITY_HEADERS, (b"x-request-id", request_id.encode())]

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *extra]
            await send(message)

        try:
            await self._dispatch(scope)(scope, receive, send_on)
        except HTTPException as error:
            await self._routing_error(error, scope)(scope, receive, send_on)
        except Exception:
            # The last one to catch it: a bug becomes a problem and a log line.
            _log.exception("request-failed", request_id=request_id, path=scope["path"])
            if status:
                # The answer has begun; the server closes the connection, so nobody takes it for whole.
                raise
            await _bug(request_id)(scope, receive, send_on)
        finally:
            route = scope.get("route")
            self._metrics.answered(
                getattr(route, "path", "none"), status=status, seconds=perf_counter() - started
            )

    def _dispatch(self, scope: Scope) -> ASGIApp:
        """Return the endpoint's own application; the router decides on all else."""
        for route in self._endpoints:
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                scope.update(child_scope)
                return route.app
        return self._app

    def _routing_error(self, error: HTTPException, scope: Scope) -> Response:
        instance = f"urn:fiscal-ledger:request:{scope['fiscal.request_id']}"
        if error.status_code == 405:
            refusal: FiscalError = MethodNotAllowed(allowed=", ".join(self._allowed(scope)))
        else:
            refusal = UnknownAddress()
        return problem_response(refusal, instance=instance)

    def _allowed(self, scope: Scope) -> list[str]:
        """Return every method of the address; the router itself names those of one route only."""
        methods: set[str] = set()
        for route in self._routes:
            match, _ = route.matches(scope)
            if match is not Match.NONE:
                methods |= getattr(route, "methods", None) or set()
        return sorted(methods)


def _bug(request_id: str) -> Response:
    return problem_response(FiscalError(), instance=f"urn:fiscal-ledger:request:{request_id}")
