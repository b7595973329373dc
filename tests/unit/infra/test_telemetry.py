"""What reaches standard error when a part logs, asked of a process of its own."""

import json
import os
import subprocess
import sys

import pytest

_PROGRAM = """
import logging
import structlog
from infra.settings import Settings
from infra.telemetry import configure_logs

configure_logs(Settings(), part="api")
logging.getLogger("library").warning("cannot reach %s", "the database")

def open_key(password):
    raise ValueError("the key does not open")

try:
    open_key("hunter" + str(2))
except ValueError:
    structlog.get_logger().exception("ours failed")
    logging.getLogger("library").exception("theirs failed")
"""


def _logged(*, as_json: bool) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, "FISCAL_LOG_JSON": str(as_json)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


def test_every_line_is_json_whoever_wrote_it() -> None:
    lines = [json.loads(line) for line in _logged(as_json=True).splitlines()]

    assert [(line["event"], line["level"], line["part"]) for line in lines] == [
        ("cannot reach the database", "warning", "api"),
        ("ours failed", "error", "api"),
        ("theirs failed", "error", "api"),
    ]
    assert all("the key does not open" in line["exception"] for line in lines[1:])


@pytest.mark.parametrize("as_json", [True, False])
def test_no_exception_shows_what_its_functions_held(as_json: bool) -> None:
    logged = _logged(as_json=as_json)

    assert logged.count("the key does not open") == 2
    assert "hunter2" not in logged
