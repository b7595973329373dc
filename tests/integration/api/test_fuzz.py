"""Whatever is sent, the API answers as its OpenAPI document says, and never with an error of its own."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import CheckContext, Response
from schemathesis.core.failures import Failure
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from infra.tokens import Role
from tests.support.api_server import Api, Outlet, declared_app, new_outlet, running_api

EXAMPLES = 25
"""For each operation and mode; the whole takes less than a minute."""

ENDLESS = "/v1/events/stream"
"""It does not end by itself; test_events.py follows it."""


def _operations() -> list[Any]:
    document = declared_app().openapi()
    del document["paths"][ENDLESS]
    results: Any = schemathesis.openapi.from_dict(document).get_all_operations()
    return [result.ok() for result in results]


OPERATIONS = _operations()


def _modes(operation: Any) -> list[GenerationMode]:
    """Where nothing is asked for, nothing can be asked wrongly."""
    asks = operation.definition.raw.keys() & {"parameters", "requestBody"}
    return list(GenerationMode) if asks else [GenerationMode.POSITIVE]


def _never_an_error_of_ours(_: CheckContext, response: Response, case: Any) -> bool | None:
    """Nothing above 499 but what may be tried again, and every refusal says what to do."""
    if response.status_code >= 400 and case.operation.path != "/ready":
        problem = response.json()
        explained = bool(problem.get("code")) and bool(problem.get("next_step"))
        ours = response.status_code >= 500 and not problem.get("retryable")
        if ours or not explained:
            raise Failure(
                operation=case.operation.label,
                title="An error of ours",
                message=f"{response.status_code}: {response.text}",
            )
    return None


def _reaches_the_wire(case: Any) -> bool:
    """Whether all of a case is sent: of an empty list or object in the query nothing is left.

    What such a case does wrong may be just that, and the request that arrives is right. Whatever else it does wrong,
    other cases do too.
    """
    query = case.query or {}
    return not any(isinstance(value, dict | list) and not value for value in query.values())


CHECKS = [
    _never_an_error_of_ours,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


@pytest.fixture(scope="module")
def api(module_postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API that does not wait long for places of the log that never come."""
    folder = tmp_path_factory.mktemp("data")
    with running_api(module_postgres_dsn, folder, own_write_seconds=0.05) as api:
        yield api


@pytest.fixture(scope="module")
def shop(api: Api) -> Outlet:
    outlet = new_outlet(api)
    outlet.open()
    outlet.sell()
    return outlet


@pytest.mark.parametrize(
    ("operation", "mode"),
    [(operation, mode) for operation in OPERATIONS for mode in _modes(operation)],
    ids=lambda value: getattr(value, "label", None) or value.value,
)
def test_no_answer_is_undocumented_and_none_is_an_error_of_ours(
    api: Api, shop: Outlet, operation: Any, mode: GenerationMode
) -> None:
    checks = CHECKS + ([negative_data_rejection] if mode is GenerationMode.NEGATIVE else [])
    headers = {"Authorization": f"Bearer {api.tokens[Role.ADMINISTRATOR]}"}

    @given(case=operation.as_strategy(generation_mode=mode).filter(_reaches_the_wire))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any) -> None:
        if mode is GenerationMode.POSITIVE and "register_id" in (case.path_parameters or {}):
            # A made-up register is only ever not found; what lies behind it is to be reached too.
            case.path_parameters["register_id"] = str(shop.register_id)
        case.call_and_validate(base_url=api.url, headers=headers, checks=checks)

    run()
