"""What the outside must provide to the domain: a signer, the tax service, a store of events.

Every adapter and its in-memory twin pass the same contract test.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, TypeVar
from uuid import UUID

from domain.aggregate import Aggregate
from domain.answers import (
    DocumentEntry,
    PackageAnswer,
    RegistrarState,
    ServerShiftTotals,
    ShiftEntry,
    TaxObject,
    Ticket,
)
from domain.digest import sha256

AnyAggregate = TypeVar("AnyAggregate", bound=Aggregate)


# --- signing -------------------------------------------------------------------------------------------------


class KeyKind(StrEnum):
    """What a key is good for."""

    DEVELOPMENT = "development"
    QUALIFIED = "qualified"


@dataclass(frozen=True, slots=True)
class KeyDescription:
    """A key without its secret."""

    key_id: str
    kind: KeyKind
    owner: str
    tax_id: str | None
    subject_key_id: str
    valid_from: datetime
    valid_to: datetime


class Signer(Protocol):
    """Signs content with a named, opened key."""

    def sign(self, *, key_id: str, content: bytes) -> bytes:
        """Return a CMS SignedData around `content`, without a time-stamp.

        Raises: SignerUnavailable, KeyUnknown.
        """
        ...

    def describe(self, *, key_id: str) -> KeyDescription:
        """Return what is public about a key. Raises: SignerUnavailable, KeyUnknown."""
        ...


class TimestampAuthority(Protocol):
    """Gives signature time-stamps."""

    def stamp(self, signed: bytes) -> bytes:
        """Return the CMS with a signature time-stamp added. Raises: Unreachable(sent=False)."""
        ...


# --- the tax service -----------------------------------------------------------------------------------------


class FiscalServer(Protocol):
    """The tax service's fiscal server. Every method may raise Unreachable and Refused.

    A `key_id` names the key that signs a command; the ticket's signature is verified by the adapter, which
    raises IntegrityFault when it does not hold.
    """

    def submit(self, signed: bytes) -> Ticket:
        """Send one signed and time-stamped document (`/doc`); return the ticket."""
        ...

    def submit_package(self, documents: Sequence[bytes], *, key_id: str) -> PackageAnswer:
        """Send signed offline documents of one session as one package (`/pck`), in the order of their local numbers.

        The key signs the package; what signed the documents does not matter. Raises: PackageRefused in place of Refused.
        """
        ...

    def server_time(self) -> datetime:
        """Return the service's clock (`ServerState`); the cheapest probe."""
        ...

    def objects(self, *, key_id: str) -> tuple[TaxObject, ...]:
        """Return the units and registers the key may work with; empty when there are none."""
        ...

    def registrar_state(
        self,
        *,
        key_id: str,
        register: str,
        offline_session_id: str | None = None,
        offline_seed: str | None = None,
        include_tax_object: bool = False,
    ) -> RegistrarState | None:
        """Return the register's state; None when the key may not see it."""
        ...

    def document_info(
        self, *, key_id: str, register: str, local_number: int
    ) -> DocumentEntry | None:
        """Return what the service has under a local number; None when nothing."""
        ...

    def document_xml(
        self, *, key_id: str, register: str, fiscal_number: str, is_z_report: bool
    ) -> bytes | None:
        """Return the document's original XML (`CheckExt`, `ZRepExt`); None when it is not there."""
        ...

    def shifts(
        self, *, key_id: str, register: str, since: datetime, until: datetime
    ) -> tuple[ShiftEntry, ...]:
        """Return the shifts of a period of at most a month."""
        ...

    def documents(
        self, *, key_id: str, register: str, open_shift_fiscal_number: str
    ) -> tuple[DocumentEntry, ...]:
        """Return the documents of a shift."""
        ...

    def shift_totals(self, *, key_id: str, register: str) -> ServerShiftTotals | None:
        """Return the service's totals of the last shift; None when there is none."""
        ...


# --- the store -----------------------------------------------------------------------------------------------


class StoredKind(StrEnum):
    """Which bytes of a document are stored."""

    SIGNED = "signed"
    STAMPED = "stamped"
    TICKET = "ticket"
    ADOPTED = "adopted"


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """Where bytes are stored: `month` is the first day of the Kyiv month of signing."""

    shard: int
    month: date
    document_id: UUID
    kind: StoredKind


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """Bytes to store once, for ever, and their SHA-256."""

    ref: DocumentRef
    register_id: UUID
    content: bytes
    sha256: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", sha256(self.content))


