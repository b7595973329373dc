from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.documents.receipt import CardSlip, Receipt
from domain.errors import (
    EmptyReceipt,
    FiscalError,
    InvalidField,
    PaymentsDiffer,
    TotalsDiffer,
    UnknownTaxLetter,
)
from domain.money import ZERO, Money, Quantity
from domain.payments import PaymentRequest
from domain.sale import (
    MOST_LINES,
    MOST_STAMPS,
    CardPayment,
    CashPayment,
    LineRequest,
    SaleRequest,
    price_sale,
)
from domain.taxes.rates import STANDARD_GROUPS


def line(price: int = 2748, quantity: int = 1000, letters: str = "А", **more: Any) -> LineRequest:
    return LineRequest(
        name=more.pop("name", "Хліб"),
        quantity=Quantity(quantity),
        price=Money(price),
        letters=letters,
        **more,
    )


def priced(
    *lines: LineRequest,
    payments: tuple[PaymentRequest, ...] = (CashPayment(),),
    step: int = 50,
    **more: Any,
) -> Receipt:
    return price_sale(
        SaleRequest(lines=lines, payments=payments, **more),
        receipt_id=UUID(int=1),
        tax_groups=STANDARD_GROUPS,
        cash_step=Money(step),
        issued_at=datetime(2026, 11, 5, 8, tzinfo=UTC),
        cashier_id=UUID(int=2),
        cashier_name="Приклад О. П.",
    )


class TestDone:
    def test_cash_is_rounded_and_the_difference_is_named(self) -> None:
        receipt = priced(line(1257), payments=(CashPayment(provided=Money(2000)),))
        assert (receipt.unrounded, receipt.rounding, receipt.total) == (
            Money(1257),
            Money(7),
            Money(1250),
        )
        assert receipt.payments[0].change == Money(750)

    def test_rounding_up_is_negative(self) -> None:
        assert priced(line(1280)).rounding == Money(-20)

    def test_card_is_never_rounded(self) -> None:
        receipt = priced(line(1257), payments=(CardPayment(amount=Money(1257)),))
        assert (receipt.total, receipt.rounding) == (Money(1257), ZERO)

    def test_mixed_payment_rounds_the_cash_part_only(self) -> None:
        receipt = priced(line(46_268), payments=(CardPayment(amount=Money(30_000)), CashPayment()))
        assert [payment.amount for payment in receipt.payments] == [Money(16_250), Money(30_000)]
        assert receipt.rounding == Money(18)

    def test_exact_cash_gives_no_change(self) -> None:
        payment = priced(line(1250), payments=(CashPayment(provided=Money(1250)),)).payments[0]
        assert (payment.provided, payment.change) == (None, None)

    def test_excise_is_taken_before_vat(self) -> None:
        receipt = priced(
            line(35_000, letters="АГ"), line(2748), line(8520, letters="Б"),
            payments=(CardPayment(amount=Money(46_268)),),
        )  # fmt: skip
        assert [(row.letter, row.base, row.tax) for row in receipt.taxes] == [
            ("А", Money(36_081), Money(6014)),
            ("Б", Money(8520), Money(557)),
            ("Г", Money(35_000), Money(1667)),
        ]

    def test_weighed_goods_cost_price_times_quantity_halves_up(self) -> None:
        assert priced(line(333, quantity=1500)).lines[0].cost == Money(500)

    def test_stamps_are_kept_in_their_order(self) -> None:
        (found,) = priced(line(excise_stamps=("AATE508932 0000412168", "ABCD1"))).lines
        assert found.excise_stamps == ("AATE508932 0000412168", "ABCD1")

    def test_line_without_stamps_has_none(self) -> None:
        assert priced(line()).lines[0].excise_stamps is None

    @pytest.mark.parametrize(
        "code",
        [
            "11.22",
            "11.22.3",
            "11.22.33",
            "11.22.33-4",
            "11.22.33-44",
            "11.22.33-44.5",
            "11.22.33-44.55",
        ],
    )
    def test_service_code_has_the_shapes_of_the_schemas_remark(self, code: str) -> None:
        assert priced(line(dkpp=code)).lines[0].dkpp == code

    def test_slip_is_kept_as_given(self) -> None:
        slip = CardSlip(payment_system="ПРОСТІР", masked_card="9804********1234")
        receipt = priced(line(100), payments=(CardPayment(amount=Money(100), slip=slip),))
        assert receipt.payments[0].slip == slip


