from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.documents.receipt import ReceiptKind, ReceiptState
from domain.documents.shift import DocumentKind
from domain.errors import InvalidField, NotFound
from domain.money import Money
from domain.ports import LogPosition, StoredKind
from projections.alarms import AlarmKind, AlarmsView
from projections.balances import BalancesView, PaymentBalance, ReceiptBalance
from projections.documents import DocumentState, DocumentsView
from projections.receipts_view import ReceiptQuery, ReceiptsView
from projections.shifts import ShiftState, ShiftsView
from projections.structure import StructureView
from tests.integration.projections.conftest import Day

Named = Callable[[list[UUID]], list[str]]


class TestReceipts:
    @pytest.fixture
    def found(self, day: Day, named: Named) -> Callable[[ReceiptQuery], list[str]]:
        view = ReceiptsView(day.pool)
        return lambda wanted: named([row.receipt_id for row in view.search(wanted).rows])

    def test_a_registered_receipt_shows_its_numbers_and_what_it_says(self, day: Day) -> None:
        details = ReceiptsView(day.pool).get(day.receipts["bread"])
        row = details.row
        assert (row.state, row.kind, row.learned) == (
            ReceiptState.REGISTERED,
            ReceiptKind.SALE,
            "ticket",
        )
        assert row.fiscal_number is not None
        assert row.local_number == 2
        assert row.total == Money(2750)
        assert row.shift_id == day.shifts["closed"]
        assert row.server_time is not None
        assert details.receipt.lines[0].name == "Хліб житній"
        assert details.receipt.total == row.total

    def test_qr_code_of_a_registered_receipt_opens_its_page(self, day: Day) -> None:
        row = ReceiptsView(day.pool).get(day.receipts["bread"]).row
        assert row.qr() == (
            "https://cabinet.tax.gov.ua/cashregs/check"
            f"?id={row.fiscal_number}&fn=4000777000&date=20261105&time=0900&sm=27.50"
        )

    def test_qr_code_is_absent_without_a_fiscal_number(self, day: Day) -> None:
        assert ReceiptsView(day.pool).get(day.receipts["waiting"]).row.qr() is None

    def test_unknown_receipt_is_not_found(self, day: Day) -> None:
        with pytest.raises(NotFound):
            ReceiptsView(day.pool).get(UUID(int=1))

    def test_refused_receipt_shows_code_and_text_and_no_number(self, day: Day) -> None:
        row = ReceiptsView(day.pool).get(day.receipts["refused"]).row
        assert (row.state, row.refusal_code, row.refusal_text) == (
            ReceiptState.REFUSED,
            9,
            "Помилка даних",
        )
        assert row.local_number is None

    def test_what_waits_on_a_parked_lane_reads_as_parked_with_the_reason(self, day: Day) -> None:
        row = ReceiptsView(day.pool).get(day.receipts["parked"]).row
        assert (row.state, row.reason) == (ReceiptState.PARKED, "transport-key")

    def test_an_unknown_receipt_says_why(self, day: Day) -> None:
        row = ReceiptsView(day.pool).get(day.receipts["unknown"]).row
        assert (row.state, row.reason) == (ReceiptState.UNKNOWN, "no-answer")

    @pytest.mark.parametrize(
        ("wanted", "names"),
        [
            (ReceiptQuery(product="ХЛІБ"), ["parked", "waiting", "bread"]),
            (ReceiptQuery(product="кавʼярн наб"), ["refused", "unknown"]),
            (ReceiptQuery(product="4820000"), ["waiting", "syrup"]),
            (ReceiptQuery(product="1002"), ["parked", "waiting", "bread"]),
            (ReceiptQuery(product="молоко"), []),
            (ReceiptQuery(card_tail="1234"), ["syrup"]),
            (ReceiptQuery(cashier="приклад", card_tail="1234"), ["syrup"]),
            (ReceiptQuery(cashier="інша"), []),
            (
                ReceiptQuery(total_from=Money(9_000), total_to=Money(11_250)),
                ["refused", "waiting", "unknown"],
            ),
            (ReceiptQuery(local_number=2), ["parked", "bread"]),
            (ReceiptQuery(state=ReceiptState.REGISTERED), ["syrup", "bread"]),
            (ReceiptQuery(state=ReceiptState.WAITING), ["waiting"]),
            (ReceiptQuery(state=ReceiptState.PARKED), ["parked"]),
            (ReceiptQuery(state=ReceiptState.UNKNOWN), ["unknown"]),
            (ReceiptQuery(state=ReceiptState.REFUSED), ["refused"]),
            (ReceiptQuery(issued_before=datetime(2026, 11, 5, tzinfo=UTC)), []),
        ],
        ids=str,
    )
    def test_search_finds(
        self, found: Callable[[ReceiptQuery], list[str]], wanted: ReceiptQuery, names: list[str]
    ) -> None:
        assert found(wanted) == names

    def test_search_by_what_a_register_a_shift_and_a_unit_have(
        self, day: Day, found: Callable[[ReceiptQuery], list[str]]
    ) -> None:
        assert found(ReceiptQuery(register_id=day.history.registers[1])) == ["parked", "refused"]
        assert found(ReceiptQuery(business_unit_id=day.history.units[1])) == ["parked", "refused"]
        assert found(ReceiptQuery(shift_id=day.shifts["open"])) == ["waiting", "unknown", "syrup"]
        assert found(ReceiptQuery(cashier_id=UUID(int=1))) == []

    def test_search_by_fiscal_number(
        self, day: Day, found: Callable[[ReceiptQuery], list[str]]
    ) -> None:
        number = ReceiptsView(day.pool).get(day.receipts["syrup"]).row.fiscal_number
        assert found(ReceiptQuery(fiscal_number=number)) == ["syrup"]

    def test_search_for_a_time_includes_its_beginning_and_not_its_end(
        self, day: Day, found: Callable[[ReceiptQuery], list[str]]
    ) -> None:
        view = ReceiptsView(day.pool)
        first = view.get(day.receipts["syrup"]).row.issued_at
        last = view.get(day.receipts["waiting"]).row.issued_at
        wanted = ReceiptQuery(issued_from=first, issued_before=last)
        assert found(wanted) == ["unknown", "syrup"]

    def test_pages_follow_each_other_without_gap_or_repetition(
        self, day: Day, named: Named
    ) -> None:
        view = ReceiptsView(day.pool)
        names: list[str] = []
        after: str | None = None
        for _ in range(3):
            page = view.search(ReceiptQuery(), limit=2, after=after)
            names += named([row.receipt_id for row in page.rows])
            after = page.next
        assert names == ["parked", "refused", "waiting", "unknown", "syrup", "bread"]
        assert after is None

    @pytest.mark.parametrize("limit", [0, 501])
    def test_a_page_has_a_sensible_size(self, day: Day, limit: int) -> None:
        with pytest.raises(InvalidField):
            ReceiptsView(day.pool).search(ReceiptQuery(), limit=limit)

    @pytest.mark.parametrize("after", ["x", "ключ", "AAAA", "A" * 40])
    def test_a_place_that_no_page_gave_is_refused(self, day: Day, after: str) -> None:
        with pytest.raises(InvalidField):
            ReceiptsView(day.pool).search(ReceiptQuery(), after=after)

    @pytest.mark.parametrize("wanted", [ReceiptQuery(product="—"), ReceiptQuery(cashier="' & '")])
    def test_a_search_without_words_is_refused(self, day: Day, wanted: ReceiptQuery) -> None:
        with pytest.raises(InvalidField):
            ReceiptsView(day.pool).search(wanted)


