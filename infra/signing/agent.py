"""The signing agent: the one process that holds opened keys.

``python -m infra.signing.agent``, or ``fiscal signer``. Like ssh-agent it listens on a unix socket (mode 0600) in a private folder (mode 0700) and answers processes of
its own user only. Private keys never leave it: requests carry content, answers carry signatures.
Its memory is kept out of core dumps and away from debuggers. Killed at any moment it can be
started again: a lock on its folder, which dies with it, tells a stale socket from a live one.
"""

import argparse
import contextlib
import ctypes
import fcntl
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

import structlog

from domain.errors import KeyUnknown
from infra.settings import Settings
from infra.signing.agent_wire import (
    MAX_BODY,
    Connection,
    WireError,
    description_to_json,
)
from infra.signing.development import DevelopmentKeyStore, Holder, KeyPurpose
from infra.signing.errors import KeyStoreError
from infra.signing.local_signer import LocalSigner
from infra.telemetry import configure_logs

MAX_CONNECTIONS: Final = 256
DEVELOPMENT_KEYS_FOLDER: Final = "development-keys"
"""Where development keys lie within the data folder."""
STOP_SECONDS: Final = 5.0
"""How long a stopping agent waits for the requests in hand."""

_PR_SET_DUMPABLE: Final = 4

log = structlog.get_logger(__name__)

Answer = tuple[dict[str, Any], bytes]


class AgentRunningError(Exception):
    """Another agent serves this socket."""


