"""Totals of a shift from the documents accepted in it, and the comparison of a Z-report with them.

Always made anew from the documents: a shift has hundreds, and a running sum would have to be
undone by storno and revocation. Amounts are whole kopecks until they become JSON.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from infra.simulator.book import Shift
from infra.simulator.figures import Figures, Kind, Tax
from infra.simulator.stored_document import StoredDocument
from infra.simulator.switches import Switches


@dataclass(slots=True)
class TaxTotal:
    """One tax row added up over a shift."""

    turnover: int = 0
    turnover_discount: int = 0
    source: int = 0
    kopecks: int = 0

    def add(self, tax: Tax, *, switches: Switches) -> None:
        """Take one document's row in."""
        absent = tax.turnover if switches.turnover_discount_absent == "turnover" else 0
        self.turnover += tax.turnover
        self.turnover_discount += absent if tax.turnover_discount is None else tax.turnover_discount
        self.source += tax.source or 0
        self.kopecks += tax.kopecks


@dataclass(slots=True)
class OrderTotals:
    """Sales, or returns, of a shift."""

    total: int = 0
    pawn_issued: int = 0
    pawn_received: int = 0
    rounding: int = 0
    unrounded: int = 0
    transfers: int = 0
    transfers_commission: int = 0
    count: int = 0
    pawn_issued_count: int = 0
    pawn_received_count: int = 0
    transfers_count: int = 0
    payments: dict[tuple[int, str], int] = field(default_factory=dict)
    taxes: dict[tuple[int, str, str, int, bool], TaxTotal] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """True when there was no such document."""
        return self.count == 0 and self.transfers_count == 0


@dataclass(slots=True)
class CashTotals:
    """Cash withdrawals of a shift."""

    total: int = 0
    commission: int = 0
    count: int = 0


@dataclass(slots=True)
class CurrencyTotal:
    """One currency's trade over a shift."""

    symbol: str
    bought: int = 0
    sold: int = 0
    bought_national: int = 0
    sold_national: int = 0
    storno_bought: int = 0
    storno_sold: int = 0
    storno_bought_national: int = 0
    storno_sold_national: int = 0
    commission: int = 0
    advance: int = 0
    attached: int = 0
    collected: int = 0


@dataclass(slots=True)
class ShiftTotals:
    """All totals of a shift."""

    sales: OrderTotals = field(default_factory=OrderTotals)
    returns: OrderTotals = field(default_factory=OrderTotals)
    cash: CashTotals = field(default_factory=CashTotals)
    service_input: int = 0
    service_output: int = 0
    currency_documents: int = 0
    currencies: dict[int, CurrencyTotal] = field(default_factory=dict)


def totals_of(shift: Shift, *, switches: Switches) -> ShiftTotals:
    """The totals of what was accepted in the shift so far."""
    return totals_over(shift.documents, switches=switches)


def totals_over(documents: Iterable[StoredDocument], *, switches: Switches) -> ShiftTotals:
    """The totals of these documents."""
    totals = ShiftTotals()
    rounded = {Kind.SALE: False, Kind.RETURN: False}
    for stored in documents:
        if not stored.counts:
            _count_reversed(totals, stored, switches=switches)
            continue
        _add(totals, stored, switches=switches)
        if stored.figures.unrounded is not None:
            rounded[Kind.RETURN if stored.kind is Kind.RETURN else Kind.SALE] = True
    if not rounded[Kind.SALE]:
        totals.sales.unrounded = 0
    if not rounded[Kind.RETURN]:
        totals.returns.unrounded = 0
    return totals


def _count_reversed(totals: ShiftTotals, stored: StoredDocument, *, switches: Switches) -> None:
    if stored.is_revoked or switches.storno_counts == "removed":
        return
    if stored.kind in (Kind.SALE, Kind.PAWN):
        totals.sales.count += 1
    elif stored.kind is Kind.RETURN:
        totals.returns.count += 1


def _add(totals: ShiftTotals, stored: StoredDocument, *, switches: Switches) -> None:
    figures = stored.figures
    match stored.kind:
        case Kind.SALE | Kind.PAWN:
            _add_order(totals.sales, figures, switches=switches)
        case Kind.RETURN:
            _add_order(totals.returns, figures, switches=switches)
        case Kind.TRANSFER:
            _add_transfer(totals.sales, figures, switches=switches)
        case Kind.TRANSFER_RETURN:
            _add_transfer(totals.returns, figures, switches=switches)
        case Kind.WITHDRAWAL:
            totals.cash.total += figures.total or 0
            totals.cash.commission += figures.commission or 0
            totals.cash.count += 1
        case Kind.DEPOSIT:
            totals.service_input += figures.total or 0
        case Kind.ISSUE:
            totals.service_output += figures.total or 0
        case Kind.CURRENCY:
            _add_exchanges(totals, figures, subtype=stored.document.document_subtype)
        case _:
            pass


def _add_order(totals: OrderTotals, figures: Figures, *, switches: Switches) -> None:
    counts_full = switches.part_payment_counts == "full"
    total = (figures.total or 0) if counts_full else figures.due
    totals.total += total
    totals.rounding += figures.rounding or 0
    if figures.unrounded is not None:
        # NORNDSUM belongs to what is paid; beside full prices it counts as the full price before rounding.
        totals.unrounded += total + figures.unrounded - figures.due
    elif switches.no_rounding_sum == "all-when-any":
        totals.unrounded += total
    totals.pawn_issued += figures.pawn_issued or 0
    totals.pawn_received += figures.pawn_received or 0
    totals.pawn_issued_count += 1 if figures.pawn_issued else 0
    totals.pawn_received_count += 1 if figures.pawn_received else 0
    totals.count += 1
    for payment in figures.payments:
        key = (payment.code, payment.name)
        totals.payments[key] = totals.payments.get(key, 0) + payment.kopecks
    _add_taxes(totals, figures, switches=switches)


def _add_transfer(totals: OrderTotals, figures: Figures, *, switches: Switches) -> None:
    # The place of transfers is inferred from one sample: beside SUM, ORDERSCNT and PAYFORMS.
    if switches.transfers_in_sum:
        _add_order(totals, figures, switches=switches)
        return
    totals.transfers += figures.total or 0
    totals.transfers_commission += figures.commission or 0
    totals.transfers_count += 1
    _add_taxes(totals, figures, switches=switches)


def _add_taxes(totals: OrderTotals, figures: Figures, *, switches: Switches) -> None:
    for tax in figures.taxes:
        row = totals.taxes.get(tax.key)
        if row is None:
            row = totals.taxes[tax.key] = TaxTotal()
        row.add(tax, switches=switches)


def _add_exchanges(totals: ShiftTotals, figures: Figures, *, subtype: int) -> None:
    totals.currency_documents += 1
    for line in figures.exchanges:
        row = totals.currencies.setdefault(line.currency, CurrencyTotal(symbol=line.symbol))
        row.commission += line.commission
        match subtype, line.operation:
            case (2, _):
                row.advance += line.foreign
            case (3, _):
                row.attached += line.foreign
            case (4, _):
                row.collected += line.foreign
            case (_, 0):
                row.bought += line.foreign
                row.bought_national += line.national
            case (_, 1):
                row.storno_bought += line.foreign
                row.storno_bought_national += line.national
            case (_, 2):
                row.sold += line.foreign
                row.sold_national += line.national
            case (_, 3):
                row.storno_sold += line.foreign
                row.storno_sold_national += line.national
            case _:
                pass
