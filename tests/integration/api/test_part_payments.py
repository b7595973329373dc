"""Prepayment, further payment, settlement and their returns over HTTP: here and elsewhere, repeated, refused, at once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.integration.api.test_returns import (
    CASH,
    give_back,
    read,
    registered_sale,
    run,
    second_register,
    storno,
)
from tests.support.api_server import Outlet, sale

CARD = {"form": "card", "amount_kopecks": 1000}


def prepay(shop: Outlet, *, key: str | None = None, **changes: Any) -> httpx.Response:
    """A prepayment of 10.00 on a loaf for 27.48."""
    body = {**sale(payments=[CARD]), "amount_kopecks": 1000, **changes}
    return shop.api.post(f"{shop.path}/prepayments", body, key=key)


def pay(
    shop: Outlet, prepaid: dict[str, Any], *, key: str | None = None, **changes: Any
) -> httpx.Response:
    body = {"original": {"receipt_id": prepaid["receipt_id"]}, "payments": CASH, **changes}
    return shop.api.post(f"{shop.path}/settlements", body, key=key)


def owed(shop: Outlet, prepaid: dict[str, Any]) -> dict[str, Any]:
    return read(shop.api, f"{shop.path}/receipts/{prepaid['receipt_id']}/owed")


@pytest.fixture
def prepaid(shop: Outlet) -> dict[str, Any]:
    """A prepayment that the tax service has."""
    return run(shop, prepay(shop))


class TestChain:
    def test_a_prepayment_takes_a_part_and_its_receipt_says_so(
        self, shop: Outlet, prepaid: dict[str, Any]
    ) -> None:
        assert (prepaid["kind"], prepaid["unrounded_kopecks"]) == ("sale", 1000)
        assert prepaid["part_payment"] == {
            "kind": "prepayment",
            "full_kopecks": 2748,
            "prepayment_fiscal_number": None,
            "prepayment_receipt_id": None,
            "prepayment_register_id": None,
        }
        (line,) = prepaid["lines"]
        assert (line["discounted_cost_kopecks"], line["paid_kopecks"]) == (2748, 1000)
        assert prepaid["qr"].endswith("&sm=27.48")
        assert (owed(shop, prepaid)["owed_kopecks"], owed(shop, prepaid)["settled"]) == (
            1748,
            False,
        )

    def test_every_receipt_of_a_chain_shows_the_whole_chain(
        self, shop: Outlet, prepaid: dict[str, Any]
    ) -> None:
        further = run(shop, pay(shop, prepaid, amount_kopecks=748))
        final = run(shop, pay(shop, prepaid))
        back = run(shop, give_back(shop, final))

        assert final["part_payment"]["prepayment_fiscal_number"] == prepaid["fiscal_number"]
        receipts = (prepaid, further, final, back)
        ids = [receipt["receipt_id"] for receipt in receipts]
        for receipt in receipts:
            chain = read(shop.api, receipt["links"]["self"])["chain"]
            assert [
                (row["receipt_id"], row["kind"], row["part_payment"], row["original_receipt_id"])
                for row in chain
            ] == [
                (ids[0], "sale", "prepayment", None),
                (ids[1], "sale", "further", ids[0]),
                (ids[2], "sale", "final", ids[0]),
                (ids[3], "return", "final", ids[2]),
            ]
        (found,) = [
            row
            for row in shop.api.get("/v1/receipts", register_id=shop.register_id).json()["items"]
            if row["receipt_id"] == ids[0]
        ]
        assert found["total_kopecks"] == 1000

    def test_on_another_register_the_prepayment_is_found_by_its_numbers(
        self, shop: Outlet, prepaid: dict[str, Any]
    ) -> None:
        other = second_register(shop)
        register = read(shop.api, shop.path)["fiscal_number"]
        named = {
            "fiscal_number": prepaid["fiscal_number"],
            "register_fiscal_number": register,
        }

        final = run(other, pay(other, prepaid, original=named))

        assert final["register_id"] == str(other.register_id)
        assert (final["unrounded_kopecks"], final["total_kopecks"]) == (1748, 1750)
        assert final["part_payment"]["prepayment_register_id"] == str(shop.register_id)
        assert owed(shop, prepaid) | {"lines": None} == {
            "receipt_id": prepaid["receipt_id"],
            "register_id": str(shop.register_id),
            "full_kopecks": 2748,
            "owed_kopecks": 0,
            "settled": True,
            "lines": None,
        }

    def test_goods_paid_in_advance_are_settled_with_nothing(self, shop: Outlet) -> None:
        whole = run(
            shop,
            prepay(shop, amount_kopecks=2748, payments=[{"form": "card", "amount_kopecks": 2748}]),
        )
        final = run(shop, pay(shop, whole, payments=[]))
        assert (final["payments"], final["total_kopecks"]) == ([], 0)

    def test_the_same_key_takes_once(self, shop: Outlet, prepaid: dict[str, Any]) -> None:
        first = pay(shop, prepaid, key="pay-1", amount_kopecks=700)
        again = pay(shop, prepaid, key="pay-1", amount_kopecks=700)
        other = pay(shop, prepaid, key="pay-1", amount_kopecks=701)

        assert again.json()["receipt_id"] == first.json()["receipt_id"]
        assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")
        assert (
            prepay(shop, key="prepay-1").json()["receipt_id"]
            == (prepay(shop, key="prepay-1").json()["receipt_id"])
        )
        assert owed(shop, prepaid)["owed_kopecks"] == 1048

    def test_x_report_counts_what_was_paid(self, shop: Outlet, prepaid: dict[str, Any]) -> None:
        run(shop, pay(shop, prepaid))
        report = read(shop.api, f"{shop.path}/x-report")["registered"]["sales"]
        assert (report["count"], report["total_kopecks"]) == (2, 2750)

    def test_payments_at_once_never_exceed_the_price(
        self, shop: Outlet, prepaid: dict[str, Any]
    ) -> None:
        other = second_register(shop)

        def one(number: int) -> httpx.Response:
            return pay((shop, other)[number % 2], prepaid, amount_kopecks=200)

        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(one, range(16)))

        codes = [answer.json().get("code") for answer in answers]
        assert codes.count(None) == 8
        assert set(codes) == {None, "payment-exceeds-owed"}
        assert owed(shop, prepaid)["owed_kopecks"] == 148


class TestGivingBack:
    def test_parts_come_back_whole_and_the_prepayment_last(
        self, shop: Outlet, prepaid: dict[str, Any]
    ) -> None:
        later = run(shop, pay(shop, prepaid, amount_kopecks=700))
        returnable = f"{shop.path}/receipts/{prepaid['receipt_id']}/returnable"
        assert read(shop.api, returnable)["left_kopecks"] == 0
        before = shop.api.log_length()
        problem = give_back(shop, prepaid).json()
        assert (problem["code"], problem["field"]) == ("later-payments-stand", "original")
        assert "later payments" in problem["next_step"]
        part = give_back(shop, later, lines=[{"line": 1, "quantity_thousandths": 1000}]).json()
        assert (part["code"], part["field"]) == ("invalid-field", "lines")
        assert shop.api.log_length() == before

        back = run(shop, give_back(shop, later))

        assert back["part_payment"]["kind"] == "further"
        assert (back["unrounded_kopecks"], back["qr"][-9:]) == (700, "&sm=27.48")

    def test_the_storno_of_a_payment(self, shop: Outlet, prepaid: dict[str, Any]) -> None:
        later = run(shop, pay(shop, prepaid, amount_kopecks=700))
        assert run(shop, storno(shop, later))["original"]["receipt_id"] == later["receipt_id"]


class TestRefused:
    """Wrong input is a problem with code and field, and leaves the log as it is."""

    @pytest.mark.parametrize(
        ("changes", "status", "code", "field"),
        [
            ({"amount_kopecks": 0}, 422, "invalid-field", "amount_kopecks"),
            ({"amount_kopecks": 2749}, 409, "payment-exceeds-owed", "amount_kopecks"),
            ({"amount_kopecks": 1001}, 422, "payments-differ", "payments"),
            ({"total_kopecks": 1000}, 422, "totals-differ", "total_kopecks"),
            ({"lines": []}, 422, "invalid-field", "lines"),
        ],
    )
    def test_wrong_prepayment(
        self, shop: Outlet, changes: dict[str, Any], status: int, code: str, field: str
    ) -> None:
        before = shop.api.log_length()
        answer = prepay(shop, **changes)
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["field"]) == (status, code, field)
        assert problem["next_step"]
        assert shop.api.log_length() == before

    @pytest.mark.parametrize(
        ("changes", "status", "code", "field"),
        [
            ({"amount_kopecks": 0}, 422, "invalid-field", "amount_kopecks"),
            ({"amount_kopecks": 1749}, 409, "payment-exceeds-owed", "amount_kopecks"),
            ({"payments": [CARD]}, 422, "payments-differ", "payments"),
            ({"payments": []}, 422, "payments-differ", "payments"),
            ({"original": {}}, 422, "invalid-field", "original"),
            ({"original": {"receipt_id": str(UUID(int=404))}}, 404, "not-found", None),
            ({"amount": 1}, 422, "unknown-field", "amount"),
        ],
    )
    def test_wrong_payment(
        self,
        shop: Outlet,
        prepaid: dict[str, Any],
        changes: dict[str, Any],
        status: int,
        code: str,
        field: str | None,
    ) -> None:
        before = shop.api.log_length()
        answer = pay(shop, prepaid, **changes)
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["field"]) == (status, code, field)
        assert problem["next_step"]
        assert shop.api.log_length() == before

    def test_what_is_no_prepayment(self, shop: Outlet) -> None:
        sold = registered_sale(shop)
        for problem in (
            pay(shop, sold).json(),
            shop.api.get(f"{shop.path}/receipts/{sold['receipt_id']}/owed").json(),
        ):
            assert problem["code"] == "receipt-not-payable"

    def test_a_voided_prepayment(self, shop: Outlet) -> None:
        refused = prepay(shop).json()
        shop.api.player.refuse_next = 1
        shop.api.player.run(shop.register_id)
        pending = pay(shop, refused).json()
        assert pending["code"] == "receipt-not-registered"
        correction = shop.api.post(f"{refused['links']['self']}/correction", sale())
        assert correction.json()["code"] == "receipt-kind-differs"
        voided = shop.api.post(f"{refused['links']['self']}/void", {"reason": "Помилка"})
        assert voided.status_code == 200, voided.text
        problem = pay(shop, refused).json()
        assert (problem["code"], problem["facts"]["reason"]) == (
            "receipt-not-payable",
            "it was voided",
        )
