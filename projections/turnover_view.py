"""Reading turnover: sums by tax letter, product or cashier, of whole periods or split by day, shift or place."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

import orjson
from psycopg import sql

from domain.documents.receipt import ReceiptKind
from domain.errors import InvalidField
from domain.money import Money, Quantity, Rate
from projections.tables import Table
from projections.turnover import CASHIERS, NO_SHIFT, PRODUCTS, TAXES
from projections.view import LONGEST_PAGE, SCHEMA, RowPage, View, Where

LONGEST_PERIOD_DAYS = 366

Row = TypeVar("Row")


class SplitBy(StrEnum):
    """What one row of a report stands for, beside the letter, product or cashier."""

    PERIOD = "period"
    DAY = "day"
    SHIFT = "shift"
    REGISTER = "register"
    BUSINESS_UNIT = "business-unit"
    COMPANY = "company"


_SPLITS: dict[SplitBy, tuple[str, ...]] = {
    SplitBy.PERIOD: (),
    SplitBy.DAY: ("day",),
    SplitBy.SHIFT: ("register_id", "shift_id"),
    SplitBy.REGISTER: ("register_id",),
    SplitBy.BUSINESS_UNIT: ("business_unit_id",),
    SplitBy.COMPANY: ("company_id",),
}


@dataclass(frozen=True, slots=True)
class Place:
    """What a row is about, as far as the report is split by it; `shift_id` is None for a shift nobody here knows."""

    day: date | None
    shift_id: UUID | None
    register_id: UUID | None
    business_unit_id: UUID | None
    company_id: UUID | None
    kind: ReceiptKind


@dataclass(frozen=True, slots=True)
class TaxTurnover:
    """Sums of one letter; `base` includes the tax it gives (reference §3.6)."""

    place: Place
    tax_kind: int
    name: str
    letter: str
    rate: Rate
    receipts: int
    turnover: Money
    discounted_turnover: Money
    base: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class ProductTurnover:
    """Sums of one product; `total` = `cost` − `taken_off`, before cash rounding."""

    place: Place
    code: str | None
    name: str
    unit_name: str | None
    lines: int
    quantity: Quantity
    cost: Money
    taken_off: Money
    total: Money


@dataclass(frozen=True, slots=True)
class CashierTurnover:
    """Sums of one cashier's receipts; `total` = `unrounded` − `rounding`."""

    place: Place
    cashier_name: str | None
    receipts: int
    total: Money
    unrounded: Money
    rounding: Money
    taken_off: Money


@dataclass(frozen=True, slots=True)
class TurnoverQuery:
    """Which receipts count: registered ones of these days (Kyiv, both included) and of these places.

    Both days may be absent where a shift is named. `testing`: of test shifts in place of the fiscal ones; None: both.
    """

    first_day: date | None = None
    last_day: date | None = None
    by: SplitBy = SplitBy.PERIOD
    company_id: UUID | None = None
    business_unit_id: UUID | None = None
    register_id: UUID | None = None
    shift_id: UUID | None = None
    kind: ReceiptKind | None = None
    testing: bool | None = False
    limit: int = LONGEST_PAGE
    after: str | None = None


@dataclass(frozen=True, slots=True)
class _Report(Generic[Row]):
    """One of the three reports: its table, what it groups by, what it adds up, the row it makes."""

    table: Table[Any]
    names: tuple[str, ...]
    sums: tuple[str, ...]
    make: Callable[[Place, dict[str, Any]], Row]


class TurnoverView(View):
    """Reads turnover."""

    PROJECTION: ClassVar[str] = "receipts"

    def taxes(self, query: TurnoverQuery) -> RowPage[TaxTurnover]:
        """Return sums by tax letter and rate. Raises: InvalidField."""
        return self._report(_TAXES, query)

    def products(self, query: TurnoverQuery) -> RowPage[ProductTurnover]:
        """Return sums by product. Raises: InvalidField."""
        return self._report(_PRODUCTS, query)

    def cashiers(self, query: TurnoverQuery) -> RowPage[CashierTurnover]:
        """Return sums by cashier. Raises: InvalidField."""
        return self._report(_CASHIERS, query)

    def _report(self, report: _Report[Row], query: TurnoverQuery) -> RowPage[Row]:
        _check(query)
        groups = (*_SPLITS[query.by], "kind", *report.names)
        where = _conditions(query)
        columns = sql.SQL(", ").join(map(sql.Identifier, groups))
        if query.after is not None:
            where.beyond(groups, _parsed(query.after, groups))
        statement = sql.SQL(
            "SELECT {columns}, {sums} FROM {table}{where} GROUP BY {columns} HAVING sum({count}) <> 0"
            " ORDER BY {columns} LIMIT %s"
        ).format(
            columns=columns,
            sums=sql.SQL(", ").join(
                sql.SQL("sum({0})::bigint AS {0}").format(sql.Identifier(name))
                for name in report.sums
            ),
            table=sql.Identifier(SCHEMA, report.table.name),
            where=where.clause,
            count=sql.Identifier(report.sums[0]),
        )
        cursor = self.cursor()
        with self._rows() as rows:
            found = rows.execute(statement, [*where.values, query.limit + 1]).fetchall()
        page = found[: query.limit]
        more = len(found) > query.limit
        return RowPage(
            rows=tuple(report.make(_place(row), row) for row in page),
            next=_text([page[-1][name] for name in groups]) if more else None,
            cursor=cursor,
        )


