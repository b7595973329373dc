"""DSTU 4145 signatures: published answers, both back ends, encodings, refusals."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.signing import backends, dstu4145, gf2m
from infra.signing.curves import CURVES, M163, M257, M431, Curve, Point
from infra.signing.dstu4145 import KeyEncodingError, PrivateKey, PublicKey

curves = pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
DIGEST = bytes(range(32))

# Published with jkurwa.
D = 0x2A45EAFE4CD469F811737780C57253360FBCC58E134C9A1FDCD10B0E4529A143
E = 0x7A32849E569C8888F25DE6F69A839D75057383F473ACF559ABD3C5D683294CEB
H = 0x6845214B63288A832A772E1FE6CB6C7D3528569E29A8B3584370FDC65F474242
R = 0x491FA1EF75EAEF75E1F20CF3918993AB37E06005EA8E204BC009A1FA61BB0FB2
S = 0x0CCC6816453A903A1B641DF999011177DF420D21A72236D798532AEF42E224AB
Q = Point(
    0xAFF3EE09CB429284985849E20DE5742E194AA631490F62BA88702505629A6589,
    0x1B345BC134F27DA251EDFAE97B3F306B4E8B8CB9CF86D8651E4FB301EF8E1239C,
)


def little(hexadecimal: str) -> int:
    return int.from_bytes(bytes.fromhex(hexadecimal), "little")


class TestPublishedAnswers:
    def test_key_and_signature_on_m257(self) -> None:
        key = PrivateKey.from_scalar(M257, D)
        assert key.public.point == Q
        digest = H.to_bytes(32, "little")
        signature = dstu4145.sign_with_nonce(key, digest, nonce=E)
        assert signature == R.to_bytes(32, "little") + S.to_bytes(32, "little")
        assert dstu4145.verify(key.public, digest, signature)

    def test_another_program_s_signature_on_m257(self) -> None:
        key = PrivateKey.decode(
            M257,
            bytes.fromhex("4854f9d1eeeaab9516288183f164044ec3cdbd00288856db40b4cdf07dfc140900"),
        )
        assert key.public.point == Point(
            little("01799b65a6d2d1cecd08b044d599eecfab8412f599f52ca38ddb431bba38e66c00"),
            little("e54176a56aaf5e5bea7c7dbbacfbe6ad1c35bf9743cb534d839d62be68bc4c5a01"),
        )
        digest = bytes.fromhex("b591f4d5ea42d0005dedf238e8beccc2cb46a944419b6fdd66c57e66c751f683")
        signature = bytes.fromhex(
            "ace29a89ec34329abf529d109ca838c26b13cc0e14d8663071da94ab198e2e64"
            "39b9c25ab0187694ec170221e9135405894bf439c9cefea7f23e4e1a974eca1b"
        )
        for arithmetic in (backends.points(), gf2m.PythonPoints()):
            assert dstu4145.verify(key.public, digest, signature, arithmetic=arithmetic)

    def test_the_example_of_the_standard_on_m163(self, sample_keys: Path) -> None:
        case = json.loads((sample_keys / "uacrypt-vectors" / "gf2m163.json").read_text())
        base = Point(int(case["base_point"]["x"], 16), int(case["base_point"]["y"], 16))
        # The example has the field, equation and order of M163, but a base point of its own.
        curve = Curve(
            name="annex Б",
            oid="annex Б",
            degree=M163.degree,
            exponents=M163.exponents,
            a=M163.a,
            b=int(case["curve"]["b"], 16),
            order=int(case["order_n"], 16),
            base=base,
        )
        assert curve.b == M163.b
        assert curve.order == M163.order
        key = PrivateKey.from_scalar(curve, int(case["private_key_d"], 16))
        public = case["public_key_q"]
        assert key.public.point == Point(int(public["x"], 16), int(public["y"], 16))
        digest = bytes.fromhex(case["hash_h_of_t"].zfill(64))[::-1]
        signature = dstu4145.sign_with_nonce(key, digest, nonce=int(case["ephemeral_e"], 16))
        assert signature is not None
        assert little(signature[:21].hex()) == int(case["signature"]["r"], 16)
        assert little(signature[21:].hex()) == int(case["signature"]["s"], 16)
        assert dstu4145.verify(key.public, digest, signature)


@curves
class TestEveryCurve:
    def test_a_signature_verifies_with_both_back_ends(self, curve: Curve) -> None:
        key = PrivateKey.generate(curve)
        signature = dstu4145.sign(key, DIGEST)
        assert len(signature) == 2 * curve.order_octets
        assert dstu4145.verify(key.public, DIGEST, signature)
        assert dstu4145.verify(key.public, DIGEST, signature, arithmetic=gf2m.PythonPoints())

    def test_a_changed_digest_or_signature_does_not_verify(self, curve: Curve) -> None:
        key = PrivateKey.generate(curve)
        signature = dstu4145.sign(key, DIGEST)
        assert not dstu4145.verify(key.public, b"\xff" + DIGEST[1:], signature)
        for at in (0, curve.order_octets):
            changed = bytearray(signature)
            changed[at] ^= 1
            assert not dstu4145.verify(key.public, DIGEST, bytes(changed))

    def test_keys_survive_encoding(self, curve: Curve) -> None:
        key = PrivateKey.generate(curve)
        assert PrivateKey.decode(curve, key.encoded()) == key
        assert PublicKey.decode(curve, key.public.encoded()) == key.public
        assert len(key.public.encoded()) == curve.field_octets


class TestSigning:
    @given(digest=st.binary(min_size=32, max_size=32))
    def test_any_digest_is_signed(self, digest: bytes) -> None:
        key = PrivateKey.from_scalar(M257, D)
        assert dstu4145.verify(key.public, digest, dstu4145.sign(key, digest))

    def test_a_digest_of_zeros_counts_as_one(self) -> None:
        key = PrivateKey.from_scalar(M257, D)
        signature = dstu4145.sign(key, bytes(32))
        assert dstu4145.verify(key.public, b"\x01" + bytes(31), signature)

    def test_two_signatures_of_one_digest_have_different_nonces(self) -> None:
        key = PrivateKey.from_scalar(M257, D)
        halves = {dstu4145.sign(key, DIGEST)[:32] for _ in range(20)}
        assert len(halves) == 20

    def test_nonces_stay_different_when_the_random_generator_is_stuck(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("secrets.token_bytes", bytes)
        key = PrivateKey.from_scalar(M257, D)
        first, second = dstu4145.sign(key, DIGEST), dstu4145.sign(key, bytes(32))
        assert first[:32] != second[:32]
        other_key = PrivateKey.from_scalar(M257, D + 1)
        assert dstu4145.sign(other_key, DIGEST)[:32] != first[:32]

    def test_a_nonce_that_gives_a_zero_half_is_passed_over(self) -> None:
        # With n as the nonce R is the point at infinity, which no honest computation gives.
        key = PrivateKey.from_scalar(M257, D)
        with pytest.raises(dstu4145.SignatureFault):
            dstu4145.sign_with_nonce(key, DIGEST, nonce=M257.order)

    def test_a_nonce_that_makes_s_zero_asks_for_another(self) -> None:
        # With d = −e·r⁻¹ the second half is zero; r depends on e and the digest only.
        point = backends.points().multiply_base(M257, E)
        assert point is not None
        product = gf2m.field_of(M257).multiply(little(DIGEST.hex()), point.x)
        r = product & ((1 << 255) - 1)
        key = PrivateKey.from_scalar(M257, -E * pow(r, -1, M257.order) % M257.order)
        assert dstu4145.sign_with_nonce(key, DIGEST, nonce=E) is None


class TestVerification:
    key = PrivateKey.from_scalar(M257, D)
    signature = R.to_bytes(32, "little") + S.to_bytes(32, "little")
    digest = H.to_bytes(32, "little")

    @pytest.mark.parametrize(
        "signature",
        [
            b"",
            b"\x01",
            signature[:-1],
            signature + b"\x00\x00",
            bytes(32) + signature[32:],
            signature[:32] + bytes(32),
            M257.order.to_bytes(32, "little") + signature[32:],
            signature[:32] + M257.order.to_bytes(32, "little"),
            signature[32:] + signature[:32],
        ],
    )
    def test_malformed_signatures_do_not_verify(self, signature: bytes) -> None:
        assert not dstu4145.verify(self.key.public, self.digest, signature)

    def test_halves_shortened_by_a_zero_octet_verify(self) -> None:
        key = PrivateKey.from_scalar(M163, 12345)
        size = M163.order_octets
        # Both top octets are zero in about one signature of 16,000 on M257; on M163 the highest
        # octet holds three bits, so one in some dozens.
        for attempt in range(2000):
            digest = attempt.to_bytes(32, "little")
            signature = dstu4145.sign(key, digest)
            if signature[size - 1] == signature[-1] == 0:
                shortened = signature[: size - 1] + signature[size:-1]
                assert dstu4145.verify(key.public, digest, shortened)
                return
        pytest.fail("no signature with two leading zero octets in 2000")

    def test_another_key_does_not_verify(self) -> None:
        other = PrivateKey.from_scalar(M257, D + 1)
        assert not dstu4145.verify(other.public, self.digest, self.signature)


class TestKeys:
    def test_a_number_above_the_order_is_reduced(self) -> None:
        key = PrivateKey.from_scalar(M431, M431.order + 5)
        assert key == PrivateKey.from_scalar(M431, 5)

    @pytest.mark.parametrize("scalar", [0, M257.order])
    def test_zero_is_no_private_key(self, scalar: int) -> None:
        with pytest.raises(KeyEncodingError):
            PrivateKey.from_scalar(M257, scalar)

    @pytest.mark.parametrize("octets", [b"", bytes(32), bytes(42)])
    def test_octets_that_are_no_private_key_are_refused(self, octets: bytes) -> None:
        with pytest.raises(KeyEncodingError):
            PrivateKey.decode(M257, octets)

    @pytest.mark.parametrize(
        "octets",
        [
            b"",
            bytes(32),
            bytes(33),
            b"\x01" + bytes(32),
            b"\xff" * 33,
        ],
    )
    def test_octets_that_are_no_public_key_are_refused(self, octets: bytes) -> None:
        with pytest.raises(KeyEncodingError):
            PublicKey.decode(M257, octets)

    def test_a_point_outside_the_subgroup_is_refused(self) -> None:
        # Adding the point of order two keeps the trace of x where A is 0, so it expands.
        mixed = gf2m.add(M257, M257.base, gf2m.expand(M257, 0))
        assert mixed is not None
        octets = PublicKey(M257, mixed).encoded()
        assert gf2m.expand(M257, int.from_bytes(octets, "little")) == mixed
        with pytest.raises(KeyEncodingError, match="prime order"):
            PublicKey.decode(M257, octets)

    def test_a_key_does_not_show_its_secret(self) -> None:
        key = PrivateKey.from_scalar(M257, D)
        assert str(D) not in repr(key)
        assert f"{D:x}" not in repr(key).lower()
