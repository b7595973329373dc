"""Whoever compressed, anything that reads zlib reads it."""

import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.event_store import compression


@given(st.binary(max_size=5_000) | st.text(max_size=3_000).map(str.encode))
def test_zlib_reads_what_was_compressed(data: bytes) -> None:
    assert zlib.decompress(compression.compress(data)) == data
    assert zlib.decompress(compression.compress_by_zlib(data)) == data


def test_what_repeats_becomes_short() -> None:
    data = b'<ROW ROWNUM="1"><NAME>Bread</NAME></ROW>' * 50
    assert len(compression.compress(data)) < len(data) / 10


def test_without_isa_l_zlib_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "isal", None)
    assert compression._quickest() is compression.compress_by_zlib