class TestShifts:
    def test_a_closed_shift_has_our_totals_beside_the_servers(self, day: Day) -> None:
        row = ShiftsView(day.pool).get(day.shifts["closed"])
        assert (row.number, row.state) == (1, ShiftState.CLOSED)
        assert row.our_totals is not None
        assert row.server_totals is not None
        assert row.our_totals.sales.total == Money(2750)
        assert row.z_totals == row.server_totals
        assert row.differences == row.our_totals.differences(row.server_totals)
        assert "sales.total" in row.differences
        assert (row.opening_local_number, row.z_local_number, row.closing_local_number) == (1, 3, 4)
        assert None not in (
            row.opening_fiscal_number,
            row.z_fiscal_number,
            row.closing_fiscal_number,
            row.closed_at,
        )

    def test_the_open_shift_of_a_register_is_found(self, day: Day) -> None:
        view = ShiftsView(day.pool)
        row = view.of_register_now(day.history.registers[0])
        assert row is not None
        assert (row.shift_id, row.state, row.z_totals) == (
            day.shifts["open"],
            ShiftState.OPEN,
            None,
        )
        assert view.of_register_now(UUID(int=1)) is None

    def test_shifts_are_listed_newest_first(self, day: Day) -> None:
        view = ShiftsView(day.pool)
        first = view.search(limit=2)
        rest = view.search(limit=2, after=first.next)
        assert [row.shift_id for row in (*first.rows, *rest.rows)] == [
            day.shifts["parked"],
            day.shifts["open"],
            day.shifts["closed"],
        ]
        assert rest.next is None

    def test_shifts_whose_totals_differ_are_found(self, day: Day) -> None:
        rows = ShiftsView(day.pool).search(differing=True).rows
        assert [row.shift_id for row in rows] == [day.shifts["closed"]]

    def test_unknown_shift_is_not_found(self, day: Day) -> None:
        with pytest.raises(NotFound):
            ShiftsView(day.pool).get(UUID(int=1))


