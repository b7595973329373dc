"""The garbage collector and the open files of long-lived processes."""

import gc
import subprocess
import sys

SCRIPT = """
import gc
from infra.interpreter import settle
settle()
assert gc.isenabled()
assert gc.get_freeze_count() > 1_000, "what was imported is left out of collections"
class Knot:
    pass
for _ in range(100_000):
    one, other = Knot(), Knot()
    one.other, other.one = other, one
del one, other
left = sum(type(each) is Knot for each in gc.get_objects())
assert left < 60_000, f"cycles are still collected, {left} are left"
"""


def test_what_is_loaded_is_frozen_and_cycles_are_still_collected() -> None:
    # In a process of its own: freezing cannot be undone for part of the objects.
    assert gc.get_freeze_count() == 0
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)


FILES_SCRIPT = """
import resource
from infra.interpreter import allow_open_files
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
hard = 4_000 if hard == resource.RLIM_INFINITY else min(hard, 4_000)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
for _ in range(2):
    allow_open_files()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
"""


def test_a_process_may_open_as_many_files_as_the_system_lets_it() -> None:
    subprocess.run([sys.executable, "-c", FILES_SCRIPT], check=True)
