"""The API over a real PostgreSQL behind a real HTTP server, in this process."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from api.app import create_app
from api.assembly import parts_over
from api.dependencies import Parts
from api.metrics import Metrics
from domain.clock import Clock, SystemClock
from domain.ledger import FiscalLedger
from infra.event_store.follower import FeedFollower
from infra.event_store.lanes import PostgresLanes
from infra.event_store.projector import ProjectorThread
from infra.event_store.store import PostgresStore
from infra.interpreter import allow_open_files
from infra.postgres import application_dsn, connect
from infra.settings import Settings
from infra.tokens import Role, create_token
from projections.catalogue import PROJECTIONS
from tests.support.cheap_signer import CheapSigner
from tests.support.lane_player import LanePlayer

FAST = 0.05


@dataclass
class Api:
    """A running API: `player` works on lanes, `http` is the administrator's client, `follower` brings it the log."""

    url: str
    dsn: str
    parts: Parts
    store: PostgresStore
    follower: FeedFollower
    player: LanePlayer
    tokens: dict[Role, str]
    http: httpx.Client

    def client(self, role: Role) -> httpx.Client:
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.tokens[role]}"},
            timeout=30,
        )

    def post(
        self, path: str, body: object = None, *, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """POST with a new idempotency key unless one is given; header names have `_` for `-`."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        options: dict[str, Any] = {} if body is None else {"json": body}
        return self.http.post(
            path, headers={"Idempotency-Key": key or str(uuid4()), **names}, **options
        )

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(path, params=query)

    def log_length(self) -> int:
        """How many events there are: what a refused request must leave as it is."""
        return sum(self.store.heads().positions)


@dataclass
class Outlet:
    """A register with what belongs to it, made through the API."""

    api: Api
    company_id: UUID
    unit_id: UUID
    cashier_id: UUID
    register_id: UUID

    @property
    def path(self) -> str:
        return f"/v1/registers/{self.register_id}"

    def open(self) -> None:
        """Open a shift and have it registered."""
        answer = self.api.post(f"{self.path}/shifts", {"cashier_id": str(self.cashier_id)})
        assert answer.status_code == 202, answer.text
        self.api.player.run(self.register_id)

    def sell(self, body: object = None, **headers: str) -> httpx.Response:
        return self.api.post(f"{self.path}/receipts", sale() if body is None else body, **headers)


def sale(**changes: Any) -> dict[str, Any]:
    """A sale of one loaf in cash."""
    body = {
        "lines": [
            {
                "name": "Хліб житній",
                "quantity_thousandths": 1000,
                "price_kopecks": 2748,
                "letters": "А",
            }
        ],
        "payments": [{"form": "cash", "provided_kopecks": 5000}],
    }
    return {**body, **changes}


def declared_app() -> FastAPI:
    """The application with nothing behind it: what it declares can be looked at, nothing can be asked."""
    settings = Settings()

    class OnlyDeclared:
        """Declaring endpoints asks for nothing but these two."""

    parts: Any = OnlyDeclared()
    parts.settings, parts.metrics = settings, Metrics()
    return create_app(settings, parts)


def new_outlet(api: Api, *, opens_with_first_sale: bool = False) -> Outlet:
    """Make a company, a unit, a cashier and a register with numbers nobody else has."""
    number = uuid4().int % 10**9
    company = made(
        api.post(
            "/v1/companies",
            {"tax_id": f"{number % 10**8:08d}", "vat_number": "999000110019", "name": "ТОВ Калина"},
        )
    )
    unit = made(
        api.post(
            "/v1/business-units",
            {"company_id": company["company_id"], "name": "Магазин", "address": "Львів"},
        )
    )
    cashier = made(
        api.post(
            "/v1/cashiers",
            {"company_id": company["company_id"], "name": "Приклад О. П.", "key_id": "olena"},
        )
    )
    register = made(
        api.post(
            "/v1/registers",
            {
                "business_unit_id": unit["business_unit_id"],
                "fiscal_number": f"4{number:09d}",
                "local_number": 1,
                "name": "Каса 1",
                "live": False,
                "settings": {"opens_with_first_sale": opens_with_first_sale},
            },
        )
    )
    return Outlet(
        api=api,
        company_id=UUID(company["company_id"]),
        unit_id=UUID(unit["business_unit_id"]),
        cashier_id=UUID(cashier["cashier_id"]),
        register_id=UUID(register["register_id"]),
    )


def made(answer: httpx.Response) -> dict[str, Any]:
    """Return what an answer says was made."""
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


@contextmanager
def running_api(
    owner_dsn: str, data_dir: Path, *, clock: Clock | None = None, **changes: Any
) -> Iterator[Api]:
    """Run the API with its projections over a migrated database; `changes` are settings."""
    allow_open_files()
    settings = Settings(
        data_dir=data_dir, database_dsn=SecretStr(owner_dsn), remember_tokens_seconds=0.2, **changes
    )
    dsn = application_dsn(owner_dsn)
    signer = CheapSigner()
    with ExitStack() as stack:
        store = PostgresStore(dsn, name="api test")
        stack.callback(store.close)
        follower = FeedFollower(store, dsn, name="api test", poll_seconds=FAST)
        ledger = FiscalLedger(store=store, signer=signer, clock=clock or SystemClock())
        parts = stack.enter_context(
            parts_over(settings, dsn=dsn, store=store, follower=follower, ledger=ledger)
        )
        stack.enter_context(_projecting(dsn, follower))
        follower.start()
        stack.callback(follower.stop)
        workers_store = PostgresStore(dsn, name="player", pool_size=2)
        stack.callback(workers_store.close)
        player = LanePlayer(workers_store, PostgresLanes(workers_store), signer)
        with connect(dsn, name="tokens") as connection:
            tokens = {role: create_token(connection, role.value, role) for role in Role}
        url = stack.enter_context(_served(settings, parts))
        http = stack.enter_context(
            httpx.Client(
                base_url=url,
                headers={"Authorization": f"Bearer {tokens[Role.ADMINISTRATOR]}"},
                timeout=30,
            )
        )
        yield Api(url, dsn, parts, store, follower, player, tokens, http)


@contextmanager
def _projecting(dsn: str, follower: FeedFollower) -> Iterator[None]:
    stop = threading.Event()
    runners = [ProjectorThread(projection(), dsn, poll_seconds=FAST) for projection in PROJECTIONS]
    threads = [threading.Thread(target=runner.run, args=[stop]) for runner in runners]

    def wake(_: object) -> None:
        for runner in runners:
            runner.wake()

    follower.subscribe(wake)
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        wake(None)
        for thread in threads:
            thread.join()


@contextmanager
def _served(settings: Settings, parts: Parts) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(
        create_app(settings, parts),
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < deadline, "the API did not start"
            assert thread.is_alive(), "the API stopped at its start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
