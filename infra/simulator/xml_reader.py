"""Documents read from their windows-1251 XML into plain dictionaries, strictly.

Our own reading: it shares nothing with the code that builds documents, so that the two cannot agree
on a mistake.

1. The bytes carry the declaration ``encoding="windows-1251"``, no byte order mark and no DTD.
2. Elements stand in the order of the tables, at most once, the required ones present.
3. Every value is written as its type asks.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from lxml import etree

from infra.simulator.answers import schema_violation
from infra.simulator.lexical import as_boolean, as_integer, collapsed, is_row_number
from infra.simulator.schema import REQUIRED, SEQUENCES, Slot

Node = dict[str, "str | Node | list[Node]"]

_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_ALLOWED_ATTRIBUTES: Final = frozenset(
    {f"{_XSI}noNamespaceSchemaLocation", f"{_XSI}schemaLocation"}
)
_DECLARATION: Final = re.compile(
    rb"<\?xml\s+version\s*=\s*[\"']1\.0[\"']\s+encoding\s*=\s*[\"']windows-1251[\"']", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Document:
    """One document as its sender wrote it.

    ``head`` is CHECKHEAD or ZREPHEAD; ``register`` the fiscal number without leading zeros;
    ``document_type`` and ``document_subtype`` are 0 when absent; ``issued_at`` is the local date and
    time of the operation, without a zone as the document has it.
    """

    root: str
    content: Node
    head: Node
    xml: bytes
    uid: str
    register: str
    local_number: int
    document_type: int
    document_subtype: int
    is_testing: bool
    is_offline: bool
    issued_at: datetime

    @property
    def is_z_report(self) -> bool:
        """True for a Z-report, false for every kind of check."""
        return self.root == "ZREP"

    def has(self, name: str) -> bool:
        """Whether the part of this name is there."""
        return name in self.content


def read_document(xml: bytes) -> Document:
    """The document in these bytes.

    Raises: Refusal with code 9 when the bytes are not windows-1251 XML or break the schema.
    """
    root, content = read_xml(xml, roots=("CHECK", "ZREP"))
    head = part(content, f"{root}HEAD")
    return Document(
        root=root,
        content=content,
        head=head,
        xml=xml,
        uid=required_text(head, "UID"),
        register=str(int(required_text(head, "CASHREGISTERNUM"))),
        local_number=int(required_text(head, "ORDERNUM")),
        document_type=integer(head, "DOCTYPE") or 0,
        document_subtype=integer(head, "DOCSUBTYPE") or 0,
        is_testing=flag(head, "TESTING"),
        is_offline=flag(head, "OFFLINE"),
        issued_at=_moment(required_text(head, "ORDERDATE"), required_text(head, "ORDERTIME")),
    )


def read_xml(xml: bytes, *, roots: tuple[str, ...]) -> tuple[str, Node]:
    """Name of the root and its content.

    Raises: Refusal with code 9 when the bytes are not windows-1251 XML or break the schema.
    """
    if not _DECLARATION.match(xml):
        raise schema_violation("expected an XML declaration with encoding windows-1251")
    root = _parsed(xml)
    if root.tag not in roots:
        raise schema_violation(f"The '{root.tag}' element is not declared.")
    _refuse_attributes(root)
    return root.tag, _sequence(root, root.tag)


def part(node: Node, name: str) -> Node:
    """The part of this name; empty when absent."""
    return cast(Node, node.get(name, {}))


def rows(node: Node, name: str) -> list[Node]:
    """The rows below this name; none when absent."""
    return cast("list[Node]", node.get(name, []))


def text(node: Node, name: str) -> str | None:
    """The value as written, or None when absent."""
    return cast("str | None", node.get(name))


def required_text(node: Node, name: str) -> str:
    """The value of an element the schema requires."""
    return cast(str, node[name])


def integer(node: Node, name: str) -> int | None:
    """The value as an integer, or None when absent."""
    value = text(node, name)
    return None if value is None else as_integer(value.partition(".")[0])


def flag(node: Node, name: str) -> bool:
    """The value as a truth value; false when absent."""
    value = text(node, name)
    return value is not None and as_boolean(value) is True


def kopecks(node: Node, name: str) -> int | None:
    """An amount with two decimals in kopecks, or None when absent."""
    value = text(node, name)
    return None if value is None else scaled(value, digits=2)


def scaled(value: str, *, digits: int) -> int:
    """A written decimal times ten to the power of ``digits``, exact."""
    whole, _, fraction = collapsed(value).partition(".")
    if len(fraction) > digits:
        raise ValueError(f"{value} has more than {digits} decimals")
    return int(whole + fraction.ljust(digits, "0"))


def _moment(date: str, time: str) -> datetime:
    """``DDMMYYYY`` and ``HHMMSS`` as a moment without a zone. Raises: Refusal for 29.02.1900."""
    year, month, day = int(date[4:]), int(date[2:4]), int(date[:2])
    try:
        return datetime(year, month, day, int(time[:2]), int(time[2:4]), int(time[4:]))  # noqa: DTZ001
    except ValueError as error:
        raise schema_violation(f"Element 'ORDERDATE': '{date}' is no date") from error


def _parsed(xml: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
    )
    try:
        xml.decode("windows-1251")
        root = etree.fromstring(xml, parser)
    except UnicodeDecodeError as error:
        raise schema_violation(f"byte {error.start} is not windows-1251") from error
    except etree.XMLSyntaxError as error:
        raise schema_violation(str(error)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise schema_violation("a document type declaration is not allowed")
    return root


def _refuse_attributes(element: etree._Element) -> None:
    for name in map(str, element.attrib):
        if name not in _ALLOWED_ATTRIBUTES:
            raise schema_violation(
                f"Element '{element.tag}', attribute '{name}': The attribute is not allowed."
            )


def _sequence(element: etree._Element, table: str) -> Node:
    sequence = SEQUENCES[table]
    node: Node = {}
    last = -1
    for child in _children(element):
        slot = sequence.get(child.tag)
        if slot is None or slot.position <= last:
            raise schema_violation(f"Element '{child.tag}': This element is not expected.")
        last = slot.position
        node[child.tag] = _value(child, slot)
    for name in REQUIRED[table]:
        if name not in node:
            raise schema_violation(
                f"Element '{element.tag}': Missing child element(s). Expected is ( {name} )."
            )
    return node


def _value(child: etree._Element, slot: Slot) -> "str | Node | list[Node]":
    if slot.child is None:
        return _simple(child, slot)
    _refuse_attributes(child)
    return _rows(child, slot.child) if slot.is_rows else _sequence(child, slot.child)


def _simple(child: etree._Element, slot: Slot) -> str:
    if len(child):
        raise schema_violation(f"Element '{child.tag}': Element content is not allowed.")
    if child.attrib:
        _refuse_attributes(child)
    value = child.text or ""
    if slot.accepts is not None and not slot.accepts(value):
        raise schema_violation(f"Element '{child.tag}': '{value}' is not a valid value.")
    return value


def _rows(element: etree._Element, table: str) -> list[Node]:
    found: list[Node] = []
    for row in _children(element):
        if row.tag != "ROW":
            raise schema_violation(f"Element '{row.tag}': This element is not expected.")
        number = row.get("ROWNUM")
        if number is None or not is_row_number(number):
            raise schema_violation("Element 'ROW': The attribute 'ROWNUM' is required, 1 to 999999")
        if len(row.attrib) > 1:
            raise schema_violation("Element 'ROW': an attribute is not allowed.")
        node = _sequence(row, table)
        node["ROWNUM"] = number
        found.append(node)
    if not found:
        raise schema_violation(f"Element '{element.tag}': Missing child element(s).")
    return found


def _children(element: etree._Element) -> Iterator[etree._Element]:
    if element.text and not element.text.isspace():
        raise schema_violation(f"Element '{element.tag}': Character content is not allowed.")
    for child in element:
        if not isinstance(child.tag, str):
            raise schema_violation(f"Element '{element.tag}': an entity is not allowed.")
        if child.tail and not child.tail.isspace():
            raise schema_violation(f"Element '{element.tag}': Character content is not allowed.")
        yield child
