"""The receipt that a return or a payment names: found by its id, or by the two numbers on the buyer's receipt."""

from __future__ import annotations

from api.positions import behind, eventually
from api.routing import CallContext
from api.schemas.returns import OriginalBody
from domain.documents.receipt import ReceiptState
from domain.errors import (
    InvalidField,
    NotFound,
    ReceiptNotPayable,
    ReceiptNotRegistered,
    ReceiptNotReturnable,
)
from domain.identifiers import register_number, register_stream_id
from domain.ledger import RegisteredSale
from projections.receipts_view import ReceiptDetails, ReceiptQuery


async def registered_sale(
    call: CallContext,
    original: OriginalBody,
    *,
    refusal: type[ReceiptNotReturnable | ReceiptNotPayable],
) -> RegisteredSale:
    """Return the sale that a request names, once the journal shows what the log has of it.

    Raises: InvalidField, NotFound, ReceiptNotRegistered, `refusal` for a voided one, TooFarBehind.
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
        raise refusal(receipt_id=row.receipt_id, reason="it was voided")
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
