"""Requests to the fiscal server: when one counts as sent, how long to wait, the server's clock.

Whether anything was sent decides what happens to a receipt: what never left may be sent again, what may have
arrived must be asked for first. So it is not guessed from the kind of failure: the HTTP library reports when it
begins to write the request's body, and from then on the outcome is unknown. Without its body a request cannot
be processed.
"""

from __future__ import annotations

import gzip
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import httpx

from domain.clock import Clock
from domain.errors import Unreachable

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""A longer answer is not read to its end; lists of a busy month stay far below."""

_HALF_SECOND = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back, whatever it means."""

    status: int
    body: bytes


class Carrier(Protocol):
    """Carries requests to the server and its answers back."""

    @property
    def skew_seconds(self) -> float | None:
        """The server's clock minus ours, to about a second; None before the first answer."""
        ...

    def post(self, path: str, body: bytes, *, content_type: str) -> HttpAnswer:
        """Send a request and return the answer, whatever its status. Raises: Unreachable."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


class _Sending:
    """Notes when the first byte of the request's body is about to be written."""

    def __init__(self) -> None:
        self.began = False

    def __call__(self, event: str, info: dict[str, Any]) -> None:
        # A proxy's CONNECT is traced as well and carries nothing of ours.
        if event.endswith(".send_request_body.started") and info["request"].method == b"POST":
            self.began = True


class Transport:
    """Posts to the server; safe to share between threads, each of which gets its own connection.

    `skew_seconds` is the server's clock minus ours as the last answer's Date showed it, None before the first;
    it is exact to about a second. `on_skew` is called with each measurement, in the thread that made it.
    """

    def __init__(
        self,
        base_url: str,
        *,
        clock: Clock,
        connect_timeout_seconds: float,
        answer_timeout_seconds: float,
        gzip_requests: bool = False,
        tls: ssl.SSLContext | None = None,
        proxy: str | None = None,
        on_skew: Callable[[float], None] | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._clock = clock
        self._connect_timeout = connect_timeout_seconds
        self._answer_timeout = answer_timeout_seconds
        self._gzip_requests = gzip_requests
        # One context for all threads: loading the authorities takes tens of milliseconds.
        self._tls = tls if tls is not None else httpx.create_ssl_context()
        self._proxy = proxy
        self._on_skew = on_skew
        self._local = threading.local()
        self._clients: list[httpx.Client] = []
        self._lock = threading.Lock()
        self._skew_seconds: float | None = None

    @property
    def skew_seconds(self) -> float | None:
        """The server's clock minus ours, to about a second; None before the first answer."""
        return self._skew_seconds

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for client in self._clients:
                client.close()
            self._clients.clear()
            self._local = threading.local()

    def post(self, path: str, body: bytes, *, content_type: str) -> HttpAnswer:
        """Send a request and return the answer, whatever its status.

        Raises: Unreachable; `sent` is True from the moment the body began to be written.
        """
        headers = {"Content-Type": content_type}
        if self._gzip_requests:
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body, mtime=0)
        sending = _Sending()
        try:
            return self._exchange(self._base_url + path, body, headers=headers, sending=sending)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(reason=self._reason(error), sent=sending.began) from error

    def _exchange(
        self, url: str, body: bytes, *, headers: dict[str, str], sending: _Sending
    ) -> HttpAnswer:
        started = self._clock.now()
        deadline = time.monotonic() + self._connect_timeout + self._answer_timeout
        request = self._client().stream(
            "POST", url, content=body, headers=headers, extensions={"trace": sending}
        )
        with request as response:
            self._measure_skew(response.headers.get("Date"), since=started)
            answer = bytearray()
            for chunk in response.iter_bytes():
                answer += chunk
                # The library bounds each read; an answer that trickles must be bounded as a whole.
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer was not complete", request=response.request)
                if len(answer) > MAX_ANSWER_BYTES:
                    raise httpx.DecodingError(
                        f"an answer of more than {MAX_ANSWER_BYTES} bytes", request=response.request
                    )
            return HttpAnswer(status=response.status_code, body=bytes(answer))

    def _client(self) -> httpx.Client:
        client: httpx.Client | None = getattr(self._local, "client", None)
        if client is None:
            client = httpx.Client(
                timeout=httpx.Timeout(self._answer_timeout, connect=self._connect_timeout),
                verify=self._tls,
                proxy=self._proxy,
                trust_env=False,
                follow_redirects=False,
            )
            self._local.client = client
            with self._lock:
                self._clients.append(client)
        return client

    def _measure_skew(self, header: str | None, *, since: datetime) -> None:
        """Compare the server's Date with the middle of the exchange; Date is cut to whole seconds."""
        if header is None:
            return
        try:
            server_time = parsedate_to_datetime(header)
        except ValueError:
            return  # A malformed date says nothing about the clock; the answer itself is judged elsewhere.
        if server_time.tzinfo is None:
            return
        now = self._clock.now()
        middle = since + (now - since) / 2
        skew = (server_time + _HALF_SECOND - middle).total_seconds()
        self._skew_seconds = skew
        if self._on_skew is not None:
            self._on_skew(skew)

    def _reason(self, error: httpx.HTTPError | httpx.InvalidURL) -> str:
        if isinstance(error, httpx.ConnectTimeout):
            return f"no connection within {self._connect_timeout:g} s"
        if isinstance(error, httpx.ReadTimeout):
            return f"no complete answer within {self._answer_timeout:g} s"
        return str(error) or type(error).__name__
