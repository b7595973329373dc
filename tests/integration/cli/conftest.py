"""One `fiscal up --demo` for the tests of a class."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fiscal_up import FiscalUp


@pytest.fixture(scope="class")
def up() -> Iterator[FiscalUp]:
    # A short path, as people have; pytest's own would put sockets elsewhere.
    folder = Path(tempfile.mkdtemp(prefix="up-"))
    running = FiscalUp(folder / "data")
    try:
        running.start()
        yield running
    finally:
        running.close()
        shutil.rmtree(folder)
