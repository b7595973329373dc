"""The projector process: every projection of the catalogue in a thread of its own.

`python -m workers.projector`. Several may run: a lock on each projection's tracking row lets one page be written once.
"""

from __future__ import annotations

import threading

import structlog

from infra.bootstrap import owner_dsn
from infra.event_store.follower import Hints
from infra.event_store.projector import ProjectorThread
from infra.interpreter import settle
from infra.postgres import application_dsn
from infra.settings import Settings
from infra.stopping import stop_on_signals
from infra.telemetry import configure_logs, serve_metrics
from projections.catalogue import PROJECTIONS

log = structlog.get_logger(__name__)

_POLL_SECONDS = 1.0
_GATHER_SECONDS = 0.1


def run(settings: Settings, stop: threading.Event) -> None:
    """Keep the projections running until told to stop."""
    dsn = application_dsn(owner_dsn(settings))
    runners = [
        ProjectorThread(projection(), dsn, page_events=settings.projection_page_events)
        for projection in PROJECTIONS
    ]
    threads = [threading.Thread(target=runner.run, args=(stop,), daemon=True) for runner in runners]
    for thread in threads:
        thread.start()
    log.info("projector runs", projections=len(threads))
    hints = Hints(dsn, name="projector")
    while not stop.is_set():
        hints.wait(_POLL_SECONDS)
        for runner in runners:
            runner.wake()
        # Every commit hints; what comes within a moment is written as one page.
        stop.wait(_GATHER_SECONDS)
    for runner in runners:
        runner.wake()
    for thread in threads:
        thread.join()
    hints.close()
    log.info("projector stopped")


def main() -> None:
    """Run the projector until SIGTERM or SIGINT."""
    settings = Settings()
    configure_logs(settings, part="projector")
    settle()
    serve_metrics(settings)
    run(settings, stop_on_signals())


if __name__ == "__main__":
    main()
