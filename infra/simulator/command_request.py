"""One command as it came, with its parameters read the way the real service reads them: leniently.

Numbers come as JSON integers from some clients and as strings from others; both are taken.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from infra.simulator.answers import access_not_granted, bad_parameter, register_absent
from infra.simulator.book import Book, RegisterBook
from infra.simulator.envelope import Envelope, Opened
from infra.simulator.kyiv import KYIV
from infra.simulator.registry import KeyEntry, Registry
from infra.simulator.switches import Switches

Json = dict[str, Any]

_JAVASCRIPT_DATE: Final = re.compile(r"/Date\((-?[0-9]+)(?:[+-][0-9]{4})?\)/")
# Python reads six digits of a second's fraction, real clients send seven.
_LONG_FRACTION: Final = re.compile(r"(\.[0-9]{6})[0-9]+")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command, who signed it if anybody did, and all that the server knows."""

    parameters: Json
    signer: Opened | None
    now: datetime
    switches: Switches
    registry: Registry
    book: Book
    envelope: Envelope
    access_withdrawn: bool = False
    register_closed: bool = False

    @property
    def uid(self) -> str | None:
        """UID of the request, to be echoed."""
        value = self.parameters.get("UID")
        return None if value is None else str(value)

    @property
    def key_id(self) -> str:
        """The signing key. Only for commands that must be signed."""
        assert self.signer is not None
        return self.signer.key_id

    def number(self, name: str) -> int | None:
        """A whole number given as integer or as digits; None when absent or null.

        Raises: Refusal with code 11 when it is neither.
        """
        value = self.parameters.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]+", str(value)):
            raise bad_parameter(name, "очікується ціле число")
        return int(value)

    def required_number(self, name: str) -> int:
        """The same, when it must be there. Raises: Refusal with code 11."""
        value = self.number(name)
        if value is None:
            raise bad_parameter(name, "відсутній")
        return value

    def string(self, name: str) -> str | None:
        """A string, or a number as its digits; None when absent, null or empty."""
        value = self.parameters.get(name)
        return None if value is None or value == "" else str(value)

    def flag(self, name: str) -> bool:
        """A truth value; false when absent. Raises: Refusal with code 11."""
        value = self.parameters.get(name, False)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise bad_parameter(name, "очікується true або false")
        return value

    def moment(self, name: str) -> datetime | None:
        """ISO 8601 or JavaScript's ``/Date(ms)/``; local time when there is no offset.

        Raises: Refusal with code 11.
        """
        value = self.string(name)
        if value is None:
            return None
        javascript = _JAVASCRIPT_DATE.fullmatch(value)
        if javascript:
            return _EPOCH + timedelta(milliseconds=int(javascript[1]))
        try:
            parsed = datetime.fromisoformat(_LONG_FRACTION.sub(r"\1", value))
        except ValueError as error:
            raise bad_parameter(name, "очікується дата і час") from error
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=KYIV)

    def register_number(self, name: str = "NumFiscal") -> str:
        """Fiscal number of the register asked about. Raises: Refusal with code 11."""
        return str(self.required_number(name))

    def right(self, register: str) -> KeyEntry | None:
        """The signing key's entry for this register, or None when it has no access."""
        if self.access_withdrawn:
            return None
        return self.registry.right(key_id=self.key_id, register=register)

    def register_book(self, name: str = "NumFiscal") -> RegisterBook:
        """The book of the register asked about.

        Raises: Refusal with code 1 for an unknown register, 2 for one the key has no access to.
        """
        register = self.register_number(name)
        found = self.registry.find(register)
        if found is None:
            raise register_absent(register)
        if self.signer is not None and self.right(register) is None:
            raise access_not_granted(register=register, key_id=self.key_id)
        return self.book.open(found.register)


def local_time(moment: datetime | None) -> str | None:
    """Kyiv time without an offset, as real answers show it."""
    return None if moment is None else f"{moment.astimezone(KYIV):%Y-%m-%dT%H:%M:%S}"


def timestamp(moment: datetime) -> str:
    """Kyiv time with its offset and seven digits of a second, as real answers show it."""
    local = moment.astimezone(KYIV)
    offset = f"{local:%z}"
    return f"{local:%Y-%m-%dT%H:%M:%S.%f}0{offset[:3]}:{offset[3:]}"