class TestRefused:
    @pytest.mark.parametrize(
        ("request_", "error", "field"),
        [
            ({"lines": ()}, EmptyReceipt, None),
            ({"lines": (line(quantity=0),)}, InvalidField, "lines.0.quantity_thousandths"),
            ({"lines": (line(quantity=-1),)}, InvalidField, "lines.0.quantity_thousandths"),
            ({"lines": (line(price=-1),)}, InvalidField, "lines.0.price_kopecks"),
            ({"lines": (line(price=0),)}, InvalidField, "lines"),
            ({"lines": (line(letters="Я"),)}, UnknownTaxLetter, "lines.0.letters"),
            ({"lines": (line(letters="AБ"),)}, UnknownTaxLetter, "lines.0.letters"),
            ({"lines": (line(letters="АА"),)}, UnknownTaxLetter, "lines.0.letters"),
            ({"lines": (line(letters="АБ"),)}, UnknownTaxLetter, "lines.0.letters"),
            ({"lines": (line(name="  "),)}, InvalidField, "lines.0.name"),
            ({"lines": (line(name="кава 😀"),)}, InvalidField, "lines.0.name"),
            ({"lines": (line(uktzed="12345"),)}, InvalidField, "lines.0.uktzed"),
            ({"lines": (line(cost=Money(1)),)}, TotalsDiffer, "lines.0.cost_kopecks"),
            ({"total": Money(1)}, TotalsDiffer, "total_kopecks"),
            ({"payments": ()}, PaymentsDiffer, "payments"),
            ({"payments": (CardPayment(amount=Money(1)),)}, PaymentsDiffer, "payments"),
            ({"payments": (CardPayment(amount=Money(9999)),)}, PaymentsDiffer, "payments"),
            (
                {"payments": (CashPayment(), CardPayment(amount=ZERO))},
                InvalidField,
                "payments.1.amount_kopecks",
            ),
            ({"lines": (line(dkpp="25.6"),)}, InvalidField, "lines.0.dkpp"),
            ({"lines": (line(dkpp="25.61", uktzed="2204"),)}, InvalidField, "lines.0.dkpp"),
            ({"lines": (line(excise_stamps=("",)),)}, InvalidField, "lines.0.excise_stamps.0"),
            (
                {"lines": (line(excise_stamps=("A" * 65,)),)},
                InvalidField,
                "lines.0.excise_stamps.0",
            ),
            (
                {"lines": (line(excise_stamps=("A1", "A2")), line(excise_stamps=("A2",)))},
                InvalidField,
                "lines.1.excise_stamps.0",
            ),
            (
                {"lines": (line(excise_stamps=("A",) * (MOST_STAMPS + 1)),)},
                InvalidField,
                "lines.0.excise_stamps",
            ),
            ({"payments": (CashPayment(provided=Money(1)),)}, PaymentsDiffer, "payments"),
            ({"payments": (CashPayment(), CashPayment())}, InvalidField, "payments"),
            (
                {"payments": (CardPayment(amount=Money(2748)), CashPayment())},
                InvalidField,
                "payments",
            ),
            ({"lines": (line(),) * (MOST_LINES + 1)}, InvalidField, "lines"),
        ],
    )
    def test_bad_request_names_its_field(
        self, request_: dict[str, Any], error: type[FiscalError], field: str | None
    ) -> None:
        values = {"lines": (line(),), **request_}
        with pytest.raises(error) as refused:
            priced(*values.pop("lines"), **values)
        assert refused.value.facts().get("field") == field


lines_strategy = st.lists(
    st.builds(
        line,
        price=st.integers(1, 500_000),
        quantity=st.integers(1, 20_000),
        letters=st.sampled_from(["", "А", "Б", "В", "АГ", "БГ", "Г", "Д"]),
    ),
    min_size=1,
    max_size=8,
)


@given(lines_strategy, st.sampled_from([1, 10, 50]), st.integers(0, 100))
def test_any_basket_adds_up(lines: list[LineRequest], step: int, card_share: int) -> None:
    due = sum(one.price.times(one.quantity).kopecks for one in lines)
    if due == 0:
        return
    card = due * card_share // 100
    payments: tuple[CashPayment | CardPayment, ...] = ()
    if card:
        payments += (CardPayment(amount=Money(card)),)
    if card < due:
        payments += (CashPayment(),)
    receipt = priced(*lines, payments=payments, step=step)
    assert Money.total(one.cost for one in receipt.lines) == receipt.unrounded
    assert Money.total(one.amount for one in receipt.payments) == receipt.total
    assert receipt.unrounded - receipt.rounding == receipt.total
    assert 2 * abs(receipt.rounding.kopecks) <= step
    for row in receipt.taxes:
        with_letter = [one.cost for one in receipt.lines if row.letter in one.letters]
        assert row.turnover == Money.total(with_letter)
        assert ZERO <= row.tax <= row.base <= row.turnover
