"""Returns and storno over HTTP: whole and in parts, here and elsewhere, repeated, refused, at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from infra.tokens import Role
from tests.support.api_server import Api, Outlet, new_outlet, sale

CASH = [{"form": "cash"}]


def registered_sale(shop: Outlet, body: Any = None) -> dict[str, Any]:
    """A sale that the tax service has."""
    return run(shop, shop.sell(body))


def run(shop: Outlet, answer: httpx.Response) -> dict[str, Any]:
    """The receipt of an answer, after the lane has run."""
    assert answer.status_code == 202, answer.text
    shop.api.player.run(shop.register_id)
    return eventually(shop.api, answer.json()["links"]["self"], "registered")


def eventually(api: Api, path: str, state: str) -> dict[str, Any]:
    """A receipt once this process has heard what became of it in another."""
    deadline = time.monotonic() + 10
    while (receipt := read(api, path))["state"] != state:
        assert time.monotonic() < deadline, receipt
        time.sleep(0.02)
    return receipt


def read(api: Api, path: str) -> dict[str, Any]:
    found = api.get(path)
    assert found.status_code == 200, found.text
    receipt: dict[str, Any] = found.json()
    return receipt


def give_back(shop: Outlet, sold: dict[str, Any], *, key: str | None = None, **changes: Any) -> Any:
    body = {"original": {"receipt_id": sold["receipt_id"]}, "payments": CASH, **changes}
    return shop.api.post(f"{shop.path}/returns", body, key=key)


def storno(shop: Outlet, receipt: dict[str, Any], *, key: str | None = None) -> httpx.Response:
    return shop.api.post(f"{shop.path}/receipts/{receipt['receipt_id']}/storno", {}, key=key)


def part(thousandths: int) -> dict[str, Any]:
    return {"lines": [{"line": 1, "quantity_thousandths": thousandths}]}


def left(shop: Outlet, sold: dict[str, Any]) -> int:
    """What may still come back of the first line."""
    found = read(shop.api, f"{shop.path}/receipts/{sold['receipt_id']}/returnable")
    thousandths: int = found["lines"][0]["left_thousandths"]
    return thousandths


def second_register(shop: Outlet) -> Outlet:
    """Another register of the same company, in another outlet, with an open shift."""
    api = shop.api
    unit = api.post(
        "/v1/business-units",
        {"company_id": str(shop.company_id), "name": "Магазин 2", "address": "Київ"},
    ).json()
    number = uuid4().int % 10**9
    register = api.post(
        "/v1/registers",
        {
            "business_unit_id": unit["business_unit_id"],
            "fiscal_number": f"4{number:09d}",
            "local_number": 1,
            "name": "Каса 2",
            "live": False,
        },
    ).json()
    other = Outlet(
        api=api,
        company_id=shop.company_id,
        unit_id=UUID(unit["business_unit_id"]),
        cashier_id=shop.cashier_id,
        register_id=UUID(register["register_id"]),
    )
    other.open()
    return other


class TestGiveBack:
    def test_a_part_comes_back_and_the_rest_is_left(self, shop: Outlet) -> None:
        sold = registered_sale(shop)
        answer = give_back(shop, sold, **part(400), comment="Не підійшло")
        back = run(shop, answer)

        assert answer.json()["state"] == "submitted"
        assert back["kind"] == "return"
        assert back["state"] == "registered"
        assert back["unrounded_kopecks"] == 1099
        assert back["total_kopecks"] == 1100
        assert back["original"]["receipt_id"] == sold["receipt_id"]
        assert back["original"]["fiscal_number"] == sold["fiscal_number"]
        assert back["lines"][0]["quantity_thousandths"] == 400
        assert back["qr"].endswith("&sm=11.00")
        assert left(shop, sold) == 600

    def test_every_receipt_of_a_chain_shows_the_whole_chain(self, shop: Outlet) -> None:
        sold = registered_sale(shop)
        first = run(shop, give_back(shop, sold, **part(400)))
        last = run(shop, give_back(shop, sold))
        taken_back = run(shop, storno(shop, last))

        receipts = (sold, first, last, taken_back)
        ids = [receipt["receipt_id"] for receipt in receipts]
        expected = list(
            zip(
                ids,
                ["sale", "return", "return", "storno"],
                [None, ids[0], ids[0], ids[2]],
                strict=True,
            )
        )
        for receipt in receipts:
            chain = read(shop.api, receipt["links"]["self"])["chain"]
            assert [
                (row["receipt_id"], row["kind"], row["original_receipt_id"]) for row in chain
            ] == expected

    def test_on_another_register_the_sale_is_found_by_its_numbers(self, shop: Outlet) -> None:
        sold = registered_sale(shop)
        other = second_register(shop)
        register = read(shop.api, shop.path)["fiscal_number"]
        named = {"fiscal_number": sold["fiscal_number"], "register_fiscal_number": register}

        back = run(other, give_back(other, sold, original=named))

        assert back["original"]["register_fiscal_number"] == register
        assert back["original"]["register_id"] == str(shop.register_id)
        assert back["register_id"] == str(other.register_id)
        assert left(shop, sold) == 0
        deadline = time.monotonic() + 10
        while (document := shop.api.get(back["links"]["document"])).status_code == 404:
            assert time.monotonic() < deadline, document.text
        assert f"<ORDERRETCASHREGNUM>{register}<".encode() in document.content

    def test_the_same_key_gives_back_once(self, shop: Outlet) -> None:
        sold = registered_sale(shop)
        first = give_back(shop, sold, key="return-1", **part(400))
        again = give_back(shop, sold, key="return-1", **part(400))
        other = give_back(shop, sold, key="return-1", **part(500))

        assert again.json()["receipt_id"] == first.json()["receipt_id"]
        assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")
        assert left(shop, sold) == 600

    def test_x_report_and_balance_count_returns_and_stornos(self, shop: Outlet) -> None:
        sold = registered_sale(shop)
        run(shop, give_back(shop, sold, **part(400)))
        run(shop, storno(shop, registered_sale(shop)))

        report = read(shop.api, f"{shop.path}/x-report")
        assert report["registered"]["returns"]["total_kopecks"] == 1100
        assert report["registered"]["sales"]["count"] == 1
        (balance,) = shop.api.get("/v1/balances", register_id=shop.register_id).json()["items"]
        assert balance["cash_in_drawer_kopecks"] == 2750 - 1100

    def test_a_refused_return_that_is_voided_may_come_back_again(self, shop: Outlet) -> None:
        sold = registered_sale(shop)
        back = give_back(shop, sold).json()
        shop.api.player.refuse_next = 1
        shop.api.player.run(shop.register_id)
        eventually(shop.api, back["links"]["self"], "refused")
        assert left(shop, sold) == 0
        correction = shop.api.post(f"{back['links']['self']}/correction", sale())
        assert correction.json()["code"] == "receipt-kind-differs"

        voided = shop.api.post(f"{back['links']['self']}/void", {"reason": "Покупець пішов"})

        assert voided.status_code == 200, voided.text
        assert left(shop, sold) == 1000

    def test_returns_at_once_never_exceed_the_sale(self, shop: Outlet) -> None:
        sold = registered_sale(shop)
        other = second_register(shop)

        def one(number: int) -> httpx.Response:
            response: httpx.Response = give_back((shop, other)[number % 2], sold, **part(100))
            return response

        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(one, range(24)))

        codes = [answer.json().get("code") for answer in answers]
        assert codes.count(None) == 10
        assert set(codes) == {None, "nothing-left-to-return"}
        backs = [answer.json() for answer in answers if answer.status_code == 202]
        assert sum(back["unrounded_kopecks"] for back in backs) == sold["unrounded_kopecks"]
        assert left(shop, sold) == 0


class TestStorno:
    def test_the_last_sale_is_taken_back(self, shop: Outlet) -> None:
        sold = registered_sale(shop)
        answer = storno(shop, sold, key="storno-1")
        taken_back = run(shop, answer)

        assert taken_back["kind"] == "storno"
        assert taken_back["original"]["receipt_id"] == sold["receipt_id"]
        assert (taken_back["lines"], taken_back["total_kopecks"]) == ([], 2750)
        assert taken_back["qr"].endswith("&sm=0.00")
        assert storno(shop, sold, key="storno-1").json()["receipt_id"] == taken_back["receipt_id"]
        assert left(shop, sold) == 0
        assert give_back(shop, sold).json()["code"] == "nothing-left-to-return"

    def test_an_earlier_receipt_is_refused_with_the_reason_and_the_way_out(
        self, shop: Outlet
    ) -> None:
        first = registered_sale(shop)
        registered_sale(shop)
        before = shop.api.log_length()

        answer = storno(shop, first)

        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (409, "storno-not-possible")
        assert problem["field"] == "receipt_id"
        assert problem["facts"]["reason"] == "it is not the last receipt of the open shift"
        assert "return" in problem["next_step"]
        assert shop.api.log_length() == before
        assert give_back(shop, first).status_code == 202

    def test_a_deposit_is_taken_back_while_it_is_the_last_receipt(self, shop: Outlet) -> None:
        path = f"{shop.path}/service-deposits"
        first, last = (
            run(shop, shop.api.post(path, {"amount_kopecks": 500}, key=f"deposit-{number}"))
            for number in (1, 2)
        )
        problem = storno(shop, first).json()
        assert problem["code"] == "storno-not-possible"
        assert problem["facts"]["reason"] == "it is not the last receipt of the open shift"
        assert run(shop, storno(shop, last))["original"]["receipt_id"] == last["receipt_id"]


class TestRefused:
    """Wrong input is a problem with code and field, and leaves the log as it is."""

    @pytest.fixture
    def sold(self, shop: Outlet) -> dict[str, Any]:
        return registered_sale(shop)

    @pytest.mark.parametrize(
        ("changes", "status", "code", "field"),
        [
            (part(1001), 409, "return-exceeds-sale", "lines.0.quantity_thousandths"),
            (part(0), 422, "invalid-field", "lines.0.quantity_thousandths"),
            (
                {"lines": [{"line": 2, "quantity_thousandths": 1}]},
                422,
                "invalid-field",
                "lines.0.line",
            ),
            ({"lines": []}, 422, "invalid-field", "lines"),
            ({"payments": []}, 422, "invalid-field", "payments"),
            (
                {"payments": [{"form": "card", "amount_kopecks": 1}]},
                422,
                "payments-differ",
                "payments",
            ),
            (
                {"payments": [{"form": "cash", "provided_kopecks": 5000}]},
                422,
                "unknown-field",
                "payments.0.provided_kopecks",
            ),
            ({"original": {}}, 422, "invalid-field", "original"),
            ({"original": {"fiscal_number": "1"}}, 422, "invalid-field", "original"),
            (
                {"original": {"fiscal_number": "1", "register_fiscal_number": "x"}},
                422,
                "invalid-field",
                "original.register_fiscal_number",
            ),
            (
                {"original": {"fiscal_number": "1", "register_fiscal_number": "4000000001"}},
                404,
                "not-found",
                None,
            ),
            ({"original": {"receipt_id": str(UUID(int=404))}}, 404, "not-found", None),
        ],
    )
    def test_wrong_input(
        self,
        shop: Outlet,
        sold: dict[str, Any],
        changes: dict[str, Any],
        status: int,
        code: str,
        field: str | None,
    ) -> None:
        before = shop.api.log_length()
        answer = give_back(shop, sold, **changes)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code), problem
        assert problem["field"] == field
        assert shop.api.log_length() == before

    def test_a_sale_that_is_not_registered_yet(self, shop: Outlet) -> None:
        sold = shop.sell().json()
        problem = give_back(shop, sold).json()
        assert (problem["code"], problem["retryable"]) == ("receipt-not-registered", True)
        assert problem["facts"]["state"] == "submitted"

    def test_a_return_is_no_sale(self, shop: Outlet, sold: dict[str, Any]) -> None:
        back = run(shop, give_back(shop, sold))
        assert give_back(shop, back).json()["code"] == "receipt-not-returnable"
        answer = shop.api.get(f"{back['links']['self']}/returnable")
        assert answer.json()["code"] == "receipt-not-returnable"

    def test_another_company(self, shop: Outlet, sold: dict[str, Any]) -> None:
        stranger = new_outlet(shop.api)
        stranger.open()
        problem = give_back(stranger, sold).json()
        assert problem["code"] == "receipt-not-returnable"
        assert problem["facts"]["reason"] == "another company sold it"

    def test_an_auditor_may_look_but_not_give_back(
        self, api: Api, shop: Outlet, sold: dict[str, Any]
    ) -> None:
        with api.client(Role.AUDITOR) as auditor:
            answer = auditor.post(
                f"{shop.path}/returns",
                json={"original": {"receipt_id": sold["receipt_id"]}, "payments": CASH},
                headers={"Idempotency-Key": "auditor"},
            )
            assert answer.status_code == 403
            looked = auditor.get(f"{shop.path}/receipts/{sold['receipt_id']}/returnable")
            assert looked.json()["left_kopecks"] == 2748
