"""The count at the end: what tills were told, the log, the journal and the tax service's book, document by document."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from domain.documents.shift import DocumentKind
from domain.identifiers import document_id, document_uid
from domain.register import events
from infra.event_store.feed import Cursor, FeedEvent
from infra.event_store.reading import read_page
from infra.event_store.verify import verify
from infra.postgres import application_dsn, connect
from projections.catalogue import PROJECTIONS
from projections.rebuild import check
from tests.chaos.network import Desk
from tests.chaos.reader import Place
from tests.chaos.tills import MARK, stopped_for_good
from tests.support.deployment import Deployment

_PAGE = 5_000
_MOST_DOCUMENTS = 20
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Numbered:
    """A document as one side knows it."""

    uid: str
    local_number: int
    fiscal_number: str


@dataclass
class Receipt:
    """What the log says of a receipt. `order` is the version of the register's event that issued it."""

    register_id: UUID
    order: int
    total_kopecks: int
    refusals: list[str] = field(default_factory=list)
    voided: bool = False
    registered: list[Numbered] = field(default_factory=list)


@dataclass
class Log:
    """What the log says: receipts by id, registered documents by register in order, every event's place."""

    receipts: dict[UUID, Receipt] = field(default_factory=dict)
    documents: dict[UUID, list[tuple[UUID | None, Numbered]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    places: set[Place] = field(default_factory=set)


@dataclass
class Findings:
    """What is wrong, in sentences by kind; the counts are taken from them."""

    sentences: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: str, sentence: str) -> None:
        self.sentences[kind].append(sentence)

    def count(self, kind: str) -> int:
        return len(self.sentences.get(kind, ()))

    def shown(self) -> dict[str, list[str]]:
        """The first sentences of each kind."""
        return {kind: found[:_SHOWN] for kind, found in self.sentences.items()}


def read_log(deployment: Deployment) -> Log:
    """Read the whole log as the application's role."""
    log = Log()
    with connect(application_dsn(deployment.dsn), name="audit") as connection:
        cursor = Cursor()
        while (page := read_page(connection, cursor, _PAGE)).events:
            for event in page.events:
                log.places.add((str(event.stream_id), event.version))
                _take(log, event)
            cursor = page.cursor
    return log


def _take(log: Log, stored: FeedEvent) -> None:
    if not stored.topic.startswith("register."):
        return
    event, register_id = stored.event, stored.stream_id
    match event:
        case events.ReceiptIssued():
            total = event.receipt.total.kopecks
            log.receipts[event.receipt.receipt_id] = Receipt(register_id, stored.version, total)
        case events.ReceiptCorrected():
            log.receipts[event.receipt.receipt_id].total_kopecks = event.receipt.total.kopecks
        case events.ReceiptVoided():
            log.receipts[event.receipt_id].voided = True
        case events.DocumentRefused() if event.kind is DocumentKind.SALE:
            log.receipts[event.subject_id].refusals.append(event.text)
        case events.DocumentRegistered() | events.DocumentAdopted():
            document = Numbered(_uid(event), event.local_number, event.fiscal_number)
            log.documents[register_id].append((event.subject_id, document))
            if event.kind is DocumentKind.SALE and event.subject_id is not None:
                log.receipts[event.subject_id].registered.append(document)


def _uid(event: events.DocumentRegistered | events.DocumentAdopted) -> str:
    if isinstance(event, events.DocumentAdopted):
        return event.uid.upper()
    return document_uid(event.document_id)


@dataclass(frozen=True, slots=True)
class Count:
    """What became of the acknowledged receipts."""

    acknowledged: int
    states: Mapping[str, int]
    parked_by_script: int
    unresolved: int
    findings: Findings


@dataclass(frozen=True, slots=True)
class Sources:
    """What each side says when all is at rest.

    `acknowledged`: the totals that tills were told, by receipt. `journal`: rows of the API by receipt. `books`: the
    tax service's documents by register, in its order. `stopped`: registers that the script stopped for good.
    """

    acknowledged: Mapping[UUID, set[int]]
    log: Log
    journal: Mapping[UUID, Mapping[str, Any]]
    books: Mapping[UUID, Sequence[Mapping[str, Any]]]
    stopped: frozenset[UUID] = frozenset()


class Audit:
    """Compares the sources, document by document."""

    def __init__(self, sources: Sources) -> None:
        self._acknowledged = sources.acknowledged
        self._log = sources.log
        self._journal = sources.journal
        self._books = sources.books
        self._stopped = sources.stopped
        self._findings = Findings()

    def run(self) -> Count:
        """Count and compare."""
        self._compare_acknowledged()
        for register_id, rows in self._books.items():
            self._compare_book(register_id, rows)
            self._compare_receipts(register_id, rows)
        self._compare_order()
        states: Counter[str] = Counter()
        parked = unresolved = 0
        for receipt_id in self._acknowledged:
            row = self._journal.get(receipt_id)
            state = "missing" if row is None else row["state"]
            states[state] += 1
            if state == "parked" and row is not None and UUID(row["register_id"]) in self._stopped:
                parked += 1
            elif state not in ("registered", "refused", "voided"):
                unresolved += 1
                self._findings.add("unresolved", f"receipt {receipt_id} is {state}: {row}")
        return Count(len(self._acknowledged), states, parked, unresolved, self._findings)

    # --- the comparisons ----------------------------------------------------------------------------

    def _compare_acknowledged(self) -> None:
        """Each acknowledged receipt is in log and journal, once, with a total the till was told."""
        for receipt_id, totals in self._acknowledged.items():
            receipt, row = self._log.receipts.get(receipt_id), self._journal.get(receipt_id)
            if receipt is None or row is None:
                where = "log" if receipt is None else "journal"
                self._findings.add("lost", f"receipt {receipt_id} is not in the {where}")
                continue
            if {receipt.total_kopecks, row["total_kopecks"]} - totals:
                told = f"told {totals}, log {receipt.total_kopecks}, {row}"
                self._findings.add("lost", f"receipt {receipt_id} has another total: {told}")
            self._compare_outcome(receipt_id, receipt, row)
        for receipt_id in self._log.receipts.keys() - self._acknowledged.keys():
            self._findings.add("doubled", f"receipt {receipt_id} was issued and never acknowledged")

    def _compare_outcome(self, receipt_id: UUID, receipt: Receipt, row: Mapping[str, Any]) -> None:
        if len(receipt.registered) > 1:
            self._findings.add("doubled", f"receipt {receipt_id}: {receipt.registered}")
        if bool(receipt.registered) != (row["state"] == "registered"):
            self._findings.add("lost", f"receipt {receipt_id}: {receipt.registered}, {row}")
        elif receipt.registered:
            last = receipt.registered[-1]
            if (last.local_number, last.fiscal_number) != (
                row["local_number"],
                row["fiscal_number"],
            ):
                self._findings.add("lost", f"receipt {receipt_id}: log {last}, journal {row}")
        for text in receipt.refusals:
            if MARK not in text:
                self._findings.add("refused_unasked", f"receipt {receipt_id}: {text}")

    def _compare_book(self, register_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
        """The register's registered documents are the tax service's, in its order."""
        ours = [document for _, document in self._log.documents[register_id]]
        theirs = [
            Numbered(row["uid"].upper(), row["local_number"], row["fiscal_number"]) for row in rows
        ]
        for document in set(ours) - set(theirs):
            self._findings.add("lost", f"{register_id}: {document} is not in the book")
        for document in set(theirs) - set(ours):
            self._findings.add("lost", f"{register_id}: {document} is not in the log")
        for document, times in Counter(theirs).items():
            if times > 1:
                self._findings.add("doubled", f"{register_id}: {document} is {times} times there")
        if ours != theirs and set(ours) == set(theirs):
            self._findings.add("out_of_order", f"{register_id}: {ours} {theirs}")
        numbers = [row["local_number"] for row in rows]
        if numbers != list(range(1, len(numbers) + 1)):
            self._findings.add("out_of_order", f"{register_id}: numbers {numbers}")

    def _compare_receipts(self, register_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
        """The tax service has each receipt at most once, with the total of its last version."""
        by_uid = {row["uid"].upper(): row for row in rows}
        for receipt_id, receipt in self._log.receipts.items():
            if receipt.register_id != register_id:
                continue
            identities = (document_id(receipt_id, number=n) for n in range(_MOST_DOCUMENTS))
            uids = (document_uid(each) for each in identities)
            found = [by_uid[uid] for uid in uids if uid in by_uid]
            if len(found) > 1:
                self._findings.add("doubled", f"receipt {receipt_id} in the book: {found}")
            if found and found[0]["sum_kopecks"] != receipt.total_kopecks:
                self._findings.add("lost", f"receipt {receipt_id}: {receipt}, book {found[0]}")

    def _compare_order(self) -> None:
        """Receipts that were never refused are registered in the order in which they were issued."""
        for register_id, documents in self._log.documents.items():
            issued = [
                receipt.order
                for subject_id, _ in documents
                if subject_id is not None
                and (receipt := self._log.receipts.get(subject_id)) is not None
                and not receipt.refusals
            ]
            if issued != sorted(issued):
                self._findings.add("out_of_order", f"register {register_id} against its sales")


# --- the sources ----------------------------------------------------------------------------------------


def gather(
    deployment: Deployment,
    client: httpx.Client,
    desks: Sequence[Desk],
    *,
    acknowledged: Mapping[UUID, set[int]],
) -> Sources:
    """Ask each side; everything must be up, well and at rest."""
    lanes = {
        desk.register_id: _asked(client, f"registers/{desk.register_id}/lane") for desk in desks
    }
    return Sources(
        acknowledged=acknowledged,
        log=read_log(deployment),
        journal={UUID(row["receipt_id"]): row for row in _journal(client)},
        books={
            desk.register_id: deployment.admin("GET", f"book/{desk.fiscal_number}")["documents"]
            for desk in desks
        },
        stopped=frozenset(
            register_id
            for register_id, lane in lanes.items()
            if lane["parked"] is not None and stopped_for_good(lane["parked"])
        ),
    )


def _journal(client: httpx.Client) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        page = _asked(client, f"receipts?limit=500{after}")
        yield from page["items"]
        if page["next"] is None:
            return
        after = f"&after={page['next']}"


def _asked(client: httpx.Client, path: str) -> dict[str, Any]:
    answer = client.get(f"/v1/{path}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def broken_places(deployment: Deployment) -> list[str]:
    """What the verification of log and documents finds."""
    with connect(application_dsn(deployment.dsn), name="audit") as connection:
        return [str(found) for found in verify(connection)]


def differing_projections(deployment: Deployment) -> list[str]:
    """The first difference of each projection to what it would be if it were made again."""
    dsn = deployment.dsn
    found = (check(projection, dsn=dsn) for projection in PROJECTIONS)
    return [str(difference) for difference in found if difference is not None]
