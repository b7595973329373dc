"""Closing shifts at the set time, over a real PostgreSQL with its projections."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from domain.clock import kyiv
from domain.errors import NoOpenShift
from domain.ports import LogPosition
from infra.postgres import Pool, open_pool
from projections.shifts import ShiftState, ShiftsView
from tests.support.api_server import Api, Outlet
from workers.closing import ShiftCloser


@pytest.fixture(scope="module")
def pool(api: Api) -> Iterator[Pool]:
    with open_pool(api.dsn, name="closing", size=2) as pool:
        yield pool


@pytest.fixture
def view(pool: Pool) -> ShiftsView:
    return ShiftsView(pool)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def closer(api: Api, view: ShiftsView, now: datetime) -> ShiftCloser:
    """It closes an hour from now, by Kyiv clocks."""
    at = kyiv(now + timedelta(hours=1)).time().replace(second=0, microsecond=0)
    return ShiftCloser(api.player.ledger, view, at=at)


def caught_up(api: Api, view: ShiftsView) -> None:
    for shard, position in enumerate(api.store.heads().positions):
        assert view.wait_for(LogPosition(shard, position), timeout_seconds=20)


def state(view: ShiftsView, shop: Outlet) -> ShiftState | None:
    row = view.of_register_now(shop.register_id)
    return None if row is None else row.state


def open_shift_id(view: ShiftsView, shop: Outlet) -> UUID:
    row = view.of_register_now(shop.register_id)
    assert row is not None
    return row.shift_id


def test_shift_stays_open_until_the_time_and_is_closed_with_its_z_report_then(
    api: Api, shop: Outlet, view: ShiftsView, closer: ShiftCloser, now: datetime
) -> None:
    shop.sell()
    api.player.run(shop.register_id)
    caught_up(api, view)
    shift_id = open_shift_id(view, shop)

    closer.close_due(now)
    caught_up(api, view)
    before = state(view, shop)
    begun = closer.close_due(now + timedelta(hours=2))
    api.player.run(shop.register_id)
    caught_up(api, view)

    assert before is ShiftState.OPEN
    assert begun >= 1
    closed = view.get(shift_id)
    assert closed.state is ShiftState.CLOSED
    assert closed.z_fiscal_number is not None
    assert closed.z_totals is not None
    assert closed.z_totals.sales.count == 1


def test_two_workers_close_a_shift_once(
    api: Api, shop: Outlet, view: ShiftsView, closer: ShiftCloser, now: datetime
) -> None:
    caught_up(api, view)
    other = ShiftCloser(api.parts.ledger, view, at=time(0, 0))

    closer.close_due(now + timedelta(hours=2))
    other.close_due(now + timedelta(days=1))
    api.player.run(shop.register_id)
    caught_up(api, view)

    numbers = [row.number for row in view.search(register_id=shop.register_id, limit=10).rows]
    assert numbers == [1]
    assert state(view, shop) is None


def test_view_that_lags_does_not_close_the_next_shift(
    api: Api, shop: Outlet, view: ShiftsView
) -> None:
    caught_up(api, view)
    first = open_shift_id(view, shop)
    api.player.ledger.close_shift(register_id=shop.register_id)
    api.player.run(shop.register_id)
    # By the ledger that closed: the API hears of the closing a moment later.
    api.player.ledger.open_shift(register_id=shop.register_id, cashier_id=shop.cashier_id)
    api.player.run(shop.register_id)

    with pytest.raises(NoOpenShift):
        api.player.ledger.close_shift(register_id=shop.register_id, shift_id=first)

    caught_up(api, view)
    assert open_shift_id(view, shop) != first


def test_shift_with_a_refused_receipt_stays_open_is_named_once_and_closes_when_it_is_settled(
    api: Api, shop: Outlet, view: ShiftsView, closer: ShiftCloser, now: datetime
) -> None:
    api.player.refuse_next = 1
    refused = UUID(shop.sell().json()["receipt_id"])
    api.player.run(shop.register_id)
    caught_up(api, view)
    later = now + timedelta(hours=2)

    with capture_logs() as logs:
        closer.close_due(later)
        closer.close_due(later)
    caught_up(api, view)
    kept = state(view, shop)
    api.player.ledger.void(
        register_id=shop.register_id, receipt_id=refused, reason="помилка касира"
    )
    closer.close_due(later)
    caught_up(api, view)

    ours = [entry["code"] for entry in logs if entry.get("register_id") == str(shop.register_id)]
    assert ours == ["refused-receipts-remain"]
    assert kept is ShiftState.OPEN
    assert state(view, shop) is ShiftState.CLOSING
