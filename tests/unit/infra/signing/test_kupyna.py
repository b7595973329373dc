"""Kupyna and its KMAC against published answers, and compiled code against Python."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.signing import kupyna
from infra.signing.native import NativeHashes

FOX = b"The quick brown fox jumps over the lazy dog"
DIGESTS = {
    b"": "cd5101d1ccdf0d1d1f4ada56e888cd724ca1a0838a3521e7131d4fb78d0f5eb6",
    FOX: "996899f2d7422ceaf552475036b2dc120607eff538abf2b8dff471a98a4740c6",
}


def published(sample_keys: Path, name: str) -> list[tuple[bytes, str]]:
    document = json.loads((sample_keys / "uacrypt-vectors" / name).read_text())
    return [
        (bytes.fromhex(case["message_hex"]), case["hash_hex"].lower()) for case in document["cases"]
    ]


class TestDigest:
    @pytest.mark.parametrize(("message", "expected"), DIGESTS.items())
    def test_short_messages_have_the_published_answer(self, message: bytes, expected: str) -> None:
        assert kupyna.digest_in_python(message).hex() == expected

    @pytest.mark.parametrize(("name", "bits"), [("kupyna-256.json", 256), ("kupyna-512.json", 512)])
    def test_the_examples_of_the_standard_hold(
        self, name: str, bits: int, sample_keys: Path, compiled_hashes: NativeHashes
    ) -> None:
        cases = published(sample_keys, name)
        assert len(cases) >= 3
        for message, expected in cases:
            assert kupyna.digest_in_python(message, bits=bits).hex() == expected
            assert compiled_hashes.kupyna(message, octets=bits // 8).hex() == expected

    def test_other_sizes_are_refused(self) -> None:
        with pytest.raises(ValueError, match="256, 384 and 512"):
            kupyna.digest(b"", bits=224)


class TestKmac:
    def test_the_published_code_holds(self, sample_keys: Path) -> None:
        document = json.loads((sample_keys / "uacrypt-vectors" / "kmac-256.json").read_text())
        (case,) = document["cases"]
        code = kupyna.kmac(bytes.fromhex(case["key_hex"]), bytes.fromhex(case["message_hex"]))
        assert code.hex() == case["mac_hex"].lower()

    def test_a_key_of_another_length_is_refused(self) -> None:
        with pytest.raises(ValueError, match="as long as the code"):
            kupyna.kmac(bytes(31), b"")

    def test_a_password_longer_than_a_key_is_cut_off(self) -> None:
        long = kupyna.pbkdf2(bytes(range(40)), salt=b"salt", iterations=2)
        assert long == kupyna.pbkdf2(bytes(range(32)), salt=b"salt", iterations=2)


class TestBothBackEnds:
    @given(message=st.binary(max_size=300), bits=st.sampled_from([256, 384, 512]))
    def test_digests_are_equal(
        self, message: bytes, bits: int, compiled_hashes: NativeHashes
    ) -> None:
        expected = kupyna.digest_in_python(message, bits=bits)
        assert compiled_hashes.kupyna(message, octets=bits // 8) == expected

    @given(message=st.binary(max_size=80), times=st.integers(1, 4))
    def test_repeated_digests_are_equal(
        self, message: bytes, times: int, compiled_hashes: NativeHashes
    ) -> None:
        expected = kupyna.repeat_in_python(message, times=times)
        assert compiled_hashes.kupyna_repeat(message, octets=32, times=times) == expected

    @given(
        password=st.binary(max_size=40), salt=st.binary(max_size=40), iterations=st.integers(1, 4)
    )
    def test_derived_keys_are_equal(
        self,
        password: bytes,
        salt: bytes,
        iterations: int,
        compiled_hashes: NativeHashes,
    ) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("infra.signing.native.hashes", lambda: compiled_hashes)
            compiled = kupyna.pbkdf2(password, salt=salt, iterations=iterations)
        expected = kupyna.pbkdf2_in_python(password, salt=salt, iterations=iterations)
        assert compiled == expected

    @pytest.mark.usefixtures("without_compiled_hashes")
    def test_without_compiled_code_python_stands_in(self) -> None:
        assert kupyna.digest(FOX).hex() == DIGESTS[FOX]
        assert kupyna.repeat(FOX, times=1).hex() == DIGESTS[FOX]
        expected = kupyna.pbkdf2_in_python(b"password", salt=b"salt", iterations=2)
        assert kupyna.pbkdf2(b"password", salt=b"salt", iterations=2) == expected
