"""Kalyna-256/256 against the standard's examples, and CBC as key files use it."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.signing import kalyna

KEY = bytes(range(32))
PLAIN = bytes(range(32, 64))
ENCRYPTED = "f66e3d570ec92135aedae323dcbd2a8ca03963ec206a0d5a88385c24617fd92c"


class TestBlock:
    def test_encryption_follows_the_standard(self) -> None:
        assert kalyna.encrypt_block(PLAIN, KEY).hex() == ENCRYPTED

    def test_decryption_follows_the_standard(self) -> None:
        key = bytes(reversed(range(32)))
        encrypted = bytes(reversed(range(32, 64)))
        expected = "7fc5237896674e8603c1e9b03f8b4ba3ab5b7c592c3fc3d361edd12586b20fe3"
        assert kalyna.decrypt_block(encrypted, key).hex() == expected

    @given(block=st.binary(min_size=32, max_size=32), key=st.binary(min_size=32, max_size=32))
    def test_decryption_undoes_encryption(self, block: bytes, key: bytes) -> None:
        assert kalyna.decrypt_block(kalyna.encrypt_block(block, key), key) == block


class TestChaining:
    @given(text=st.binary(max_size=100), iv=st.binary(min_size=32, max_size=32))
    def test_decryption_undoes_encryption(self, text: bytes, iv: bytes) -> None:
        encrypted = kalyna.cbc_encrypt(text, KEY, iv=iv)
        assert len(encrypted) == len(text) + 32 - len(text) % 32
        assert kalyna.cbc_decrypt(encrypted, KEY, iv=iv) == text

    def test_the_first_block_depends_on_the_initialisation_vector(self) -> None:
        iv = bytes([1]) + bytes(31)
        encrypted = kalyna.cbc_encrypt(bytes(32), KEY, iv=iv)
        assert encrypted[:32] == kalyna.encrypt_block(iv, KEY)

    def test_wrong_padding_is_refused(self) -> None:
        encrypted = kalyna.cbc_encrypt(b"text", KEY, iv=bytes(32))
        with pytest.raises(kalyna.KalynaError, match="padding"):
            kalyna.cbc_decrypt(encrypted, bytes(32), iv=bytes(32))

    @pytest.mark.parametrize(
        ("text", "key", "iv"),
        [
            (b"", KEY, bytes(32)),
            (bytes(33), KEY, bytes(32)),
            (bytes(32), bytes(16), bytes(32)),
            (bytes(32), KEY, bytes(16)),
        ],
    )
    def test_impossible_lengths_are_refused(self, text: bytes, key: bytes, iv: bytes) -> None:
        with pytest.raises(kalyna.KalynaError):
            kalyna.cbc_decrypt(text, key, iv=iv)

    @pytest.mark.parametrize("operation", [kalyna.encrypt_block, kalyna.decrypt_block])
    def test_a_block_of_another_length_is_refused(
        self, operation: Callable[[bytes, bytes], bytes]
    ) -> None:
        with pytest.raises(kalyna.KalynaError, match="32 octets"):
            operation(bytes(16), KEY)
