"""A private PostgreSQL for one machine, so that one command starts everything.

The folder it is given holds, and nothing else may:

    pgdata/          the database; made under the name pgdata.new and renamed when complete
    socket/          the unix socket, unless the path is too long for one
    socket-folder    where the socket is instead: a short private folder, the same one at every start,
                     for a part that was given the address looks for the server there
    binaries/        a copy of the server's programs, only where their own place is closed to it
    log/  start.log  what the server says; a log of each weekday
    lock             held by the process that started the server

There is no TCP listener. Whoever may enter the 0700 folder is trusted; nobody else sees the socket.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Literal

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from infra.postgres_binaries import PostgresBinaries, copy_installation, find_binaries
from infra.server_account import ServerAccount, account_for, private_folder
from infra.settings import LONGEST_SOCKET_PATH

SUPERUSER = "postgres"
_PORT = 5432  # only part of the socket's name
_OURS = {"pgdata", "pgdata.new", "socket", "socket-folder", "binaries", "log", "start.log", "lock"}

# After a kill -9 the orphaned backends keep the shared memory for about a second.
_RETRY_START_SECONDS = 10.0
# A recovery reads the write-ahead log since the last checkpoint: minutes on a slow disk.
_READY_SECONDS = 300.0
_FAST_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.02

_OPTIONS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "200",
    "shared_buffers": "128MB",
    # Our statements are short and prepared; compiling them costs more than it gains.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_filename": "postgres-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
}

# Cyrillic must have upper and lower case. Each of these gives byte order and full case rules, or, the
# last one, language-neutral order; not every build and system has each.
_LOCALES = (
    ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),  # PostgreSQL >= 17
    ("--locale=C.UTF-8",),
    ("--locale-provider=icu", "--icu-locale=und", "--locale=C"),
)


class EmbeddedPostgresError(RuntimeError):
    """The private PostgreSQL cannot be made or started; the text says why and what helps."""


class EmbeddedPostgres:
    """A PostgreSQL server in a folder of its own.

    As a context manager it gives the DSN and stops the server at the end. `options` are server
    settings that replace ours; `namespaces=False` behaves as where user namespaces are denied.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        database: str = "fiscal",
        options: Mapping[str, str] | None = None,
        binaries: PostgresBinaries | None = None,
        namespaces: bool = True,
    ) -> None:
        self.folder = data_dir.absolute()
        self.database = database
        self._options = {**_OPTIONS, **(options or {})}
        self._given_binaries = binaries
        self._namespaces = namespaces
        self._lock: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pgdata(self) -> Path:
        """The database's own folder."""
        return self.folder / "pgdata"

    def start(self) -> str:
        """Make the database if need be, start the server, return the DSN once it answers.

        A server left running by a process that died is taken over. Committed data survives any
        death of the server: a start after a kill -9 recovers it.

        Raises: EmbeddedPostgresError, also when another live process holds this folder;
        NoPostgresBinaries; NoServerAccount.
        """
        self._make_folder()
        self._take_lock()
        try:
            if self.dsn_if_running() is None:
                self._start_server()
            self._create_database()
        except BaseException:
            self.stop()
            raise
        return self._dsn(self.database)

    def stop(self) -> None:
        """Stop the server cleanly (open transactions are rolled back) and let the folder go.

        Does nothing when this object has not started it.
        """
        if self._lock is None:
            return
        pid = self._server_pid()
        if pid is not None:
            self._stop_server(pid)
        if self._process is not None:
            self._process.wait()
            self._process = None
        self._remove_foreign_socket_folder()
        self._lock.close()
        self._lock = None

    def dsn_if_running(self) -> str | None:
        """The DSN of the server that runs in this folder, whoever started it; None if none does."""
        socket_folder = self._recorded_socket_folder()
        if socket_folder is None:
            return None
        # A ping tells "full" from "not there", which a refused connection would not.
        answer = pq.PGconn.ping(self._dsn("postgres").encode())
        return self._dsn(self.database) if answer == pq.Ping.OK else None

    def has_ended(self) -> bool:
        """Whether the server that `start` started or took over is gone; one that recovers is not."""
        if self._process is not None:
            return self._process.poll() is not None
        try:
            pid = int((self.pgdata / "postmaster.pid").read_text().splitlines()[0])
        except FileNotFoundError:
            return True
        return not _lives(pid)

    # --- the folder -------------------------------------------------------------------------------

    def _make_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        foreign = sorted({path.name for path in self.folder.iterdir()} - _OURS)
        if foreign:
            raise EmbeddedPostgresError(
                f"{self.folder} holds something that is not ours ({foreign[0]}); "
                "give the database a folder of its own."
            )
        if self.folder.stat().st_mode & 0o077:
            self.folder.chmod(0o700)

    def _take_lock(self) -> None:
        if self._lock is not None:
            raise EmbeddedPostgresError("This object has already started the server.")
        lock = _open_ours(self.folder / "lock", "ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise EmbeddedPostgresError(
                f"Another process runs the database in {self.folder}."
            ) from error
        self._lock = lock

    def _socket_folder(self, account: ServerAccount) -> Path:
        beside = self.folder / "socket"
        if len(os.fsencode(beside / f".s.PGSQL.{_PORT}")) <= LONGEST_SOCKET_PATH:
            beside.mkdir(mode=0o700, exist_ok=True)
            account.own(beside)
            return beside
        recorded = self._recorded_socket_folder() or self._remade_socket_folder(account)
        if recorded is not None:
            return recorded
        short = private_folder(account)
        with _open_ours(self.folder / "socket-folder", "wb") as record:
            record.write(os.fsencode(short))
        return short

    def _remade_socket_folder(self, account: ServerAccount) -> Path | None:
        """The folder of the last run, made again; None where there was none or somebody has taken its name."""
        record = self.folder / "socket-folder"
        if not record.exists():
            return None
        folder = Path(os.fsdecode(record.read_bytes()))
        try:
            folder.mkdir(mode=0o700)
        except OSError:
            return None
        account.own(folder)
        return folder

    def _recorded_socket_folder(self) -> Path | None:
        """Where the socket is or was, if that folder is still there and private."""
        record = self.folder / "socket-folder"
        folder = self.folder / "socket"
        if record.exists():
            folder = Path(os.fsdecode(record.read_bytes()))
        # In a temporary folder anyone could have put another one under the same name since.
        if not folder.is_dir() or folder.is_symlink():
            return None
        state, ours = folder.stat(), self.folder.stat()
        private = state.st_uid == ours.st_uid and not state.st_mode & 0o077
        return folder if private else None

    def _remove_foreign_socket_folder(self) -> None:
        if (self.folder / "socket-folder").exists():
            folder = self._recorded_socket_folder()
            if folder is not None:
                shutil.rmtree(folder)

    # --- making and starting ----------------------------------------------------------------------

    def _start_server(self) -> None:
        account = account_for(self.folder, namespaces=self._namespaces)
        binaries = self._reachable_binaries(account)
        if not self.pgdata.exists():
            self._init_database(account, binaries)
        options = self._options | {
            "unix_socket_directories": _quoted(self._socket_folder(account)),
            "log_directory": str(self.folder / "log"),
        }
        command: list[str | Path] = [binaries.postgres, "-D", self.pgdata, "-p", str(_PORT)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        deadline = time.monotonic() + _RETRY_START_SECONDS
        while not self._started(account, command):
            if self.dsn_if_running() is not None:
                return  # one that a dead process left behind has recovered meanwhile
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL does not start in {self.folder}:\n{self._last_words()}"
                )
            time.sleep(10 * _POLL_SECONDS)

    def _started(self, account: ServerAccount, command: list[str | Path]) -> bool:
        """Start once and wait until it answers; False when it ended by itself."""
        with _open_ours(self.folder / "start.log", "wb") as output:
            self._process = account.start(command, output=output)
        deadline = time.monotonic() + _READY_SECONDS
        while self._process.poll() is None:
            if self.dsn_if_running() is not None:
                return True
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL in {self.folder} is not ready after {_READY_SECONDS:.0f} s:\n"
                    f"{self._last_words()}"
                )
            time.sleep(_POLL_SECONDS)
        self._process = None
        return False

    def _last_words(self) -> str:
        logs = sorted((self.folder / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
        texts = [
            path.read_text(errors="replace") for path in (self.folder / "start.log", *logs[-1:])
        ]
        return "\n".join(text[-2000:] for text in texts).strip()

    def _reachable_binaries(self, account: ServerAccount) -> PostgresBinaries:
        version = self.pgdata / "PG_VERSION"
        major = int(version.read_text()) if version.exists() else None
        found = self._given_binaries or find_binaries(major=major)
        if account.may_run(found.postgres):
            return found
        target = self.folder / "binaries"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(mode=0o700)
        account.own(target)
        copied = copy_installation(found, target=target)
        if account.may_run(copied.postgres):
            return copied
        raise EmbeddedPostgresError(
            f"{found.postgres} cannot be run by user number {account.uid}, nor its copy in {target}."
        )

    def _init_database(self, account: ServerAccount, binaries: PostgresBinaries) -> None:
        unfinished = self.folder / "pgdata.new"
        complaints: list[str] = []
        for locale in _LOCALES:
            shutil.rmtree(unfinished, ignore_errors=True)
            made = account.run(
                [
                    binaries.initdb,
                    *("-D", unfinished, "--username", SUPERUSER, "--encoding=UTF8"),
                    *("--auth-local=trust", "--auth-host=reject", "--data-checksums"),
                    *("--no-instructions", *locale),
                ]
            )
            if made.returncode == 0:
                unfinished.rename(self.pgdata)
                _flush_folder(self.folder)
                return
            complaints.append(made.stderr.strip())
        raise EmbeddedPostgresError("initdb failed:\n" + "\n".join(complaints))

    def _create_database(self) -> None:
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [self.database]
            ).fetchone()
            if found is None:
                connection.execute(
                    sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.database))
                )

    def _dsn(self, database: str) -> str:
        folder = self._recorded_socket_folder() or self.folder / "socket"
        return make_conninfo(host=str(folder), port=_PORT, user=SUPERUSER, dbname=database)

    # --- stopping ---------------------------------------------------------------------------------

    def _server_pid(self) -> int | None:
        if self._process is not None:
            return self._process.pid if self._process.poll() is None else None
        # Taken over: the number in the file is only to be believed while that server answers.
        if self.dsn_if_running() is None:
            return None
        return int((self.pgdata / "postmaster.pid").read_text().splitlines()[0])

    def _stop_server(self, pid: int) -> None:
        # SIGINT is PostgreSQL's fast stop, SIGQUIT its immediate one: the next start recovers.
        for number, seconds in ((signal.SIGINT, _FAST_STOP_SECONDS), (signal.SIGQUIT, 10.0)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                if not self._is_alive(pid):
                    return
                time.sleep(_POLL_SECONDS)
        raise EmbeddedPostgresError(f"PostgreSQL (process {pid}) does not stop.")

    def _is_alive(self, pid: int) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        return _lives(pid)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder)!r})"


def _lives(pid: int) -> bool:
    """Whether a process that is not our child runs; a zombie that nobody collects does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        # It ended this moment, or the system has no /proc: there the first process collects at once.
        return not Path("/proc").is_dir()
    return state != "Z"


def _open_ours(path: Path, mode: Literal["ab", "wb"]) -> IO[bytes]:
    # As root in another user's folder we must not write through a link that user has laid.
    return open(path, mode, opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, 0o600))


def _quoted(folder: Path) -> str:
    # The setting is a list separated by commas; quotes keep commas and blanks of one path.
    return '"' + str(folder).replace('"', '""') + '"'


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
