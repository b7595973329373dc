"""Cash over HTTP: put in, taken out, given out to a card, counted; what is refused and what the movements show."""

import threading
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infra.tokens import Role
from tests.support.api_server import Outlet

DEPOSIT = {"amount_kopecks": 100_000, "purpose": "change-fund"}
ISSUE = {"amount_kopecks": 30_000, "purpose": "bank-collection", "reason": "Сумка № 17"}
WITHDRAWAL = {
    "amount_kopecks": 50_000,
    "commission_kopecks": 500,
    "slip": {"masked_card": "9804********1234", "authorisation_code": "204561"},
}


def post(shop: Outlet, what: str, body: object, **headers: str) -> httpx.Response:
    return shop.api.post(f"{shop.path}/{what}", body, **headers)


def open_next(shop: Outlet) -> None:
    """Open the next shift once the API has heard that the one before is closed."""
    wait_for(shop, "drawer", shift_id=None)
    shop.open()


def wait_for(shop: Outlet, what: str, **expected: object) -> None:
    """Wait until the API shows what the lane's own process recorded."""
    deadline = time.monotonic() + 10
    while (found := shop.api.get(f"{shop.path}/{what}").json()) != found | expected:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def cash(shop: Outlet) -> int:
    found: int = shop.api.get(f"{shop.path}/drawer").json()["cash_in_drawer_kopecks"]
    return found


def movements(shop: Outlet, position: str, **query: Any) -> list[dict[str, Any]]:
    found = shop.api.get(
        "/v1/drawer-movements", register_id=shop.register_id, at_least=position, **query
    )
    assert found.status_code == 200, found.text
    rows: list[dict[str, Any]] = found.json()["items"]
    return rows


@pytest.fixture
def filled(shop: Outlet) -> Outlet:
    """A register with 1000.00 put in, registered."""
    assert post(shop, "service-deposits", DEPOSIT).status_code == 202
    shop.api.player.run(shop.register_id)
    return shop


class TestMovingCash:
    def test_deposit_waits_until_it_is_registered(self, shop: Outlet) -> None:
        player = threading.Timer(0.3, shop.api.player.run, args=[shop.register_id])
        player.start()
        answer = post(shop, "service-deposits", DEPOSIT, Prefer="wait=20")
        player.join()

        body = answer.json()
        assert answer.status_code == 201, body
        assert (body["kind"], body["state"]) == ("service-deposit", "registered")
        assert (body["purpose"], body["total_kopecks"]) == ("change-fund", 100_000)
        assert body["fiscal_number"] is not None
        # No buyer gets it, so there is nothing to check.
        assert body["qr"] is None
        assert answer.headers["Location"] == body["links"]["self"]
        assert shop.api.get(body["links"]["self"]).json()["fiscal_number"] == body["fiscal_number"]
        assert cash(shop) == 100_000

    def test_withdrawal_tells_slip_and_commission_and_has_a_qr(self, filled: Outlet) -> None:
        player = threading.Timer(0.3, filled.api.player.run, args=[filled.register_id])
        player.start()
        body = post(filled, "cash-withdrawals", WITHDRAWAL, Prefer="wait=20").json()
        player.join()

        assert (body["kind"], body["state"]) == ("cash-withdrawal", "registered")
        assert body["withdrawal"]["commission_kopecks"] == 500
        assert body["withdrawal"]["payment_purpose"] == "Видача готівки держателю картки"
        assert body["payments"][0]["slip"]["masked_card"] == "9804********1234"
        assert body["qr"].endswith("&sm=500.00")
        assert cash(filled) == 50_000

    def test_same_key_moves_cash_once(self, filled: Outlet) -> None:
        key = str(uuid4())
        path = f"{filled.path}/service-issues"
        first = filled.api.post(path, ISSUE, key=key).json()
        second = filled.api.post(path, ISSUE, key=key).json()
        other = filled.api.post(path, {**ISSUE, "amount_kopecks": 1}, key=key)

        assert first["receipt_id"] == second["receipt_id"]
        assert other.json()["code"] == "idempotency-key-reused"
        assert cash(filled) == 70_000

    def test_auditor_moves_no_cash_and_reads_it(self, filled: Outlet) -> None:
        with filled.api.client(Role.AUDITOR) as auditor:
            headers = {"Idempotency-Key": str(uuid4())}
            path = f"{filled.path}/service-issues"
            assert auditor.post(path, json=ISSUE, headers=headers).status_code == 403
            assert auditor.get(f"{filled.path}/drawer").json()["cash_in_drawer_kopecks"] == 100_000

    def test_refused_issue_is_corrected_or_voided(self, filled: Outlet) -> None:
        api = filled.api
        refused = []
        for _ in range(2):
            api.player.refuse_next = 1
            refused.append(post(filled, "service-issues", ISSUE).json()["receipt_id"])
            api.player.run(filled.register_id)
        for receipt_id in refused:
            wait_for(filled, f"receipts/{receipt_id}", state="refused")
        kept, lost = refused
        wrong = post(filled, f"service-deposits/{kept}/correction", DEPOSIT)
        corrected = post(
            filled, f"service-issues/{kept}/correction", {**ISSUE, "amount_kopecks": 20_000}
        )
        voided = post(filled, f"receipts/{lost}/void", {"reason": "не забрали"})
        api.player.run(filled.register_id)

        assert (wrong.status_code, wrong.json()["code"]) == (409, "receipt-kind-differs")
        assert corrected.status_code == 202
        assert voided.json()["state"] == "voided"
        assert cash(filled) == 80_000
        shown = movements(filled, voided.json()["position"])
        assert [(row["cause"], row["amount_kopecks"], row["balance_kopecks"]) for row in shown] == [
            ("voided", 30_000, 80_000),
            ("corrected", 10_000, 50_000),
            ("issued", -30_000, 40_000),
            ("issued", -30_000, 70_000),
            ("issued", 100_000, 100_000),
        ]
        assert shown[0]["reason"] == "не забрали"


