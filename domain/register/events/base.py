"""What all facts about a register share."""

from __future__ import annotations

from typing import ClassVar

from domain.aggregate import Aggregate
from domain.documents.shift import DocumentKind
from domain.register.state import Waiting
from domain.register.stream import RegisterStream


class Event(Aggregate.Event):
    """A fact about a register."""

    TOPIC: ClassVar[str] = "register.event"


def queue_closing(register: RegisterStream) -> None:
    """Let document 101 follow a registered Z-report, once the closing was asked for."""
    shift = register.shift
    if shift is None or shift.closing is None or shift.z_fiscal_number is None:
        return
    closing = Waiting(subject_id=shift.closing.closing_id, kind=DocumentKind.SHIFT_CLOSING)
    others = (item for item in register.waiting if item.kind is not DocumentKind.Z_REPORT)
    register.waiting = (*others, closing)
