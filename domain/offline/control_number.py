"""The control number: the last part of the fiscal number that a register gives a document offline.

Rules (reference §4.3, confirmed there on all seven documents of the official sample package):

1. What is counted stands in one line with commas between: the session's seed, date DDMMYYYY, time HHMMSS, the local
   number, the register's fiscal number, its local number; then the sum as 0.00 where a check has CHECKTOTAL/SUM; then
   PREVDOCHASH in lower-case hex where the document has it. What is absent leaves no comma behind.
2. CRC-32 as zlib has it, its four bytes in the opposite order: the service's program reads them from the other end.
3. Modulo 10000; 0 becomes 1.
"""

from __future__ import annotations

import zlib
from datetime import datetime

from domain.clock import wall_time
from domain.documents.receipt import Receipt, ReceiptKind
from domain.documents.shift import FiscalDocument
from domain.money import Money


def control_number(
    *,
    seed: str,
    at: datetime,
    local_number: int,
    register_fiscal_number: str,
    register_local_number: int,
    total: Money | None,
    previous_hash: str | None,
) -> int:
    """Return the control number of an offline document, 1 to 9999.

    `at` is the document's time, aware, and enters as Kyiv time. `total` is what `control_total` says of the document, `previous_hash` its PREVDOCHASH; None for a document without.
    """
    wall = wall_time(at)
    parts = [
        seed,
        f"{wall:%d%m%Y}",
        f"{wall:%H%M%S}",
        str(local_number),
        register_fiscal_number,
        str(register_local_number),
    ]
    if total is not None:
        parts.append(str(total))
    if previous_hash is not None:
        parts.append(previous_hash)
    crc = zlib.crc32(",".join(parts).encode("ascii"))
    return int.from_bytes(crc.to_bytes(4, "little"), "big") % 10_000 or 1


def control_total(document: FiscalDocument) -> Money | None:
    """Return the sum that enters the control number: CHECKTOTAL/SUM, None for a document without.

    A storno is a head alone, a Z-report is no check, and documents 100 to 103 have no sum. Of a part payment it is the sum
    that the deployment's reading names (`domain.readings`, reference §12, question 12).
    """
    content = document.content
    if not isinstance(content, Receipt) or content.kind is ReceiptKind.STORNO:
        return None
    return content.checked_total
