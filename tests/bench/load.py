"""The load generator: a process of its own that keeps many connections busy at little cost.

`python -m tests.bench.load` reads a plan as JSON from its standard input, runs it, and writes what it saw. It speaks
just enough HTTP/1.1 for answers with a Content-Length, so that on two cores it is not what is measured.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import cast
from urllib.parse import urlsplit

import uvloop

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Load:
    """What to ask: `count` requests over `connections`; the n-th goes to the n-th path, round and round.

    With `key` each request carries the idempotency key `KEY-n`. `body` is sent with every request.
    """

    url: str
    paths: Sequence[str]
    count: int
    connections: int
    method: str = "GET"
    body: str = ""
    token: str = ""
    key: str = ""
    prefer: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of it: answers by status, seconds from the first request to the last answer, times of answers.

    `repeated` counts requests that were sent again because a conflict asked for it.
    """

    seconds: float
    statuses: dict[str, int]
    median_ms: float
    slowest_ms: float
    problems: list[str]
    repeated: int

    @property
    def rate(self) -> float:
        """Answers per second."""
        return sum(self.statuses.values()) / self.seconds

    def only(self, *statuses: int) -> Seen:
        """Return itself when every answer had one of these statuses. Raises: AssertionError."""
        wanted = {str(status) for status in statuses}
        assert set(self.statuses) <= wanted, f"{self.statuses} {self.problems}"
        return self


def run(load: Load) -> Seen:
    """Run a load in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        input=json.dumps(asdict(load)).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return Seen(**json.loads(done.stdout))


class _Requests:
    """Makes the requests, one after another, and keeps what was seen."""

    def __init__(self, load: Load) -> None:
        address = urlsplit(load.url)
        common = [f"Host: {address.netloc}"]
        if load.token:
            common.append(f"Authorization: Bearer {load.token}")
        if load.prefer:
            common.append(f"Prefer: {load.prefer}")
        if load.body:
            common.append("Content-Type: application/json")
        self._load = load
        self._body = load.body.encode()
        if self._body or load.method == "POST":
            common.append(f"Content-Length: {len(self._body)}")
        self._head = "\r\n".join(common)
        self._next = 0
        self.left = load.count
        self.repeated = 0
        self.statuses: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.problems: list[str] = []

    def take(self) -> bytes | None:
        """Return the next request; None when all are made."""
        number = self._next
        if number >= self._load.count:
            return None
        self._next += 1
        load = self._load
        key = f"Idempotency-Key: {load.key}-{number}\r\n" if load.key else ""
        path = load.paths[number % len(load.paths)]
        head = f"{load.method} {path} HTTP/1.1\r\n{self._head}\r\n{key}\r\n"
        return head.encode() + self._body

    def answered(self, status: str, seconds: float, body: bytes) -> None:
        """Take note of an answer."""
        self.left -= 1
        self.statuses[status] += 1
        self.seconds.append(seconds)
        if status[0] not in "2" and len(self.problems) < 3:
            self.problems.append(body.decode(errors="replace")[:300])


class _Connection(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, requests: _Requests, done: asyncio.Future[None]) -> None:
        self._requests = requests
        self._done = done
        self._received = b""
        self._sent_at = 0.0
        self._asked: bytes | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The loop's own class, which does not inherit from asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def ask(self) -> None:
        """Send the next request, or say that there is none."""
        request = self._requests.take()
        if request is None:
            self._done.set_result(None)
            return
        assert self._transport is not None
        self._sent_at = time.perf_counter()
        self._asked = request
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(_HEAD_END)
        if not found:
            return
        at = head.lower().find(_LENGTH)
        assert at >= 0, "an answer without Content-Length"
        length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        self._received = b""
        status = head[9:12].decode()
        if status == "409" and b'"retryable":true' in rest and self._asked is not None:
            # As a client does that was told so: the same request under the same key.
            self._requests.repeated += 1
            assert self._transport is not None
            self._transport.write(self._asked)
            return
        self._requests.answered(status, time.perf_counter() - self._sent_at, rest)
        self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server closed the connection"))


async def _run(load: Load) -> Seen:
    requests = _Requests(load)
    loop = asyncio.get_running_loop()
    host, port = urlsplit(load.url).netloc.rsplit(":", 1)
    waits = [loop.create_future() for _ in range(load.connections)]
    connections = [
        (
            await loop.create_connection(
                lambda done=done: _Connection(requests, done),  # type: ignore[misc]
                host,
                int(port),
            )
        )[1]
        for done in waits
    ]
    started = time.perf_counter()
    for connection in connections:
        connection.ask()
    await asyncio.gather(*waits)
    seconds = time.perf_counter() - started
    times = sorted(requests.seconds)
    return Seen(
        seconds=seconds,
        statuses=dict(requests.statuses),
        median_ms=1000 * times[len(times) // 2],
        slowest_ms=1000 * times[-1],
        problems=requests.problems,
        repeated=requests.repeated,
    )


def main() -> None:
    """Read the plan, run it, write what was seen."""
    seen = uvloop.run(_run(Load(**json.load(sys.stdin))))
    json.dump(asdict(seen), sys.stdout)


if __name__ == "__main__":
    main()