class TestBalances:
    def test_a_shift_is_split_by_payment_form_and_state(self, day: Day) -> None:
        balances = BalancesView(day.pool).of_shift(
            register_id=day.history.registers[0], shift_id=day.shifts["open"]
        )
        sale = ReceiptKind.SALE
        assert balances.payments == (
            PaymentBalance(sale, ReceiptState.UNKNOWN, 0, "ГОТІВКА", 1, Money(10_000)),
            PaymentBalance(sale, ReceiptState.WAITING, 0, "ГОТІВКА", 1, Money(11_250)),
            PaymentBalance(sale, ReceiptState.REGISTERED, 1, "КАРТКА", 1, Money(8_520)),
        )
        assert balances.receipts == (
            ReceiptBalance(sale, ReceiptState.REGISTERED, 1, Money(8_520), Money(8_520), Money(0)),
            ReceiptBalance(sale, ReceiptState.UNKNOWN, 1, Money(10_000), Money(10_000), Money(0)),
            ReceiptBalance(sale, ReceiptState.WAITING, 1, Money(11_250), Money(11_268), Money(18)),
        )
        assert balances.cash_in_drawer == Money(21_250)

    def test_a_register_is_the_sum_of_its_shifts(self, day: Day) -> None:
        balances = BalancesView(day.pool).of_register(day.history.registers[0])
        assert balances.shift_id is None
        assert balances.cash_in_drawer == Money(24_000)

    def test_what_waits_on_a_parked_lane_reads_as_parked(self, day: Day) -> None:
        balances = BalancesView(day.pool).of_shift(
            register_id=day.history.registers[1], shift_id=day.shifts["parked"]
        )
        assert {row.state: row.total for row in balances.receipts} == {
            ReceiptState.PARKED: Money(2750),
            ReceiptState.REFUSED: Money(10_000),
        }

    def test_open_shifts_of_a_unit(self, day: Day) -> None:
        view = BalancesView(day.pool)
        assert {row.shift_id for row in view.of_open_shifts()} == {
            day.shifts["open"],
            day.shifts["parked"],
        }
        assert [
            row.shift_id for row in view.of_open_shifts(business_unit_id=day.history.units[0])
        ] == [day.shifts["open"]]

    def test_an_unknown_shift_has_empty_balances(self, day: Day) -> None:
        balances = BalancesView(day.pool).of_shift(register_id=UUID(int=1), shift_id=UUID(int=2))
        assert (balances.payments, balances.receipts) == ((), ())
        assert balances.cash_in_drawer == Money(0)


class TestDocuments:
    def test_a_registered_document_tells_where_its_bytes_are(self, day: Day) -> None:
        (row,) = DocumentsView(day.pool).of_subject(day.receipts["bread"])
        assert (row.kind, row.state, row.attempts) == (
            DocumentKind.SALE,
            DocumentState.REGISTERED,
            1,
        )
        assert [ref.kind for ref in row.bytes_kept] == [
            StoredKind.SIGNED,
            StoredKind.STAMPED,
            StoredKind.TICKET,
        ]
        assert day.history.store.document(row.bytes_kept[2]) == b"ticket"

    def test_documents_are_found_by_register_and_number(self, day: Day) -> None:
        rows = (
            DocumentsView(day.pool)
            .search(register_id=day.history.registers[0], local_number=3)
            .rows
        )
        assert [row.kind for row in rows] == [DocumentKind.Z_REPORT]

    def test_documents_are_found_by_state(self, day: Day) -> None:
        view = DocumentsView(day.pool)
        (refused,) = view.search(state=DocumentState.REFUSED).rows
        assert (refused.subject_id, refused.refusal_code) == (day.receipts["refused"], 9)
        (unknown,) = view.search(state=DocumentState.UNKNOWN).rows
        assert (unknown.subject_id, unknown.reason) == (day.receipts["unknown"], "no-answer")
        assert view.get(unknown.document_id) == unknown

    def test_unknown_document_is_not_found(self, day: Day) -> None:
        with pytest.raises(NotFound):
            DocumentsView(day.pool).get(UUID(int=1))


