"""Group commit: one thread per process writes all saves in flight in one transaction after another.

While a batch is being committed the next one gathers, so the more is in flight the fewer flushes a save costs; no
save is held back to wait for others. A save is answered only after its commit, or when it is certain that nothing of
it was written.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg
import structlog

from domain.errors import StoreUnavailable
from infra.event_store.recorder import Judged, Recorder
from infra.event_store.saves import Admitted, Save
from infra.postgres import Connection

log = structlog.get_logger(__name__)

_FIRST_RETRY_SECONDS = 0.05
_LONGEST_RETRY_SECONDS = 1.0
_MOST_ATTEMPTS = 20
_TRY_AGAIN = ("08", "40", "53", "55", "57", "25P03")
"""SQLSTATEs of failures that are not the save's fault: connection, serialisation, resources, locks, operator."""


def _locked() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(eq=False, slots=True)
class _Ticket:
    """A save and its answer; `answered` is released when `answer` is there."""

    save: Save
    answered: threading.Lock = field(default_factory=_locked)
    answer: Admitted | Exception | None = None
    attempts: int = 0

    def give(self, answer: Admitted | Exception) -> None:
        self.answer = answer
        self.answered.release()


class Appender:
    """Appends saves. `connect` opens the writer's own connection; it is called again when one dies.

    A save waits in the queue for at most `give_up_seconds`. Once its transaction may have been committed there is
    no limit: the answer waits until the database says what became of it.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        give_up_seconds: float = 15.0,
        most_waiting: int = 4_096,
        largest_batch: int = 256,
    ) -> None:
        self._connect = connect
        self._give_up_seconds = give_up_seconds
        self._most_waiting = most_waiting
        self._largest_batch = largest_batch
        self._queue: deque[_Ticket] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._closing = False
        self._abandon_at: float | None = None
        self._recorder: Recorder | None = None
        self._retry_seconds = _FIRST_RETRY_SECONDS
        self.batches = 0
        self.saves = 0
        self._thread = threading.Thread(target=self._run, name="appender", daemon=True)
        self._thread.start()

    def append(self, save: Save) -> Admitted:
        """Make a save durable.

        Raises: Conflict and its kind, CommandAlreadyRecorded, IntegrityFault for a document that is stored with
        other bytes, StoreUnavailable, and psycopg.Error or UnicodeError for a save that the database can never take.
        """
        ticket = _Ticket(save)
        with self._changed:
            if self._closing:
                raise StoreUnavailable(what="store", reason="it is being closed")
            if len(self._queue) >= self._most_waiting:
                raise StoreUnavailable(what="store", reason="too much is in flight")
            self._queue.append(ticket)
            self._changed.notify()
        patience = self._give_up_seconds
        while not ticket.answered.acquire(timeout=patience):
            self._withdraw(ticket)
            patience = _LONGEST_RETRY_SECONDS
        if isinstance(ticket.answer, Admitted):
            return ticket.answer
        assert ticket.answer is not None
        raise ticket.answer

    def close(self, *, seconds: float = 30.0) -> None:
        """Write what is in flight, then stop; what cannot be written within `seconds` is refused."""
        with self._changed:
            self._closing = True
            self._abandon_at = time.monotonic() + seconds
            self._changed.notify()
        self._thread.join()

    def _withdraw(self, ticket: _Ticket) -> None:
        """Take a ticket out of the queue, if it is still there, and refuse it."""
        with self._changed:
            if ticket in self._queue:
                self._queue.remove(ticket)
                ticket.give(StoreUnavailable(what="store", reason="the database does not answer"))

    # --- the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                self._carry_out(batch)
            except Exception as error:  # whatever happens, every waiting caller gets an answer
                log.exception("a batch could not be carried out")
                self._disconnect()
                self._refuse(batch, error)
        self._disconnect()

    def _next_batch(self) -> list[_Ticket]:
        """Return all that waits, up to a batch; nothing when the appender is closed and empty."""
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
            if self._is_abandoned():
                while self._queue:
                    self._queue.popleft().give(
                        StoreUnavailable(what="store", reason="it was closed while it was away")
                    )
            count = min(len(self._queue), self._largest_batch)
            return [self._queue.popleft() for _ in range(count)]

    def _carry_out(self, batch: Sequence[_Ticket], *, singly: bool = False) -> None:
        """Answer every ticket of a batch, or put it back into the queue."""
        saves = [ticket.save for ticket in batch]
        judged: Judged | None = None
        try:
            recorder = self._connected()
            recorder.ensure_months(saves)
            judged = recorder.judge(saves, thorough=singly)
            recorder.write(judged)
        except (psycopg.Error, UnicodeError) as error:  # text may be none: a lone surrogate
            lost = self._recorder is None or self._recorder.connection.closed
            self._disconnect()
            if judged is None or not self._was_written(judged):
                self._after_failure(batch, error, lost=lost, singly=singly)
                return
        self.batches += 1
        self.saves += len(batch)
        self._retry_seconds = _FIRST_RETRY_SECONDS
        for ticket, outcome in zip(batch, judged.outcomes, strict=True):
            ticket.give(outcome)

    def _was_written(self, judged: Judged) -> bool:
        """Find out, however long it takes, whether a batch is stored whose commit got no answer."""
        if not judged.passed:
            return False
        while True:
            try:
                return self._connected().was_written(judged.passed)
            except psycopg.Error as error:
                log.warning("cannot ask what became of a commit", reason=str(error).strip())
                self._disconnect()
                if self._is_abandoned():
                    raise StoreUnavailable(
                        what="store", reason="nobody knows yet whether the commit was written"
                    ) from error
                self._pause()

    def _after_failure(
        self, batch: Sequence[_Ticket], error: Exception, *, lost: bool, singly: bool
    ) -> None:
        """Deal with a batch of which nothing was written: try again, save by save, or give the one save its error."""
        sqlstate = error.sqlstate if isinstance(error, psycopg.Error) else None
        reason = str(error).strip()
        if lost or (sqlstate or "").startswith(_TRY_AGAIN):
            log.warning("a batch is tried again", reason=reason, saves=len(batch))
            self._put_back(batch)
            self._pause()
        elif not singly:
            for ticket in batch:
                self._carry_out([ticket], singly=True)
        else:
            log.error("the database refuses a save", sqlstate=sqlstate, reason=reason)
            batch[0].give(error)

    def _refuse(self, batch: Sequence[_Ticket], error: Exception) -> None:
        """Give an error to whoever of a batch has no answer and will not be tried again."""
        with self._changed:
            for ticket in batch:
                if ticket.answer is None and ticket not in self._queue:
                    ticket.give(error)

    def _put_back(self, batch: Sequence[_Ticket]) -> None:
        with self._changed:
            for ticket in reversed(batch):
                ticket.attempts += 1
                if ticket.attempts < _MOST_ATTEMPTS and not self._is_abandoned():
                    self._queue.appendleft(ticket)
                else:
                    ticket.give(
                        StoreUnavailable(what="store", reason="the database does not answer")
                    )

    def _pause(self) -> None:
        time.sleep(self._retry_seconds)
        self._retry_seconds = min(2 * self._retry_seconds, _LONGEST_RETRY_SECONDS)

    def _is_abandoned(self) -> bool:
        return self._abandon_at is not None and time.monotonic() > self._abandon_at

    def _connected(self) -> Recorder:
        if self._recorder is None:
            self._recorder = Recorder(self._connect())
        return self._recorder

    def _disconnect(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.connection.close()
