"""What the registers of a small world must have come to: every book that is kept of them says the same."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from domain.documents.receipt import CashPurpose, Receipt, ReceiptKind
from domain.money import ZERO, Money, Quantity
from domain.register.events import (
    DocumentAdopted,
    DocumentRegistered,
    DrawerCounted,
    ReceiptIssued,
    ZReportMade,
)
from domain.returns import SoldReceipt
from infra.simulator.answers import Code, storno_of_last_only
from infra.simulator.figures import Kind
from infra.simulator.stored_document import StoredDocument
from tests.support.journal import registered_receipts
from tests.support.world import ShopFloor, uids_of

KINDS = {
    ReceiptKind.SALE: Kind.SALE,
    ReceiptKind.RETURN: Kind.RETURN,
    ReceiptKind.STORNO: Kind.STORNO,
    ReceiptKind.SERVICE_DEPOSIT: Kind.DEPOSIT,
    ReceiptKind.SERVICE_ISSUE: Kind.ISSUE,
    ReceiptKind.CASH_WITHDRAWAL: Kind.WITHDRAWAL,
}
"""Each kind of receipt as the tax service calls it."""


class Tills:
    """What the tills of a world remember: what they were told, and what the cash in each drawer must be.

    `foreign` counts the deposits that a second device registered.
    """

    def __init__(self, world: ShopFloor) -> None:
        self.world = world
        self.registers = tuple(world.numbers)
        self.issued: dict[UUID, tuple[UUID, Receipt]] = {}
        self.voided: set[UUID] = set()
        self.foreign: dict[UUID, int] = dict.fromkeys(self.registers, 0)
        self._cash: dict[UUID, Money] = dict.fromkeys(self.registers, ZERO)

    def told(
        self, register_id: UUID, receipt: Receipt, *, instead_of: Receipt | None = None
    ) -> None:
        """Remember a receipt that was issued, or made again; being told twice is being told once."""
        if receipt.receipt_id in self.issued and instead_of is None:
            return
        self.issued[receipt.receipt_id] = (register_id, receipt)
        self._cash[register_id] += self._hands(receipt)
        if instead_of is not None:
            self._cash[register_id] -= self._hands(instead_of)

    def void(self, register_id: UUID, receipt: Receipt) -> None:
        """Remember a receipt that was given up."""
        self.voided.add(receipt.receipt_id)
        self._cash[register_id] -= self._hands(receipt)

    def counted(self, register_id: UUID, cash: Money) -> None:
        """Remember what was found in a drawer."""
        self._cash[register_id] = cash

    def _hands(self, receipt: Receipt) -> Money:
        """What hands put into a drawer for a receipt; below zero what they took out of it."""
        match receipt.kind:
            case ReceiptKind.SERVICE_DEPOSIT:
                return receipt.total
            case ReceiptKind.SERVICE_ISSUE | ReceiptKind.CASH_WITHDRAWAL:
                return -receipt.total
            case ReceiptKind.STORNO:
                assert receipt.original is not None
                assert receipt.original.receipt_id is not None
                known = registered_receipts(self.world.recorded())
                return -self._hands(known[receipt.original.receipt_id].receipt)
        cash = Money.total(
            (payment.provided or payment.amount) - (payment.change or ZERO)
            for payment in receipt.payments
            if payment.form_name == "ГОТІВКА"
        )
        return cash if receipt.kind is ReceiptKind.SALE else -cash

    def check(self) -> None:
        """After the network is well again and all lanes are at rest, every book agrees."""
        self._check_no_arithmetic_was_refused()
        for register_id in self.registers:
            unseen = self._check_documents(register_id)
            self._check_totals(register_id, seen_all=not unseen)
            self._check_drawer(register_id)
        self._check_returns()

    def _check_no_arithmetic_was_refused(self) -> None:
        """Refusals that were ordered are not in this list; of the tax service's own only a late arrival is no fault.

        Where a second device works, a Z-report and a storno may find what we could not know of.
        """
        foreign = any(self.foreign.values())
        assert [
            refused.text
            for refused in self.world.simulator.refusals
            if refused.code is Code.DOCUMENT_VALIDATION_ERROR
            and not refused.text.startswith("Дата і час")
            and not (
                foreign and ("ZREP" in refused.text or refused.text == storno_of_last_only().text)
            )
        ] == []

    def _check_documents(self, register_id: UUID) -> list[StoredDocument]:
        """Same documents, numbers and order, every receipt accounted for; return the foreign ones not seen yet."""
        register = self.world.register(register_id)
        book = self.world.book(register_id)
        assert register.parked is None, register.parked
        assert register.outstanding is None
        ours = [
            (event.local_number, event.fiscal_number)
            for event in self.events(register_id)
            if isinstance(event, DocumentRegistered | DocumentAdopted)
        ]
        assert ours == [(stored.local_number, stored.fiscal_number) for stored in book[: len(ours)]]
        unseen = book[len(ours) :]
        assert len(unseen) <= self.foreign[register_id]
        assert all(stored.kind is Kind.DEPOSIT for stored in unseen)

        by_uid = {stored.document.uid: stored for stored in book if stored.kind in KINDS.values()}
        waiting = {item.subject_id for item in register.waiting}
        issued = {each.receipt_id: each for each in _closing_issues(self.events(register_id))}
        issued |= {key: each for key, (on, each) in self.issued.items() if on == register_id}
        registered = set(issued) - set(register.refused) - self.voided - waiting
        assert len(by_uid) - len(registered) <= self.foreign[register_id]
        assert register.shift is not None or not waiting
        for receipt_id in registered:
            (uid,) = uids_of(receipt_id) & set(by_uid)
            stored, receipt = by_uid.pop(uid), issued[receipt_id]
            assert stored.kind is KINDS[receipt.kind]
            assert (stored.figures.total or 0) == receipt.registered_total.kopecks
        assert all(stored.kind is Kind.DEPOSIT for stored in by_uid.values())
        return unseen

    def _check_totals(self, register_id: UUID, *, seen_all: bool) -> None:
        """Our totals are the tax service's, in the open shift and in every Z-report."""
        made = [event for event in self.events(register_id) if isinstance(event, ZReportMade)]
        if not self.foreign[register_id]:
            assert all(event.differences == () for event in made)
        shift = self.world.register(register_id).shift
        if shift is None or shift.opening_fiscal_number is None or not seen_all:
            return
        theirs = self.world.server_totals(register_id)
        assert theirs is not None
        assert shift.totals.differences(theirs.read_by(shift.totals)) == ()

    def _check_drawer(self, register_id: UUID) -> None:
        """What tills did, what other devices put in, and what closings took out, since the last count."""
        since: list[Any] = []
        for event in self.events(register_id):
            since = [] if isinstance(event, DrawerCounted) else [*since, event]
        foreign = sum(
            event.receipt.total.kopecks
            for event in since
            if isinstance(event, DocumentAdopted)
            and event.subject_id is None
            and event.receipt is not None
        )
        taken = sum(each.total.kopecks for each in _closing_issues(since))
        drawer = self.world.register(register_id).cash_in_drawer
        assert drawer == Money(self._cash[register_id].kopecks + foreign - taken)

    def _check_returns(self) -> None:
        """Nothing comes back twice, what was never issued is free again, and the service agrees."""
        there = {
            stored.document.uid: stored
            for register_id in self.registers
            for stored in self.world.book(register_id)
        }
        for receipt_id, found in registered_receipts(self.world.recorded()).items():
            if found.receipt.kind is not ReceiptKind.SALE:
                continue
            sold = self.world.sold(receipt_id, register_id=found.register_id)
            assert all(line.quantity >= Quantity(0) and line.cost >= ZERO for line in sold.left())
            standing = set()
            returned = ZERO
            for key, (_, receipt) in self.issued.items():
                if _follows(receipt) != receipt_id or key in self.voided:
                    continue
                stored = next((there[uid] for uid in uids_of(key) if uid in there), None)
                if stored is not None and (stored.is_storned or self._came_back(receipt, there)):
                    continue
                standing.add(key)
                if stored is not None and receipt.kind is ReceiptKind.RETURN:
                    returned += receipt.unrounded
            assert set(sold.taken) == standing
            assert returned <= found.receipt.unrounded
            back = [taken for taken in sold.taken.values() if taken.pays is None]
            if not any(line.quantity.thousandths for line in sold.left()):
                costs = [line.cost for taken in back for line in taken.lines]
                assert Money.total(costs) == found.receipt.unrounded
            _check_chain(found.receipt, sold)

    def _came_back(self, payment: Receipt, there: dict[str, StoredDocument]) -> bool:
        """Whether a later payment was given back by a registered return."""
        return payment.pays_on and any(
            receipt.kind is ReceiptKind.RETURN
            and _follows(receipt) == payment.receipt_id
            and any(uid in there and not there[uid].is_storned for uid in uids_of(key))
            for key, (_, receipt) in self.issued.items()
        )

    def events(self, register_id: UUID) -> list[Any]:
        """The recorded events of a register, in their order."""
        return [stored.event for stored in self.world.recorded() if stored.stream_id == register_id]


def _follows(receipt: Receipt) -> UUID | None:
    """The receipt that one gives back of, takes back or pays on."""
    if receipt.pays_on:
        assert receipt.part is not None
        return receipt.part.prepayment_receipt_id
    return None if receipt.original is None else receipt.original.receipt_id


def _check_chain(prepayment: Receipt, sold: SoldReceipt) -> None:
    """Of no line more is paid than it costs, and when the final settlement stands alone, exactly that."""
    if prepayment.part is None or not sold.payments:
        return
    assert len(sold.payments) == len(sold.taken)
    for line, owed in zip(prepayment.lines, sold.owed(), strict=True):
        assert ZERO <= owed <= line.discounted - line.due


def _closing_issues(events: Iterable[Any]) -> list[Receipt]:
    """What closing shifts took out of the drawer by themselves."""
    return [
        event.receipt
        for event in events
        if isinstance(event, ReceiptIssued) and event.receipt.purpose is CashPurpose.CLOSING
    ]
