import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.clock import ManualClock
from domain.errors import StoreUnavailable
from domain.ports import LaneLease
from workers.waking import Waker

ONE, TWO = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 11, 5, 10, tzinfo=UTC)


class DueLanes:
    """Lanes that are due until told otherwise; the first `failures` looks find no database."""

    def __init__(self, *due: UUID, failures: int = 0) -> None:
        self.now_due = list(due)
        self.failures = failures

    def due(self, *, now: datetime, limit: int) -> Sequence[UUID]:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable(what="store", reason="away")
        return self.now_due[:limit]

    def claim(
        self, register_id: UUID, *, owner: str, now: datetime, seconds: int
    ) -> LaneLease | None:
        raise AssertionError("a waker claims nothing")

    def extend(self, lease: LaneLease, *, now: datetime, seconds: int) -> bool:
        raise AssertionError("a waker extends nothing")

    def finish(
        self, lease: LaneLease, *, due_at: datetime | None, reason: str | None, failures: int
    ) -> bool:
        raise AssertionError("a waker finishes nothing")


def waker(
    lanes: DueLanes, queued: list[UUID], *, clock: ManualClock | None = None, **more: float
) -> Waker:
    return Waker(
        lanes=lanes,
        clock=clock or ManualClock(NOON),
        enqueue=queued.append,
        wait=lambda _: None,
        sweep_seconds=0.01,
        retry_seconds=0.01,
        **more,
    )


class TestSweep:
    def test_a_due_lane_is_queued_once_until_somebody_looks_at_it(self) -> None:
        queued: list[UUID] = []
        made = waker(DueLanes(ONE, TWO), queued)
        assert [made.sweep(), made.sweep()] == [2, 0]
        made.taken(ONE)
        assert made.sweep() == 1
        assert queued == [ONE, TWO, ONE]

    def test_behind_a_shared_queue_a_lane_still_due_is_queued_again_after_a_while(self) -> None:
        queued: list[UUID] = []
        clock = ManualClock(NOON)
        made = waker(DueLanes(ONE), queued, clock=clock, forget_seconds=10)
        made.sweep()
        clock.advance(timedelta(seconds=9))
        assert made.sweep() == 0
        clock.advance(timedelta(seconds=2))
        assert made.sweep() == 1


class TestRun:
    @pytest.mark.timeout(10)
    def test_a_database_that_was_away_is_looked_at_again(self) -> None:
        queued: list[UUID] = []
        stop = threading.Event()

        def enqueue(register_id: UUID) -> None:
            queued.append(register_id)
            stop.set()

        made = Waker(
            lanes=DueLanes(ONE, failures=2),
            clock=ManualClock(NOON),
            enqueue=enqueue,
            wait=lambda _: None,
            sweep_seconds=0.01,
            retry_seconds=0.01,
        )
        made.run(stop)
        assert queued == [ONE]
