"""A wire between the program and PostgreSQL that breaks where a test wants it to."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

COMMITTED = b"COMMIT\0"
"""The server's word that a transaction is committed."""


class PostgresProxy:
    """Passes bytes between a unix socket of its own and the server's, until they contain what it is told to look for.

    `lose_answer(word)`: the answer with that word never arrives, the connection ends; the first `skip` of them do
    arrive. `lose_request(word)`: neither does the request. Each works once. `away` refuses every connection while
    it is set.
    """

    def __init__(self, dsn: str, folder: Path) -> None:
        given = conninfo_to_dict(dsn)
        self._server = f"{given['host']}/.s.PGSQL.{given['port']}"
        self.dsn = make_conninfo(dsn, host=str(folder))
        self.away = threading.Event()
        self.strikes = 0
        self._lost_answer: bytes | None = None
        self._skip = 0
        self._lost_request: bytes | None = None
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / f".s.PGSQL.{given['port']}"))
        self._listener.listen()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()
        for pair in self._pairs:
            for end in pair:
                end.close()

    def lose_answer(self, word: bytes, *, skip: int = 0) -> None:
        self._skip = skip
        self._lost_answer = word

    def lose_request(self, word: bytes) -> None:
        self._lost_request = word

    def cut(self) -> None:
        """End all connections."""
        for pair in self._pairs:
            _end(*pair)

    def _start(self, work: object, *arguments: object) -> None:
        assert callable(work)
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.away.is_set():
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            self._pairs.append((client, server))
            self._start(self._pass_requests, client, server)
            self._start(self._pass_answers, client, server)

    def _pass_requests(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                if self._lost_request is not None and self._lost_request in data:
                    self._lost_request = None
                    self.strikes += 1
                    break
                server.sendall(data)
        _end(client, server)

    def _pass_answers(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                if self._lost_answer is not None and self._lost_answer in data:
                    if not self._skip:
                        self._lost_answer = None
                        self.strikes += 1
                        break
                    self._skip -= 1
                client.sendall(data)
        _end(client, server)


def _end(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