class TestRefusals:
    @pytest.mark.parametrize(
        ("what", "body", "status", "code", "field"),
        [
            ("service-issues", {**ISSUE, "amount_kopecks": 100_001}, 409, "not-enough-cash", None),
            ("service-issues", {**ISSUE, "purpose": "closing"}, 422, "invalid-field", "purpose"),
            ("service-issues", {"amount_kopecks": 1, "purpose": "other"}, 422, None, "reason"),
            ("service-deposits", {**DEPOSIT, "amount_kopecks": 0}, 422, None, "amount_kopecks"),
            ("service-deposits", {**DEPOSIT, "amount_kopecks": "5"}, 422, None, "amount_kopecks"),
            (
                "service-deposits",
                {**DEPOSIT, "purpose": "other", "reason": "😀"},
                422,
                None,
                "reason",
            ),
            (
                "cash-withdrawals",
                {"amount_kopecks": 49_999},
                422,
                "withdrawal-outside-limits",
                "amount_kopecks",
            ),
            (
                "cash-withdrawals",
                {**WITHDRAWAL, "slip": {"masked_card": "4149629312341234"}},
                422,
                None,
                "slip.masked_card",
            ),
            (
                "cash-withdrawals",
                {**WITHDRAWAL, "recipient_number": "12"},
                422,
                None,
                "recipient_number",
            ),
        ],
    )
    def test_wrong_input_is_a_problem_with_its_field_and_leaves_the_log(
        self,
        filled: Outlet,
        what: str,
        body: dict[str, Any],
        status: int,
        code: str | None,
        field: str | None,
    ) -> None:
        before = filled.api.log_length()
        answer = post(filled, what, body)

        problem = answer.json()
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (answer.status_code, problem["field"]) == (status, field or "amount_kopecks")
        assert code in (None, problem["code"])
        assert filled.api.log_length() == before

    def test_without_a_shift_no_cash_moves(self, outlet: Outlet) -> None:
        before = outlet.api.log_length()
        answer = post(outlet, "service-deposits", DEPOSIT)
        assert (answer.status_code, answer.json()["code"]) == (409, "no-open-shift")
        assert outlet.api.log_length() == before


