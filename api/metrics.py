"""What an API process counts, in Prometheus' text form; a registry of its own, so that tests do not meet."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from infra.telemetry import CONFLICTS

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
)


class Metrics:
    """Counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.registry.register(CONFLICTS)
        self._requests = Counter(
            "fiscal_http_requests",
            "Requests answered, by endpoint and status.",
            ["endpoint", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "fiscal_http_request_seconds",
            "Time from a request to its answer, held calls included.",
            ["endpoint"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._receipts = Counter(
            "fiscal_receipts_issued",
            "Receipts issued, by the state they were answered with.",
            ["state"],
            registry=self.registry,
        )
        self.held_calls = Gauge(
            "fiscal_held_calls", "Calls held by `Prefer: wait`.", registry=self.registry
        )
        self._streams = Gauge("fiscal_event_streams", "Open event streams.", registry=self.registry)
        self.open_streams = 0
        self._known: dict[str, tuple[Histogram, dict[int, Counter]]] = {}

    def answered(self, endpoint: str, *, status: int, seconds: float) -> None:
        """Count one request."""
        known = self._known.get(endpoint)
        if known is None:
            known = self._known[endpoint] = (self._seconds.labels(endpoint), {})
        histogram, counters = known
        histogram.observe(seconds)
        counter = counters.get(status)
        if counter is None:
            counter = counters[status] = self._requests.labels(endpoint, str(status))
        counter.inc()

    def answered_receipt(self, state: str) -> None:
        """Count one receipt by the state it was answered with."""
        self._receipts.labels(state).inc()

    def stream_opened(self) -> None:
        """Count an event stream in."""
        self.open_streams += 1
        self._streams.set(self.open_streams)

    def stream_closed(self) -> None:
        """Count an event stream out."""
        self.open_streams -= 1
        self._streams.set(self.open_streams)

    def text(self) -> bytes:
        """Return everything as Prometheus reads it."""
        return generate_latest(self.registry)
