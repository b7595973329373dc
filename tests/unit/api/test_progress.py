"""How far a receipt is: what events say as they come is what the register itself says."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.progress import DECIDED, ReceiptProgress, WaitingReason, signed, undecided, waiting
from api.shift_progress import shift_progress
from domain.documents.receipt import Receipt, ReceiptState
from domain.register import events
from projections.shifts import ShiftState
from tests import examples
from tests.support.history import History
from tests.support.shop import Shop, sale

REGISTER_ID = UUID(int=7)
NOON = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)


def _receipts(history: History) -> dict[UUID, ReceiptProgress]:
    """Every receipt of a history, followed event by event as a waiting call does."""
    followed: dict[UUID, ReceiptProgress] = {}
    for stored in history.events:
        event = stored.event
        for receipt_id, progress in followed.items():
            if progress.register_id == stored.stream_id:
                followed[receipt_id] = progress.after(event)
        if isinstance(event, events.ReceiptIssued):
            receipt: Receipt = event.receipt
            followed[receipt.receipt_id] = waiting(stored.stream_id, receipt, testing=False)
    return followed


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 59)), max_size=80))
def test_following_events_comes_to_what_the_register_knows(script: list[tuple[int, int]]) -> None:
    history = History()
    history.run(script)

    for receipt_id, followed in _receipts(history).items():
        known = undecided(history.register(followed.register_id), receipt_id)
        if known is None:
            assert followed.state in (ReceiptState.REGISTERED, ReceiptState.VOIDED)
            assert followed.settled
            continue
        if followed.parked is not None and known.parked is None:
            # A waiting call has ended by then; nobody follows a lane through its stop.
            continue
        assert (followed.state, followed.local_number, followed.refusal) == (
            known.state,
            known.local_number,
            known.refusal,
        )
        assert followed.settled == known.settled


class TestReason:
    def test_receipt_behind_the_opening_waits_for_it(self) -> None:
        shop = Shop()
        shop.ledger.open_shift(register_id=shop.register_id, cashier_id=shop.cashier_id)
        issued = _sold(shop)

        progress = undecided(shop.register(), issued)

        assert progress is not None
        assert progress.state is ReceiptState.WAITING
        assert progress.reason is WaitingReason.SERVER_STATE

    def test_receipt_signed_in_its_own_commit_is_being_sent(self) -> None:
        progress = signed(waiting(REGISTER_ID, examples.SALE, testing=False), 503)

        assert (progress.state, progress.local_number, progress.reason) == (
            ReceiptState.SUBMITTED,
            503,
            WaitingReason.BEING_SENT,
        )

    def test_what_is_unknown_stays_unknown_when_the_lane_stops_but_ends_the_wait(self) -> None:
        progress = replace(
            waiting(REGISTER_ID, examples.SALE, testing=False), state=ReceiptState.UNKNOWN
        )

        stopped = progress.after(_event(events.LaneWasParked, reason="register-blocked"))

        assert stopped.state is ReceiptState.UNKNOWN
        assert stopped.settled

    @pytest.mark.parametrize("state", sorted(DECIDED))
    def test_stopping_the_lane_changes_nothing_that_is_decided(self, state: ReceiptState) -> None:
        progress = replace(waiting(REGISTER_ID, examples.SALE, testing=False), state=state)

        assert progress.after(_event(events.LaneWasParked, reason="register-blocked")) == progress


def test_other_documents_of_the_register_change_nothing() -> None:
    progress = signed(waiting(REGISTER_ID, examples.SALE, testing=False), 503)
    other = UUID(int=99)
    strangers = [
        _event(events.DocumentSigned, subject_id=other),
        _event(events.DocumentRegistered, subject_id=other),
        _event(events.DocumentRefused, subject_id=other),
        _event(events.DocumentWithdrawn, subject_id=other),
        _event(events.DocumentAdopted, subject_id=other),
        _event(events.OutcomeUnknown, document_id=other),
        _event(events.DocumentAbsent, document_id=other),
        _event(events.ReceiptVoided, receipt_id=other),
        _event(events.ReceiptCorrected, receipt=examples.PLAIN_SALE),
        _event(events.StateNeeded, reason="x"),
    ]

    assert [progress.after(event) for event in strangers] == [progress] * len(strangers)


def test_closing_is_followed_to_the_closed_shift() -> None:
    shop = Shop()
    change = shop.ledger.open_shift(register_id=shop.register_id, cashier_id=shop.cashier_id)
    opened = shift_progress(shop.register(), change.shift_id)
    assert opened is not None

    closed = opened.after(
        _event(
            events.ShiftClosed,
            shift_id=change.shift_id,
            closed_at=NOON,
            opening_fiscal_number="1",
            z_fiscal_number="2",
            closing_fiscal_number="3",
        )
    )

    assert opened.state is ShiftState.OPEN
    assert (closed.state, closed.z_fiscal_number, closed.closing_fiscal_number) == (
        ShiftState.CLOSED,
        "2",
        "3",
    )
    assert shift_progress(shop.register(), UUID(int=5)) is None


def _sold(shop: Shop) -> UUID:
    return shop.ledger.sell(register_id=shop.register_id, request=sale()).receipt_id


def _event(cls: type, **values: object) -> object:
    """An event as the mapper makes it: without the library's constructor."""
    event: Any = object.__new__(cls)
    event.__dict__.update(values)
    return event
