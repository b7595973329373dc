"""Settling returns and later payments: each reservation is confirmed or released by what became of its receipt.

It may run in several workers at once and at any time: each step is safe to repeat, and what it does not do now it does
with the next round.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import structlog

from domain.errors import FiscalError
from domain.ledger import FiscalLedger, OpenReturn
from infra.bootstrap import Engine
from projections.returns import AdoptedReturn, OpenReturnsView

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 5.0
_PAGE = 200


def settle_returns(engine: Engine, stop: threading.Event) -> None:
    """Settle returns until told to stop; a round that fails is followed by the next."""
    view = OpenReturnsView(engine.store.pool)
    while not stop.wait(_EVERY_SECONDS):
        try:
            settle_all(engine.ledger, view)
        except Exception:
            log.exception("settling returns failed")


def settle_all(ledger: FiscalLedger, view: OpenReturnsView) -> int:
    """Settle what can be settled now; return how many were. One that fails does not hold up the others."""
    settled = 0
    for pending in _open_returns(view):
        try:
            settled += ledger.settle_return(pending)
        except FiscalError:
            log.exception("return not settled", return_id=str(pending.return_id))
    for adopted in view.adopted(limit=_PAGE):
        try:
            _count_adopted(ledger, adopted)
            settled += 1
        except FiscalError:
            log.exception("return not counted", return_id=str(adopted.returned.receipt_id))
    return settled


def _count_adopted(ledger: FiscalLedger, adopted: AdoptedReturn) -> None:
    """Count what was made elsewhere. Raises: NotFound, IntegrityFault."""
    if adopted.returned.pays_on:
        ledger.count_adopted_payment(
            register_id=adopted.register_id, payment=adopted.returned, prepayment=adopted.sale
        )
    else:
        ledger.count_adopted_return(
            register_id=adopted.register_id, returned=adopted.returned, sale=adopted.sale
        )


def _open_returns(view: OpenReturnsView) -> Iterator[OpenReturn]:
    """Yield all open returns, page by page: those that wait for the tax service stay open for long."""
    page = view.open(limit=_PAGE)
    while page:
        yield from page
        page = view.open(limit=_PAGE, after=page[-1])
