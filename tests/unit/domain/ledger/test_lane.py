"""The life of documents, told through the ledger as a till and a lane worker call it."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.answers import RegistrarState, ServerShiftTotals, Ticket
from domain.clock import ManualClock, wall_time
from domain.documents.shift import DocumentKind, FiscalDocument, ShiftTotals
from domain.documents.xml import read_document, to_xml
from domain.errors import (
    DocumentTimeBehind,
    IdempotencyKeyReused,
    IntegrityFault,
    InvalidField,
    LaneNotParked,
    LaneParked,
    NoOpenShift,
    ReceiptNotRefused,
    RefusedReceiptsRemain,
    ShiftAlreadyOpen,
    ShiftClosing,
    StaleLease,
)
from domain.identifiers import document_id, document_uid, shard_of, sold_receipt_id
from domain.ledger import AdoptedDocument, LaneTask
from domain.ledger.base import could_take
from domain.money import Money, Quantity, Rate
from domain.payments import PaymentRequest
from domain.ports import CommandKey, LaneLease
from domain.register.state import LaneStep
from domain.returns import SoldReceipt
from domain.sale import (
    CashPayment,
    DiscountRequest,
    LineRequest,
    OtherPayment,
    SaleRequest,
    price_sale,
)
from domain.taxes.rates import STANDARD_GROUPS
from infra.signing import cms
from tests import examples
from tests.support.shop import Shop, sale


def state(next_local_number: int = 1, **more: Any) -> RegistrarState:
    values: dict[str, Any] = {
        "shift_open": False,
        "shift_id": None,
        "open_shift_fiscal_number": None,
        "z_report_present": False,
        "testing": False,
        "opener_name": None,
        "opener_key_id": None,
        "first_local_number": 0,
        "next_local_number": next_local_number,
        "last_fiscal_number": None,
        "offline_supported": True,
        "senior_cashier": False,
        "offline_session_id": "21999",
        "offline_seed": "100710382471",
        "offline_next_number": 1,
        "offline_session_minutes": 0,
        "offline_month_minutes": 0,
        "offline_session_rolled_back": False,
        "closed": False,
        "tax_object": None,
    }
    return RegistrarState(**{**values, **more})


class Lane:
    """Plays the worker by hand: every step is visible in the test."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.lease: LaneLease = shop.lease()

    def task(self) -> LaneTask:
        return self.shop.ledger.lane_task(self.shop.register_id)

    def send(self) -> None:
        self.shop.tick()
        task = self.task()
        assert task.step is LaneStep.SUBMIT
        signed = self.shop.store.document(task.signed_ref)
        self.shop.ledger.begin_attempt(self.lease, stamped=signed + b"stamp")

    def ticket(self, fiscal_number: str, **other: Any) -> Ticket:
        document = self.task().outstanding
        assert document is not None
        values: dict[str, Any] = {
            "uid": document_uid(document.document_id),
            "local_number": document.local_number,
            "fiscal_number": fiscal_number,
            "server_time": self.shop.clock.now(),
            "raw": b"ticket " + fiscal_number.encode(),
        }
        return Ticket(**{**values, **other})

    def register_next(self, fiscal_number: str) -> LaneTask:
        self.send()
        return self.shop.ledger.record_ticket(self.lease, self.ticket(fiscal_number))


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def lane(shop: Shop) -> Lane:
    """A lane whose shift is open and whose opening is registered under 900."""
    shop.ledger.open_shift(register_id=shop.register_id, cashier_id=shop.cashier_id)
    lane = Lane(shop)
    assert lane.task().step is LaneStep.READ_STATE
    shop.ledger.record_state(lane.lease, state())
    lane.register_next("900")
    return lane


