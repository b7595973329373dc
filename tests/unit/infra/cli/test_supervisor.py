"""Child processes: begun on a word, started again when they die, gone when nobody watches."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.cli import supervisor
from infra.cli.parts import Part
from infra.cli.supervisor import Child, Order, ending, pause_after

PROGRAM = """
import signal, sys, threading
from pathlib import Path

from infra.stopping import stop_on_signals

here = Path(sys.argv[1])
with here.joinpath("loaded").open("a") as file:
    file.write("x")

def main():
    stop = stop_on_signals()
    with here.joinpath("begun").open("a") as file:
        file.write("x")
    stop.wait()
    here.joinpath("finished").touch()

def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    here.joinpath("begun").touch()
    threading.Event().wait()
"""


def comes(claim: Callable[[], bool], *, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if claim():
            return True
        time.sleep(0.02)
    return False


class Stage:
    """A folder with a small part that says in files what it does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        (folder / "small_part.py").write_text(PROGRAM.replace("sys.argv[1]", repr(str(folder))))

    def child(self, function: str = "main", *, stop_seconds: float = 20) -> Child:
        order = Order(
            part=Part("small", "small_part", f"small_part:{function}"),
            environment={**os.environ, "PYTHONPATH": str(self.folder)},
            log=self.folder / "small.log",
            stop_seconds=stop_seconds,
        )
        return Child(order, tell=self.told.append, spawned=lambda: None)

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def child(stage: Stage) -> Iterator[Child]:
    child = stage.child()
    child.start()
    yield child
    child.ask_to_stop()
    assert child.wait_until_stopped(lambda: False)


class TestChild:
    def test_part_loads_at_once_and_begins_on_the_word(self, stage: Stage, child: Child) -> None:
        assert comes(lambda: stage.has("loaded"))
        assert not stage.has("begun")

        child.go()

        assert comes(lambda: stage.has("begun"))

    def test_killed_part_is_started_again_and_begins_by_itself(
        self, stage: Stage, child: Child
    ) -> None:
        child.go()
        # The file alone may be there before the part has written to it.
        assert comes(lambda: stage.has("begun") and (stage.folder / "begun").read_text() == "x")
        first = child.pid
        assert first is not None

        os.kill(first, signal.SIGKILL)

        assert comes(lambda: (stage.folder / "begun").read_text() == "xx")
        assert child.pid != first
        assert stage.told == ["small was ended by SIGKILL; it starts again in 0.5 s"]
        assert child.failures == 1

    def test_part_that_is_asked_to_stop_finishes_and_stays_away(self, stage: Stage) -> None:
        child = stage.child()
        child.start()
        child.go()
        assert comes(lambda: stage.has("begun"))

        child.ask_to_stop()

        assert child.wait_until_stopped(lambda: False)
        assert stage.has("finished")
        assert (child.pid, stage.told) == (None, [])

    def test_part_that_does_not_stop_is_killed(self, stage: Stage) -> None:
        child = stage.child("stubborn", stop_seconds=0.2)
        child.start()
        child.go()
        assert comes(lambda: stage.has("begun"))

        child.ask_to_stop()

        assert not child.wait_until_stopped(lambda: False)
        assert child.pid is None

    def test_hurry_does_not_wait(self, stage: Stage) -> None:
        child = stage.child("stubborn", stop_seconds=600)
        child.start()
        child.go()
        assert comes(lambda: stage.has("begun"))
        child.ask_to_stop()

        assert not child.wait_until_stopped(lambda: True)

    def test_part_that_cannot_load_says_why_in_its_log(self, stage: Stage) -> None:
        child = stage.child("absent")
        child.start()
        try:
            assert comes(lambda: child.failures >= 1)
            assert "has no attribute 'absent'" in (stage.folder / "small.log").read_text()
        finally:
            child.ask_to_stop()
            assert child.wait_until_stopped(lambda: False)

    def test_part_ends_when_its_supervisor_is_killed(self, stage: Stage) -> None:
        program = (
            "import sys, time; from pathlib import Path;"
            "from tests.unit.infra.cli.test_supervisor import Stage;"
            "stage = Stage(Path(sys.argv[1])); child = stage.child(); child.start(); child.go();"
            "time.sleep(600)"
        )
        supervising = subprocess.Popen(
            [sys.executable, "-c", program, str(stage.folder)], cwd=Path(__file__).parents[4]
        )
        assert comes(lambda: stage.has("begun"))

        supervising.kill()
        supervising.wait()

        assert comes(lambda: stage.has("finished"))


class TestPauses:
    def test_pauses_double_up_to_the_longest(self) -> None:
        pauses = [pause_after(failures) for failures in (1, 2, 3, 10, 10_000)]

        assert pauses == [0.5, 1.0, 2.0, 30.0, 30.0]

    def test_part_that_ran_steadily_starts_again_after_the_first_pause(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(supervisor, "STEADY_SECONDS", 0.0)
        monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.01)
        child = stage.child("absent")
        child.start()
        try:
            assert comes(lambda: len(stage.told) >= 3)
            assert child.failures == 1
        finally:
            child.ask_to_stop()
            assert child.wait_until_stopped(lambda: False)


class TestEnding:
    def test_ending_is_told_in_words(self) -> None:
        assert ending(-9) == "was ended by SIGKILL"
        assert ending(1) == "ended with status 1"


def test_no_thread_is_left() -> None:
    keepers = [each.name for each in threading.enumerate() if each.name.startswith("keeper of")]

    assert keepers == []
