"""Whether `fiscal up` runs in a data folder, and where its parts are found."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from infra.cli.console import Problem
from infra.settings import Settings

_LOCK = "up.lock"
_STANDING = "up.json"
_DEMO = "demo"
_PATIENCE_SECONDS = 1.0


@dataclass(frozen=True)
class Standing:
    """A running `fiscal up`: its process, the addresses of its parts, their processes by name."""

    pid: int
    api_url: str
    simulator_url: str | None
    parts: dict[str, int] = field(default_factory=dict)


@contextmanager
def held(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for one `fiscal up`. Raises: Problem when another one runs in it."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data_dir / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Problem(
            f"{data_dir} cannot be used: {error.strerror}.",
            next_step="Choose another folder with FISCAL_DATA_DIR.",
        ) from error
    try:
        # Somebody who only looks holds the lock for a moment.
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _taken(lock, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise _already_running(data_dir)
            time.sleep(0.02)
        yield
        (data_dir / _STANDING).unlink(missing_ok=True)
    finally:
        os.close(lock)


def write(data_dir: Path, standing: Standing) -> None:
    """Record where the parts are, whole or not at all."""
    path = data_dir / _STANDING
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(standing), indent=1) + "\n")
    draft.replace(path)


def read(data_dir: Path) -> Standing | None:
    """Return the `fiscal up` that runs in the data folder; None when none does."""
    try:
        lock = os.open(data_dir / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if _taken(lock, fcntl.LOCK_SH):
            return None
        return Standing(**json.loads((data_dir / _STANDING).read_text()))
    except FileNotFoundError:
        return None
    finally:
        os.close(lock)


def settings_of_running(settings: Settings) -> Settings:
    """Return the settings with what a running `fiscal up` of the folder decided by itself."""
    standing = read(settings.data_dir)
    if standing is None or settings.simulator_url is not None:
        return settings
    return settings.model_copy(update={"simulator_url": standing.simulator_url})


# --- demonstration ----------------------------------------------------------------------------------


def is_demo(data_dir: Path) -> bool:
    """Return whether the folder belongs to the demonstration network, which the tax service must not see."""
    return (data_dir / _DEMO).exists()


def mark_demo(data_dir: Path) -> None:
    """Give the folder to the demonstration network for good."""
    (data_dir / _DEMO).touch(mode=0o600)


def _taken(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _already_running(data_dir: Path) -> Problem:
    standing = read(data_dir)
    where = "" if standing is None else f" (process {standing.pid}, {standing.api_url})"
    return Problem(
        f"`fiscal up` already runs in {data_dir}{where}.",
        next_step="Use that one, stop it first, or choose another folder with FISCAL_DATA_DIR.",
    )
