"""The application: every endpoint over the parts it is given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api import documentation
from api.dependencies import Parts
from api.docs_page import docs_page
from api.edge import Edge
from api.routing import EndpointRoute, Endpoints
from api.v1 import (
    alarms,
    balances,
    companies,
    documents,
    drawer,
    events,
    lanes,
    operations,
    part_payments,
    receipts,
    registers,
    returns,
    shifts,
    turnover,
)
from infra.settings import Settings

TITLE = "Fiscal Ledger"
DESCRIPTION = """
The ledger of record for fiscal registers: it signs, numbers and submits every receipt.

- Money is whole kopecks (`…_kopecks`), quantities are thousandths (`quantity_thousandths`), rates basis points
  (`rate_basis_points`), times RFC 3339. Numbers in quotes or with a fraction are refused, unknown and repeated fields
  too.
- Every POST carries an `Idempotency-Key`: the same key with the same body gets the first answer again.
- What does not work is answered as `application/problem+json` with a stable `code`, the `field`, whether the same
  request may be repeated (`retryable`) and the `next_step`.
- `Prefer: wait=20` holds an answer until the outcome is known.
- Lists go by `limit` and `after`; every read says the `position` of the log it shows, and `at_least` makes a read
  show your own write.
"""

# The order of the document; routes are tried in it too, and tills sell most of the time.
GROUPS: tuple[Endpoints, ...] = (
    receipts.receipts,
    part_payments.part_payments,
    returns.returns,
    shifts.shifts,
    shifts.reports,
    drawer.drawer,
    balances.balances,
    turnover.turnover,
    documents.documents,
    lanes.lanes,
    alarms.alarms,
    events.events,
    companies.network,
    companies.companies,
    companies.business_units,
    registers.registers,
    registers.cashiers,
    operations.operations,
)


class FiscalApi(FastAPI):
    """FastAPI with one outermost layer in place of its stack and its telemetry; see `api.edge`."""

    def __init__(self, parts: Parts, **options: Any) -> None:
        super().__init__(**options)
        self.parts = parts

    def build_middleware_stack(self) -> ASGIApp:
        """Return the router behind the edge."""
        return Edge(self.router, metrics=self.parts.metrics, routes=self.routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; FastAPI's own way asks the environment for telemetry each time."""
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        scope["app"] = self
        await self.middleware_stack(scope, receive, send)


def create_app(settings: Settings, parts: Parts) -> FastAPI:
    """Return the application; whoever made the parts closes them after it has stopped."""
    assert parts.settings is settings

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        parts.waits.start()
        parts.bell.start()
        try:
            yield
        finally:
            begin_to_stop(parts)
            # Streams and held calls see it at their next turn.
            await asyncio.sleep(0)

    app = FiscalApi(
        parts,
        title=TITLE,
        version="1",
        description=DESCRIPTION,
        openapi_tags=[{"name": group.tag, "description": group.description} for group in GROUPS],
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    for endpoint in _in_matching_order(GROUPS):
        app.router.routes.append(EndpointRoute(endpoint, parts))
    documentation.install(app)

    async def docs(_: Request) -> HTMLResponse:
        return HTMLResponse(docs_page(app.openapi()))

    app.add_route("/docs", docs, include_in_schema=False)
    return app


def begin_to_stop(parts: Parts) -> None:
    """Let held calls and event streams go, so that the process can end. Called on the event loop."""
    parts.stopping.set()
    parts.waits.stop()
    parts.bell.ring_here()


def _in_matching_order(groups: Iterable[Endpoints]) -> list[Any]:
    """Return all endpoints, those with fixed words before those with a parameter in the same place."""
    endpoints = [endpoint for group in groups for endpoint in group]
    selling = [each for each in endpoints if each.handler.__name__ == "sell"]
    others = [each for each in endpoints if each.handler.__name__ != "sell"]
    return selling + sorted(others, key=lambda each: "{" in each.path.rpartition("/")[2])
