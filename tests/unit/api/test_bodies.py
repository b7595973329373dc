"""Bodies: what is refused before anything is decided, and how the wrong field is named."""

import json
from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect

from api.bodies import InvalidBody, check_content_type, parse, read_body, validate
from api.errors import (
    BodyTooLarge,
    MalformedJson,
    MissingField,
    RepeatedField,
    UnknownField,
    UnsupportedMediaType,
)
from api.schemas.sales import SaleBody
from domain.errors import FiscalError, InvalidField
from tests.support.api_server import sale


def _scope(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http", "headers": list(headers)}


def _receive(messages: Iterable[dict[str, Any]]) -> Any:
    rest = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(rest)

    return receive


def _chunk(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.anyio
class TestReading:
    async def test_chunks_are_put_together(self) -> None:
        receive = _receive([_chunk(b'{"a"', more=True), _chunk(b":1}", more=False)])

        assert await read_body(_scope(), receive, limit=100) == b'{"a":1}'

    async def test_declared_length_above_the_limit_is_refused_unread(self) -> None:
        receive = _receive([])

        with pytest.raises(BodyTooLarge):
            await read_body(_scope((b"content-length", b"101")), receive, limit=100)

    async def test_undeclared_length_is_refused_as_soon_as_it_passes_the_limit(self) -> None:
        receive = _receive([_chunk(b"x" * 60, more=True), _chunk(b"x" * 60, more=True)])

        with pytest.raises(BodyTooLarge):
            await read_body(_scope(), receive, limit=100)

    async def test_client_that_leaves_is_no_error_of_the_body(self) -> None:
        receive = _receive([_chunk(b"{", more=True), {"type": "http.disconnect"}])

        with pytest.raises(ClientDisconnect):
            await read_body(_scope(), receive, limit=100)


class TestContentType:
    @pytest.mark.parametrize(
        "value",
        [b"application/json", b"Application/JSON", b'application/json; charset="UTF-8"'],
    )
    def test_json_in_utf8_is_taken(self, value: bytes) -> None:
        check_content_type(_scope((b"content-type", value)))

    @pytest.mark.parametrize(
        "headers",
        [
            [],
            [(b"content-type", b"text/plain")],
            [(b"content-type", b"application/x-www-form-urlencoded")],
            [(b"content-type", b"application/json; charset=windows-1251")],
            [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")],
        ],
    )
    def test_anything_else_is_refused(self, headers: list[tuple[bytes, bytes]]) -> None:
        with pytest.raises(UnsupportedMediaType):
            check_content_type(_scope(*headers))


class TestParsing:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b'{"a":}',
            b'{"a":1}x',
            b'{"a":NaN}',
            b'{"a":Infinity}',
            b"\xff\xfe",
            b"\xef\xbb\xbf{}",
            b"[" * 100_000,
            b'{"a":' + b"1" * 5_000 + b"}",
        ],
        ids=lambda body: str(body[:12]),
    )
    def test_what_is_not_json_is_refused(self, body: bytes) -> None:
        with pytest.raises(MalformedJson):
            parse(body)

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            (b'{"total_kopecks":1,"total_kopecks":2}', "total_kopecks"),
            (b'{"lines":[{"price_kopecks":1,"x":{"y":1,"y":1},"price_kopecks":1}]}', "y"),
            (b'{"a":1,"\\u0061":1}', "a"),
        ],
    )
    def test_repeated_field_is_refused_at_any_depth(self, body: bytes, field: str) -> None:
        with pytest.raises(RepeatedField) as refusal:
            parse(body)

        assert refusal.value.field == field

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
            lambda inner: (
                st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
            ),
            max_leaves=20,
        )
    )
    def test_everything_else_is_parsed_as_it_is(self, value: Any) -> None:
        assert parse(orjson.dumps(value)) == value


