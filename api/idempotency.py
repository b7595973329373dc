"""Same key, same answer: what a POST's Idempotency-Key becomes for the ledger."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import orjson

from api.auth import Caller
from api.errors import IdempotencyKeyMissing, MalformedJson
from domain.ports import CommandKey

HEADER = "Idempotency-Key"
PATTERN = "[A-Za-z0-9._:-]{1,128}"
_KEY = re.compile(PATTERN)


def command_key(
    *, caller: Caller, key: str | None, method: str, path: str, parsed: Any
) -> CommandKey:
    """Return the command's identity: whose key, which key, and a hash of what is asked.

    The hash is SHA-256 over method, path and the canonical body, so neither the order of fields nor white space
    makes another request of it. Raises: IdempotencyKeyMissing, MalformedJson for lone surrogates.
    """
    if key is None or _KEY.fullmatch(key) is None:
        raise IdempotencyKeyMissing
    return CommandKey(
        scope=caller.scope,
        key=key,
        body_hash=hashlib.sha256(
            b"\n".join((method.encode(), path.encode(), canonical(parsed)))
        ).digest(),
    )


def canonical(parsed: Any) -> bytes:
    """Return the one JSON text of a value: sorted names, no white space. Raises: MalformedJson."""
    try:
        return orjson.dumps(parsed, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        # Whole numbers beyond 64 bits and half characters: no field takes them, so no valid body comes here.
        raise MalformedJson(place=str(error)) from None
