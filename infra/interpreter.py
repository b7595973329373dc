"""How the interpreter is set for processes that live long and make many short-lived objects."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 50_000
_YOUNG_ROUNDS = 20
_MIDDLE_ROUNDS = 50


def settle() -> None:
    """Take what is loaded by now out of garbage collection, and collect less often from now on.

    Call it once, after the imports. As it comes, the collector looks through every object of the program again and
    again while pages of events are decoded: a third of a projection's CPU. What is garbage is mostly freed by its
    reference count at once; cycles now wait a little longer, which costs a few megabytes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _YOUNG_ROUNDS, _MIDDLE_ROUNDS)