class TestValidation:
    def test_whole_sale_is_taken(self) -> None:
        body = orjson.dumps(sale(total_kopecks=2748, comment="Замовлення № 77"))

        request = validate(SaleBody, body, parse(body)).to_domain()

        assert request.total is not None
        assert request.total.kopecks == 2748
        assert request.lines[0].quantity.thousandths == 1000

    @pytest.mark.parametrize(
        ("change", "cls", "field"),
        [
            ({"lines.0.price_kopecks": 27.48}, InvalidField, "lines.0.price_kopecks"),
            ({"lines.0.price_kopecks": 2748.0}, InvalidField, "lines.0.price_kopecks"),
            ({"lines.0.price_kopecks": "2748"}, InvalidField, "lines.0.price_kopecks"),
            ({"lines.0.price_kopecks": True}, InvalidField, "lines.0.price_kopecks"),
            ({"lines.0.price_kopecks": None}, InvalidField, "lines.0.price_kopecks"),
            ({"lines.0.price_kopecks": -1}, InvalidField, "lines.0.price_kopecks"),
            ({"lines.0.price_kopecks": 10**30}, InvalidField, "lines.0.price_kopecks"),
            ({"lines.0.quantity_thousandths": 0}, InvalidField, "lines.0.quantity_thousandths"),
            ({"lines.0.quantity_thousandths": -5}, InvalidField, "lines.0.quantity_thousandths"),
            ({"lines.0.name": ""}, InvalidField, "lines.0.name"),
            ({"lines.0.prise": 1}, UnknownField, "lines.0.prise"),
            ({"lines": []}, InvalidField, "lines"),
            ({"lines": {}}, InvalidField, "lines"),
            ({"payments.0.form": "barter"}, InvalidField, "payments.0"),
            ({"payments.0.amount_kopecks": 1}, UnknownField, "payments.0.amount_kopecks"),
            ({"payments.0": {"form": "card"}}, MissingField, "payments.0.amount_kopecks"),
            ({"payments.0": {}}, InvalidField, "payments.0"),
            ({"payments.0": {"form": "other"}}, MissingField, "payments.0.code"),
            (
                {"payments.0": {"form": "other", "code": 0, "name": "x", "amount_kopecks": 1}},
                InvalidField,
                "payments.0.code",
            ),
            ({"lines.0.discount": {}}, InvalidField, "lines.0.discount"),
            ({"lines.0.discount": {"by": "half"}}, InvalidField, "lines.0.discount"),
            (
                {"lines.0.discount": {"by": "percent"}},
                MissingField,
                "lines.0.discount.percent_basis_points",
            ),
            (
                {"discount": {"by": "percent", "percent_basis_points": 0}},
                InvalidField,
                "discount.percent_basis_points",
            ),
            (
                {"discount": {"by": "amount", "amount_kopecks": 1, "percent_basis_points": 1}},
                UnknownField,
                "discount.percent_basis_points",
            ),
            ({"lines.0.excise_stamps": [""]}, InvalidField, "lines.0.excise_stamps.0"),
            ({"lines.0.excise_stamps": "A1"}, InvalidField, "lines.0.excise_stamps"),
            ({"cashier_id": "olena"}, InvalidField, "cashier_id"),
            ({"total": 2748}, UnknownField, "total"),
            (
                {"payments.0": {"form": "card", "amount_kopecks": 1, "slip": {"paid_at": 5}}},
                InvalidField,
                "payments.0.slip.paid_at",
            ),
        ],
    )
    def test_wrong_field_is_named_by_its_path(
        self, change: dict[str, Any], cls: type[FiscalError], field: str
    ) -> None:
        body = json.dumps(_changed(sale(), change)).encode()

        with pytest.raises(InvalidBody) as refusal:
            validate(SaleBody, body, parse(body))

        assert type(refusal.value.first) is cls
        assert refusal.value.first.facts()["field"] == field

    def test_all_wrong_fields_are_told_at_once(self) -> None:
        body = orjson.dumps({"lines": [{"name": "Хліб"}]})

        with pytest.raises(InvalidBody) as refusal:
            validate(SaleBody, body, parse(body))

        fields = [error.facts()["field"] for error in (refusal.value.first, *refusal.value.others)]
        assert fields == ["lines.0.quantity_thousandths", "lines.0.price_kopecks", "payments"]


def _changed(body: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    for path, value in change.items():
        *inner, last = path.split(".")
        here: Any = body
        for part in inner:
            here = here[int(part)] if isinstance(here, list) else here[part]
        if isinstance(here, list):
            here[int(last)] = value
        else:
            here[last] = value
    return body
