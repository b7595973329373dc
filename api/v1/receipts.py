"""Receipts: sell, correct or void what was refused, read, search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from api.auth import Right
from api.following import follow
from api.positions import behind, eventually, position_text, reach
from api.progress import ReceiptProgress, decided, signed, undecided, waiting
from api.routing import Call, CallContext, Endpoints, Others, Reply
from api.schemas.common import (
    LARGEST_KOPECKS,
    After,
    AtLeast,
    BusinessUnitFilter,
    CompanyFilter,
    Limit,
    Page,
    ReceiptId,
    RegisterFilter,
    RegisterId,
    ShiftFilter,
    Since,
    Until,
    WholeNumber,
    YesOrNo,
)
from api.schemas.receipt_parts import RelatedAnswer
from api.schemas.receipts import ReceiptAnswer, ReceiptSummary, receipt_answer
from api.schemas.sales import CorrectionBody, SaleBody, VoidBody
from domain.documents.receipt import ReceiptKind, ReceiptState
from domain.errors import (
    CashierMayNotSell,
    DiscountExceedsCost,
    EmptyReceipt,
    KeyNotForLiveRegister,
    KeyUnknown,
    LaneParked,
    NoOpenShift,
    NotFound,
    PaymentsDiffer,
    ReceiptKindDiffers,
    ReceiptNotRefused,
    ShiftClosing,
    SignerUnavailable,
    TooManyWaiting,
    TotalsDiffer,
    UnknownTaxLetter,
)
from domain.identifiers import shard_of
from domain.ledger import Issued
from domain.money import Money
from domain.ports import LogPosition
from domain.qr import qr_text
from domain.register.aggregate import Register
from projections.receipts_view import ReceiptQuery
from projections.standing import FINAL_STATES

receipts = Endpoints(tag="Receipts", description="What the buyer gets, and how far it is.")

_HAND_OVER = frozenset({ReceiptState.REGISTERED, ReceiptState.OFFLINE})
NOT_YET: Others = {
    202: {
        "description": "Recorded, but there is no fiscal number to hand over: `state` and `waiting_reason` or "
        "`refusal` say why.",
        "model": ReceiptAnswer,
    }
}
_FOR_THE_DRAWER_ONLY = frozenset({ReceiptKind.SERVICE_DEPOSIT, ReceiptKind.SERVICE_ISSUE})
"""No settlement documents (reference §8.3): no buyer gets them, so there is nothing to check by a QR code."""
_INPUT = (EmptyReceipt, UnknownTaxLetter, DiscountExceedsCost, TotalsDiffer, PaymentsDiffer)
SIGNING = (SignerUnavailable, KeyUnknown)
REFUSES_A_SALE = (
    *_INPUT,
    NoOpenShift,
    ShiftClosing,
    LaneParked,
    TooManyWaiting,
    CashierMayNotSell,
    KeyNotForLiveRegister,
    *SIGNING,
)


@receipts.add(
    "POST",
    "/v1/registers/{register_id}/receipts",
    right=Right.SELL,
    answer=ReceiptAnswer,
    summary="Sell",
    status=201,
    waits=True,
    others=NOT_YET,
    refuses=REFUSES_A_SALE,
)
async def sell(call: Call, register_id: RegisterId, body: SaleBody) -> Reply:
    """Issue a sale in the open shift.

    With `Prefer: wait=20` the answer comes when the tax service has registered the receipt. 201: there is a fiscal
    number, the receipt can be handed over. 202: recorded and on its way (or refused); read it under `links.self`.
    """
    parts = call.parts
    with call.watching(register_id) as watch:
        issued = await parts.in_thread(
            parts.ledger.sell,
            register_id=register_id,
            request=body.to_domain(),
            cashier_id=body.cashier_id,
            command=call.the_command,
        )
        progress = await follow(
            await _standing(call, issued), watch, seconds=call.wait_seconds, settled=_is_settled
        )
    return await _reply(call, progress, issued.position)


@receipts.add(
    "POST",
    "/v1/registers/{register_id}/receipts/{receipt_id}/correction",
    right=Right.SELL,
    answer=ReceiptAnswer,
    summary="Correct a refused receipt",
    status=201,
    waits=True,
    others=NOT_YET,
    refuses=(*_INPUT, ReceiptNotRefused, ReceiptKindDiffers, NoOpenShift, *SIGNING),
)
async def correct(
    call: Call, register_id: RegisterId, receipt_id: ReceiptId, body: CorrectionBody
) -> Reply:
    """Make a receipt that the tax service refused again, under its id, with other content."""
    parts = call.parts
    with call.watching(register_id) as watch:
        issued = await parts.in_thread(
            parts.ledger.correct,
            register_id=register_id,
            receipt_id=receipt_id,
            request=body.to_domain(),
            command=call.the_command,
        )
        progress = await follow(
            await _standing(call, issued), watch, seconds=call.wait_seconds, settled=_is_settled
        )
    return await _reply(call, progress, issued.position)


@receipts.add(
    "POST",
    "/v1/registers/{register_id}/receipts/{receipt_id}/void",
    right=Right.SELL,
    answer=ReceiptAnswer,
    summary="Void a refused receipt",
    refuses=(ReceiptNotRefused, *SIGNING),
)
async def void(call: Call, register_id: RegisterId, receipt_id: ReceiptId, body: VoidBody) -> Reply:
    """Give a receipt that the tax service refused up, with the reason. A registered one is undone by a return."""
    issued = await call.parts.in_thread(
        call.parts.ledger.void,
        register_id=register_id,
        receipt_id=receipt_id,
        reason=body.reason,
        command=call.the_command,
    )
    progress = await find_receipt(call, register_id, receipt_id)
    return Reply(await _answer(call, progress, issued.position))


@receipts.add(
    "GET",
    "/v1/registers/{register_id}/receipts/{receipt_id}",
    right=Right.READ,
    answer=ReceiptAnswer,
    summary="Read a receipt",
)
async def read_receipt(
    call: Call, register_id: RegisterId, receipt_id: ReceiptId, at_least: AtLeast = None
) -> ReceiptAnswer:
    """Return a receipt, how far it is, and its chain: the sale, what came back of it, what was taken back."""
    view = call.parts.views.receipts
    await reach(call.parts, view, at_least)
    answer = await _answer(call, await find_receipt(call, register_id, receipt_id), None)
    chain = await call.parts.from_view(view.chain, receipt_id)
    return answer.model_copy(update={"chain": [RelatedAnswer.of(row) for row in chain]})


@receipts.add(
    "GET",
    "/v1/receipts",
    right=Right.READ,
    answer=Page[ReceiptSummary],
    summary="Search the journal of receipts",
)
async def search_receipts(
    call: Call,
    register_id: RegisterFilter = None,
    business_unit_id: BusinessUnitFilter = None,
    company_id: CompanyFilter = None,
    shift_id: ShiftFilter = None,
    state: Annotated[
        ReceiptState | None, Query(description="Only in this state.", examples=["refused"])
    ] = None,
    fiscal_number: Annotated[
        str | None,
        Query(max_length=64, description="With this fiscal number.", examples=["3600000103"]),
    ] = None,
    local_number: Annotated[
        WholeNumber | None,
        Query(ge=1, le=2**53, description="With this local number.", examples=[4321]),
    ] = None,
    total_from_kopecks: Annotated[
        WholeNumber | None,
        Query(ge=0, le=LARGEST_KOPECKS, description="To pay at least this.", examples=[100]),
    ] = None,
    total_to_kopecks: Annotated[
        WholeNumber | None,
        Query(ge=0, le=LARGEST_KOPECKS, description="To pay at most this.", examples=[100000]),
    ] = None,
    issued_from: Since = None,
    issued_before: Until = None,
    cashier_id: Annotated[
        UUID | None,
        Query(
            description="Sold by this cashier.",
            examples=["9b1c5f30-2d11-5e7a-b0f4-7d9e8c6a5b40"],
        ),
    ] = None,
    cashier: Annotated[
        str | None,
        Query(max_length=256, description="Words of the cashier's name.", examples=["приклад"]),
    ] = None,
    product: Annotated[
        str | None,
        Query(
            max_length=256,
            description="Words of a product's name, its code, barcode, УКТЗЕД or ДКПП, an excise stamp.",
            examples=["хліб житн"],
        ),
    ] = None,
    card_tail: Annotated[
        str | None,
        Query(pattern=r"^\d{4}$", description="Last digits of the card.", examples=["1234"]),
    ] = None,
    testing: Annotated[
        YesOrNo | None, Query(description="Only tests, or none of them.", examples=[False])
    ] = None,
    limit: Limit = 50,
    after: After = None,
    at_least: AtLeast = None,
) -> Page[ReceiptSummary]:
    """Return receipts that meet all conditions, newest first. Words are found by their beginnings."""
    view = call.parts.views.receipts
    await reach(call.parts, view, at_least)
    wanted = ReceiptQuery(
        register_id=register_id,
        business_unit_id=business_unit_id,
        company_id=company_id,
        shift_id=shift_id,
        state=state,
        fiscal_number=fiscal_number,
        local_number=local_number,
        total_from=None if total_from_kopecks is None else Money(total_from_kopecks),
        total_to=None if total_to_kopecks is None else Money(total_to_kopecks),
        issued_from=issued_from,
        issued_before=issued_before,
        cashier_id=cashier_id,
        cashier=cashier,
        product=product,
        card_tail=card_tail,
        testing=testing,
    )
    page = await call.parts.from_view(view.search, wanted, limit=limit, after=after)
    return Page(
        items=[ReceiptSummary.of(row) for row in page.rows],
        next=page.next,
        position=str(page.cursor),
    )


# --- helpers -------------------------------------------------------------------------------------------------


def _is_settled(progress: ReceiptProgress) -> bool:
    return progress.settled


async def _standing(call: CallContext, issued: Issued) -> ReceiptProgress:
    """Return how far a receipt is right after its command; one carried out before is looked for."""
    if issued.receipt is None:
        return await find_receipt(call, issued.register_id, issued.receipt_id)
    standing = waiting(issued.register_id, issued.receipt, testing=issued.testing)
    return standing if issued.local_number is None else signed(standing, issued.local_number)


async def find_receipt(call: CallContext, register_id: UUID, receipt_id: UUID) -> ReceiptProgress:
    """Return how far a receipt is: undecided ones by the register itself, decided ones by the journal.

    The journal follows the log at a distance; while it does not know yet what the register has already let go, it is
    waited for. Raises: NotFound, TooFarBehind.
    """
    parts = call.parts
    register = await parts.in_thread(
        parts.store.read, Register, register_id, shard=shard_of(register_id)
    )
    progress = undecided(register, receipt_id)
    if progress is not None:
        return progress
    view = parts.views.receipts
    shard = shard_of(register_id)
    end: int | None = None

    async def in_journal() -> ReceiptProgress | None:
        nonlocal end
        complete = end is not None and (await parts.from_view(view.cursor)).covers(shard, end)
        try:
            details = await parts.from_view(view.get, receipt_id)
        except NotFound:
            if complete:
                raise
            # The register let it go before now, so a journal that shows this moment knows it, or nobody does.
            if end is None:
                end = (await parts.in_thread(parts.feed.heads)).positions[shard]
            return None
        if details.row.register_id != register_id:
            raise NotFound(what="receipt", id=str(receipt_id))
        # What the register let go is final; another state here is an old one.
        return decided(details) if details.row.state in FINAL_STATES else None

    found = await eventually(parts, in_journal)
    if found is None:
        raise behind(view)
    return found


async def _reply(
    call: CallContext, progress: ReceiptProgress, position: LogPosition | None
) -> Reply:
    answer = await _answer(call, progress, position)
    call.parts.metrics.answered_receipt(progress.state)
    return Reply(
        answer,
        status=201 if progress.state in _HAND_OVER else 202,
        headers={"Location": answer.links.self},
    )


async def _answer(
    call: CallContext, progress: ReceiptProgress, position: LogPosition | None
) -> ReceiptAnswer:
    qr = None
    numbered = progress.fiscal_number is not None and progress.document_at is not None
    if numbered and progress.receipt.kind not in _FOR_THE_DRAWER_ONLY:
        assert progress.fiscal_number is not None
        assert progress.document_at is not None
        qr = qr_text(
            fiscal_number=progress.fiscal_number,
            register_fiscal_number=await call.parts.fiscal_number(progress.register_id),
            at=progress.document_at,
            total=progress.receipt.checked_total,
            with_seconds=call.parts.settings.qr_with_seconds,
        )
    return receipt_answer(
        progress,
        position=position_text(position),
        qr=qr,
        lane_says=await _lane_says(call, progress),
    )


async def _lane_says(call: CallContext, progress: ReceiptProgress) -> str | None:
    """Return what the lane waits for; asked only after waiting in vain, so that no sale pays for a query."""
    if progress.reason is None or not call.wait_seconds:
        return None
    lane = await call.parts.from_view(call.parts.lanes.of, progress.register_id)
    return None if lane is None else lane.parked or lane.reason


async def follow_issued(
    call: CallContext, register_id: UUID, command: Callable[..., Issued], **arguments: Any
) -> Reply:
    """Carry a command out that issues a receipt, hold the call as far as asked, and answer with the receipt."""
    with call.watching(register_id) as watch:
        issued = await call.parts.in_thread(
            command, register_id=register_id, command=call.the_command, **arguments
        )
        progress = await follow(
            await _standing(call, issued), watch, seconds=call.wait_seconds, settled=_is_settled
        )
    return await _reply(call, progress, issued.position)
