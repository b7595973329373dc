"""Every bad input is a problem with code, field and next step, and leaves no event."""

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from domain.sale import MOST_LINES
from tests.support.api_server import Api, Outlet, new_outlet, sale

LINE = sale()["lines"][0]
CASH = {"form": "cash"}


def _line(**changes: Any) -> dict[str, Any]:
    return sale(lines=[{**LINE, **changes}])


def _payments(*payments: dict[str, Any]) -> dict[str, Any]:
    return sale(payments=list(payments))


@pytest.fixture(scope="module")
def module_shop(api: Api) -> Outlet:
    outlet = new_outlet(api)
    outlet.open()
    return outlet


@pytest.fixture
def untouched(api: Api) -> Iterator[None]:
    """The log is as long after the test as before it."""
    before = api.log_length()
    yield
    assert api.log_length() == before, "a refused request left an event"


def _check(answer: httpx.Response, status: int, code: str, field: str | None) -> None:
    problem = answer.json()
    assert answer.status_code == status, problem
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (problem["code"], problem["field"]) == (code, field), problem
    assert problem["status"] == status
    assert problem["next_step"]
    assert problem["detail"]
    assert problem["type"].endswith(code)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        pytest.param(sale(totl=1), 422, "unknown-field", "totl", id="unknown field"),
        pytest.param(_line(vat=1), 422, "unknown-field", "lines.0.vat", id="unknown line field"),
        pytest.param(
            _line(price_kopecks=27.48), 422, "invalid-field", "lines.0.price_kopecks", id="float"
        ),
        pytest.param(
            _line(price_kopecks="2748"), 422, "invalid-field", "lines.0.price_kopecks", id="text"
        ),
        pytest.param(
            _line(quantity_thousandths=0),
            422,
            "invalid-field",
            "lines.0.quantity_thousandths",
            id="quantity zero",
        ),
        pytest.param(
            _line(quantity_thousandths=-1000),
            422,
            "invalid-field",
            "lines.0.quantity_thousandths",
            id="quantity negative",
        ),
        pytest.param(
            sale(total_kopecks=2749), 422, "totals-differ", "total_kopecks", id="total differs"
        ),
        pytest.param(
            _line(cost_kopecks=1), 422, "totals-differ", "lines.0.cost_kopecks", id="cost differs"
        ),
        pytest.param(
            _line(letters="Ж"), 422, "unknown-tax-letter", "lines.0.letters", id="unknown letter"
        ),
        pytest.param(
            _line(letters="A"), 422, "unknown-tax-letter", "lines.0.letters", id="Latin letter"
        ),
        pytest.param(
            _payments({"form": "cash", "provided_kopecks": 100}),
            422,
            "payments-differ",
            "payments",
            id="cash short",
        ),
        pytest.param(
            _payments({"form": "card", "amount_kopecks": 2747}),
            422,
            "payments-differ",
            "payments",
            id="card short",
        ),
        pytest.param(
            _payments({"form": "card", "amount_kopecks": 2749}),
            422,
            "payments-differ",
            "payments",
            id="card over",
        ),
        pytest.param(
            _payments({"form": "card", "amount_kopecks": 3000}, CASH),
            422,
            "payments-differ",
            "payments",
            id="card over, with cash",
        ),
        pytest.param(
            _payments({"form": "other", "code": 5, "name": "готівка", "amount_kopecks": 2748}),
            422,
            "invalid-field",
            "payments.0.name",
            id="cash by another code",
        ),
        pytest.param(
            _line(discount={"by": "amount", "amount_kopecks": 2749}),
            422,
            "discount-exceeds-cost",
            "lines.0.discount",
            id="discount above cost",
        ),
        pytest.param(
            sale(discount={"by": "percent", "percent_basis_points": 10_000}),
            422,
            "discount-exceeds-cost",
            "discount",
            id="whole receipt free",
        ),
        pytest.param(
            _line(discount={"by": "percent", "percent_basis_points": 0}),
            422,
            "invalid-field",
            "lines.0.discount.percent_basis_points",
            id="discount of 0 %",
        ),
        pytest.param(
            _line(discount={"by": "percent", "percent_basis_points": 10, "amount_kopecks": 1}),
            422,
            "unknown-field",
            "lines.0.discount.amount_kopecks",
            id="discount by both",
        ),
        pytest.param(
            _line(discount={"by": "percent", "percent_basis_points": 1, "name": "☕"}),
            422,
            "invalid-field",
            "lines.0.discount.name",
            id="name of a discount",
        ),
        pytest.param(
            sale(discount={"by": "amount", "amount_kopecks": 48}, total_kopecks=2748),
            422,
            "totals-differ",
            "total_kopecks",
            id="total before discount",
        ),
        pytest.param(_line(dkpp="25.6"), 422, "invalid-field", "lines.0.dkpp", id="ДКПП"),
        pytest.param(
            _line(dkpp="25.61", uktzed="2204"),
            422,
            "invalid-field",
            "lines.0.dkpp",
            id="ДКПП and УКТЗЕД",
        ),
        pytest.param(
            _line(excise_stamps=["A1", "A1"]),
            422,
            "invalid-field",
            "lines.0.excise_stamps.1",
            id="a stamp twice",
        ),
        pytest.param(_payments(CASH, CASH), 422, "invalid-field", "payments", id="cash twice"),
        pytest.param(sale(payments=[]), 422, "invalid-field", "payments", id="no payment"),
        pytest.param(sale(lines=[]), 422, "invalid-field", "lines", id="no line"),
        pytest.param(
            _line(name="Кава ☕"), 422, "invalid-field", "lines.0.name", id="outside windows-1251"
        ),
        pytest.param(_line(name="Хліб\n"), 422, "invalid-field", "lines.0.name", id="line break"),
        pytest.param(_line(name="   "), 422, "invalid-field", "lines.0.name", id="blank name"),
        pytest.param(_line(uktzed="12"), 422, "invalid-field", "lines.0.uktzed", id="УКТЗЕД"),
        pytest.param(_line(price_kopecks=0), 422, "invalid-field", "lines", id="worth nothing"),
        pytest.param(sale(lines=[LINE] * 10_000), 422, "invalid-field", "lines", id="10,000 lines"),
        pytest.param(
            sale(lines=[{**LINE, "name": "Ї" * 1024}] * MOST_LINES, payments=[CASH]),
            422,
            "invalid-field",
            "lines",
            id="longer than a message may be",
        ),
        pytest.param([], 422, "invalid-field", "body", id="a list"),
        pytest.param("sale", 422, "invalid-field", "body", id="a text"),
        pytest.param({}, 422, "missing-field", "lines", id="an empty object"),
    ],
)
def test_bad_sale_is_refused(
    module_shop: Outlet, body: Any, status: int, code: str, field: str | None
) -> None:
    _check(module_shop.sell(body), status, code, field)


