"""Goods paid in parts: take a prepayment, take what is owed on it, read what still is."""

from __future__ import annotations

from api.auth import Right
from api.errors import TooFarBehind
from api.originals import registered_sale
from api.routing import Call, Endpoints, Reply
from api.schemas.common import ReceiptId, RegisterId
from api.schemas.part_payments import OwedAnswer, PrepaymentBody, SettlementBody
from api.schemas.receipts import ReceiptAnswer
from api.v1.receipts import NOT_YET, REFUSES_A_SALE, SIGNING, find_receipt, follow_issued
from domain.documents.receipt import PartPaymentKind, ReceiptKind
from domain.errors import (
    LaneParked,
    NoOpenShift,
    PaymentExceedsOwed,
    PaymentLapsed,
    PaymentsDiffer,
    ReceiptNotPayable,
    ReceiptNotRegistered,
    ShiftClosing,
    TooManyWaiting,
)
from domain.identifiers import shard_of, sold_receipt_id
from domain.returns import SoldReceipt

part_payments = Endpoints(
    tag="Part payments",
    description="Goods paid in parts: prepayment, further payments, final settlement.",
)


@part_payments.add(
    "POST",
    "/v1/registers/{register_id}/prepayments",
    right=Right.SELL,
    answer=ReceiptAnswer,
    summary="Take a prepayment",
    status=201,
    waits=True,
    others=NOT_YET,
    refuses=(*REFUSES_A_SALE, PaymentExceedsOwed),
)
async def prepay(call: Call, register_id: RegisterId, body: PrepaymentBody) -> Reply:
    """Issue a sale of all the goods that takes a part of their price, the whole of it at most.

    The part is shared over the lines by what they cost after discounts; `lines[].paid_kopecks` shows it. What is left is
    taken by settlements. Wait and answer are as of a sale.
    """
    return await follow_issued(
        call,
        register_id,
        call.parts.ledger.prepay,
        request=body.to_prepayment(),
        cashier_id=body.cashier_id,
    )


@part_payments.add(
    "POST",
    "/v1/registers/{register_id}/settlements",
    right=Right.SELL,
    answer=ReceiptAnswer,
    summary="Take what is owed on a prepayment",
    status=201,
    waits=True,
    others=NOT_YET,
    refuses=(
        ReceiptNotRegistered,
        ReceiptNotPayable,
        PaymentExceedsOwed,
        PaymentLapsed,
        PaymentsDiffer,
        NoOpenShift,
        ShiftClosing,
        LaneParked,
        TooManyWaiting,
        *SIGNING,
        TooFarBehind,
    ),
)
async def settle(call: Call, register_id: RegisterId, body: SettlementBody) -> Reply:
    """Issue a further payment or, without an amount, the final settlement of a prepayment of the same company.

    Goods, prices, discounts and tax rates are those of the prepayment. A payment on its way counts as paid, so no more is
    ever taken than the price, however many registers ask at once. Wait and answer are as of a sale.
    """
    return await follow_issued(
        call,
        register_id,
        call.parts.ledger.pay_on,
        prepayment=await registered_sale(call, body.original, refusal=ReceiptNotPayable),
        request=body.to_domain(),
    )


@part_payments.add(
    "GET",
    "/v1/registers/{register_id}/receipts/{receipt_id}/owed",
    right=Right.READ,
    answer=OwedAnswer,
    summary="Read what is owed on a prepayment",
    refuses=(ReceiptNotPayable, TooFarBehind),
)
async def read_owed(call: Call, register_id: RegisterId, receipt_id: ReceiptId) -> OwedAnswer:
    """Return what is still to pay for each line, now: not as a read model knows it, but as a payment would find it."""
    parts = call.parts
    receipt = (await find_receipt(call, register_id, receipt_id)).receipt
    prepaid = receipt.part is not None and receipt.part.kind is PartPaymentKind.PREPAYMENT
    if receipt.kind is not ReceiptKind.SALE or not prepaid:
        raise ReceiptNotPayable(receipt_id=receipt_id, reason="it is no prepayment")
    sold = await parts.in_thread(
        parts.store.refresh,
        SoldReceipt,
        sold_receipt_id(receipt_id),
        shard=shard_of(register_id),
    )
    return OwedAnswer.of(sold, receipt)
