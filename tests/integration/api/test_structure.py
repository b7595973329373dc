"""Setting up a network over HTTP."""

import time
from typing import Any
from uuid import uuid4

from tests.support.api_server import Api, Outlet, new_outlet


def test_network_is_named_and_renamed(api: Api) -> None:
    assert api.post("/v1/network", {"name": "Калина"}).json() == {"name": "Калина"}
    before = api.log_length()
    assert api.post("/v1/network", {"name": "Калина"}).status_code == 200
    assert api.log_length() == before
    assert api.post("/v1/network", {"name": "Калина-2"}).status_code == 200
    assert api.get("/v1/network").json() == {"name": "Калина-2"}


def test_everything_made_is_read_and_listed(api: Api, outlet: Outlet) -> None:
    places = {
        f"/v1/companies/{outlet.company_id}": ("/v1/companies", {}),
        f"/v1/business-units/{outlet.unit_id}": (
            "/v1/business-units",
            {"company_id": outlet.company_id},
        ),
        f"/v1/registers/{outlet.register_id}": (
            "/v1/registers",
            {"business_unit_id": outlet.unit_id, "company_id": outlet.company_id},
        ),
        f"/v1/cashiers/{outlet.cashier_id}": (
            "/v1/cashiers",
            {"company_id": outlet.company_id},
        ),
    }
    for path, (list_path, query) in places.items():
        one = api.get(path)
        assert one.status_code == 200
        _eventually_listed(api, list_path, query, one.json())


def test_lists_go_page_by_page(api: Api, outlet: Outlet) -> None:
    names = [f"Магазин {number:02d}" for number in range(7)]
    for name in names:
        api.post("/v1/business-units", {"company_id": str(outlet.company_id), "name": name})
    query = {"company_id": outlet.company_id, "limit": 3}
    deadline = time.monotonic() + 10
    found: list[str] = []
    while len(found) < 8:
        assert time.monotonic() < deadline
        page = api.get("/v1/business-units", **query).json()
        found = [row["name"] for row in page["items"]]
        while page["next"] is not None:
            page = api.get("/v1/business-units", **query, after=page["next"]).json()
            found += [row["name"] for row in page["items"]]

    assert found == ["Магазин", *names]


def test_company_without_vat_number_has_no_letters(api: Api) -> None:
    company = api.post("/v1/companies", {"tax_id": "1234567890", "name": "ФОП Приклад"}).json()

    assert company["vat_number"] is None
    assert company["tax_groups"] == []


def test_letters_are_set_anew(api: Api, outlet: Outlet) -> None:
    path = f"/v1/companies/{outlet.company_id}"
    groups = [{"letter": "М", "kind": "vat", "name": "ПДВ", "rate_basis_points": 700}]

    changed = api.http.patch(path, json={"tax_groups": groups})
    unlawful = api.http.patch(path, json={"tax_groups": [{**groups[0], "rate_basis_points": 1900}]})

    assert changed.json()["tax_groups"] == groups
    assert unlawful.status_code == 422
    assert unlawful.json()["field"] == "tax_groups.0.rate_basis_points"


def test_registered_names_that_changed_are_taken_over(api: Api, outlet: Outlet) -> None:
    company = f"/v1/companies/{outlet.company_id}/names"
    unit = f"/v1/business-units/{outlet.unit_id}/names"

    renamed = api.http.put(company, json={"name": "ТОВ Калина", "vat_number": None})
    moved = api.http.put(unit, json={"name": "Магазин 2", "address": "М. ЛЬВІВ"})
    before = api.log_length()
    again = api.http.put(unit, json={"name": "Магазин 2", "address": "М. ЛЬВІВ"})
    refused = api.http.put(company, json={"name": "кава 😀"})

    assert (renamed.json()["name"], renamed.json()["vat_number"]) == ("ТОВ Калина", None)
    assert (moved.json()["name"], moved.json()["address"]) == ("Магазин 2", "М. ЛЬВІВ")
    assert again.status_code == 200
    assert (refused.status_code, refused.json()["field"]) == (422, "name")
    assert api.log_length() == before


