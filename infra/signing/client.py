"""The signing agent's client: the ``Signer`` port over a unix socket."""

import os
import socket
from collections import deque
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from domain.errors import KeyUnknown, SignerUnavailable
from domain.ports import KeyDescription
from infra.signing.agent_wire import (
    MAX_ANSWER_BODY,
    MAX_BODY,
    Connection,
    WireError,
    description_from_json,
)
from infra.signing.development import Holder, KeyPurpose
from infra.signing.errors import KeyStoreError

_MAX_IDLE: Final = 64


class AgentSigner:
    """Signs through the agent.

    Safe to share between threads and across a fork: connections are kept between calls, each
    serves one call at a time, and a thread takes the one used last or opens another. A connection
    that turns out to be dead (the agent was restarted) is replaced once per call, which is safe
    because a signature that was not received has no effect.
    """

    def __init__(self, socket_path: Path, *, timeout_seconds: float = 5.0) -> None:
        """Nothing is opened yet; ``timeout_seconds`` bounds every wait for the agent."""
        self._path = socket_path.absolute()
        self._timeout_seconds = timeout_seconds
        self._idle: deque[Connection] = deque()
        self._pid = os.getpid()

    def __enter__(self) -> "AgentSigner":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are not in use."""
        while self._idle:
            self._idle.pop().close()

    def sign(self, *, key_id: str, content: bytes) -> bytes:
        """A CMS SignedData around ``content``, without a time-stamp.

        Raises: SignerUnavailable, KeyUnknown; ValueError for content above 1 MiB.
        """
        if len(content) > MAX_BODY:
            raise ValueError(f"content of {len(content)} bytes is more than {MAX_BODY}")
        _, signed = self._ask({"op": "sign", "key_id": key_id}, content)
        return signed

    def describe(self, *, key_id: str) -> KeyDescription:
        """What is public about a key. Raises: SignerUnavailable, KeyUnknown."""
        header, _ = self._ask({"op": "describe", "key_id": key_id})
        return description_from_json(header)

    def list_keys(self) -> tuple[KeyDescription, ...]:
        """What is public about every key the agent has. Raises: SignerUnavailable."""
        header, _ = self._ask({"op": "list"})
        return tuple(description_from_json(key) for key in header["keys"])

    def health(self) -> dict[str, Any]:
        """The agent's process id (``pid``) and number of keys (``keys``).

        Raises: SignerUnavailable.
        """
        header, _ = self._ask({"op": "health"})
        return header

    def ensure_development_key(
        self, key_id: str, holder: Holder, *, purpose: KeyPurpose = KeyPurpose.DOCUMENTS
    ) -> KeyDescription:
        """The development key of this name, created by the agent if there is none.

        Raises: SignerUnavailable; KeyStoreError for an unusable name or another holder's key.
        """
        header, _ = self._ask(
            {
                "op": "ensure-development-key",
                "key_id": key_id,
                "holder": asdict(holder),
                "purpose": purpose.value,
            }
        )
        return description_from_json(header)

    def _ask(self, header: dict[str, Any], body: bytes = b"") -> tuple[dict[str, Any], bytes]:
        """One request and its answer."""
        if self._pid != os.getpid():
            # After a fork both processes would read one stream; the child opens its own.
            self.close()
            self._pid = os.getpid()
        try:
            answer, received = self._exchange(header, body)
        except (OSError, WireError) as error:
            raise SignerUnavailable(what="signing agent", reason=_reason(error)) from error
        match answer.get("error"):
            case None:
                return answer, received
            case "key-unknown":
                raise KeyUnknown(key_id=str(header["key_id"]))
            case "key-store":
                raise KeyStoreError(str(answer["detail"]))
            case name:
                raise SignerUnavailable(what="signing agent", reason=f"it answered {name}")

    def _exchange(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Over a kept connection, or, when that one is dead, over a new one."""
        try:
            kept = self._idle.pop()
        except IndexError:
            return self._over(self._connect(), header, body)
        try:
            return self._over(kept, header, body)
        except TimeoutError:
            raise
        except (OSError, WireError):
            # The others belong to the same dead agent.
            self.close()
        return self._over(self._connect(), header, body)

    def _over(
        self, connection: Connection, header: dict[str, Any], body: bytes
    ) -> tuple[dict[str, Any], bytes]:
        try:
            connection.send(header, body)
            answer = connection.receive()
            if answer is None:
                raise WireError("the connection was closed")
        except (OSError, WireError):
            connection.close()
            raise
        if len(self._idle) < _MAX_IDLE:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def _connect(self) -> Connection:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            peer.settimeout(self._timeout_seconds)
            peer.connect(str(self._path))
        except OSError:
            peer.close()
            raise
        return Connection(peer, max_body=MAX_ANSWER_BODY)


def _reason(error: OSError | WireError) -> str:
    """What happened, in a few words and without a path."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error)
