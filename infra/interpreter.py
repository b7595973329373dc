"""How a process is set that lives long, makes many short-lived objects and keeps many connections."""

from __future__ import annotations

import gc
import resource

_NEW_OBJECTS = 50_000
_YOUNG_ROUNDS = 20
_MIDDLE_ROUNDS = 50
_MOST_FILES = 10_240


def settle() -> None:
    """Take what is loaded by now out of garbage collection, and collect less often from now on.

    Call it once, after the imports. As it comes, the collector looks through every object of the program again and
    again while pages of events are decoded: a third of a projection's CPU. What is garbage is mostly freed by its
    reference count at once; cycles now wait a little longer, which costs a few megabytes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _YOUNG_ROUNDS, _MIDDLE_ROUNDS)


def allow_open_files() -> None:
    """Let this process open as many files as the system lets it, instead of the 1,024 most systems begin with.

    Each held call keeps a connection open; out of files, the API could not even be asked for its health.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        # Without a hard limit there is still one of the kernel's own.
        most = hard if hard != resource.RLIM_INFINITY else _MOST_FILES
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
