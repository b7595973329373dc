"""A real `fiscal up` in a process of its own, with a data folder and free ports of its own, for tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

FISCAL = Path(sys.executable).with_name("fiscal")
READY = "Ctrl-C stops"
START_SECONDS = 120
STOP_SECONDS = 60


def environment(data_dir: Path) -> dict[str, str]:
    """The environment of a person who has set nothing but the data folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FISCAL_")}
    return kept | {
        "FISCAL_DATA_DIR": str(data_dir),
        "HOME": str(data_dir.parent),
        # A test that runs shortly before midnight keeps its shifts.
        "FISCAL_CLOSE_SHIFTS_BY_THEMSELVES": "false",
    }


def eventually(claim: Callable[[], bool], *, seconds: float = 60) -> bool:
    """Whether a claim comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if claim():
            return True
        time.sleep(0.1)
    return False


class FiscalUp:
    """`fiscal up --demo`; can be stopped, killed, and started again in the same folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.output = ""
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    # --- its life ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start and wait until it has said all that it says."""
        self.output = ""
        self._process = subprocess.Popen(
            [FISCAL, "up", "--demo", "--port", "0", "--simulator-port", "0"],
            env=environment(self.data_dir),
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=[self._process])
        self._reader.start()
        started = eventually(
            lambda: READY in self.output or self.pid is None, seconds=START_SECONDS
        )
        assert started, self.output
        assert READY in self.output, self.output

    def stop(self) -> int:
        """Ask it to stop; gives its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it alone, as nothing else would."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Leave nothing running, whatever a test did."""
        if self._process is not None:
            self.stop()
        for process in self.processes():
            process.kill()

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        assert self._reader is not None
        process, self._process = self._process, None
        process.send_signal(number)
        status = process.wait(timeout=STOP_SECONDS)
        self._reader.join()
        return status

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.output += line

    # --- what it started --------------------------------------------------------------------------------------

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for this data folder."""
        found = []
        for process in psutil.process_iter():
            try:
                ours = process.environ().get("FISCAL_DATA_DIR") == str(self.data_dir)
            except psutil.Error:
                continue
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        return found

    def standing(self) -> dict[str, Any]:
        """What it says about itself to other commands."""
        content: dict[str, Any] = json.loads((self.data_dir / "up.json").read_text())
        return content

    def part(self, name: str) -> int:
        """The process of a part."""
        number: int = self.standing()["parts"][name]
        return number

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command for the same data folder."""
        return subprocess.run(
            [FISCAL, *arguments],
            env=environment(self.data_dir),
            cwd="/",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    # --- its parts over HTTP ----------------------------------------------------------------------------------

    def curl_line(self) -> str:
        """The command it printed for a further sale."""
        start = self.output.index("curl -sS")
        return self.output[start : self.output.index("\n\n", start)]

    def curl(self) -> dict[str, Any]:
        """Run that command in a shell, as a person who pasted it; without curl the test is skipped."""
        if shutil.which("curl") is None:
            pytest.skip("curl is not installed")
        done = subprocess.run(
            ["sh", "-c", self.curl_line()], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        content: dict[str, Any] = json.loads(done.stdout)
        return content

    def get(self, path: str) -> dict[str, Any]:
        """Ask the API."""
        return self._api("GET", path)

    def post(self, path: str, body: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """Tell the API, and wait a little for the outcome."""
        return self._api(
            "POST", path, json=dict(body), headers={"Idempotency-Key": key, "Prefer": "wait=10"}
        )

    def _api(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        token = (self.data_dir / "admin.token").read_text().strip()
        with httpx.Client(
            base_url=self.standing()["api_url"],
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
            trust_env=False,
        ) as client:
            answer = client.request(method, path, **more)
        assert answer.is_success, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def simulator(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """Ask or tell the simulator's administrator."""
        answer = httpx.request(
            method, f"{self.standing()['simulator_url']}/admin/{path}", trust_env=False, **more
        )
        assert answer.is_success, answer.text
        content: dict[str, Any] = answer.json()
        return content
