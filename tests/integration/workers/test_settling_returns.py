"""Housekeeping of returns over a real PostgreSQL with its projections: settled, counted, never held up by one."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from domain.documents.receipt import Original, PartPayment, PartPaymentKind, ReceiptKind
from domain.documents.shift import DocumentKind, FiscalDocument
from domain.identifiers import shard_of, sold_receipt_id
from domain.ledger import Issued, OpenReturn, RegisteredSale
from domain.money import Money, Quantity
from domain.part_payment import LaterPaymentRequest
from domain.ports import LogPosition
from domain.refund import ReturnRequest
from domain.returns import SoldReceipt
from domain.sale import CashPayment
from domain.sold_lines import WantedLine
from infra.bootstrap import Engine
from infra.postgres import Pool, open_pool
from projections.returns import AdoptedReturn, OpenReturnsView
from tests import examples
from tests.support.api_server import Api, Outlet, sale
from tests.support.journal import registered_sale
from workers import returns
from workers.returns import settle_all, settle_returns


@pytest.fixture(scope="module")
def pool(api: Api) -> Iterator[Pool]:
    with open_pool(api.dsn, name="returns", size=2) as pool:
        yield pool


@pytest.fixture
def view(pool: Pool) -> OpenReturnsView:
    return OpenReturnsView(pool)


@pytest.fixture
def sold(shop: Outlet) -> RegisteredSale:
    sold = shop.sell().json()
    shop.api.player.run(shop.register_id)
    return registered_sale(shop.api.store, UUID(sold["receipt_id"]))


def give_back(shop: Outlet, sold: RegisteredSale, thousandths: int) -> Issued:
    request = ReturnRequest((CashPayment(),), (WantedLine(1, Quantity(thousandths)),))
    return shop.api.player.ledger.give_back(
        register_id=shop.register_id, sale=sold, request=request
    )


def caught_up(api: Api, view: OpenReturnsView) -> None:
    """Wait until journal and list of returns show the log's end."""
    for shard, position in enumerate(api.store.heads().positions):
        place = LogPosition(shard, position)
        assert view.wait_for(place, timeout_seconds=20)
        assert api.parts.views.receipts.wait_for(place, timeout_seconds=20)


def left(api: Api, sold: RegisteredSale) -> SoldReceipt:
    stream_id = sold_receipt_id(sold.receipt.receipt_id)
    return api.store.refresh(SoldReceipt, stream_id, shard=shard_of(sold.register_id))


def open_ids(view: OpenReturnsView) -> set[UUID]:
    return {pending.return_id for pending in view.open(limit=1_000)}


def test_what_is_registered_is_confirmed_and_what_waits_stays_open(
    api: Api, shop: Outlet, sold: RegisteredSale, view: OpenReturnsView
) -> None:
    registered = give_back(shop, sold, 300)
    api.player.run(shop.register_id)
    waiting = give_back(shop, sold, 200)
    caught_up(api, view)
    assert {registered.receipt_id, waiting.receipt_id} <= open_ids(view)

    assert settle_all(api.parts.ledger, view) >= 1

    taken = left(api, sold).taken
    assert (taken[registered.receipt_id].confirmed, taken[waiting.receipt_id].confirmed) == (
        True,
        False,
    )
    caught_up(api, view)
    assert registered.receipt_id not in open_ids(view)
    assert waiting.receipt_id in open_ids(view)


def test_a_return_taken_back_is_released(
    api: Api, shop: Outlet, sold: RegisteredSale, view: OpenReturnsView
) -> None:
    back = give_back(shop, sold, 300)
    api.player.run(shop.register_id)
    caught_up(api, view)
    settle_all(api.parts.ledger, view)
    api.player.ledger.storno(register_id=shop.register_id, receipt_id=back.receipt_id)
    api.player.run(shop.register_id)
    caught_up(api, view)
    assert back.receipt_id in open_ids(view)

    settle_all(api.parts.ledger, view)

    assert left(api, sold).taken == {}
    caught_up(api, view)
    assert back.receipt_id not in open_ids(view)


