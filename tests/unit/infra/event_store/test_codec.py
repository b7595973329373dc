"""The stored form of events and snapshots: exact bytes, and nothing lost on the way back."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import pytest
from eventsourcing.persistence import MapperDeserialisationError, StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from domain.aggregate import Aggregate, AggregateCreated, event
from domain.money import Money, Quantity, Rate
from infra.event_store.codec import (
    LedgerMapper,
    StateCompressor,
    record_of,
    shape_of,
)
from infra.event_store.converter import converter, stored_name
from tests.support.till import Till

MAPPER = LedgerMapper()
ID = UUID("12345678-1234-5678-1234-567812345678")
OTHER = UUID("87654321-4321-8765-4321-876543218765")
AT = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Round:
    TOPIC: ClassVar[str] = "round"
    radius: Quantity


@dataclass(frozen=True, slots=True)
class Square:
    side: Quantity
    colour: Colour | None = None


class Sample(Aggregate):
    """Has an attribute of every form that can be stored."""

    TOPIC: ClassVar[str] = "test-sample"
    name: str

    class Event(Aggregate.Event):
        TOPIC: ClassVar[str] = "test-sample.event"

    class Made(Event, AggregateCreated):
        TOPIC: ClassVar[str] = "test-sample.made"
        name: str

    class Filled(Event):
        TOPIC: ClassVar[str] = "test-sample.filled"
        price: Money
        weight: Quantity
        tax: Rate | None
        total_kopecks: int
        amounts: tuple[Money, ...]
        by_day: dict[date, Money]
        by_id: dict[UUID, tuple[Quantity, ...]]
        colours: frozenset[Colour]
        shapes: tuple[Round | Square, ...]
        digest: bytes
        at: datetime
        day: date
        note: str | None

    class Grown(Event):
        TOPIC: ClassVar[str] = "test-sample.grown"
        class_version = 3
        height_centimetres: int
        colour: Colour

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["height_centimetres"] = state.pop("height_metres") * 100

        @staticmethod
        def upcast_v2_v3(state: dict[str, Any]) -> None:
            state["colour"] = "red"

    @event(Made)
    def __init__(self, *, id: UUID, name: str) -> None:
        self.name = name


def happened(event_class: Any, **values: Any) -> Any:
    """Return an event; its class takes fields that a type checker does not see."""
    return event_class(originator_id=ID, originator_version=2, **values)


FILLED = happened(
    Sample.Filled,
    timestamp=AT + timedelta(microseconds=1_500),
    price=Money(-1250),
    weight=Quantity(1500),
    tax=Rate(2000),
    total_kopecks=7,
    amounts=(Money(1), Money(2)),
    by_day={date(2026, 1, 2): Money(3)},
    by_id={OTHER: (Quantity(4),)},
    colours=frozenset({Colour.RED, Colour.BLUE}),
    shapes=(Round(Quantity(5)), Square(Quantity(6)), Square(Quantity(7), Colour.BLUE)),
    digest=b"\x00\xff",
    at=AT.astimezone(timezone(timedelta(hours=3))),
    day=date(2026, 10, 25),
    note=None,
)
STORED = (
    b'{"timestamp":"2026-10-25T00:30:00.001500Z","price_kopecks":-1250,"weight_thousandths":1500,'
    b'"tax_basis_points":2000,"total_kopecks":7,"amounts_kopecks":[1,2],'
    b'"by_day_kopecks":{"2026-01-02":3},'
    b'"by_id_thousandths":{"87654321-4321-8765-4321-876543218765":[4]},"colours":["blue","red"],'
    b'"shapes":[{"type":"round","radius_thousandths":5},{"type":"Square","side_thousandths":6},'
    b'{"type":"Square","side_thousandths":7,"colour":"blue"}],"digest":"00ff",'
    b'"at":"2026-10-25T00:30:00Z","day":"2026-10-25","note":null}'
)


def json_of(stored: StoredEvent) -> bytes:
    return StateCompressor().decompress(stored.state)


def stored(topic: str, state: bytes) -> StoredEvent:
    return StoredEvent(ID, 2, topic, state)


class TestEvent:
    def test_has_exactly_these_bytes(self) -> None:
        found = MAPPER.to_stored_event(FILLED)
        assert (found.originator_id, found.originator_version, found.topic) == (
            ID,
            2,
            "test-sample.filled",
        )
        assert json_of(found) == STORED

    def test_comes_back_equal(self) -> None:
        assert MAPPER.to_domain_event(MAPPER.to_stored_event(FILLED)) == FILLED

    def test_comes_back_with_its_types(self) -> None:
        back: Any = MAPPER.to_domain_event(stored("test-sample.filled", STORED))
        assert isinstance(back, Sample.Filled)
        assert type(back.price) is Money
        assert type(back.shapes[1]) is Square
        assert type(back.colours) is frozenset
        assert back.at.tzinfo is UTC

    def test_the_first_one_makes_the_aggregate_again(self) -> None:
        made = Sample(id=ID, name="x")
        (first,) = made.collect_events()
        back: Any = MAPPER.to_domain_event(MAPPER.to_stored_event(first))
        assert back.mutate(None) == made

    def test_a_naive_time_cannot_be_stored(self) -> None:
        naive = happened(
            Till.Sold,
            timestamp=AT,
            form="cash",
            goods=(),
            total=Money(1),
            at=datetime(2026, 1, 1),  # noqa: DTZ001
        )
        with pytest.raises(TypeError, match="time zone"):
            MAPPER.to_stored_event(naive)

    @pytest.mark.parametrize(
        ("topic", "state"),
        [
            ("test-sample.unheard-of", b"{}"),
            ("test-sample.filled", b"{}"),
            ("test-sample.filled", b'{"cut'),
            ("test-sample.filled", b"not zlib"),
            ("test-sample.filled", STORED.replace(b"-1250", b"-12.5")),
            ("test-sample.filled", STORED.replace(b'"blue"', b'"green"')),
            ("test-sample.filled", STORED.replace(b'"round"', b'"oval"')),
            ("test-sample.grown", b'{"timestamp":"2026-01-01T00:00:00Z","class_version":4}'),
        ],
    )
    def test_what_cannot_be_read_names_its_place(self, topic: str, state: bytes) -> None:
        with pytest.raises(MapperDeserialisationError, match=f"version 2 of stream {ID}"):
            MAPPER.to_domain_event(stored(topic, state))


class TestUpcasting:
    def test_every_earlier_version_is_read(self) -> None:
        now = happened(Sample.Grown, timestamp=AT, height_centimetres=200, colour=Colour.RED)
        time = b'{"timestamp":"2026-10-25T00:30:00Z",'
        for state in (
            time + b'"height_metres":2}',
            time + b'"height_centimetres":200,"class_version":2}',
            time + b'"height_centimetres":200,"colour":"red","class_version":3}',
        ):
            assert MAPPER.to_domain_event(stored("test-sample.grown", state)) == now
        assert json_of(MAPPER.to_stored_event(now)) == state


class TestSnapshot:
    def till(self) -> Till:
        till = Till(id=ID, name="Каса")
        till.sell(amount=Money(250))
        till.sell(amount=Money(50), form="card")
        till.collect_events()
        return till

    def test_gives_the_aggregate_back(self) -> None:
        till = self.till()
        found = MAPPER.to_stored_event(Till.Snapshot.take(till))
        assert (found.topic, found.originator_version) == ("test-till", 3)
        back: Any = MAPPER.to_domain_event(found)
        assert back.mutate(None) == till

    def test_has_these_names(self) -> None:
        state = json_of(MAPPER.to_stored_event(Till.Snapshot.take(self.till())))
        assert state.startswith(
            '{"name":"Каса","sales":2,"total_kopecks":300,'
            '"by_form_kopecks":{"cash":250,"card":50},"last_sale_at":"2026-03-29T12:00:00Z",'
            '"created_on":"'.encode()
        )

    def test_an_attribute_without_a_declaration_is_an_error(self) -> None:
        till = self.till()
        till.forgotten = 1  # type: ignore[attr-defined]
        with pytest.raises(TypeError, match="forgotten"):
            MAPPER.to_stored_event(Till.Snapshot.take(till))

    def test_the_shape_tells_aggregates_apart(self) -> None:
        assert shape_of(Till) != shape_of(Sample)
        assert len(shape_of(Till)) == 16


class TestWhatHasNoStoredForm:
    @pytest.mark.parametrize("hint", [float, Any, tuple[float, ...], dict[float, int]])
    def test_is_refused_before_anything_is_stored(self, hint: Any) -> None:
        made = type(
            "Wrong",
            (Sample.Event,),
            {"TOPIC": "test-sample.wrong", "__annotations__": {"value": hint}},
        )
        with pytest.raises(TypeError):
            record_of(made)


class TestNames:
    @pytest.mark.parametrize(
        ("name", "hint", "expected"),
        [
            ("price", Money, "price_kopecks"),
            ("price", Money | None, "price_kopecks"),
            ("price_kopecks", Money, "price_kopecks"),
            ("price_kopecks", int, "price_kopecks"),
            ("rates", list[Rate], "rates_basis_points"),
            ("sums", dict[Colour, Money], "sums_kopecks"),
            ("mixed", tuple[Money, Quantity], "mixed"),
            ("_created_on", datetime, "created_on"),
        ],
    )
    def test_close_with_their_unit(self, name: str, hint: Any, expected: str) -> None:
        assert stored_name(name, hint) == expected


class TestCompression:
    @given(st.integers(min_value=0, max_value=3_000), st.sampled_from("aїZ0"))
    def test_gives_the_same_bytes_back(self, length: int, letter: str) -> None:
        data = b"{" + letter.encode() * length + b"}"
        kept = StateCompressor().compress(data)
        assert StateCompressor().decompress(kept) == data
        assert (kept == data) == (len(data) < 512)
        assert len(kept) <= len(data)

    def test_long_states_are_zlib(self) -> None:
        kept = StateCompressor().compress(STORED * 2)
        assert zlib.decompress(kept) == STORED * 2


AMOUNTS = st.integers(min_value=-(2**63), max_value=2**63 - 1)


@given(
    st.builds(
        Square,
        st.builds(Quantity, AMOUNTS),
        st.none() | st.sampled_from(Colour),
    )
)
def test_dataclasses_survive_their_stored_form(square: Square) -> None:
    assert converter.structure(converter.unstructure(square), Square) == square
