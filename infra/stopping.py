"""Being told to stop by a signal, without a deadlock.

A signal's handler runs in the main thread between any two of its steps. `Event.set()` in it waits for ever when the step
before was inside `Event.wait()`, which holds the same lock for a moment. So a handler only puts the news into a queue whose
`put` may interrupt itself, and a thread of its own acts on it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue

TOLD_TO_STOP = (signal.SIGTERM, signal.SIGINT)


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set from now on, as long as the process lives."""
    stop = threading.Event()
    _listen(TOLD_TO_STOP, stop.set)
    return stop


@contextmanager
def hearing(numbers: Sequence[signal.Signals], act: Callable[[], None]) -> Iterator[None]:
    """Call `act` for each such signal, in a thread of its own; afterwards the handlers are those of before."""
    before = [signal.getsignal(number) for number in numbers]
    news, thread = _listen(numbers, act)
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        news.put(False)
        thread.join()


def _listen(
    numbers: Sequence[signal.Signals], act: Callable[[], None]
) -> tuple[SimpleQueue[bool], threading.Thread]:
    news: SimpleQueue[bool] = SimpleQueue()

    def listen() -> None:
        while news.get():
            act()

    thread = threading.Thread(target=listen, name="signals", daemon=True)
    thread.start()
    for number in numbers:
        signal.signal(number, lambda *_: news.put(True))
    return news, thread
