"""A real signing agent in a process of its own, for tests."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from domain.errors import SignerUnavailable
from infra.signing.client import AgentSigner

ROOT = Path(__file__).parents[2]
START_SECONDS = 30


class AgentProcess:
    """Starts the agent in ``folder``, stops it at the end; can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.socket_path = folder / "signer" / "agent.sock"
        self.keys_folder = folder / "keys"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "AgentProcess":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.kill()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def spawn(self) -> "subprocess.Popen[str]":
        """Another agent process for the same socket, started and not waited for."""
        command = [sys.executable, "-m", "infra.signing.agent"]
        options = ["--socket", str(self.socket_path), "--keys", str(self.keys_folder)]
        return subprocess.Popen([*command, *options], cwd=ROOT, stderr=subprocess.PIPE, text=True)

    def start(self) -> None:
        """Start and wait until it answers."""
        self._process = self.spawn()
        until = time.monotonic() + START_SECONDS
        with AgentSigner(self.socket_path) as client:
            while True:
                try:
                    assert client.health()["pid"] == self._process.pid
                    return
                except SignerUnavailable:
                    assert self._process.poll() is None, self.output()
                    assert time.monotonic() < until, "the signing agent did not start"
                    time.sleep(0.02)

    def kill(self) -> None:
        """Kill it as a crash would, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to stop; gives its exit status."""
        return self._end(signal.SIGTERM)

    def output(self) -> str:
        assert self._process is not None
        assert self._process.stderr is not None
        return self._process.stderr.read()

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        process, self._process = self._process, None
        process.send_signal(number)
        process.communicate(timeout=START_SECONDS)
        return process.returncode
