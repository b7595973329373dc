"""Everything that can happen to a register, as facts with pinned topics.

Events hold what was decided: numbers, totals, hashes, times. Replay computes no money and needs no law. A changed
event gets a higher `class_version` and an upcast; its old stored form keeps loading for ever.

`apply` says what an event does to the register's state. It only assigns: a rule there would judge ten-year-old
receipts by today's law. It stands here, and not behind a decorated method, so that no field is written down twice.
"""

from eventsourcing.utils import register_topic

from domain.register.events.base import Event
from domain.register.events.documents import (
    AttemptBegun,
    AttemptEnded,
    DocumentAbsent,
    DocumentAdopted,
    DocumentRefused,
    DocumentRegistered,
    DocumentSigned,
    DocumentWithdrawn,
    OutcomeUnknown,
)
from domain.register.events.lane import LaneResumed, LaneWasParked, ServerStateRead, StateNeeded
from domain.register.events.tills import (
    ClosingBegun,
    DrawerCounted,
    ReceiptCorrected,
    ReceiptIssued,
    ReceiptVoided,
    Registered,
    SettingsChanged,
    ShiftClosed,
    ShiftOpened,
    ZReportMade,
)

__all__ = [
    "AttemptBegun",
    "AttemptEnded",
    "ClosingBegun",
    "DocumentAbsent",
    "DocumentAdopted",
    "DocumentRefused",
    "DocumentRegistered",
    "DocumentSigned",
    "DocumentWithdrawn",
    "DrawerCounted",
    "Event",
    "LaneResumed",
    "LaneWasParked",
    "OutcomeUnknown",
    "ReceiptCorrected",
    "ReceiptIssued",
    "ReceiptVoided",
    "Registered",
    "ServerStateRead",
    "SettingsChanged",
    "ShiftClosed",
    "ShiftOpened",
    "StateNeeded",
    "ZReportMade",
]

# A process that has recorded none of them yet must read them all the same; the library itself only knows the events that
# stand in an aggregate's class.
for _event in (
    AttemptBegun,
    AttemptEnded,
    ClosingBegun,
    DocumentAbsent,
    DocumentAdopted,
    DocumentRefused,
    DocumentRegistered,
    DocumentSigned,
    DocumentWithdrawn,
    DrawerCounted,
    LaneResumed,
    LaneWasParked,
    OutcomeUnknown,
    ReceiptCorrected,
    ReceiptIssued,
    ReceiptVoided,
    Registered,
    ServerStateRead,
    SettingsChanged,
    ShiftClosed,
    ShiftOpened,
    StateNeeded,
    ZReportMade,
):
    register_topic(_event.TOPIC, _event)
