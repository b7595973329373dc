"""The text of a receipt's QR code: a link that opens the tax service's page of the receipt."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from domain.clock import kyiv
from domain.money import Money

CHECK_PAGE = "https://cabinet.tax.gov.ua/cashregs/check"


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

    `at` is the document's time, written as Kyiv time. `mac` is the hash of a receipt made offline, None for one
    made online. `with_seconds` writes HHMMSS, as some programs do; the tax service's own notice says HHMM.

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
