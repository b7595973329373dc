"""What all parts of the ledger share: commands with idempotency, deciding again after a conflict, signing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from domain.aggregate import Aggregate
from domain.clock import Clock, fiscal_day, wall_time, whole_second
from domain.digest import sha256
from domain.documents.receipt import Receipt
from domain.documents.shift import (
    DocumentKind,
    FiscalDocument,
    Heading,
    ShiftClosingContent,
    ShiftOpening,
    ZReport,
)
from domain.documents.xml import to_xml
from domain.errors import (
    Conflict,
    DocumentTimeBehind,
    FiscalError,
    IdempotencyKeyReused,
    InvalidField,
    KeyUnknown,
    Unavailable,
)
from domain.identifiers import document_id, shard_of
from domain.ports import (
    CommandAlreadyRecorded,
    CommandKey,
    Commit,
    DocumentRef,
    LaneChange,
    LedgerStore,
    LogPosition,
    RecordedCommand,
    Signer,
    StoredBytes,
    StoredKind,
)
from domain.readings import DEFAULT_READINGS, Readings
from domain.register.aggregate import Register
from domain.register.state import LaneStep, Shift, Waiting

Result = TypeVar("Result")

TRIES = 4
"""A conflict is decided again at most three times; then the caller hears of it."""

MOST_TIME_BRIDGED = timedelta(minutes=4)
"""How far a document's time may stand ahead of the clock; the service forgives about ten minutes (reference §7.3)."""

MOST_XML_BYTES = 180 * 1024
"""A signed message may have 200 KB (reference §1.1); signature, certificate and time-stamp need the rest."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What a till learns when a receipt was issued, corrected or voided.

    `receipt` is None when the same command had been carried out before: the receipt is then read by its id.
    `testing`: it is a test and no fiscal receipt.
    """

    receipt_id: UUID
    register_id: UUID
    position: LogPosition | None
    receipt: Receipt | None
    local_number: int | None = None
    testing: bool = False


@dataclass(frozen=True, slots=True)
class ShiftChange:
    """What a till learns when a shift was opened or its closing begun."""

    shift_id: UUID
    register_id: UUID
    number: int
    position: LogPosition | None


