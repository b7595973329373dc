"""Taxes of a receipt from its lines.

The rules, in the order they are applied (reference §3.6, worked example 11.3):

1. Lines are gathered by their set of letters; money is added up before any tax is taken: `turnover` before
   discounts, `discounted_turnover` after them. Taxes are taken from the second; in a part payment from what is paid of
   it now, while both turnovers stay those of the full price.
2. Excise first: tax = amount × p ÷ (100 % + p), half a kopeck by `ties`; `base` is the amount.
3. Then VAT on what is left: base = amount − excise, tax = base × p ÷ (100 % + p), half a kopeck by `ties`:
   up unless a reading of the deployment says otherwise (reference §12, question 26).
4. When one letter meets several sets, the sets' taxes are added, so that every base stays consistent.
5. Zero rates give rows with tax 0.00; lines without letters give none.
6. Rows are ordered by letter. Cash rounding touches no tax.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.documents.receipt import Line, TaxRow
from domain.errors import UnknownTaxLetter
from domain.money import ZERO, Money, Ties
from domain.taxes.rates import EXCISE, VAT, TaxGroup


def tax_rows(
    lines: Sequence[Line], groups: Sequence[TaxGroup], *, ties: Ties = Ties.UP
) -> tuple[TaxRow, ...]:
    """Return one row per letter used, with turnover, base and tax in kopecks.

    Raises: UnknownTaxLetter, also for a letter that a line names twice and for two VAT letters on one line.
    """
    by_letter = {group.letter: group for group in groups}
    sets: dict[str, str] = {}
    turnovers: dict[str, int] = {}
    discounted: dict[str, int] = {}
    due: dict[str, int] = {}
    for number, line in enumerate(lines):
        letters = sets.get(line.letters)
        if letters is None:
            _check_letters(line.letters, by_letter, field=f"lines.{number}.letters")
            letters = sets[line.letters] = "".join(sorted(line.letters))
        turnovers[letters] = turnovers.get(letters, 0) + line.cost.kopecks
        discounted[letters] = discounted.get(letters, 0) + line.discounted.kopecks
        due[letters] = due.get(letters, 0) + line.due.kopecks
    rows: dict[str, TaxRow] = {}
    for letters, turnover in turnovers.items():
        for row in _rows_of_set(
            [by_letter[letter] for letter in letters],
            turnover=Money(turnover),
            discounted=Money(discounted[letters]),
            due=Money(due[letters]),
            ties=ties,
        ):
            before = rows.get(row.letter)
            rows[row.letter] = row if before is None else _added(before, row)
    return tuple(rows[letter] for letter in sorted(rows))


def groups_of(taxes: Sequence[TaxRow]) -> tuple[TaxGroup, ...]:
    """Return what the letters of a receipt meant when it was made."""
    return tuple(
        TaxGroup(letter=row.letter, kind=row.kind, name=row.name, rate=row.rate) for row in taxes
    )


def _rows_of_set(
    groups: Sequence[TaxGroup], *, turnover: Money, discounted: Money, due: Money, ties: Ties
) -> Iterable[TaxRow]:
    def row(group: TaxGroup, *, base: Money, tax: Money) -> TaxRow:
        return TaxRow(
            kind=group.kind,
            name=group.name,
            letter=group.letter,
            rate=group.rate,
            turnover=turnover,
            discounted_turnover=discounted,
            base=base,
            tax=tax,
        )

    excise = ZERO
    for group in groups:
        if group.kind == EXCISE:
            tax = group.rate.contained_in(due, ties=ties)
            excise += tax
            yield row(group, base=due, tax=tax)
    for group in groups:
        if group.kind == VAT:
            base = due - excise
            yield row(group, base=base, tax=group.rate.contained_in(base, ties=ties))


def _added(one: TaxRow, other: TaxRow) -> TaxRow:
    return TaxRow(
        kind=one.kind,
        name=one.name,
        letter=one.letter,
        rate=one.rate,
        turnover=one.turnover + other.turnover,
        discounted_turnover=one.discounted_turnover + other.discounted_turnover,
        base=one.base + other.base,
        tax=one.tax + other.tax,
    )


def _check_letters(letters: str, by_letter: dict[str, TaxGroup], *, field: str) -> None:
    known = "".join(by_letter)
    vat_letters = 0
    for position, letter in enumerate(letters):
        group = by_letter.get(letter)
        if group is None or letter in letters[:position]:
            raise UnknownTaxLetter(field=field, letter=letter, known=known)
        vat_letters += group.kind == VAT
        if vat_letters > 1:
            raise UnknownTaxLetter(field=field, letter=letter, known=known)