class TestSigning:
    def test_a_sale_is_signed_in_the_same_commit_when_nothing_is_on_its_way(
        self, shop: Shop, lane: Lane
    ) -> None:
        issued = shop.ledger.sell(register_id=shop.register_id, request=sale())
        task = lane.task()
        assert issued.local_number == 2
        assert task.step is LaneStep.SUBMIT
        signed = shop.store.document(task.signed_ref)
        content = cms.parse(signed).content
        assert content is not None
        read = read_document(content)
        assert read.heading.local_number == 2
        assert read.heading.seller.name == 'ТОВ "Калина-Приклад"'
        outstanding = task.outstanding
        assert outstanding is not None
        assert outstanding.signed_sha256 == hashlib.sha256(signed).hexdigest()

    def test_the_next_sale_waits_unsigned_and_is_signed_with_the_ticket_of_the_first(
        self, shop: Shop, lane: Lane
    ) -> None:
        shop.ledger.sell(register_id=shop.register_id, request=sale(100))
        second = shop.ledger.sell(register_id=shop.register_id, request=sale(200))
        assert second.local_number is None
        assert [item.subject_id for item in shop.register().waiting] == [second.receipt_id]
        task = lane.register_next("901")
        assert task.outstanding is not None
        assert task.outstanding.item.subject_id == second.receipt_id
        assert task.outstanding.local_number == 3

    def test_document_time_never_goes_back(self, shop: Shop, lane: Lane) -> None:
        before = shop.register().last_document_at
        shop.tick(-120)
        shop.ledger.sell(register_id=shop.register_id, request=sale())
        outstanding = shop.register().outstanding
        assert outstanding is not None
        assert outstanding.at == before

    def test_in_the_repeated_hour_nothing_is_signed_until_the_wall_clock_has_caught_up(
        self,
    ) -> None:
        """At 04:00 of 25 October 2026 clocks go back to 03:00; documents carry no offset."""
        shop = Shop(clock=ManualClock(datetime(2026, 10, 25, 0, 49, tzinfo=UTC)))
        shop.ledger.open_shift(register_id=shop.register_id, cashier_id=shop.cashier_id)
        lane = Lane(shop)
        shop.ledger.record_state(lane.lease, state())
        lane.register_next("900")
        shop.tick(20 * 60)
        sold = shop.ledger.sell(register_id=shop.register_id, request=sale())
        assert sold.local_number is None
        with pytest.raises(DocumentTimeBehind):
            shop.ledger.sign_waiting(lane.lease)
        shop.tick(41 * 60)
        task = shop.ledger.sign_waiting(lane.lease)
        assert task.outstanding is not None
        assert wall_time(task.outstanding.at) >= datetime(2026, 10, 25, 3, 49)  # noqa: DTZ001

    def test_nothing_is_signed_before_the_opening_is_registered(self, shop: Shop) -> None:
        shop.ledger.open_shift(register_id=shop.register_id, cashier_id=shop.cashier_id)
        shop.ledger.sell(register_id=shop.register_id, request=sale())
        assert shop.register().outstanding is None
        lane = Lane(shop)
        task = shop.ledger.record_state(lane.lease, state(12))
        assert task.outstanding is not None
        assert task.outstanding.item.kind is DocumentKind.SHIFT_OPENING
        assert task.outstanding.local_number == 12


