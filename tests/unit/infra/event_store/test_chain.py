"""The chain is what its definition says, and one changed bit anywhere changes everything after it."""

from hashlib import sha256
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from infra.event_store import chain

STREAM = UUID("11111111-2222-3333-4444-555555555555")
Row = tuple[str, bytes]
rows = st.lists(
    st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.binary()),
    min_size=1,
    max_size=8,
)


def chained(stream_id: UUID, events: list[Row]) -> list[bytes]:
    value, values = chain.origin(stream_id), []
    for number, (topic, state) in enumerate(events):
        value = chain.link(value, topic=topic, version=number + 1, state=state)
        values.append(value)
    return values


def test_a_known_chain_has_known_values() -> None:
    first = sha256(sha256(STREAM.bytes).digest() + b"till.sold\0" + bytes(7) + b"\x01{}").digest()
    second = sha256(first + "каса.sold".encode() + b"\0" + bytes(6) + b"\x01\x00" + b"x").digest()
    assert chain.link(chain.origin(STREAM), topic="till.sold", version=1, state=b"{}") == first
    assert chain.link(first, topic="каса.sold", version=256, state=b"x") == second


@given(rows, st.data())
def test_a_changed_bit_changes_this_value_and_every_later_one(
    events: list[Row], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(events) - 1))
    topic, state = events[place]
    state = state or b"\0"
    events[place] = (topic, state)
    bit = data.draw(st.integers(0, 8 * len(state) - 1))
    changed = bytearray(state)
    changed[bit // 8] ^= 1 << bit % 8
    before = chained(STREAM, events)
    after = chained(STREAM, [*events[:place], (topic, bytes(changed)), *events[place + 1 :]])
    assert before[:place] == after[:place]
    assert all(old != new for old, new in zip(before[place:], after[place:], strict=True))


@given(rows, st.integers(1, 2**128 - 1))
def test_a_chain_cannot_be_moved_to_another_stream(events: list[Row], mask: int) -> None:
    other = UUID(int=STREAM.int ^ mask)
    pairs = zip(chained(STREAM, events), chained(other, events), strict=True)
    assert all(here != there for here, there in pairs)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.binary(max_size=40))
def test_topic_version_and_state_cannot_lend_each_other_bytes(topic: str, state: bytes) -> None:
    start = chain.origin(STREAM)
    one = chain.link(start, topic=topic, version=1, state=state)
    assert one != chain.link(start, topic=topic + "a", version=1, state=state[1:])
    assert one != chain.link(start, topic=topic, version=2, state=state)
    assert one != chain.link(start, topic=topic, version=1, state=b"\0" + state)
