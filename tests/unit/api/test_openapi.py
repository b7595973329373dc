"""The OpenAPI document is complete, and no address lacks a right."""

import html
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import Route

from api.app import GROUPS
from api.auth import Right
from api.docs_page import docs_page
from api.documentation import example_error
from api.problems import shape_of
from api.routing import EndpointRoute
from tests.support.api_server import declared_app

PUBLIC = {"/health", "/ready", "/metrics"}
METHODS_WITH_BODY = {"post", "put", "patch"}


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return declared_app()


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_every_address_has_a_right_or_is_public(app: FastAPI) -> None:
    documentation = {"/openapi.json", "/docs"}
    for route in app.routes:
        assert isinstance(route, Route)
        if isinstance(route, EndpointRoute):
            declared = route.declared
            assert (declared.right is None) == (declared.path in PUBLIC), declared.path
        else:
            assert route.path in documentation, f"{route.path} is served without a right"


def test_every_endpoint_is_in_the_document(app: FastAPI, document: dict[str, Any]) -> None:
    declared = {(endpoint.path, endpoint.method.lower()) for group in GROUPS for endpoint in group}

    assert {(path, method) for path, method, _ in _operations(document)} == declared


def test_compatibility_facade_has_its_address_free(document: dict[str, Any]) -> None:
    assert not [path for path in document["paths"] if path.startswith("/api")]


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        assert operation["summary"], path
        assert operation["description"], path
        assert operation["operationId"]
        for parameter in operation.get("parameters", []):
            assert parameter["description"], f"{method} {path} {parameter['name']}"
            schema = parameter["schema"]
            assert "example" in parameter or schema.get("examples"), (path, parameter["name"])


def test_every_operation_documents_its_problems(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        answers = operation["responses"]
        expected = {"500"}
        if path not in PUBLIC:
            expected |= {"401", "403", "503"}
        if method == "post":
            expected |= {"400", "409"}
        if "requestBody" in operation:
            expected |= {"400", "413", "415", "422"}
        if "{" in path:
            expected |= {"404", "422"}
        assert expected <= set(answers), f"{method} {path}"
        for status, answer in answers.items():
            assert answer["description"].strip(), f"{method} {path} {status}"
            if int(status) >= 400 and not (path == "/ready" and status == "503"):
                content = answer["content"]["application/problem+json"]
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                assert content["examples"]


def test_examples_of_problems_belong_to_their_status(document: dict[str, Any]) -> None:
    for path, _, operation in _operations(document):
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/problem+json", {})
            for example in content.get("examples", {}).values():
                assert str(example["value"]["status"]) == status, path


def test_every_documented_refusal_belongs_to_its_endpoint_only_once() -> None:
    for group in GROUPS:
        for endpoint in group:
            assert len(endpoint.refuses) == len(set(endpoint.refuses)), endpoint.path
            for cls in endpoint.refuses:
                assert shape_of(example_error(cls)).status >= 400


def test_every_field_has_a_description_and_an_example(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description") or "enum" in schema, name
        for field, described in schema.get("properties", {}).items():
            place = f"{name}.{field}"
            # A reference stands alone: what it points to is described there.
            assert described.get("description") or set(described) == {"$ref"}, place
            models = "$ref" in str(described)
            assert described.get("examples") or models, f"{place} has no example"


def test_bodies_refuse_unknown_fields(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        if "requestBody" in operation:
            assert method in METHODS_WITH_BODY
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            name = schema["$ref"].rpartition("/")[2]
            assert document["components"]["schemas"][name]["additionalProperties"] is False, path


def test_every_post_needs_an_idempotency_key(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        names = {
            parameter["name"]: parameter["required"]
            for parameter in operation.get("parameters", [])
        }
        assert names.get("Idempotency-Key", False) == (method == "post"), path


def test_every_right_is_used(document: dict[str, Any]) -> None:
    used = {operation.get("x-right") for _, _, operation in _operations(document)}

    # Metrics may be public; the right is asked for where a setting says so.
    assert used - {None} == {right.value for right in Right} - {Right.READ_METRICS.value}


def test_docs_page_shows_everything_and_loads_nothing(document: dict[str, Any]) -> None:
    page = docs_page(document)

    for path, _, operation in _operations(document):
        assert f"<code>{path}</code> {html.escape(operation['summary'])}" in page
    assert "<script" not in page
    assert "src=" not in page
    assert "<link" not in page
