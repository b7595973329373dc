"""Which register a request is about, before anything is judged: faults are aimed by it."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Final

from infra.simulator.answers import TransportRefusal
from infra.simulator.intake import take_body
from infra.simulator.switches import Switches

_IN_XML: Final = re.compile(rb"<CASHREGISTERNUM>\s*0*([0-9]+)\s*</")
_IN_JSON: Final = re.compile(rb'"(?:RegistrarNumFiscal|NumFiscal)"\s*:\s*"?0*([0-9]+)')
_REGISTRAR_IN_JSON: Final = re.compile(rb'"RegistrarNumFiscal"\s*:\s*"?0*([0-9]+)')
_DOCUMENT_IN_JSON: Final = re.compile(rb'"Documents?"\s*:\s*\[?\s*"([A-Za-z0-9+/=]+)"')
_ANY_SIZE: Final = Switches(size_limit_bytes=4 * 1024 * 1024, size_minimum_bytes=0)


def register_of(body: bytes, headers: Mapping[str, str]) -> str | None:
    """Fiscal number of the register the request names first, or None when it names none."""
    if headers.get("content-encoding"):
        try:
            body, _ = take_body(body, headers, switches=_ANY_SIZE, takes_json=True)
        except TransportRefusal:
            return None
    return _found(_IN_XML, body) or _in_command(body)


def _in_command(body: bytes) -> str | None:
    found = _found(_REGISTRAR_IN_JSON, body) or _found(_IN_JSON, body)
    if found is not None:
        return found
    document = _DOCUMENT_IN_JSON.search(body)
    if document is None:
        return None
    try:
        return _found(_IN_XML, base64.b64decode(document[1]))
    except binascii.Error:
        return None


def _found(pattern: re.Pattern[bytes], body: bytes) -> str | None:
    found = pattern.search(body)
    return found[1].decode("ascii") if found else None
