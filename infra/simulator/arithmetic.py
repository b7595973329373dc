"""The arithmetic of a check, to the kopeck.

Rules, as the consistent official samples and our protocol notes (§3.4, §3.5) have them:

1. A line: COST = AMOUNT × PRICE within half a kopeck, either way at a tie.
2. Lines: Σ COST − Σ DISCOUNTSUM + taxes on top = NORNDSUM, or SUM when there is no rounding. With
   part payment the left side is SUM, and NORNDSUM belongs to what is paid now.
3. CHECKTOTAL/DISCOUNTSUM = Σ of the lines' DISCOUNTSUM when the lines have any.
4. RNDSUM = NORNDSUM − what is to pay now; both or neither are there.
5. Payments: Σ SUM = what is to pay now: PARTPAYSUM with part payment, otherwise SUM.
6. A payment: PROVIDED − REMAINS = SUM when PROVIDED is there; no REMAINS without it.
7. Part payment: the lines' PARTPAYSUM add up to NORNDSUM, or PARTPAYSUM without rounding.
8. Transfer: NOTAXSUM + COMMISSION = SUM. Withdrawal: NOTAXSUM = SUM = Σ COST.
9. Pawnshop: SUM = received − issued; lines count by their direction.
"""

from collections.abc import Iterable
from typing import Final

from infra.simulator.answers import invalid
from infra.simulator.case import Case
from infra.simulator.figures import Kind
from infra.simulator.xml_reader import Node, flag, kopecks, part, rows, scaled, text

_CASH: Final = 0
_PART_PAYMENT_TYPES: Final = frozenset({"1", "2", "3"})
_SETTLEMENT: Final = "2"
_WITH_PAYMENTS: Final = frozenset(
    {
        Kind.SALE,
        Kind.RETURN,
        Kind.TRANSFER,
        Kind.TRANSFER_RETURN,
        Kind.WITHDRAWAL,
        Kind.PAWN,
    }
)


def check_arithmetic(case: Case) -> None:
    """Refuse a check whose amounts do not add up. Raises: Refusal with code 9."""
    lines = rows(case.document.content, "CHECKBODY")
    for number, line in enumerate(lines, start=1):
        _check_line(number, line)
    if case.kind in (Kind.DEPOSIT, Kind.ISSUE):
        if case.figures.total is None or case.figures.total < 0:
            raise invalid("Сума службового документа повинна бути зазначена і не від'ємна")
        return
    if case.kind not in _WITH_PAYMENTS:
        return
    if case.figures.total is None:
        raise invalid("Відсутній елемент CHECKTOTAL/SUM")
    _check_kind(case, lines)
    _check_rounding(case)
    _check_payments(case)


def _check_line(number: int, line: Node) -> None:
    amount, price, cost = text(line, "AMOUNT"), kopecks(line, "PRICE"), kopecks(line, "COST")
    if amount is None or price is None or cost is None:
        return
    exact = scaled(amount, digits=3) * price
    if abs(cost * 1000 - exact) * 2 > 1000:
        raise invalid(f"Рядок {number}: COST не дорівнює AMOUNT × PRICE")


def _check_kind(case: Case, lines: list[Node]) -> None:
    match case.kind:
        case Kind.SALE | Kind.RETURN:
            _check_sale(case, lines)
        case Kind.TRANSFER | Kind.TRANSFER_RETURN:
            _check_transfer(case, lines)
        case Kind.WITHDRAWAL:
            _check_withdrawal(case, lines)
        case _:
            _check_pawn(case, lines)


def _check_sale(case: Case, lines: list[Node]) -> None:
    figures = case.figures
    assert figures.total is not None
    total = part(case.document.content, "CHECKTOTAL")
    discounts = [kopecks(line, "DISCOUNTSUM") for line in lines]
    of_lines = _sum(discounts)
    stated = kopecks(total, "DISCOUNTSUM")
    if any(each is not None for each in discounts):
        if stated is not None:
            _same("CHECKTOTAL/DISCOUNTSUM", stated, of_lines)
        discount = of_lines
    else:
        discount = stated or 0
    on_top = sum(tax.kopecks for tax in figures.taxes if tax.is_added)
    price = _sum(kopecks(line, "COST") for line in lines) - discount + on_top
    if figures.total < 0:
        raise invalid("CHECKTOTAL/SUM не може бути від'ємним")
    if "PARTPAYTYPE" in total or "PARTPAYSUM" in total:
        _check_part_payment(case, total, lines)
        _same("CHECKTOTAL/SUM", figures.total, price)
    else:
        label = "CHECKTOTAL/SUM" if figures.unrounded is None else "CHECKTOTAL/NORNDSUM"
        _same(label, figures.due_unrounded, price)


