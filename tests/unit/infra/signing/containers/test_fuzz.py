"""Whatever is done to a key file, opening it gives keys or a `KeyFileError`, in bounded time."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.signing import gost28147, gost34311
from infra.signing.containers import KeyContainer, open_container
from infra.signing.containers.errors import KeyFileError
from infra.signing.containers.iit import _read
from tests.unit.infra.signing.containers.test_samples import SAMPLES, Sample

pytestmark = pytest.mark.usefixtures("with_compiled_hashes")

# The costliest file allowed takes about a second of hashing; the rest is for a busy machine.
TIME_LIMIT_SECONDS = 20


@st.composite
def mutations(draw: st.DrawFn, data: bytes) -> bytes:
    """The data with a few octets changed, left out, put in, repeated or cut off."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(changed) - 1, 0)))
        kind = draw(st.sampled_from(["change", "bit", "remove", "insert", "repeat", "cut"]))
        if kind == "change":
            changed[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
        elif kind == "bit" and changed:
            changed[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "remove":
            del changed[at : at + draw(st.integers(1, 16))]
        elif kind == "insert":
            changed[at:at] = draw(st.binary(min_size=1, max_size=16))
        elif kind == "repeat":
            changed[at:at] = changed[at : at + draw(st.integers(1, 64))]
        else:
            del changed[at:]
    return bytes(changed)


def outcome(data: bytes, password: str) -> KeyContainer | KeyFileError:
    try:
        return open_container(data, password)
    except KeyFileError as error:
        return error


def opens_or_is_refused(data: bytes, password: str) -> None:
    started = time.perf_counter()
    result = outcome(data, password)
    assert time.perf_counter() - started < TIME_LIMIT_SECONDS
    if isinstance(result, KeyContainer):
        assert result.keys
    else:
        assert result.code.startswith("key-file-")
        assert str(result)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.path)
@given(data=st.data())
def test_a_mutated_sample_opens_or_is_refused(
    sample: Sample, data: st.DataObject, sample_keys: Path
) -> None:

    original = (sample_keys / sample.path).read_bytes()
    opens_or_is_refused(data.draw(mutations(original)), sample.password)


@given(data=st.data())
def test_a_mutated_text_under_the_right_protection_opens_or_is_refused(
    data: st.DataObject, sample_keys: Path
) -> None:
    """What attackers or bugs of other programs could put inside an intact container."""
    container = (sample_keys / "prozorro-robot/ubiz_Key-6.dat").read_bytes()
    _, pad, body = _read(container)
    key = gost34311.repeat(b"12345677", times=10_000)
    text = gost28147.ecb_decrypt(body + pad, key)[: len(body)]
    opens_or_is_refused(data.draw(mutations(text)), "")


@settings(max_examples=200)
@given(data=st.binary(max_size=300))
def test_any_octets_are_refused(data: bytes) -> None:
    for prefix in (b"", b"0", b"0\x80", bytes.fromhex("feedfeed00000002"), b"-----BEGIN X-----\n"):
        opens_or_is_refused(prefix + data, "password")


@given(password=st.text(max_size=40))
def test_any_password_opens_or_is_refused(password: str, sample_keys: Path) -> None:
    for sample in SAMPLES:
        opens_or_is_refused((sample_keys / sample.path).read_bytes(), password)
