"""Returns and storno: give goods back on any register of the seller, take the last receipt back."""

from __future__ import annotations

from api.auth import Right
from api.errors import TooFarBehind
from api.positions import behind, eventually
from api.routing import Call, CallContext, Endpoints, Reply
from api.schemas.common import ReceiptId, RegisterId
from api.schemas.receipts import ReceiptAnswer
from api.schemas.returns import OriginalBody, ReturnableAnswer, ReturnBody, StornoBody
from api.v1.receipts import NOT_YET, SIGNING, find_receipt, follow_issued
from domain.documents.receipt import ReceiptKind, ReceiptState
from domain.errors import (
    InvalidField,
    LaneParked,
    NoOpenShift,
    NotEnoughCash,
    NotFound,
    NothingLeft,
    PaymentsDiffer,
    ReceiptNotRegistered,
    ReceiptNotReturnable,
    ReturnExceedsSale,
    ReturnLapsed,
    ShiftClosing,
    StornoNotPossible,
    TooManyWaiting,
)
from domain.identifiers import register_number, register_stream_id, shard_of, sold_receipt_id
from domain.ledger import RegisteredSale
from domain.returns import SoldReceipt
from projections.receipts_view import ReceiptDetails, ReceiptQuery

returns = Endpoints(
    tag="Returns", description="Goods that come back, receipts that are taken back."
)

_SHIFT = (NoOpenShift, ShiftClosing, LaneParked, TooManyWaiting, *SIGNING)


@returns.add(
    "POST",
    "/v1/registers/{register_id}/returns",
    right=Right.SELL,
    answer=ReceiptAnswer,
    summary="Give goods back",
    status=201,
    waits=True,
    others=NOT_YET,
    refuses=(
        ReceiptNotRegistered,
        ReceiptNotReturnable,
        NothingLeft,
        ReturnExceedsSale,
        ReturnLapsed,
        PaymentsDiffer,
        *_SHIFT,
        TooFarBehind,
    ),
)
async def give_back(call: Call, register_id: RegisterId, body: ReturnBody) -> Reply:
    """Issue a return of all or part of a sale, of this register or of any other of the same company.

    The sale is named by its id, or by the fiscal numbers of receipt and register as the buyer's receipt shows them. What
    is on its way back is not there for another return. Wait and answer are as of a sale.
    """
    return await follow_issued(
        call,
        register_id,
        call.parts.ledger.give_back,
        sale=await _registered_sale(call, body.original),
        request=body.to_domain(),
    )


@returns.add(
    "POST",
    "/v1/registers/{register_id}/receipts/{receipt_id}/storno",
    right=Right.SELL,
    answer=ReceiptAnswer,
    summary="Take the last receipt back",
    status=201,
    waits=True,
    others=NOT_YET,
    refuses=(ReceiptNotRegistered, StornoNotPossible, NotEnoughCash, *_SHIFT, TooFarBehind),
)
async def storno(
    call: Call, register_id: RegisterId, receipt_id: ReceiptId, body: StornoBody
) -> Reply:
    """Take back, as a whole, the register's last document, within its shift: a sale, a return, a deposit or an issue.

    Anything else is refused with the reason; the way then is a return. Wait and answer are as of a sale.
    """
    try:
        return await follow_issued(
            call,
            register_id,
            call.parts.ledger.storno,
            receipt_id=receipt_id,
            comment=body.comment,
        )
    except NotFound:
        await find_receipt(call, register_id, receipt_id)
        reason = "it is not the last receipt of the open shift"
        raise StornoNotPossible(receipt_id=receipt_id, reason=reason) from None


@returns.add(
    "GET",
    "/v1/registers/{register_id}/receipts/{receipt_id}/returnable",
    right=Right.READ,
    answer=ReturnableAnswer,
    summary="Read what is left to give back",
    refuses=(ReceiptNotReturnable, TooFarBehind),
)
async def read_returnable(
    call: Call, register_id: RegisterId, receipt_id: ReceiptId
) -> ReturnableAnswer:
    """Return what may still come back of a sale, now: not as a read model knows it, but as a return would find it."""
    parts = call.parts
    progress = await find_receipt(call, register_id, receipt_id)
    if progress.receipt.kind is not ReceiptKind.SALE:
        raise ReceiptNotReturnable(
            receipt_id=receipt_id, reason=f"it is a {progress.receipt.kind.value}, not a sale"
        )
    sold = await parts.in_thread(
        parts.store.refresh,
        SoldReceipt,
        sold_receipt_id(receipt_id),
        shard=shard_of(register_id),
    )
    return ReturnableAnswer.of(sold, progress.receipt)


# --- helpers -------------------------------------------------------------------------------------------------


async def _registered_sale(call: CallContext, original: OriginalBody) -> RegisteredSale:
    """Return the sale a return names, once the journal shows what the log has of it.

    Raises: InvalidField, NotFound, ReceiptNotRegistered, ReceiptNotReturnable, TooFarBehind.
    """
    wanted = _wanted(original)
    parts, view = call.parts, call.parts.views.receipts
    details = await parts.from_view(_look, call, original, wanted)
    if details is None or details.row.state is not ReceiptState.REGISTERED:
        # It may be registered in the log and not in the journal yet.
        end = await parts.in_thread(parts.feed.heads)

        async def complete() -> bool | None:
            reached = (await parts.from_view(view.cursor)).positions
            there = all(
                place >= wanted for place, wanted in zip(reached, end.positions, strict=True)
            )
            return there or None

        if await eventually(parts, complete) is None:
            raise behind(view)
        details = await parts.from_view(_look, call, original, wanted)
    if details is None:
        raise NotFound(what="receipt", id=str(original.receipt_id or original.fiscal_number))
    row = details.row
    if row.state is ReceiptState.VOIDED:
        raise ReceiptNotReturnable(receipt_id=row.receipt_id, reason="it was voided")
    if row.state is not ReceiptState.REGISTERED:
        raise ReceiptNotRegistered(receipt_id=row.receipt_id, state=row.state.value)
    assert row.fiscal_number is not None
    assert row.document_at is not None
    return RegisteredSale(
        register_id=row.register_id,
        receipt=details.receipt,
        fiscal_number=row.fiscal_number,
        document_at=row.document_at,
        testing=row.testing,
    )


def _wanted(original: OriginalBody) -> ReceiptQuery | None:
    """Return what to look for when a sale is named by its numbers; None when by its id. Raises: InvalidField."""
    numbers = (original.fiscal_number, original.register_fiscal_number)
    if original.receipt_id is not None and numbers == (None, None):
        return None
    if original.receipt_id is not None or not all(numbers):
        raise InvalidField(
            field="original", expected="receipt_id, or fiscal_number and register_fiscal_number"
        )
    number = register_number(
        original.register_fiscal_number or "", field="original.register_fiscal_number"
    )
    return ReceiptQuery(
        fiscal_number=original.fiscal_number, register_id=register_stream_id(number)
    )


def _look(
    call: CallContext, original: OriginalBody, wanted: ReceiptQuery | None
) -> ReceiptDetails | None:
    view = call.parts.views.receipts
    receipt_id = original.receipt_id
    if wanted is not None:
        found = view.search(wanted, limit=1).rows
        receipt_id = found[0].receipt_id if found else None
    if receipt_id is None:
        return None
    try:
        return view.get(receipt_id)
    except NotFound:
        return None