def test_a_return_of_another_device_is_counted_on_the_sale_once(
    api: Api, shop: Outlet, sold: RegisteredSale, view: OpenReturnsView
) -> None:
    (line,) = sold.receipt.lines
    now = datetime.now(UTC).replace(microsecond=0)
    heading = replace(examples.heading(1, now), uid=uuid4())
    foreign = replace(
        examples.RETURN,
        receipt_id=heading.uid,
        issued_at=now + timedelta(seconds=1),
        lines=(replace(line, quantity=Quantity(400)),),
        original=Original(fiscal_number=sold.fiscal_number, kind=ReceiptKind.SALE),
    )
    shop.sell()  # the lane is due, and its document's number turns out to be taken
    api.player.adopt(shop.register_id, FiscalDocument(DocumentKind.RETURN, heading, foreign))
    caught_up(api, view)
    (found,) = [each for each in view.adopted() if each.register_id == shop.register_id]
    assert found.sale.fiscal_number == sold.fiscal_number

    for _ in range(2):
        settle_all(api.parts.ledger, view)
        caught_up(api, view)

    assert left(api, sold).left()[0].quantity == Quantity(600)
    assert [each for each in view.adopted() if each.register_id == shop.register_id] == []
    chain = api.parts.views.receipts.chain(sold.receipt.receipt_id)
    assert [row.receipt_id for row in chain] == [sold.receipt.receipt_id, heading.uid]
    assert chain == api.parts.views.receipts.chain(heading.uid)


def prepay(shop: Outlet) -> RegisteredSale:
    """A registered prepayment of 10.00 on a loaf for 27.48."""
    body = {
        **sale(payments=[{"form": "card", "amount_kopecks": 1000}]),
        "amount_kopecks": 1000,
    }
    answer = shop.api.post(f"{shop.path}/prepayments", body)
    assert answer.status_code == 202, answer.text
    shop.api.player.run(shop.register_id)
    return registered_sale(shop.api.store, UUID(answer.json()["receipt_id"]))


def owed(api: Api, prepaid: RegisteredSale) -> int:
    return Money.total(left(api, prepaid).owed()).kopecks


def test_a_payment_that_came_back_is_owed_again_one_round_later(
    api: Api, shop: Outlet, view: OpenReturnsView
) -> None:
    prepaid = prepay(shop)
    ledger = shop.api.player.ledger
    issued = ledger.pay_on(
        register_id=shop.register_id,
        prepayment=prepaid,
        request=LaterPaymentRequest((CashPayment(),), Money(700)),
    )
    api.player.run(shop.register_id)
    paid = registered_sale(shop.api.store, issued.receipt_id)
    ledger.give_back(
        register_id=shop.register_id, sale=paid, request=ReturnRequest((CashPayment(),))
    )
    api.player.run(shop.register_id)
    for _ in range(2):
        caught_up(api, view)
        assert issued.receipt_id in open_ids(view)
        settle_all(api.parts.ledger, view)

    assert owed(api, prepaid) == 1748
    caught_up(api, view)
    assert issued.receipt_id not in open_ids(view)


def test_a_payment_of_another_device_is_counted_on_the_prepayment_once(
    api: Api, shop: Outlet, view: OpenReturnsView
) -> None:
    prepaid = prepay(shop)
    (line,) = prepaid.receipt.lines
    now = datetime.now(UTC).replace(microsecond=0)
    heading = replace(examples.heading(1, now), uid=uuid4())
    part = PartPayment(
        PartPaymentKind.FURTHER, Money(2748), prepayment_fiscal_number=prepaid.fiscal_number
    )
    foreign = replace(
        prepaid.receipt,
        receipt_id=heading.uid,
        issued_at=now + timedelta(seconds=1),
        lines=(replace(line, paid=Money(700)),),
        unrounded=Money(700),
        total=Money(700),
        payments=(replace(prepaid.receipt.payments[0], amount=Money(700)),),
        part=part,
    )
    shop.sell()  # the lane is due, and its document's number turns out to be taken
    api.player.adopt(shop.register_id, FiscalDocument(DocumentKind.SALE, heading, foreign))
    caught_up(api, view)
    (found,) = [each for each in view.adopted() if each.register_id == shop.register_id]
    assert found.sale.receipt.receipt_id == prepaid.receipt.receipt_id

    for _ in range(2):
        settle_all(api.parts.ledger, view)
        caught_up(api, view)

    assert owed(api, prepaid) == 1048
    assert [each for each in view.adopted() if each.register_id == shop.register_id] == []
    chain = api.parts.views.receipts.chain(heading.uid)
    assert [(row.receipt_id, row.part) for row in chain] == [
        (prepaid.receipt.receipt_id, PartPaymentKind.PREPAYMENT),
        (heading.uid, PartPaymentKind.FURTHER),
    ]


