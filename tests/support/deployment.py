"""Every part as a child process of its own, in one data folder: what chaos kills and benches measure."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import httpx
import psycopg

from infra.cli import parts as program
from infra.cli import readiness
from infra.cli.trust import trust_simulator
from infra.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from infra.postgres import application_dsn, connect, migrate
from infra.settings import Settings
from infra.tokens import ADMINISTRATOR_FILE

READY_SECONDS = 120.0
_STOP_SECONDS = 75.0
_LOOK_SECONDS = 0.1


class NotReady(AssertionError):
    """A part did not become ready in time; the text names it and its log."""


class Part:
    """One child process that can be killed and is started again by whoever keeps it."""

    def __init__(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.log = log
        self.kills = 0
        self.ended_by_itself = 0
        self.rest_until = 0.0
        self._command = list(command)
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill it as a crash would."""
        if self.is_alive():
            assert self._process is not None
            self.kills += 1
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Ask it to stop; one that takes too long is killed."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def note_end(self) -> None:
        """Take note that it was found dead without having been killed."""
        self.ended_by_itself += 1
        self.rest_until = time.monotonic() + 0.3


class Database:
    """The private PostgreSQL, with the face of a part."""

    name = "postgres"

    def __init__(self, folder: Path) -> None:
        self.kills = 0
        self.ended_by_itself = 0
        self.rest_until = 0.0
        self._server = EmbeddedPostgres(folder)
        self.log = folder / "log"

    @property
    def dsn(self) -> str:
        dsn = self._server.dsn_if_running()
        assert dsn is not None, "the database does not run"
        return dsn

    def is_alive(self) -> bool:
        return self._server.dsn_if_running() is not None

    def start(self) -> None:
        self._server.stop()
        try:
            self._server.start()
        except (EmbeddedPostgresError, psycopg.Error) as error:
            # Whoever keeps it looks again; what never comes up is missed by everybody.
            with (self.log.parent / "start.log").open("a") as log:
                log.write(f"{error}\n")

    def kill(self) -> None:
        """Kill the server; its children are left to find out."""
        pid_file = self._server.pgdata / "postmaster.pid"
        if self.is_alive():
            self.kills += 1
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
            while self.is_alive():
                time.sleep(0.02)

    def stop(self) -> None:
        self._server.stop()

    def note_end(self) -> None:
        self.ended_by_itself += 1


class GivenDatabase:
    """A database that somebody else runs, with the face of a part."""

    name = "postgres"

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.kills = 0
        self.ended_by_itself = 0
        self.rest_until = 0.0

    def is_alive(self) -> bool:
        return True

    def start(self) -> None:
        """It runs already."""

    def kill(self) -> None:
        raise AssertionError("somebody else's database is not killed")

    def stop(self) -> None:
        """Whoever runs it stops it."""

    def note_end(self) -> None:
        """It never ends here."""


