"""XML Schema files of the documents, written from the simulator's own tables.

The real service hands out its schema files by the command Schemas. These say the same in the words
of our tables: a client that validates with them refuses what the judge would refuse.
"""

from functools import lru_cache
from typing import Final

from infra.simulator.lexical import PATTERNS
from infra.simulator.schema import SEQUENCES, Sequence, Slot

_BUILT_IN: Final = {
    "text": "xs:string",
    "int": "xs:integer",
    "nonneg": "xs:nonNegativeInteger",
    "pos": "xs:positiveInteger",
    "bool": "xs:boolean",
}


@lru_cache
def schema_file(root: str) -> bytes:
    """The schema of documents with this root element, in windows-1251."""
    reached = _reached(root)
    parts = [
        '<?xml version="1.0" encoding="windows-1251"?>',
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">',
        *_simple_types(),
        f'<xs:element name="{root}" type="{root}"/>',
    ]
    for table, has_row_number in reached.items():
        parts.append(f'<xs:complexType name="{table}">')
        parts.extend(_sequence(SEQUENCES[table]))
        if has_row_number:
            parts.append('<xs:attribute name="ROWNUM" type="rownum" use="required"/>')
        parts.append("</xs:complexType>")
    parts.append("</xs:schema>")
    return "\n".join(parts).encode("windows-1251")


def _reached(root: str) -> dict[str, bool]:
    """The tables below a root, and whether each describes rows."""
    found = {root: False}
    waiting = [root]
    while waiting:
        for slot in SEQUENCES[waiting.pop()].values():
            if slot.child is not None and slot.child not in found:
                found[slot.child] = slot.is_rows
                waiting.append(slot.child)
    return found


def _simple_types() -> list[str]:
    parts = []
    for name, (base, facets) in PATTERNS.items():
        inner = "".join(f'<xs:{facet} value="{value}"/>' for facet, value in facets)
        parts.append(
            f'<xs:simpleType name="{name}"><xs:restriction base="xs:{base}">{inner}'
            "</xs:restriction></xs:simpleType>"
        )
    return parts


def _sequence(sequence: Sequence) -> list[str]:
    parts = ["<xs:sequence>"]
    by_position: dict[int, list[tuple[str, Slot]]] = {}
    for name, slot in sequence.items():
        by_position.setdefault(slot.position, []).append((name, slot))
    for alternatives in by_position.values():
        elements = [_element(name, slot) for name, slot in alternatives]
        if len(elements) > 1:
            elements = ["<xs:choice>", *elements, "</xs:choice>"]
        parts.extend(elements)
    parts.append("</xs:sequence>")
    return parts


def _element(name: str, slot: Slot) -> str:
    occurs = "" if slot.required else ' minOccurs="0"'
    if not slot.is_rows:
        kind = slot.child or _BUILT_IN.get(slot.kind, slot.kind)
        return f'<xs:element name="{name}" type="{kind}"{occurs}/>'
    return (
        f'<xs:element name="{name}"{occurs}><xs:complexType><xs:sequence>'
        f'<xs:element name="ROW" type="{slot.child}" maxOccurs="unbounded"/>'
        "</xs:sequence></xs:complexType></xs:element>"
    )