class TestOutcome:
    def test_a_ticket_uses_the_number_and_counts_in_the_shift(self, shop: Shop, lane: Lane) -> None:
        shop.ledger.sell(register_id=shop.register_id, request=sale(1250))
        lane.register_next("901")
        register = shop.register()
        assert register.next_local_number == 3
        assert register.shift is not None
        assert register.shift.totals.sales.total == Money(1250)

    def test_a_ticket_for_another_document_is_an_integrity_fault_and_changes_nothing(
        self, shop: Shop, lane: Lane
    ) -> None:
        shop.ledger.sell(register_id=shop.register_id, request=sale())
        lane.send()
        version = shop.register().version
        with pytest.raises(IntegrityFault):
            shop.ledger.record_ticket(lane.lease, lane.ticket("901", uid=str(UUID(int=9))))
        assert shop.register().version == version

    def test_an_attempt_without_outcome_is_asked_about_and_sent_again_only_when_absent(
        self, shop: Shop, lane: Lane
    ) -> None:
        shop.ledger.sell(register_id=shop.register_id, request=sale())
        lane.send()
        assert lane.task().step is LaneStep.ASK
        shop.ledger.record_unknown(lane.lease, reason="silence")
        assert lane.task().step is LaneStep.ASK
        before = lane.task().outstanding
        shop.ledger.record_absent(lane.lease)
        after = lane.task().outstanding
        assert lane.task().step is LaneStep.SUBMIT
        assert before is not None
        assert after is not None
        assert (after.document_id, after.signed_sha256) == (
            before.document_id,
            before.signed_sha256,
        )

    def test_a_document_found_there_is_registered_without_a_ticket(
        self, shop: Shop, lane: Lane
    ) -> None:
        shop.ledger.sell(register_id=shop.register_id, request=sale())
        lane.send()
        task = shop.ledger.record_found(lane.lease, fiscal_number="901")
        assert (task.step, task.next_local_number) == (LaneStep.IDLE, 3)

    def test_a_stale_lease_changes_nothing(self, shop: Shop, lane: Lane) -> None:
        shop.ledger.sell(register_id=shop.register_id, request=sale())
        shop.tick(120)
        newer = Lane(shop)
        with pytest.raises(StaleLease):
            shop.ledger.record_unknown(lane.lease, reason="late")
        newer.register_next("901")


class TestRefusal:
    def test_a_refused_receipt_frees_the_number_and_is_corrected_under_its_id(
        self, shop: Shop, lane: Lane
    ) -> None:
        first = shop.ledger.sell(register_id=shop.register_id, request=sale(100))
        lane.send()
        shop.ledger.record_refused(lane.lease, server_code=9, text="погано")
        assert shop.register().next_local_number == 2
        corrected = shop.ledger.correct(
            register_id=shop.register_id, receipt_id=first.receipt_id, request=sale(150)
        )
        assert corrected.receipt_id == first.receipt_id
        outstanding = lane.task().outstanding
        assert outstanding is not None
        assert outstanding.local_number == 2
        assert outstanding.item.documents == 2
        sold = shop.store.read(
            SoldReceipt, sold_receipt_id(first.receipt_id), shard=shard_of(shop.register_id)
        )
        assert sold.total == Money(150)

    def test_a_void_receipt_leaves_nothing_to_give_back(self, shop: Shop, lane: Lane) -> None:
        first = shop.ledger.sell(register_id=shop.register_id, request=sale(100))
        lane.send()
        shop.ledger.record_refused(lane.lease, server_code=9, text="погано")
        shop.ledger.void(
            register_id=shop.register_id, receipt_id=first.receipt_id, reason="покупець пішов"
        )
        sold = shop.store.read(
            SoldReceipt, sold_receipt_id(first.receipt_id), shard=shard_of(shop.register_id)
        )
        assert sold.void
        with pytest.raises(ReceiptNotRefused):
            shop.ledger.void(
                register_id=shop.register_id, receipt_id=first.receipt_id, reason="знову"
            )

    def test_a_refused_opening_parks_the_lane(self, shop: Shop) -> None:
        shop.ledger.open_shift(register_id=shop.register_id, cashier_id=shop.cashier_id)
        lane = Lane(shop)
        shop.ledger.record_state(lane.lease, state())
        lane.send()
        task = shop.ledger.record_refused(lane.lease, server_code=9, text="погано")
        assert task.step is LaneStep.IDLE
        with pytest.raises(LaneParked):
            shop.ledger.sell(register_id=shop.register_id, request=sale())
        shop.ledger.resume_lane(register_id=shop.register_id, by="olena", reason="виправлено")
        assert lane.task().step is LaneStep.READ_STATE