@pytest.mark.usefixtures("untouched")
class TestBytes:
    def _send(self, shop: Outlet, content: bytes, **headers: str) -> httpx.Response:
        names = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return shop.api.http.post(
            f"{shop.path}/receipts", content=content, headers={**names, **given}
        )

    def test_repeated_field_is_refused(self, module_shop: Outlet) -> None:
        body = b'{"total_kopecks":1,"lines":[],"payments":[],"total_kopecks":2}'
        _check(self._send(module_shop, body), 422, "repeated-field", "total_kopecks")

    def test_body_that_is_not_json_is_refused(self, module_shop: Outlet) -> None:
        _check(self._send(module_shop, b'{"lines": ['), 400, "malformed-json", None)

    def test_other_content_type_is_refused(self, module_shop: Outlet) -> None:
        answer = self._send(
            module_shop, b"lines=1", Content_Type="application/x-www-form-urlencoded"
        )
        _check(answer, 415, "unsupported-media-type", "Content-Type")

    def test_ten_megabytes_are_refused(self, module_shop: Outlet) -> None:
        _check(self._send(module_shop, b" " * 10_000_000), 413, "body-too-large", None)

    def test_chunked_body_is_refused_when_it_passes_the_limit(self, module_shop: Outlet) -> None:
        def chunks() -> Iterator[bytes]:
            for _ in range(40):
                yield b" " * 100_000

        answer = module_shop.api.http.post(
            f"{module_shop.path}/receipts",
            content=chunks(),
            headers={"Content-Type": "application/json", "Idempotency-Key": str(uuid4())},
        )
        _check(answer, 413, "body-too-large", None)

    def test_declared_length_is_refused_before_the_body_comes(self, module_shop: Outlet) -> None:
        place = urlsplit(module_shop.api.url)
        assert place.hostname is not None
        with socket.create_connection((place.hostname, place.port or 80), timeout=10) as peer:
            peer.sendall(
                f"POST {module_shop.path}/receipts HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: {module_shop.api.http.headers['Authorization']}\r\n"
                f"Idempotency-Key: {uuid4()}\r\nContent-Type: application/json\r\n"
                "Content-Length: 10000000000\r\n\r\n".encode()
            )
            assert peer.recv(64).startswith(b"HTTP/1.1 413 ")

    def test_missing_idempotency_key_is_refused(self, module_shop: Outlet) -> None:
        answer = module_shop.api.http.post(f"{module_shop.path}/receipts", json=sale())
        _check(answer, 400, "idempotency-key-missing", "Idempotency-Key")


