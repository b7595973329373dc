"""The list of all projections. A new one is added here, and the projector process keeps it running."""

from __future__ import annotations

from projections.alarms import AlarmsProjection
from projections.balances import BalancesProjection
from projections.documents import DocumentsProjection
from projections.drawer import DrawerProjection
from projections.projection import Projection
from projections.receipts import ReceiptsProjection
from projections.shifts import ShiftsProjection
from projections.structure_projection import StructureProjection

PROJECTIONS: tuple[type[Projection], ...] = (
    StructureProjection,
    ShiftsProjection,
    BalancesProjection,
    DrawerProjection,
    ReceiptsProjection,
    DocumentsProjection,
    AlarmsProjection,
)


def projection_named(name: str) -> type[Projection]:
    """Return a projection by its name. Raises: KeyError."""
    return {projection.NAME: projection for projection in PROJECTIONS}[name]
