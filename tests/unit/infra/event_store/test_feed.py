"""Cursors survive their text, foreign text is refused, and no shard of a page starves."""

import base64
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidField
from domain.identifiers import SHARDS
from infra.event_store.feed import Cursor, FeedEvent, shares
from tests.support.till import Till

positions = st.one_of(st.integers(0, 300), st.integers(0, 2**63 - 1))
cursors = st.builds(Cursor, st.lists(positions, min_size=SHARDS, max_size=SHARDS).map(tuple))


@given(cursors)
def test_a_cursor_survives_its_text(cursor: Cursor) -> None:
    assert Cursor.parse(str(cursor)) == cursor


@given(cursors)
def test_the_text_is_safe_in_urls(cursor: Cursor) -> None:
    assert str(cursor).replace("-", "").replace("_", "").isalnum()


def test_the_empty_text_is_the_beginning() -> None:
    assert Cursor.parse("") == Cursor() == Cursor((0,) * SHARDS)


@given(st.text(max_size=120))
def test_any_other_text_is_refused_or_is_a_cursor(text: str) -> None:
    try:
        cursor = Cursor.parse(text)
    except InvalidField:
        return
    assert len(cursor.positions) == SHARDS


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Ж", id="not ASCII"),
        pytest.param("a", id="not base64"),
        pytest.param("a b+", id="not of the alphabet"),
        pytest.param(_text(b"\x02" + bytes(SHARDS)), id="another format"),
        pytest.param(_text(b"\x01" + bytes(SHARDS - 1)), id="too few shards"),
        pytest.param(_text(b"\x01" + bytes(SHARDS + 1)), id="too many shards"),
        pytest.param(_text(b"\x01" + bytes(SHARDS - 1) + b"\x80"), id="cut inside a number"),
        pytest.param(
            _text(b"\x01" + b"\xff" * 9 + b"\x01" + bytes(SHARDS - 1)), id="beyond 63 bits"
        ),
    ],
)
def test_a_damaged_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidField) as refused:
        Cursor.parse(text)
    assert refused.value.field == "cursor"


def test_a_cursor_covers_what_lies_at_or_before_it() -> None:
    cursor = Cursor().moved({3: 7})
    assert [cursor.covers(3, position) for position in (6, 7, 8)] == [True, True, False]
    assert not cursor.covers(4, 1)


@given(st.dictionaries(st.integers(0, 63), st.integers(1, 1000), min_size=1), st.integers(1, 500))
def test_shares_fill_a_page_and_are_even(behind: dict[int, int], limit: int) -> None:
    given_out = shares(behind, limit)
    assert sum(given_out.values()) == min(limit, sum(behind.values()))
    assert all(0 < count <= behind[shard] for shard, count in given_out.items())
    # Whoever got less than it has got no less than anybody else, but for the remainder of one.
    for shard in behind:
        share = given_out.get(shard, 0)
        if share < behind[shard]:
            assert share >= max(given_out.values()) - 1


def test_an_event_is_decoded_when_it_is_first_asked_for() -> None:
    stored = FeedEvent(0, 1, uuid4(), 1, "test-till.renamed", b"not JSON")
    assert stored.topic == Till.Renamed.TOPIC
    with pytest.raises(Exception, match="Cannot read version 1"):
        _ = stored.event