class TestClosing:
    def test_x_and_z_show_the_drawer_and_its_documents(self, filled: Outlet) -> None:
        api = filled.api
        filled.sell()
        post(filled, "service-issues", ISSUE)
        post(filled, "cash-withdrawals", WITHDRAWAL)
        x = api.get(f"{filled.path}/x-report").json()
        api.player.run(filled.register_id)
        close = api.post(f"{filled.path}/shifts/current/close", {"counted_kopecks": 22_700}).json()
        api.player.run(filled.register_id)

        assert x["cash_in_drawer_kopecks"] == 100_000 + 2_750 - 30_000 - 50_000
        assert x["issued"]["service_issues_kopecks"] == 30_000
        assert x["registered"]["service_issues_kopecks"] == 0
        withdrawn = {"count": 1, "total_kopecks": 50_000, "commission_kopecks": 500}
        assert x["issued"]["cash_withdrawals"] == withdrawn
        rows = movements(filled, close["position"])
        assert (rows[0]["cause"], rows[0]["amount_kopecks"]) == ("counted", -50)
        assert (rows[0]["balance_kopecks"], rows[0]["kind"]) == (22_700, None)
        assert {row["shift_id"] for row in rows} == {close["shift_id"]}
        assert cash(filled) == 22_700
        open_next(filled)
        newer = api.post(f"{filled.path}/service-deposits", DEPOSIT).json()
        z = api.get(f"/v1/shifts/{close['shift_id']}/z-report", at_least=newer["position"]).json()
        assert z["totals"]["service_deposits_kopecks"] == 100_000
        assert z["totals"]["cash_withdrawals"] == withdrawn
        assert z["differences"] == []
        numbered = movements(filled, newer["position"], kind="cash-withdrawal")
        assert [row["fiscal_number"] is not None for row in numbered] == [True]
        balances = api.get(
            "/v1/balances", register_id=filled.register_id, at_least=newer["position"]
        ).json()["items"][0]
        # Receipts only: what the count found is the drawer's own.
        assert balances["cash_in_drawer_kopecks"] == 22_750 + 100_000
        assert cash(filled) == 22_700 + 100_000

    def test_drawer_is_emptied_before_z_where_so_set(self, filled: Outlet) -> None:
        api = filled.api
        settings = {"drawer": {"empties_before_z": True}}
        assert api.http.patch(f"{filled.path}/settings", json=settings).status_code == 200
        close = api.post(f"{filled.path}/shifts/current/close").json()
        api.player.run(filled.register_id)
        open_next(filled)
        newer = post(filled, "service-deposits", DEPOSIT).json()

        rows = movements(filled, newer["position"], shift_id=close["shift_id"])
        assert [(row["kind"], row["purpose"], row["balance_kopecks"]) for row in rows] == [
            ("service-issue", "closing", 0),
            ("service-deposit", "change-fund", 100_000),
        ]

    def test_movements_of_tests_stay_out_unless_asked_for(self, outlet: Outlet) -> None:
        api = outlet.api
        opened = {"cashier_id": str(outlet.cashier_id), "testing": True}
        assert api.post(f"{outlet.path}/shifts", opened).status_code == 202
        put = post(outlet, "service-deposits", DEPOSIT).json()
        drawer = api.get(f"{outlet.path}/drawer").json()

        assert (drawer["testing"], drawer["cash_in_drawer_kopecks"]) == (True, 100_000)
        assert movements(outlet, put["position"]) == []
        (asked,) = movements(outlet, put["position"], testing=True)
        (of_shift,) = movements(outlet, put["position"], shift_id=drawer["shift_id"])
        assert asked == of_shift
        assert (asked["testing"], asked["balance_kopecks"]) == (True, 100_000)

    @pytest.mark.parametrize("body", [{"counted_kopecks": -1}, {"counted": 1}, None])
    def test_wrong_count_closes_nothing(self, filled: Outlet, body: object) -> None:
        before = filled.api.log_length()
        answer = filled.api.http.post(
            f"{filled.path}/shifts/current/close",
            json=body,
            headers={"Idempotency-Key": str(uuid4()), "Content-Type": "application/json"},
            content=b"null" if body is None else None,
        )
        assert answer.status_code == 422, answer.text
        assert filled.api.log_length() == before
