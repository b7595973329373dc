"""Passwords as octets, and what deriving keys from them may cost.

A key file does not say how a password with Ukrainian letters became octets: UTF-8 is tried first,
then Windows-1251. For ASCII, nearly all passwords, there is one way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from infra.signing import native
from infra.signing.containers.errors import CostlyKeyFile, WrongPassword

LIMIT_COMPILED: Final = 50_000
LIMIT_IN_PYTHON: Final = 10_000
LIMIT_ORDINARY: Final = 500_000
"""For SHA, which the standard library computes quickly."""
_TOTAL_FACTOR: Final = 10
_MAX_PASSWORD: Final = 1024


def iteration_limit() -> int:
    """How many steps with a Ukrainian hash a single key derivation may take here."""
    return LIMIT_COMPILED if native.hashes() else LIMIT_IN_PYTHON


@dataclass(slots=True)
class Budget:
    """The steps that one file may cost in all, counted before they are taken."""

    spent: int = 0

    def charge(self, iterations: int, *, ordinary: bool = False) -> None:
        """Count a key derivation. Raises: CostlyKeyFile, before anything was computed."""
        limit = LIMIT_ORDINARY if ordinary else iteration_limit()
        if iterations > limit:
            raise CostlyKeyFile(iterations=iterations, limit=limit)
        self.spent += iterations
        if self.spent > _TOTAL_FACTOR * limit:
            raise CostlyKeyFile(iterations=self.spent, limit=_TOTAL_FACTOR * limit)


@dataclass(frozen=True, slots=True, repr=False)
class Password:
    """A password in the forms that key files use. Never shown, not even in a traceback's repr."""

    text: str
    budget: Budget

    def __post_init__(self) -> None:
        if len(self.text) > _MAX_PASSWORD:
            raise WrongPassword

    def encodings(self) -> list[bytes]:
        """The octets, most likely first."""
        return self._forms(lambda text: text.encode("utf-8"), lambda text: text.encode("cp1251"))

    def pkcs12_encodings(self) -> list[bytes]:
        """The octets for the MAC of PKCS#12: two each letter, and two zeros at the end.

        Some programs widen the octets of UTF-8 or Windows-1251 instead of the letters. An empty
        password may also be no octets at all.
        """
        forms = self._forms(
            lambda text: text.encode("utf-16-be"),
            lambda text: text.encode("cp1251").decode("latin-1").encode("utf-16-be"),
            lambda text: text.encode("utf-8").decode("latin-1").encode("utf-16-be"),
        )
        found = [form + b"\x00\x00" for form in forms]
        return found if self.text else [*found, b""]

    def java_encoding(self) -> bytes:
        """The octets that a Java key store uses. Raises: WrongPassword."""
        forms = self._forms(lambda text: text.encode("utf-16-be"))
        if not forms:
            raise WrongPassword
        return forms[0]

    def _forms(self, *encoders: Callable[[str], bytes]) -> list[bytes]:
        """Distinct forms; an encoding that lacks a letter gives none."""
        forms: list[bytes] = []
        for encode in encoders:
            try:
                form = encode(self.text)
            except UnicodeEncodeError:
                continue
            if form not in forms:
                forms.append(form)
        return forms
