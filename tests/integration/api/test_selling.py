"""A till's day over HTTP: open, sell, wait, correct, void, X, Z, close."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx

from tests.support.api_server import Api, Outlet, new_outlet, sale


def test_sale_waits_until_it_is_registered_and_answers_with_number_and_qr(shop: Outlet) -> None:
    player = threading.Timer(0.3, shop.api.player.run, args=[shop.register_id])
    player.start()

    answer = shop.sell(Prefer="wait=20")

    player.join()
    body = answer.json()
    assert answer.status_code == 201, body
    assert body["state"] == "registered"
    assert body["fiscal_number"].startswith("36")
    assert body["local_number"] == 2
    assert body["server_time"].endswith("Z")
    assert body["total_kopecks"] == 2750
    assert body["rounding_kopecks"] == -2
    assert body["payments"][0]["change_kopecks"] == 2250
    assert body["taxes"] == [
        {
            "letter": "А",
            "name": "ПДВ",
            "rate_basis_points": 2000,
            "turnover_kopecks": 2748,
            "discounted_turnover_kopecks": 2748,
            "base_kopecks": 2748,
            "tax_kopecks": 458,
        }
    ]
    assert f"id={body['fiscal_number']}&" in body["qr"]
    assert body["qr"].endswith("&sm=27.50")
    assert body["check_url"] == body["qr"]
    assert body["waiting_reason"] is None
    assert body["refusal"] is None
    assert answer.headers["Location"] == body["links"]["self"]
    assert body["links"]["register"] == shop.path


def test_sale_with_everything_shows_each_decided_sum(shop: Outlet) -> None:
    sold = shop.sell(
        {
            "lines": [
                {
                    "name": "Вино столове",
                    "quantity_thousandths": 2000,
                    "price_kopecks": 18_000,
                    "letters": "АГ",
                    "uktzed": "2204219700",
                    "excise_stamps": ["ABCD123456", "ABCD123457"],
                    "discount": {"by": "amount", "amount_kopecks": 1000, "name": "Ціна тижня"},
                },
                {
                    "name": "Гравіювання",
                    "quantity_thousandths": 1000,
                    "price_kopecks": 9999,
                    "letters": "А",
                    "dkpp": "25.61.22-30.00",
                    "discount": {"by": "percent", "percent_basis_points": 1250, "surcharge": True},
                },
            ],
            "discount": {"by": "percent", "percent_basis_points": 500, "name": "Картка"},
            "total_kopecks": 43_937,
            "payments": [
                {"form": "other", "code": 305, "name": "СЕРТИФІКАТ", "amount_kopecks": 20_000},
                {"form": "cash", "provided_kopecks": 50_000},
            ],
        }
    ).json()

    wine, engraving = sold["lines"]
    assert wine["discount"] == {
        "amount_kopecks": 1000,
        "percent_basis_points": None,
        "name": "Ціна тижня",
    }
    assert (wine["cost_kopecks"], wine["receipt_discount_kopecks"]) == (36_000, 1750)
    assert wine["discounted_cost_kopecks"] == 33_250
    assert wine["excise_stamps"] == ["ABCD123456", "ABCD123457"]
    assert engraving["discount"]["amount_kopecks"] == -1250
    assert engraving["discount"]["percent_basis_points"] == -1250
    assert (engraving["dkpp"], engraving["excise_stamps"]) == ("25.61.22-30.00", [])
    assert sold["discount"]["amount_kopecks"] == 2312
    assert sold["discount_kopecks"] == 1000 + 2312 - 1250 == 2062
    assert (sold["unrounded_kopecks"], sold["total_kopecks"]) == (43_937, 43_950)
    assert [
        (row["form_code"], row["form_name"], row["amount_kopecks"]) for row in sold["payments"]
    ] == [(0, "ГОТІВКА", 23_950), (305, "СЕРТИФІКАТ", 20_000)]
    assert [(row["letter"], row["discounted_turnover_kopecks"]) for row in sold["taxes"]] == [
        ("А", 43_937),
        ("Г", 33_250),
    ]
    read = shop.api.get(sold["links"]["self"], at_least=sold["position"]).json()
    assert read["lines"] == sold["lines"]
    (row,) = shop.api.get(
        "/v1/receipts",
        product="ABCD123457",
        register_id=shop.register_id,
        at_least=sold["position"],
    ).json()["items"]
    assert (row["receipt_id"], row["discount_kopecks"]) == (sold["receipt_id"], 2062)
    report = shop.api.get(f"{shop.path}/x-report").json()
    assert report["issued"]["sales"]["payments"] == [
        {"form_code": 0, "form_name": "ГОТІВКА", "amount_kopecks": 23_950},
        {"form_code": 305, "form_name": "СЕРТИФІКАТ", "amount_kopecks": 20_000},
    ]


def test_sale_without_wait_is_accepted_with_state_and_reason(shop: Outlet) -> None:
    first, second = shop.sell(), shop.sell()

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["state"] == "submitted"
    assert first.json()["waiting_reason"]["code"] == "being-sent"
    assert second.json()["state"] == "waiting"
    assert second.json()["waiting_reason"]["code"] == "earlier-document-open"
    assert second.json()["local_number"] is None


def test_when_the_wait_runs_out_the_answer_names_what_the_lane_waits_for(shop: Outlet) -> None:
    shop.sell()
    shop.api.player.wait_with(shop.register_id, reason="the tax service cannot be reached")
    started = time.monotonic()

    answer = shop.sell(Prefer="wait=1")

    assert 0.9 < time.monotonic() - started < 5
    assert answer.status_code == 202
    assert answer.json()["waiting_reason"]["lane"] == "the tax service cannot be reached"


def test_refused_receipt_ends_the_wait_with_the_tax_services_words(shop: Outlet) -> None:
    answer = _refused(shop)

    body = answer.json()
    assert answer.status_code == 202
    assert body["state"] == "refused"
    assert body["refusal"] == {"server_code": 9, "text": "Документ не пройшов перевірку"}
    assert body["fiscal_number"] is None
    assert body["qr"] is None


def test_parked_lane_ends_the_wait(shop: Outlet) -> None:
    parking = threading.Timer(0.3, shop.api.player.park, args=[shop.register_id])
    parking.start()

    answer = shop.sell(Prefer="wait=20")

    parking.join()
    assert answer.status_code == 202
    assert answer.json()["state"] == "parked"
    assert answer.json()["waiting_reason"] == {
        "code": "lane-parked",
        "text": "The register's documents are stopped until a person acts.",
        "lane": "register-not-registered",
    }


class TestReadingOnesOwnWrite:
    def test_receipt_is_found_at_once_in_every_state(self, shop: Outlet) -> None:
        sold = shop.sell().json()
        waiting = shop.api.get(sold["links"]["self"]).json()
        shop.api.player.run(shop.register_id)
        registered = _eventually_registered(shop.api, sold["links"]["self"])

        assert waiting["state"] == "submitted"
        assert registered["fiscal_number"] is not None
        assert registered["lines"] == sold["lines"]
        assert registered["issued_at"] == sold["issued_at"]

    def test_journal_shows_the_write_that_is_asked_for(self, shop: Outlet) -> None:
        sold = shop.sell().json()

        found = shop.api.get(
            "/v1/receipts", register_id=shop.register_id, at_least=sold["position"]
        )

        assert [row["receipt_id"] for row in found.json()["items"]] == [sold["receipt_id"]]

    def test_position_that_never_comes_is_a_problem_and_not_an_old_answer(
        self, shop: Outlet
    ) -> None:
        found = shop.api.get("/v1/receipts", at_least="17-999999999")

        assert found.status_code == 503
        assert found.json()["code"] == "too-far-behind"
        assert found.headers["Retry-After"] == "1"

    def test_receipt_of_another_register_is_not_found(self, api: Api, shop: Outlet) -> None:
        sold = shop.sell().json()
        other = new_outlet(api)

        answer = api.get(f"{other.path}/receipts/{sold['receipt_id']}")

        assert answer.status_code == 404
        assert answer.json()["field"] == "receipt_id"


class TestCorrectAndVoid:
    def test_refused_receipt_is_corrected_under_its_id(self, shop: Outlet) -> None:
        refused = _refused(shop).json()
        corrected = shop.api.post(
            f"{refused['links']['self']}/correction",
            sale(comment="виправлено"),
        )

        shop.api.player.run(shop.register_id)
        registered = _eventually_registered(shop.api, refused["links"]["self"])
        assert corrected.status_code == 202
        assert corrected.json()["receipt_id"] == refused["receipt_id"]
        assert registered["comment"] == "виправлено"
        assert registered["refusal"] is None

    def test_refused_receipt_is_voided_with_a_reason(self, shop: Outlet) -> None:
        refused = _refused(shop).json()

        voided = shop.api.post(f"{refused['links']['self']}/void", {"reason": "покупець пішов"})

        assert voided.status_code == 200, voided.text
        assert voided.json()["state"] == "voided"
        listed = shop.api.get(
            "/v1/receipts", register_id=shop.register_id, at_least=voided.json()["position"]
        )
        assert listed.json()["items"][0]["void_reason"] == "покупець пішов"

    def test_registered_receipt_can_be_neither_corrected_nor_voided(self, shop: Outlet) -> None:
        sold = shop.sell().json()
        shop.api.player.run(shop.register_id)
        _eventually_registered(shop.api, sold["links"]["self"])
        before = shop.api.log_length()

        voided = shop.api.post(f"{sold['links']['self']}/void", {"reason": "помилка"})
        corrected = shop.api.post(f"{sold['links']['self']}/correction", sale())

        for answer in (voided, corrected):
            assert answer.status_code == 409
            assert answer.json()["code"] == "receipt-not-refused"
            assert answer.json()["field"] == "receipt_id"
        assert shop.api.log_length() == before


class TestShift:
    def test_opening_waits_until_the_tax_service_has_it(self, outlet: Outlet) -> None:
        player = threading.Timer(0.3, outlet.api.player.run, args=[outlet.register_id])
        player.start()

        answer = outlet.api.post(
            f"{outlet.path}/shifts", {"cashier_id": str(outlet.cashier_id)}, Prefer="wait=20"
        )

        player.join()
        assert answer.status_code == 201, answer.text
        assert answer.json()["state"] == "open"
        assert answer.json()["opening_fiscal_number"].startswith("36")
        assert answer.json()["cashier_name"] == "Приклад О. П."

    def test_first_sale_opens_the_shift_where_so_set(self, api: Api) -> None:
        outlet = new_outlet(api, opens_with_first_sale=True)

        answer = outlet.sell(sale(cashier_id=str(outlet.cashier_id)))

        assert answer.status_code == 202, answer.text
        assert answer.json()["state"] == "waiting"
        assert api.get(outlet.path).json()["open_shift_id"] is not None

    def test_closing_waits_for_z_and_closing_document(self, shop: Outlet) -> None:
        shop.sell()
        shop.api.player.run(shop.register_id)
        player = threading.Timer(0.3, shop.api.player.run, args=[shop.register_id])
        player.start()

        closed = shop.api.post(f"{shop.path}/shifts/current/close", Prefer="wait=20")

        player.join()
        body = closed.json()
        assert closed.status_code == 200, body
        assert body["state"] == "closed"
        assert body["z_fiscal_number"] < body["closing_fiscal_number"]
        z = _eventually(
            lambda: shop.api.get(f"/v1/shifts/{body['shift_id']}/z-report"),
            lambda answer: answer.status_code == 200 and answer.json()["fiscal_number"] is not None,
        ).json()
        assert z["totals"]["sales"]["total_kopecks"] == 2750
        assert z["differences"] == []
        listed = _eventually(
            lambda: shop.api.get("/v1/z-reports", register_id=shop.register_id),
            lambda answer: answer.json()["items"] != [],
        ).json()["items"]
        assert [row["shift_id"] for row in listed] == [body["shift_id"]]

    def test_closing_shift_takes_no_sale(self, shop: Outlet) -> None:
        shop.sell()
        closing = shop.api.post(f"{shop.path}/shifts/current/close")
        before = shop.api.log_length()

        answer = shop.sell()

        assert closing.status_code == 202
        assert closing.json()["state"] == "closing"
        assert answer.status_code == 409
        assert answer.json()["code"] == "shift-closing"
        assert shop.api.log_length() == before

    def test_x_report_counts_what_is_on_its_way(self, shop: Outlet) -> None:
        shop.sell()

        report = shop.api.get(f"{shop.path}/x-report").json()

        assert report["issued"]["sales"]["count"] == 1
        assert report["registered"]["sales"]["count"] == 0
        assert report["waiting"] == 1

    def test_balances_are_split_by_state(self, shop: Outlet) -> None:
        sold = shop.sell().json()

        answer = shop.api.get(
            "/v1/balances", register_id=shop.register_id, at_least=sold["position"]
        ).json()

        assert [row["state"] for row in answer["items"][0]["payments"]] == ["submitted"]
        assert answer["items"][0]["cash_in_drawer_kopecks"] == 2750


class TestLane:
    def test_lane_names_what_is_on_its_way_and_what_waits(self, shop: Outlet) -> None:
        sold = [shop.sell().json() for _ in range(3)]

        lane = shop.api.get(f"{shop.path}/lane").json()

        assert lane["outstanding"]["subject_id"] == sold[0]["receipt_id"]
        assert lane["waiting"] == 2
        assert lane["next_step"] == "submit"
        assert lane["due_at"] is not None

    def test_stopped_lane_goes_on_when_resumed_and_the_alarm_is_over(self, shop: Outlet) -> None:
        shop.sell()
        shop.api.player.park(shop.register_id)
        parked = _eventually(
            lambda: shop.api.get("/v1/alarms", register_id=shop.register_id, resolved="false"),
            lambda answer: len(answer.json()["items"]) == 1,
        ).json()["items"][0]
        _eventually(
            lambda: shop.api.get(f"{shop.path}/lane"),
            lambda answer: answer.json()["parked"] is not None,
        )

        resumed = shop.api.post(f"{shop.path}/lane/resume", {"reason": "касу розблоковано"})

        assert parked["server_code"] == 1
        assert resumed.status_code == 200, resumed.text
        assert resumed.json()["parked"] is None
        over = _eventually(
            lambda: shop.api.get("/v1/alarms", register_id=shop.register_id, resolved="true"),
            lambda answer: len(answer.json()["items"]) == 1,
        ).json()["items"][0]
        assert over["resolved_by"] == "administrator"
        again = shop.api.post(f"{shop.path}/lane/resume", {"reason": "ще раз"})
        assert again.json()["code"] == "lane-not-parked"


def test_documents_are_downloaded_as_xml_signed_and_ticket(shop: Outlet) -> None:
    sold = shop.sell().json()
    shop.api.player.run(shop.register_id)
    document = _eventually_registered(shop.api, sold["links"]["self"])["links"]["document"]

    xml = _eventually(lambda: shop.api.get(document), lambda answer: answer.status_code == 200)
    signed = shop.api.get(document, form="signed")
    ticket = _eventually(
        lambda: shop.api.get(document, form="ticket"), lambda answer: answer.status_code == 200
    )

    assert "Хліб житній" in xml.content.decode("cp1251")
    assert xml.headers["Content-Type"] == "application/xml; charset=windows-1251"
    assert signed.content == b"stamped"
    assert ticket.content == b"ticket"


def test_five_hundred_waiting_calls_leave_health_quick_and_all_are_answered(shop: Outlet) -> None:
    calls = 500

    async def call_all() -> list[int]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=shop.api.url, timeout=90, limits=limits) as client:

            async def one() -> int:
                headers = {"Idempotency-Key": str(uuid4()), "Prefer": "wait=60"}
                answer = await client.post(
                    f"{shop.path}/receipts",
                    json=sale(),
                    headers={**shop.api.http.headers, **headers},
                )
                return answer.status_code

            return await asyncio.gather(*(one() for _ in range(calls)))

    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(asyncio.run, call_all())
        _eventually(lambda: len(shop.api.parts.waits), lambda held: held == calls, seconds=60)
        # Each has issued its receipt too, so that nothing but the held calls is left.
        _eventually(
            lambda: shop.api.get(f"{shop.path}/x-report").json()["issued"]["sales"]["count"],
            lambda count: count == calls,
            seconds=60,
        )
        slowest = max(_seconds(lambda: shop.api.get("/health")) for _ in range(20))
        shop.api.player.park(shop.register_id)
        statuses = set(answers.result())

    assert slowest < 0.1
    assert statuses == {202}


def _refused(shop: Outlet) -> httpx.Response:
    shop.api.player.refuse_next = 1
    player = threading.Timer(0.3, shop.api.player.run, args=[shop.register_id])
    player.start()
    answer = shop.sell(Prefer="wait=20")
    player.join()
    return answer


def _eventually_registered(api: Api, path: str) -> dict[str, Any]:
    found = _eventually(
        lambda: api.get(path), lambda answer: answer.json().get("state") == "registered"
    )
    registered: dict[str, Any] = found.json()
    return registered


def _eventually(look: Any, good: Any, *, seconds: float = 10) -> Any:
    """What `look` gives once it is `good`: other processes are followed at a distance."""
    deadline = time.monotonic() + seconds
    while not good(found := look()):
        assert time.monotonic() < deadline, getattr(found, "text", found)
        time.sleep(0.02)
    return found


def _seconds(act: Any) -> float:
    started = time.monotonic()
    act()
    return time.monotonic() - started


class TestTestShift:
    def test_receipts_reports_and_balances_say_what_they_are(self, api: Api) -> None:
        outlet = new_outlet(api)
        opened = api.post(
            f"{outlet.path}/shifts", {"cashier_id": str(outlet.cashier_id), "testing": True}
        )
        api.player.run(outlet.register_id)
        sold = outlet.sell().json()
        api.player.run(outlet.register_id)
        registered = _eventually_registered(api, sold["links"]["self"])

        assert opened.json()["testing"]
        for answer in (sold, registered):
            assert answer["testing"]
            assert answer["test_mark"] == "ТЕСТОВИЙ НЕФІСКАЛЬНИЙ ДОКУМЕНТ"
        assert api.get(f"{outlet.path}/x-report").json()["testing"]
        tests = _eventually(lambda: _balances(outlet, testing=True), lambda it: it["receipts"])
        assert tests["testing"]
        assert [row["total_kopecks"] for row in tests["receipts"]] == [2750]
        assert _balances(outlet, testing=False)["receipts"] == []


def _balances(outlet: Outlet, *, testing: bool) -> Any:
    answer = outlet.api.get("/v1/balances", register_id=outlet.register_id, testing=testing)
    (balances,) = answer.json()["items"]
    return balances
