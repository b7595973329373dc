"""Turnover: what was sold and given back, by tax letter, product and cashier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Query

from api.auth import Right
from api.positions import reach
from api.routing import Call, Endpoints
from api.schemas.common import (
    After,
    AtLeast,
    BusinessUnitFilter,
    CompanyFilter,
    Day,
    Limit,
    Page,
    RegisterFilter,
    ShiftFilter,
    YesOrNo,
)
from api.schemas.turnover import (
    CashierTurnoverAnswer,
    ProductTurnoverAnswer,
    TaxTurnoverAnswer,
    TurnoverRow,
)
from domain.clock import kyiv
from domain.documents.receipt import ReceiptKind
from projections.turnover_view import SplitBy, TurnoverQuery, TurnoverView
from projections.view import RowPage

turnover = Endpoints(
    tag="Turnover",
    description="Sums by tax letter, product and cashier. Registered receipts count, on the Kyiv day of their document; "
    "what a storno took back does not. Goods given back have rows of their own kind.",
)

Answer = TypeVar("Answer", bound=TurnoverRow)

FirstDay = Annotated[
    Day | None,
    Query(
        description="From this day of Kyiv on; absent: `last_day`, or all days of a shift that is named. At most 366 days.",
        examples=["2026-11-01"],
    ),
]
LastDay = Annotated[
    Day | None,
    Query(
        description="Up to this day, included; absent: today, or all days of a shift that is named.",
        examples=["2026-11-05"],
    ),
]
Split = Annotated[SplitBy, Query(description="What one row stands for besides.", examples=["day"])]
OfKind = Annotated[
    ReceiptKind | None, Query(description="Only `sale` or only `return`.", examples=["sale"])
]
Testing = Annotated[
    YesOrNo, Query(description="Tests in place of fiscal receipts.", examples=[False])
]


def _add(
    name: str,
    page_of: type[Page[Answer]],
    answer_of: Callable[[Any], Answer],
    read: Callable[[TurnoverView, TurnoverQuery], RowPage[Any]],
    *,
    summary: str,
    description: str,
) -> None:
    """Declare one of the lists; all of them ask and page alike."""

    async def read_turnover(
        call: Call,
        first_day: FirstDay = None,
        last_day: LastDay = None,
        by: Split = SplitBy.PERIOD,
        company_id: CompanyFilter = None,
        business_unit_id: BusinessUnitFilter = None,
        register_id: RegisterFilter = None,
        shift_id: ShiftFilter = None,
        kind: OfKind = None,
        testing: Testing = False,
        limit: Limit = 500,
        after: After = None,
        at_least: AtLeast = None,
    ) -> Page[Answer]:
        view = call.parts.views.turnover
        if shift_id is None:
            last_day = last_day or kyiv(call.parts.ledger.clock.now()).date()
            first_day = first_day or last_day
        query = TurnoverQuery(
            first_day=first_day,
            last_day=last_day,
            by=by,
            company_id=company_id,
            business_unit_id=business_unit_id,
            register_id=register_id,
            shift_id=shift_id,
            kind=kind,
            testing=testing if shift_id is None else None,
            limit=limit,
            after=after,
        )
        await reach(call.parts, view, at_least)
        page = await call.parts.from_view(read, view, query)
        return page_of(
            items=[answer_of(row) for row in page.rows],
            next=page.next,
            position=str(page.cursor),
        )

    read_turnover.__name__ = f"read_turnover_by_{name}"
    read_turnover.__doc__ = description
    declare = turnover.add(
        "GET",
        f"/v1/turnover/{name}",
        right=Right.READ,
        answer=page_of,
        summary=summary,
    )
    declare(read_turnover)


_add(
    "taxes",
    Page[TaxTurnoverAnswer],
    TaxTurnoverAnswer.of,
    TurnoverView.taxes,
    summary="Read turnover by tax letter",
    description="Return turnover, base and tax by letter and rate.",
)
_add(
    "products",
    Page[ProductTurnoverAnswer],
    ProductTurnoverAnswer.of,
    TurnoverView.products,
    summary="Read turnover by product",
    description="Return quantities and sums by product: what has the same code, name and unit.",
)
_add(
    "cashiers",
    Page[CashierTurnoverAnswer],
    CashierTurnoverAnswer.of,
    TurnoverView.cashiers,
    summary="Read turnover by cashier",
    description="Return receipts and sums by the cashier's name on the receipt.",
)
