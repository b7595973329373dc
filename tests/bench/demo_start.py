"""From `fiscal up --demo` in an empty folder to the first receipt with its fiscal number, everything installed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.context import Context
from tests.bench.figures import Figure, median

_WORD = b"registered"
_PATIENCE_SECONDS = 300.0


def measure(context: Context) -> list[Figure]:
    """Return `demo_start_s`."""
    starts = [_start(context.folder / f"data-{number}") for number in range(context.pick(3, 1))]
    return [
        Figure(
            name="demo_start_s",
            value=median(starts),
            unit="s",
            now=20,
            lower_is_better=True,
            detail=f"{', '.join(f'{each:.1f}' for each in starts)} s, each with a new database",
        )
    ]


def _start(folder: Path) -> float:
    """Start the demonstration, stop it after the first receipt; return the seconds until that."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("FISCAL_")},
        "FISCAL_DATA_DIR": str(folder),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-P", "-m", "infra.cli", "up", "--demo", "--quiet"]
    ports = ["--port", "0", "--simulator-port", "0"]
    started = time.monotonic()
    with subprocess.Popen(
        [*command, *ports], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            return _seconds_until_said(process, started)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=_PATIENCE_SECONDS)


def _seconds_until_said(process: subprocess.Popen[bytes], started: float) -> float:
    assert process.stdout is not None
    said = b""
    for line in process.stdout:
        said += line
        if _WORD in line:
            return time.monotonic() - started
    raise AssertionError(f"the demonstration did not come to its first receipt: {said.decode()}")
