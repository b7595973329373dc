"""What the journal of receipts and the list of open returns say, read straight from a log."""

from collections.abc import Iterable
from uuid import UUID

from domain.documents.receipt import Receipt, ReceiptKind
from domain.ledger import FiscalLedger, OpenReturn, RegisteredSale
from domain.register import events
from domain.return_outcome import UNDONE, Return
from domain.returns import SoldReceipt
from infra.event_store.feed import Cursor, FeedEvent
from infra.event_store.memory import MemoryStore
from infra.event_store.store import PostgresStore


def log_of(store: MemoryStore | PostgresStore) -> tuple[FeedEvent, ...]:
    return store.page(Cursor(), 1_000_000).events


def registered_receipts(log: Iterable[FeedEvent]) -> dict[UUID, RegisteredSale]:
    """Every receipt that the tax service has, by its id, in the order of registration on each register."""
    said: dict[UUID, Receipt] = {}
    testing: dict[UUID, bool] = {}
    found: dict[UUID, RegisteredSale] = {}
    for stored in log:
        event = stored.event
        receipt_id = getattr(event, "subject_id", None)
        if isinstance(event, events.ShiftOpened):
            testing[stored.stream_id] = event.testing
        if isinstance(event, events.ReceiptIssued | events.ReceiptCorrected):
            said[event.receipt.receipt_id] = event.receipt
        if isinstance(event, events.DocumentAdopted) and event.receipt is not None:
            receipt_id = event.receipt.receipt_id
            said[receipt_id] = event.receipt
        if (
            isinstance(event, events.DocumentRegistered | events.DocumentAdopted)
            and receipt_id in said
        ):
            found[receipt_id] = RegisteredSale(
                register_id=stored.stream_id,
                receipt=said[receipt_id],
                fiscal_number=event.fiscal_number,
                document_at=event.at,
                testing=testing.get(stored.stream_id, False),
            )
    return found


def registered_sale(store: MemoryStore | PostgresStore, receipt_id: UUID) -> RegisteredSale:
    """A registered receipt as the journal shows it."""
    return registered_receipts(log_of(store))[receipt_id]


def open_returns(store: MemoryStore) -> list[OpenReturn]:
    """Reservations that are neither confirmed nor released, and those whose receipt was undone since."""
    reserved: dict[UUID, OpenReturn] = {}
    undone: set[UUID] = set()
    confirmed: set[UUID] = set()
    for stored in log_of(store):
        event = stored.event
        if isinstance(event, SoldReceipt.Reserved):
            reserved[event.return_id] = OpenReturn(
                return_id=event.return_id,
                register_id=event.register_id,
                sold_register_id=event.sold_register_id,
                sold_receipt_id=event.sold_receipt_id,
                reserved_at=event.at,
            )
        elif isinstance(event, SoldReceipt.Confirmed):
            confirmed.add(event.return_id)
        elif isinstance(event, SoldReceipt.Released):
            reserved.pop(event.return_id, None)
        elif isinstance(event, Return.OutcomeRecorded) and event.state in UNDONE:
            undone.add(event.receipt_id)
    return [each for each in reserved.values() if each.return_id not in confirmed - undone]


def sweep(ledger: FiscalLedger, store: MemoryStore) -> None:
    """Settle what can be settled, as housekeeping does; the second round is for payments whose returns the first settled."""
    for _ in range(2):
        for pending in open_returns(store):
            ledger.settle_return(pending)


def registered_kind(log: Iterable[FeedEvent], kind: ReceiptKind) -> list[RegisteredSale]:
    """The registered receipts of one kind."""
    return [found for found in registered_receipts(log).values() if found.receipt.kind is kind]
