"""A running API with its projections, and a shop with an open shift on it."""

from collections.abc import Iterator

import pytest

from tests.support.api_server import Api, Outlet, new_outlet, running_api


@pytest.fixture(scope="module")
def api(module_postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running_api(module_postgres_dsn, tmp_path_factory.mktemp("data")) as api:
        yield api


@pytest.fixture
def shop(api: Api) -> Outlet:
    outlet = new_outlet(api)
    outlet.open()
    return outlet
