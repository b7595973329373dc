"""Shifts: open, close, list; X-reports and Z-reports."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from api.auth import Right
from api.following import follow
from api.positions import behind, eventually, position_text, reach
from api.progress import REASON_TEXTS, WaitingReason
from api.routing import Call, CallContext, Endpoints, Others, Reply
from api.schemas.common import (
    After,
    AtLeast,
    BusinessUnitFilter,
    CompanyFilter,
    Limit,
    Page,
    RegisterFilter,
    RegisterId,
    ShiftId,
    Since,
    Until,
    YesOrNo,
)
from api.schemas.shifts import (
    CloseShiftBody,
    OpenShiftBody,
    ShiftAnswer,
    XReportAnswer,
    ZReportAnswer,
)
from api.shift_progress import ShiftProgress, decided_shift, shift_progress
from domain.errors import (
    CashierMayNotSell,
    KeyNotForLiveRegister,
    KeyUnknown,
    LaneParked,
    NoOpenShift,
    NotFound,
    RefusedReceiptsRemain,
    ShiftAlreadyOpen,
    ShiftClosing,
    SignerUnavailable,
)
from domain.identifiers import shard_of
from domain.ledger import ShiftChange
from domain.money import Money
from domain.register.aggregate import Register
from projections.shifts import ShiftState

shifts = Endpoints(tag="Shifts", description="From opening to the closing report.")
reports = Endpoints(tag="Reports", description="X-reports and Z-reports.")

_NOT_COUNTED = CloseShiftBody()
_NOT_YET: Others = {
    202: {
        "description": "The shift is not yet where it should be; `waiting_reason` says why. It goes on by itself.",
        "model": ShiftAnswer,
    }
}


@shifts.add(
    "POST",
    "/v1/registers/{register_id}/shifts",
    right=Right.SELL,
    answer=ShiftAnswer,
    summary="Open a shift",
    status=201,
    waits=True,
    others=_NOT_YET,
    refuses=(
        ShiftAlreadyOpen,
        CashierMayNotSell,
        KeyNotForLiveRegister,
        LaneParked,
        KeyUnknown,
        SignerUnavailable,
    ),
)
async def open_shift(call: Call, register_id: RegisterId, body: OpenShiftBody) -> Reply:
    """Open the register's next shift with the cashier's key.

    201: the tax service has the opening. 202: it is on its way; receipts are taken already and follow it.
    """
    with call.watching(register_id) as watch:
        change = await call.parts.in_thread(
            call.parts.ledger.open_shift,
            register_id=register_id,
            cashier_id=body.cashier_id,
            testing=body.testing,
            command=call.the_command,
        )
        shift = await _current(call, change)
        shift = await follow(
            shift,
            watch,
            seconds=call.wait_seconds,
            settled=lambda it: it.opening_fiscal_number is not None or it.parked is not None,
        )
    opened = shift.opening_fiscal_number is not None
    return _reply(shift, change, done=opened, pending=WaitingReason.SHIFT_OPENING, status=201)


@shifts.add(
    "POST",
    "/v1/registers/{register_id}/shifts/current/close",
    right=Right.SELL,
    answer=ShiftAnswer,
    summary="Close the open shift",
    waits=True,
    others=_NOT_YET,
    refuses=(NoOpenShift, ShiftClosing, RefusedReceiptsRemain),
)
async def close_shift(
    call: Call, register_id: RegisterId, body: CloseShiftBody = _NOT_COUNTED
) -> Reply:
    """Close the shift in stages: what waits is registered, then the Z-report, then the closing document.

    A register so set issues the cash of its drawer before the Z-report. A drawer that was counted is told in the body;
    without a body nothing was counted. From now on new receipts are refused. Refused receipts have to be corrected or voided before. 200: the shift is
    closed. 202: the stages go on by themselves.
    """
    counted = None if body.counted_kopecks is None else Money(body.counted_kopecks)
    with call.watching(register_id) as watch:
        change = await call.parts.in_thread(
            call.parts.ledger.close_shift,
            register_id=register_id,
            counted=counted,
            command=call.the_command,
        )
        shift = await _current(call, change)
        shift = await follow(
            shift,
            watch,
            seconds=call.wait_seconds,
            settled=lambda it: it.state is ShiftState.CLOSED or it.parked is not None,
        )
    closed = shift.state is ShiftState.CLOSED
    return _reply(shift, change, done=closed, pending=WaitingReason.EARLIER_DOCUMENT, status=200)


@shifts.add(
    "GET",
    "/v1/shifts",
    right=Right.READ,
    answer=Page[ShiftAnswer],
    summary="List shifts",
)
async def list_shifts(
    call: Call,
    register_id: RegisterFilter = None,
    business_unit_id: BusinessUnitFilter = None,
    company_id: CompanyFilter = None,
    state: Annotated[
        ShiftState | None, Query(description="Only in this state.", examples=["open"])
    ] = None,
    testing: Annotated[
        YesOrNo | None, Query(description="Only test shifts, or none of them.", examples=[False])
    ] = None,
    opened_from: Since = None,
    opened_before: Until = None,
    limit: Limit = 50,
    after: After = None,
    at_least: AtLeast = None,
) -> Page[ShiftAnswer]:
    """Return shifts, newest first."""
    view = call.parts.views.shifts
    await reach(call.parts, view, at_least)
    page = await call.parts.from_view(
        view.search,
        register_id=register_id,
        business_unit_id=business_unit_id,
        company_id=company_id,
        state=state,
        testing=testing,
        opened_from=opened_from,
        opened_before=opened_before,
        limit=limit,
        after=after,
    )
    return Page(
        items=[ShiftAnswer.of(row) for row in page.rows],
        next=page.next,
        position=str(page.cursor),
    )


@shifts.add(
    "GET",
    "/v1/shifts/{shift_id}",
    right=Right.READ,
    answer=ShiftAnswer,
    summary="Read a shift",
)
async def read_shift(call: Call, shift_id: ShiftId, at_least: AtLeast = None) -> ShiftAnswer:
    """Return a shift."""
    view = call.parts.views.shifts
    await reach(call.parts, view, at_least)
    return ShiftAnswer.of(await call.parts.from_view(view.get, shift_id))


@reports.add(
    "GET",
    "/v1/registers/{register_id}/x-report",
    right=Right.READ,
    answer=XReportAnswer,
    summary="Make an X-report",
    refuses=(NoOpenShift,),
)
async def make_x_report(call: Call, register_id: RegisterId) -> XReportAnswer:
    """Return the open shift's figures so far, as they stand this moment."""
    report = await call.parts.in_thread(call.parts.ledger.x_report, register_id)
    return XReportAnswer.of(report)


