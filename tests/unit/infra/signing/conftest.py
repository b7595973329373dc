"""What tests of signatures ask for: the sample keys and the compiled hashes."""

from pathlib import Path

import pytest

from infra.signing import build, native
from infra.signing.native import NativeHashes


@pytest.fixture(scope="session")
def sample_keys(shared_folder: Path) -> Path:
    """The folder of public sample keys, certificates and messages."""
    return shared_folder / "testdata" / "keys"


@pytest.fixture(scope="session")
def compiled_hashes() -> NativeHashes:
    """The compiled hashes, built now if they were not yet."""
    try:
        path = build.build()
    except build.BuildFailed as failure:
        pytest.skip(f"the compiled hashes cannot be built: {failure}")
    return NativeHashes(path)


@pytest.fixture
def with_compiled_hashes(compiled_hashes: NativeHashes, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has the compiled hashes, as after `python -m infra.signing.build`."""
    monkeypatch.setattr(native, "hashes", lambda: compiled_hashes)


@pytest.fixture
def without_compiled_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has no compiled hashes, as on a machine without a compiler."""
    monkeypatch.setattr(native, "hashes", lambda: None)
