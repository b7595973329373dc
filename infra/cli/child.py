"""One part below `fiscal up`: `python -m infra.cli.child LINK ENTRY [ARGUMENTS…]`.

The part is imported at once, so that all parts load while the database starts, and begins when a byte comes through
the link, a socket to `fiscal up`. When the link closes, `fiscal up` is no more, however it died, and this process
ends itself as if told to: nothing is left running. (A signal at the parent's death would do on Linux only, and at the
death of the parent's thread already.)
"""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable

GO = b"g"
STOP_SECONDS = 90.0
"""After so long without `fiscal up` the process does not wait for its part any more."""


def main() -> None:
    """Load the part, wait for the word, run it."""
    number, entry, *arguments = sys.argv[1:]
    link = socket.socket(fileno=int(number))
    run = load(entry)
    if link.recv(1) != GO:
        return
    threading.Thread(target=_watch, args=(link,), name="link to fiscal up", daemon=True).start()
    sys.argv = [entry, *arguments]
    sys.exit(run())


def load(entry: str) -> Callable[[], int | None]:
    """Return the function of a part's entry, `module:function`. Raises: ImportError, AttributeError."""
    module, _, function = entry.partition(":")
    found: Callable[[], int | None] = getattr(importlib.import_module(module), function)
    return found


def _watch(link: socket.socket) -> None:
    while link.recv(1):
        pass
    main_thread = threading.main_thread().ident
    assert main_thread is not None
    # To the main thread: only there Python runs the handler, and only there it interrupts a wait.
    signal.pthread_kill(main_thread, signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
