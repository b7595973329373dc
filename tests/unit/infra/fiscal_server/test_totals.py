"""The server's totals in the form the domain compares: every difference of form is evened out."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.documents.receipt import TaxRow
from domain.documents.shift import (
    OrderTotals,
    PaymentFormTotal,
    ShiftTotals,
    WithdrawalTotals,
    ZReport,
)
from domain.money import ZERO, Money, Rate
from infra.fiscal_server.totals import ShiftTotalsReply
from tests import examples


def tax(**changes: Any) -> dict[str, Any]:
    return {
        "Type": 0,
        "Name": "ПДВ",
        "Letter": "А",
        "Prc": Decimal("20.0"),
        "Sign": False,
        "Turnover": Decimal("27.48"),
        "TurnoverDiscount": Decimal("27.48"),
        "SourceSum": Decimal("27.48"),
        "Sum": Decimal("4.58"),
    } | changes


def orders(**changes: Any) -> dict[str, Any]:
    return {
        "Sum": Decimal("27.48"),
        "RndSum": Decimal("0.0"),
        "NoRndSum": Decimal("0.0"),
        "OrdersCount": 1,
        "PayForm": [{"PayFormCode": 1, "PayFormName": "КАРТКА", "Sum": Decimal("27.48")}],
        "Tax": [tax()],
    } | changes


def sales_of(real: dict[str, Any]) -> OrderTotals:
    reply = ShiftTotalsReply.model_validate(
        {"ShiftState": 1, "Totals": {"Real": real, "Ret": None, "Cash": None}}
    ).to_domain()
    assert reply.totals is not None
    return reply.totals.sales


def row(**changes: Any) -> TaxRow:
    (only,) = sales_of(orders(Tax=[tax(**changes)])).taxes
    return only


class TestServerTotals:
    def test_zero_before_rounding_means_that_nothing_was_rounded(self) -> None:
        found = sales_of(orders())
        assert (found.total, found.unrounded, found.rounding) == (Money(2748), Money(2748), ZERO)

    @pytest.mark.parametrize("no_rounding", ["462.68", "100.18", "0.0"])
    def test_sum_before_rounding_follows_from_the_rounding(self, no_rounding: str) -> None:
        found = sales_of(
            orders(Sum=Decimal("462.5"), RndSum=Decimal("0.18"), NoRndSum=Decimal(no_rounding))
        )
        assert (found.total, found.unrounded, found.rounding) == (
            Money(46250),
            Money(46268),
            Money(18),
        )

    def test_turnover_after_discount_that_was_not_sent_is_the_turnover(self) -> None:
        assert row(TurnoverDiscount=Decimal("0.0")).discounted_turnover == Money(2748)

    def test_base_that_was_not_sent_is_the_discounted_turnover(self) -> None:
        found = row(SourceSum=Decimal("0.0"), TurnoverDiscount=Decimal("20.00"))
        assert found.base == Money(2000)

    def test_zero_rate_without_base_counts_its_turnover(self) -> None:
        zero = Decimal("0.0")
        found = row(Prc=zero, TurnoverDiscount=zero, SourceSum=zero, Sum=zero)
        assert (found.discounted_turnover, found.base, found.tax) == (
            Money(2748),
            Money(2748),
            ZERO,
        )

    def test_turnover_discounted_away_stays_zero(self) -> None:
        zero = Decimal("0.0")
        found = row(TurnoverDiscount=zero, SourceSum=zero, Sum=zero)
        assert (found.discounted_turnover, found.base) == (ZERO, ZERO)

    def test_zero_rate_turnover_discounted_away_stays_zero_where_discounts_were_sent(self) -> None:
        zero = Decimal("0.0")
        free = tax(Letter="В", Prc=zero, TurnoverDiscount=zero, SourceSum=zero, Sum=zero)
        found = sales_of(orders(Tax=[tax(TurnoverDiscount=Decimal("27.48")), free])).taxes[1]
        assert (found.turnover, found.discounted_turnover, found.base) == (Money(2748), ZERO, ZERO)

    def test_zero_rate_alone_may_be_free_as_well_and_our_count_decides(self) -> None:
        zero = Decimal("0.0")
        free = tax(Prc=zero, TurnoverDiscount=zero, SourceSum=zero, Sum=zero)
        reply = {"ShiftState": 1, "Totals": {"Real": orders(Tax=[free])}}
        found = ShiftTotalsReply.model_validate(reply).to_domain()
        assert found.totals is not None
        assert found.or_else is not None
        assert [
            each.sales.taxes[0].discounted_turnover for each in (found.totals, found.or_else)
        ] == [
            Money(2748),
            ZERO,
        ]
        assert found.read_by(found.or_else) == found.or_else
        assert found.read_by(found.totals) == found.totals
        assert found.read_by(ShiftTotals()) == found.totals

    def test_rows_stand_in_one_order_whatever_the_servers(self) -> None:
        forms = [
            {"PayFormCode": code, "PayFormName": name, "Sum": Decimal("1.0")}
            for code, name in ((1, "КАРТКА"), (2, "СЕРТИФІКАТ"), (0, "ГОТІВКА"), (2, "АВАНС"))
        ]
        found = sales_of(orders(PayForm=forms, Tax=[tax(Letter="Б"), tax(Letter="А")]))
        assert [form.form_name for form in found.payments] == [
            "ГОТІВКА",
            "КАРТКА",
            "АВАНС",
            "СЕРТИФІКАТ",
        ]
        assert [each.letter for each in found.taxes] == ["А", "Б"]

    def test_null_lists_and_letters_are_empty(self) -> None:
        found = sales_of(orders(PayForm=None, Tax=[tax(Letter=None)]))
        assert found.payments == ()
        assert found.taxes[0].letter == ""

    @pytest.mark.parametrize(
        ("cash", "expected"),
        [
            (None, None),
            ({"Sum": Decimal("0.0"), "Commission": Decimal("0.0"), "OrdersCount": 0}, None),
            (
                {"Sum": Decimal("1050.0"), "Commission": Decimal("10.5"), "OrdersCount": 2},
                WithdrawalTotals(count=2, total=Money(105_000), commission=Money(1_050)),
            ),
        ],
    )
    def test_withdrawals_are_counted_and_zeros_mean_that_there_were_none(
        self, cash: dict[str, Any] | None, expected: WithdrawalTotals | None
    ) -> None:
        reply = ShiftTotalsReply.model_validate({"ShiftState": 1, "Totals": {"Cash": cash}})
        totals = reply.to_domain().totals
        assert totals is not None
        assert totals.withdrawals == expected

    def test_closed_shift_has_no_totals(self) -> None:
        reply = ShiftTotalsReply.model_validate({"ShiftState": 0, "Totals": None}).to_domain()
        assert (reply.shift_open, reply.totals) == (False, None)

    def test_worked_example_gives_the_figures_of_its_z_report(self, shared_folder: Path) -> None:
        text = (shared_folder / "reference" / "fiscal-server.md").read_text(encoding="utf-8")
        after = text.partition('"Command": "LastShiftTotals"')[2]
        block = after.partition("```json\n")[2].partition("```")[0]
        reply = ShiftTotalsReply.model_validate(json.loads(block, parse_float=Decimal)).to_domain()
        assert reply.shift_open
        assert reply.totals is not None
        assert reply.totals.sales.total == Money(46250)
        assert reply.totals.sales.unrounded == Money(46268)
        assert reply.totals.sales.payments == (
            PaymentFormTotal(form_code=0, form_name="ГОТІВКА", amount=Money(16250)),
            PaymentFormTotal(form_code=1, form_name="КАРТКА", amount=Money(30000)),
        )
        assert reply.totals.sales.taxes[2] == TaxRow(
            kind=1,
            name="Акциз",
            letter="Г",
            rate=Rate(500),
            turnover=Money(36000),
            discounted_turnover=Money(35000),
            base=Money(35000),
            tax=Money(1667),
        )
        assert (reply.totals.service_deposits, reply.totals.service_issues) == (
            Money(50000),
            Money(20000),
        )

    def test_totals_equal_ours_when_the_server_counted_the_same(self) -> None:
        assert isinstance(examples.Z_REPORT_DOCUMENT.content, ZReport)
        ours = examples.Z_REPORT_DOCUMENT.content.totals
        theirs = ShiftTotalsReply.model_validate(
            {
                "ShiftState": 1,
                "Totals": {
                    "Real": as_server_has(ours.sales),
                    "Ret": as_server_has(ours.returns),
                    "ServiceInput": Decimal("500.0"),
                    "ServiceOutput": Decimal("200.0"),
                },
            }
        ).to_domain()
        assert theirs.totals == ours
        assert isinstance(theirs.totals, ShiftTotals)
        assert ours.differences(theirs.totals) == ()


def as_server_has(totals: OrderTotals) -> dict[str, Any]:
    """Totals in the server's form, rows in the opposite order."""
    return {
        "Sum": Decimal(str(totals.total)),
        "RndSum": Decimal(str(totals.rounding)),
        "NoRndSum": Decimal(str(totals.unrounded)) if totals.rounding else Decimal("0.0"),
        "OrdersCount": totals.count,
        "PayForm": [
            {
                "PayFormCode": form.form_code,
                "PayFormName": form.form_name,
                "Sum": Decimal(str(form.amount)),
            }
            for form in reversed(totals.payments)
        ],
        "Tax": [
            {
                "Type": each.kind,
                "Name": each.name,
                "Letter": each.letter,
                "Prc": Decimal(str(each.rate)),
                "Turnover": Decimal(str(each.turnover)),
                "TurnoverDiscount": Decimal(str(each.discounted_turnover)),
                "SourceSum": Decimal(str(each.base)),
                "Sum": Decimal(str(each.tax)),
            }
            for each in reversed(totals.taxes)
        ],
    }
