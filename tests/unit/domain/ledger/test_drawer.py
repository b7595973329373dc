"""The drawer through the ledger, with a worker and the tax service: what it holds, what it refuses, how it closes."""

from collections.abc import Callable
from typing import Any

import pytest

from domain.documents.receipt import CashPurpose, ReceiptKind
from domain.documents.shift import DocumentKind, WithdrawalTotals
from domain.drawer import DepositRequest, DrawerSettings, IssueRequest, WithdrawalRequest
from domain.errors import (
    Conflict,
    InvalidField,
    NoOpenShift,
    NotEnoughCash,
    ReceiptKindDiffers,
    ShiftClosing,
)
from domain.money import ZERO, Money, Quantity, Rate
from domain.ports import CommandKey, Commit, LogPosition
from domain.register import events
from domain.register.state import Drawer as Books
from domain.register.state import RegisterSettings
from domain.sale import (
    CashPayment,
    DiscountRequest,
    LineRequest,
    OtherPayment,
    SaleRequest,
)
from infra.event_store.feed import Cursor
from infra.event_store.memory import MemoryStore
from infra.simulator.faults import Fault, FaultKind, ScriptStep
from infra.simulator.figures import Kind
from tests.support.shop import Shop, sale
from tests.support.world import World

BANK = CashPurpose.BANK_COLLECTION


class Drawer(World):
    """A world whose till speaks of its own register only."""

    def move(self, request: Any, **more: Any) -> Any:
        return self.shop.ledger.move_cash(
            register_id=self.shop.register_id, request=request, **more
        )

    def set(self, **drawer: Any) -> None:
        self.shop.ledger.change_register_settings(
            self.shop.register_id, RegisterSettings(drawer=DrawerSettings(**drawer))
        )

    def sell(self, price: int, **more: Any) -> Any:
        return self.shop.ledger.sell(register_id=self.shop.register_id, request=sale(price, **more))

    def close(self, **more: Any) -> None:
        self.shop.ledger.close_shift(register_id=self.shop.register_id, **more)

    def refuse_next(self) -> None:
        fault = Fault(kind=FaultKind.REFUSE_CODE, code=9, text="ні", resources=("doc",))
        self.simulator.faults.script([ScriptStep(fault=fault)])
        self.work()

    @property
    def cash(self) -> Money:
        return self.register().cash_in_drawer

    def kinds(self) -> list[Kind]:
        return [stored.kind for stored in self.book()]

    def log(self) -> list[Any]:
        return [stored.event for stored in self.store.page(Cursor(), 1_000_000).events]


@pytest.fixture
def drawer() -> Drawer:
    """A register with an open shift and 1000.00 put in."""
    drawer = Drawer()
    drawer.shop.ledger.open_shift(
        register_id=drawer.shop.register_id, cashier_id=drawer.shop.cashier_id
    )
    drawer.move(DepositRequest(Money(100_000)))
    drawer.settle()
    return drawer


