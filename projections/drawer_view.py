"""Reading the movements of cash in drawers."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from psycopg import sql

from domain.documents.receipt import ReceiptKind
from projections.drawer import MOVEMENTS, MovementCause, MovementRow
from projections.view import SCHEMA, RowPage, View, Where


class DrawerMovementsView(View):
    """Reads movements, newest first."""

    PROJECTION: ClassVar[str] = "drawer"

    def search(
        self,
        *,
        register_id: UUID | None = None,
        shift_id: UUID | None = None,
        business_unit_id: UUID | None = None,
        kind: ReceiptKind | None = None,
        cause: MovementCause | None = None,
        testing: bool | None = False,
        recorded_from: datetime | None = None,
        recorded_before: datetime | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> RowPage[MovementRow]:
        """Return a page of movements that meet all conditions.

        Movements of test shifts stay out, or are all there is where `testing` is asked for; None: both.

        Raises: InvalidField.
        """
        where = Where()
        where.equal("register_id", register_id)
        where.equal("shift_id", shift_id)
        where.equal("business_unit_id", business_unit_id)
        where.equal("kind", kind)
        where.equal("cause", cause)
        where.equal("testing", testing)
        if recorded_from is not None:
            where.add("at >= %s", recorded_from)
        if recorded_before is not None:
            where.add("at < %s", recorded_before)
        return self._page(self._read, where, order=("at", "movement_id"), limit=limit, after=after)

    def _read(self, where: Where, limit: int) -> list[MovementRow]:
        query = sql.SQL("SELECT {} FROM {}{} ORDER BY at DESC, movement_id DESC LIMIT %s").format(
            MOVEMENTS.columns(), sql.Identifier(SCHEMA, MOVEMENTS.name), where.clause
        )
        with self._rows() as rows:
            return [MOVEMENTS.row(row) for row in rows.execute(query, [*where.values, limit])]
