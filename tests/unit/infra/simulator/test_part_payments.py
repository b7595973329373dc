"""Chains of part payments as the simulator judges them."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import Office


def parts(kind: int, paid: int, *, full: int = 10_000, of: str | None = None) -> dict[str, Any]:
    return {
        "CHECKTOTAL": {
            "SUM": make.money(full),
            "PARTPAYTYPE": kind,
            "PARTPAYSUM": make.money(paid),
            "PARTPAYORDPREPAYNUM": of,
        },
        "CHECKPAY": [make.payment(paid)],
        "CHECKBODY": [make.line(full, PARTPAYSUM=make.money(paid))],
    }


def document(office: Office, kind: int, paid: int, **more: Any) -> bytes:
    head = {name: more.pop(name) for name in list(more) if name.isupper()}
    subtype = more.pop("subtype", 0)
    content = parts(kind, paid, **more)
    return make.check(office.number, office.local, content, subtype=subtype, **head)


@pytest.fixture
def prepaid(opened: Office) -> str:
    """A prepayment of 30.00 on goods for 100.00."""
    return opened.accept(document(opened, 1, 3_000))["ORDERTAXNUM"]


def test_parts_up_to_the_price_are_taken(opened: Office, prepaid: str) -> None:
    opened.accept(document(opened, 3, 2_000, of=prepaid))
    opened.accept(document(opened, 2, 5_000, of=prepaid))

    assert "5000 більше 0" in opened.refused(document(opened, 2, 5_000, of=prepaid))


def test_a_kopeck_too_much_is_refused(opened: Office, prepaid: str) -> None:
    assert "7001 більше 7000" in opened.refused(document(opened, 3, 7_001, of=prepaid))


def test_what_came_back_may_be_paid_again(opened: Office, prepaid: str) -> None:
    paid = opened.accept(document(opened, 3, 7_000, of=prepaid))["ORDERTAXNUM"]
    opened.accept(document(opened, 3, 7_000, of=prepaid, subtype=1, ORDERRETNUM=paid))

    opened.accept(document(opened, 2, 7_000, of=prepaid))


def test_what_was_taken_back_by_a_storno_may_be_paid_again(opened: Office, prepaid: str) -> None:
    paid = opened.accept(document(opened, 3, 7_000, of=prepaid))["ORDERTAXNUM"]
    opened.accept(make.storno(opened.number, opened.local, target=paid))

    opened.accept(document(opened, 2, 7_000, of=prepaid))


def test_nothing_is_paid_on_a_prepayment_that_came_back(opened: Office, prepaid: str) -> None:
    opened.accept(document(opened, 1, 3_000, subtype=1, ORDERRETNUM=prepaid))

    assert "повернуто" in opened.refused(document(opened, 2, 7_000, of=prepaid))


def test_nothing_is_paid_on_a_prepayment_that_a_storno_took_back(
    opened: Office, prepaid: str
) -> None:
    opened.accept(make.storno(opened.number, opened.local, target=prepaid))

    assert "неможлива" in opened.refused(document(opened, 2, 7_000, of=prepaid))


def test_a_later_payment_names_a_prepayment_that_is_there(opened: Office, prepaid: str) -> None:
    later = opened.accept(document(opened, 3, 1_000, of=prepaid))["ORDERTAXNUM"]
    sale = opened.sell()["ORDERTAXNUM"]

    assert "PARTPAYORDPREPAYNUM" in opened.refused(document(opened, 2, 1_000))
    for number in ("3599999999", later, sale):
        refusal = opened.refused(document(opened, 2, 1_000, of=number))
        assert f"Передплата № {number} відсутня" in refusal


def test_a_return_of_a_prepayment_is_no_prepayment(opened: Office, prepaid: str) -> None:
    back = opened.accept(document(opened, 1, 3_000, subtype=1, ORDERRETNUM=prepaid))

    refusal = opened.refused(document(opened, 2, 1_000, of=back["ORDERTAXNUM"]))

    assert "неможлива" in refusal


def test_the_price_is_that_of_the_prepayment(opened: Office, prepaid: str) -> None:
    refusal = opened.refused(document(opened, 2, 1_000, full=10_001, of=prepaid))

    assert "Повна вартість" in refusal


def test_tests_and_fiscal_receipts_do_not_mix(opened: Office, prepaid: str) -> None:
    opened.accept(make.z_report(opened.number, opened.local, z_of(3_000)))
    opened.accept(make.close_shift(opened.number, opened.local))
    opened.open(TESTING="true")

    refusal = opened.refused(document(opened, 2, 7_000, of=prepaid, TESTING="true"))

    assert "не змішується" in refusal


def test_chains_may_go_unchecked(office_with: Callable[..., Office]) -> None:
    office = office_with(part_payment_chain=False)

    office.accept(document(office, 2, 10_000, of="3599999999"))


def z_of(kopecks: int) -> dict[str, Any]:
    """The parts of a Z-report over one untaxed receipt."""
    realised = {key: value for key, value in make.orders(kopecks, 1).items() if key != "TAXES"}
    return {
        "ZREPREALIZ": realised,
        "ZREPBODY": {"SERVICEINPUT": "0.00", "SERVICEOUTPUT": "0.00"},
    }
