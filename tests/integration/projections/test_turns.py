"""The turns a register's life can take besides the plain one, each on a database of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from domain.documents.receipt import ReceiptState
from domain.documents.shift import DocumentKind
from domain.errors import IntegrityFault
from domain.identifiers import document_id
from domain.money import Money
from domain.register import events
from domain.sale import SaleRequest
from infra.postgres import Pool, connect, open_pool
from projections.alarms import AlarmsView
from projections.balances import BalancesProjection, BalancesView
from projections.catalogue import PROJECTIONS
from projections.documents import DocumentState, DocumentsView
from projections.receipts_view import ReceiptQuery, ReceiptsView
from projections.shifts import ShiftState, ShiftsView
from projections.structure import StructureView
from tests.integration.projections.conftest import BREAD, CASH, SYRUP
from tests.support.history import History, pour

SALE = SaleRequest((BREAD,), CASH)


@dataclass
class Place:
    """A history, and the database it is written to."""

    history: History
    dsn: str
    pool: Pool

    def __post_init__(self) -> None:
        self.register_id = self.history.registers[0]

    def project(self) -> None:
        """Bring every projection up to the end of the history."""
        with connect(self.dsn, name="project") as connection:
            pour(self.history.events, connection)
            for projection in PROJECTIONS:
                projection().catch_up(connection, page_events=5)


@pytest.fixture
def place(postgres_dsn: str) -> Iterator[Place]:
    with open_pool(postgres_dsn, name="views", size=2) as pool:
        yield Place(History(registers=1), postgres_dsn, pool)


class TestRefusedReceipt:
    @pytest.fixture
    def receipt_id(self, place: Place) -> UUID:
        place.history.open(place.register_id)
        receipt_id = place.history.sell(place.register_id, SALE)
        place.history.refuse(place.register_id)
        return receipt_id

    def test_made_again_and_registered_it_has_both_documents(
        self, place: Place, receipt_id: UUID
    ) -> None:
        place.history.ledger.correct(
            register_id=place.register_id,
            receipt_id=receipt_id,
            request=SaleRequest((SYRUP,), CASH),
        )
        place.history.accept_all(place.register_id)
        place.project()
        details = ReceiptsView(place.pool).get(receipt_id)
        assert (details.row.state, details.row.corrections) == (ReceiptState.REGISTERED, 1)
        assert (details.row.refusal_code, details.row.corrected_at) == (
            None,
            details.receipt.issued_at,
        )
        assert details.row.total == details.receipt.total == Money(8500)
        first, second = DocumentsView(place.pool).of_subject(receipt_id)
        assert (first.state, second.state) == (DocumentState.REFUSED, DocumentState.REGISTERED)
        found = ReceiptsView(place.pool).search
        assert found(ReceiptQuery(product="хліб")).rows == ()
        assert [row.receipt_id for row in found(ReceiptQuery(product="сироп")).rows] == [receipt_id]
        balances = BalancesView(place.pool).of_register(place.register_id)
        assert [(row.state, row.total) for row in balances.receipts] == [
            (ReceiptState.REGISTERED, Money(8500))
        ]

    def test_voided_it_takes_its_money_out_of_the_drawer(
        self, place: Place, receipt_id: UUID
    ) -> None:
        place.history.ledger.void(
            register_id=place.register_id, receipt_id=receipt_id, reason="покупець пішов"
        )
        place.project()
        row = ReceiptsView(place.pool).get(receipt_id).row
        assert (row.state, row.void_reason) == (ReceiptState.VOIDED, "покупець пішов")
        assert row.voided_at is not None
        balances = BalancesView(place.pool).of_register(place.register_id)
        assert [(row.state, row.amount) for row in balances.payments] == [
            (ReceiptState.VOIDED, Money(2750))
        ]
        assert balances.cash_in_drawer == Money(0)


class TestParkedLane:
    def test_resuming_resolves_the_alarm_and_lets_receipts_go_on(self, place: Place) -> None:
        shift_id = place.history.open(place.register_id)
        place.history.sell(place.register_id, SALE)
        place.history.park(place.register_id)
        place.project()
        alarms = AlarmsView(place.pool)
        (alarm,) = alarms.search(resolved=False).rows
        assert (alarm.shift_id, alarm.resolved_at) == (shift_id, None)
        receipts = ReceiptsView(place.pool)
        assert receipts.search(ReceiptQuery()).rows[0].state is ReceiptState.PARKED
        place.history.resume(place.register_id)
        place.project()
        (resolved,) = alarms.search().rows
        assert resolved.alarm_id == alarm.alarm_id
        assert (resolved.resolved_by, resolved.resolution) == ("admin", "cause removed")
        assert receipts.search(ReceiptQuery()).rows[0].state is ReceiptState.SUBMITTED
        assert StructureView(place.pool).register(place.register_id).parked_reason is None

    def test_parked_twice_it_raises_two_alarms(self, place: Place) -> None:
        place.history.open(place.register_id)
        for _ in range(2):
            place.history.park(place.register_id)
            place.history.resume(place.register_id)
        place.history.park(place.register_id)
        place.project()
        rows = AlarmsView(place.pool).search().rows
        assert [row.resolved_at is None for row in rows] == [True, False, False]


class TestTestShift:
    def test_its_receipts_are_marked_and_its_money_is_in_no_balance_unless_asked_for(
        self, place: Place
    ) -> None:
        place.history.open(place.register_id)
        fiscal = place.history.sell(place.register_id, SALE)
        place.history.accept_all(place.register_id)
        place.history.ledger.close_shift(register_id=place.register_id)
        place.history.make_z(place.register_id, agrees=True)
        place.history.accept_all(place.register_id)
        shift_id = place.history.open(place.register_id, testing=True)
        test = place.history.sell(place.register_id, SaleRequest((SYRUP,), CASH))
        place.history.accept_all(place.register_id)
        place.project()

        receipts = ReceiptsView(place.pool)
        assert [receipts.get(each).row.testing for each in (fiscal, test)] == [False, True]
        for testing, expected in ((False, fiscal), (True, test)):
            rows = receipts.search(ReceiptQuery(testing=testing)).rows
            assert [row.receipt_id for row in rows] == [expected]
        view = BalancesView(place.pool)
        sums = {
            testing: [row.total for row in balances.receipts]
            for testing in (False, True)
            for balances in [view.of_register(place.register_id, testing=testing)]
        }
        assert sums == {False: [Money(2750)], True: [Money(8500)]}
        assert view.of_open_shifts() == ()
        (asked,) = view.of_open_shifts(testing=True)
        assert asked == view.of_shift(register_id=place.register_id, shift_id=shift_id)
        assert asked.testing
        shifts = ShiftsView(place.pool)
        assert [row.shift_id for row in shifts.search(testing=True).rows] == [shift_id]


class TestAdoption:
    def test_a_foreign_receipt_counts_in_the_open_shift(self, place: Place) -> None:
        shift_id = place.history.open(place.register_id)
        uid = place.history.adopt(place.register_id, DocumentKind.SALE, inside=True)
        place.project()
        row = ReceiptsView(place.pool).get(uid).row
        assert (row.state, row.adopted, row.learned) == (ReceiptState.REGISTERED, True, "adoption")
        assert (row.shift_id, row.cashier_name) == (shift_id, "Інша Каса")
        document = DocumentsView(place.pool).get(uid)
        assert (document.state, document.adopted, document.subject_id) == (
            DocumentState.REGISTERED,
            True,
            uid,
        )
        assert document.bytes_kept == ()
        balances = BalancesView(place.pool).of_shift(
            register_id=place.register_id, shift_id=shift_id
        )
        assert balances.cash_in_drawer == row.total

    def test_our_own_receipt_found_there_is_registered_once(self, place: Place) -> None:
        place.history.open(place.register_id)
        place.history.sell(place.register_id, SALE)
        receipt_id = place.history.sell(place.register_id, SALE)
        uid = document_id(receipt_id, number=0)
        place.history.adopt(place.register_id, DocumentKind.SALE, inside=True, uid=uid)
        place.project()
        row = ReceiptsView(place.pool).get(receipt_id).row
        assert (row.state, row.document_id, row.adopted) == (ReceiptState.REGISTERED, uid, False)
        assert len(ReceiptsView(place.pool).search(ReceiptQuery()).rows) == 2
        assert DocumentsView(place.pool).get(uid).subject_id == receipt_id

    def test_a_shift_opened_elsewhere_goes_on_here(self, place: Place) -> None:
        place.history.open(place.register_id)
        place.history.adopt(place.register_id, DocumentKind.SHIFT_CLOSING, inside=True)
        uid = place.history.adopt(place.register_id, DocumentKind.SHIFT_OPENING, inside=True)
        place.history.adopt(place.register_id, DocumentKind.SALE, inside=True)
        place.project()
        row = ShiftsView(place.pool).of_register_now(place.register_id)
        assert row is not None
        assert (row.shift_id, row.number, row.adopted) == (uid, 2, True)
        assert row.opening_fiscal_number is not None
        assert StructureView(place.pool).register(place.register_id).shift_id == uid

    def test_a_shift_that_ran_elsewhere_from_end_to_end_is_kept_with_its_receipts(
        self, place: Place
    ) -> None:
        place.history.open(place.register_id)
        place.history.adopt(place.register_id, DocumentKind.SHIFT_CLOSING, inside=True)
        uid = place.history.adopt(place.register_id, DocumentKind.SHIFT_OPENING, inside=False)
        sale = place.history.adopt(place.register_id, DocumentKind.SALE, inside=False)
        place.history.adopt(place.register_id, DocumentKind.Z_REPORT, inside=False)
        place.history.adopt(place.register_id, DocumentKind.SHIFT_CLOSING, inside=False)
        later = place.history.adopt(place.register_id, DocumentKind.SALE, inside=False)
        place.project()
        row = ShiftsView(place.pool).get(uid)
        assert (row.number, row.state, row.adopted) == (None, ShiftState.CLOSED, True)
        assert row.z_totals is not None
        assert None not in (row.z_fiscal_number, row.closing_fiscal_number, row.closed_at)
        receipts = ReceiptsView(place.pool)
        assert receipts.get(sale).row.shift_id == uid
        assert receipts.get(later).row.shift_id is None

    def test_a_receipt_that_outlived_its_shift_counts_where_it_is_registered(
        self, place: Place
    ) -> None:
        first = place.history.open(place.register_id)
        receipt_id = place.history.sell(place.register_id, SALE)
        place.history.adopt(place.register_id, DocumentKind.SHIFT_CLOSING, inside=True)
        second = place.history.open(place.register_id)
        place.project()
        assert ReceiptsView(place.pool).get(receipt_id).row.shift_id == second
        view = BalancesView(place.pool)
        register_id = place.register_id
        assert view.of_shift(register_id=register_id, shift_id=first).receipts == ()
        assert view.of_shift(register_id=register_id, shift_id=second).cash_in_drawer == Money(2750)
        shift = place.history.register(register_id).shift
        assert shift is not None
        assert shift.totals.sales.total == Money(2750)


class TestOnePage:
    def test_a_page_that_fails_leaves_no_trace(self, place: Place) -> None:
        place.history.open(place.register_id)
        place.history.sell(place.register_id, SALE)
        with connect(place.dsn, name="project") as connection:
            pour(place.history.events, connection)

            class Breaks(BalancesProjection):
                def write(self, *arguments: object) -> None:
                    super().write(*arguments)  # type: ignore[arg-type]
                    raise ConnectionError

            with pytest.raises(ConnectionError):
                Breaks().catch_up(connection)
            assert connection.execute(
                "SELECT count(*) FROM projections.balances_payments"
            ).fetchone() == (0,)
            BalancesProjection().catch_up(connection)
            assert BalancesProjection().catch_up(connection) == 0
        balances = BalancesView(place.pool).of_register(place.register_id)
        assert balances.cash_in_drawer == Money(2750)

    def test_an_event_about_a_receipt_never_issued_stops_the_projection(self, place: Place) -> None:
        place.history.open(place.register_id)
        place.history.sell(place.register_id, SALE)
        place.history.accept_all(place.register_id)
        torn = [
            stored for stored in place.history.events if stored.topic != events.ReceiptIssued.TOPIC
        ]
        with connect(place.dsn, name="project") as connection, connection.transaction():
            for name in ("balances", "receipts"):
                projection = next(each for each in PROJECTIONS if name == each.NAME)
                with pytest.raises(IntegrityFault, match="never issued"):
                    projection().apply(torn, connection)