class Deployment:
    """All parts; a context manager that starts them and stops them. `changes` are settings by name.

    Without `dsn` it has a private PostgreSQL of its own; without `projects` no projector runs.
    """

    def __init__(
        self,
        folder: Path,
        *,
        dsn: str | None = None,
        workers: int = 1,
        projects: bool = True,
        **changes: object,
    ) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True)
        self._ports = dict(zip(("api", "simulator", "admin"), free_ports(3), strict=True))
        self.metrics_ports = free_ports(workers)
        self.api_url = f"http://127.0.0.1:{self._ports['api']}"
        self.admin_url = f"http://127.0.0.1:{self._ports['admin']}"
        self.settings = Settings(
            data_dir=folder,
            api_port=self._ports["api"],
            simulator_url=f"http://127.0.0.1:{self._ports['simulator']}",
            # A test that runs shortly before midnight keeps its shifts.
            close_shifts_by_themselves=False,
            **changes,  # type: ignore[arg-type]
        )
        names = {
            "data_dir",
            "api_port",
            "simulator_url",
            "close_shifts_by_themselves",
            *changes,
        }
        given = self.settings.model_dump(mode="json", include=names)
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("FISCAL_")},
            **{f"FISCAL_{name.upper()}": str(value) for name, value in given.items()},
        }
        if dsn is not None:
            self._environment["FISCAL_DATABASE_DSN"] = dsn
        self.postgres = Database(folder / "postgres") if dsn is None else GivenDatabase(dsn)
        self.signer = self._part(program.SIGNER)
        self.api = self._part(program.API)
        self.projectors = (self._part(program.PROJECTOR),) if projects else ()
        self.workers = tuple(
            self._part(program.WORKER, name=f"worker-{number}", FISCAL_METRICS_PORT=str(port))
            for number, port in enumerate(self.metrics_ports, 1)
        )
        self.simulator = self._part(
            program.SIMULATOR,
            "--port",
            str(self._ports["simulator"]),
            "--admin-port",
            str(self._ports["admin"]),
            "--data-dir",
            str(folder / "simulator"),
        )
        self._keepers: list[threading.Thread] = []
        self._let_go = threading.Event()
        self.up = threading.Event()

    @property
    def parts(self) -> tuple[AnyPart, ...]:
        """All parts, in the order they start."""
        first = (self.postgres, self.signer, self.simulator)
        return (*first, self.api, *self.projectors, *self.workers)

    @property
    def dsn(self) -> str:
        """The owner's DSN."""
        return self.postgres.dsn

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the database, signer and simulator, then what needs them, and wait until all are ready."""
        self.postgres.start()
        migrate(self.dsn)
        self.signer.start()
        self.simulator.start()
        self.until(readiness.answers(f"{self.admin_url}/admin/health"), "simulator")
        trust_simulator(self.settings)
        self.until(readiness.signs(self.settings.signer_socket), "signer")
        for part in (self.api, *self.projectors, *self.workers):
            part.start()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return when every part answers or is connected. Raises: NotReady."""
        self.until(self.postgres.is_alive, "postgres")
        self.until(readiness.answers(f"{self.admin_url}/admin/health"), "simulator")
        self.until(readiness.answers(f"{self.api_url}/ready"), "api")
        if self.projectors:
            dsn = application_dsn(self.dsn)
            self.until(readiness.is_connected(dsn, "projector"), "projector")
        self.until(self._workers_listen, "worker")

    def keep(self) -> None:
        """Start again whatever dies, each part by a thread of its own, until `stop`."""
        for part in self.parts:
            keeper = threading.Thread(target=self._keep, args=[part], name=f"keeper {part.name}")
            keeper.start()
            self._keepers.append(keeper)

    def stop(self) -> None:
        """Stop all parts, those that need others first."""
        self._let_go.set()
        for keeper in self._keepers:
            keeper.join()
        for part in reversed(self.parts):
            part.stop()

    def token(self) -> str:
        """The administrator's token."""
        return (self.folder / ADMINISTRATOR_FILE).read_text().strip()

    def client(self, *, timeout: float = 60.0) -> httpx.Client:
        """A client of the API with the administrator's token."""
        return httpx.Client(
            base_url=self.api_url,
            headers={"Authorization": f"Bearer {self.token()}"},
            timeout=timeout,
            trust_env=False,
        )

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the simulator's administrator. Raises: httpx.HTTPError."""
        options: dict[str, Any] = {"json": body or {}} if method in ("POST", "PUT") else {}
        answer = httpx.request(
            method, f"{self.admin_url}/admin/{path}", timeout=30, trust_env=False, **options
        )
        answer.raise_for_status()
        return answer.json()

    def until(self, look: Callable[[], bool], what: str) -> None:
        """Wait until `look` says yes. Raises: NotReady."""
        deadline = time.monotonic() + READY_SECONDS
        while not look():
            if time.monotonic() > deadline:
                raise NotReady(f"{what} is not ready after {READY_SECONDS:.0f} s; see {self.logs}")
            time.sleep(_LOOK_SECONDS)

    def _workers_listen(self) -> bool:
        query = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name = 'worker waker' AND datname = current_database()"
        )
        try:
            with connect(self.dsn, name="deployment") as connection:
                return connection.execute(query).fetchone() == (len(self.workers),)
        except psycopg.OperationalError:
            return False

    def _keep(self, part: AnyPart) -> None:
        while not self._let_go.wait(_LOOK_SECONDS):
            if part.is_alive() or time.monotonic() < part.rest_until:
                continue
            if part.rest_until == 0.0:
                part.note_end()
                continue
            part.start()
            part.rest_until = 0.0

    def _part(self, part: program.Part, *arguments: str, name: str = "", **more: str) -> Part:
        name = name or part.name
        return Part(
            name,
            part.command(arguments),
            environment={**self._environment, **more},
            log=self.logs / f"{name}.log",
        )


AnyPart: TypeAlias = Part | Database | GivenDatabase


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody uses now, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
