"""`python -m api` as a process of its own: how it starts, serves and stops."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infra.tokens import ADMINISTRATOR_FILE


class Process:
    """The running part, with what it wrote so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: queue.Queue[str] = queue.Queue()
        assert process.stderr is not None
        self._reader = threading.Thread(target=self._read, args=[process.stderr])
        self._reader.start()

    def _read(self, stream: Any) -> None:
        for line in stream:
            self.lines.put(line)

    def event(self, name: str) -> dict[str, Any]:
        """The first log line of an event; what libraries write is passed over."""
        while True:
            text = self.lines.get(timeout=30)
            line: dict[str, Any] = json.loads(text) if text.startswith("{") else {}
            if line.get("event") == name:
                return line

    def stop(self, sent: signal.Signals) -> int:
        self.process.send_signal(sent)
        code = self.process.wait(timeout=20)
        self._reader.join()
        return code


@contextmanager
def _running(dsn: str, data_dir: Path, **changes: str) -> Iterator[Process]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FISCAL_")},
        "FISCAL_DATABASE_DSN": dsn,
        "FISCAL_DATA_DIR": str(data_dir),
        "FISCAL_API_PORT": "0",
        **changes,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "api"], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Process(process)
        finally:
            if process.poll() is None:
                process.kill()


def test_first_run_makes_a_token_serves_and_lets_held_calls_go_when_told_to_stop(
    postgres_dsn: str, tmp_path: Path
) -> None:
    with _running(postgres_dsn, tmp_path) as running:
        place = running.event("listening")
        url = f"http://{place['host']}:{place['port']}"
        token = (tmp_path / ADMINISTRATOR_FILE).read_text().strip()
        with httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=10
        ) as client:
            named = client.post(
                "/v1/network", json={"name": "Калина"}, headers={"Idempotency-Key": str(uuid4())}
            )
            ready = client.get("/ready")
            with client.stream("GET", "/v1/events/stream") as stream:
                lines = stream.iter_lines()
                next(lines)
                code = running.stop(signal.SIGTERM)
                rest = list(lines)

    assert named.status_code == 200, named.text
    # Everything is there but the signing agent, which is a process of its own.
    assert ready.status_code == 503
    assert [check["name"] for check in ready.json()["checks"] if not check["ok"]] == ["signer"]
    assert code == 0
    assert "data" not in "".join(rest)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"FISCAL_API_PORT": "many"}, "FISCAL_API_PORT"),
        ({"FISCAL_LEASE_SECONDS": "1"}, "lease_seconds"),
    ],
)
def test_impossible_setting_stops_the_start_and_is_named(
    postgres_dsn: str, tmp_path: Path, change: dict[str, str], said: str
) -> None:
    with _running(postgres_dsn, tmp_path, **change) as running:
        assert running.process.wait(timeout=30) == 1
        assert said in running.lines.get(timeout=5)


def test_database_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    missing = f"postgresql:///none?host={tmp_path}"
    with _running(missing, tmp_path) as running:
        assert running.event("cannot-start")["part"] == "api"
        assert running.process.wait(timeout=30) == 1
