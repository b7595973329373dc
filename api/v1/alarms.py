"""Alarms: what a person has to look at."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from api.auth import Right
from api.positions import reach
from api.routing import Call, Endpoints
from api.schemas.alarms import AlarmAnswer
from api.schemas.common import (
    After,
    AtLeast,
    BusinessUnitFilter,
    Limit,
    Page,
    RegisterFilter,
    YesOrNo,
)
from projections.alarms import AlarmKind

alarms = Endpoints(tag="Alarms", description="What a person has to look at.")


@alarms.add(
    "GET",
    "/v1/alarms",
    right=Right.READ,
    answer=Page[AlarmAnswer],
    summary="List alarms",
)
async def list_alarms(
    call: Call,
    register_id: RegisterFilter = None,
    business_unit_id: BusinessUnitFilter = None,
    kind: Annotated[
        AlarmKind | None, Query(description="Only of this kind.", examples=["lane-parked"])
    ] = None,
    resolved: Annotated[
        YesOrNo | None,
        Query(
            description="Only those that are over, or only those that are not.", examples=[False]
        ),
    ] = None,
    limit: Limit = 50,
    after: After = None,
    at_least: AtLeast = None,
) -> Page[AlarmAnswer]:
    """Return alarms, newest first. The operator channel tells each of them once."""
    view = call.parts.views.alarms
    await reach(call.parts, view, at_least)
    page = await call.parts.from_view(
        view.search,
        register_id=register_id,
        business_unit_id=business_unit_id,
        kind=kind,
        resolved=resolved,
        limit=limit,
        after=after,
    )
    return Page(
        items=[AlarmAnswer.of(row) for row in page.rows],
        next=page.next,
        position=str(page.cursor),
    )