@dataclass(frozen=True, slots=True)
class CommandKey:
    """An idempotency key: `scope` is who sends it; `body_hash` is SHA-256 over what was asked."""

    scope: str
    key: str
    body_hash: bytes


@dataclass(frozen=True, slots=True)
class RecordedCommand:
    """A command that was carried out, and what it answered."""

    command: CommandKey
    result: dict[str, str | int]


@dataclass(frozen=True, slots=True)
class LaneChange:
    """What a commit does to the register's lane.

    `due_at`: the lane has work from then on (an earlier due time stays); None leaves it. `fence`: the commit
    stands only while this epoch holds the lane. `parked`: stop with a reason; `resumed` lifts it.
    """

    register_id: UUID
    due_at: datetime | None = None
    fence: int | None = None
    parked: str | None = None
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """All that becomes true at once: pending events of `streams`, bytes, a command's result, lane work.

    All streams live on one shard.
    """

    shard: int
    streams: tuple[Aggregate, ...]
    documents: tuple[StoredBytes, ...] = ()
    command: RecordedCommand | None = None
    lane: LaneChange | None = None


@dataclass(frozen=True, slots=True)
class LogPosition:
    """A place in one shard's log."""

    shard: int
    position: int


class LedgerStore(Protocol):
    """Keeps events, documents, command results and lanes; commits are atomic."""

    def hold(
        self, aggregate_class: type[AnyAggregate], stream_id: UUID, *, shard: int
    ) -> AbstractContextManager[AnyAggregate]:
        """Hold one stream exclusively within this process and give its current aggregate.

        If the block is left while events are pending (a failed commit, any error), the aggregate is dropped
        and loaded again next time. Raises: NotFound, StoreUnavailable.
        """
        ...

    def read(
        self, aggregate_class: type[AnyAggregate], stream_id: UUID, *, shard: int
    ) -> AnyAggregate:
        """Return an aggregate to look at; the caller must not change it. Raises: NotFound."""
        ...

    def refresh(
        self, aggregate_class: type[AnyAggregate], stream_id: UUID, *, shard: int
    ) -> AnyAggregate:
        """Return an aggregate to look at as the log has it now, not as this process last saw it.

        Raises: NotFound, StoreUnavailable.
        """
        ...

    def commit(self, commit: Commit) -> LogPosition:
        """Make a commit durable; return where its last event stands.

        Raises: Conflict (a stream moved meanwhile: hold again and decide again), StaleLease,
        IdempotencyKeyReused, CommandAlreadyRecorded, IntegrityFault (a document is stored already with
        other bytes), StoreUnavailable. After any of them nothing was written. If the connection dies in
        the commit, the store finds out before it answers.
        """
        ...

    def recorded(self, *, shard: int, scope: str, key: str) -> RecordedCommand | None:
        """Return what an earlier command with this key answered."""
        ...

    def document(self, ref: DocumentRef) -> bytes:
        """Return stored bytes. Raises: NotFound, IntegrityFault when they do not match their hash."""
        ...


class CommandAlreadyRecorded(Exception):
    """The same command was recorded by a concurrent request; `recorded` is its result."""

    def __init__(self, recorded: RecordedCommand) -> None:
        super().__init__("command already recorded")
        self.recorded = recorded


@dataclass(frozen=True, slots=True)
class LaneLease:
    """One worker's hold on a register's lane; `epoch` fences its commits.

    `failures` is how often in a row the lane was given back without progress.
    """

    register_id: UUID
    epoch: int
    failures: int = 0


class Lanes(Protocol):
    """Who submits a register's documents next."""

    def claim(
        self, register_id: UUID, *, owner: str, now: datetime, seconds: int
    ) -> LaneLease | None:
        """Take the lane if it is due, not parked and not held; None otherwise."""
        ...

    def due(self, *, now: datetime, limit: int) -> Sequence[UUID]:
        """Return registers whose lane is due and free."""
        ...

    def extend(self, lease: LaneLease, *, now: datetime, seconds: int) -> bool:
        """Renew a lease; False when it was lost."""
        ...

    def finish(
        self, lease: LaneLease, *, due_at: datetime | None, reason: str | None, failures: int
    ) -> bool:
        """Give the lane back: next due time (None: nothing to do), why it waits, failures in a row.

        Work that was committed while the lease was held stays due. False when the lease was lost.
        """
        ...