class TestTheBooks:
    def test_drawer_follows_sales_change_deposits_issues_and_withdrawals(
        self, drawer: Drawer
    ) -> None:
        drawer.sell(2_748)
        drawer.sell(5_000, card=5_000)
        drawer.sell(10_000, card=4_000)
        drawer.move(IssueRequest(Money(20_000), CashPurpose.SALARY))
        drawer.move(WithdrawalRequest(Money(50_000), commission=Money(500)))

        # 1000.00 + 27.50 (27.48 rounded) + 60.00 in cash − 200.00 − 500.00
        assert drawer.cash == Money(100_000 + 2_750 + 6_000 - 20_000 - 50_000)
        drawer.settle()
        assert drawer.kinds() == [
            Kind.OPEN,
            Kind.DEPOSIT,
            *[Kind.SALE] * 3,
            Kind.ISSUE,
            Kind.WITHDRAWAL,
        ]
        shift = drawer.register().shift
        assert shift is not None
        assert shift.totals.service_deposits == Money(100_000)
        assert shift.totals.service_issues == Money(20_000)
        assert shift.totals.withdrawals == WithdrawalTotals(1, Money(50_000), Money(500))
        theirs = drawer.server_totals()
        assert theirs is not None
        assert theirs.totals is not None
        assert shift.totals.differences(theirs.totals) == ()

    def test_discounts_surcharges_and_forms_meet_in_the_drawer(self, drawer: Drawer) -> None:
        wine = LineRequest(
            name="Вино",
            quantity=Quantity(3_000),
            price=Money(9_999),
            letters="АГ",
            discount=DiscountRequest(percent=Rate(1_000)),
        )
        delivery = LineRequest(
            name="Доставка",
            quantity=Quantity(1_000),
            price=Money(5_000),
            letters="А",
            discount=DiscountRequest(amount=Money(1_234), surcharge=True),
        )
        request = SaleRequest(
            lines=(wine, delivery),
            payments=(
                OtherPayment(code=305, name="СЕРТИФІКАТ", amount=Money(10_000)),
                CashPayment(provided=Money(50_000)),
            ),
            discount=DiscountRequest(percent=Rate(500), surcharge=True),
        )
        issued = drawer.shop.ledger.sell(register_id=drawer.shop.register_id, request=request)

        # Wine 299.97 − 30.00, delivery 50.00 + 12.34, surcharge 5 % of 332.31; 100.00 of 348.93 by certificate.
        assert issued.receipt is not None
        assert issued.receipt.unrounded == Money(34_893)
        assert drawer.cash == Money(100_000 + 24_900)
        drawer.move(IssueRequest(drawer.cash, BANK))
        assert drawer.cash == ZERO
        drawer.settle()
        shift = drawer.register().shift
        assert shift is not None
        theirs = drawer.server_totals()
        assert theirs is not None
        assert theirs.totals is not None
        assert shift.totals.differences(theirs.totals) == ()
        assert shift.totals.service_issues == Money(124_900)
        assert [(row.form_code, row.amount) for row in shift.totals.sales.payments] == [
            (0, Money(24_900)),
            (305, Money(10_000)),
        ]

    def test_drawer_is_carried_from_shift_to_shift(self, drawer: Drawer) -> None:
        drawer.close()
        drawer.settle()
        drawer.shop.ledger.open_shift(
            register_id=drawer.shop.register_id, cashier_id=drawer.shop.cashier_id
        )
        assert drawer.cash == Money(100_000)

    def test_x_report_tells_the_drawer_and_what_is_on_its_way(self, drawer: Drawer) -> None:
        drawer.move(IssueRequest(Money(30_000), BANK))
        report = drawer.shop.ledger.x_report(drawer.shop.register_id)
        assert report.cash_in_drawer == Money(70_000)
        assert report.issued.service_issues == Money(30_000)
        assert report.registered.service_issues == ZERO

    def test_deposit_of_another_device_is_in_the_drawer(self, drawer: Drawer) -> None:
        drawer.simulator.register_foreign(drawer.shop.register().fiscal_number)
        drawer.sell(1_000)
        drawer.settle()
        assert drawer.cash == Money(100_000 + 1_000 + 100)

    def test_snapshot_keeps_the_drawer(self, drawer: Drawer) -> None:
        drawer.close()
        drawer.settle()
        drawer.store.forget_aggregates()
        assert drawer.cash == Money(100_000)

    def test_tests_move_no_money_and_have_books_of_their_own(self, drawer: Drawer) -> None:
        drawer.close()
        drawer.settle()
        drawer.shop.ledger.open_shift(
            register_id=drawer.shop.register_id, cashier_id=drawer.shop.cashier_id, testing=True
        )
        assert drawer.cash == ZERO
        with pytest.raises(NotEnoughCash):
            drawer.move(IssueRequest(Money(1), BANK))
        drawer.move(DepositRequest(Money(70_000)))
        drawer.sell(1_000)
        drawer.move(WithdrawalRequest(Money(50_000)))
        assert drawer.cash == Money(21_000)
        drawer.settle()
        drawer.close(counted=Money(20_000))
        drawer.settle()

        assert drawer.register().drawer == Books(cash=Money(100_000), tests=Money(20_000))
        assert drawer.cash == Money(100_000)

    def test_repeated_command_moves_cash_once(self, drawer: Drawer) -> None:
        command = CommandKey(scope="till", key="k", body_hash=b"1")
        first = drawer.move(DepositRequest(Money(1)), command=command)
        second = drawer.move(DepositRequest(Money(1)), command=command)
        assert (first.receipt_id, drawer.cash) == (second.receipt_id, Money(100_001))


