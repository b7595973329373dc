"""What must be done now and then: document partitions for the months ahead."""

from __future__ import annotations

import threading
from datetime import date

import structlog

from domain.clock import fiscal_day
from infra.bootstrap import Engine

log = structlog.get_logger(__name__)

MONTHS_AHEAD = 3
_EVERY_SECONDS = 6 * 3600.0
_RETRY_SECONDS = 60.0


def months_from(day: date, *, count: int) -> list[date]:
    """Return the first days of this month and the following ones, `count` in all."""
    numbers = range(day.year * 12 + day.month - 1, day.year * 12 + day.month - 1 + count)
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


def keep_house(engine: Engine, stop: threading.Event) -> None:
    """Keep house until told to stop; a failure is tried again after a minute."""
    pause = 0.0
    while not stop.wait(pause):
        try:
            make_partitions(engine)
            pause = _EVERY_SECONDS
        except Exception:
            log.exception("housekeeping failed")
            pause = _RETRY_SECONDS


def make_partitions(engine: Engine) -> None:
    """Make the document partitions of this month and the next ones."""
    months = months_from(fiscal_day(engine.clock.now()), count=MONTHS_AHEAD + 1)
    with engine.store.pool.connection() as connection:
        for month in months:
            connection.execute("SELECT ensure_documents_partition(%s)", [month])
