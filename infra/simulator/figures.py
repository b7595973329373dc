"""What one document contributes to the totals of its shift, read from the document itself.

Amounts are whole kopecks.
"""

from dataclasses import dataclass
from enum import StrEnum

from infra.simulator.xml_reader import (
    Document,
    Node,
    flag,
    integer,
    kopecks,
    part,
    required_text,
    rows,
    scaled,
    text,
)


class Kind(StrEnum):
    """What a document is, from its root, DOCTYPE and DOCSUBTYPE."""

    OPEN = "open"
    CLOSE = "close"
    OFFLINE_BEGIN = "offline-begin"
    OFFLINE_END = "offline-end"
    SALE = "sale"
    RETURN = "return"
    STORNO = "storno"
    DEPOSIT = "deposit"
    ISSUE = "issue"
    TRANSFER = "transfer"
    TRANSFER_RETURN = "transfer-return"
    CURRENCY = "currency"
    WITHDRAWAL = "withdrawal"
    PAWN = "pawn"
    Z_REPORT = "z-report"


_SUBTYPE_STORNO = 5
_KINDS = {
    (100, 0): Kind.OPEN,
    (101, 0): Kind.CLOSE,
    (102, 0): Kind.OFFLINE_BEGIN,
    (103, 0): Kind.OFFLINE_END,
    (0, 0): Kind.SALE,
    (0, 1): Kind.RETURN,
    (0, 2): Kind.DEPOSIT,
    (0, 3): Kind.DEPOSIT,
    (0, 4): Kind.ISSUE,
    (1, 0): Kind.TRANSFER,
    (1, 1): Kind.TRANSFER_RETURN,
    (2, 0): Kind.CURRENCY,
    (2, 2): Kind.CURRENCY,
    (2, 3): Kind.CURRENCY,
    (2, 4): Kind.CURRENCY,
    (3, 0): Kind.WITHDRAWAL,
    (4, 0): Kind.PAWN,
} | {(document_type, _SUBTYPE_STORNO): Kind.STORNO for document_type in range(5)}

DOCUMENT_TYPE_NAMES = {
    0: "SaleGoods",
    1: "TransferFunds",
    2: "CurrencyExchange",
    3: "CashWithdrawal",
    4: "PawnshopService",
    100: "OpenShift",
    101: "CloseShift",
    102: "OfflineBegin",
    103: "OfflineEnd",
}
DOCUMENT_SUBTYPE_NAMES = {
    0: "CheckGoods",
    1: "CheckReturn",
    # Seen in lists of the real service: service documents are reported as CheckGoods.
    2: "CheckGoods",
    3: "CheckGoods",
    4: "CheckGoods",
    5: "CheckStorno",
}

SETTLEMENTS = frozenset({Kind.SALE, Kind.RETURN, Kind.TRANSFER, Kind.TRANSFER_RETURN, Kind.PAWN})
"""Documents that settle with a customer and carry payments and taxes."""


def kind_of(document: Document) -> Kind | None:
    """What the document is, or None for a pair of types the protocol does not have."""
    if document.is_z_report:
        return Kind.Z_REPORT
    return _KINDS.get((document.document_type, document.document_subtype))


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment form of a document."""

    code: int
    name: str
    kopecks: int


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax row; absent optional amounts are None. ``rate`` is in hundredths of a percent."""

    tax_type: int
    name: str
    letter: str | None
    rate: int
    is_added: bool
    turnover: int
    turnover_discount: int | None
    source: int | None
    kopecks: int

    @property
    def key(self) -> tuple[int, str, str, int, bool]:
        """Rows with the same key are added up."""
        return (self.tax_type, self.letter or "", self.name, self.rate, self.is_added)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One line of currency trade."""

    currency: int
    symbol: str
    operation: int | None
    foreign: int
    national: int
    commission: int


@dataclass(frozen=True, slots=True)
class Figures:
    """A document's amounts; None where the document has none."""

    total: int | None = None
    rounding: int | None = None
    unrounded: int | None = None
    paid: int | None = None
    commission: int | None = None
    pawn_issued: int | None = None
    pawn_received: int | None = None
    payments: tuple[Payment, ...] = ()
    taxes: tuple[Tax, ...] = ()
    exchanges: tuple[Exchange, ...] = ()

    @property
    def due(self) -> int:
        """What was to pay by this document, after cash rounding."""
        return self.paid if self.paid is not None else self.total or 0

    @property
    def due_unrounded(self) -> int:
        """The same before cash rounding."""
        return self.unrounded if self.unrounded is not None else self.due


def figures_of(document: Document) -> Figures:
    """The amounts of a check; those of a Z-report are compared, not counted."""
    if document.is_z_report:
        return Figures()
    total = part(document.content, "CHECKTOTAL")
    return Figures(
        total=kopecks(total, "SUM"),
        rounding=kopecks(total, "RNDSUM"),
        unrounded=kopecks(total, "NORNDSUM"),
        paid=kopecks(total, "PARTPAYSUM"),
        commission=kopecks(total, "COMMISSION"),
        pawn_issued=kopecks(total, "PWNSUMISSUED"),
        pawn_received=kopecks(total, "PWNSUMRECEIVED"),
        payments=payments_of(rows(document.content, "CHECKPAY")),
        taxes=taxes_of(rows(document.content, "CHECKTAX")),
        exchanges=tuple(
            _exchange(row) for row in rows(document.content, "CHECKBODY") if "VALCD" in row
        ),
    )


def payments_of(payments: list[Node]) -> tuple[Payment, ...]:
    """Payment rows of a check or a Z-report."""
    return tuple(
        Payment(
            code=integer(row, "PAYFORMCD") or 0,
            name=required_text(row, "PAYFORMNM"),
            kopecks=kopecks(row, "SUM") or 0,
        )
        for row in payments
    )


def taxes_of(taxes: list[Node]) -> tuple[Tax, ...]:
    """Tax rows of a check or a Z-report."""
    return tuple(
        Tax(
            tax_type=integer(row, "TYPE") or 0,
            name=required_text(row, "NAME"),
            letter=text(row, "LETTER"),
            rate=scaled(required_text(row, "PRC"), digits=2),
            is_added=flag(row, "SIGN"),
            turnover=scaled(required_text(row, "TURNOVER"), digits=2),
            turnover_discount=kopecks(row, "TURNOVERDISCOUNT"),
            source=kopecks(row, "SOURCESUM"),
            kopecks=scaled(required_text(row, "SUM"), digits=2),
        )
        for row in taxes
    )


def _exchange(row: Node) -> Exchange:
    return Exchange(
        currency=integer(row, "VALCD") or 0,
        symbol=text(row, "VALSYMCD") or "",
        operation=integer(row, "VALOPERTYPE"),
        foreign=kopecks(row, "VALFOREIGNSUM") or 0,
        national=kopecks(row, "VALNATIONALSUM") or 0,
        commission=kopecks(row, "VALCOMMISSION") or 0,
    )
