"""POST requests over connections that stay open, one for each thread.

They go through httpx's transport and not its client: no redirects, no cookies and no proxies of the environment are
wanted here, and a worker that sends two requests with every document feels what they cost. A pool shared by many
threads would look through all its connections under one lock for every request.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx

_HEADERS = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "User-Agent": "fiscal-ledger"}


@dataclass(frozen=True, slots=True)
class Posted:
    """An answer, whatever its status."""

    status: int
    headers: httpx.Headers
    body: bytes


class Poster:
    """Posts and reads whole answers; safe to share between threads."""

    def __init__(
        self,
        *,
        connect_timeout_seconds: float,
        answer_timeout_seconds: float,
        most_answer_bytes: int,
        tls: ssl.SSLContext | None = None,
        proxy: str | None = None,
    ) -> None:
        self._most_bytes = most_answer_bytes
        self._most_seconds = connect_timeout_seconds + answer_timeout_seconds
        self._timeout = httpx.Timeout(answer_timeout_seconds, connect=connect_timeout_seconds)
        # One context for all threads: loading the authorities takes tens of milliseconds.
        self._tls = tls if tls is not None else httpx.create_ssl_context(trust_env=False)
        self._proxy = proxy
        self._local = threading.local()
        self._transports: list[httpx.HTTPTransport] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for transport in self._transports:
                transport.close()
            self._transports.clear()
            self._local = threading.local()

    def post(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str],
        extensions: Mapping[str, Any] | None = None,
    ) -> Posted:
        """Send a request and return the answer, whatever its status. Raises: httpx.HTTPError, httpx.InvalidURL."""
        deadline = time.monotonic() + self._most_seconds
        request = httpx.Request(
            "POST",
            _parsed(url),
            headers={**_HEADERS, **headers},
            content=body,
            extensions={"timeout": self._timeout.as_dict(), **(extensions or {})},
        )
        with closing(self._transport().handle_request(request)) as response:
            response.request = request
            answer = bytearray()
            for chunk in response.iter_bytes():
                answer += chunk
                # The library bounds each read; an answer that trickles must be bounded as a whole.
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer was not complete", request=request)
                if len(answer) > self._most_bytes:
                    raise httpx.DecodingError(
                        f"an answer of more than {self._most_bytes} bytes", request=request
                    )
            return Posted(response.status_code, response.headers, bytes(answer))

    def _transport(self) -> httpx.HTTPTransport:
        transport: httpx.HTTPTransport | None = getattr(self._local, "transport", None)
        if transport is None:
            transport = httpx.HTTPTransport(verify=self._tls, proxy=self._proxy, trust_env=False)
            self._local.transport = transport
            with self._lock:
                self._transports.append(transport)
        return transport


@lru_cache(256)
def _parsed(url: str) -> httpx.URL:
    return httpx.URL(url)
