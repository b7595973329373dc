"""As whom a private PostgreSQL server runs, since it refuses to run as root.

1. An ordinary user runs it directly.
2. Root, in a folder that belongs to an ordinary user, runs it as that user.
3. Root, otherwise, runs it inside a user namespace that shows root as `nobody`: no user is added, the
   files stay root's and 0700.
4. Where user namespaces are denied (hardened containers), root gives a new folder to `nobody` and drops
   to that user; from then on rule 2 holds. This needs parent folders that `nobody` may pass, and we do
   not open them: fiscal keys may lie beside.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_NAMESPACE = ("unshare", "-U", "--map-user=65534", "--map-group=65534")


class NoServerAccount(RuntimeError):
    """Root may not run the server here as anybody; the text says what helps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(
            "PostgreSQL does not run as root, user namespaces are denied here, and the user `nobody` "
            f"may not pass the folders above {folder}. Run as an ordinary user, choose a data folder "
            "whose parents everyone may pass, or set FISCAL_DATABASE_DSN."
        )


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """Starts programs in `folder` under the identity that may run the server there."""

    folder: Path
    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run a program to its end and return what it wrote; its exit status is not checked."""
        return subprocess.run(
            [*self.prefix, *command],
            cwd=self.folder,
            env=self._environment(),
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def start(self, command: Sequence[str | Path], *, output: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own, so that Ctrl-C in a terminal does not reach it."""
        return subprocess.Popen(
            [*self.prefix, *command],
            cwd=self.folder,
            env=self._environment(),
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def may_run(self, program: Path) -> bool:
        """Whether this identity reaches and can execute `program`."""
        try:
            return self.run([program, "--version"]).returncode == 0
        except PermissionError:
            return False

    def own(self, path: Path) -> None:
        """Give a file or folder that we made to this identity."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    @staticmethod
    def _environment() -> Mapping[str, str]:
        # PGDATA, PGHOST and the like of the person's own server must not leak into ours.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return kept | {"LC_ALL": "C", "TZ": "UTC"}


def account_for(folder: Path, *, namespaces: bool = True) -> ServerAccount:
    """Choose by the four rules above. `namespaces=False` treats them as denied.

    Raises: NoServerAccount.
    """
    if os.geteuid() != 0:
        return ServerAccount(folder=folder)
    owner = folder.stat()
    if owner.st_uid != 0:
        return ServerAccount(folder=folder, uid=owner.st_uid, gid=owner.st_gid)
    if namespaces and _namespaces_work():
        return ServerAccount(folder=folder, prefix=_NAMESPACE)
    nobody = pwd.getpwnam("nobody")
    account = ServerAccount(folder=folder, uid=nobody.pw_uid, gid=nobody.pw_gid)
    parent = ServerAccount(folder=Path("/"), uid=account.uid, gid=account.gid)
    if parent.run(["test", "-x", folder.parent]).returncode != 0:
        raise NoServerAccount(folder)
    for path in (folder, *folder.iterdir()):
        account.own(path)
    return account


def _namespaces_work() -> bool:
    if shutil.which(_NAMESPACE[0]) is None:
        return False
    return subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def private_folder(account: ServerAccount) -> Path:
    """A new 0700 folder with a short path, for sockets: their paths end at about 100 bytes."""
    candidates = [tempfile.gettempdir(), "/tmp"]  # noqa: S108 - mkdtemp makes it safe
    shortest = min(candidates, key=lambda path: len(os.fsencode(path)))
    folder = Path(tempfile.mkdtemp(prefix="fiscal-", dir=shortest))
    account.own(folder)
    return folder
