"""The logs of all parts: a file each, and a short view of them together."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

LARGEST_LOG_BYTES = 20_000_000
"""A longer file is put aside as `NAME.log.1` and begun again."""
_LOOK_SECONDS = 0.25
_LONGEST_LINE = 400

_HIDDEN = {"event", "level", "timestamp", "part", "exception", "stack"}
_STYLES = {"warning": "yellow", "error": "red", "critical": "red"}


def short(part: str, line: str) -> tuple[str, str | None]:
    """Return a log line for a terminal, and its style: JSON becomes `time part event name=value …`."""
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict):
        return f"{'':8} {part:9} {line[:_LONGEST_LINE]}", None
    words = [_time(entry), f"{part:9}", str(entry.get("event", ""))]
    words += [f"{name}={value}" for name, value in entry.items() if name not in _HIDDEN]
    exception = entry.get("exception")
    if isinstance(exception, str):
        words.append(f"({exception.strip().splitlines()[-1]})")
    return " ".join(words)[:_LONGEST_LINE], _STYLES.get(str(entry.get("level")))


def last_lines(log: Path, *, count: int) -> list[str]:
    """Return the last lines of a log as they are."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 64_000))
        return file.read().decode(errors="replace").splitlines()[-count:]


class LogTail:
    """Follows the files of all parts and hands each new line on; parts write their files themselves.

    So no part waits for whoever reads: not for a terminal that is stopped, not for this process.
    """

    def __init__(self, logs: Mapping[str, Path], hear: Callable[[str, str], None]) -> None:
        """`hear` gets the part and the line, from a thread of its own."""
        self._logs = dict(logs)
        self._hear = hear
        self._offsets = {
            part: log.stat().st_size if log.exists() else 0 for part, log in logs.items()
        }
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Hand the last lines on and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Hand on what is new now."""
        for part, log in self._logs.items():
            if log.exists():
                self._look_at(part, log)

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            self.look()
        self.look()

    def _look_at(self, part: str, log: Path) -> None:
        with log.open("rb") as file:
            if file.seek(0, 2) < self._offsets[part]:
                self._offsets[part] = 0
            file.seek(self._offsets[part])
            new = file.read()
        complete = new[: new.rfind(b"\n") + 1]
        self._offsets[part] += len(complete)
        for line in complete.decode(errors="replace").splitlines():
            self._hear(part, line)
        if self._offsets[part] > LARGEST_LOG_BYTES:
            self._put_aside(part, log)

    def _put_aside(self, part: str, log: Path) -> None:
        """Copy and empty the file: the part holds it open and appends to its end, wherever that is."""
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        with log.open("r+b") as file:
            file.truncate(0)
        self._offsets[part] = 0


def _time(entry: Mapping[str, Any]) -> str:
    try:
        moment = datetime.fromisoformat(str(entry["timestamp"]))
    except (KeyError, ValueError):
        return " " * 8
    return moment.astimezone().strftime("%H:%M:%S")
