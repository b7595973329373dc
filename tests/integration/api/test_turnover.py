"""Turnover over HTTP."""

from typing import Any

import pytest

from tests.integration.api.test_returns import registered_sale
from tests.support.api_server import Outlet
from tests.support.fiscal_up import eventually


def rows(shop: Outlet, by_what: str, **query: Any) -> list[dict[str, Any]]:
    found = shop.api.get(f"/v1/turnover/{by_what}", register_id=str(shop.register_id), **query)
    assert found.status_code == 200, found.text
    items: list[dict[str, Any]] = found.json()["items"]
    return items


class TestTurnover:
    def test_a_registered_sale_counts_by_letter_product_and_cashier(self, shop: Outlet) -> None:
        sold = registered_sale(shop)
        assert eventually(lambda: rows(shop, "taxes") != [])

        (tax,) = rows(shop, "taxes")
        assert (tax["kind"], tax["letter"], tax["receipts"]) == ("sale", "А", 1)
        assert tax["tax_kopecks"] == sold["taxes"][0]["tax_kopecks"]
        (product,) = rows(shop, "products", by="register")
        assert product["register_id"] == str(shop.register_id)
        assert product["name"] == sold["lines"][0]["name"]
        assert product["total_kopecks"] == sold["unrounded_kopecks"]
        (cashier,) = rows(shop, "cashiers")
        assert cashier["total_kopecks"] == sold["total_kopecks"]

    def test_what_waits_counts_nowhere(self, shop: Outlet) -> None:
        position = shop.sell().json()["position"]
        assert rows(shop, "taxes", at_least=position) == []

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"first_day": "2026-11-05", "last_day": "2026-11-04"}, "last_day"),
            ({"first_day": "2024-11-05", "last_day": "2026-11-04"}, "first_day"),
            ({"first_day": "5.11.2026"}, "first_day"),
            ({"after": "WzFd"}, "after"),
            ({"by": "month"}, "by"),
        ],
    )
    def test_wrong_queries_name_their_field(
        self, shop: Outlet, query: dict[str, str], field: str
    ) -> None:
        answer = shop.api.get("/v1/turnover/products", **query)
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
