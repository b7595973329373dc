"""Held calls: nothing is missed between act and wait, nobody waits for ever, nothing is left behind."""

import asyncio
from datetime import UTC, datetime
from threading import Thread
from typing import Any
from uuid import UUID

import pytest

from api.following import follow
from api.progress import ReceiptProgress, waiting
from api.waiting import Bell, Waits, Watch, heard
from domain.documents.receipt import ReceiptState
from domain.register import events
from infra.event_store.feed import Cursor, FeedEvent
from tests.support.shop import Shop, sale

pytestmark = pytest.mark.anyio


@pytest.fixture
def shop() -> Shop:
    return Shop()


def _events(shop: Shop) -> tuple[FeedEvent, ...]:
    return shop.store.page(Cursor(), 10_000).events


def _heard(waits: Waits, events: tuple[FeedEvent, ...]) -> None:
    """As the follower does it: from another thread."""
    thread = Thread(target=waits.heard, args=[events])
    thread.start()
    thread.join()


async def test_events_between_watch_and_wait_are_not_missed(shop: Shop) -> None:
    waits = Waits(most=10)
    waits.start()
    with waits.watch(shop.register_id) as watch:
        assert watch is not None
        shop.ledger.open_shift(register_id=shop.register_id, cashier_id=shop.cashier_id)
        issued = shop.ledger.sell(register_id=shop.register_id, request=sale())
        _heard(waits, _events(shop))
        await asyncio.sleep(0)

        topics = [event.TOPIC for event in watch.heard_already()]

    assert "register.receipt-issued" in topics
    assert issued.receipt is not None
    assert len(waits) == 0


async def test_only_events_of_the_watched_register_are_heard(shop: Shop) -> None:
    other = shop.add_register("4000777002", local_number=8)
    waits = Waits(most=10)
    waits.start()
    with waits.watch(other) as watch:
        assert watch is not None
        shop.ledger.open_shift(register_id=shop.register_id, cashier_id=shop.cashier_id)
        _heard(waits, _events(shop))
        await asyncio.sleep(0)

        assert {event.originator_id for event in watch.heard_already()} == {other}


async def test_call_goes_when_its_time_is_over(shop: Shop) -> None:
    waits = Waits(most=10)
    waits.start()
    loop = asyncio.get_running_loop()
    with waits.watch(shop.register_id) as watch:
        assert watch is not None
        started = loop.time()
        assert await watch.next(until=started + 0.05) is None
        assert 0.04 < loop.time() - started < 1


async def test_no_more_calls_are_held_than_allowed(shop: Shop) -> None:
    waits = Waits(most=1)
    waits.start()
    with waits.watch(shop.register_id) as first, waits.watch(shop.register_id) as second:
        assert first is not None
        assert second is None


async def test_held_calls_go_at_once_when_the_program_stops(shop: Shop) -> None:
    waits = Waits(most=10)
    waits.start()
    loop = asyncio.get_running_loop()
    with waits.watch(shop.register_id) as watch:
        assert watch is not None
        loop.call_later(0.01, waits.stop)
        assert await watch.next(until=loop.time() + 30) is None
    with waits.watch(shop.register_id) as late:
        assert late is None


async def test_events_after_the_loop_has_closed_do_not_hurt_the_follower(shop: Shop) -> None:
    waits, bell = Waits(most=10), Bell()

    async def begin() -> Any:
        waits.start()
        bell.start()
        return waits.watch(shop.register_id).__enter__()

    def run() -> None:
        asyncio.run(begin())
        waits.heard(_events(shop))
        bell.ring()

    thread = Thread(target=run)
    thread.start()
    await asyncio.to_thread(thread.join)
    assert not thread.is_alive()


async def test_following_ends_with_the_outcome(shop: Shop) -> None:
    shop.ledger.open_shift(register_id=shop.register_id, cashier_id=shop.cashier_id)
    issued = shop.ledger.sell(register_id=shop.register_id, request=sale())
    assert issued.receipt is not None
    loop = asyncio.get_running_loop()
    watch = Watch(loop)
    loop.call_later(0.01, watch.hear, _registered(issued.receipt.receipt_id))

    progress: ReceiptProgress = await follow(
        waiting(shop.register_id, issued.receipt, testing=False),
        watch,
        seconds=5,
        settled=lambda it: it.settled,
    )

    assert progress.state is ReceiptState.REGISTERED
    assert progress.fiscal_number == "3600000103"


async def test_bell_wakes_every_stream_that_listens() -> None:
    bell = Bell()
    bell.start()
    listeners = [asyncio.create_task(heard(bell.listen(), seconds=5)) for _ in range(3)]
    await asyncio.sleep(0.01)

    Thread(target=bell.ring).start()

    assert await asyncio.gather(*listeners) == [True, True, True]
    assert not await heard(bell.listen(), seconds=0.01)


async def test_what_happens_between_listening_and_waiting_is_heard() -> None:
    bell = Bell()
    moved = bell.listen()

    bell.ring_here()

    assert await heard(moved, seconds=1)


def _registered(receipt_id: UUID) -> Any:
    return _without_init(
        events.DocumentRegistered,
        document_id=UUID(int=1),
        subject_id=receipt_id,
        local_number=2,
        fiscal_number="3600000103",
        server_time=datetime(2026, 11, 5, 8, 0, tzinfo=UTC),
        at=datetime(2026, 11, 5, 8, 0, tzinfo=UTC),
    )


def _without_init(cls: type, **values: Any) -> Any:
    """An event as the mapper makes it: without the library's constructor."""
    event: Any = object.__new__(cls)
    event.__dict__.update(values)
    return event
