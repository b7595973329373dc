"""Words to find receipts by, cut and folded here so that no locale of the database has a say in it.

Rules: text is lowered; apostrophes of every shape are dropped, so that кав'ярня and кавʼярня are one word; words are
runs of letters and digits. A query finds receipts that have, for each of its words, one that begins with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from domain.documents.receipt import Receipt

_APOSTROPHES = str.maketrans("", "", "'’ʼ`‘´")
_WORD = re.compile(r"[^\W_]+")
_TAIL = re.compile(r"(\d{4})\s*$")
_LONGEST_WORD = 64


class Field(StrEnum):
    """What a word stands for."""

    PRODUCT = "p"
    CASHIER = "c"
    CARD_TAIL = "k"


def vector(receipt: Receipt) -> str:
    """Return a receipt's words as PostgreSQL's tsvector is written."""
    found = {
        f"{Field.PRODUCT}:{word}"
        for line in receipt.lines
        for text in (
            line.name,
            line.fiscal_name,
            line.code,
            line.barcode,
            line.uktzed,
            line.dkpp,
            *(line.excise_stamps or ()),
        )
        for word in words(text)
    }
    found |= {f"{Field.CASHIER}:{word}" for word in words(receipt.cashier_name)}
    found |= {f"{Field.CARD_TAIL}:{tail}" for tail in card_tails(receipt)}
    return " ".join(f"'{word}'" for word in sorted(found))


def query(field: Field, text: str) -> str | None:
    """Return a tsquery for words that begin as those of `text` do; None when it has no words."""
    parts = [f"'{field}:{word}':*" for word in words(text)]
    return " & ".join(parts) or None


def words(text: str | None) -> Iterable[str]:
    """Return the words of a text, folded."""
    if text is None:
        return ()
    folded = text.lower().translate(_APOSTROPHES)
    return (word[:_LONGEST_WORD] for word in _WORD.findall(folded))


def card_tails(receipt: Receipt) -> list[str]:
    """Return the last four digits of each card of a receipt, where the mask shows them."""
    masked = (payment.slip.masked_card for payment in receipt.payments if payment.slip is not None)
    return [found[1] for card in masked if card and (found := _TAIL.search(card))]
