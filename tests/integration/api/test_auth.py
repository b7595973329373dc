"""Who may do what, at every address."""

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from api.app import GROUPS
from api.auth import RIGHTS
from api.routing import Endpoint
from domain.errors import AlreadyExists, InvalidField, NotFound
from infra.postgres import Connection, application_dsn, connect
from infra.tokens import (
    ADMINISTRATOR_FILE,
    Role,
    create_token,
    ensure_administrator,
    find_token,
    list_tokens,
    revoke_token,
    token_hash,
)
from tests.support.api_server import Api

ENDPOINTS = [endpoint for group in GROUPS for endpoint in group]
PROTECTED = [endpoint for endpoint in ENDPOINTS if endpoint.right is not None]


def _name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def _ask(client: httpx.Client, endpoint: Endpoint) -> httpx.Response:
    """Ask for something that does not exist: it changes nothing, and who may not ask hears so first."""
    path = endpoint.path
    for part in ("register_id", "receipt_id", "shift_id", "document_id", "company_id"):
        path = path.replace(f"{{{part}}}", str(uuid4()))
    path = path.replace("{business_unit_id}", str(uuid4())).replace("{cashier_id}", str(uuid4()))
    answer = client.send(client.build_request(endpoint.method, path), stream=True)
    if answer.is_error:
        answer.read()
    # An event stream that is let in would not end.
    answer.close()
    return answer


@pytest.mark.parametrize("endpoint", PROTECTED, ids=_name)
class TestEveryAddress:
    def test_nobody_is_refused(self, api: Api, endpoint: Endpoint) -> None:
        with httpx.Client(base_url=api.url) as nobody:
            answer = _ask(nobody, endpoint)

        assert answer.status_code == 401
        assert answer.json()["code"] == "unauthenticated"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_only_roles_with_the_right_come_in(self, api: Api, endpoint: Endpoint) -> None:
        for role in Role:
            with api.client(role) as client:
                status = _ask(client, endpoint).status_code
            allowed = endpoint.right in RIGHTS[role]
            assert (status != 403) == allowed, f"{role} got {status}"
            assert status != 401


def test_wrong_token_is_refused(api: Api) -> None:
    with httpx.Client(base_url=api.url, headers={"Authorization": "Bearer fl_wrong"}) as client:
        assert client.get("/v1/receipts").status_code == 401


def test_revoked_token_stops_working_shortly(api: Api) -> None:
    with connect(api.dsn, name="test") as connection:
        token = create_token(connection, "тимчасовий", Role.AUDITOR)
        row = find_token(connection, token_hash(token))
        assert row is not None
        with httpx.Client(base_url=api.url, headers={"Authorization": f"Bearer {token}"}) as client:
            assert client.get("/v1/receipts").status_code == 200
            revoke_token(connection, row.token_id)
            deadline = time.monotonic() + 5
            while client.get("/v1/receipts").status_code != 401:
                assert time.monotonic() < deadline
                time.sleep(0.05)


class TestTokens:
    @pytest.fixture
    def connection(self, postgres_dsn: str) -> Iterator[Connection]:
        with connect(application_dsn(postgres_dsn), name="tokens test") as connection:
            yield connection

    def test_only_the_hash_is_kept(self, connection: Connection) -> None:
        token = create_token(connection, "каса 1", Role.CASHIER)

        stored = connection.execute("SELECT t::text FROM tokens t").fetchall()

        assert len(token) > 40
        assert token not in str(stored)
        assert find_token(connection, token_hash(token)) == list_tokens(connection)[0]

    def test_first_run_leaves_the_administrators_token_in_a_closed_file(
        self, connection: Connection, tmp_path: Path
    ) -> None:
        path = ensure_administrator(connection, tmp_path / "data")

        assert path == tmp_path / "data" / ADMINISTRATOR_FILE
        assert path.stat().st_mode & 0o777 == 0o600
        found = find_token(connection, token_hash(path.read_text().strip()))
        assert found is not None
        assert found.role is Role.ADMINISTRATOR
        assert [each.name for each in path.parent.iterdir()] == [ADMINISTRATOR_FILE]

    def test_later_runs_make_no_other(self, connection: Connection, tmp_path: Path) -> None:
        ensure_administrator(connection, tmp_path)
        before = (tmp_path / ADMINISTRATOR_FILE).read_text()

        assert ensure_administrator(connection, tmp_path) is None
        assert (tmp_path / ADMINISTRATOR_FILE).read_text() == before
        assert len(list_tokens(connection)) == 1

    def test_file_of_a_run_that_died_is_replaced(
        self, connection: Connection, tmp_path: Path
    ) -> None:
        (tmp_path / ADMINISTRATOR_FILE).write_text("fl_of_a_dead_run\n")

        path = ensure_administrator(connection, tmp_path)

        assert path is not None
        assert find_token(connection, token_hash(path.read_text().strip())) is not None

    def test_name_is_free_again_after_revocation(self, connection: Connection) -> None:
        create_token(connection, "каса 1", Role.CASHIER)
        with pytest.raises(AlreadyExists):
            create_token(connection, "каса 1", Role.CASHIER)
        revoke_token(connection, list_tokens(connection)[0].token_id)
        revoke_token(connection, list_tokens(connection)[0].token_id)

        assert create_token(connection, "каса 1", Role.CASHIER)
        with pytest.raises(InvalidField):
            create_token(connection, " ", Role.CASHIER)
        with pytest.raises(NotFound):
            revoke_token(connection, uuid4())
