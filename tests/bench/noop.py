"""The reference of all that is asked over HTTP: a bare endpoint without identity or body, served as the API is."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from fastapi import FastAPI

from tests.support.deployment import free_ports

PATH = "/noop"
_START_SECONDS = 60.0

app = FastAPI()


@app.get(PATH)
async def noop() -> dict[str, str]:
    """Answer at once."""
    return {"status": "ok"}


@contextmanager
def serving() -> Iterator[str]:
    """Serve the endpoint in a process of its own; give its base address."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([sys.executable, "-m", "tests.bench.noop", str(port)]) as process:
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not _answers(url):
                assert process.poll() is None, "the bare endpoint did not start"
                assert time.monotonic() < deadline, "the bare endpoint did not start in time"
                time.sleep(0.05)
            yield url
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}{PATH}", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def main() -> None:
    """Serve on the port given."""
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=4096,
    )


if __name__ == "__main__":
    main()
