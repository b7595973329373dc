"""A Z-report compared with the totals of its shift, amount by amount.

What a Z-report leaves out counts as nothing, except amounts the schema makes optional beside a
required one (TURNOVERDISCOUNT, SOURCESUM, RNDSUM …): absent, they are not compared.
"""

from infra.simulator.answers import Refusal, invalid
from infra.simulator.figures import payments_of, taxes_of
from infra.simulator.totals import OrderTotals, ShiftTotals, TaxTotal
from infra.simulator.xml_reader import Document, Node, integer, kopecks, part, rows


def check_z_report(document: Document, totals: ShiftTotals) -> None:
    """Refuse a Z-report whose figures are not those of the shift.

    Raises: Refusal with code 9 naming the first amount that differs.
    """
    _compare_orders("ZREPREALIZ", part(document.content, "ZREPREALIZ"), totals.sales)
    _compare_orders("ZREPRETURN", part(document.content, "ZREPRETURN"), totals.returns)
    cash = part(document.content, "ZREPCASH")
    _same("ZREPCASH/SUM", kopecks(cash, "SUM") or 0, totals.cash.total)
    _same("ZREPCASH/ORDERSCNT", integer(cash, "ORDERSCNT") or 0, totals.cash.count)
    _same_if_there("ZREPCASH/COMMISSION", kopecks(cash, "COMMISSION"), totals.cash.commission)
    body = part(document.content, "ZREPBODY")
    _same("ZREPBODY/SERVICEINPUT", kopecks(body, "SERVICEINPUT") or 0, totals.service_input)
    _same("ZREPBODY/SERVICEOUTPUT", kopecks(body, "SERVICEOUTPUT") or 0, totals.service_output)


def _compare_orders(name: str, node: Node, totals: OrderTotals) -> None:
    _same(f"{name}/SUM", kopecks(node, "SUM") or 0, totals.total)
    _same(f"{name}/ORDERSCNT", integer(node, "ORDERSCNT") or 0, totals.count)
    _same_if_there(f"{name}/RNDSUM", kopecks(node, "RNDSUM"), totals.rounding)
    if totals.rounding or totals.unrounded:
        _same_if_there(f"{name}/NORNDSUM", kopecks(node, "NORNDSUM"), totals.unrounded)
    transfers = integer(node, "TOTALCURRENCYCOST") or 0
    _same(f"{name}/TOTALCURRENCYCOST", transfers, totals.transfers_count)
    transferred = kopecks(node, "TOTALCURRENCYSUM") or 0
    _same(f"{name}/TOTALCURRENCYSUM", transferred, totals.transfers)
    _compare_payments(name, rows(node, "PAYFORMS"), totals)
    _compare_taxes(name, rows(node, "TAXES"), totals)


def _compare_payments(name: str, payforms: list[Node], totals: OrderTotals) -> None:
    stated: dict[tuple[int, str], int] = {}
    for payment in payments_of(payforms):
        key = (payment.code, payment.name)
        stated[key] = stated.get(key, 0) + payment.kopecks
    for key in sorted(stated.keys() | totals.payments.keys()):
        label = f"{name}/PAYFORMS {key[0]} {key[1]}"
        _same(label, stated.get(key, 0), totals.payments.get(key, 0))


def _compare_taxes(name: str, taxes: list[Node], totals: OrderTotals) -> None:
    nothing = TaxTotal()
    stated = {tax.key: tax for tax in taxes_of(taxes)}
    if len(stated) != len(taxes):
        raise invalid(f"{name}/TAXES: рядки податків повторюються")
    for key in sorted(stated.keys() | totals.taxes.keys()):
        label = f"{name}/TAXES {key[1]} {key[2]} {key[3] / 100:.2f}"
        expected = totals.taxes.get(key, nothing)
        tax = stated.get(key)
        _same(f"{label} TURNOVER", tax.turnover if tax else 0, expected.turnover)
        _same(f"{label} SUM", tax.kopecks if tax else 0, expected.kopecks)
        if tax is not None:
            _same_if_there(f"{label} SOURCESUM", tax.source, expected.source)
            discounted = tax.turnover_discount
            _same_if_there(f"{label} TURNOVERDISCOUNT", discounted, expected.turnover_discount)


def _same_if_there(label: str, stated: int | None, expected: int) -> None:
    if stated is not None:
        _same(label, stated, expected)


def _same(label: str, stated: int, expected: int) -> None:
    if stated != expected:
        raise _differs(label, stated=stated, expected=expected)


def _differs(label: str, *, stated: int, expected: int) -> Refusal:
    return invalid(
        f"Підсумки Z-звіту не відповідають підсумкам зміни: {label} {stated}, очікується {expected}"
    )