@pytest.mark.usefixtures("untouched")
class TestAddress:
    def test_foreign_register_is_not_found(self, api: Api) -> None:
        answer = api.post(f"/v1/registers/{uuid4()}/receipts", sale())
        _check(answer, 404, "not-found", "register_id")

    def test_id_that_is_none_is_refused(self, api: Api) -> None:
        _check(api.post("/v1/registers/1/receipts", sale()), 422, "invalid-field", "register_id")

    def test_unknown_path_is_a_problem(self, api: Api) -> None:
        _check(api.get("/v1/cashboxes"), 404, "unknown-address", None)

    def test_compatibility_facade_is_not_there_yet(self, api: Api) -> None:
        _check(api.get("/api/v1/receipts"), 404, "unknown-address", None)

    def test_other_method_is_refused_with_those_there_are(self, api: Api) -> None:
        answer = api.http.delete("/v1/registers")
        _check(answer, 405, "method-not-allowed", None)
        assert answer.headers["Allow"] == "GET, POST"

    @pytest.mark.parametrize(
        ("query", "code", "field"),
        [
            ({"limit": "0"}, "invalid-field", "limit"),
            ({"limit": "501"}, "invalid-field", "limit"),
            ({"limit": "ten"}, "invalid-field", "limit"),
            ({"limit": " 5"}, "invalid-field", "limit"),
            ({"after": "zzz"}, "invalid-field", "after"),
            ({"at_least": "99-1"}, "invalid-field", "at_least"),
            ({"at_least": "x"}, "invalid-field", "at_least"),
            ({"state": "sold"}, "invalid-field", "state"),
            ({"issued_from": "2026-11-05"}, "invalid-field", "issued_from"),
            ({"issued_from": "1"}, "invalid-field", "issued_from"),
            ({"register_id": "1"}, "invalid-field", "register_id"),
            ({"registre_id": "1"}, "unknown-field", "registre_id"),
            ({"limit": ["5", "6"]}, "repeated-field", "limit"),
            ({"product": "!!!"}, "invalid-field", "product"),
            ({"card_tail": "12"}, "invalid-field", "card_tail"),
        ],
    )
    def test_bad_query_is_refused(
        self, api: Api, query: dict[str, Any], code: str, field: str
    ) -> None:
        _check(api.get("/v1/receipts", **query), 422, code, field)

    def test_query_that_is_not_utf8_is_refused(self, api: Api) -> None:
        _check(api.http.get("/v1/receipts?product=%ff"), 422, "invalid-field", "query")


class TestShifts:
    def test_sale_without_a_shift_is_refused(self, outlet: Outlet) -> None:
        before = outlet.api.log_length()
        _check(outlet.sell(), 409, "no-open-shift", "register_id")
        assert outlet.api.log_length() == before

    def test_second_shift_is_refused(self, module_shop: Outlet) -> None:
        before = module_shop.api.log_length()
        answer = module_shop.api.post(
            f"{module_shop.path}/shifts", {"cashier_id": str(module_shop.cashier_id)}
        )
        _check(answer, 409, "shift-already-open", "register_id")
        assert answer.json()["facts"] == {"shift_number": 1}
        assert module_shop.api.log_length() == before

    def test_closing_without_a_shift_is_refused(self, outlet: Outlet) -> None:
        answer = outlet.api.post(f"{outlet.path}/shifts/current/close")
        _check(answer, 409, "no-open-shift", "register_id")

    def test_first_sale_without_a_cashier_is_refused_where_it_opens_the_shift(
        self, api: Api
    ) -> None:
        outlet = new_outlet(api, opens_with_first_sale=True)
        before = api.log_length()
        _check(outlet.sell(), 422, "invalid-field", "cashier_id")
        assert api.log_length() == before

    def test_cashier_of_another_company_is_refused(self, api: Api, outlet: Outlet) -> None:
        stranger = new_outlet(api)
        answer = api.post(f"{outlet.path}/shifts", {"cashier_id": str(stranger.cashier_id)})
        _check(answer, 409, "cashier-may-not-sell", "cashier_id")
