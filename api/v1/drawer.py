"""The drawer: cash put in, taken out, given out to cards; what moved and what it holds."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from api.auth import Right
from api.positions import reach
from api.routing import Call, Endpoints, Reply
from api.schemas.common import (
    After,
    AtLeast,
    BusinessUnitFilter,
    Limit,
    Page,
    ReceiptId,
    RegisterFilter,
    RegisterId,
    ShiftFilter,
    Since,
    Until,
    YesOrNo,
)
from api.schemas.drawer import (
    DepositBody,
    DrawerAnswer,
    IssueBody,
    MovementAnswer,
    WithdrawalBody,
)
from api.schemas.receipts import ReceiptAnswer
from api.v1.reading import read_now
from api.v1.receipts import NOT_YET, SIGNING, follow_issued
from domain.documents.receipt import ReceiptKind
from domain.errors import (
    LaneParked,
    NoOpenShift,
    NotEnoughCash,
    ReceiptKindDiffers,
    ReceiptNotRefused,
    ShiftClosing,
    TooManyWaiting,
    WithdrawalOutsideLimits,
)
from domain.register.aggregate import Register
from projections.drawer import MovementCause

drawer = Endpoints(tag="Drawer", description="Cash put in, taken out, given out to cards.")

_SHIFT = (NoOpenShift, ShiftClosing, LaneParked, TooManyWaiting, *SIGNING)
_REFUSED = (ReceiptNotRefused, ReceiptKindDiffers, NoOpenShift, *SIGNING)


@drawer.add(
    "POST",
    "/v1/registers/{register_id}/service-deposits",
    right=Right.SELL,
    answer=ReceiptAnswer,
    summary="Put cash in",
    status=201,
    waits=True,
    others=NOT_YET,
    refuses=_SHIFT,
)
async def deposit_cash(call: Call, register_id: RegisterId, body: DepositBody) -> Reply:
    """Issue a service deposit («службове внесення») in the open shift; it is registered like a receipt."""
    ledger = call.parts.ledger
    return await follow_issued(call, register_id, ledger.move_cash, request=body.to_domain())


@drawer.add(
    "POST",
    "/v1/registers/{register_id}/service-issues",
    right=Right.SELL,
    answer=ReceiptAnswer,
    summary="Take cash out",
    status=201,
    waits=True,
    others=NOT_YET,
    refuses=(NotEnoughCash, *_SHIFT),
)
async def issue_cash(call: Call, register_id: RegisterId, body: IssueBody) -> Reply:
    """Issue a service issue («службова видача») in the open shift, of no more than the drawer holds (setting)."""
    ledger = call.parts.ledger
    return await follow_issued(call, register_id, ledger.move_cash, request=body.to_domain())


@drawer.add(
    "POST",
    "/v1/registers/{register_id}/cash-withdrawals",
    right=Right.SELL,
    answer=ReceiptAnswer,
    summary="Give cash out to a card",
    status=201,
    waits=True,
    others=NOT_YET,
    refuses=(WithdrawalOutsideLimits, NotEnoughCash, *_SHIFT),
)
async def withdraw_cash(call: Call, register_id: RegisterId, body: WithdrawalBody) -> Reply:
    """Give cash out to a card holder at the till («видача готівки»), after the terminal charged the card.

    The amount is not rounded; the register's settings have the least and the most.
    """
    ledger = call.parts.ledger
    return await follow_issued(call, register_id, ledger.move_cash, request=body.to_domain())


@drawer.add(
    "POST",
    "/v1/registers/{register_id}/service-deposits/{receipt_id}/correction",
    right=Right.SELL,
    answer=ReceiptAnswer,
    summary="Correct a refused service deposit",
    status=201,
    waits=True,
    others=NOT_YET,
    refuses=_REFUSED,
)
async def correct_deposit(
    call: Call, register_id: RegisterId, receipt_id: ReceiptId, body: DepositBody
) -> Reply:
    """Make a service deposit that the tax service refused again, under its id."""
    correct, request = call.parts.ledger.correct_cash, body.to_domain()
    return await follow_issued(call, register_id, correct, receipt_id=receipt_id, request=request)


@drawer.add(
    "POST",
    "/v1/registers/{register_id}/service-issues/{receipt_id}/correction",
    right=Right.SELL,
    answer=ReceiptAnswer,
    summary="Correct a refused service issue",
    status=201,
    waits=True,
    others=NOT_YET,
    refuses=(NotEnoughCash, *_REFUSED),
)
async def correct_issue(
    call: Call, register_id: RegisterId, receipt_id: ReceiptId, body: IssueBody
) -> Reply:
    """Make a service issue that the tax service refused again, under its id."""
    correct, request = call.parts.ledger.correct_cash, body.to_domain()
    return await follow_issued(call, register_id, correct, receipt_id=receipt_id, request=request)


@drawer.add(
    "POST",
    "/v1/registers/{register_id}/cash-withdrawals/{receipt_id}/correction",
    right=Right.SELL,
    answer=ReceiptAnswer,
    summary="Correct a refused cash withdrawal",
    status=201,
    waits=True,
    others=NOT_YET,
    refuses=(WithdrawalOutsideLimits, NotEnoughCash, *_REFUSED),
)
async def correct_withdrawal(
    call: Call, register_id: RegisterId, receipt_id: ReceiptId, body: WithdrawalBody
) -> Reply:
    """Make a cash withdrawal that the tax service refused again, under its id."""
    correct, request = call.parts.ledger.correct_cash, body.to_domain()
    return await follow_issued(call, register_id, correct, receipt_id=receipt_id, request=request)


@drawer.add(
    "GET",
    "/v1/registers/{register_id}/drawer",
    right=Right.READ,
    answer=DrawerAnswer,
    summary="Read a drawer",
)
async def read_drawer(call: Call, register_id: RegisterId) -> DrawerAnswer:
    """Return what a register's drawer holds by the books at this moment."""
    return DrawerAnswer.of(await read_now(call, Register, register_id))


@drawer.add(
    "GET",
    "/v1/drawer-movements",
    right=Right.READ,
    answer=Page[MovementAnswer],
    summary="List movements of cash",
)
async def list_drawer_movements(
    call: Call,
    register_id: RegisterFilter = None,
    shift_id: ShiftFilter = None,
    business_unit_id: BusinessUnitFilter = None,
    kind: Annotated[
        ReceiptKind | None,
        Query(description="Only by this kind of receipt.", examples=["service-issue"]),
    ] = None,
    cause: Annotated[
        MovementCause | None, Query(description="Only of this cause.", examples=["counted"])
    ] = None,
    testing: Annotated[
        YesOrNo,
        Query(description="Movements of test shifts in place of real ones.", examples=[False]),
    ] = False,
    recorded_from: Since = None,
    recorded_before: Until = None,
    limit: Limit = 50,
    after: After = None,
    at_least: AtLeast = None,
) -> Page[MovementAnswer]:
    """Return what changed the cash in drawers, newest first, each with the balance after it.

    Tests move no money: they stay out unless they are asked for, by `testing` or by the shift's id.
    """
    view = call.parts.views.drawer
    await reach(call.parts, view, at_least)
    page = await call.parts.from_view(
        view.search,
        register_id=register_id,
        shift_id=shift_id,
        business_unit_id=business_unit_id,
        kind=kind,
        cause=cause,
        testing=testing if shift_id is None else None,
        recorded_from=recorded_from,
        recorded_before=recorded_before,
        limit=limit,
        after=after,
    )
    return Page(
        items=[MovementAnswer.of(row) for row in page.rows],
        next=page.next,
        position=str(page.cursor),
    )
