"""Waiting for the parts in the order of what they need, all at the same time, and showing it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

import psycopg
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from domain.errors import StoreUnavailable
from infra.bootstrap import owner_dsn
from infra.cli import parts, readiness, standing
from infra.cli.console import Problem, err, out
from infra.cli.logs import last_lines, short
from infra.cli.parts import Part
from infra.cli.supervisor import Child, Stopped
from infra.cli.trust import trust_simulator
from infra.postgres import connect, migrate
from infra.settings import Settings
from infra.tokens import ADMINISTRATOR_FILE

_LOOK_SECONDS = 0.03
_MOST_FAILURES = 3
_LONGEST_SECONDS = 300.0

_LIVE_REGISTER = """
    SELECT fiscal_number FROM projections.structure_registers WHERE live ORDER BY 1 LIMIT 1
"""


class Starting:
    """Lets parts begin as soon as what they need is there, and waits for all of them."""

    def __init__(
        self, settings: Settings, children: Mapping[Part, Child], stop: threading.Event
    ) -> None:
        self._settings = settings
        self._children = children
        self._stop = stop
        self._threads = ThreadPoolExecutor(len(children), "readiness")
        self._deadline = time.monotonic() + _LONGEST_SECONDS
        self._given_up = False
        self._progress = Progress(
            TextColumn("Starting"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=err,
            transient=True,
            disable=not err.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()
        self._given_up = True
        self._threads.shutdown(cancel_futures=True)

    def run(self, *, api_url: str) -> None:
        """Return when every part is ready. Raises: Problem naming the part that cannot start, Stopped."""
        started = time.monotonic()
        waits: dict[str, Future[None]] = {
            "database": self._threads.submit(self._database, api_url),
            "signer": self._threads.submit(self._signer),
        }
        if parts.SIMULATOR in self._children:
            waits["simulator"] = self._threads.submit(self._simulator)
        task = self._progress.add_task("", total=len(waits), note="")
        done: set[str] = set()
        while len(done) < len(waits):
            if self._stop.is_set():
                raise Stopped
            self._refuse_hopeless()
            for name, wait in waits.items():
                if wait.done() and name not in done:
                    wait.result()
                    done.add(name)
            missing = ", ".join(sorted(set(waits) - done))
            self._progress.update(task, completed=len(done), note=f"waiting for {missing}")
            time.sleep(_LOOK_SECONDS)
        seconds = time.monotonic() - started
        out.print(
            f"[green]✓[/] {', '.join(c.name for c in self._children.values())}: {seconds:.1f} s"
        )

    # --- one part after what it needs -----------------------------------------------------------------

    def _database(self, api_url: str) -> None:
        """Wait for the database, migrate it, then let those begin that need it, and wait for them."""
        if parts.DATABASE in self._children:
            self._children[parts.DATABASE].go()
        dsn = self._migrated()
        if self._is_demo and not standing.is_demo(self._settings.data_dir):
            self._refuse_live(dsn)
            standing.mark_demo(self._settings.data_dir)
        self._children[parts.API].go()
        self._children[parts.PROJECTOR].go()
        if self._is_demo:
            # The worker reads once whom it trusts.
            self._until(readiness.answers(f"{self._settings.simulator_url}/admin/health"))
            trust_simulator(self._settings)
        self._children[parts.WORKER].go()
        self._until(readiness.answers(f"{api_url}/ready"))
        self._until(readiness.is_connected(dsn, "projector"))
        self._until(readiness.is_connected(dsn, "worker waker", "fiscal waker"))

    def _signer(self) -> None:
        self._children[parts.SIGNER].go()
        self._until(readiness.signs(self._settings.signer_socket))

    def _simulator(self) -> None:
        self._children[parts.SIMULATOR].go()
        self._until(readiness.answers(f"{self._settings.simulator_url}/admin/health"))

    @property
    def _is_demo(self) -> bool:
        return parts.SIMULATOR in self._children

    def _migrated(self) -> str:
        """Wait until the database is there and has all migrations; return the owner's DSN."""
        while True:
            try:
                dsn = owner_dsn(self._settings)
                migrate(dsn)
            except (psycopg.OperationalError, StoreUnavailable) as error:
                reason = str(error).strip()
            else:
                return dsn
            self._pause(f"the database: {reason}")

    def _until(self, look: readiness.Look) -> None:
        while not look():
            self._pause("all parts")

    def _pause(self, what: str) -> None:
        if self._given_up or self._stop.is_set():
            raise Stopped
        if time.monotonic() > self._deadline:
            raise Problem(
                f"Waited {_LONGEST_SECONDS:.0f} s in vain for {what}.",
                next_step="See the logs, and `fiscal doctor` in another window.",
            )
        time.sleep(_LOOK_SECONDS)

    # --- what makes waiting hopeless ------------------------------------------------------------------

    def _refuse_hopeless(self) -> None:
        for child in self._children.values():
            if child.failures >= _MOST_FAILURES:
                words = [short(child.name, line)[0] for line in last_lines(child.log, count=5)]
                raise Problem(
                    "\n".join([f"The {child.name} does not start. It said:", *words]),
                    next_step=f"The whole log is {child.log}.",
                )

    @staticmethod
    def _refuse_live(dsn: str) -> None:
        """Keep registers that create tax obligations away from the simulator. Raises: Problem."""
        with connect(dsn, name="fiscal up") as connection:
            found = connection.execute(_LIVE_REGISTER).fetchone()
        if found is not None:
            raise Problem(
                f"This database has live registers ({found[0]}): --demo would send their documents "
                "to the simulator.",
                next_step="Choose another folder with FISCAL_DATA_DIR, or leave --demo out.",
            )


def say_administrator(settings: Settings) -> None:
    """Print the administrator's token once: at the first start that finds it."""
    file = settings.data_dir / ADMINISTRATOR_FILE
    shown = settings.data_dir / f"{ADMINISTRATOR_FILE}.shown"
    if not file.exists():
        out.print("Tokens         `fiscal tokens create NAME --role administrator` makes one")
    elif shown.exists():
        out.print(f"Administrator  token in {file}", soft_wrap=True)
    else:
        shown.touch(mode=0o600)
        out.print(
            f"Administrator  {file.read_text().strip()}  (shown once, kept in {file})",
            soft_wrap=True,
        )
