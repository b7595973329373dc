"""Every answer code of the fiscal server: its name, its meaning, and what the program does about it.

Source: protocol reference §7.1 (API description of 08.08.2025) and §1.3 for HTTP statuses. What the program
does is decided once, here; docs/answers.md is the same table for people, and a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.errors import Refused

NO_CONTENT = 13
"""The code that means "nothing to return" where errors come as JSON; the same as HTTP 204."""

UNNAMED = -1
"""Stands for a code that came as a name nobody knows."""

_TEXT_LIMIT = 2_000
_REFUSAL_BYTES = 16_384


class Action(StrEnum):
    """What the program does after an answer with a code (design: refusals are never a reason for offline)."""

    BACK_OFF = "back-off"
    """The same bytes again later."""

    ADOPT = "adopt"
    """Read the state; what the server has already is taken over, then the lane goes on."""

    RESYNC = "resync"
    """Read the state and the document under the number; take over what is missing, number anew."""

    PARK = "park"
    """Stop the register's lane and raise an alarm: no document of it can be accepted."""

    REFUSE_DOCUMENT = "refuse-document"
    """Record the refusal, show it, go on; the document is never sent again unchanged."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One code: the name the server gives it, its meaning, the action."""

    code: int
    name: str
    meaning: str
    action: Action


_CODES = (
    Answer(0, "Ok", "accepted", Action.REFUSE_DOCUMENT),
    Answer(1, "TransactionsRegistrarAbsent", "the register is not registered", Action.PARK),
    Answer(
        2,
        "OperatorAccessToTransactionsRegistrarNotGranted",
        "the key has no right to the register",
        Action.PARK,
    ),
    Answer(3, "InvalidTin", "the tax number is not the business unit's", Action.PARK),
    Answer(4, "ShiftAlreadyOpened", "a shift is open", Action.ADOPT),
    Answer(5, "ShiftNotOpened", "no shift is open", Action.RESYNC),
    Answer(6, "LastDocumentMustBeZRep", "closing without a Z-report", Action.RESYNC),
    Answer(7, "CheckLocalNumberInvalid", "another local number was expected", Action.RESYNC),
    Answer(8, "ZRepAlreadyRegistered", "the shift has its Z-report", Action.ADOPT),
    Answer(
        9,
        "DocumentValidationError",
        "the document or its signature is invalid",
        Action.REFUSE_DOCUMENT,
    ),
    Answer(10, "PackageValidationError", "the package is invalid", Action.REFUSE_DOCUMENT),
    Answer(
        11, "InvalidQueryParameter", "a parameter of a command is wrong", Action.REFUSE_DOCUMENT
    ),
    Answer(12, "CryptographyError", "cryptography failed at the server", Action.BACK_OFF),
    Answer(NO_CONTENT, "NoContent", "nothing to return", Action.REFUSE_DOCUMENT),
)
_STATUSES = (
    Answer(401, "Unauthorized", "the key's owner has no access to the register", Action.PARK),
    Answer(403, "Forbidden", "wrong address of the service", Action.PARK),
    Answer(404, "NotFound", "the register is not in the registry", Action.PARK),
    Answer(405, "MethodNotAllowed", "wrong address of the service", Action.PARK),
    Answer(413, "ContentTooLarge", "the message is too large", Action.REFUSE_DOCUMENT),
    Answer(415, "UnsupportedMediaType", "wrong type of content", Action.PARK),
    Answer(416, "WrongSize", "the message is too small or too large", Action.REFUSE_DOCUMENT),
)

ANSWERS: Mapping[int, Answer] = {answer.code: answer for answer in (*_CODES, *_STATUSES)}
"""Codes 0 to 13 of the protocol; from 400 on HTTP statuses of answers without a code."""

_BY_NAME = {answer.name.lower(): answer for answer in _CODES}
_TEXT_FORM = re.compile(r"Код помилки:\s*(\d+)[ \t]*(\w*)[ \t]*(?:\r?\n)?(.*)", re.DOTALL)


def answer_of(code: int) -> Answer:
    """Return what is known about a code; one nobody knows refuses the document."""
    return ANSWERS.get(code) or Answer(code, "Unknown", "not described", Action.REFUSE_DOCUMENT)


def action_for(code: int) -> Action:
    """Return what the program does after a refusal with this code."""
    return answer_of(code).action


def refused(code: int, *, text: str, name: str | None = None) -> Refused:
    """Return a refusal; the server's own name of the code wins over ours."""
    return Refused(
        server_code=code, name=name or answer_of(code).name, text=text.strip()[:_TEXT_LIMIT]
    )


def decoded(body: bytes) -> str:
    """Return an answer's text: UTF-8, else windows-1251. Its encoding is nowhere stated (§1.3)."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1251", errors="replace")


def refusal_in_text(body: bytes) -> Refused | None:
    """Return the refusal that `Код помилки: N Name` announces, None when the text has none."""
    found = _TEXT_FORM.search(decoded(body[:_REFUSAL_BYTES]))
    if found is None or int(found[1]) == 0:
        return None
    return refused(int(found[1]), name=found[2], text=found[3])


def refusal_in_json(answer: Mapping[str, Any]) -> Refused | None:
    """Return the refusal in `ErrorCode` and `ErrorMessage`, None on success.

    Success was seen as null, 0, "0" and "Ok" (§1.3); an error as a number, its text or a name.
    """
    code = answer.get("ErrorCode")
    text = str(answer.get("ErrorMessage") or "")
    if code is None or str(code).strip() in ("", "0") or str(code).strip().lower() == "ok":
        return None
    word = str(code).strip()
    if re.fullmatch(r"-?\d+", word):
        return refused(int(word), text=text)
    known = _BY_NAME.get(word.lower())
    return refused(UNNAMED if known is None else known.code, name=word, text=text)


def refusal_of_status(status: int, body: bytes) -> Refused | None:
    """Return the refusal that an HTTP status without a code means, None when it means none."""
    return refused(status, text=decoded(body)) if status in ANSWERS and status >= 400 else None
