"""One document that the simulated tax service has accepted."""

from dataclasses import dataclass
from datetime import datetime

from infra.simulator.figures import Figures, Kind
from infra.simulator.kyiv import moment_of
from infra.simulator.offline_numbers import OfflineNumber
from infra.simulator.xml_reader import Document


@dataclass(frozen=True, slots=True)
class IssuedSession:
    """The id and the seed of an offline session, as the service gives them out."""

    session_id: int
    seed: int


@dataclass(slots=True, eq=False)
class StoredDocument:
    """One accepted document. ``signed`` are the bytes as received, ``document.xml`` those inside.

    ``order`` counts all documents of the service; ``issued_at`` is the local time the document
    states, ``accepted_at`` the server's, in UTC. ``offline`` is its number in an offline session when
    a package brought it; ``next_session`` what the service issued when it ended that session.
    """

    register: str
    document: Document
    kind: Kind
    figures: Figures
    signed: bytes
    fiscal_number: str
    accepted_at: datetime
    issued_at: datetime
    key_id: str
    signer_name: str
    shift_id: int
    order: int
    offline: OfflineNumber | None = None
    next_session: IssuedSession | None = None
    is_revoked: bool = False
    is_storned: bool = False

    @property
    def local_number(self) -> int:
        """ORDERNUM."""
        return self.document.local_number

    @property
    def counts(self) -> bool:
        """Whether its money counts: not reversed, not revoked."""
        return not (self.is_storned or self.is_revoked)

    @property
    def happened_at(self) -> datetime:
        """The moment that counts: the service's online, the document's own when it was made offline."""
        return self.accepted_at if self.offline is None else moment_of(self.issued_at)