class TestStructure:
    def test_the_network_and_its_parts_are_listed_by_name(self, day: Day) -> None:
        view = StructureView(day.pool)
        network = view.network()
        assert network is not None
        assert network.name == "Мережа «Приклад»"
        assert [row.company_id for row in view.companies().rows] == [day.history.company_id]
        first = view.business_units(limit=1)
        rest = view.business_units(limit=1, after=first.next)
        assert [row.name for row in (*first.rows, *rest.rows)] == ["Магазин 1", "Магазин 2"]
        assert rest.next is None
        assert [row.key_id for row in view.cashiers(company_id=day.history.company_id).rows] == [
            "olena"
        ]

    def test_a_register_shows_its_shift_and_next_number(self, day: Day) -> None:
        row = StructureView(day.pool).register(day.history.registers[0])
        assert (row.shift_id, row.shift_number, row.shift_closing) == (day.shifts["open"], 2, False)
        assert row.next_local_number == day.history.register(row.register_id).next_local_number
        assert row.parked_reason is None

    def test_parked_registers_are_found_with_the_reason(self, day: Day) -> None:
        (row,) = StructureView(day.pool).registers(parked=True).rows
        assert row.register_id == day.history.registers[1]
        assert (row.parked_reason, row.parked_code, row.parked_text) == (
            "transport-key",
            2,
            "Ключ не діє",
        )

    @pytest.mark.parametrize("what", ["company", "business_unit", "register", "cashier"])
    def test_an_unknown_thing_is_not_found(self, day: Day, what: str) -> None:
        with pytest.raises(NotFound):
            getattr(StructureView(day.pool), what)(UUID(int=1))


class TestAlarms:
    def test_a_parked_lane_and_a_differing_z_report_are_alarms(self, day: Day) -> None:
        parked, differs = AlarmsView(day.pool).search().rows
        assert (parked.kind, parked.register_id, parked.server_code) == (
            AlarmKind.LANE_PARKED,
            day.history.registers[1],
            2,
        )
        assert (differs.kind, differs.shift_id) == (
            AlarmKind.Z_REPORT_DIFFERS,
            day.shifts["closed"],
        )
        assert "sales.total" in differs.differences
        assert differs.register_fiscal_number == "4000777000"

    def test_each_channel_delivers_an_alarm_once(self, day: Day) -> None:
        view = AlarmsView(day.pool)
        at = datetime(2026, 11, 5, 9, tzinfo=UTC)
        oldest, newest = view.undelivered(channel="email")
        assert oldest.kind is AlarmKind.Z_REPORT_DIFFERS
        assert view.record_delivery(oldest.alarm_id, channel="email", at=at)
        assert not view.record_delivery(oldest.alarm_id, channel="email", at=at)
        assert view.undelivered(channel="email") == (newest,)
        assert view.undelivered(channel="webhook") == (oldest, newest)
        assert view.delivered_at([oldest.alarm_id, newest.alarm_id], channel="email") == {
            oldest.alarm_id: at
        }


class TestPlaceShown:
    def test_rows_name_the_place_they_show(self, day: Day) -> None:
        page = ReceiptsView(day.pool).search(ReceiptQuery())
        assert page.cursor.covers(day.end.shard, day.end.position)

    def test_waiting_for_a_place_already_shown_returns_at_once(self, day: Day) -> None:
        assert ReceiptsView(day.pool).wait_for(day.end, timeout_seconds=0)

    def test_waiting_for_a_place_nobody_reached_gives_up(self, day: Day) -> None:
        beyond = LogPosition(day.end.shard, day.end.position + 1)
        assert not ReceiptsView(day.pool).wait_for(beyond, timeout_seconds=0.02)
