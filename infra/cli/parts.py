"""The parts of the program: what each is called, and how it is run."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn


@dataclass(frozen=True, slots=True)
class Part:
    """A part with its module for `python -m`, and the function that the module runs."""

    name: str
    module: str
    entry: str

    def command(self, arguments: Sequence[str] = ()) -> list[str]:
        """Return the command that runs this part.

        `-P` keeps the folder it is started in off the import path: a folder called `api` there must not be taken
        for ours.
        """
        return [sys.executable, "-P", "-m", self.module, *arguments]


API = Part("api", "api", "api.__main__:main")
WORKER = Part("worker", "workers", "workers.main:main")
PROJECTOR = Part("projector", "workers.projector", "workers.projector:main")
SIGNER = Part("signer", "infra.signing.agent", "infra.signing.agent:main")
SIMULATOR = Part("simulator", "infra.simulator", "infra.simulator.__main__:main")
DATABASE = Part("database", "infra.cli.database", "infra.cli.database:main")
PROJECTIONS = Part("projections", "projections", "projections.__main__:main")


def become(part: Part, arguments: Sequence[str]) -> NoReturn:
    """Go on as this part, in the same process: signals and the exit status are its own."""
    command = part.command(arguments)
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted
