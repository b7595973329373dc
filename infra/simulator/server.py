"""Running the simulator: uvicorn with a protocol that lets go of its transport.

With a second port for the administrator the public port really closes while the service is cut off,
so that clients meet "connection refused". With one port they meet a reset.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Callable
from typing import Final, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from infra.simulator.app import TRANSPORT_KEY, AsgiApp, create_app
from infra.simulator.simulator import Simulator

_WATCH_SECONDS: Final = 0.05
_STOP_SECONDS: Final = 1
_KEEP_ALIVE_SECONDS: Final = 75
_START_SECONDS: Final = 20


def _nothing() -> None:
    """Nobody wants to know."""


class AbortableProtocol(HttpToolsProtocol):
    """Puts the connection's transport into the scope, for faults that reset connections."""

    def on_message_begin(self) -> None:
        """Begin a request as usual and hand the transport over."""
        super().on_message_begin()
        cast("dict[str, object]", self.scope)[TRANSPORT_KEY] = self.transport


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()


class SimulatorServer:
    """The simulator on a port, and its administrator on the same or on one of its own.

    Port 0 takes a free one; ``port`` and ``admin_port`` tell which once it runs.
    """

    def __init__(
        self,
        simulator: Simulator,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        admin_port: int | None = None,
        admin_from_anywhere: bool = False,
    ) -> None:
        self._simulator = simulator
        self._host = host
        self._has_own_admin = admin_port is not None
        self._admin_from_anywhere = admin_from_anywhere
        self._public = _bound(host, port)
        self.port: int = self._public.getsockname()[1]
        self._admin = _bound(host, admin_port) if admin_port is not None else self._public
        self.admin_port: int = self._admin.getsockname()[1]
        self._server: uvicorn.Server | None = None

    @property
    def base_url(self) -> str:
        """Address under which ``/fs/doc`` and ``/tsa`` are found."""
        return f"http://{self._host}:{self.port}"

    @property
    def admin_url(self) -> str:
        """Address under which ``/admin`` is found."""
        return f"http://{self._host}:{self.admin_port}"

    async def serve(self, *, on_started: Callable[[], None] = _nothing) -> None:
        """Run until ``stop`` is called or the process is told to end.

        ``on_started`` is called once it listens.
        """
        app = create_app(
            self._simulator,
            with_admin=True,
            admin_from_anywhere=self._admin_from_anywhere,
        )
        self._server = _Server(_config(app), on_started)
        async with self._public_listener() if self._has_own_admin else contextlib.nullcontext():
            await self._server.serve(sockets=[self._admin])

    def stop(self) -> None:
        """Ask a running server to end; safe from other threads."""
        if self._server is not None:
            self._server.should_exit = True

    @contextlib.asynccontextmanager
    async def _public_listener(self) -> AsyncIterator[None]:
        """Listen on the public port while the service is not cut off."""
        config = _config(create_app(self._simulator, with_admin=False))
        config.load()
        listener = _PublicListener(config, self._host, self._public)
        await listener.open()
        watcher = asyncio.create_task(self._watch(listener))
        try:
            yield
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
            listener.close()

    async def _watch(self, listener: "_PublicListener") -> None:
        while True:
            if self._simulator.faults.is_cut_off:
                listener.close()
            else:
                await listener.open()
            await asyncio.sleep(_WATCH_SECONDS)


class _PublicListener:
    def __init__(self, config: uvicorn.Config, host: str, first: socket.socket) -> None:
        self._config = config
        self._host = host
        self._port: int = first.getsockname()[1]
        self._next: socket.socket | None = first
        self._state = ServerState()
        self._listener: asyncio.Server | None = None

    async def open(self) -> None:
        if self._listener is not None:
            return
        sock = self._next or _bound(self._host, self._port)
        self._next = None
        self._listener = await asyncio.get_running_loop().create_server(self._protocol, sock=sock)

    def close(self) -> None:
        if self._listener is None:
            return
        self._listener.close()
        self._listener = None
        for connection in list(self._state.connections):
            if isinstance(connection, AbortableProtocol):
                connection.transport.abort()

    def _protocol(self) -> asyncio.Protocol:
        return AbortableProtocol(
            config=self._config, server_state=self._state, app_state={}, _loop=None
        )


class BackgroundServer:
    """A ``SimulatorServer`` in a thread of its own, for tests and demos in one process."""

    def __init__(self, server: SimulatorServer) -> None:
        self.server = server
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)

    def __enter__(self) -> SimulatorServer:
        self._thread.start()
        if not self._started.wait(_START_SECONDS):
            raise TimeoutError("the simulator did not start")
        return self.server

    def __exit__(self, *_: object) -> None:
        self.server.stop()
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self.server.serve(on_started=self._started.set))


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only where the protocol is named: without it 40 ms a reply.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def _config(app: AsgiApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=AbortableProtocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
