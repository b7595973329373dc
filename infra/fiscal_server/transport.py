"""Requests to the fiscal server: when one counts as sent, how long to wait, the server's clock.

Whether anything was sent decides what happens to a receipt: what never left may be sent again, what may have
arrived must be asked for first. So it is not guessed from the kind of failure: the HTTP library reports when it
begins to write the request's body, and from then on the outcome is unknown. Without its body a request cannot
be processed.
"""

from __future__ import annotations

import gzip
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import httpx

from domain.clock import Clock
from domain.errors import Unreachable
from infra.posting import Poster

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
        self._on_skew = on_skew
        self._poster = Poster(
            connect_timeout_seconds=connect_timeout_seconds,
            answer_timeout_seconds=answer_timeout_seconds,
            most_answer_bytes=MAX_ANSWER_BYTES,
            tls=tls,
            proxy=proxy,
        )
        self._skew_seconds: float | None = None

    @property
    def skew_seconds(self) -> float | None:
        """The server's clock minus ours, to about a second; None before the first answer."""
        return self._skew_seconds

    def close(self) -> None:
        """Close the connections of all threads."""
        self._poster.close()

    def post(self, path: str, body: bytes, *, content_type: str) -> HttpAnswer:
        """Send a request and return the answer, whatever its status.

        Raises: Unreachable; `sent` is True from the moment the body began to be written.
        """
        headers = {"Content-Type": content_type}
        if self._gzip_requests:
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body, mtime=0)
        sending = _Sending()
        started = self._clock.now()
        try:
            answer = self._poster.post(
                self._base_url + path, body, headers=headers, extensions={"trace": sending}
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(reason=self._reason(error), sent=sending.began) from error
        self._measure_skew(answer.headers.get("Date"), since=started)
        return HttpAnswer(status=answer.status, body=answer.body)

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