def _check_part_payment(case: Case, total: Node, lines: list[Node]) -> None:
    figures = case.figures
    if (text(total, "PARTPAYTYPE") or "").strip() not in _PART_PAYMENT_TYPES:
        raise invalid("PARTPAYTYPE повинен дорівнювати 1, 2 або 3")
    if figures.paid is None:
        raise invalid("Відсутній елемент CHECKTOTAL/PARTPAYSUM")
    assert figures.total is not None
    if not 0 <= figures.due_unrounded <= figures.total:
        raise invalid("PARTPAYSUM перевищує повну вартість")
    paid_by_line = [kopecks(line, "PARTPAYSUM") for line in lines]
    if any(each is not None for each in paid_by_line):
        _same("CHECKBODY/PARTPAYSUM", _sum(paid_by_line), figures.due_unrounded)


def _check_transfer(case: Case, lines: list[Node]) -> None:
    figures = case.figures
    assert figures.total is not None
    _same("CHECKTOTAL/SUM", figures.total, _sum(kopecks(line, "COST") for line in lines))
    without_tax = kopecks(part(case.document.content, "CHECKTOTAL"), "NOTAXSUM")
    if without_tax is not None and figures.commission is not None and not figures.taxes:
        _same("CHECKTOTAL/NOTAXSUM", without_tax, figures.total - figures.commission)


def _check_withdrawal(case: Case, lines: list[Node]) -> None:
    figures = case.figures
    assert figures.total is not None
    _same("CHECKTOTAL/SUM", figures.total, _sum(kopecks(line, "COST") for line in lines))
    without_tax = kopecks(part(case.document.content, "CHECKTOTAL"), "NOTAXSUM")
    if without_tax is not None:
        _same("CHECKTOTAL/NOTAXSUM", without_tax, figures.total)


def _check_pawn(case: Case, lines: list[Node]) -> None:
    figures = case.figures
    assert figures.total is not None
    received, issued = figures.pawn_received or 0, figures.pawn_issued or 0
    _same("CHECKTOTAL/SUM", figures.total, received - issued)
    by_direction = sum(
        (kopecks(line, "COST") or 0) * (1 if flag(line, "PWNDIR") else -1) for line in lines
    )
    _same("CHECKTOTAL", figures.due_unrounded, by_direction)


def _check_rounding(case: Case) -> None:
    figures = case.figures
    if (figures.rounding is None) != (figures.unrounded is None):
        raise invalid("RNDSUM та NORNDSUM зазначаються разом")
    if figures.rounding is None or figures.unrounded is None:
        return
    rounding = figures.unrounded - figures.due
    if case.kind is Kind.RETURN and case.switches.return_rounding_sign == "reversed":
        rounding = -rounding
    _same("CHECKTOTAL/RNDSUM", figures.rounding, rounding)
    steps = case.switches.rounding_steps_kopecks
    if not steps or figures.rounding == 0:
        return
    cash = sum(each.kopecks for each in figures.payments if each.code == _CASH)
    if not any(cash % step == 0 and abs(figures.rounding) * 2 <= step for step in steps):
        raise invalid("Заокруглення не відповідає жодному з дозволених кроків")


def _check_payments(case: Case) -> None:
    payments = rows(case.document.content, "CHECKPAY")
    if not payments:
        must_pay = case.figures.due != 0 or _is_settled_without_paying(case)
        if must_pay and not case.document.has("CHECKDUTYFREE"):
            raise invalid("Відсутній розділ CHECKPAY")
        return
    for number, payment in enumerate(payments, start=1):
        _check_payment(number, payment)
    codes = case.switches.payment_form_codes
    for each in case.figures.payments:
        if codes and each.code not in codes:
            raise invalid(f"Код форми оплати {each.code} невідомий")
    paid = sum(each.kopecks for each in case.figures.payments)
    _same("CHECKPAY", paid, case.figures.due)


def _is_settled_without_paying(case: Case) -> bool:
    """A final settlement with nothing left to pay, where the switch asks for a row all the same."""
    part_payment = text(part(case.document.content, "CHECKTOTAL"), "PARTPAYTYPE") or ""
    return case.switches.settled_needs_payment_row and part_payment.strip() == _SETTLEMENT


def _check_payment(number: int, payment: Node) -> None:
    covered, provided = kopecks(payment, "SUM"), kopecks(payment, "PROVIDED")
    change = kopecks(payment, "REMAINS")
    if covered is None:
        raise invalid(f"Рядок оплати {number}: відсутній елемент SUM")
    if provided is None:
        if change is not None:
            raise invalid(f"Рядок оплати {number}: REMAINS без PROVIDED")
        return
    _same(f"CHECKPAY {number} PROVIDED", provided - (change or 0), covered)


def _sum(amounts: Iterable[int | None]) -> int:
    return sum(amount or 0 for amount in amounts)


def _same(label: str, stated: int, expected: int) -> None:
    if stated != expected:
        raise invalid(
            f"Суми документа не узгоджені: {label} {stated / 100:.2f}, "
            f"очікується {expected / 100:.2f}"
        )
