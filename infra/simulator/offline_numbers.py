"""Offline fiscal numbers: ``<session>.<number in the session>.<control number>``.

The control number, from the seed the service issued:

1. Joined with commas: seed, date, time, ORDERNUM, the register's fiscal and local number; for a check
   with CHECKTOTAL/SUM that sum as ``0.00``; for a document with PREVDOCHASH that hash.
2. CRC-32 of the ASCII bytes with its four bytes in the opposite order.
3. The last four decimal digits; 0 becomes 1.
"""

import re
import zlib
from dataclasses import dataclass
from typing import Final

from infra.simulator.xml_reader import Document, kopecks, part, required_text, text

_FORM: Final = re.compile(r"([1-9][0-9]*)\.([1-9][0-9]*)\.([1-9][0-9]{0,3})")
_MODULUS: Final = 10_000


@dataclass(frozen=True, slots=True)
class OfflineNumber:
    """An offline fiscal number in its three parts."""

    session_id: int
    number: int
    control: int


def read_offline_number(value: str) -> OfflineNumber | None:
    """The parts of an offline fiscal number, or None when it is not one."""
    found = _FORM.fullmatch(value)
    return None if found is None else OfflineNumber(*map(int, found.groups()))


def control_number(document: Document, *, seed: int, paid_counts: bool = False) -> int:
    """The control number this document must have, 1 to 9999.

    ``paid_counts`` takes the amount paid of a part-paid receipt instead of its full price.
    """
    head = document.head
    parts = [
        str(seed),
        required_text(head, "ORDERDATE"),
        required_text(head, "ORDERTIME"),
        str(document.local_number),
        document.register,
        str(int(required_text(head, "CASHDESKNUM"))),
    ]
    total = part(document.content, "CHECKTOTAL")
    amount = kopecks(total, "PARTPAYSUM") if paid_counts else None
    if amount is None:
        amount = kopecks(total, "SUM")
    if amount is not None:
        sign = "-" if amount < 0 else ""
        parts.append(f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02d}")
    previous = text(head, "PREVDOCHASH")
    if previous is not None:
        parts.append(previous.lower())
    return control_of(",".join(parts))


def control_of(joined: str) -> int:
    """The control number of a joined text, steps 2 and 3."""
    checksum = zlib.crc32(joined.encode("ascii"))
    swapped = int.from_bytes(checksum.to_bytes(4, "big"), "little")
    return swapped % _MODULUS or 1
