"""What makes two requests the same one."""

from typing import Any
from uuid import UUID

import pytest

from api.auth import Caller
from api.errors import IdempotencyKeyMissing, MalformedJson
from api.idempotency import canonical, command_key
from api.routing import asked_to_wait
from domain.ports import CommandKey
from infra.tokens import Role

CALLER = Caller(UUID(int=1), "каса 1", Role.CASHIER, scope="token:1")


def _command(parsed: Any, *, key: str | None = "k-1", path: str = "/v1/x") -> CommandKey:
    return command_key(caller=CALLER, key=key, method="POST", path=path, parsed=parsed)


def test_order_of_fields_makes_no_other_request() -> None:
    assert _command({"a": 1, "b": [1, 2]}) == _command({"b": [1, 2], "a": 1})


@pytest.mark.parametrize(
    ("parsed", "path"),
    [({"a": 2}, "/v1/x"), ({"a": 1, "b": None}, "/v1/x"), ({"a": 1}, "/v1/y"), ([1], "/v1/x")],
)
def test_another_body_or_path_is_another_request(parsed: Any, path: str) -> None:
    assert _command({"a": 1}).body_hash != _command(parsed, path=path).body_hash


def test_keys_of_different_tokens_are_kept_apart() -> None:
    other = Caller(UUID(int=2), "каса 2", Role.CASHIER, scope="token:2")
    theirs = command_key(caller=other, key="k-1", method="POST", path="/v1/x", parsed={})

    assert theirs.scope != _command({}).scope


@pytest.mark.parametrize("key", [None, "", "a b", "ключ", "x" * 129, "a\n"])
def test_missing_or_odd_key_is_refused(key: str | None) -> None:
    with pytest.raises(IdempotencyKeyMissing):
        _command({}, key=key)


@pytest.mark.parametrize("value", ["\ud800", 10**30])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(MalformedJson):
        canonical({"a": value})


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("wait=20", 20),
        ("respond-async, wait=5", 5),
        ('Wait="7"; strict', 7),
        ("wait=600", 60),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=٣", 0),
        ("wait", 0),
        ("wait=99999999999999999999", 0),
    ],
)
def test_prefer_wait_is_heeded_and_nonsense_ignored(prefer: str | None, seconds: float) -> None:
    assert asked_to_wait(prefer, longest=60) == seconds
