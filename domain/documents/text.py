"""Text that a fiscal document can carry: windows-1251, no control characters, no longer than its field.

What is replaced, and by what (reference §3.1 wants it done before a document is built, because numeric
references would be stored literally in the receipt):

1. Letters typed as a letter and an accent are composed: `и` + U+0306 becomes `й`.
2. Apostrophes, dashes, spaces and signs that the code page lacks become the nearest it has: `ʼ` becomes
   `'`, a non-breaking hyphen `-`, `₴` `грн`; invisible marks are dropped (`REPLACEMENTS`).
3. Latin letters lose accents that the code page lacks: `Nestlé` becomes `Nestle`.

Everything else outside the code page (emoji, other scripts) and every control character, line breaks and
tabs among them, is refused.
"""

from __future__ import annotations

import re
import unicodedata
from enum import IntEnum
from types import MappingProxyType

from domain.errors import InvalidField

ENCODING = "cp1251"

TEST_MARK = "ТЕСТОВИЙ НЕФІСКАЛЬНИЙ ДОКУМЕНТ"
"""What every form of a test document shows. Source: description of the API of 2025 (reference §3.9)."""

REPLACEMENTS = MappingProxyType(
    {
        # apostrophes and quotation marks; U+02BC is the official Ukrainian apostrophe
        **dict.fromkeys("\u02bc\u02b9\u00b4\u2032\u201b", "'"),
        **dict.fromkeys("\u2033\u201f", '"'),
        # hyphens, minus, dashes
        **dict.fromkeys("\u2010\u2011\u2212\u2043", "-"),
        "\u2012": "\u2013",
        "\u2015": "\u2014",
        # spaces of all widths
        **dict.fromkeys("\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000", " "),
        # zero-width space and joiners, direction marks, word joiner, byte order mark
        **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", ""),
        # signs of goods names
        "\u00d7": "x",
        "\u20b4": "грн",
        "\u00bc": "1/4",
        "\u00bd": "1/2",
        "\u00be": "3/4",
        "\u00b2": "2",
        "\u00b3": "3",
        # Latin letters that do not decompose
        "\u00d8": "O",
        "\u00f8": "o",
        "\u00df": "ss",
        "\u00c6": "AE",
        "\u00e6": "ae",
        "\u0152": "OE",
        "\u0153": "oe",
        "\u0141": "L",
        "\u0142": "l",
        "\u0131": "i",
    }
)


class Limit(IntEnum):
    """The longest text of a field, in characters. Source: check01.xsd and zrep01.xsd of 2025.

    The schema leaves comments and names in card slips open; `LONGEST` holds there too. It gives no length for names of
    payment forms either, but its remark says 128. Names of discounts stay with us; theirs is our own limit.
    """

    LONGEST = 1024
    LINE_NAME = 1024
    LINE_CODE = 64
    BARCODE = 64
    UNIT_OF_MEASURE = 64
    LETTERS = 15
    TAX_NAME = 64
    TAX_LETTER = 1
    SELLER_NAME = 256
    BUSINESS_UNIT_NAME = 256
    BUSINESS_UNIT_ADDRESS = 256
    CASHIER_NAME = 128
    EXCISE_STAMP = 64
    PAYMENT_FORM_NAME = 128
    DISCOUNT_NAME = 128
    SLIP_TEXT = 128
    AUTHORISATION_CODE = 64
    PAYMENT_PURPOSE = 128


_ORDINARY = re.compile(r"[ -~А-яІіЇїЄєҐґ№«»–—’]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TABLE = str.maketrans(dict(REPLACEMENTS))


def encodable(text: str, *, field: str, limit: int = Limit.LONGEST) -> str:
    """Return `text` with what the module's rules replace, ready for a document.

    `field` names the input in the error; `limit` is the longest result in characters. An encodable text comes
    back unchanged.

    Raises: InvalidField.
    """
    if _ORDINARY.fullmatch(text) is None:
        text = _replaced(text, field=field)
    if len(text) > limit:
        raise InvalidField(field=field, expected=f"at most {int(limit)} characters long")
    return text


def optional(text: str | None, *, field: str, limit: int = Limit.LONGEST) -> str | None:
    """Return an optional text as `encodable` does; an empty one counts as absent, as documents omit it.

    Raises: InvalidField.
    """
    return encodable(text, field=field, limit=limit) if text else None


def _replaced(text: str, *, field: str) -> str:
    if _CONTROL.search(text) is not None:
        raise InvalidField(field=field, expected="text without line breaks and control characters")
    text = unicodedata.normalize("NFC", text).translate(_TABLE)
    try:
        text.encode(ENCODING)
    except UnicodeEncodeError:
        text = "".join(map(_nearest, text))
    try:
        text.encode(ENCODING)
    except UnicodeEncodeError as refused:
        character = refused.object[refused.start]
        raise InvalidField(
            field=field,
            expected="text of the windows-1251 code page, without emoji;"
            f" U+{ord(character):04X} is not in it",
        ) from None
    return text


def _nearest(character: str) -> str:
    """Return the base of a Latin letter with accents, anything else unchanged."""
    parts = unicodedata.normalize("NFD", character)
    base, accents = parts[0], parts[1:]
    if base.isascii() and base.isalpha() and all(map(unicodedata.combining, accents)):
        return base
    return character