class TestRefusals:
    @pytest.mark.parametrize(
        "request_",
        [
            IssueRequest(Money(100_001), BANK),
            WithdrawalRequest(Money(100_001)),
        ],
    )
    def test_more_than_the_drawer_holds_is_refused_and_leaves_no_trace(
        self, drawer: Drawer, request_: Any
    ) -> None:
        before = drawer.log()
        with pytest.raises(NotEnoughCash) as refusal:
            drawer.move(request_)
        assert refusal.value.facts() == {"amount_kopecks": 100_001, "in_drawer_kopecks": 100_000}
        assert drawer.log() == before

    def test_all_that_the_drawer_holds_can_be_taken(self, drawer: Drawer) -> None:
        drawer.move(IssueRequest(Money(100_000), BANK))
        assert drawer.cash == ZERO

    def test_setting_lets_the_drawer_go_below_zero(self, drawer: Drawer) -> None:
        drawer.set(may_go_below_zero=True)
        drawer.move(IssueRequest(Money(100_001), BANK))
        assert drawer.cash == Money(-1)

    def test_without_a_shift_no_cash_moves(self) -> None:
        with pytest.raises(NoOpenShift):
            Drawer().move(DepositRequest(Money(1)))

    def test_closing_shift_takes_no_more_cash(self, drawer: Drawer) -> None:
        drawer.close()
        with pytest.raises(ShiftClosing):
            drawer.move(DepositRequest(Money(1)))


class TestRefusedThere:
    @pytest.fixture
    def refused(self, drawer: Drawer) -> Any:
        """A service issue of 400.00 that the tax service refused."""
        issued = drawer.move(IssueRequest(Money(40_000), BANK))
        drawer.refuse_next()
        assert set(drawer.register().refused) == {issued.receipt_id}
        return issued.receipt_id

    def test_cash_is_out_until_somebody_decides(self, drawer: Drawer, refused: Any) -> None:
        assert drawer.cash == Money(60_000)

    def test_corrected_issue_counts_with_its_new_amount(self, drawer: Drawer, refused: Any) -> None:
        drawer.shop.ledger.correct_cash(
            register_id=drawer.shop.register_id,
            receipt_id=refused,
            request=IssueRequest(Money(100_000), BANK),
        )
        drawer.settle()
        assert drawer.cash == ZERO
        assert drawer.book()[-1].figures.total == 100_000

    def test_correction_cannot_take_more_than_there_was_before(
        self, drawer: Drawer, refused: Any
    ) -> None:
        with pytest.raises(NotEnoughCash):
            drawer.shop.ledger.correct_cash(
                register_id=drawer.shop.register_id,
                receipt_id=refused,
                request=IssueRequest(Money(100_001), BANK),
            )

    def test_voided_issue_puts_the_cash_back(self, drawer: Drawer, refused: Any) -> None:
        drawer.shop.ledger.void(
            register_id=drawer.shop.register_id, receipt_id=refused, reason="не забрали"
        )
        assert drawer.cash == Money(100_000)

    @pytest.mark.parametrize("with_", [lambda: sale(1_000), lambda: DepositRequest(Money(1))])
    def test_refused_issue_is_corrected_as_an_issue_only(
        self, drawer: Drawer, refused: Any, with_: Callable[[], Any]
    ) -> None:
        request, ledger = with_(), drawer.shop.ledger
        correct: Any = (
            ledger.correct_cash if isinstance(request, DepositRequest) else ledger.correct
        )
        with pytest.raises(ReceiptKindDiffers) as refusal:
            correct(register_id=drawer.shop.register_id, receipt_id=refused, request=request)
        assert refusal.value.kind == ReceiptKind.SERVICE_ISSUE


