"""One running API for each module of tests, and a fresh outlet for each test."""

from collections.abc import Iterator

import pytest

from tests.support.api_server import Api, Outlet, new_outlet, running_api


@pytest.fixture(scope="module")
def api(module_postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API with every role's token."""
    with running_api(module_postgres_dsn, tmp_path_factory.mktemp("data")) as api:
        yield api


@pytest.fixture
def outlet(api: Api) -> Outlet:
    """A register of its own for the test, without a shift."""
    return new_outlet(api)


@pytest.fixture
def shop(outlet: Outlet) -> Outlet:
    """A register with an open, registered shift."""
    outlet.open()
    return outlet