def test_open_returns_come_page_by_page(
    api: Api, shop: Outlet, sold: RegisteredSale, view: OpenReturnsView
) -> None:
    expected = {give_back(shop, sold, 100).receipt_id for _ in range(5)}
    caught_up(api, view)
    found: list[OpenReturn] = []
    page = view.open(limit=2)
    while page:
        found += page
        page = view.open(limit=2, after=page[-1])
    ids = [pending.return_id for pending in found]
    assert expected <= set(ids)
    assert len(set(ids)) == len(ids)


def test_one_that_fails_does_not_hold_up_the_others(
    api: Api, shop: Outlet, sold: RegisteredSale, pool: Pool
) -> None:
    back = give_back(shop, sold, 300)
    api.player.run(shop.register_id)

    class WithOneOfAnUnknownSale(OpenReturnsView):
        def open(self, *, limit: int = 200, after: OpenReturn | None = None) -> list[OpenReturn]:
            unknown = OpenReturn(
                return_id=uuid4(),
                register_id=shop.register_id,
                sold_register_id=shop.register_id,
                sold_receipt_id=uuid4(),
                reserved_at=datetime.now(UTC) - timedelta(hours=1),
            )
            found = super().open(limit=limit, after=after)
            return [unknown, *found] if after is None else found

    view = WithOneOfAnUnknownSale(pool)
    caught_up(api, view)
    with capture_logs() as logs:
        settle_all(api.parts.ledger, view)

    assert "return not settled" in {log["event"] for log in logs}
    assert left(api, sold).taken[back.receipt_id].confirmed


def test_one_that_cannot_be_counted_does_not_hold_up_the_others(
    api: Api, shop: Outlet, sold: RegisteredSale, pool: Pool
) -> None:
    counted = replace(examples.RETURN, receipt_id=uuid4(), lines=sold.receipt.lines)
    unknown = replace(sold, receipt=replace(sold.receipt, receipt_id=uuid4()))

    class Adopted(OpenReturnsView):
        def adopted(self, *, limit: int = 200) -> list[AdoptedReturn]:
            return [
                AdoptedReturn(register_id=shop.register_id, returned=counted, sale=each)
                for each in (unknown, sold)
            ]

    with capture_logs() as logs:
        settle_all(api.parts.ledger, Adopted(pool))

    assert "return not counted" in {log["event"] for log in logs}
    assert counted.receipt_id in left(api, sold).taken


def test_a_round_that_fails_is_followed_by_the_next(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(returns, "_EVERY_SECONDS", 0.01)
    with open_pool(api.dsn, name="closed", size=1) as closed:
        pass
    engine = SimpleNamespace(store=SimpleNamespace(pool=closed), ledger=api.parts.ledger)
    stop = threading.Event()
    with capture_logs() as logs:
        thread = threading.Thread(target=settle_returns, args=(cast(Engine, engine), stop))
        thread.start()
        deadline = time.monotonic() + 20
        while _failures(logs) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        stop.set()
        thread.join(timeout=20)
    assert not thread.is_alive()


def _failures(logs: Any) -> int:
    return [log["event"] for log in logs].count("settling returns failed")
