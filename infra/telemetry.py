"""Logs and metrics, the same in every part.

Logs are JSON lines on standard error with UTC times; they carry ids, codes and figures, never names of buyers, keys
or passwords. Metrics are Prometheus counters that each part keeps and shows on its own address.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping

import structlog
from prometheus_client import Counter, Gauge, Histogram, start_http_server

from infra.settings import Settings

DOCUMENTS = Counter(
    "fiscal_documents_total", "Documents by what became of an attempt.", ["outcome"]
)
LANE_PAUSES = Counter("fiscal_lane_pauses_total", "Lanes given back without progress.", ["cause"])
SUBMISSION_SECONDS = Histogram(
    "fiscal_submission_seconds",
    "From the begun attempt to the recorded outcome.",
    buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 30),
)
CLOCK_SKEW_SECONDS = Gauge(
    "fiscal_clock_skew_seconds", "The tax service's clock minus ours, as its last answer told."
)
CONFLICTS = Counter(
    "fiscal_conflicts_total", "Commits refused because another process moved the stream first."
)
ALARMS_DELIVERED = Counter("fiscal_alarms_delivered_total", "Alarms handed to the operator.")


def configure_logs(settings: Settings, *, part: str) -> None:
    """Send this process's logs to standard error; every line names the part."""
    level = logging.getLevelNamesMapping()[settings.log_level]

    def name_part(
        _logger: object, _method: str, line: MutableMapping[str, object]
    ) -> MutableMapping[str, object]:
        line["part"] = part
        return line

    shared: list[structlog.typing.Processor] = [
        name_part,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    end: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if settings.log_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                # The formatter it would choose shows local variables, and passwords may be among them.
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    )
    structlog.configure(
        processors=[*shared, *end],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # What libraries say through the standard library has the same form: whoever reads JSON lines reads all of them.
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *end],
        )
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[libraries])


def serve_metrics(settings: Settings) -> None:
    """Show this process's metrics on 127.0.0.1, if a port is set."""
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr="127.0.0.1")
