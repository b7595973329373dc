"""Balances: money in the drawer and in each payment form."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from api.auth import Right
from api.errors import MissingField
from api.positions import reach
from api.routing import Call, Endpoints
from api.schemas.common import AtLeast, BusinessUnitFilter, RegisterFilter, ShiftFilter, YesOrNo
from api.schemas.lanes import BalancesAnswer, BalancesPage
from domain.errors import NotFound
from infra.event_store.feed import Cursor
from projections.balances import Balances

balances = Endpoints(tag="Balances", description="Money in the drawer and in each payment form.")


@balances.add(
    "GET",
    "/v1/balances",
    right=Right.READ,
    answer=BalancesPage,
    summary="Read balances",
    refuses=(MissingField, NotFound),
)
async def read_balances(
    call: Call,
    register_id: RegisterFilter = None,
    shift_id: ShiftFilter = None,
    business_unit_id: BusinessUnitFilter = None,
    testing: Annotated[
        YesOrNo,
        Query(description="Sums of test shifts instead of the fiscal ones.", examples=[False]),
    ] = False,
    at_least: AtLeast = None,
) -> BalancesPage:
    """Return the money of a register (of one shift, or all together), or of every shift that is open now.

    Every figure is split by the state of the receipts, so that what the tax service has is told from what is on its
    way. Tests are no money: they stay out unless they are asked for, by `testing` or by the shift's id.
    """
    view = call.parts.views.balances
    if shift_id is not None and register_id is None:
        raise MissingField(field="register_id", expected="given with shift_id")
    if register_id is not None:
        # An unknown register has no balances at all, which is not the same as empty ones.
        await call.parts.fiscal_number(register_id)
    await reach(call.parts, view, at_least)
    found: tuple[Balances, ...]
    if register_id is None:
        found = await call.parts.from_view(
            view.of_open_shifts, business_unit_id=business_unit_id, testing=testing
        )
    elif shift_id is None:
        found = (await call.parts.from_view(view.of_register, register_id, testing=testing),)
    else:
        found = (
            await call.parts.from_view(view.of_shift, register_id=register_id, shift_id=shift_id),
        )
    # With several, the oldest place is the one that all of them show.
    cursor = found[0].cursor if found else Cursor()
    return BalancesPage(items=[BalancesAnswer.of(each) for each in found], position=str(cursor))
