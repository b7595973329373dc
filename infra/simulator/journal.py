"""The simulator's memory on disk: what was registered and accepted, one JSON line each.

Read again at start, so that a restarted simulator knows its registers, numbers and documents.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import orjson

Entry = dict[str, Any]


class Journal(Protocol):
    """Where entries go and come from."""

    def append(self, entry: Entry) -> None:
        """Keep one entry."""
        ...

    def entries(self) -> Iterator[Entry]:
        """All entries kept so far, oldest first."""
        ...

    def clear(self) -> None:
        """Forget all entries."""
        ...

    def close(self) -> None:
        """Take no more entries."""
        ...


class NoJournal:
    """Keeps nothing: the simulator's memory ends with its process."""

    def append(self, entry: Entry) -> None:
        """Keep nothing."""

    def entries(self) -> Iterator[Entry]:
        """Nothing was kept."""
        return iter(())

    def clear(self) -> None:
        """There is nothing to forget."""

    def close(self) -> None:
        """There is nothing to close."""


class FileJournal:
    """Appends to a file; each line reaches the system before the answer leaves.

    A line cut short by a killed process is the last one and was never answered for; it is dropped.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._drop_half_line()
        self._file = path.open("ab", buffering=0)

    def append(self, entry: Entry) -> None:
        """Write one line."""
        self._file.write(orjson.dumps(entry) + b"\n")

    def entries(self) -> Iterator[Entry]:
        """All lines of the file."""
        with self._path.open("rb") as lines:
            for line in lines:
                yield orjson.loads(line)

    def clear(self) -> None:
        """Empty the file."""
        self._file.truncate(0)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _drop_half_line(self) -> None:
        content = self._path.read_bytes()
        complete = content.rfind(b"\n") + 1
        if complete != len(content):
            with self._path.open("r+b") as file:
                file.truncate(complete)
