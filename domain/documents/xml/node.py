"""Elements of a document being read, which remember what nobody asked for."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from lxml import etree

from domain.errors import IntegrityFault
from domain.money import Money, Quantity, Rate

T = TypeVar("T")


class Reading:
    """One document while it is read: its root, and every element that was looked into."""

    def __init__(self, data: bytes) -> None:
        """Parse the bytes; nothing outside them is loaded. Raises: IntegrityFault."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            root = etree.fromstring(data, parser)
        except (etree.XMLSyntaxError, ValueError):
            # The parser's message quotes the document, which may hold personal data.
            raise IntegrityFault(place="document", what="not well-formed XML") from None
        self._nodes: list[Node] = []
        self.tag = str(root.tag)
        self.root = Node(self, root, path="")

    def opened(self, node: Node) -> None:
        """Remember an element that is being looked into."""
        self._nodes.append(node)

    def unread(self) -> tuple[str, ...]:
        """Return the paths of everything that was not asked for or marked, each once."""
        return tuple(dict.fromkeys(path for node in self._nodes for path in node.unread()))


class Node:
    """One element; what is asked for is taken out, the rest is `unread`."""

    def __init__(self, reading: Reading, element: etree._Element, *, path: str) -> None:
        self._reading = reading
        self._path = path
        self._marked: list[str] = []
        # "*" leaves out comments and processing instructions, which the official samples are full of.
        self._children = {child.tag: child for child in element.iterchildren("*")}
        reading.opened(self)

    def text(self, tag: str) -> str | None:
        """Return the text of a child; None when it is absent or empty."""
        child = self._children.pop(tag, None)
        return None if child is None else child.text or None

    def value(self, tag: str, parse: Callable[[str], T]) -> T | None:
        """Return the parsed text of a child, None when absent. Raises: IntegrityFault."""
        text = self.text(tag)
        if text is None:
            return None
        try:
            return parse(text)
        except (ValueError, ArithmeticError):
            raise IntegrityFault(place=self._at(tag), what="malformed") from None

    def required(self, tag: str, parse: Callable[[str], T]) -> T:
        """Return the parsed text of a child. Raises: IntegrityFault when absent or malformed."""
        value = self.value(tag, parse)
        if value is None:
            raise IntegrityFault(place=self._at(tag), what="missing")
        return value

    def node(self, tag: str) -> Node | None:
        """Return a child to look into; None when absent."""
        child = self._children.pop(tag, None)
        return None if child is None else Node(self._reading, child, path=self._at(tag))

    def rows(self, tag: str) -> list[Node]:
        """Return the ROW elements inside a child, none when it is absent."""
        child = self._children.pop(tag, None)
        if child is None:
            return []
        path = f"{self._at(tag)}/ROW"
        return [Node(self._reading, row, path=path) for row in child.iterchildren("ROW")]

    def has(self, tag: str) -> bool:
        """Return whether there is such a child that was not asked for yet."""
        return tag in self._children

    def mark(self, tag: str, *, unless: bool) -> None:
        """Name a child that was asked for as unread after all: its value cannot be represented."""
        if not unless:
            self._marked.append(tag)

    def unread(self) -> list[str]:
        """Return the paths of what was not asked for, and of what was marked."""
        return [self._at(tag) for tag in (*self._marked, *self._children)]

    def _at(self, tag: str) -> str:
        return f"{self._path}/{tag}" if self._path else tag


def money(text: str) -> Money:
    """Return an amount in hryvnias as Money. Raises: ValueError when it has parts of a kopeck."""
    return Money(_whole(text, shift=2))


def quantity(text: str) -> Quantity:
    """Return a quantity with up to three decimals. Raises: ValueError when it has more."""
    return Quantity(_whole(text, shift=3))


def rate(text: str) -> Rate:
    """Return a percentage with up to two decimals. Raises: ValueError when it has more."""
    return Rate(_whole(text, shift=2))


def integer(text: str) -> int:
    """Return a whole number, written as `2`, `2.0` or `2.00`. Raises: ValueError."""
    return _whole(text, shift=0)


def boolean(text: str) -> bool:
    """Return `true`/`1` or `false`/`0`. Raises: ValueError."""
    word = text.strip()
    if word not in ("true", "1", "false", "0"):
        raise ValueError("no boolean")
    return word in ("true", "1")


def _whole(text: str, *, shift: int) -> int:
    scaled = Decimal(text).scaleb(shift)
    if scaled != scaled.to_integral_value():
        raise ValueError("too many digits after the point")
    return int(scaled)
