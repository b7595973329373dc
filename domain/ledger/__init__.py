"""FiscalLedger: one method per use case, and the only writer of events.

Every decision of the system is a method here; api and workers both call it, and the stream version serialises
them. The methods stand in six files by who calls them: set-up, tills, tills at their drawer, lanes, the taking over of
documents that the tax service has and we do not, and going on after a backup was restored.
"""

from domain.ledger.adoption import AdoptedDocument, Adoption
from domain.ledger.base import Issued, ShiftChange
from domain.ledger.drawer import CashDrawer
from domain.ledger.restoring import Restoring
from domain.ledger.selling import XReport
from domain.ledger.structure import Structure
from domain.ledger.submission import LaneTask

__all__ = [
    "AdoptedDocument",
    "FiscalLedger",
    "Issued",
    "LaneTask",
    "ShiftChange",
    "XReport",
]


class FiscalLedger(Structure, CashDrawer, Adoption, Restoring):
    """The use cases of the ledger over a store, a signer and a clock."""
