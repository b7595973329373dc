"""A TCP server that does exactly what a script says, one step for each connection or request.

It reads requests as far as the step asks, so that a test decides where on the way the exchange ends: before the
connection, before the request, in the middle of its body, after it, in the middle of the answer.
"""

import contextlib
import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

Step = Callable[[socket.socket, "ScriptedServer"], None]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as read from the socket; `body` is as sent, perhaps compressed."""

    head: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def target(self) -> str:
        return self.head.split(" ")[1]

    @property
    def content(self) -> bytes:
        """The body, unpacked."""
        return gzip.decompress(self.body) if self.headers.get("content-encoding") else self.body

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class ScriptedServer:
    """Serves 127.0.0.1; each request takes the next step, the last one repeats.

    `hung_up` counts the connections that `raw_answer` has closed.
    """

    steps: tuple[Step, ...] = ()
    requests: list[Request] = field(default_factory=list)
    hung_up: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._taken = 0
        self._open: list[socket.socket] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        # Closing alone does not wake a thread that waits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._thread.join(timeout=5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/fs"

    @property
    def last(self) -> Request:
        return self.requests[-1]

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than the server lives."""
        self._stopping.wait(seconds)

    def next_step(self) -> Step:
        step = self.steps[min(self._taken, len(self.steps) - 1)]
        self._taken += 1
        return step

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # A client that hangs up in the middle is what many scripts are about.
        with contextlib.suppress(OSError, EOFError):
            while not self._stopping.is_set():
                connection.recv(1, socket.MSG_PEEK)
                self.next_step()(connection, self)


def read_request(connection: socket.socket) -> Request:
    """Read one whole request. Raises: EOFError when the client is gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _received(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    while len(body) < int(headers.get("content-length", "0")):
        body += _received(connection)
    return Request(head=first, headers=headers, body=body)


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise EOFError
    return data


def _reset(connection: socket.socket) -> None:
    """Close so that the client sees a reset, not an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _response(status: int, body: bytes, headers: Mapping[str, str]) -> bytes:
    fields = {"Content-Length": str(len(body)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Scripted\r\n{lines}\r\n".encode("latin-1") + body


# --- steps ----------------------------------------------------------------------------------------


def answer(
    body: bytes = b"", *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Step:
    """Read the request, answer it, keep the connection."""

    def step(connection: socket.socket, server: ScriptedServer) -> None:
        server.requests.append(read_request(connection))
        connection.sendall(_response(status, body, headers or {}))

    return step


def answer_json(fields: Mapping[str, Any], *, status: int = 200, echo_uid: bool = True) -> Step:
    """Read a command, answer with JSON and the command's own UID."""

    def step(connection: socket.socket, server: ScriptedServer) -> None:
        request = read_request(connection)
        server.requests.append(request)
        uid = _uid_in(request.content) if echo_uid else None
        body = json.dumps({"UID": uid, **fields}).encode()
        connection.sendall(_response(status, body, {"Content-Type": "application/json"}))

    return step


def _uid_in(content: bytes) -> str:
    """The UID of a command, which may stand inside a signed message."""
    _, _, rest = content.partition(b'"UID": "')
    return rest[:36].decode("ascii")


def reset_before_reading() -> Step:
    """Reset without having read a byte."""

    def step(connection: socket.socket, server: ScriptedServer) -> None:
        _reset(connection)
        raise EOFError

    return step


def reset_after_reading() -> Step:
    """Take the whole request, then reset: the answer is lost."""

    def step(connection: socket.socket, server: ScriptedServer) -> None:
        server.requests.append(read_request(connection))
        _reset(connection)
        raise EOFError

    return step


def close_after_reading() -> Step:
    """Take the whole request, then close in order without an answer."""

    def step(connection: socket.socket, server: ScriptedServer) -> None:
        server.requests.append(read_request(connection))
        connection.close()
        raise EOFError

    return step


def stall(seconds: float) -> Step:
    """Take the whole request, then say nothing."""

    def step(connection: socket.socket, server: ScriptedServer) -> None:
        server.requests.append(read_request(connection))
        server.pause(seconds)
        raise EOFError

    return step


def trickle(body: bytes, *, pause_seconds: float) -> Step:
    """Answer one byte at a time."""

    def step(connection: socket.socket, server: ScriptedServer) -> None:
        server.requests.append(read_request(connection))
        whole = _response(200, body, {})
        head = whole[: len(whole) - len(body)]
        connection.sendall(head)
        for position in range(len(body)):
            connection.sendall(body[position : position + 1])
            server.pause(pause_seconds)

    return step


def half_answer(body: bytes) -> Step:
    """Promise the whole answer, send half of it, close."""

    def step(connection: socket.socket, server: ScriptedServer) -> None:
        server.requests.append(read_request(connection))
        whole = _response(200, body, {})
        connection.sendall(whole[: len(whole) - len(body) // 2])
        connection.close()
        raise EOFError

    return step


def raw_answer(data: bytes) -> Step:
    """Read the request, send these bytes, close."""

    def step(connection: socket.socket, server: ScriptedServer) -> None:
        server.requests.append(read_request(connection))
        connection.sendall(data)
        connection.close()
        server.hung_up.release()
        raise EOFError

    return step


def talk_without_tls() -> Step:
    """Send plain text at once, to a client that begins a TLS handshake."""

    def step(connection: socket.socket, server: ScriptedServer) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        connection.close()
        raise EOFError

    return step


@contextlib.contextmanager
def refused_address() -> Iterator[str]:
    """An address where nobody listens: it is bound, so that nobody else takes it meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/fs"


@contextlib.contextmanager
def unanswered_address() -> Iterator[str]:
    """An address whose queue of connections is full: a new one is neither taken nor refused."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(listener.getsockname())
            waiting.append(client)
        time.sleep(0.05)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/fs"
        finally:
            for client in waiting:
                client.close()
