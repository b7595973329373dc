"""Offline sessions as the tax service keeps them, and how long they lasted.

The length of a session is the time from its "offline begin" to its last financially significant
document; by the tax offices' counting, to its "offline end". Minutes belong to the month they fall in.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from infra.simulator.figures import Kind
from infra.simulator.kyiv import KYIV, moment_of
from infra.simulator.stored_document import IssuedSession, StoredDocument

FINANCIAL: Final = frozenset(Kind) - {Kind.OPEN, Kind.CLOSE, Kind.OFFLINE_BEGIN, Kind.OFFLINE_END}
"""Documents that carry movement or totals of money or goods."""

CountedTo = Literal["last-financial", "end"]
_MINUTE: Final = timedelta(minutes=1)


@dataclass(slots=True)
class OfflineSession:
    """One session of a register: issued, begun with the first document, ended with 103.

    ``rolled_back_by`` is the UID of the request that took its end back, empty when it had none.
    """

    issued: IssuedSession
    documents: list[StoredDocument] = field(default_factory=list)
    rolled_back_by: str | None = None

    @property
    def session_id(self) -> int:
        """The number the service issued."""
        return self.issued.session_id

    @property
    def seed(self) -> int:
        """What control numbers are made from."""
        return self.issued.seed

    @property
    def next_number(self) -> int:
        """The number the next document inside the session must have."""
        return len(self.documents) + 1

    @property
    def is_ended(self) -> bool:
        """Whether its "offline end" was taken."""
        return bool(self.documents) and self.documents[-1].kind is Kind.OFFLINE_END

    @property
    def is_open(self) -> bool:
        """Whether it was begun and not ended."""
        return bool(self.documents) and not self.is_ended

    def lasted(self, *, counted_to: CountedTo) -> tuple[datetime, datetime] | None:
        """From when to when it lasted, aware; None when it has not begun."""
        if not self.documents:
            return None
        begun = moment_of(self.documents[0].issued_at)
        counted = [
            each
            for each in self.documents
            if each.kind in FINANCIAL or (counted_to == "end" and each.kind is Kind.OFFLINE_END)
        ]
        return begun, moment_of(counted[-1].issued_at) if counted else begun

    def duration(self, *, counted_to: CountedTo) -> timedelta:
        """How long it lasted so far."""
        lasted = self.lasted(counted_to=counted_to)
        return timedelta() if lasted is None else max(lasted[1] - lasted[0], timedelta())


def month_duration(
    sessions: Iterable[OfflineSession], *, at: datetime, counted_to: CountedTo
) -> timedelta:
    """How long the sessions lasted within the Kyiv month of ``at``."""
    first, last = month_of(at)
    total = timedelta()
    for session in sessions:
        lasted = session.lasted(counted_to=counted_to)
        if lasted is not None:
            total += max(min(lasted[1], last) - max(lasted[0], first), timedelta())
    return total


def month_of(at: datetime) -> tuple[datetime, datetime]:
    """The beginning of the Kyiv month and of the one after it, aware."""
    first = at.astimezone(KYIV).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    following = (first + timedelta(days=32)).replace(day=1)
    return first.astimezone(UTC), following.astimezone(UTC)


def whole_minutes(length: timedelta) -> int:
    """Full minutes."""
    return length // _MINUTE