class TestClosing:
    def test_waiting_sales_then_z_then_closing(self, shop: Shop, lane: Lane) -> None:
        shop.ledger.sell(register_id=shop.register_id, request=sale(1250))
        shop.ledger.close_shift(register_id=shop.register_id)
        with pytest.raises(ShiftClosing):
            shop.ledger.sell(register_id=shop.register_id, request=sale())
        assert lane.register_next("901").step is LaneStep.MAKE_Z
        task = shop.ledger.make_z(lane.lease, None)
        assert task.outstanding is not None
        assert task.outstanding.item.kind is DocumentKind.Z_REPORT
        task = lane.register_next("902")
        assert task.outstanding is not None
        assert task.outstanding.item.kind is DocumentKind.SHIFT_CLOSING
        task = lane.register_next("903")
        assert (task.step, shop.register().shift) == (LaneStep.IDLE, None)
        with pytest.raises(NoOpenShift):
            shop.ledger.sell(register_id=shop.register_id, request=sale())

    def test_z_takes_the_services_figures_and_names_what_differs(
        self, shop: Shop, lane: Lane
    ) -> None:
        shop.ledger.sell(register_id=shop.register_id, request=sale(1250))
        shop.ledger.close_shift(register_id=shop.register_id)
        lane.register_next("901")
        theirs = ServerShiftTotals(
            shift_open=True, z_report_present=False, testing=False, totals=ShiftTotals()
        )
        shop.ledger.make_z(lane.lease, theirs)
        shift = shop.register().shift
        assert shift is not None
        assert shift.z_report is not None
        assert shift.z_report.totals == ShiftTotals()

    def test_refused_receipts_hold_the_closing(self, shop: Shop, lane: Lane) -> None:
        shop.ledger.sell(register_id=shop.register_id, request=sale())
        lane.send()
        shop.ledger.record_refused(lane.lease, server_code=9, text="погано")
        with pytest.raises(RefusedReceiptsRemain) as refused:
            shop.ledger.close_shift(register_id=shop.register_id)
        assert refused.value.count == 1

    def test_a_z_refused_twice_parks(self, shop: Shop, lane: Lane) -> None:
        shop.ledger.close_shift(register_id=shop.register_id)
        for expected in (LaneStep.MAKE_Z, LaneStep.IDLE):
            shop.ledger.make_z(lane.lease, None)
            lane.send()
            task = shop.ledger.record_refused(lane.lease, server_code=9, text="погано")
            assert task.step is expected
        parked = shop.register().parked
        assert parked is not None
        assert parked.reason == "z-report-refused"


class TestIdempotency:
    KEY = CommandKey(scope="till", key="1", body_hash=b"a" * 32)

    def test_the_same_command_answers_the_first_result(self, shop: Shop, lane: Lane) -> None:
        ask = {"register_id": shop.register_id, "request": sale(), "command": self.KEY}
        first = shop.ledger.sell(**ask)  # type: ignore[arg-type]
        again = shop.ledger.sell(**ask)  # type: ignore[arg-type]
        assert again.receipt_id == first.receipt_id
        assert again.receipt is None
        assert shop.register().waiting == ()

    def test_it_does_so_even_when_today_the_rule_would_refuse(self, shop: Shop, lane: Lane) -> None:
        ask = {"register_id": shop.register_id, "request": sale(), "command": self.KEY}
        first = shop.ledger.sell(**ask)  # type: ignore[arg-type]
        shop.ledger.close_shift(register_id=shop.register_id)
        again = shop.ledger.sell(**ask)  # type: ignore[arg-type]
        assert again.receipt_id == first.receipt_id

    def test_another_body_is_a_conflict(self, shop: Shop, lane: Lane) -> None:
        shop.ledger.sell(register_id=shop.register_id, request=sale(), command=self.KEY)
        other = CommandKey(scope="till", key="1", body_hash=b"b" * 32)
        with pytest.raises(IdempotencyKeyReused):
            shop.ledger.sell(register_id=shop.register_id, request=sale(), command=other)

    def test_a_created_thing_is_created_once(self, shop: Shop) -> None:
        made = [
            shop.ledger.enrol_cashier(
                company_id=shop.company_id, name="Друга", key_id="key", command=self.KEY
            )
            for _ in range(2)
        ]
        assert made[0] == made[1]

    def test_a_lane_is_resumed_once(self, shop: Shop, lane: Lane) -> None:
        shop.ledger.park(lane.lease, reason="test")
        ask: dict[str, Any] = {"register_id": shop.register_id, "by": "olena", "reason": "так"}
        assert shop.ledger.resume_lane(**ask, command=self.KEY) is not None
        assert shop.ledger.resume_lane(**ask, command=self.KEY) is None
        with pytest.raises(LaneNotParked):
            shop.ledger.resume_lane(**ask)

    def test_two_shifts_are_refused(self, shop: Shop, lane: Lane) -> None:
        with pytest.raises(ShiftAlreadyOpen):
            shop.ledger.open_shift(register_id=shop.register_id, cashier_id=shop.cashier_id)


