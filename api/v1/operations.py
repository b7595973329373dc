"""Health, readiness, metrics: public, for load balancers and monitoring."""

from __future__ import annotations

from starlette.responses import Response

from api.auth import Right
from api.dependencies import Check
from api.errors import Forbidden, Unauthenticated
from api.metrics import CONTENT_TYPE
from api.routing import Call, Endpoints, Reply, authenticated
from api.schemas.operations import CheckAnswer, HealthAnswer, ReadyAnswer
from domain.errors import StoreUnavailable

operations = Endpoints(tag="Operations", description="For load balancers and monitoring.")


@operations.add("GET", "/health", right=None, answer=HealthAnswer, summary="Is the process alive?")
async def health(call: Call) -> HealthAnswer:
    """Answer at once, without asking anything else."""
    return HealthAnswer(status="ok")


@operations.add(
    "GET",
    "/ready",
    right=None,
    answer=ReadyAnswer,
    summary="Can requests be served?",
    others={
        503: {"description": "Something is missing; `checks` says what.", "model": ReadyAnswer}
    },
)
async def ready(call: Call) -> Reply:
    """Look at the database, its migrations, the signing agent and the follower of the log."""
    checks = [await call.parts.from_view(_looked_at, check) for check in call.parts.checks]
    well = all(check.ok for check in checks) and not call.parts.stopping.is_set()
    return Reply(ReadyAnswer(ready=well, checks=checks), status=200 if well else 503)


@operations.add(
    "GET",
    "/metrics",
    right=None,
    answer=None,
    summary="Metrics for Prometheus",
    media_type="text/plain",
    refuses=(Unauthenticated, Forbidden, StoreUnavailable),
)
async def metrics(call: Call) -> Response:
    """Return what this process counts. A setting decides whether a token is needed."""
    if call.parts.settings.metrics_need_token:
        caller = await authenticated(call.scope, call.parts)
        caller.require(Right.READ_METRICS)
    call.parts.metrics.held_calls.set(len(call.parts.waits))
    return Response(call.parts.metrics.text(), headers={"Content-Type": CONTENT_TYPE})


def _looked_at(check: Check) -> CheckAnswer:
    trouble = check.look()
    return CheckAnswer(name=check.name, ok=trouble is None, detail=trouble)
