"""Totals of a shift and the judgement of its Z-report."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import Office

ROUNDED = {
    "CHECKTOTAL": {"SUM": "25.00", "RNDSUM": "0.20", "NORNDSUM": "25.20"},
    "CHECKPAY": [make.payment(2500)],
    "CHECKTAX": [make.vat(2520)],
    "CHECKBODY": [make.line(2520)],
}
PREPAID = {
    "CHECKTOTAL": {"SUM": "100.00", "PARTPAYTYPE": 1, "PARTPAYSUM": "30.00"},
    "CHECKPAY": [make.payment(3000)],
    "CHECKTAX": [make.vat(10_000, SOURCESUM="30.00", SUM="5.00")],
    "CHECKBODY": [make.line(10_000, PARTPAYSUM="30.00")],
}


def totals(office: Office) -> Any:
    return office.asked("LastShiftTotals", NumFiscal=make.REGISTER)["Totals"]


def accept(office: Office, parts: Any, **changes: Any) -> str:
    xml = make.check(office.number, office.local, parts, subtype=0, **changes)
    return office.accept(xml)["ORDERTAXNUM"]


def test_empty_shift_has_nulls_and_zeros(opened: Office) -> None:
    assert totals(opened) == {
        "Real": None,
        "Ret": None,
        "Cash": None,
        "Currency": None,
        "ServiceInput": 0.0,
        "ServiceOutput": 0.0,
    }


def test_sales_are_added_up_by_form_and_letter(opened: Office) -> None:
    opened.sell(5000)
    mixed = {
        "CHECKTOTAL": {"SUM": "60.00"},
        "CHECKPAY": [make.payment(1000), make.card(5000)],
        "CHECKTAX": [make.vat(5000), make.vat(1000, letter="Б", rate=7)],
        "CHECKBODY": [make.line(5000), make.line(1000, letters="Б")],
    }
    accept(opened, mixed)

    real = totals(opened)["Real"]

    assert (real["Sum"], real["OrdersCount"]) == (110.0, 2)
    assert (real["RndSum"], real["NoRndSum"]) == (0.0, 0.0)
    assert real["PayForm"] == [
        {"PayFormCode": 0, "PayFormName": "ГОТІВКА", "Sum": 60.0},
        {"PayFormCode": 1, "PayFormName": "КАРТКА", "Sum": 50.0},
    ]
    taxes = [(tax["Letter"], tax["Turnover"], tax["SourceSum"], tax["Sum"]) for tax in real["Tax"]]
    assert taxes == [("А", 100.0, 100.0, 16.66), ("Б", 10.0, 10.0, 0.65)]


def test_one_code_with_two_names_is_two_forms(opened: Office) -> None:
    for name in ("СЕРТИФІКАТ", "ПЕРЕДПЛАТА"):
        parts = {**make.sale_parts(5000), "CHECKPAY": [make.payment(5000, code=2, name=name)]}
        accept(opened, parts)

    forms = totals(opened)["Real"]["PayForm"]

    assert [form["PayFormName"] for form in forms] == ["ПЕРЕДПЛАТА", "СЕРТИФІКАТ"]


def test_returns_withdrawals_and_service_documents_have_places_of_their_own(
    opened: Office,
) -> None:
    number = opened.sell(5000)["ORDERTAXNUM"]
    opened.accept(make.sale_return(3, opened.local, original=number, kopecks=2000))
    opened.accept(make.withdrawal(4, opened.local, 70_000))
    opened.accept(make.service(5, opened.local, 900, subtype=2))
    opened.accept(make.service(6, opened.local, 100, subtype=3))
    opened.accept(make.service(7, opened.local, 400, subtype=4))

    found = totals(opened)

    assert found["Real"]["Sum"] == 50.0
    assert (found["Ret"]["Sum"], found["Ret"]["OrdersCount"]) == (20.0, 1)
    assert found["Cash"] == {"Sum": 700.0, "Commission": 0.0, "OrdersCount": 1}
    assert (found["ServiceInput"], found["ServiceOutput"]) == (10.0, 4.0)


def test_transfers_stand_beside_sales(opened: Office) -> None:
    parts = {
        "CHECKTOTAL": {"SUM": "10.10", "NOTAXSUM": "10.00", "COMMISSION": "0.10"},
        "CHECKPAY": [make.payment(1010)],
        "CHECKBODY": [{"COST": "10.00"}, {"COST": "0.10"}],
    }
    accept(opened, parts, document_type=1)

    real = totals(opened)["Real"]

    assert (real["Sum"], real["OrdersCount"], real["PayForm"]) == (0.0, 0, [])
    assert real["TotalCurrencySum"] == 10.1
    assert real["TotalCurrencyCommission"] == 0.1
    assert real["TotalCurrencyCost"] == 1


def test_pawnshop_counts_both_directions(opened: Office) -> None:
    parts = {
        "CHECKTOTAL": {"SUM": "-9.00", "PWNSUMISSUED": "10.00", "PWNSUMRECEIVED": "1.00"},
        "CHECKPAY": [make.payment(-900)],
        "CHECKBODY": [
            {"COST": "10.00", "PWNDIR": "false"},
            {"COST": "1.00", "PWNDIR": "true"},
        ],
    }
    accept(opened, parts, document_type=4)

    real = totals(opened)["Real"]

    assert (real["Sum"], real["PwnSumIssued"], real["PwnSumReceived"]) == (-9.0, 10.0, 1.0)
    assert (real["PwnOrdersCountIssued"], real["PwnOrdersCountReceived"]) == (1, 1)


def test_currency_trade_is_kept_by_currency(opened: Office) -> None:
    def trade(operation: int | None, subtype: int, foreign: str) -> None:
        row = {
            "VALCD": 978,
            "VALSYMCD": "EUR",
            "VALOPERTYPE": operation,
            "VALFOREIGNSUM": foreign,
            "VALNATIONALSUM": "400.00",
            "VALCOMMISSION": "1.00",
        }
        xml = make.check(
            opened.number, opened.local, {"CHECKBODY": [row]}, document_type=2, subtype=subtype
        )
        opened.accept(xml)

    for operation, foreign in ((0, "10.00"), (1, "1.00"), (2, "20.00"), (3, "2.00"), (5, "9.00")):
        trade(operation, 0, foreign)
    for subtype, foreign in ((2, "3.00"), (3, "4.00"), (4, "5.00")):
        trade(None, subtype, foreign)

    currency = totals(opened)["Currency"]

    assert currency["CalcDocsCnt"] == 8
    (row,) = currency["Details"]
    shown = {name: row[name] for name in ("BuyValI", "StorBuyValI", "SellValI", "StorSellValI")}
    assert shown == {"BuyValI": 10.0, "StorBuyValI": 1.0, "SellValI": 20.0, "StorSellValI": 2.0}
    assert (row["InAdvance"], row["InAttach"], row["SurrCollection"]) == (3.0, 4.0, 5.0)
    assert (row["BuyValN"], row["Commission"]) == (400.0, 8.0)


def test_each_shift_counts_from_nothing(opened: Office) -> None:
    opened.sell()
    opened.accept(make.z_report(3, opened.local, {"ZREPREALIZ": make.orders(5000, 1)}))
    opened.accept(make.close_shift(4, opened.local))
    opened.open()

    assert totals(opened)["Real"] is None


def test_totals_of_a_closed_shift_are_null(opened: Office) -> None:
    opened.accept(make.z_report(2, opened.local))
    opened.accept(make.close_shift(3, opened.local))

    answer = opened.asked("LastShiftTotals", NumFiscal=make.REGISTER)

    assert (answer["ShiftState"], answer["Totals"]) == (0, None)
    assert answer["Closed"] == "2026-11-05T09:02:00"


class TestHowItCounts:
    """The switches of the counting."""

    @pytest.mark.parametrize(("rule", "expected"), [("all-when-any", 75.2), ("rounded-only", 25.2)])
    def test_no_rounding_sum(
        self, office_with: Callable[..., Office], rule: str, expected: float
    ) -> None:
        office = office_with(no_rounding_sum=rule)
        office.sell(5000)
        accept(office, ROUNDED)

        real = totals(office)["Real"]

        assert (real["Sum"], real["RndSum"], real["NoRndSum"]) == (75.0, 0.2, expected)

    @pytest.mark.parametrize(("rule", "expected"), [("paid", 30.0), ("full", 100.0)])
    def test_part_payment(
        self, office_with: Callable[..., Office], rule: str, expected: float
    ) -> None:
        office = office_with(part_payment_counts=rule)
        accept(office, PREPAID)

        real = totals(office)["Real"]

        assert real["Sum"] == expected
        assert real["PayForm"][0]["Sum"] == 30.0
        assert (real["Tax"][0]["Turnover"], real["Tax"][0]["SourceSum"]) == (100.0, 30.0)

    @pytest.mark.parametrize(("rule", "count"), [("removed", 1), ("counted-without-sum", 2)])
    def test_reversed_receipt(
        self, office_with: Callable[..., Office], rule: str, count: int
    ) -> None:
        office = office_with(storno_counts=rule)
        office.sell(5000)
        number = office.sell(7000)["ORDERTAXNUM"]
        office.accept(make.storno(4, office.local, target=number))

        real = totals(office)["Real"]

        assert (real["Sum"], real["OrdersCount"]) == (50.0, count)

    def test_reversed_return_is_counted_without_sum_too(
        self, office_with: Callable[..., Office]
    ) -> None:
        office = office_with(storno_counts="counted-without-sum")
        xml = make.sale_return(2, office.local, original="3599999999")
        number = office.accept(xml)["ORDERTAXNUM"]
        office.accept(make.storno(3, office.local, target=number))

        returned = totals(office)["Ret"]

        assert (returned["Sum"], returned["OrdersCount"]) == (0.0, 1)

    @pytest.mark.parametrize(("rule", "expected"), [("zero", 0.0), ("turnover", 50.0)])
    def test_absent_discounted_turnover(
        self, office_with: Callable[..., Office], rule: str, expected: float
    ) -> None:
        office = office_with(turnover_discount_absent=rule)
        office.sell(5000)

        assert totals(office)["Real"]["Tax"][0]["TurnoverDiscount"] == expected


class TestZReport:
    """A Z-report that differs from the shift by a kopeck or by one receipt is refused."""

    def z_parts(self) -> dict[str, Any]:
        return {
            "ZREPREALIZ": make.orders(5000, 1),
            "ZREPRETURN": make.orders(2000, 1),
            "ZREPCASH": {"SUM": "700.00", "COMMISSION": "0.00", "ORDERSCNT": 1},
            "ZREPBODY": {"SERVICEINPUT": "9.00", "SERVICEOUTPUT": "4.00"},
        }

    @pytest.fixture
    def busy(self, opened: Office) -> Office:
        number = opened.sell(5000)["ORDERTAXNUM"]
        opened.accept(make.sale_return(3, opened.local, original=number, kopecks=2000))
        opened.accept(make.withdrawal(4, opened.local, 70_000))
        opened.accept(make.service(5, opened.local, 900, subtype=2))
        opened.accept(make.service(6, opened.local, 400, subtype=4))
        return opened

    def test_true_figures_are_accepted(self, busy: Office) -> None:
        busy.accept(make.z_report(7, busy.local, self.z_parts()))

    @pytest.mark.parametrize(
        ("part", "element", "value"),
        [
            ("ZREPREALIZ", "SUM", "50.01"),
            ("ZREPREALIZ", "ORDERSCNT", 2),
            ("ZREPREALIZ", "PAYFORMS", [make.payment(4999)]),
            ("ZREPREALIZ", "PAYFORMS", [make.card(5000)]),
            ("ZREPREALIZ", "PAYFORMS", None),
            ("ZREPREALIZ", "TAXES", [make.vat(5001)]),
            ("ZREPREALIZ", "TAXES", [make.vat(5000, SUM="8.34")]),
            ("ZREPREALIZ", "TAXES", [make.vat(5000, SOURCESUM="49.99")]),
            ("ZREPREALIZ", "TAXES", [make.vat(5000, TURNOVERDISCOUNT="1.00")]),
            ("ZREPREALIZ", "TAXES", [make.vat(5000, letter="Б")]),
            ("ZREPREALIZ", "TAXES", [make.vat(5000), make.vat(5000)]),
            ("ZREPREALIZ", "TAXES", None),
            ("ZREPREALIZ", "RNDSUM", "0.01"),
            ("ZREPREALIZ", "TOTALCURRENCYCOST", 1),
            ("ZREPRETURN", "SUM", "19.99"),
            ("ZREPCASH", "SUM", "699.99"),
            ("ZREPCASH", "ORDERSCNT", 0),
            ("ZREPCASH", "COMMISSION", "0.01"),
            ("ZREPBODY", "SERVICEINPUT", "9.01"),
            ("ZREPBODY", "SERVICEOUTPUT", None),
        ],
    )
    def test_false_figures_are_refused(
        self, busy: Office, part: str, element: str, value: object
    ) -> None:
        parts = self.z_parts()
        order = ["SUM", "RNDSUM", "ORDERSCNT", "TOTALCURRENCYCOST", "PAYFORMS", "TAXES"]
        changed = {**parts[part], element: value}
        if part in ("ZREPREALIZ", "ZREPRETURN"):
            changed = {name: changed[name] for name in order if name in changed}
        parts[part] = changed

        text = busy.refused(make.z_report(7, busy.local, parts))

        assert "Підсумки Z-звіту" in text or "повторюються" in text

    @pytest.mark.parametrize("left_out", ["ZREPREALIZ", "ZREPRETURN", "ZREPCASH", "ZREPBODY"])
    def test_part_left_out_counts_as_nothing(self, busy: Office, left_out: str) -> None:
        parts = {name: part for name, part in self.z_parts().items() if name != left_out}

        assert "Підсумки Z-звіту" in busy.refused(make.z_report(7, busy.local, parts))

    def test_empty_shift_takes_an_empty_report(self, opened: Office) -> None:
        opened.accept(make.z_report(2, opened.local, {}))

    def test_rounding_is_compared(self, opened: Office) -> None:
        accept(opened, ROUNDED)
        orders = {
            "SUM": "25.00",
            "RNDSUM": "0.20",
            "NORNDSUM": "25.21",
            "ORDERSCNT": 1,
            "PAYFORMS": [make.payment(2500)],
            "TAXES": [make.vat(2520)],
        }

        assert "NORNDSUM" in opened.refused(make.z_report(3, opened.local, {"ZREPREALIZ": orders}))
        orders["NORNDSUM"] = "25.20"
        opened.accept(make.z_report(3, opened.local, {"ZREPREALIZ": orders}))

    def test_comparison_may_be_switched_off(self, office_with: Callable[..., Office]) -> None:
        office = office_with(z_check="off")
        office.sell()

        office.accept(make.z_report(3, office.local, {}))