class TestAdoption:
    def _adopted(self, number: int, uid: str, **more: Any) -> AdoptedDocument:
        values: dict[str, Any] = {
            "local_number": number,
            "fiscal_number": f"8{number}",
            "uid": uid,
            "document_id": UUID(uid),
            "at": datetime(2026, 11, 5, 7, tzinfo=UTC),
            "server_kind": "SaleGoods/CheckGoods",
            "in_open_shift": True,
            "document": None,
            "xml": b"<CHECK/>",
        }
        return AdoptedDocument(**{**values, **more})

    def test_a_number_taken_by_another_device_makes_our_receipt_wait_for_the_next(
        self, shop: Shop, lane: Lane
    ) -> None:
        sold = shop.ledger.sell(register_id=shop.register_id, request=sale(100))
        shop.ledger.withdraw(lane.lease, reason="number-taken", disagreement=True)
        foreign = self._adopted(2, str(UUID(int=77)))
        task = shop.ledger.adopt(lane.lease, [foreign], key_id="olena")
        assert task.next_local_number == 3
        shop.ledger.record_state(lane.lease, state(3))
        task = lane.task()
        assert task.outstanding is not None
        assert task.outstanding.local_number == 3
        assert task.outstanding.item.subject_id == sold.receipt_id

    def test_what_was_registered_after_the_backup_is_not_registered_twice(
        self, shop: Shop, lane: Lane
    ) -> None:
        """The restored ledger still has the first receipt on its way and the second unsigned."""
        shop.ledger.sell(register_id=shop.register_id, request=sale(100))
        waiting = shop.ledger.sell(register_id=shop.register_id, request=sale(200))
        shop.ledger.withdraw(lane.lease, reason="restored", disagreement=True)
        first = shop.register().waiting[0]
        found = [
            self._adopted(3, document_uid(document_id(waiting.receipt_id, number=0))),
            self._adopted(2, document_uid(document_id(first.subject_id, number=0))),
        ]
        task = shop.ledger.adopt(lane.lease, found, key_id="olena")
        register = shop.register()
        assert (register.waiting, register.next_local_number) == ((), 4)
        assert task.outstanding is None

    def test_content_made_again_after_the_backup_counts_as_the_service_has_it(
        self, shop: Shop, lane: Lane
    ) -> None:
        ours = shop.ledger.sell(register_id=shop.register_id, request=sale(1000))
        lane.send()
        shop.ledger.record_refused(lane.lease, server_code=9, text="погано")
        uid = document_id(ours.receipt_id, number=1)
        theirs = price_sale(
            sale(800),
            receipt_id=uid,
            tax_groups=STANDARD_GROUPS,
            cash_step=Money(50),
            issued_at=shop.clock.now(),
            cashier_id=None,
            cashier_name=None,
        )
        heading = examples.heading(2, shop.clock.now())
        document = FiscalDocument(DocumentKind.SALE, heading, theirs)
        found = self._adopted(2, document_uid(uid), document=document)
        shop.ledger.adopt(lane.lease, [found], key_id="olena")
        register = shop.register()
        assert register.refused == {}
        assert register.shift is not None
        assert register.shift.totals.sales.total == Money(800)
        sold = shop.store.read(
            SoldReceipt, sold_receipt_id(ours.receipt_id), shard=shard_of(shop.register_id)
        )
        assert sold.total == Money(800)

    @pytest.mark.parametrize(
        ("again", "cash"),
        [
            pytest.param((CashPayment(),), 10_000, id="as we have it"),
            pytest.param((OtherPayment(305, "СЕРТИФІКАТ", Money(10_000)),), 0, id="certificate"),
        ],
    )
    def test_another_form_of_payment_is_another_content_and_the_drawer_follows(
        self, shop: Shop, lane: Lane, again: tuple[PaymentRequest, ...], cash: int
    ) -> None:
        """Goods and money agree; letters stand in another order in the document, VAT before excise."""
        ours = shop.ledger.sell(register_id=shop.register_id, request=sale(10_000, letters="ГД"))
        lane.send()
        shop.ledger.record_refused(lane.lease, server_code=9, text="погано")
        uid = document_id(ours.receipt_id, number=1)
        theirs = price_sale(
            replace(sale(10_000, letters="ГД"), payments=again),
            receipt_id=uid,
            tax_groups=STANDARD_GROUPS,
            cash_step=Money(50),
            issued_at=shop.clock.now(),
            cashier_id=None,
            cashier_name=None,
        )
        written = FiscalDocument(DocumentKind.SALE, examples.heading(2, shop.clock.now()), theirs)
        read = read_document(to_xml(written)).document
        before = shop.register().cash_in_drawer

        found = self._adopted(2, document_uid(uid), document=read)
        shop.ledger.adopt(lane.lease, [found], key_id="olena")

        assert before == Money(10_000)
        assert shop.register().cash_in_drawer == Money(cash)
        sold = shop.store.read(
            SoldReceipt, sold_receipt_id(ours.receipt_id), shard=shard_of(shop.register_id)
        )
        # Only what says something else than ours is a correction.
        assert sold.version == (1 if cash else 2)


