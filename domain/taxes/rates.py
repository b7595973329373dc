"""Rates that the law knows, as dated rows with their source, and a company's letters over them.

The law fixes no letters: a letter is the seller's own name for a rate, but it must not change its meaning inside
a shift (reference §3.6), which is why an open shift carries the groups it was opened with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.errors import InvalidField
from domain.money import Rate

VAT = 0
EXCISE = 1


@dataclass(frozen=True, slots=True)
class LegalRate:
    """One rate in force from `since` on, until `until` (exclusive; None: still in force)."""

    kind: int
    rate: Rate
    since: date
    until: date | None
    source: str

    def in_force(self, day: date) -> bool:
        """Return whether the rate holds on a Kyiv calendar day."""
        return self.since <= day and (self.until is None or day < self.until)


LEGAL_RATES = (
    LegalRate(VAT, Rate(2000), date(2011, 1, 1), None, "Tax Code of Ukraine, 193.1 (а)"),
    LegalRate(VAT, Rate(0), date(2011, 1, 1), None, "Tax Code of Ukraine, 193.1 (б), article 195"),
    LegalRate(
        VAT, Rate(700), date(2014, 4, 1), None, "Tax Code of Ukraine, 193.1 (в); law 1166-VII"
    ),
    LegalRate(
        VAT, Rate(1400), date(2021, 3, 1), None, "Tax Code of Ukraine, 193.1 (г); law 1115-IX"
    ),
    LegalRate(
        EXCISE, Rate(500), date(2015, 1, 1), None, "Tax Code of Ukraine, 215.3.10; law 71-VIII"
    ),
)


@dataclass(frozen=True, slots=True)
class TaxGroup:
    """What one letter means: tax kind (0 VAT, 1 excise), its printed name and its rate."""

    letter: str
    kind: int
    name: str
    rate: Rate


STANDARD_GROUPS = (
    TaxGroup("А", VAT, "ПДВ", Rate(2000)),
    TaxGroup("Б", VAT, "ПДВ", Rate(700)),
    TaxGroup("В", VAT, "ПДВ", Rate(0)),
    TaxGroup("Г", EXCISE, "Акциз", Rate(500)),
    TaxGroup("Д", VAT, "ПДВ", Rate(1400)),
)
"""The letters of the tax service's own samples, and Д for the rate they do not show."""


def checked_groups(groups: tuple[TaxGroup, ...], *, on: date) -> tuple[TaxGroup, ...]:
    """Return the groups in the order of their letters if each letter is unique and each rate is law on that day.

    Raises: InvalidField.
    """
    known = {(row.kind, row.rate) for row in LEGAL_RATES if row.in_force(on)}
    letters: set[str] = set()
    for number, group in enumerate(groups):
        if len(group.letter) != 1 or not "А" <= group.letter <= "Я":
            raise InvalidField(
                field=f"tax_groups.{number}.letter", expected="one Cyrillic capital letter"
            )
        if group.letter in letters:
            raise InvalidField(field=f"tax_groups.{number}.letter", expected="used only once")
        if (group.kind, group.rate) not in known:
            raise InvalidField(
                field=f"tax_groups.{number}.rate_basis_points",
                expected=f"a rate in force on {on.isoformat()} for this kind of tax",
            )
        letters.add(group.letter)
    return tuple(sorted(groups, key=lambda group: group.letter))