class SigningAgent:
    """Serves a key store on a unix socket, one thread a connection."""

    def __init__(
        self, *, socket_path: Path, keys: DevelopmentKeyStore, user_id: int | None = None
    ) -> None:
        """Listen on ``socket_path``; a socket file that nobody serves any more is replaced.

        Only processes of ``user_id`` are served, by default those of the agent's own user.

        Raises: AgentRunningError, KeyStoreError when the folder is open to others, OSError.
        """
        self._path = socket_path
        self._keys = keys
        self._user_id = os.geteuid() if user_id is None else user_id
        self._signer = LocalSigner(keys)
        self._connections: dict[Connection, threading.Thread] = {}
        self._connections_lock = threading.Lock()
        self._folder_lock = _lock_folder(socket_path)
        try:
            self._listener = _listen(socket_path)
        except OSError:
            os.close(self._folder_lock)
            raise
        self._wake_read, self._wake_write = os.pipe()
        self._closed = False

    def serve(self) -> None:
        """Accept connections until ``stop`` is called from another thread or a signal handler."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake_read, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._wake_read in ready:
                    return
                peer, _ = self._listener.accept()
                self._take(peer)

    def stop(self) -> None:
        """Make ``serve`` return. Safe in a signal handler."""
        os.write(self._wake_write, b"s")

    def close(self) -> None:
        """Let requests in hand finish, remove the socket, release the folder."""
        if self._closed:
            return
        self._closed = True
        self._listener.close()
        with self._connections_lock:
            connections = list(self._connections.items())
        for connection, _ in connections:
            # The thread that waits for a request sees the end; one that works still answers.
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RD)
        for _, thread in connections:
            thread.join(timeout=STOP_SECONDS)
        self._path.unlink(missing_ok=True)
        for descriptor in (self._wake_read, self._wake_write, self._folder_lock):
            os.close(descriptor)

    def _take(self, peer: socket.socket) -> None:
        """Start a thread for a client, or turn it away."""
        with self._connections_lock:
            full = len(self._connections) >= MAX_CONNECTIONS
        if full or peer_uid(peer) != self._user_id:
            log.warning("connection refused", reason="too many" if full else "another user")
            peer.close()
            return
        connection = Connection(peer, max_body=MAX_BODY)
        thread = threading.Thread(
            target=self._serve_connection, args=(connection,), name="signing-client", daemon=True
        )
        with self._connections_lock:
            self._connections[connection] = thread
        thread.start()

    def _serve_connection(self, connection: Connection) -> None:
        try:
            while (request := connection.receive()) is not None:
                connection.send(*self._answer(*request))
        except WireError as error:
            log.warning("connection dropped", reason=str(error))
        except OSError as error:
            log.info("client went away", reason=error.strerror)
        finally:
            with self._connections_lock:
                del self._connections[connection]
            connection.close()

    def _answer(self, header: dict[str, Any], body: bytes) -> Answer:
        try:
            match header:
                case {"op": "sign", "key_id": str(key_id)}:
                    return {}, self._signer.sign(key_id=key_id, content=body)
                case {"op": "describe", "key_id": str(key_id)}:
                    return description_to_json(self._signer.describe(key_id=key_id)), b""
                case {"op": "list"}:
                    keys = [description_to_json(key) for key in self._signer.list_keys()]
                    return {"keys": keys}, b""
                case {"op": "health"}:
                    return {"pid": os.getpid(), "keys": len(self._keys.key_ids())}, b""
                case {
                    "op": "ensure-development-key",
                    "key_id": str(key_id),
                    "holder": dict(holder),
                }:
                    return self._ensure(key_id, holder, header.get("purpose")), b""
                case _:
                    return {"error": "bad-request", "detail": "unknown operation"}, b""
        except KeyUnknown as error:
            return {"error": "key-unknown", "detail": error.key_id}, b""
        except KeyStoreError as error:
            return {"error": "key-store", "detail": str(error)}, b""

    def _ensure(self, key_id: str, holder: dict[str, Any], purpose: object) -> dict[str, Any]:
        try:
            who, what = Holder(**holder), KeyPurpose(str(purpose))
        except (TypeError, ValueError) as error:
            raise KeyStoreError(f"unusable holder or purpose: {error}") from error
        return description_to_json(self._keys.ensure(key_id, who, purpose=what).description)


def peer_uid(peer: socket.socket) -> int:
    """User id of the process at the other end of a unix socket."""
    if sys.platform == "linux":
        credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", credentials)[1])
    else:
        # SOL_LOCAL, LOCAL_PEERCRED: struct xucred { u_int version; uid_t uid; … } on macOS.
        return int(struct.unpack_from("II", peer.getsockopt(0, 1, 76))[1])


def _lock_folder(socket_path: Path) -> int:
    """A lock that tells whether an agent lives; the system releases it with the process."""
    folder = socket_path.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = folder.stat()
    if state.st_uid != os.geteuid() or state.st_mode & 0o077:
        raise KeyStoreError(f"{folder} must belong to this user and be closed to others (0700)")
    descriptor = os.open(f"{socket_path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AgentRunningError(f"a signing agent already serves {socket_path}") from None
    return descriptor


def _listen(socket_path: Path) -> socket.socket:
    socket_path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(socket_path))
        socket_path.chmod(0o600)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def protect_memory() -> None:
    """Keep this process's memory out of core dumps and away from debuggers of the same user.

    Raises: OSError where the system refuses.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE) failed")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the agent until SIGTERM or SIGINT; 0 when stopped so, 1 when it could not start."""
    parser = argparse.ArgumentParser(
        prog="fiscal signer",
        description="The signing agent: holds opened keys and signs for processes of its own user.",
    )
    parser.add_argument("--socket", type=Path, help="unix socket (FISCAL_SIGNER_SOCKET)")
    parser.add_argument("--keys", type=Path, help="development keys (in FISCAL_DATA_DIR)")
    options = parser.parse_args(arguments)
    settings = Settings()
    configure_logs(settings, part="signer")
    socket_path = (options.socket or settings.signer_socket).absolute()
    keys_folder = (options.keys or settings.data_dir / DEVELOPMENT_KEYS_FOLDER).absolute()
    try:
        protect_memory()
        keys = DevelopmentKeyStore(keys_folder)
        agent = SigningAgent(socket_path=socket_path, keys=keys)
    except (AgentRunningError, KeyStoreError, OSError) as error:
        log.error("signing agent cannot start", reason=str(error))  # noqa: TRY400 - no traceback
        return 1

    def on_signal(number: int, _frame: FrameType | None) -> None:
        log.info("signing agent stops", signal=signal.Signals(number).name)
        agent.stop()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    log.info("signing agent runs", socket=str(socket_path))
    try:
        agent.serve()
    finally:
        agent.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
