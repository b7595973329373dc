"""The text of a receipt's QR code: a link that opens the tax service's page of the receipt."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from urllib.parse import quote

from domain.clock import kyiv
from domain.money import Money

CHECK_PAGE = "https://cabinet.tax.gov.ua/cashregs/check"


class MacSource(StrEnum):
    """Which hash `mac` is in the QR code of a receipt made offline. No source proves either (reference §12, question 16).

    A live register settles it: `CheckExt` with AcquireCabinetUrl gives the tax service's own link to a delivered receipt.
    """

    RECEIPT = "receipt"
    """SHA-256 of the receipt's own signed bytes."""

    PREVIOUS_DOCUMENT = "previous-document"
    """PREVDOCHASH, which the first two documents of a session do not have."""


MAC_SOURCE = MacSource.RECEIPT
"""The regulation speaks of the authentication code of this receipt, and every receipt has its own hash (reference §8.1)."""


def offline_mac(
    *,
    signed_sha256: bytes,
    previous_document_hash: str | None,
    source: MacSource = MAC_SOURCE,
) -> str | None:
    """Return `mac` of a receipt made offline in lower-case hex; None where the source has none for it.

    `signed_sha256` is the hash of the receipt's bytes as the chain has it: signed, and stamped if it was.
    """
    match source:
        case MacSource.RECEIPT:
            return signed_sha256.hex()
        case MacSource.PREVIOUS_DOCUMENT:
            return previous_document_hash


def qr_text(
    *,
    fiscal_number: str,
    register_fiscal_number: str,
    at: datetime,
    total: Money,
    mac: str | None = None,
    with_seconds: bool = False,
) -> str:
    """Return what the QR code of a numbered receipt says.

    `at` is the document's time, written as Kyiv time. `mac` is what `offline_mac` says of a receipt made offline, None for
    one made online. `with_seconds` writes HHMMSS, as some programs do; the tax service's own notice says HHMM.

    Source: reference §8.1, worked examples 11.16; notice of the tax service to developers of 18.01.2023.
    """
    moment = kyiv(at)
    values = {
        "id": fiscal_number,
        "fn": register_fiscal_number,
        "date": moment.strftime("%Y%m%d"),
        "time": moment.strftime("%H%M%S" if with_seconds else "%H%M"),
        "sm": str(total),
    }
    if mac is not None:
        values["mac"] = mac
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
    return f"{CHECK_PAGE}?{query}"
