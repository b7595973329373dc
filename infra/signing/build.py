"""Compile the optional hash functions: `python -m infra.signing.build`.

The shared object goes beside the source, or where that may not be written to the user's cache
folder. Its name holds a hash of the source and the platform, so a stale or foreign one is never
loaded. Without a compiler the program works all the same: slower at opening key files and at hashing
large packages. Exit code 0 also then, because nothing is broken.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_name("_hashes.c")
_COMPILERS: Final = ("cc", "gcc", "clang")
_FLAGS: Final = (
    "-std=c11",
    "-O3",
    "-fPIC",
    "-shared",
    "-fvisibility=hidden",
    "-fstack-protector-strong",
    "-Wall",
    "-Wextra",
    "-Werror",
)
_TIMEOUT_SECONDS: Final = 120


class BuildFailed(RuntimeError):
    """The compiler is missing, refused the source, or its output could not be stored."""


def library_name() -> str:
    """File name of the shared object that belongs to this source and this platform."""
    identity = SOURCE.read_bytes() + sysconfig.get_platform().encode()
    return f"_hashes-{hashlib.sha256(identity).hexdigest()[:16]}.so"


def folders() -> Iterator[Path]:
    """Where the shared object may lie, the preferred place first."""
    yield SOURCE.parent / "_compiled"
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        yield (Path(cache) if cache else Path.home() / ".cache") / "fiscal-ledger"
    except RuntimeError:
        # No home folder: a service account. The place beside the source is then the only one.
        return


def find_library() -> Path | None:
    """The shared object built for this source, if it lies where only we could have put it."""
    name = library_name()
    for folder in folders():
        path = folder / name
        if path.is_file() and _is_trusted(folder) and _is_trusted(path):
            return path
    return None


def _is_trusted(path: Path) -> bool:
    """Whether nobody but root, the owner of this program's files or ourselves can write there."""
    status = path.stat()
    owners = {0, os.getuid(), SOURCE.stat().st_uid}
    return status.st_uid in owners and not status.st_mode & 0o022


def build() -> Path:
    """Compile, unless it is there already, and return the shared object. Raises: BuildFailed."""
    found = find_library()
    if found is not None:
        return found
    compiler = os.environ.get("CC") or next(filter(shutil.which, _COMPILERS), None)
    if compiler is None:
        raise BuildFailed("no C compiler found (cc, gcc, clang)")
    failures = []
    for folder in folders():
        try:
            return _compile(compiler, folder)
        except OSError as error:
            failures.append(f"{folder}: {error.strerror}")
    raise BuildFailed("; ".join(failures))


def _compile(compiler: str, folder: Path) -> Path:
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    target = folder / library_name()
    # Written aside and moved, so that a process starting meanwhile never loads half a file.
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        output = Path(scratch) / target.name
        command = [*compiler.split(), *_FLAGS, "-o", str(output), str(SOURCE)]
        try:
            done = subprocess.run(
                command, capture_output=True, check=False, text=True, timeout=_TIMEOUT_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise BuildFailed(f"{compiler} did not finish") from error
        if done.returncode:
            raise BuildFailed(f"{compiler} failed: {done.stderr.strip()[:2000]}")
        output.chmod(0o755)
        output.replace(target)
    return target


def main() -> int:
    """Build and say what came of it."""
    try:
        path = build()
    except BuildFailed as failure:
        sys.stderr.write(f"Hashes stay in Python: {failure}\n")
        return 0
    sys.stdout.write(f"Compiled hashes: {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