def _check(query: TurnoverQuery) -> None:
    if not 1 <= query.limit <= LONGEST_PAGE:
        raise InvalidField(field="limit", expected=f"1 to {LONGEST_PAGE}")
    if query.first_day is None or query.last_day is None:
        if query.shift_id is None:
            raise InvalidField(field="first_day", expected="both days, or a shift")
        return
    if query.last_day < query.first_day:
        raise InvalidField(field="last_day", expected="no day before first_day")
    if (query.last_day - query.first_day).days >= LONGEST_PERIOD_DAYS:
        raise InvalidField(
            field="first_day", expected=f"at most {LONGEST_PERIOD_DAYS} days up to last_day"
        )


def _conditions(query: TurnoverQuery) -> Where:
    where = Where()
    if query.first_day is not None:
        where.add("day >= %s", query.first_day)
    if query.last_day is not None:
        where.add("day <= %s", query.last_day)
    where.equal("testing", query.testing)
    where.equal("company_id", query.company_id)
    where.equal("business_unit_id", query.business_unit_id)
    where.equal("register_id", query.register_id)
    where.equal("shift_id", query.shift_id)
    where.equal("kind", query.kind)
    return where


def _place(row: dict[str, Any]) -> Place:
    shift_id = row.get("shift_id")
    return Place(
        day=row.get("day"),
        shift_id=None if shift_id == NO_SHIFT else shift_id,
        register_id=row.get("register_id"),
        business_unit_id=row.get("business_unit_id"),
        company_id=row.get("company_id"),
        kind=ReceiptKind(row["kind"]),
    )


def _text(values: list[Any]) -> str:
    """Return a place in a report as opaque text, safe in URLs."""
    return base64.urlsafe_b64encode(orjson.dumps(values)).rstrip(b"=").decode()


def _parsed(text: str, columns: tuple[str, ...]) -> list[Any]:
    """Return the place of a text made by `_text`. Raises: InvalidField."""
    try:
        values = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
        if isinstance(values, list):
            return [_parser(column)(value) for column, value in zip(columns, values, strict=True)]
    except (binascii.Error, ValueError, TypeError, AttributeError):
        pass
    raise InvalidField(field="after", expected="the `next` of an earlier page")


def _parser(column: str) -> Callable[[Any], Any]:
    return _PARSERS.get(column, _plain)


def _plain(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    return value


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "day": date.fromisoformat,
    "register_id": UUID,
    "shift_id": UUID,
    "business_unit_id": UUID,
    "company_id": UUID,
    "tax_kind": int,
    "rate_basis_points": int,
}
"""How the columns a report is ordered by are read from text; all others are text."""

_TAXES = _Report(
    TAXES,
    names=("tax_kind", "tax_name", "letter", "rate_basis_points"),
    sums=(
        "receipts",
        "turnover_kopecks",
        "discounted_turnover_kopecks",
        "base_kopecks",
        "tax_kopecks",
    ),
    make=lambda place, row: TaxTurnover(
        place=place,
        tax_kind=row["tax_kind"],
        name=row["tax_name"],
        letter=row["letter"],
        rate=Rate(row["rate_basis_points"]),
        receipts=row["receipts"],
        turnover=Money(row["turnover_kopecks"]),
        discounted_turnover=Money(row["discounted_turnover_kopecks"]),
        base=Money(row["base_kopecks"]),
        tax=Money(row["tax_kopecks"]),
    ),
)
_PRODUCTS = _Report(
    PRODUCTS,
    names=("name", "code", "unit_name"),
    sums=("lines", "quantity_thousandths", "cost_kopecks", "taken_off_kopecks", "total_kopecks"),
    make=lambda place, row: ProductTurnover(
        place=place,
        code=row["code"] or None,
        name=row["name"],
        unit_name=row["unit_name"] or None,
        lines=row["lines"],
        quantity=Quantity(row["quantity_thousandths"]),
        cost=Money(row["cost_kopecks"]),
        taken_off=Money(row["taken_off_kopecks"]),
        total=Money(row["total_kopecks"]),
    ),
)
_CASHIERS = _Report(
    CASHIERS,
    names=("cashier_name",),
    sums=(
        "receipts",
        "total_kopecks",
        "unrounded_kopecks",
        "rounding_kopecks",
        "taken_off_kopecks",
    ),
    make=lambda place, row: CashierTurnover(
        place=place,
        cashier_name=row["cashier_name"] or None,
        receipts=row["receipts"],
        total=Money(row["total_kopecks"]),
        unrounded=Money(row["unrounded_kopecks"]),
        rounding=Money(row["rounding_kopecks"]),
        taken_off=Money(row["taken_off_kopecks"]),
    ),
)
