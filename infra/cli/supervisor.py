"""Keeps child processes running: each is started again when it dies, after a pause that grows."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from infra.cli.child import GO
from infra.cli.parts import Part

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 30.0
"""Who ran for so long and then died starts again after the first pause."""


class Stopped(Exception):
    """A signal asked to stop while the parts were still starting."""


def pause_after(failures: int) -> float:
    """Return the pause in seconds before start number `failures` + 1: doubling up to the longest."""
    pause: float = FIRST_PAUSE_SECONDS * 2 ** min(failures - 1, 16)
    return min(pause, LONGEST_PAUSE_SECONDS)


def ending(status: int) -> str:
    """Return in words how a process ended."""
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


@dataclass(frozen=True, slots=True)
class Order:
    """How a part is run: arguments, environment, where its output goes, how long it may take to stop."""

    part: Part
    environment: Mapping[str, str]
    log: Path
    arguments: Sequence[str] = ()
    stop_seconds: float = 20.0


class Child:
    """One supervised part. It loads at once and begins at `go`."""

    def __init__(
        self, order: Order, *, tell: Callable[[str], None], spawned: Callable[[], None]
    ) -> None:
        """`tell` hears in words that the part died and when it starts again, `spawned` of each new process.

        Both are called from another thread.
        """
        self.name = order.part.name
        self.failures = 0
        self._order = order
        self._tell = tell
        self._spawned = spawned
        self._go = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        # A daemon: whatever becomes of this process, its end closes the links and so ends the parts.
        self._thread = threading.Thread(
            target=self._keep, name=f"keeper of {self.name}", daemon=True
        )

    @property
    def pid(self) -> int | None:
        """The process that runs now, if one does."""
        with self._lock:
            process = self._process
            return None if process is None or process.poll() is not None else process.pid

    @property
    def log(self) -> Path:
        """The file of its output."""
        return self._order.log

    def start(self) -> None:
        """Start the process; the part loads and waits for the word."""
        self._thread.start()

    def go(self) -> None:
        """Let the part begin, now and whenever it is started again."""
        with self._lock:
            self._go.set()
            self._give_word()

    def ask_to_stop(self) -> None:
        """Ask the part to finish what it does and end; it is not started again."""
        with self._lock:
            self._stopping.set()
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()

    def wait_until_stopped(self, hurry: Callable[[], bool]) -> bool:
        """Wait for the end; one that takes too long, or for whom `hurry` says so, is killed: False."""
        if not self._thread.is_alive():
            return True
        deadline = time.monotonic() + self._order.stop_seconds
        while time.monotonic() < deadline and not hurry():
            self._thread.join(timeout=0.05)
            if not self._thread.is_alive():
                return True
        with self._lock:
            if self._process is not None:
                self._process.kill()
        self._thread.join()
        return False

    def _keep(self) -> None:
        while not self._stopping.is_set():
            started = time.monotonic()
            process = self._spawn()
            self._spawned()
            status = process.wait()
            self._close_link()
            if self._stopping.is_set():
                return
            steady = time.monotonic() - started > STEADY_SECONDS
            self.failures = 1 if steady else self.failures + 1
            pause = pause_after(self.failures)
            self._tell(f"{self.name} {ending(status)}; it starts again in {pause:g} s")
            self._stopping.wait(pause)

    def _spawn(self) -> subprocess.Popen[bytes]:
        ours, theirs = socket.socketpair()
        order = self._order
        command = [sys.executable, "-P", "-m", "infra.cli.child", str(theirs.fileno())]
        # In a session of its own: Ctrl-C in the terminal reaches `fiscal up` alone, which stops all in order.
        with self._lock, _opened(order.log) as output, theirs:
            self._process = subprocess.Popen(
                [*command, order.part.entry, *order.arguments],
                env=order.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
            self._link = ours
            if self._go.is_set():
                self._give_word()
            if self._stopping.is_set():
                self._process.terminate()
            return self._process

    def _give_word(self) -> None:
        if self._link is not None:
            try:
                self._link.send(GO)
            except OSError:
                # It died before it could begin; its keeper sees that and starts another.
                return

    def _close_link(self) -> None:
        with self._lock:
            link, self._link = self._link, None
            if link is not None:
                link.close()


def _opened(log: Path) -> IO[bytes]:
    return open(log, "ab", opener=lambda name, flags: os.open(name, flags, 0o600))
