"""`python -m api`: serves the API in this process until told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from types import FrameType

import psycopg
import structlog
import uvicorn
from pydantic import ValidationError

from api.app import begin_to_stop, create_app
from api.assembly import opened_parts
from api.dependencies import Parts
from domain.errors import FiscalError
from infra.interpreter import allow_open_files, settle
from infra.settings import Settings
from infra.telemetry import configure_logs

_log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    """Lets held calls and event streams go as soon as a signal comes; uvicorn would wait for them."""

    def __init__(self, config: uvicorn.Config, parts: Parts) -> None:
        super().__init__(config)
        self._parts = parts
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)  # type: ignore[arg-type]
        for server in self.servers:
            for socket in server.sockets:
                host, port = socket.getsockname()[:2]
                _log.info("listening", host=host, port=port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # uvicorn's own would raise the signal again after a clean stop, and whoever watches sees a crash.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(begin_to_stop, self._parts)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then answer what is under way and return. Raises: as `opened_parts`."""
    with opened_parts(settings) as parts:
        config = uvicorn.Config(
            create_app(settings, parts),
            host=settings.api_host,
            port=settings.api_port,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=int(settings.stop_within_seconds),
            backlog=4096,
        )
        _Server(config, parts).run()


def main() -> int:
    """Return 0 after a clean stop, 1 when the process could not start."""
    try:
        settings = Settings()
    except ValidationError as error:
        # Without the values, which may be secrets.
        for wrong in error.errors(include_input=False, include_url=False):
            name = "_".join(str(part) for part in wrong["loc"]).upper()
            sys.stderr.write(f"FISCAL_{name}: {wrong['msg']}\n")
        return 1
    configure_logs(settings, part="api")
    settle()
    allow_open_files()
    try:
        serve(settings)
    except (FiscalError, psycopg.Error, OSError) as error:
        _log.error("cannot-start", reason=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
