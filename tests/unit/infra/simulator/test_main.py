"""``python -m infra.simulator`` as a process: it starts, remembers, and ends when told to."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from infra.simulator.kyiv import KYIV
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import company

Start = Callable[..., tuple[str, subprocess.Popen[str]]]


@pytest.fixture
def start(root: Path) -> Iterator[Start]:
    """Starts simulators on free ports; gives the address and the process, ends them all."""
    with ExitStack() as stack:

        def run(*options: str | Path) -> tuple[str, subprocess.Popen[str]]:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "infra.simulator", "--port", "0", *options],
                    cwd=root,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            words = process.stdout.readline().split()
            return words[-1].removesuffix("/admin"), process

        yield run


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "registry.json"
    path.write_text(json.dumps({"companies": [company().model_dump(mode="json")]}))
    return path


def ready(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=20)


def test_book_survives_a_kill(start: Start, tmp_path: Path, registry: Path) -> None:
    data = tmp_path / "data"
    url, process = start("--data-dir", data, "--registry", registry)
    local = datetime.now(UTC).astimezone(KYIV).replace(tzinfo=None)
    xml = make.open_shift(1, local).decode("windows-1251")
    with ready(url) as http:
        path = f"/admin/registers/{make.REGISTER}/foreign-document"
        number = http.post(path, json={"xml": xml}).json()["fiscal_number"]
    process.send_signal(signal.SIGKILL)
    process.wait(20)

    url, _ = start("--data-dir", data)

    with ready(url) as http:
        assert http.get(f"/admin/documents/{number}").json()["xml"] == xml
        assert http.get(f"/admin/book/{make.REGISTER}").json()["next_local_number"] == 2


def test_process_ends_when_told_to(start: Start) -> None:
    url, process = start()
    with ready(url) as http:
        assert http.get("/admin/health").is_success

    process.send_signal(signal.SIGTERM)

    assert process.wait(20) in (0, -signal.SIGTERM)


def test_switches_may_come_from_a_file(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "switches.json"
    path.write_text(json.dumps({"refusal_form": "ticket"}))
    url, _ = start("--switches", path, "--admin-port", "0")

    with ready(url) as http:
        assert http.get("/admin/switches").json()["switches"]["refusal_form"] == "ticket"
