"""Events and snapshots to and from JSON bytes, driven by the type hints of their classes.

The rules of the stored form:

1. One JSON object per event: its own fields, `timestamp`, and `class_version` where it is above 1. The stream's id
   and version are columns, never repeated.
2. Money, quantities and rates are whole numbers under names with the unit: `price: Money` is `price_kopecks`. The
   same holds inside tuples, lists and dictionaries: `amounts: tuple[Money, ...]` is `amounts_kopecks`.
3. Times are RFC 3339 in UTC with `Z`; a naive time is an error. UUIDs and dates are text, bytes are hexadecimal,
   enums are their values, sets are sorted lists, keys of dictionaries are text.
4. Inside dataclasses a field whose default is None is left out while it is None. Fields of events are always
   written, so that an event shows all it decided.
5. A union of dataclasses carries the member's `TOPIC`, or its class name, under `type`.
6. Keys stand in the order of the class, so equal events have equal bytes.

Upcasting sees the stored form: `upcast_v1_v2(state)` of an event class gets the JSON object, names with units.
"""

from __future__ import annotations

import dataclasses
import hashlib
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson
from cattrs.fns import identity
from eventsourcing.domain import CanSnapshotAggregate, DomainEventProtocol, Snapshot
from eventsourcing.persistence import (
    Compressor,
    Mapper,
    MapperDeserialisationError,
    StoredEvent,
    Transcoder,
)
from eventsourcing.utils import TopicError, get_topic, resolve_topic

from domain.aggregate import Aggregate
from infra.event_store.compression import compress
from infra.event_store.converter import UNITS, check_storable, converter, members, stored_name

Part = TypeVar("Part")

_OPTIONS = orjson.OPT_UTC_Z
_AS_THEY_ARE = (str, int, bool, type(None))
_MOST_PLAIN_BYTES = 512
"""Shorter states are stored as plain JSON: below this, compression saves less than it costs."""


class OrjsonTranscoder(Transcoder):
    """The library's transcoder over orjson."""

    def encode(self, obj: Any) -> bytes:
        """Return JSON; the same object gives the same bytes."""
        return orjson.dumps(obj, option=_OPTIONS)

    def decode(self, data: bytes) -> Any:
        """Return what JSON says."""
        return orjson.loads(data)


class StateCompressor(Compressor):
    """Compresses longer states; the first byte tells JSON (`{`) from zlib, so both can be read for ever."""

    def compress(self, data: bytes) -> bytes:
        """Return `data` or its zlib form, whichever is worth storing."""
        return data if len(data) < _MOST_PLAIN_BYTES else compress(data)

    def decompress(self, data: bytes) -> bytes:
        """Return the JSON."""
        return data if data.startswith(b"{") else zlib.decompress(data)


