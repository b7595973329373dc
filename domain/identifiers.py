"""Typed, validated identifiers of the field, and the shard that a stream lives on."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self
from uuid import UUID, uuid5

from domain.errors import InvalidField

SHARDS = 64

_TAX_ID = re.compile(r"\d{5,10}|[А-ЯІЇЄҐ]{2}\d{6}")
_VAT_NUMBER = re.compile(r"0|\d{6,12}|[А-ЯІЇЄҐ]{2}\d{6}")
_UKTZED = re.compile(
    r"[1-9]\d{3}|[1-9]\d{5}|[1-9]\d{7}|[1-9]\d{9}|0\d{3}|0\d{5}|0\d{7}|0\d{9}|00\d{3}"
)
_DKPP = re.compile(
    r"[0-9]{2}\.[0-9]{2}(\.[0-9]{1,2}|\.[0-9]{2}-[0-9]{1,2}|\.[0-9]{2}-[0-9]{2}\.[0-9]{1,2})?"
)
_REGISTER_NUMBER = re.compile(r"[1-9]\d{0,17}")
_SESSION_ID = re.compile(r"[1-9][0-9]{0,17}")
_OFFLINE_NUMBER = re.compile(r"([1-9][0-9]{0,17})\.([1-9][0-9]{0,8})\.([1-9][0-9]{0,3})")


def tax_id(value: str, *, field: str = "tax_id") -> str:
    """Return a seller's code (ЄДРПОУ, РНОКПП or passport) unchanged if it is well formed.

    Raises: InvalidField. Source: type TIN of check01.xsd.
    """
    return _matching(
        _TAX_ID, value, field=field, expected="5 to 10 digits, or 2 letters and 6 digits"
    )


def vat_number(value: str, *, field: str = "vat_number") -> str:
    """Return a VAT payer's number unchanged if it is well formed.

    Raises: InvalidField. Source: type IPN of check01.xsd.
    """
    return _matching(_VAT_NUMBER, value, field=field, expected="6 to 12 digits")


def uktzed(value: str, *, field: str = "uktzed") -> str:
    """Return a goods code УКТЗЕД unchanged if it is well formed.

    Raises: InvalidField. Source: type UKTZED of check01.xsd.
    """
    return _matching(
        _UKTZED, value, field=field, expected="4, 6, 8 or 10 digits, or 00 and 3 digits"
    )


def dkpp(value: str, *, field: str = "dkpp") -> str:
    """Return a service's code ДКПП unchanged if it is well formed.

    Raises: InvalidField. Source: type DKPP of check01.xsd, whose remark lists the seven shapes; its pattern would
    take endless repetitions of the last part as well.
    """
    return _matching(
        _DKPP, value, field=field, expected="a code such as 11.22, 11.22.33 or 11.22.33-44.55"
    )


def register_number(value: str, *, field: str = "fiscal_number") -> str:
    """Return a register's fiscal number unchanged if it is a positive integer without leading zeros.

    Raises: InvalidField. Source: CASHREGISTERNUM of check01.xsd.
    """
    return _matching(_REGISTER_NUMBER, value, field=field, expected="a positive whole number")


@dataclass(frozen=True, slots=True)
class OfflineNumber:
    """The fiscal number of a document made offline, written such as `21999.1.9516`.

    `session_id` is the tax service's, `number` counts the documents of the session from 1, `control` is 1 to 9999.
    Raises: InvalidField. Source: reference §4.3, §4.5.
    """

    session_id: str
    number: int
    control: int

    def __post_init__(self) -> None:
        _matching(
            _SESSION_ID, self.session_id, field="session_id", expected="a positive whole number"
        )
        if self.number < 1:
            raise InvalidField(field="number", expected="1 or more")
        if not 1 <= self.control <= 9_999:
            raise InvalidField(field="control", expected="1 to 9999")

    def __str__(self) -> str:
        return f"{self.session_id}.{self.number}.{self.control}"

    @classmethod
    def parse(cls, text: str, *, field: str = "fiscal_number") -> Self:
        """Return the number that is written so. Raises: InvalidField when it is not three such integers."""
        parts = _OFFLINE_NUMBER.fullmatch(text)
        if parts is None:
            raise InvalidField(field=field, expected="a number such as 21999.1.9516")
        return cls(session_id=parts[1], number=int(parts[2]), control=int(parts[3]))


@lru_cache(16_384)
def shard_of(stream_id: UUID) -> int:
    """Return the shard (0…63) of a stream: SHA-256 of its id, first byte, modulo the number of shards.

    A `SoldReceipt` does not ask this of its own id: it lives on the shard of its register.
    """
    return hashlib.sha256(stream_id.bytes).digest()[0] % SHARDS


_SOLD_RECEIPTS = UUID("6e1f5d6a-9d4e-5d52-8a54-2f3f4a7f1c01")


def sold_receipt_id(receipt_id: UUID) -> UUID:
    """Return the id of the `SoldReceipt` stream that belongs to a receipt."""
    return uuid5(_SOLD_RECEIPTS, receipt_id.hex)


_RETURNS = UUID("6e1f5d6a-9d4e-5d52-8a54-2f3f4a7f1c06")


def return_stream_id(receipt_id: UUID) -> UUID:
    """Return the id of the `Return` stream that belongs to the receipt of a return or storno."""
    return uuid5(_RETURNS, receipt_id.hex)


_COMPANIES = UUID("6e1f5d6a-9d4e-5d52-8a54-2f3f4a7f1c03")
_REGISTERS = UUID("6e1f5d6a-9d4e-5d52-8a54-2f3f4a7f1c04")
_COMMANDS = UUID("6e1f5d6a-9d4e-5d52-8a54-2f3f4a7f1c05")


def company_stream_id(code: str) -> UUID:
    """Return the id of the company with this tax code: one network has it once."""
    return uuid5(_COMPANIES, code)


def register_stream_id(fiscal_number: str) -> UUID:
    """Return the id of the register with this fiscal number: one network has it once."""
    return uuid5(_REGISTERS, fiscal_number)


def id_made_by(*, scope: str, key: str) -> UUID:
    """Return the id of what a command creates: the same command makes the same thing."""
    return uuid5(_COMMANDS, f"{scope}\n{key}")


_DOCUMENTS = UUID("6e1f5d6a-9d4e-5d52-8a54-2f3f4a7f1c02")


def document_id(subject_id: UUID, *, number: int) -> UUID:
    """Return the id of the `number`-th document signed for a receipt or report.

    It is derived and not random, so that a ledger restored from an older backup recognises a document the tax
    service registered after that backup as its own, and does not register the receipt twice.
    """
    return uuid5(_DOCUMENTS, f"{subject_id.hex}:{number}")


def document_uid(document_id: UUID) -> str:
    """Return a document's UID as it is written in XML: upper case with hyphens."""
    return str(document_id).upper()


def _matching(pattern: re.Pattern[str], value: str, *, field: str, expected: str) -> str:
    if pattern.fullmatch(value) is None:
        raise InvalidField(field=field, expected=expected)
    return value
