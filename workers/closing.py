"""Closing shifts at a set time, so that a day has its Z-report before midnight.

Every day with settlements has a Z-report (reference §5.1: requirement no. 199 caps a shift at 24 hours; a tax letter asks
round-the-clock shops for one "not later than 24:00 of the day"). A machine that was off at the set time closes what it
finds open when it runs again. It may run in several workers at once: a shift is closed once, by its id.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, time
from uuid import UUID

import structlog

from domain.clock import last_passing
from domain.digest import sha256
from domain.errors import FiscalError, NoOpenShift, ShiftClosing
from domain.ledger import FiscalLedger
from domain.ports import CommandKey
from infra.bootstrap import Engine
from infra.settings import Settings
from projections.shifts import ShiftRow, ShiftState, ShiftsView

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 15.0
_PAGE = 200


class ShiftCloser:
    """Begins the closing of every shift that was open when the set time passed; the lanes do the rest.

    A shift taken over from elsewhere is left alone: the tax service ties it to the key that opened it, and whether that
    key is here is not known. One that cannot be closed is named in the log once.
    """

    def __init__(self, ledger: FiscalLedger, view: ShiftsView, *, at: time) -> None:
        self._ledger = ledger
        self._view = view
        self._at = at
        self._named: set[UUID] = set()

    def close_due(self, now: datetime) -> int:
        """Close what is due now; return how many closings were begun."""
        due = list(self._open_before(last_passing(self._at, now=now)))
        self._named &= {shift.shift_id for shift in due}
        return sum(self._close(shift) for shift in due if not shift.adopted)

    def _open_before(self, moment: datetime) -> Iterator[ShiftRow]:
        after: str | None = None
        while True:
            page = self._view.search(
                state=ShiftState.OPEN, opened_before=moment, limit=_PAGE, after=after
            )
            yield from page.rows
            after = page.next
            if after is None:
                return

    def _close(self, shift: ShiftRow) -> bool:
        key = str(shift.shift_id)
        command = CommandKey(scope="closing-at-set-time", key=key, body_hash=sha256(key.encode()))
        try:
            self._ledger.close_shift(
                register_id=shift.register_id, shift_id=shift.shift_id, command=command
            )
        except (NoOpenShift, ShiftClosing):
            # The view lags behind: somebody closes it already.
            return False
        except FiscalError as error:
            if shift.shift_id not in self._named:
                self._named.add(shift.shift_id)
                log.warning(
                    "shift not closed at the set time",
                    register_id=str(shift.register_id),
                    shift_id=key,
                    code=error.code,
                    reason=str(error),
                )
            return False
        log.info("shift closed at the set time", register_id=str(shift.register_id), shift_id=key)
        return True


def close_shifts(settings: Settings, engine: Engine, stop: threading.Event) -> None:
    """Close shifts at the set time until told to stop; a round that fails is followed by the next."""
    if not settings.close_shifts_by_themselves:
        log.info("shifts are closed by people only")
        return
    view = ShiftsView(engine.store.pool)
    closer = ShiftCloser(engine.ledger, view, at=settings.close_shifts_at)
    while not stop.wait(_EVERY_SECONDS):
        try:
            closer.close_due(engine.clock.now())
        except Exception:
            log.exception("closing shifts failed")