class LedgerMapper(Mapper[UUID]):
    """Our classes to and from the library's `StoredEvent`, by type hints."""

    def __init__(self) -> None:
        super().__init__(OrjsonTranscoder(), StateCompressor())
        self._state_compressor = StateCompressor()

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """Return the stored form of an event, or of a snapshot under its aggregate's topic.

        Raises: TypeError for a value that does not fit its hint; a naive time is one.
        """
        if isinstance(domain_event, CanSnapshotAggregate):
            stored_class = resolve_topic(domain_event.topic)
            values = _snapshot_values(domain_event, stored_class)
            return self._stored(domain_event, stored_class, values)
        return self._stored(domain_event, type(domain_event), vars(domain_event))

    def _stored(
        self, record: DomainEventProtocol[UUID], stored_class: type, values: Mapping[str, Any]
    ) -> StoredEvent:
        state = record_of(stored_class).dump(values)
        class_version = getattr(stored_class, "class_version", 1)
        if class_version > 1:
            state["class_version"] = class_version
        return StoredEvent(
            originator_id=record.originator_id,
            originator_version=record.originator_version,
            topic=get_topic(stored_class),
            state=self._state_compressor.compress(self.transcoder.encode(state)),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        """Return the event, or a library `Snapshot` when the topic is an aggregate's.

        Raises: MapperDeserialisationError, naming the place.
        """
        stored_class, values = self._loaded(stored_event)
        if issubclass(stored_class, Aggregate):
            return _snapshot(stored_event, stored_class, values)
        values["originator_id"] = stored_event.originator_id
        values["originator_version"] = stored_event.originator_version
        event: DomainEventProtocol[UUID] = object.__new__(stored_class)
        object.__setattr__(event, "__dict__", values)
        return event

    def part_of(self, stored_event: StoredEvent, part: type[Part]) -> Part:
        """Return some of an event's values, as the dataclass that names them; the rest is not made into objects.

        Raises: MapperDeserialisationError, naming the place.
        """
        _, values = self._loaded(stored_event, part)
        return part(**values)

    def _loaded(
        self, stored_event: StoredEvent, part: type | None = None
    ) -> tuple[type[Any], dict[str, Any]]:
        """Return the class of an event and the values that it, or a part of it, names."""
        try:
            stored_class = resolve_topic(stored_event.topic)
            state = self.transcoder.decode(self._state_compressor.decompress(stored_event.state))
            _upcast(stored_class, state)
            return stored_class, record_of(part or stored_class).load(state)
        except (TopicError, ValueError, TypeError, LookupError, AttributeError, zlib.error) as e:
            raise MapperDeserialisationError(
                f"Cannot read version {stored_event.originator_version} of stream "
                f"{stored_event.originator_id} ({stored_event.topic}): {type(e).__name__}: {e}"
            ) from e


def shape_of(aggregate_class: type[Aggregate]) -> str:
    """Return a short name of the form of an aggregate's state: its attributes, their types, its class version.

    A snapshot of another shape is not read: the stream is replayed instead.
    """
    return record_of(aggregate_class).shape


# --- records: the named values of an event or of an aggregate's state -----------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    name: str
    stored_name: str
    dump: Callable[[Any], Any] | None
    load: Callable[[Any, Any], Any] | None
    hint: Any
    default: Any


class Record:
    """How the named values of one class are stored."""

    _NOT_STORED: ClassVar = {"originator_id", "originator_version", "INITIAL_VERSION"}

    def __init__(self, stored_class: type) -> None:
        hints = get_type_hints(stored_class)
        if issubclass(stored_class, Aggregate):
            hints |= {"_created_on": datetime, "_modified_on": datetime}
            defaults: dict[str, Any] = {}
        else:
            assert dataclasses.is_dataclass(stored_class)
            defaults = {f.name: f.default for f in dataclasses.fields(stored_class)}
        self.fields = tuple(
            _field(name, hint, defaults.get(name, dataclasses.MISSING))
            for name, hint in hints.items()
            if get_origin(hint) is not ClassVar and name not in self._NOT_STORED
        )
        self._dumps = tuple((each.stored_name, each.name, each.dump) for each in self.fields)
        class_version = getattr(stored_class, "class_version", 1)
        described = ";".join(f"{field.name}:{_describe(field.hint)}" for field in self.fields)
        self.shape = hashlib.sha256(f"{class_version};{described}".encode()).hexdigest()[:16]

    def dump(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values under their stored names."""
        return {
            stored_name: values[name] if dump is None else dump(values[name])
            for stored_name, name, dump in self._dumps
        }

    def load(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values by name."""
        values: dict[str, Any] = {}
        for field in self.fields:
            try:
                value = stored[field.stored_name]
            except KeyError:
                if field.default is dataclasses.MISSING:
                    raise
                values[field.name] = field.default
                continue
            values[field.name] = value if field.load is None else field.load(value, field.hint)
        return values


@cache
def record_of(stored_class: type) -> Record:
    """Return how a class is stored. Raises: TypeError when a hint has no stored form."""
    return Record(stored_class)


def _field(name: str, hint: Any, default: Any) -> _Field:
    check_storable(hint, name)
    dump = converter.get_unstructure_hook(hint)
    load = converter.get_structure_hook(hint)
    plain = all(member in _AS_THEY_ARE for member in members(hint))
    return _Field(
        name=name,
        stored_name=stored_name(name, hint),
        dump=None if plain or dump is identity else dump,
        load=None if plain else load,
        hint=hint,
        default=default,
    )


def _describe(hint: Any) -> str:
    """Return a text that changes whenever the stored form of a hint may change."""
    if dataclasses.is_dataclass(hint) and hint not in UNITS:
        hints = get_type_hints(hint)
        inner = ",".join(f"{f.name}:{_describe(hints[f.name])}" for f in dataclasses.fields(hint))
        return f"{getattr(hint, '__name__', hint)}({inner})"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return f"{hint.__name__}({','.join(str(member.value) for member in hint)})"
    arguments = get_args(hint)
    if not arguments:
        return getattr(hint, "__name__", str(hint))
    origin = get_origin(hint)
    return f"{getattr(origin, '__name__', origin)}[{','.join(map(_describe, arguments))}]"


def _upcast(stored_class: type, state: dict[str, Any]) -> None:
    version = state.pop("class_version", 1)
    current = getattr(stored_class, "class_version", 1)
    if version > current:
        raise ValueError(f"class version {version} is newer than this program's {current}")
    while version < current:
        getattr(stored_class, f"upcast_v{version}_v{version + 1}")(state)
        version += 1


# --- snapshots ------------------------------------------------------------------------------------------------


def _snapshot_values(snapshot: CanSnapshotAggregate[Any], stored_class: type) -> dict[str, Any]:
    values = {name: value for name, value in snapshot.state.items() if name != "class_version"}
    undeclared = values.keys() - {field.name for field in record_of(stored_class).fields}
    if undeclared:
        raise TypeError(f"{snapshot.topic} does not declare {', '.join(sorted(undeclared))}")
    return values


def _snapshot(stored: StoredEvent, stored_class: type, values: dict[str, Any]) -> Snapshot:
    # The stored form is upcast already; the library would do it again without its class version here.
    values["class_version"] = getattr(stored_class, "class_version", 1)
    assert isinstance(stored.originator_id, UUID)
    return Snapshot(
        originator_id=stored.originator_id,
        originator_version=stored.originator_version,
        timestamp=values["_modified_on"],
        topic=stored.topic,
        state=values,
    )
