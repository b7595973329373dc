"""Each rule of ``infra.simulator.arithmetic`` and of the tax check, kept and broken by a kopeck."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from infra.simulator.switches import Switches
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import Office

Parts = dict[str, Any]


def parts(
    total: Parts, *, pay: list[Parts] | None = None, lines: list[Parts], taxes: Any = None
) -> Parts:
    return {"CHECKTOTAL": total, "CHECKPAY": pay, "CHECKTAX": taxes, "CHECKBODY": lines}


def sent(office: Office, content: Parts, **changes: Any) -> str | None:
    """The reason a document is refused for, or None when it is accepted."""
    reply = office.send(make.check(office.number, office.local, content, **changes))
    return None if reply.status == 200 else reply.body.decode().partition("\r\n")[2]


CASH = make.payment
PARTS_OF_A_SALE: list[tuple[str, Parts, bool]] = [
    ("one line", parts({"SUM": "50.00"}, pay=[CASH(5000)], lines=[make.line(5000)]), True),
    ("sum a kopeck off", parts({"SUM": "50.01"}, pay=[CASH(5001)], lines=[make.line(5000)]), False),
    ("paid short", parts({"SUM": "50.00"}, pay=[CASH(4999)], lines=[make.line(5000)]), False),
    ("paid over", parts({"SUM": "50.00"}, pay=[CASH(5001)], lines=[make.line(5000)]), False),
    ("no sum", parts({"NOTAXSUM": "50.00"}, pay=[CASH(5000)], lines=[make.line(5000)]), False),
    ("no payment", parts({"SUM": "50.00"}, lines=[make.line(5000)]), False),
    ("nothing to pay", parts({"SUM": "0.00"}, lines=[make.line(0)]), True),
    ("negative", parts({"SUM": "-1.00"}, pay=[CASH(-100)], lines=[make.line(-100)]), False),
    (
        "mixed payment",
        parts({"SUM": "50.00"}, pay=[CASH(2000), make.card(3000)], lines=[make.line(5000)]),
        True,
    ),
    (
        "change",
        parts(
            {"SUM": "50.00"},
            pay=[CASH(5000, PROVIDED="100.00", REMAINS="50.00")],
            lines=[make.line(5000)],
        ),
        True,
    ),
    (
        "handed over exactly",
        parts({"SUM": "50.00"}, pay=[CASH(5000, PROVIDED="50.00")], lines=[make.line(5000)]),
        True,
    ),
    (
        "wrong change",
        parts(
            {"SUM": "50.00"},
            pay=[CASH(5000, PROVIDED="100.00", REMAINS="50.01")],
            lines=[make.line(5000)],
        ),
        False,
    ),
    (
        "change of nothing",
        parts({"SUM": "50.00"}, pay=[CASH(5000, REMAINS="50.00")], lines=[make.line(5000)]),
        False,
    ),
    (
        "payment without a sum",
        parts(
            {"SUM": "0.00"},
            pay=[{"PAYFORMCD": 0, "PAYFORMNM": "ГОТІВКА"}],
            lines=[make.line(0)],
        ),
        False,
    ),
    (
        "discounts of lines",
        parts(
            {"SUM": "90.00", "DISCOUNTSUM": "10.00"},
            pay=[CASH(9000)],
            lines=[make.line(5000, DISCOUNTSUM="4.00"), make.line(5000, DISCOUNTSUM="6.00")],
        ),
        True,
    ),
    (
        "discounts of lines not added up in the total",
        parts(
            {"SUM": "90.00"},
            pay=[CASH(9000)],
            lines=[make.line(5000, DISCOUNTSUM="4.00"), make.line(5000, DISCOUNTSUM="6.00")],
        ),
        True,
    ),
    (
        "discounts that do not add up",
        parts(
            {"SUM": "90.00", "DISCOUNTSUM": "9.00"},
            pay=[CASH(9000)],
            lines=[make.line(5000, DISCOUNTSUM="4.00"), make.line(5000, DISCOUNTSUM="6.00")],
        ),
        False,
    ),
    (
        "discount of the receipt alone",
        parts(
            {"SUM": "90.00", "DISCOUNTSUM": "10.00"}, pay=[CASH(9000)], lines=[make.line(10_000)]
        ),
        True,
    ),
    (
        "tax on top of the price",
        parts(
            {"SUM": "60.00"},
            pay=[CASH(6000)],
            lines=[make.line(5000)],
            taxes=[make.vat(5000, SIGN="true", SUM="10.00")],
        ),
        True,
    ),
    (
        "rounded down",
        parts(
            {"SUM": "25.00", "RNDSUM": "0.20", "NORNDSUM": "25.20"},
            pay=[CASH(2500)],
            lines=[make.line(2520)],
        ),
        True,
    ),
    (
        "rounded up",
        parts(
            {"SUM": "25.50", "RNDSUM": "-0.20", "NORNDSUM": "25.30"},
            pay=[CASH(2550)],
            lines=[make.line(2530)],
        ),
        True,
    ),
    (
        "rounding of the wrong sign",
        parts(
            {"SUM": "25.00", "RNDSUM": "-0.20", "NORNDSUM": "25.20"},
            pay=[CASH(2500)],
            lines=[make.line(2520)],
        ),
        False,
    ),
    (
        "rounding without the amount before it",
        parts({"SUM": "25.00", "RNDSUM": "0.20"}, pay=[CASH(2500)], lines=[make.line(2520)]),
        False,
    ),
    (
        "amount before rounding without rounding",
        parts({"SUM": "25.20", "NORNDSUM": "25.20"}, pay=[CASH(2520)], lines=[make.line(2520)]),
        False,
    ),
    (
        "prepayment",
        parts(
            {"SUM": "100.00", "PARTPAYTYPE": 1, "PARTPAYSUM": "30.00"},
            pay=[CASH(3000)],
            lines=[make.line(10_000, PARTPAYSUM="30.00")],
        ),
        True,
    ),
    (
        "prepayment rounded",
        parts(
            {
                "SUM": "100.00",
                "RNDSUM": "0.20",
                "NORNDSUM": "30.20",
                "PARTPAYTYPE": 1,
                "PARTPAYSUM": "30.00",
            },
            pay=[CASH(3000)],
            lines=[make.line(10_000, PARTPAYSUM="30.20")],
        ),
        True,
    ),
    (
        "prepayment paid in full",
        parts(
            {"SUM": "100.00", "PARTPAYTYPE": 1, "PARTPAYSUM": "30.00"},
            pay=[CASH(10_000)],
            lines=[make.line(10_000)],
        ),
        False,
    ),
    (
        "part that takes nothing",
        parts(
            {"SUM": "100.00", "PARTPAYTYPE": 1, "PARTPAYSUM": "0.00"},
            lines=[make.line(10_000, PARTPAYSUM="0.00")],
        ),
        True,
    ),
    (
        "unknown kind of part payment",
        parts(
            {"SUM": "100.00", "PARTPAYTYPE": 4, "PARTPAYSUM": "30.00"},
            pay=[CASH(3000)],
            lines=[make.line(10_000)],
        ),
        False,
    ),
    (
        "part payment without its sum",
        parts({"SUM": "100.00", "PARTPAYTYPE": 1}, pay=[CASH(3000)], lines=[make.line(10_000)]),
        False,
    ),
    (
        "more than the price",
        parts(
            {"SUM": "100.00", "PARTPAYTYPE": 1, "PARTPAYSUM": "100.01"},
            pay=[CASH(10_001)],
            lines=[make.line(10_000)],
        ),
        False,
    ),
    (
        "shares of the lines that do not add up",
        parts(
            {"SUM": "100.00", "PARTPAYTYPE": 1, "PARTPAYSUM": "30.00"},
            pay=[CASH(3000)],
            lines=[make.line(10_000, PARTPAYSUM="29.99")],
        ),
        False,
    ),
]


@pytest.mark.parametrize(
    ("content", "is_accepted"),
    [(content, accepted) for _, content, accepted in PARTS_OF_A_SALE],
    ids=[name for name, _, _ in PARTS_OF_A_SALE],
)
@pytest.mark.parametrize("subtype", [0, 1], ids=["sale", "return"])
def test_sales_and_returns_add_up(
    opened: Office, content: Parts, is_accepted: bool, subtype: int
) -> None:
    changes = {"ORDERRETNUM": "3599999999"} if subtype == 1 else {}

    reason = sent(opened, content, subtype=subtype, **changes)

    assert (reason is None) is is_accepted, reason


@pytest.mark.parametrize(
    ("amount", "price", "cost", "is_accepted"),
    [
        ("1.250", "3.99", "4.99", True),
        ("1.250", "3.99", "5.00", False),
        ("0.333", "1.50", "0.50", True),
        # 0.5 × 0.01 is exactly half a kopeck: both neighbours are taken.
        ("0.500", "0.01", "0.00", True),
        ("0.500", "0.01", "0.01", True),
        ("2", "1.50", "3.00", True),
    ],
)
def test_cost_is_amount_times_price(
    opened: Office, amount: str, price: str, cost: str, is_accepted: bool
) -> None:
    kopecks = int(cost.replace(".", ""))
    row = {"NAME": "Мед", "AMOUNT": amount, "PRICE": price, "COST": cost}
    content = parts({"SUM": cost}, pay=[CASH(kopecks)], lines=[row])

    assert (sent(opened, content, subtype=0) is None) is is_accepted


class TestOtherKinds:
    def test_service_document_needs_a_sum(self, opened: Office) -> None:
        assert sent(opened, {"CHECKTOTAL": {}}, subtype=2) is not None
        assert sent(opened, {"CHECKTOTAL": {"SUM": "-1.00"}}, subtype=4) is not None
        assert sent(opened, {"CHECKTOTAL": {"SUM": "1.00"}}, subtype=4) is None

    @pytest.mark.parametrize(
        ("total", "is_accepted"),
        [
            ({"SUM": "10.10", "NOTAXSUM": "10.00", "COMMISSION": "0.10"}, True),
            ({"SUM": "10.10", "NOTAXSUM": "10.10", "COMMISSION": "0.10"}, False),
            ({"SUM": "10.11", "NOTAXSUM": "10.01", "COMMISSION": "0.10"}, False),
        ],
    )
    def test_transfer(self, opened: Office, total: Parts, is_accepted: bool) -> None:
        lines = [{"NAME": "Переказ", "COST": "10.00"}, {"NAME": "Комісія", "COST": "0.10"}]
        kopecks = int(total["SUM"].replace(".", ""))
        content = parts(total, pay=[CASH(kopecks)], lines=lines)

        assert (sent(opened, content, document_type=1, subtype=0) is None) is is_accepted

    @pytest.mark.parametrize(
        ("total", "is_accepted"),
        [
            ({"SUM": "500.00", "NOTAXSUM": "500.00", "COMMISSION": "5.00"}, True),
            ({"SUM": "500.00"}, True),
            ({"SUM": "500.00", "NOTAXSUM": "495.00"}, False),
            ({"SUM": "505.00"}, False),
        ],
    )
    def test_cash_withdrawal(self, opened: Office, total: Parts, is_accepted: bool) -> None:
        kopecks = int(total["SUM"].replace(".", ""))
        lines = [{"NAME": "Видача готівки", "COST": "500.00"}]
        content = parts(total, pay=[CASH(kopecks)], lines=lines)

        assert (sent(opened, content, document_type=3, subtype=0) is None) is is_accepted

    @pytest.mark.parametrize(
        ("total", "is_accepted"),
        [
            ({"SUM": "-89.99", "PWNSUMISSUED": "99.99", "PWNSUMRECEIVED": "10.00"}, True),
            ({"SUM": "89.99", "PWNSUMISSUED": "99.99", "PWNSUMRECEIVED": "10.00"}, False),
            ({"SUM": "-89.99", "PWNSUMISSUED": "99.98", "PWNSUMRECEIVED": "10.00"}, False),
        ],
    )
    def test_pawnshop(self, opened: Office, total: Parts, is_accepted: bool) -> None:
        lines = [
            {"NAME": "Кредит", "COST": "99.99", "PWNDIR": "false"},
            {"NAME": "Відсотки", "COST": "10.00", "PWNDIR": "true"},
        ]
        kopecks = int(total["SUM"].replace(".", ""))
        content = parts(total, pay=[CASH(kopecks)], lines=lines)

        assert (sent(opened, content, document_type=4, subtype=0) is None) is is_accepted

    def test_duty_free_receipt_needs_no_payment_rows(self, opened: Office) -> None:
        abroad = {
            "PASSPORTDOC": "AA 000000",
            "PASSPORTCOUNTRY": "UTOPIA",
            "VALCD": 978,
            "VALSYMCD": "EUR",
            "SUM": "10.00",
        }
        content = {
            "CHECKTOTAL": {"SUM": "500.00"},
            "CHECKDUTYFREE": [abroad],
            "CHECKBODY": [make.line(50_000)],
        }

        assert sent(opened, content, subtype=0) is None

    def test_currency_trade_is_taken_without_totals(self, opened: Office) -> None:
        row = {"VALCD": 978, "VALSYMCD": "EUR", "VALOPERTYPE": 2, "VALFOREIGNSUM": "10.00"}

        assert sent(opened, {"CHECKBODY": [row]}, document_type=2, subtype=0) is None


def test_arithmetic_may_be_switched_off(office_with: Callable[..., Office]) -> None:
    office = office_with(arithmetic=False)

    content = parts({"SUM": "50.01"}, pay=[CASH(5000)], lines=[make.line(4900)])

    assert sent(office, content, subtype=0) is None


class TestRoundingSteps:
    CONTENT = parts(
        {"SUM": "25.20", "RNDSUM": "0.02", "NORNDSUM": "25.22"},
        pay=[CASH(2520)],
        lines=[make.line(2522)],
    )

    @pytest.mark.parametrize(
        ("steps", "is_accepted"), [((), True), ((10,), True), ((50,), False), ((50, 10), True)]
    )
    def test_cash_is_a_whole_number_of_steps(
        self, office_with: Callable[..., Office], steps: tuple[int, ...], is_accepted: bool
    ) -> None:
        office = office_with(rounding_steps_kopecks=steps)

        assert (sent(office, self.CONTENT, subtype=0) is None) is is_accepted


class TestTaxes:
    EXCISE: ClassVar[Parts] = {
        "TYPE": 1,
        "NAME": "Акциз",
        "LETTER": "Г",
        "PRC": "5.00",
        "TURNOVER": "105.00",
        "SOURCESUM": "105.00",
        "SUM": "5.00",
    }

    def content(self, *taxes: Parts) -> Parts:
        return parts(
            {"SUM": "105.00"},
            pay=[CASH(10_500)],
            lines=[make.line(10_500, letters="АГ")],
            taxes=list(taxes),
        )

    def verdicts(self, *taxes: Parts) -> list[bool]:
        """Accepted or not under each setting of the switch."""
        verdicts = []
        for check in ("off", "turnover", "formula"):
            office = Office(switches=Switches.model_validate({"tax_check": check}))
            office.open()
            verdicts.append(sent(office, self.content(*taxes), subtype=0) is None)
        return verdicts

    def test_true_taxes_pass_every_check(self) -> None:
        value_added = make.vat(10_500, SOURCESUM="100.00", SUM="16.67")

        assert self.verdicts(value_added, self.EXCISE) == [True, True, True]

    def test_tax_off_by_two_kopecks_fails_the_formula_only(self) -> None:
        value_added = make.vat(10_500, SOURCESUM="100.00", SUM="16.69")

        assert self.verdicts(value_added, self.EXCISE) == [True, True, False]

    def test_turnover_of_other_lines_fails(self) -> None:
        value_added = make.vat(10_499, SOURCESUM="100.00", SUM="16.67")

        assert self.verdicts(value_added, self.EXCISE) == [True, False, False]

    def test_discounted_turnover_is_compared_when_there(self) -> None:
        value_added = make.vat(10_500, TURNOVERDISCOUNT="104.99", SOURCESUM="100.00", SUM="16.67")

        assert self.verdicts(value_added, self.EXCISE) == [True, False, False]

    def test_letter_without_a_tax_row_fails(self) -> None:
        assert self.verdicts(self.EXCISE) == [True, False, False]

    def test_row_without_source_or_letter_is_not_computed(self) -> None:
        value_added = make.vat(10_500, SOURCESUM=None, SUM="20.00")
        levy = {**self.EXCISE, "LETTER": None, "TURNOVER": "7.00", "SOURCESUM": None}

        assert self.verdicts(value_added, self.EXCISE, levy) == [True, True, True]
