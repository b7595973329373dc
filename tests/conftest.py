"""What every test may ask for: the shared folder, a migrated database, hypothesis profiles.

In CI (environment variable CI=true) nothing may be skipped: a skip is reported as a failure.
"""

import os
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql
from psycopg.conninfo import make_conninfo

from infra.embedded_postgres import EmbeddedPostgres

ROOT = Path(__file__).parent.parent
IN_CI = os.environ.get("CI") == "true"

for _profile, _examples in {"dev": 25, "ci": 100, "chaos": 5_000}.items():
    settings.register_profile(
        _profile,
        max_examples=_examples,
        deadline=None,
        print_blob=True,
        # A shared machine is slow for reasons that are not ours.
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))


# --- nothing is skipped in CI ---------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skipped, which CI does not allow: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if IN_CI and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"Skipped, which CI does not allow: {_reason(report.longrepr)}"
    return report


def _reason(longrepr: Any) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)


# --- what lies outside --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder with official schemas and samples, which are not part of this repository.

    Its place is FISCAL_SHARED, else `shared` beside the checkout. Without it the test is skipped.
    """
    folder = Path(os.environ.get("FISCAL_SHARED", ROOT.parent / "shared")).absolute()
    if not folder.is_dir():
        pytest.skip(f"the shared folder {folder} is absent (set FISCAL_SHARED)")
    return folder


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Tests of coroutines, marked `anyio`, run on what the API runs on."""
    return "asyncio"


@pytest.fixture(scope="session")
def rabbitmq_url() -> str:
    """A real RabbitMQ, which `.ci/run` starts. Elsewhere FISCAL_TEST_RABBITMQ_URL names one, or skip."""
    url = os.environ.get("FISCAL_TEST_RABBITMQ_URL")
    if not url:
        pytest.skip("no RabbitMQ (set FISCAL_TEST_RABBITMQ_URL)")
    return url


# --- PostgreSQL -----------------------------------------------------------------------------------
# One private server a test process, started by the first test that asks. The schema is made once, in a
# template; a fresh database is a copy of it.

_database_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """DSN of a superuser on an empty database of this process's own server."""
    # Nothing here outlives the tests, so nothing needs to reach the disk; the tests of durability
    # start servers of their own.
    fast = {"fsync": "off", "full_page_writes": "off", "max_connections": "300"}
    server = EmbeddedPostgres(tmp_path_factory.mktemp("pg") / "pg", database="empty", options=fast)
    with server as dsn:
        yield dsn


@pytest.fixture(scope="session")
def _migrated_template(postgres_server: str) -> str:
    # Imported here so that unit tests run without the database's code.
    from infra.postgres import migrate

    name = "migrated"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    migrate(make_conninfo(postgres_server, dbname=name))
    return name


@pytest.fixture
def empty_postgres_dsn(postgres_server: str) -> Iterator[str]:
    """DSN of a fresh database without any table of ours."""
    yield from _fresh_database(postgres_server, template="template0")


@pytest.fixture
def postgres_dsn(postgres_server: str, _migrated_template: str) -> Iterator[str]:
    """DSN of a fresh, migrated database for one test; dropped after it, open connections and all."""
    yield from _fresh_database(postgres_server, template=_migrated_template)


@pytest.fixture(scope="module")
def module_postgres_dsn(postgres_server: str, _migrated_template: str) -> Iterator[str]:
    """As `postgres_dsn`, for the tests of one module together."""
    yield from _fresh_database(postgres_server, template=_migrated_template)


def _fresh_database(server: str, *, template: str) -> Iterator[str]:
    name = f"test_{next(_database_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    try:
        yield make_conninfo(server, dbname=name)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )
