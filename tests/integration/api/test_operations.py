"""Health, readiness, metrics, documentation, and what a bug looks like from outside."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from api.dependencies import Check
from domain.errors import StoreUnavailable
from infra.tokens import Role
from tests.support.api_server import Api, Outlet, new_outlet, running_api


def test_health_needs_no_token(api: Api) -> None:
    answer = httpx.get(f"{api.url}/health")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_names_each_check(api: Api) -> None:
    answer = httpx.get(f"{api.url}/ready")

    assert answer.status_code == 200, answer.text
    assert {check["name"] for check in answer.json()["checks"]} == {
        "database",
        "migrations",
        "follower",
    }
    assert all(check["ok"] for check in answer.json()["checks"])


def test_metrics_count_requests_and_receipts(api: Api, shop: Outlet) -> None:
    shop.sell()

    text = httpx.get(f"{api.url}/metrics").text

    assert (
        'fiscal_http_requests_total{endpoint="/v1/registers/{register_id}/receipts",status="202"}'
        in text
    )
    assert 'fiscal_receipts_issued_total{state="submitted"}' in text
    assert "fiscal_held_calls 0.0" in text


def test_documentation_needs_no_token(api: Api) -> None:
    assert httpx.get(f"{api.url}/openapi.json").json()["info"]["title"] == "Fiscal Ledger"
    assert "POST" in httpx.get(f"{api.url}/docs").text


def test_answers_carry_the_requests_id(api: Api) -> None:
    answer = api.get("/v1/companies/1")

    assert (
        answer.json()["instance"] == f"urn:fiscal-ledger:request:{answer.headers['X-Request-Id']}"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.fixture
def own_api(postgres_dsn: str, tmp_path: Path) -> Any:
    with running_api(postgres_dsn, tmp_path, metrics_need_token=True) as api:
        yield api


class TestTrouble:
    def test_bug_is_a_problem_without_its_insides(
        self, own_api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(**_: object) -> None:
            raise ZeroDivisionError("secret insides")

        outlet = new_outlet(own_api)
        monkeypatch.setattr(own_api.parts.ledger, "sell", broken)

        answer = outlet.sell()

        assert answer.status_code == 500
        assert answer.json()["code"] == "fiscal-error"
        assert "secret" not in answer.text
        assert "ZeroDivision" not in answer.text
        assert answer.json()["instance"].endswith(answer.headers["X-Request-Id"])

    def test_metrics_need_a_token_where_so_set(self, own_api: Api) -> None:
        assert httpx.get(f"{own_api.url}/metrics").status_code == 401
        with own_api.client(Role.CASHIER) as cashier, own_api.client(Role.AUDITOR) as auditor:
            assert cashier.get("/metrics").status_code == 403
            assert auditor.get("/metrics").status_code == 200

    def test_failed_check_makes_the_process_not_ready(
        self, own_api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checks = (*own_api.parts.checks, Check("signer", lambda: "it does not answer"))
        object.__setattr__(own_api.parts, "checks", checks)

        answer = httpx.get(f"{own_api.url}/ready")

        assert answer.status_code == 503
        assert answer.json()["checks"][-1] == {
            "name": "signer",
            "ok": False,
            "detail": "it does not answer",
        }

    def test_lost_database_is_a_problem_to_be_tried_again(self, own_api: Api) -> None:
        outlet = new_outlet(own_api)
        own_api.parts.views.receipts._pool.close()

        answer = own_api.get("/v1/receipts", register_id=outlet.register_id)

        assert answer.status_code == 503
        assert answer.json()["code"] == StoreUnavailable.code
        assert answer.json()["retryable"]
        assert answer.headers["Retry-After"] == "1"
        assert httpx.get(f"{own_api.url}/ready").status_code == 503
        assert httpx.get(f"{own_api.url}/health").status_code == 200