class TestSize:
    def test_a_receipt_whose_document_cannot_fit_a_message_is_refused(
        self, shop: Shop, lane: Lane
    ) -> None:
        big = LineRequest(name="Ж" * 1024, quantity=Quantity(1000), price=Money(100), letters="А")
        fits = SaleRequest(lines=(big,) * 100, payments=(CashPayment(),))
        shop.ledger.sell(register_id=shop.register_id, request=fits)
        before = shop.register().version
        too_big = SaleRequest(lines=(big,) * 200, payments=(CashPayment(),))
        with pytest.raises(InvalidField):
            shop.ledger.sell(register_id=shop.register_id, request=too_big)
        assert shop.register().version == before

    def test_stamps_that_cannot_fit_a_message_are_refused(self, shop: Shop, lane: Lane) -> None:
        first, second = (
            LineRequest(
                name="Вино",
                quantity=Quantity(500_000),
                price=Money(100),
                excise_stamps=tuple("&" * 60 + f"{number:04}" for number in numbers),
            )
            for numbers in (range(500), range(500, 1_000))
        )
        with pytest.raises(InvalidField):
            shop.ledger.sell(
                register_id=shop.register_id,
                request=SaleRequest(lines=(first, second), payments=(CashPayment(),)),
            )

    def test_no_document_is_larger_than_its_estimate(self, shop: Shop, lane: Lane) -> None:
        awkward = "&" * 1024
        line = LineRequest(
            name=awkward,
            quantity=Quantity(1000),
            price=Money(100),
            letters="А",
            code="&" * 64,
            barcode="&" * 64,
            unit_name="&" * 64,
            dkpp="25.61.22-30.00",
            discount=DiscountRequest(percent=Rate(1_234)),
        )
        stamped = replace(
            line, excise_stamps=tuple("&" * 60 + f"{number:04}" for number in range(200))
        )
        request = SaleRequest(
            lines=(stamped, *(line,) * 10),
            payments=(OtherPayment(305, "&" * 128, Money(100)), CashPayment()),
            comment=awkward,
            discount=DiscountRequest(amount=Money(1)),
        )
        shop.ledger.sell(register_id=shop.register_id, request=request)
        task = lane.task()
        assert task.outstanding is not None
        receipt = task.outstanding.item.receipt
        assert receipt is not None
        content = cms.parse(shop.store.document(task.signed_ref)).content
        assert content is not None
        assert len(content) <= could_take(receipt)
