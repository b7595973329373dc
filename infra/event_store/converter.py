"""Values to and from what JSON has: dataclasses, units, times, containers, by their type hints.

The rules are those of infra/event_store/codec.py.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import Enum
from operator import attrgetter
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import cattrs
from cattrs.fns import identity
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from domain.money import Money, Quantity, Rate

UNITS: dict[Any, str] = {Money: "kopecks", Quantity: "thousandths", Rate: "basis_points"}
"""What the names of such values close with."""


def stored_name(name: str, hint: Any) -> str:
    """Return the name a field is stored under: with its unit where its values have one."""
    unit = _unit(hint)
    public = name.lstrip("_")
    return public if unit is None or public.endswith(f"_{unit}") else f"{public}_{unit}"


def _unit(hint: Any) -> str | None:
    if hint in UNITS:
        return UNITS[hint]
    members = get_args(hint)
    if get_origin(hint) is dict:
        members = members[1:]
    units = {_unit(member) for member in members if member not in (type(None), Ellipsis)}
    return units.pop() if len(units) == 1 else None


def members(hint: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the hint itself."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def check_storable(hint: Any, name: str) -> None:
    """Refuse what has no stored form: floats, and values of any type. Raises: TypeError."""
    if hint is float or hint is Any:
        raise TypeError(f"{name}: {hint} has no stored form")
    for member in get_args(hint):
        if member is not Ellipsis and not isinstance(member, str | int):
            check_storable(member, name)


def _utc(value: datetime) -> datetime:
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise TypeError(f"the time {value.isoformat()} has no time zone")
    return value.astimezone(UTC)


def _number(unit_class: type) -> Callable[[Any, Any], Any]:
    def load(value: Any, _: Any) -> Any:
        if type(value) is not int:
            raise TypeError(f"{value!r} is not a whole number")
        return unit_class(value)

    return load


def _key(key_class: Any) -> tuple[Callable[[Any], str], Callable[[str], Any]]:
    """Return how a dictionary's key becomes text, and back."""
    if key_class is str:
        return identity, identity
    if key_class is date:
        return date.isoformat, date.fromisoformat
    if key_class in (int, UUID):
        return str, key_class
    if isinstance(key_class, type) and issubclass(key_class, Enum):
        return (lambda key: str(key.value)), key_class
    raise TypeError(f"{key_class} cannot be the key of a stored dictionary")


def _has_origin(*origins: type) -> Callable[[Any], bool]:
    return lambda hint: get_origin(hint) in origins


def _dict_dump(hint: Any) -> Callable[[Any], Any]:
    key_class, value_class = get_args(hint)
    dump_key, _ = _key(key_class)
    dump = converter.get_unstructure_hook(value_class)
    return lambda values: {dump_key(key): dump(value) for key, value in values.items()}


def _dict_load(hint: Any) -> Callable[[Any, Any], Any]:
    key_class, value_class = get_args(hint)
    _, load_key = _key(key_class)
    load = converter.get_structure_hook(value_class)
    return lambda values, _: {load_key(k): load(v, value_class) for k, v in values.items()}


def _is_list_of_one_kind(hint: Any) -> bool:
    """Whether a hint is `list[X]` or `tuple[X, ...]`, whose general hooks look each element's kind up again."""
    arguments = get_args(hint)
    return (get_origin(hint) is list and len(arguments) == 1) or (
        get_origin(hint) is tuple and len(arguments) == 2 and arguments[1] is Ellipsis
    )


def _list_dump(hint: Any) -> Callable[[Any], Any]:
    dump = converter.get_unstructure_hook(get_args(hint)[0])
    return list if dump is identity else lambda values: [dump(value) for value in values]


def _list_load(hint: Any) -> Callable[[Any, Any], Any]:
    member, kind = get_args(hint)[0], get_origin(hint)
    load = converter.get_structure_hook(member)
    return lambda values, _: kind([load(value, member) for value in values])


def _set_dump(hint: Any) -> Callable[[Any], Any]:
    (member,) = get_args(hint)
    dump = converter.get_unstructure_hook(member)
    return lambda values: [dump(value) for value in sorted(values)]


def _is_dataclass_union(hint: Any) -> bool:
    classes = [member for member in members(hint) if member is not type(None)]
    return len(classes) > 1 and all(
        dataclasses.is_dataclass(member) and member not in UNITS for member in classes
    )


def _tag(member: type) -> str:
    return str(getattr(member, "TOPIC", member.__name__))


def _union_dump(hint: Any) -> Callable[[Any], Any]:
    dumps = {
        member: (_tag(member), converter.get_unstructure_hook(member))
        for member in members(hint)
        if member is not type(None)
    }

    def dump(value: Any) -> Any:
        if value is None:
            return None
        tag, member_dump = dumps[type(value)]
        return {"type": tag, **member_dump(value)}

    return dump


def _union_load(hint: Any) -> Callable[[Any, Any], Any]:
    loads = {
        _tag(member): (member, converter.get_structure_hook(member))
        for member in members(hint)
        if member is not type(None)
    }

    def load(value: Any, _: Any) -> Any:
        if value is None:
            return None
        member, member_load = loads[value["type"]]
        return member_load(value, member)

    return load


def _overrides(stored_class: type) -> dict[str, Any]:
    hints = get_type_hints(stored_class)
    assert dataclasses.is_dataclass(stored_class)
    overrides = {}
    for field in dataclasses.fields(stored_class):
        hint = hints[field.name]
        check_storable(hint, f"{stored_class.__name__}.{field.name}")
        overrides[field.name] = override(
            rename=stored_name(field.name, hint), omit_if_default=field.default is None
        )
    return overrides


def _make_converter() -> cattrs.Converter:
    made = cattrs.Converter(detailed_validation=False)
    for unit_class, unit in UNITS.items():
        made.register_unstructure_hook(unit_class, attrgetter(unit))
        made.register_structure_hook(unit_class, _number(unit_class))
    for plain in (UUID, date):
        made.register_unstructure_hook(plain, identity)
    made.register_unstructure_hook_func(
        lambda hint: isinstance(hint, type) and issubclass(hint, Enum), identity
    )
    made.register_structure_hook(UUID, lambda value, _: UUID(value))
    made.register_structure_hook(date, lambda value, _: date.fromisoformat(value))
    made.register_unstructure_hook(datetime, _utc)
    made.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    made.register_unstructure_hook(bytes, bytes.hex)
    made.register_structure_hook(bytes, lambda value, _: bytes.fromhex(value))
    return made


converter = _make_converter()
"""Dataclasses, units and containers to and from what JSON has; also for other stored JSON."""

converter.register_unstructure_hook_factory(
    lambda hint: dataclasses.is_dataclass(hint) and hint not in UNITS,
    lambda hint: make_dict_unstructure_fn(hint, converter, **_overrides(hint)),
)
converter.register_structure_hook_factory(
    lambda hint: dataclasses.is_dataclass(hint) and hint not in UNITS,
    lambda hint: make_dict_structure_fn(hint, converter, **_overrides(hint)),
)
converter.register_unstructure_hook_factory(_is_list_of_one_kind, _list_dump)
converter.register_structure_hook_factory(_is_list_of_one_kind, _list_load)
converter.register_unstructure_hook_factory(_has_origin(dict), _dict_dump)
converter.register_structure_hook_factory(_has_origin(dict), _dict_load)
converter.register_unstructure_hook_factory(_has_origin(set, frozenset), _set_dump)
converter.register_unstructure_hook_factory(_is_dataclass_union, _union_dump)
converter.register_structure_hook_factory(_is_dataclass_union, _union_load)
