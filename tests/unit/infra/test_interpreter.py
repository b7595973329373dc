"""The garbage collector of long-lived processes."""

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
