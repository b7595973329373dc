"""Taking over documents that the tax service has and we do not.

They come from a restored backup, a former program or a second device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from domain.clock import fiscal_day
from domain.company import Company
from domain.digest import sha256
from domain.documents.receipt import Receipt, ReceiptKind
from domain.documents.shift import DocumentKind, FiscalDocument, ZReport
from domain.identifiers import document_uid, shard_of
from domain.ledger.base import document_ref
from domain.ledger.counterparts import Beside, follows, takes
from domain.ledger.selling import sold_receipt
from domain.ledger.submission import LaneTask, Submission, task_of
from domain.part_payment import read_as
from domain.ports import LaneChange, LaneLease, StoredBytes, StoredKind
from domain.readings import Readings
from domain.register.aggregate import Register
from domain.register.state import Shift, Waiting
from domain.sold_lines import sold_lines
from domain.taxes.rates import TaxGroup


@dataclass(frozen=True, slots=True)
class AdoptedDocument:
    """A document as the service has it; `in_open_shift`: it belongs to the shift that is open there now.

    `document` is None for a kind that our types cannot hold: its number counts, its content is kept as `xml`.
    `server_kind` is the service's own name of the kind. `document_id` is the UID, or stands for one that is no GUID.
    """

    local_number: int
    fiscal_number: str
    uid: str
    document_id: UUID
    at: datetime
    server_kind: str
    in_open_shift: bool
    document: FiscalDocument | None
    xml: bytes


class Adoption(Submission):
    """Use case of the lane worker after it found a gap."""

    def adopt(
        self,
        lease: LaneLease,
        documents: Sequence[AdoptedDocument],
        *,
        key_id: str,
    ) -> LaneTask:
        """Take over documents in the order of their numbers, in one commit, with their bytes.

        A document that registers something of ours counts for that; where its content is not what we have (made
        again after the backup that was restored), the service's content counts. `key_id` signs in a shift that was
        opened elsewhere with the same key.
        """
        in_order = sorted(documents, key=lambda each: each.local_number)

        def once() -> LaneTask:
            with self._held(lease.register_id) as (register, beside):
                kept: list[StoredBytes] = []
                for found in in_order:
                    before = register.outstanding
                    if self._settles_outstanding(register, found):
                        self._tell_registered(register, beside, before)
                        continue
                    if found.local_number < (register.next_local_number or 0):
                        continue
                    self._adopt_one(register, found, beside, key_id=key_id)
                    kept.append(_bytes_of(register, found))
                if register.pending_events:
                    lane = LaneChange(register_id=register.id, fence=lease.epoch)
                    self._save(register, *beside.changed, documents=tuple(kept), lane=lane)
                return task_of(register)

        return self._again_after_conflict(once)

    def _settles_outstanding(self, register: Register, found: AdoptedDocument) -> bool:
        """Record our outstanding document as registered if this is it; give it up if this took its number."""
        outstanding = register.outstanding
        if outstanding is None or outstanding.local_number != found.local_number:
            return False
        if document_uid(outstanding.document_id) == found.uid.upper():
            self._record_found(register, fiscal_number=found.fiscal_number)
            return True
        register.withdraw(reason="number-taken", disagreement=True)
        return False

    def _adopt_one(
        self,
        register: Register,
        found: AdoptedDocument,
        beside: Beside,
        *,
        key_id: str,
    ) -> None:
        """Take over one document; `beside` gets the streams that are to be committed with the register."""
        document = found.document
        kind = DocumentKind.OTHER if document is None else document.kind
        content = None if document is None else document.content
        known = register.shift is not None
        opens = kind is DocumentKind.SHIFT_OPENING and found.in_open_shift and not known
        subject = register.subject_of(found.uid)
        receipt = content if isinstance(content, Receipt) else None
        if receipt is not None:
            receipt = self._adopted_receipt(register, receipt, subject, beside, at=found.at)
        register.adopt(
            subject_id=None if subject is None else subject.subject_id,
            kind=kind,
            server_kind=found.server_kind,
            local_number=found.local_number,
            fiscal_number=found.fiscal_number,
            uid=found.uid,
            at=found.at,
            xml_sha256=sha256(found.xml).hex(),
            in_shift=known and self._is_in_shift(register, found),
            testing=document is not None and document.heading.testing,
            receipt=receipt,
            z_report=content if isinstance(content, ZReport) else None,
            shift=self._foreign_shift(register, found, key_id=key_id) if opens else None,
        )

    def _adopted_receipt(
        self,
        register: Register,
        receipt: Receipt,
        subject: Waiting | None,
        beside: Beside,
        *,
        at: datetime,
    ) -> Receipt:
        """Return the receipt as it is taken over, and tell the streams beside it.

        What we issued and the service has says what we know of it; a sale made elsewhere may be returned from now on,
        a storno made elsewhere takes back the last receipt we know of, if it names that. What a return made elsewhere
        took is counted later, because its sale may lie on another shard (`Returning.count_adopted_return`).
        """
        if receipt.part is not None:
            part = read_as(receipt.part, paid=receipt.total, readings=self.readings)
            receipt = replace(receipt, part=part)
        ours = None if subject is None else subject.receipt
        if ours is not None:
            # Part payments are never made again with other content, so theirs needs no comparing either.
            if follows(ours) or ours.part is not None or _same_content(ours, receipt):
                self._tell_outcome(beside, ours)
                return ours
            receipt = replace(receipt, receipt_id=ours.receipt_id)
            if ours.kind is ReceiptKind.SALE:
                sold = beside.sold(ours.receipt_id)
                assert sold is not None, "a sale is issued together with what may come back of it"
                sold.correct(receipt)
        elif receipt.kind is ReceiptKind.SALE:
            _sold_elsewhere(register, beside, receipt)
        elif receipt.kind is ReceiptKind.STORNO:
            receipt = _with_target(register, receipt, self.readings)
            if takes(receipt):
                _taken_back_elsewhere(register, beside, receipt, at=at)
            self._tell_outcome(beside, receipt)
        return receipt

    @staticmethod
    def _is_in_shift(register: Register, found: AdoptedDocument) -> bool:
        """Return whether a document counts in the shift that is open here.

        Our shift, once its opening is registered, is a shift of the service's too: everything up to its closing
        counts. A shift of ours that still waits for its opening takes in only what is in the shift open there.
        """
        shift = register.shift
        assert shift is not None
        return shift.opening_fiscal_number is not None or found.in_open_shift

    def _foreign_shift(self, register: Register, found: AdoptedDocument, *, key_id: str) -> Shift:
        document = found.document
        assert document is not None
        return Shift(
            shift_id=document.heading.uid,
            number=register.last_shift_number + 1,
            cashier_id=None,
            cashier_name=document.heading.cashier_name,
            key_id=key_id,
            seller=document.heading.seller,
            tax_groups=self._tax_groups(register, on=fiscal_day(document.heading.at)),
            cash_step=register.settings.cash_step,
            opened_at=document.heading.at,
            testing=document.heading.testing,
            opening_fiscal_number=found.fiscal_number,
        )

    def _tax_groups(self, register: Register, *, on: date) -> tuple[TaxGroup, ...]:
        company_id = register.company_id
        company = self.store.read(Company, company_id, shard=shard_of(company_id))
        return company.tax_groups_on(on)


def _sold_elsewhere(register: Register, beside: Beside, receipt: Receipt) -> None:
    """Let a sale that was made elsewhere be returned from now on."""
    if beside.sold(receipt.receipt_id) is None:
        beside.add(sold_receipt(register.id, receipt))


def _taken_back_elsewhere(
    register: Register, beside: Beside, storno: Receipt, *, at: datetime
) -> None:
    """Let nothing of a sale come back any more: a storno made elsewhere took it back."""
    original = storno.original
    assert original is not None
    assert original.receipt_id is not None
    sold = beside.sold(original.receipt_id)
    if sold is not None and sold.rest():
        sold.count(return_id=storno.receipt_id, register_id=register.id, lines=sold.rest(), at=at)


def _with_target(register: Register, storno: Receipt, readings: Readings) -> Receipt:
    """Return a storno made elsewhere with what it takes back, where that is the last receipt we know of."""
    last = None if register.shift is None else register.shift.last_receipt
    original = storno.original
    if last is None or original is None or last.fiscal_number != original.fiscal_number:
        return storno
    receipt = last.receipt
    return replace(
        storno,
        payments=receipt.payments,
        unrounded=receipt.unrounded,
        rounding=receipt.rounding,
        total=receipt.total,
        original=replace(
            original,
            kind=receipt.kind,
            receipt_id=receipt.receipt_id,
            register_id=register.id,
            still_counted=readings.storno_keeps_count or None,
        ),
    )


def _same_content(ours: Receipt, theirs: Receipt) -> bool:
    """Return whether two receipts say the same of goods and money."""
    return _said(ours) == _said(theirs)


def _said(receipt: Receipt) -> tuple[object, ...]:
    commission = None if receipt.withdrawal is None else receipt.withdrawal.commission
    return (
        receipt.kind,
        receipt.total,
        receipt.rounding,
        sold_lines(receipt),
        # Made again with another form of payment, it leaves another sum in the drawer.
        tuple((each.form_code, each.form_name, each.amount) for each in receipt.payments),
        # Documents have VAT before excise, a receipt has its letters in order.
        sorted(receipt.taxes, key=lambda row: (row.letter, row.kind)),
        commission,
    )


def _bytes_of(register: Register, found: AdoptedDocument) -> StoredBytes:
    ref = document_ref(
        register.id, document_id=found.document_id, at=found.at, kind=StoredKind.ADOPTED
    )
    return StoredBytes(ref=ref, register_id=register.id, content=found.xml)
