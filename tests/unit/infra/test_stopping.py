"""A signal stops a process whatever its main thread is doing."""

import signal
import subprocess
import sys
import textwrap
import threading
import time

from infra.stopping import hearing


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own; one that hangs fails by time."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_signal_between_two_steps_of_a_wait_stops_it_all_the_same() -> None:
    # The lock is the one that `Event.wait` and `Event.set` hold; a handler that set the event would never return.
    ended = run("""
        import signal
        from infra.stopping import stop_on_signals

        stop = stop_on_signals()
        with vars(stop)["_cond"]:
            signal.raise_signal(signal.SIGTERM)
        print(stop.wait(20))
    """)

    assert (ended.stdout, ended.stderr, ended.returncode) == ("True\n", "", 0)


def test_main_thread_that_waits_without_end_is_woken() -> None:
    ended = run("""
        import os, signal, threading
        from infra.stopping import stop_on_signals

        stop = stop_on_signals()
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
        stop.wait()
        print("stopped")
    """)

    assert (ended.stdout, ended.stderr, ended.returncode) == ("stopped\n", "", 0)


def test_each_signal_is_acted_on_and_afterwards_handlers_are_those_of_before() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    heard: list[str] = []

    with hearing([signal.SIGUSR1], lambda: heard.append(threading.current_thread().name)):
        signal.raise_signal(signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR1)
        deadline = time.monotonic() + 10
        while len(heard) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)

    assert heard == ["signals", "signals"]
    assert signal.getsignal(signal.SIGUSR1) is before
