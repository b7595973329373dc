"""GOST 28147-89: published answers of the modes and their laws.

Independent proof of the cipher itself is the hash, which is made of it, and the sample key files,
which open with it.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.signing import gost28147

keys = st.binary(min_size=32, max_size=32)
KEY = bytes(range(32))


class TestTables:
    def test_dke_1_substitutes_the_lowest_bits_with_its_first_row(self) -> None:
        low = gost28147.byte_tables(gost28147.DKE_1)[0]
        # Both nibbles zero: A from the first row, 8 from the second, rotated left by 11.
        assert low[0] == 0x8A << 11

    def test_both_forms_of_the_tables_agree(self) -> None:
        octets = gost28147.byte_tables(gost28147.DKE_1)
        low, high = gost28147.half_tables(gost28147.DKE_1)
        for half in (0, 1, 0x00FF, 0xFF00, 0x1234, 0xFFFF):
            assert low[half] == octets[0][half & 255] | octets[1][half >> 8]
            assert high[half] == octets[2][half & 255] | octets[3][half >> 8]

    def test_an_s_box_of_another_length_is_refused(self) -> None:
        with pytest.raises(gost28147.Gost28147Error, match="64 octets"):
            gost28147.byte_tables(bytes(63))


class TestModes:
    @given(text=st.binary(max_size=64).map(lambda text: text[: len(text) // 8 * 8]), key=keys)
    def test_ecb_decryption_undoes_encryption(self, text: bytes, key: bytes) -> None:
        encrypted = gost28147.ecb_encrypt(text, key)
        assert gost28147.ecb_decrypt(encrypted, key) == text

    @given(text=st.binary(max_size=64), key=keys, iv=st.binary(min_size=8, max_size=8))
    def test_cfb_decryption_undoes_encryption(self, text: bytes, key: bytes, iv: bytes) -> None:
        encrypted = gost28147.cfb_encrypt(text, key, iv=iv)
        assert len(encrypted) == len(text)
        assert gost28147.cfb_decrypt(encrypted, key, iv=iv) == text

    def test_cfb_encrypts_the_initialisation_vector_and_then_each_cipher_block(self) -> None:
        iv = bytes(range(8))
        encrypted = gost28147.cfb_encrypt(bytes(12), KEY, iv=iv)
        first = gost28147.ecb_encrypt(iv, KEY)
        assert encrypted == first + gost28147.ecb_encrypt(first, KEY)[:4]

    def test_another_s_box_gives_another_text(self) -> None:
        other = gost28147.DKE_1[8:] + gost28147.DKE_1[:8]
        assert gost28147.ecb_encrypt(bytes(8), KEY) != gost28147.ecb_encrypt(
            bytes(8), KEY, sbox=other
        )


class TestMac:
    @given(text=st.binary(min_size=1, max_size=40), key=keys)
    def test_zeros_at_the_end_of_the_last_block_do_not_count(self, text: bytes, key: bytes) -> None:
        padded = text + bytes(-len(text) % 8)
        assert gost28147.mac(text, key) == gost28147.mac(padded, key)
        assert len(gost28147.mac(text, key)) == 4

    def test_every_octet_counts(self) -> None:
        text = bytes(range(24))
        codes = {
            gost28147.mac(text[:at] + b"\xff" + text[at + 1 :], KEY) for at in range(len(text))
        }
        assert len(codes) == len(text)
        assert gost28147.mac(text, KEY) not in codes


class TestRefusals:
    def test_a_key_of_another_length(self) -> None:
        with pytest.raises(gost28147.Gost28147Error, match="32 octets"):
            gost28147.mac(b"", bytes(16))

    def test_a_text_of_broken_blocks(self) -> None:
        with pytest.raises(gost28147.Gost28147Error, match="whole blocks"):
            gost28147.ecb_encrypt(bytes(7), KEY)

    def test_an_initialisation_vector_of_another_length(self) -> None:
        with pytest.raises(gost28147.Gost28147Error, match="8 octets"):
            gost28147.cfb_encrypt(b"", KEY, iv=bytes(7))
