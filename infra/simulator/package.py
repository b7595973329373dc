"""The framing of an offline package, and what is remembered of each one that came.

The content of the outer message repeats, for each document: its length in four bytes, little-endian,
then its signed message. There is no header, no count and no end mark.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from infra.simulator.answers import Code, PackageRefusal, Refusal

DOCUMENTS_AT_MOST: Final = 100
_LENGTH_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Packed:
    """One document of a package. ``index`` counts from 0, ``offset`` is where its data begins."""

    index: int
    offset: int
    signed: bytes

    def refused(self, refusal: Refusal) -> PackageRefusal:
        """The refusal of the package because of this document."""
        return PackageRefusal(
            refusal.code,
            f"Помилка обробки документа за № {self.index} в пакеті, "
            f"дислокація {self.offset}:\r\n{refusal.text}",
        )


@dataclass(frozen=True, slots=True)
class PackagePost:
    """One package that came: how much of it, and what became of it. ``code`` 0 means taken."""

    at: datetime
    register: str | None
    byte_count: int
    document_count: int
    accepted_count: int
    code: Code
    text: str


def unpack(content: bytes) -> list[Packed]:
    """The documents of a package. Raises: Refusal with code 10 for a broken frame."""
    found: list[Packed] = []
    position = 0
    while position < len(content):
        offset = position + _LENGTH_BYTES
        length = int.from_bytes(content[position:offset], "little")
        if length == 0 or offset + length > len(content):
            raise _broken(f"довжина документа за № {len(found)} хибна, дислокація {position}")
        found.append(Packed(len(found), offset, content[offset : offset + length]))
        position = offset + length
    return _counted(found)


def numbered(documents: Iterable[bytes]) -> list[Packed]:
    """Documents that came one by one, placed as a package would hold them.

    Raises: Refusal with code 10 for none or too many.
    """
    found: list[Packed] = []
    offset = _LENGTH_BYTES
    for signed in documents:
        found.append(Packed(len(found), offset, signed))
        offset += len(signed) + _LENGTH_BYTES
    return _counted(found)


def _counted(documents: list[Packed]) -> list[Packed]:
    if not 1 <= len(documents) <= DOCUMENTS_AT_MOST:
        raise _broken(f"кількість документів {len(documents)}, дозволено від 1 до 100")
    return documents


def _broken(reason: str) -> Refusal:
    return Refusal(Code.PACKAGE_VALIDATION_ERROR, f"Некоректний пакет документів: {reason}")
