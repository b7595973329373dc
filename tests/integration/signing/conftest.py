"""A signing agent in a process of its own, in a folder whose path is short enough for a socket."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.signing.client import AgentSigner
from tests.support.signing_agent import AgentProcess


@pytest.fixture
def short_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="fl-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def shared_agent() -> Iterator[AgentProcess]:
    """One agent for tests that leave it running."""
    folder = Path(tempfile.mkdtemp(prefix="fl-"))
    with AgentProcess(folder) as agent:
        yield agent
    shutil.rmtree(folder)


@pytest.fixture
def agent(short_folder: Path) -> Iterator[AgentProcess]:
    """An agent of this test's own, to be killed and restarted."""
    with AgentProcess(short_folder) as agent:
        yield agent


@pytest.fixture
def client(agent: AgentProcess) -> Iterator[AgentSigner]:
    with AgentSigner(agent.socket_path) as signer:
        yield signer
