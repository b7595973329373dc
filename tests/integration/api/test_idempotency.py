"""Same key, same answer; another body, a conflict; whatever happens at the same time."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from infra.tokens import Role
from tests.support.api_server import Api, Outlet, new_outlet, sale


class TestSale:
    def test_repetition_gets_the_first_answer_and_records_nothing(self, shop: Outlet) -> None:
        key = str(uuid4())
        first = shop.sell(key=key)
        before = shop.api.log_length()

        second = shop.sell(key=key)

        assert second.status_code == first.status_code == 202
        assert _essence(second.json()) == _essence(first.json())
        assert shop.api.log_length() == before

    def test_repetition_after_registration_says_so(self, shop: Outlet) -> None:
        key = str(uuid4())
        first = shop.sell(key=key).json()
        shop.api.player.run(shop.register_id)

        answer = shop.sell(key=key, Prefer="wait=10")

        assert answer.status_code == 201
        assert answer.json()["receipt_id"] == first["receipt_id"]
        assert answer.json()["fiscal_number"] is not None

    def test_repetition_is_answered_when_the_rule_has_changed_since(self, shop: Outlet) -> None:
        key = str(uuid4())
        first = shop.sell(key=key).json()
        shop.api.player.run(shop.register_id)
        shop.api.post(f"{shop.path}/shifts/current/close")

        answer = shop.sell(key=key)

        assert answer.status_code == 201
        assert answer.json()["receipt_id"] == first["receipt_id"]

    def test_same_key_with_another_body_is_a_conflict(self, shop: Outlet) -> None:
        key = str(uuid4())
        shop.sell(key=key)
        before = shop.api.log_length()

        answer = shop.sell(sale(comment="інше"), key=key)

        assert answer.status_code == 409
        assert answer.json()["code"] == "idempotency-key-reused"
        assert answer.json()["field"] == "Idempotency-Key"
        assert not answer.json()["retryable"]
        assert shop.api.log_length() == before

    def test_same_key_of_another_token_is_another_request(self, shop: Outlet) -> None:
        key = str(uuid4())
        first = shop.sell(key=key).json()

        with shop.api.client(Role.CASHIER) as cashier:
            second = cashier.post(
                f"{shop.path}/receipts", json=sale(), headers={"Idempotency-Key": key}
            ).json()

        assert first["receipt_id"] != second["receipt_id"]

    def test_refused_request_may_be_sent_again_under_its_key(self, outlet: Outlet) -> None:
        key = str(uuid4())
        refused = outlet.sell(key=key)
        outlet.open()

        answer = outlet.sell(key=key)

        assert refused.status_code == 409
        assert answer.status_code == 202

    def test_order_of_fields_does_not_matter(self, shop: Outlet) -> None:
        key, body = str(uuid4()), sale()
        first = shop.sell(body, key=key).json()

        second = shop.sell(dict(reversed(body.items())), key=key)

        assert second.json()["receipt_id"] == first["receipt_id"]

    def test_twenty_repetitions_at_once_make_one_receipt(self, shop: Outlet) -> None:
        key = str(uuid4())
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: shop.sell(key=key), range(20)))

        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["receipt_id"] for answer in answers}) == 1
        report = shop.api.get(f"{shop.path}/x-report").json()
        assert report["issued"]["sales"]["count"] == 1

    def test_different_bodies_at_once_under_one_key_make_one_receipt(self, shop: Outlet) -> None:
        key = str(uuid4())
        bodies = [sale(comment=f"замовлення {number}") for number in range(10)]
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda body: shop.sell(body, key=key), bodies))

        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [202] + [409] * 9
        assert {answer.json().get("code") for answer in answers if answer.status_code == 409} == {
            "idempotency-key-reused"
        }


class TestShift:
    def test_repeated_opening_is_the_same_shift(self, outlet: Outlet) -> None:
        key, body = str(uuid4()), {"cashier_id": str(outlet.cashier_id)}
        first = outlet.api.post(f"{outlet.path}/shifts", body, key=key).json()

        second = outlet.api.post(f"{outlet.path}/shifts", body, key=key)

        assert second.status_code == 202
        assert second.json()["shift_id"] == first["shift_id"]

    def test_repeated_closing_is_answered_after_the_shift_is_closed(self, shop: Outlet) -> None:
        key = str(uuid4())
        first = shop.api.post(f"{shop.path}/shifts/current/close", key=key).json()
        shop.api.player.run(shop.register_id)

        second = shop.api.post(f"{shop.path}/shifts/current/close", key=key, Prefer="wait=10")

        assert second.status_code == 200, second.text
        assert second.json()["shift_id"] == first["shift_id"]
        assert second.json()["state"] == "closed"


class TestStructure:
    def test_repeated_creation_is_the_same_thing(self, api: Api) -> None:
        outlet = new_outlet(api)
        key = str(uuid4())
        body = {"company_id": str(outlet.company_id), "name": "Магазин 2"}
        first = api.post("/v1/business-units", body, key=key)
        before = api.log_length()

        second = api.post("/v1/business-units", body, key=key)

        assert second.status_code == first.status_code == 201
        assert second.json() == first.json()
        assert api.log_length() == before

    def test_company_that_is_there_already_is_a_conflict(self, api: Api) -> None:
        body = {"tax_id": "87654321", "name": "ФОП Приклад"}
        first = api.post("/v1/companies", body).json()

        answer = api.post("/v1/companies", body)

        assert answer.status_code == 409
        assert answer.json()["code"] == "already-exists"
        assert answer.json()["facts"]["id"] == first["company_id"]


def _essence(receipt: dict[str, Any]) -> dict[str, Any]:
    """A receipt without what a repetition does not know or may word otherwise."""
    return {
        name: value
        for name, value in receipt.items()
        if name not in ("position", "links", "waiting_reason")
    }