class TestClosing:
    def test_counted_drawer_records_the_difference_and_the_books_follow(
        self, drawer: Drawer
    ) -> None:
        drawer.close(counted=Money(99_750))
        (counted,) = [event for event in drawer.log() if isinstance(event, events.DrawerCounted)]
        assert (counted.counted, counted.expected, counted.difference) == (
            Money(99_750),
            Money(100_000),
            Money(-250),
        )
        assert drawer.cash == Money(99_750)
        drawer.settle()
        assert drawer.register().shift is None

    @pytest.mark.parametrize("kopecks", [-1, 10_000_000_001])
    def test_senseless_count_is_refused(self, drawer: Drawer, kopecks: int) -> None:
        with pytest.raises(InvalidField, match="counted_kopecks"):
            drawer.close(counted=Money(kopecks))
        shift = drawer.register().shift
        assert shift is not None
        assert shift.closing is None

    def test_drawer_is_emptied_before_z_where_so_set(self, drawer: Drawer) -> None:
        drawer.set(empties_before_z=True)
        drawer.sell(2_748)
        drawer.close(counted=Money(102_700))
        drawer.settle()

        assert drawer.kinds()[-4:] == [Kind.SALE, Kind.ISSUE, Kind.Z_REPORT, Kind.CLOSE]
        assert drawer.cash == ZERO
        (made,) = [event for event in drawer.log() if isinstance(event, events.ZReportMade)]
        assert made.z_report.totals.service_issues == Money(102_700)
        assert made.differences == ()
        issue = [event for event in drawer.log() if isinstance(event, events.ReceiptIssued)][-1]
        assert (issue.receipt.purpose, issue.receipt.cashier_name) == (
            CashPurpose.CLOSING,
            "Приклад О. П.",
        )

    def test_empty_drawer_is_closed_without_an_issue(self, drawer: Drawer) -> None:
        drawer.set(empties_before_z=True)
        drawer.move(IssueRequest(Money(100_000), BANK))
        drawer.close()
        drawer.settle()
        assert drawer.kinds()[-3:] == [Kind.ISSUE, Kind.Z_REPORT, Kind.CLOSE]

    def test_refused_issue_at_closing_is_voided_once_and_the_closing_goes_on(
        self, drawer: Drawer
    ) -> None:
        drawer.set(empties_before_z=True)
        drawer.close()
        drawer.refuse_next()
        (receipt_id,) = drawer.register().refused
        drawer.settle()
        shift = drawer.register().shift
        assert shift is not None
        assert shift.z_report is None

        drawer.shop.ledger.void(
            register_id=drawer.shop.register_id, receipt_id=receipt_id, reason="ні"
        )
        drawer.settle()
        assert drawer.register().shift is None
        assert drawer.kinds()[-2:] == [Kind.Z_REPORT, Kind.CLOSE]
        assert drawer.cash == Money(100_000)

    def test_correction_while_closing_is_in_what_is_taken_out(self, drawer: Drawer) -> None:
        """A receipt refused after the closing began changes the drawer before it is emptied."""
        drawer.set(empties_before_z=True)
        sold = drawer.sell(5_000)
        drawer.close()
        drawer.refuse_next()
        drawer.shop.ledger.correct(
            register_id=drawer.shop.register_id, receipt_id=sold.receipt_id, request=sale(7_000)
        )
        drawer.settle()
        issue = next(stored for stored in drawer.book() if stored.kind is Kind.ISSUE)
        assert issue.figures.total == 107_000
        assert drawer.register().shift is None


def test_every_kind_of_receipt_is_a_kind_of_document() -> None:
    assert {kind.value for kind in ReceiptKind} <= {kind.value for kind in DocumentKind}


class BusyStore(MemoryStore):
    """A store in which somebody else is faster for a while."""

    conflicts = 0

    def commit(self, commit: Commit) -> LogPosition:
        if self.conflicts:
            self.conflicts -= 1
            raise Conflict
        return super().commit(commit)


def test_settings_are_changed_although_the_lane_moves_the_register_on() -> None:
    store = BusyStore()
    shop = Shop(store=store)
    store.conflicts = 2
    settings = RegisterSettings(drawer=DrawerSettings(empties_before_z=True))
    shop.ledger.change_register_settings(shop.register_id, settings)
    assert shop.register().settings == settings