@reports.add(
    "GET",
    "/v1/z-reports",
    right=Right.READ,
    answer=Page[ZReportAnswer],
    summary="List Z-reports",
)
async def list_z_reports(
    call: Call,
    register_id: RegisterFilter = None,
    business_unit_id: BusinessUnitFilter = None,
    company_id: CompanyFilter = None,
    differing: Annotated[
        YesOrNo,
        Query(
            description="Only those whose totals the tax service counts otherwise.",
            examples=[True],
        ),
    ] = False,
    testing: Annotated[
        YesOrNo,
        Query(description="Those of test shifts instead of the fiscal ones.", examples=[False]),
    ] = False,
    opened_from: Since = None,
    opened_before: Until = None,
    limit: Limit = 50,
    after: After = None,
    at_least: AtLeast = None,
) -> Page[ZReportAnswer]:
    """Return the Z-reports of closed shifts, newest shift first."""
    view = call.parts.views.shifts
    await reach(call.parts, view, at_least)
    page = await call.parts.from_view(
        view.search,
        register_id=register_id,
        business_unit_id=business_unit_id,
        company_id=company_id,
        state=ShiftState.CLOSED,
        differing=differing,
        testing=testing,
        opened_from=opened_from,
        opened_before=opened_before,
        limit=limit,
        after=after,
    )
    return Page(
        items=[ZReportAnswer.of(row) for row in page.rows],
        next=page.next,
        position=str(page.cursor),
    )


@reports.add(
    "GET",
    "/v1/shifts/{shift_id}/z-report",
    right=Right.READ,
    answer=ZReportAnswer,
    summary="Read a shift's Z-report",
)
async def read_z_report(call: Call, shift_id: ShiftId, at_least: AtLeast = None) -> ZReportAnswer:
    """Return a shift's Z-report; not found until its figures are decided."""
    view = call.parts.views.shifts
    await reach(call.parts, view, at_least)
    row = await call.parts.from_view(view.get, shift_id)
    if row.z_report_id is None and row.z_fiscal_number is None:
        raise NotFound(what="Z-report of shift", id=str(shift_id))
    return ZReportAnswer.of(row)


# --- helpers -------------------------------------------------------------------------------------------------


async def _current(call: CallContext, change: ShiftChange) -> ShiftProgress:
    """Return how far a shift is; one that closed since is in the journal."""
    register_id = change.register_id
    register = await call.parts.in_thread(
        call.parts.store.read, Register, register_id, shard=shard_of(register_id)
    )
    progress = shift_progress(register, change.shift_id)
    if progress is not None:
        return progress
    view = call.parts.views.shifts

    async def closed() -> ShiftProgress | None:
        try:
            row = await call.parts.from_view(view.get, change.shift_id)
        except NotFound:
            return None
        return decided_shift(row) if row.state is ShiftState.CLOSED else None

    found = await eventually(call.parts, closed)
    if found is None:
        raise behind(view)
    return found


def _reply(
    shift: ShiftProgress,
    change: ShiftChange,
    *,
    done: bool,
    pending: WaitingReason,
    status: int,
) -> Reply:
    reason = None
    if not done:
        reason = REASON_TEXTS[pending if shift.parked is None else WaitingReason.LANE_PARKED]
    answer = ShiftAnswer.of_progress(
        shift, waiting_reason=reason, position=position_text(change.position)
    )
    return Reply(
        answer,
        status=status if done else 202,
        headers={"Location": f"/v1/shifts/{shift.shift_id}"},
    )
