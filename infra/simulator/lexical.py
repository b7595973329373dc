"""How single values of the documents are written: the lexical rules of each simple type.

Source: our protocol notes, §3.1. White space around numbers and booleans is dropped before judging,
as XML Schema does; in texts every character counts.
"""

import re
from collections.abc import Callable
from typing import Final

_LETTERS: Final = "АБВГДЕЄЖЗИІКЛМНОПРСТУФХЦЧШЩЮЯ"
_SPACE: Final = re.compile(r"[ \t\r\n]+")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_TIN: Final = re.compile(rf"[0-9]{{5,10}}|[{_LETTERS}]{{2}}[0-9]{{6}}")
_IPN: Final = re.compile(rf"0|[0-9]{{6,12}}|[{_LETTERS}]{{2}}[0-9]{{6}}")
# Written out: libxml2 takes 15 digits for a bare "[0-9]{10}|[0-9]{8}|…" of the schema file.
_UKTZED: Final = re.compile(r"([0-9]){10}|([0-9]){8}|([0-9]){6}|(00[0-9]{3})|([0-9]){4}")
_DKPP: Final = re.compile(
    r"\d{2}\.\d{2}\.\d{2}-\d{2}(\.\d{1,2})*|\d{2}\.\d{2}\.\d{2}(-\d{1,2})*|\d{2}\.\d{2}(\.\d{1,2})*"
)
_DATE: Final = re.compile(r"([0-9]{2})([0-9]{2})(?:19|20)([0-9]{2})")
_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]")
_D0: Final = re.compile(r"-?[0-9]+(\.0{1,2})?")
_D2: Final = re.compile(r"-?[0-9]+\.[0-9]{2}")
_D3: Final = re.compile(r"-?[0-9]+(\.[0-9]{1,3})?")
_D8: Final = re.compile(r"-?[0-9]+(\.[0-9]{1,8})?")

_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MAX_ROW_NUMBER: Final = 999_999
_MAX_N5: Final = 99_999


def collapsed(value: str) -> str:
    """The value without white space at its ends."""
    return _SPACE.sub(" ", value).strip(" ")


def as_integer(value: str) -> int | None:
    """The integer written there, or None when there is none."""
    value = collapsed(value)
    return int(value) if _INTEGER.fullmatch(value) else None


def as_boolean(value: str) -> bool | None:
    """The truth value written there, or None when there is none."""
    return {"true": True, "1": True, "false": False, "0": False}.get(collapsed(value))


def is_row_number(value: str) -> bool:
    """1 to 999999."""
    number = as_integer(value)
    return number is not None and 1 <= number <= _MAX_ROW_NUMBER


def _text_up_to(limit: int) -> Callable[[str], bool]:
    return lambda value: len(value) <= limit


def _matching(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


def _number_like(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    def accepts(value: str) -> bool:
        return (
            pattern.fullmatch(value) is not None or pattern.fullmatch(collapsed(value)) is not None
        )

    return accepts


def _integer_in(low: int | None, high: int | None) -> Callable[[str], bool]:
    def accepts(value: str) -> bool:
        number = as_integer(value)
        return (
            number is not None
            and (low is None or number >= low)
            and (high is None or number <= high)
        )

    return accepts


def _is_uktzed(value: str) -> bool:
    value = collapsed(value)
    return _UKTZED.fullmatch(value) is not None and int(value) > 0


def _is_date(value: str) -> bool:
    found = _DATE.fullmatch(value)
    if found is None:
        return False
    day, month, year = int(found[1]), int(found[2]), int(found[3])
    if not 1 <= month <= len(_DAYS):
        return False
    # The schema goes by the last two digits, so it takes 29 February of 1900 as well.
    leap_day = 1 if month == 2 and year % 4 == 0 else 0
    return 1 <= day <= _DAYS[month - 1] + leap_day


def _is_date_time(value: str) -> bool:
    return _is_date(value[:8]) and _TIME.fullmatch(value[8:]) is not None


def _is_boolean(value: str) -> bool:
    return as_boolean(value) is not None


TYPES: Final[dict[str, Callable[[str], bool]]] = {
    "text": lambda _: True,
    "s1": _text_up_to(1),
    "s15": _text_up_to(15),
    "s64": _text_up_to(64),
    "s128": _text_up_to(128),
    "s256": _text_up_to(256),
    "s1024": _text_up_to(1024),
    "d0": _number_like(_D0),
    "d2": _number_like(_D2),
    "d3": _number_like(_D3),
    "d8": _number_like(_D8),
    "int": _integer_in(None, None),
    "nonneg": _integer_in(0, None),
    "pos": _integer_in(1, None),
    "n5": _integer_in(1, _MAX_N5),
    "bool": _is_boolean,
    "date": _is_date,
    "time": _matching(_TIME),
    "datetime": _is_date_time,
    "tin": _matching(_TIN),
    "ipn": _matching(_IPN),
    "uktzed": _is_uktzed,
    "dkpp": _matching(_DKPP),
}

_PATTERN_DATE: Final = "(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])(19|20)[0-9]{2}"
_PATTERN_TIME: Final = "([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"
PATTERNS: Final[dict[str, tuple[str, tuple[tuple[str, str], ...]]]] = {
    "s1": ("string", (("maxLength", "1"),)),
    "s15": ("string", (("maxLength", "15"),)),
    "s64": ("string", (("maxLength", "64"),)),
    "s128": ("string", (("maxLength", "128"),)),
    "s256": ("string", (("maxLength", "256"),)),
    "s1024": ("string", (("maxLength", "1024"),)),
    "d0": ("decimal", (("pattern", _D0.pattern),)),
    "d2": ("decimal", (("pattern", _D2.pattern),)),
    "d3": ("decimal", (("pattern", _D3.pattern),)),
    "d8": ("decimal", (("pattern", _D8.pattern),)),
    "n5": ("integer", (("minInclusive", "1"), ("maxInclusive", str(_MAX_N5)))),
    "date": ("string", (("pattern", _PATTERN_DATE),)),
    "time": ("string", (("pattern", _PATTERN_TIME),)),
    "datetime": ("string", (("pattern", _PATTERN_DATE + _PATTERN_TIME),)),
    "tin": ("string", (("pattern", _TIN.pattern),)),
    "ipn": ("string", (("pattern", _IPN.pattern),)),
    "uktzed": ("positiveInteger", (("pattern", _UKTZED.pattern),)),
    "dkpp": ("string", (("pattern", _DKPP.pattern),)),
    "rownum": ("int", (("minInclusive", "1"), ("maxInclusive", str(_MAX_ROW_NUMBER)))),
}
"""Base type and facets of each type in the words of XML Schema; a date's days only roughly."""