class LedgerBase:
    """A ledger over a store, a signer and a clock; `new_id` makes ids of new things.

    `readings` answers what the protocol leaves open.
    """

    def __init__(
        self,
        *,
        store: LedgerStore,
        signer: Signer,
        clock: Clock,
        new_id: Callable[[], UUID] = uuid4,
        readings: Readings = DEFAULT_READINGS,
    ) -> None:
        self.store = store
        self.signer = signer
        self.clock = clock
        self.new_id = new_id
        self.readings = readings

    def _once(
        self,
        *,
        shard: int,
        command: CommandKey | None,
        decide: Callable[[], Result],
        repeat: Callable[[dict[str, str | int]], Result],
    ) -> Result:
        """Run `decide`, again after a conflict; answer a repeated command with its first result.

        A refusal is not remembered: the same key may be sent again once the cause is gone. A rule may refuse
        today what it accepted yesterday, so the record is looked up before a refusal is believed.
        """
        try:
            return self._again_after_conflict(decide)
        except CommandAlreadyRecorded as concurrent:
            return repeat(concurrent.recorded.result)
        except IdempotencyKeyReused:
            raise
        except FiscalError:
            known = self._known(shard, command)
            if known is None:
                raise
            return repeat(known.result)

    def _known(self, shard: int, command: CommandKey | None) -> RecordedCommand | None:
        if command is None:
            return None
        known = self.store.recorded(shard=shard, scope=command.scope, key=command.key)
        if known is not None and known.command.body_hash != command.body_hash:
            raise IdempotencyKeyReused
        return known

    @staticmethod
    def _again_after_conflict(decide: Callable[[], Result]) -> Result:
        for _ in range(TRIES - 1):
            try:
                return decide()
            except IdempotencyKeyReused:
                raise
            except Conflict as conflict:
                if not conflict.retryable:
                    raise
        return decide()

    @staticmethod
    def _recorded(command: CommandKey | None, **result: str | int) -> RecordedCommand | None:
        return None if command is None else RecordedCommand(command=command, result=result)

    def _save(
        self,
        register: Register,
        *others: Aggregate | None,
        documents: tuple[StoredBytes, ...] = (),
        command: RecordedCommand | None = None,
        lane: LaneChange | None = None,
    ) -> LogPosition:
        streams = (register, *(other for other in others if other is not None))
        return self.store.commit(
            Commit(
                shard=shard_of(register.id),
                streams=streams,
                documents=documents,
                command=command,
                lane=lane,
            )
        )

    # --- documents -----------------------------------------------------------------------------------------

    def _sign_if_possible(self, register: Register, *, now: datetime) -> tuple[StoredBytes, ...]:
        """Sign the first waiting subject if it is its turn and nothing of ours stands in the way.

        What has happened is recorded whether or not the next thing can be signed: it then waits, and the lane
        names the cause.
        """
        try:
            return self._sign_next(register, now=now)
        except (Unavailable, KeyUnknown):
            return ()

    def _sign_next(self, register: Register, *, now: datetime) -> tuple[StoredBytes, ...]:
        """Sign the first waiting subject if it is its turn; return the bytes to store with the commit.

        Raises: SignerUnavailable, KeyUnknown, DocumentTimeBehind.
        """
        if register.next_step() is not LaneStep.SIGN:
            return ()
        shift, item = register.shift, register.waiting[0]
        number = register.next_local_number
        if shift is None or number is None:
            return ()
        at = self._document_time(register, now)
        identity = document_id(item.subject_id, number=item.documents)
        document = self._document(
            register, shift=shift, item=item, uid=identity, local_number=number, at=at
        )
        xml = to_xml(document, readings=self.readings)
        ref = document_ref(register.id, document_id=identity, at=at, kind=StoredKind.SIGNED)
        signed = StoredBytes(
            ref=ref,
            register_id=register.id,
            content=self.signer.sign(key_id=shift.key_id, content=xml),
        )
        register.record_signed(
            document_id=identity,
            local_number=number,
            key_id=shift.key_id,
            at=at,
            xml_sha256=sha256(xml).hex(),
            signed_sha256=signed.sha256.hex(),
        )
        return (signed,)

    @staticmethod
    def _document_time(register: Register, now: datetime) -> datetime:
        """Return the document's time: the present in whole seconds, never before the previous document's.

        Documents carry Kyiv wall time without an offset, so in the repeated hour of October the clock on the wall
        goes back although time does not. A little is bridged with the last document's time; beyond that nothing is
        signed until the wall clock has caught up, because the service would refuse either time (reference §7.3).

        Raises: DocumentTimeBehind.
        """
        at = whole_second(now)
        last = register.last_document_at
        if last is None:
            return at
        behind = wall_time(last) - wall_time(at)
        if behind <= timedelta(0) and at >= last:
            return at
        if max(behind, last - at) > MOST_TIME_BRIDGED:
            raise DocumentTimeBehind(
                what="document time",
                reason=f"the clock stands {behind} before the last document's time",
            )
        return last

    @staticmethod
    def _document(
        register: Register,
        *,
        shift: Shift,
        item: Waiting,
        uid: UUID,
        local_number: int,
        at: datetime,
    ) -> FiscalDocument:
        return FiscalDocument(
            kind=item.kind,
            heading=Heading(
                uid=uid,
                seller=shift.seller,
                register_fiscal_number=register.fiscal_number,
                register_local_number=register.local_number,
                local_number=local_number,
                at=at,
                cashier_name=shift.cashier_name,
                testing=shift.testing,
            ),
            content=_content(item),
        )

    def _check_size(self, register: Register, *, shift: Shift, item: Waiting) -> None:
        """Refuse a receipt whose document would not fit into a message. Raises: InvalidField.

        Ordinary receipts are far below the limit, so the document is only built to be measured when its texts
        could reach it.
        """
        if item.receipt is None or could_take(item.receipt) <= MOST_XML_BYTES:
            return
        document = self._document(
            register,
            shift=shift,
            item=item,
            uid=item.subject_id,
            local_number=register.next_local_number or 1,
            at=shift.opened_at,
        )
        if len(to_xml(document, readings=self.readings)) > MOST_XML_BYTES:
            raise InvalidField(
                field="lines", expected=f"a document of at most {MOST_XML_BYTES // 1024} KB in all"
            )

    @staticmethod
    def _due(register: Register, now: datetime, *, fence: int | None = None) -> LaneChange:
        """Return the lane's share of a commit: due now when there is work, and the fence of its holder."""
        busy = register.next_step() is not LaneStep.IDLE
        return LaneChange(register_id=register.id, due_at=now if busy else None, fence=fence)


def could_take(receipt: Receipt) -> int:
    """Return more bytes than the receipt's document can have: an escaped character takes six at most."""
    names = sum(len(line.fiscal_name or line.name) for line in receipt.lines)
    stamps = sum(len(line.excise_stamps or ()) for line in receipt.lines)
    others = 2_500 * len(receipt.lines) + 450 * stamps + 10_000 * len(receipt.payments)
    return 20_000 + others + 1_000 * len(receipt.taxes) + 6 * (names + len(receipt.comment or ""))


def _content(item: Waiting) -> Receipt | ZReport | ShiftOpening | ShiftClosingContent:
    if item.receipt is not None:
        return item.receipt
    if item.z_report is not None:
        return item.z_report
    if item.kind is DocumentKind.SHIFT_OPENING:
        return ShiftOpening()
    assert item.kind is DocumentKind.SHIFT_CLOSING, f"nothing to register in a {item.kind.value}"
    return ShiftClosingContent()


def document_ref(
    register_id: UUID, *, document_id: UUID, at: datetime, kind: StoredKind
) -> DocumentRef:
    """Return where bytes of a register's document are stored, by the Kyiv month of its signing."""
    day = fiscal_day(at)
    return DocumentRef(
        shard=shard_of(register_id),
        month=date(day.year, day.month, 1),
        document_id=document_id,
        kind=kind,
    )
