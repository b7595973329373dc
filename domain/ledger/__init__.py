"""FiscalLedger: one method per use case, and the only writer of events.

Every decision of the system is a method here; api and workers both call it, and the stream version serialises
them. The methods stand in files by who calls them: set-up, tills that sell, tills that take what is owed on a
prepayment, tills that give money back, tills at their drawer, lanes, the taking over of documents that the tax service
has and we do not, and going on after a backup was restored.
"""

from domain.ledger.adoption import AdoptedDocument, Adoption
from domain.ledger.base import Issued, ShiftChange
from domain.ledger.drawer import CashDrawer
from domain.ledger.paying import PayingOn
from domain.ledger.restoring import Restoring
from domain.ledger.returning import Returning
from domain.ledger.selling import XReport
from domain.ledger.settling import OpenReturn, RegisteredSale
from domain.ledger.storno import Reversing
from domain.ledger.structure import Structure
from domain.ledger.submission import LaneTask

__all__ = [
    "AdoptedDocument",
    "FiscalLedger",
    "Issued",
    "LaneTask",
    "OpenReturn",
    "RegisteredSale",
    "ShiftChange",
    "XReport",
]


class FiscalLedger(Structure, Returning, PayingOn, Reversing, CashDrawer, Adoption, Restoring):
    """The use cases of the ledger over a store, a signer and a clock."""
