"""Finding what the tax service has and the ledger does not.

The gap between the service's next number and ours is filled from the service's own lists of shifts and documents,
and each document is fetched as its sender made it, so that it can count in the shift and be recognised as our own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from domain.answers import DocumentEntry, RegistrarState
from domain.clock import Clock
from domain.documents.xml import read_document
from domain.errors import IntegrityFault
from domain.ledger import AdoptedDocument, LaneTask
from domain.ports import FiscalServer

LONGEST_PERIOD = timedelta(days=30)
"""The service lists shifts of a month at most (reference §6.9)."""


class Resync:
    """Asks the service for documents of one register."""

    def __init__(self, *, server: FiscalServer, clock: Clock) -> None:
        self._server = server
        self._clock = clock

    def under_number(self, task: LaneTask, local_number: int) -> AdoptedDocument | None:
        """Return what the service has under a local number; None when nothing."""
        entry = self._server.document_info(
            key_id=_key(task), register=task.register, local_number=local_number
        )
        if entry is None:
            return None
        return self._fetched(task, entry, local_number=local_number, in_open_shift=True)

    def missing(self, task: LaneTask, state: RegistrarState) -> list[AdoptedDocument]:
        """Return the documents from our next number up to the service's, in order and without a hole.

        A register that the ledger has never worked with starts where the service stands: of what came before
        only the shift that is open there is taken in.

        Raises: IntegrityFault when the service does not give one of them.
        """
        ours = task.next_local_number
        if ours is None:
            if not state.shift_open:
                return []
            wanted = range(state.first_local_number, state.next_local_number)
        else:
            wanted = range(ours, state.next_local_number)
        found = self._listed(task, state, wanted) if wanted else {}
        for number in wanted:
            if number not in found:
                # The lists may lag behind or leave a kind out; a number asked for by itself does not.
                single = self.under_number(task, number)
                if single is None:
                    raise IntegrityFault(
                        place=f"document {number} of register {task.register}",
                        what=f"the tax service counts up to {state.next_local_number - 1} without it",
                    )
                found[number] = single
        return [found[number] for number in wanted]

    def _listed(
        self, task: LaneTask, state: RegistrarState, wanted: range
    ) -> dict[int, AdoptedDocument]:
        found: dict[int, AdoptedDocument] = {}
        for opening in self._openings(task, state):
            entries = self._server.documents(
                key_id=_key(task), register=task.register, open_shift_fiscal_number=opening
            )
            in_open_shift = opening == state.open_shift_fiscal_number
            for entry in entries:
                if entry.local_number in wanted and entry.local_number not in found:
                    found[entry.local_number] = self._fetched(
                        task, entry, local_number=entry.local_number, in_open_shift=in_open_shift
                    )
            if len(found) == len(wanted):
                break
        return found

    def _openings(self, task: LaneTask, state: RegistrarState) -> Iterator[str]:
        """Yield shifts by their opening's number, the likeliest first, each once."""
        seen: set[str] = set()
        shift = task.shift
        likely = (
            state.open_shift_fiscal_number if state.shift_open else None,
            None if shift is None else shift.opening_fiscal_number,
        )
        for opening in likely:
            if opening is not None and opening not in seen:
                seen.add(opening)
                yield opening
        now = self._clock.now()
        since = task.last_document_at or now - LONGEST_PERIOD
        since -= timedelta(days=1)
        while since < now:
            until = min(since + LONGEST_PERIOD, now + timedelta(days=1))
            for entry in self._server.shifts(
                key_id=_key(task), register=task.register, since=since, until=until
            ):
                if entry.open_fiscal_number not in seen:
                    seen.add(entry.open_fiscal_number)
                    yield entry.open_fiscal_number
            since = until

    def _fetched(
        self, task: LaneTask, entry: DocumentEntry, *, local_number: int, in_open_shift: bool
    ) -> AdoptedDocument:
        xml = self._server.document_xml(
            key_id=_key(task),
            register=task.register,
            fiscal_number=entry.fiscal_number,
            is_z_report=entry.is_z_report,
        )
        if xml is None:
            raise IntegrityFault(
                place=f"document {local_number} of register {task.register}",
                what="the tax service lists it and does not give it",
            )
        read = read_document(xml)
        return AdoptedDocument(
            local_number=local_number,
            fiscal_number=entry.fiscal_number,
            uid=str(read.heading.uid),
            document_id=read.heading.uid,
            at=read.heading.at,
            server_kind="/".join(filter(None, (entry.kind, entry.subkind))),
            in_open_shift=in_open_shift,
            document=read.document,
            xml=xml,
        )


def _key(task: LaneTask) -> str:
    assert task.key_id is not None
    return task.key_id
