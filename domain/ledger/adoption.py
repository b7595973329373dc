"""Taking over documents that the tax service has and we do not.

They come from a restored backup, a former program or a second device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.company import Company
from domain.documents.receipt import Receipt
from domain.documents.shift import DocumentKind, FiscalDocument, ZReport
from domain.identifiers import document_uid, shard_of
from domain.ledger.submission import LaneTask, Submission
from domain.ports import LaneLease
from domain.register.aggregate import Register
from domain.register.state import Shift
from domain.taxes.rates import TaxGroup


@dataclass(frozen=True, slots=True)
class AdoptedDocument:
    """A document as the service has it; `in_open_shift`: it belongs to the shift that is open there now.

    `document` is None for a kind we do not know: its number counts, its content does not. `uid` and `at` stand
    beside it because they are known even then.
    """

    local_number: int
    fiscal_number: str
    uid: str
    at: datetime
    in_open_shift: bool
    document: FiscalDocument | None


class Adoption(Submission):
    """Use case of the lane worker after it found a gap."""

    def adopt(
        self,
        lease: LaneLease,
        documents: Sequence[AdoptedDocument],
        *,
        key_id: str,
    ) -> LaneTask:
        """Take over documents in the order of their numbers, in one commit.

        A document that is our own outstanding one is recorded as registered; one that took its number makes the
        outstanding one wait again. `key_id` signs in a shift that was opened elsewhere with the same key.
        """
        in_order = sorted(documents, key=lambda each: each.local_number)

        def take_over(register: Register) -> None:
            for found in in_order:
                self._adopt_one(register, found, key_id=key_id)

        return self._on_lane(lease, take_over)

    def _adopt_one(self, register: Register, found: AdoptedDocument, *, key_id: str) -> None:
        outstanding = register.outstanding
        if outstanding is not None and outstanding.local_number == found.local_number:
            if document_uid(outstanding.document_id) == found.uid.upper():
                self._record_found(register, fiscal_number=found.fiscal_number)
                return
            register.withdraw(reason="number-taken")
        if (
            register.next_local_number is not None
            and found.local_number < register.next_local_number
        ):
            return
        document = found.document
        kind = DocumentKind.SALE if document is None else document.kind
        content = None if document is None else document.content
        known = register.shift is not None
        opens = kind is DocumentKind.SHIFT_OPENING and found.in_open_shift and not known
        register.adopt(
            kind=kind,
            local_number=found.local_number,
            fiscal_number=found.fiscal_number,
            uid=found.uid,
            at=found.at,
            in_shift=known and self._is_in_shift(register, found),
            receipt=content if isinstance(content, Receipt) else None,
            z_report=content if isinstance(content, ZReport) else None,
            shift=self._foreign_shift(register, found, key_id=key_id) if opens else None,
        )

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
            tax_groups=self._tax_groups(register),
            cash_step=register.settings.cash_step,
            opened_at=document.heading.at,
            testing=document.heading.testing,
            opening_fiscal_number=found.fiscal_number,
        )

    def _tax_groups(self, register: Register) -> tuple[TaxGroup, ...]:
        company_id = register.company_id
        return self.store.read(Company, company_id, shard=shard_of(company_id)).tax_groups