def test_settings_are_changed_one_by_one(api: Api, outlet: Outlet) -> None:
    path = f"{outlet.path}/settings"

    first = api.http.patch(path, json={"cash_step_kopecks": 10}).json()
    second = api.http.patch(path, json={"opens_with_first_sale": True}).json()
    third = api.http.patch(path, json={"testing": True}).json()
    wrong = api.http.patch(path, json={"cash_step_kopecks": 5})

    drawer = {
        "may_go_below_zero": False,
        "empties_before_z": False,
        "withdrawal_minimum_kopecks": 50000,
        "withdrawal_maximum_kopecks": None,
    }
    expected = {
        "opens_with_first_sale": False,
        "cash_step_kopecks": 10,
        "testing": False,
        "drawer": drawer,
    }
    assert first["settings"] == expected
    assert second["settings"] == expected | {"opens_with_first_sale": True}
    assert third["settings"] == expected | {"opens_with_first_sale": True, "testing": True}
    assert (wrong.status_code, wrong.json()["field"]) == (422, "cash_step_kopecks")


def test_settings_of_the_drawer_are_changed_as_a_whole(api: Api, outlet: Outlet) -> None:
    path = f"{outlet.path}/settings"

    changed = api.http.patch(path, json={"drawer": {"withdrawal_maximum_kopecks": 90000}}).json()
    before = api.log_length()
    kept = api.http.patch(path, json={"cash_step_kopecks": 50}).json()
    wrong = api.http.patch(path, json={"drawer": {"withdrawal_maximum_kopecks": 40000}})

    assert changed["settings"]["drawer"]["withdrawal_maximum_kopecks"] == 90000
    assert kept["settings"] == changed["settings"]
    assert wrong.status_code == 422
    assert wrong.json()["field"] == "drawer.withdrawal_maximum_kopecks"
    assert api.log_length() == before


def test_key_is_assigned_to_a_cashier(api: Api, outlet: Outlet) -> None:
    answer = api.http.put(f"/v1/cashiers/{outlet.cashier_id}/key", json={"key_id": "olena-2"})

    assert answer.json()["key_id"] == "olena-2"
    assert api.get(f"/v1/cashiers/{outlet.cashier_id}").json()["key_id"] == "olena-2"


def test_live_register_wants_a_qualified_key(api: Api, outlet: Outlet) -> None:
    register = api.post(
        "/v1/registers",
        {
            "business_unit_id": str(outlet.unit_id),
            "fiscal_number": f"5{uuid4().int % 10**9:09d}",
            "local_number": 2,
            "name": "Каса 2",
            "live": True,
        },
    ).json()

    answer = api.post(
        f"/v1/registers/{register['register_id']}/shifts", {"cashier_id": str(outlet.cashier_id)}
    )

    assert answer.status_code == 409
    assert answer.json()["code"] == "key-not-for-live-register"


def test_unit_of_an_unknown_company_is_not_made(api: Api) -> None:
    answer = api.post("/v1/business-units", {"company_id": str(uuid4()), "name": "Магазин"})

    assert answer.status_code == 404
    assert answer.json()["field"] == "company_id"


def test_register_with_an_odd_number_is_refused(api: Api) -> None:
    outlet = new_outlet(api)

    answer = api.post(
        "/v1/registers",
        {
            "business_unit_id": str(outlet.unit_id),
            "fiscal_number": "0012",
            "local_number": 2,
            "name": "Каса 2",
            "live": False,
        },
    )

    assert (answer.status_code, answer.json()["field"]) == (422, "fiscal_number")


def _eventually_listed(api: Api, path: str, query: dict[str, Any], one: dict[str, Any]) -> None:
    deadline = time.monotonic() + 10
    while True:
        page = api.get(path, **query, limit=500).json()
        if one in page["items"]:
            return
        assert time.monotonic() < deadline, page["items"]
        time.sleep(0.02)
