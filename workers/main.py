"""The worker process: lanes through dramatiq, alarms to the operator, housekeeping.

`python -m workers`. Several may run; lanes are leased, so they never work one register at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from uuid import UUID

import dramatiq
import structlog

from infra.bootstrap import Engine, open_engine, open_fiscal_server, open_timestamps, process_name
from infra.event_store.follower import Hints
from infra.event_store.writing import LANES_CHANNEL
from infra.interpreter import allow_open_files, settle
from infra.settings import Settings
from infra.stopping import stop_on_signals
from infra.telemetry import configure_logs, serve_metrics
from workers.alarms import deliver_alarms
from workers.broker import declare_submit_lane, make_broker
from workers.closing import close_shifts
from workers.housekeeping import keep_house
from workers.leader import Leader
from workers.returns import settle_returns
from workers.submitter import SubmissionRules, Submitter
from workers.waking import Waker

log = structlog.get_logger(__name__)

_SPARE_CONNECTIONS = 4
_SHARED_QUEUE_SECONDS = 10.0
_STOP_SECONDS = 60_000
# A lane is read from the log when it is claimed, and nobody waits for this process to hear of an event.
_GATHER_SECONDS = 0.02


def rules_of(settings: Settings) -> SubmissionRules:
    """Return the times of submission that the settings give."""
    return SubmissionRules(
        lease_seconds=int(settings.lease_seconds),
        lease_margin_seconds=2
        * (settings.connect_timeout_seconds + settings.answer_timeout_seconds),
        documents_per_claim=settings.documents_per_claim,
        retry_first_seconds=settings.retry_first_seconds,
        retry_longest_seconds=settings.retry_longest_seconds,
        state_check_seconds=settings.state_check_seconds,
        stale_after_seconds=settings.stale_after_seconds,
        most_skew_seconds=settings.most_clock_skew_seconds,
    )


def run(settings: Settings, stop: threading.Event) -> None:
    """Work until told to stop; what was begun is finished and recorded first."""
    pool_size = settings.worker_threads + _SPARE_CONNECTIONS
    with ExitStack() as stack:
        engine = stack.enter_context(
            open_engine(
                settings, name="worker", pool_size=pool_size, gather_seconds=_GATHER_SECONDS
            )
        )
        server = stack.enter_context(open_fiscal_server(settings, engine.signer))
        timestamps = stack.enter_context(open_timestamps(settings))
        submitter = Submitter(
            ledger=engine.ledger,
            lanes=engine.lanes,
            server=server,
            timestamps=timestamps,
            clock=engine.clock,
            rules=rules_of(settings),
            owner=process_name("worker"),
            skew_seconds=lambda: server.skew_seconds,
        )
        url = settings.broker_url
        broker = make_broker(None if url is None else url.get_secret_value())
        hints = Hints(engine.dsn, name="worker waker", channel=LANES_CHANNEL)
        stack.callback(hints.close)
        waker = _declare(engine, broker, submitter, hints)
        pool = dramatiq.Worker(broker, worker_threads=settings.worker_threads, worker_timeout=100)
        pool.start()
        stack.callback(broker.close)
        stack.callback(pool.stop, timeout=_STOP_SECONDS)
        threads = [
            _thread("waker", _only_one(settings, engine, waker), stop),
            _thread("alarms", lambda told: deliver_alarms(settings, engine, told), stop),
            _thread("housekeeping", lambda told: keep_house(engine, told), stop),
            _thread("closing", lambda told: close_shifts(settings, engine, told), stop),
            _thread("returns", lambda told: settle_returns(engine, told), stop),
        ]
        log.info("worker runs", threads=settings.worker_threads)
        stop.wait()
        for thread in threads:
            thread.join()
    log.info("worker stopped")


def _declare(engine: Engine, broker: dramatiq.Broker, submitter: Submitter, hints: Hints) -> Waker:
    def work(register_id: UUID) -> int:
        waker.taken(register_id)
        return submitter.work(register_id)

    actor = declare_submit_lane(broker, work, queue=engine.settings.broker_queue)
    waker = Waker(
        lanes=engine.lanes,
        clock=engine.clock,
        enqueue=lambda register_id: _send(actor, register_id),
        wait=lambda seconds: _wait(hints, seconds),
        sweep_seconds=engine.settings.sweep_seconds,
        forget_seconds=None if engine.settings.broker_url is None else _SHARED_QUEUE_SECONDS,
    )
    return waker


def _send(actor: dramatiq.Actor[[str], None], register_id: UUID) -> None:
    actor.send(str(register_id))


def _wait(hints: Hints, seconds: float) -> None:
    hints.wait(seconds)


def _only_one(
    settings: Settings, engine: Engine, waker: Waker
) -> Callable[[threading.Event], None]:
    """Let one worker of several fill a shared queue; with a queue of its own each fills that."""
    if settings.broker_url is None:
        return waker.run
    return Leader(engine.dsn, name="waker", work=waker.run).run


def _thread(
    name: str, target: Callable[[threading.Event], None], stop: threading.Event
) -> threading.Thread:
    thread = threading.Thread(target=target, args=(stop,), name=name, daemon=True)
    thread.start()
    return thread


def main() -> None:
    """Run a worker until SIGTERM or SIGINT."""
    settings = Settings()
    configure_logs(settings, part="worker")
    settle()
    allow_open_files()
    serve_metrics(settings)
    run(settings, stop_on_signals())
