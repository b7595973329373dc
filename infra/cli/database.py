"""The database for commands: the one given, the running private one, or the private one started for a while.

`python -m infra.cli.database` runs the private server until told to stop: `fiscal up` starts it so.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import structlog

from infra.bootstrap import embedded_postgres
from infra.cli.console import Problem
from infra.embedded_postgres import EmbeddedPostgresError
from infra.postgres import APPLICATION_ROLE, connect
from infra.settings import Settings
from infra.stopping import stop_on_signals
from infra.telemetry import configure_logs

log = structlog.get_logger(__name__)

_OTHERS_SECONDS = 30.0
"""How long the server waits for the sessions of other parts before it stops under them."""

_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"


@contextmanager
def database(settings: Settings, *, create: bool = False) -> Iterator[str]:
    """Give the owner's DSN; a private server that does not run is started for the length of the block.

    Raises: Problem when there is no database yet and `create` is false; EmbeddedPostgresError.
    """
    if settings.database_dsn is not None:
        yield settings.database_dsn.get_secret_value()
        return
    server = embedded_postgres(settings)
    running = server.dsn_if_running()
    if running is not None:
        yield running
    elif server.pgdata.exists() or create:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with server as dsn:
            yield dsn
    else:
        raise Problem(
            f"There is no database in {settings.data_dir}.",
            next_step="`fiscal up` makes one; FISCAL_DATA_DIR names another folder.",
        )


def main() -> int:
    """Run the private server until SIGTERM or SIGINT; it stops when the other parts have gone."""
    settings = Settings()
    configure_logs(settings, part="database")
    stop = stop_on_signals()
    server = embedded_postgres(settings)
    try:
        dsn = server.start()
    except (EmbeddedPostgresError, RuntimeError, OSError) as error:
        log.error("cannot-start", reason=str(error))  # noqa: TRY400 - the reason is enough
        return 1
    log.info("database runs", folder=str(server.folder))
    try:
        while not stop.wait(1.0):
            if server.has_ended():
                log.error("the server ended by itself")
                return 1
        _wait_for_others(dsn)
    finally:
        server.stop()
    log.info("database stopped")
    return 0


def _wait_for_others(dsn: str) -> None:
    """Let the other parts finish: without `fiscal up` nobody else keeps the order."""
    deadline = time.monotonic() + _OTHERS_SECONDS
    try:
        with connect(dsn, name="fiscal database") as connection:
            while time.monotonic() < deadline:
                if connection.execute(_SESSIONS, [APPLICATION_ROLE]).fetchone() == (0,):
                    return
                time.sleep(0.05)
    except psycopg.Error as error:
        log.warning("cannot see who is connected", reason=str(error))


if __name__ == "__main__":
    sys.exit(main())
