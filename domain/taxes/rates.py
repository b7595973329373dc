"""Rates that the law knows, as dated rows with their source, and a company's letters over them.

The law fixes no letters: a letter is the seller's own name for a rate, but it must not change its meaning inside
a shift (reference §3.6), which is why an open shift carries the groups it was opened with.

Exempt sales (Tax Code, article 197) are a VAT letter of 0 %, named so that people see the difference ("Без ПДВ"); the
protocol has no other sign for them. Goods outside any tax have no letter at all. Retail excise is for beer and alcoholic
drinks; sub-item 213.1.9 takes tobacco and e-cigarette liquids out of it since 2022, which the seller's letters have to
follow: no rate here can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from domain.documents.text import Limit, encodable
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
    LegalRate(VAT, Rate(0), date(2011, 1, 1), None, "Tax Code of Ukraine, article 197 (exempt)"),
    # Neither the protocol nor its samples date this rate: law 909-VIII of 24.12.2015 is in force since this day; that it
    # put 5 % in place of "2 to 5 %" of law 71-VIII is still to be read in its official text.
    LegalRate(
        EXCISE, Rate(500), date(2016, 1, 1), None, "Tax Code of Ukraine, 215.3.10; law 909-VIII"
    ),
)
"""The rates of a receipt. A change of law is a row more, and an end to the row it replaces."""


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


def checked_groups(
    groups: tuple[TaxGroup, ...],
    *,
    on: date,
    pays_vat: bool,
    rates: Sequence[LegalRate] = LEGAL_RATES,
) -> tuple[TaxGroup, ...]:
    """Return the groups in the order of their letters if each letter is unique and each rate is law on that day.

    A seller who does not pay VAT has no letter that takes it; excise and VAT of 0 % are open to everybody.

    Raises: InvalidField.
    """
    known = _in_force(rates, on)
    letters: set[str] = set()
    checked: list[TaxGroup] = []
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
        if _is_vat_of_others(group, pays_vat=pays_vat):
            raise InvalidField(
                field=f"tax_groups.{number}.rate_basis_points",
                expected="0, because the company does not pay VAT",
            )
        letters.add(group.letter)
        name = encodable(
            group.name, field=f"tax_groups.{number}.name", limit=Limit.TAX_NAME
        ).strip()
        if not name:
            raise InvalidField(field=f"tax_groups.{number}.name", expected="not empty")
        checked.append(replace(group, name=name))
    return tuple(sorted(checked, key=lambda group: group.letter))


def groups_in_force(
    groups: tuple[TaxGroup, ...],
    *,
    on: date,
    pays_vat: bool,
    rates: Sequence[LegalRate] = LEGAL_RATES,
) -> tuple[TaxGroup, ...]:
    """Return those of a company's groups that are still law on a day: what a shift opened then may use.

    They were law when they were set; since then a rate may have ended, or the company may have left VAT. Such a
    letter stops selling its goods, by name, and nothing else.
    """
    known = _in_force(rates, on)
    return tuple(
        group
        for group in groups
        if (group.kind, group.rate) in known and not _is_vat_of_others(group, pays_vat=pays_vat)
    )


def _in_force(rates: Sequence[LegalRate], day: date) -> set[tuple[int, Rate]]:
    return {(row.kind, row.rate) for row in rates if row.in_force(day)}


def _is_vat_of_others(group: TaxGroup, *, pays_vat: bool) -> bool:
    return group.kind == VAT and group.rate.basis_points > 0 and not pays_vat
