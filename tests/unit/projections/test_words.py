from dataclasses import replace

import pytest

from domain.documents.receipt import CardSlip
from projections.words import Field, card_tails, query, vector, words
from tests.examples import PLAIN_SALE, RICH_SALE, SALE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Хліб житній", ["хліб", "житній"]),
        ("кав'ярня КАВʼЯРНЯ кав’ярня", ["кавярня"] * 3),
        ("Вино, 0,75 л", ["вино", "0", "75", "л"]),
        ("AB-12_x", ["ab", "12", "x"]),
        ("' & | ! :* \\", []),
        (None, []),
    ],
)
def test_text_is_cut_into_folded_words(text: str | None, expected: list[str]) -> None:
    assert list(words(text)) == expected


def test_a_receipt_is_found_by_goods_codes_cashier_and_card() -> None:
    found = vector(SALE).split()
    assert {
        "'p:хліб'",
        "'p:1002'",
        "'p:4820000000031'",
        "'p:2204219700'",
        "'c:приклад'",
        "'k:1234'",
    } <= set(found)
    assert len(found) == len(set(found))


def test_a_receipt_is_found_by_stamp_and_service_code() -> None:
    found = vector(RICH_SALE).split()
    assert {"'p:abcd123456'", "'p:abcd123457'", "'p:25'", "'p:61'"} <= set(found)


def test_query_wants_every_word_and_takes_beginnings() -> None:
    assert query(Field.PRODUCT, "Хліб жит") == "'p:хліб':* & 'p:жит':*"
    assert query(Field.CARD_TAIL, "1234") == "'k:1234':*"


def test_query_without_words_is_none() -> None:
    assert query(Field.PRODUCT, " — ") is None


@pytest.mark.parametrize(
    ("masked", "tails"),
    [
        ("9804********1234", ["1234"]),
        ("4149 62** **** 1234", ["1234"]),
        ("**** 12 34", []),
        ("980412******", []),
        (None, []),
    ],
)
def test_card_tail_is_what_the_mask_shows_at_its_end(masked: str | None, tails: list[str]) -> None:
    paid = replace(SALE.payments[1], slip=CardSlip(masked_card=masked))
    assert card_tails(replace(PLAIN_SALE, payments=(paid,))) == tails
