"""Whether a part is ready: each look is quick, says nothing but yes or no, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg

from domain.errors import SignerUnavailable
from infra.postgres import connect
from infra.signing.client import AgentSigner

_HTTP_SECONDS = 2.0
_SESSION = "SELECT 1 FROM pg_stat_activity WHERE application_name = ANY(%s)"

Look = Callable[[], bool]


def answers(url: str) -> Look:
    """Look whether a GET on the address is answered with 200."""

    def look() -> bool:
        try:
            return httpx.get(url, timeout=_HTTP_SECONDS, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    return look


def signs(socket_path: Path) -> Look:
    """Look whether the signing agent answers."""

    def look() -> bool:
        with AgentSigner(socket_path, timeout_seconds=_HTTP_SECONDS) as agent:
            try:
                agent.health()
            except SignerUnavailable:
                return False
            return True

    return look


def is_connected(dsn: str, *sessions: str) -> Look:
    """Look whether the database has a session of one of these names: what a part without an address has."""

    def look() -> bool:
        try:
            with connect(dsn, name="fiscal up") as connection:
                return connection.execute(_SESSION, [list(sessions)]).fetchone() is not None
        except psycopg.OperationalError:
            return False

    return look
