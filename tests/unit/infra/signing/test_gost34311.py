"""GOST 34.311-95 against published answers, and compiled code against Python."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.signing import gost34311
from infra.signing.native import NativeHashes

FOX = b"The quick brown fox jumps over the lazy dog"
SALT = bytes.fromhex("31a58dc1462981189cf6c701e276c7553a5ab5f6e36d8418e4aa40c930cf3876")

DIGESTS = {
    b"": "da37bdf41145e39e34111775b40646e8059c2e969c1460bb98abccb26f0f76a5",
    b"123123": "34d4da2c04e9c1ceb933282069c864617d94ed7cc5c0a9840c0c1a99629df637",
    b"12345678901234567890123456789011": (
        "7686f3f4b113aadc97bca9ea054f41821f0676c5c28ffb987e41797a568e1ed4"
    ),
    bytes(range(32)): "811cb06a8ee423182d9cc9d281f783908f4cfbaf47a68be8415d3499674a3063",
    FOX: "0f1355130b4a820a1e4e3f6474f6bdecc718a4a73345595edc1c1809832b2333",
    bytes.fromhex("ad26f436f0b627880038727d22e02c97d081ef85260fc96718395091ce224dd7"): (
        "02d7e8a3c111788bb1b8a489c5e330288728f1c308c2cec08e09265bfa395599"
    ),
}
DERIVED_KEYS = {
    1: "b1d0fba9e976971b3f0eb3db1d574f972a862d68f67eadaa7ca9161b76f368da",
    2: "4616a2cbfd39ab3e10ca60dbe194b311226461a964d69a536262924642c776ea",
}
DERIVED_AFTER_10000 = "c4e7f788e60c731a2cfedd300af67bd2ee9458532a793e5280ae7f8c1e562e44"
REPEATED_10000 = "3709d09a3574045a52ee9ac65d6277282e065abc597ab0330bd275446230b6a6"


@pytest.mark.parametrize(("message", "expected"), DIGESTS.items())
class TestDigest:
    def test_python_gives_the_published_answer(self, message: bytes, expected: str) -> None:
        assert gost34311.digest_in_python(message).hex() == expected

    def test_compiled_code_gives_the_published_answer(
        self, message: bytes, expected: str, compiled_hashes: NativeHashes
    ) -> None:
        assert compiled_hashes.gost34311(message).hex() == expected


class TestKeyDerivation:
    @pytest.mark.parametrize(("iterations", "expected"), DERIVED_KEYS.items())
    def test_python_gives_the_published_keys(self, iterations: int, expected: str) -> None:
        key = gost34311.pbkdf2_in_python(b"password", salt=SALT, iterations=iterations)
        assert key.hex() == expected

    @pytest.mark.parametrize(
        ("iterations", "expected"), [*DERIVED_KEYS.items(), (10_000, DERIVED_AFTER_10000)]
    )
    @pytest.mark.usefixtures("with_compiled_hashes")
    def test_compiled_code_gives_the_published_keys(self, iterations: int, expected: str) -> None:
        key = gost34311.pbkdf2(b"password", salt=SALT, iterations=iterations)
        assert key.hex() == expected

    @pytest.mark.usefixtures("with_compiled_hashes")
    def test_compiled_repetition_gives_the_published_key(self) -> None:
        assert gost34311.repeat(b"123123", times=10_000).hex() == REPEATED_10000

    @pytest.mark.usefixtures("without_compiled_hashes")
    def test_without_compiled_code_python_stands_in(self) -> None:
        assert gost34311.digest(FOX).hex() == DIGESTS[FOX]
        assert gost34311.repeat(b"123123", times=1).hex() == DIGESTS[b"123123"]
        key = gost34311.pbkdf2(b"password", salt=SALT, iterations=2)
        assert key.hex() == DERIVED_KEYS[2]

    def test_a_long_hmac_key_counts_as_its_digest(self) -> None:
        long_key = bytes(range(40))
        assert gost34311.hmac(long_key, FOX) == gost34311.hmac(gost34311.digest(long_key), FOX)


class TestBothBackEnds:
    @given(message=st.binary(max_size=200))
    def test_digests_are_equal(self, message: bytes, compiled_hashes: NativeHashes) -> None:
        assert compiled_hashes.gost34311(message) == gost34311.digest_in_python(message)

    @given(message=st.binary(max_size=80), times=st.integers(1, 5))
    def test_repeated_digests_are_equal(
        self, message: bytes, times: int, compiled_hashes: NativeHashes
    ) -> None:
        expected = gost34311.repeat_in_python(message, times=times)
        assert compiled_hashes.gost34311_repeat(message, times=times) == expected

    @given(
        password=st.binary(max_size=70), salt=st.binary(max_size=40), iterations=st.integers(1, 4)
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
            compiled = gost34311.pbkdf2(password, salt=salt, iterations=iterations)
        expected = gost34311.pbkdf2_in_python(password, salt=salt, iterations=iterations)
        assert compiled == expected
