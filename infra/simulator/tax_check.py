"""The tax rows of a check, when the switch asks for it.

The real service does not seem to verify the formula, so this is off by default. Half a kopeck either
way is allowed per combination of letters, because a seller may round each combination.
"""

from typing import Final

from infra.simulator.answers import invalid
from infra.simulator.case import Case
from infra.simulator.figures import SETTLEMENTS, Tax
from infra.simulator.xml_reader import Node, kopecks, rows, text

_WHOLE: Final = 10_000
"""100 % in hundredths of a percent."""


def check_taxes(case: Case) -> None:
    """Refuse tax rows that do not follow from the lines. Raises: Refusal with code 9."""
    if case.switches.tax_check == "off" or case.kind not in SETTLEMENTS:
        return
    lines = rows(case.document.content, "CHECKBODY")
    for tax in case.figures.taxes:
        if tax.letter is not None:
            _check_turnover(tax, lines)
        if case.switches.tax_check == "formula":
            _check_formula(tax, lines)
    stated = {tax.letter for tax in case.figures.taxes}
    for line in lines:
        for letter in text(line, "LETTERS") or "":
            if letter not in stated:
                raise invalid(f"Для літери {letter} відсутній рядок податку")


def _check_turnover(tax: Tax, lines: list[Node]) -> None:
    taxed = [line for line in lines if (tax.letter or "") in (text(line, "LETTERS") or "")]
    turnover = sum(kopecks(line, "COST") or 0 for line in taxed)
    if tax.turnover != turnover:
        raise invalid(f"Обіг за літерою {tax.letter} не відповідає рядкам: {tax.turnover}")
    discounted = turnover - sum(kopecks(line, "DISCOUNTSUM") or 0 for line in taxed)
    if tax.turnover_discount is not None and tax.turnover_discount != discounted:
        raise invalid(f"Обіг зі знижкою за літерою {tax.letter} не відповідає рядкам")


def _check_formula(tax: Tax, lines: list[Node]) -> None:
    if tax.source is None:
        return
    combinations = {
        letters for line in lines if (tax.letter or "") in (letters := text(line, "LETTERS") or "")
    }
    divisor = _WHOLE if tax.is_added else _WHOLE + tax.rate
    error = abs(tax.kopecks * divisor - tax.source * tax.rate)
    if error * 2 > divisor * max(1, len(combinations)):
        raise invalid(f"Сума податку за літерою {tax.letter} не відповідає ставці")
