"""Returns and storno: give goods back on any register of the seller, take the last receipt back."""

from __future__ import annotations

from api.auth import Right
from api.errors import TooFarBehind
from api.originals import registered_sale
from api.routing import Call, Endpoints, Reply
from api.schemas.common import ReceiptId, RegisterId
from api.schemas.receipts import ReceiptAnswer
from api.schemas.returns import ReturnableAnswer, ReturnBody, StornoBody
from api.v1.receipts import NOT_YET, SIGNING, find_receipt, follow_issued
from domain.documents.receipt import ReceiptKind
from domain.errors import (
    LaneParked,
    LaterPaymentsStand,
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
from domain.identifiers import shard_of, sold_receipt_id
from domain.returns import SoldReceipt

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
        LaterPaymentsStand,
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
    is on its way back is not there for another return. A part payment comes back as the whole it was, a prepayment after
    the payments that followed it. Wait and answer are as of a sale.
    """
    return await follow_issued(
        call,
        register_id,
        call.parts.ledger.give_back,
        sale=await registered_sale(call, body.original, refusal=ReceiptNotReturnable),
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
