"""Keys in PKCS#8, plain and encrypted, of every generation; what each refusal says."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from infra.signing import der, dstu_oids, gost28147, gost34311
from infra.signing.containers import (
    ContainerFormat,
    detect,
    open_container,
    passwords,
    writer,
)
from infra.signing.containers.errors import (
    CostlyKeyFile,
    DamagedKeyFile,
    ForeignKey,
    UnsupportedKeyFile,
    WrongPasswordOrDamaged,
)
from infra.signing.curves import CURVES, M257, Curve
from infra.signing.dstu4145 import PrivateKey
from tests.unit.infra.signing.containers.conftest import Holder
from tests.unit.infra.signing.containers.files import (
    FEW,
    KEY,
    PASSWORD,
    derivation,
    gost_cipher,
    gost_pbes2,
    kalyna_cipher,
    only_key,
    pbes2,
    pem,
    plain_foreign,
    rsa_key,
    safe_contents,
    with_mac,
)

pytestmark = pytest.mark.usefixtures("with_compiled_hashes")
GENERATIONS = pytest.mark.parametrize(
    "generation", [writer.GOST, writer.KUPYNA], ids=["gost", "kupyna"]
)
GOST_KDF = derivation(bytes(32), FEW, prf=dstu_oids.HMAC_GOST34311)


class TestEncryptedPkcs8:
    @GENERATIONS
    def test_it_opens(self, generation: writer.Generation) -> None:
        data = writer.encrypted_private_key(KEY, PASSWORD, generation=generation, iterations=FEW)
        assert detect(data) is ContainerFormat.PKCS8_ENCRYPTED
        assert only_key(data) == KEY

    @GENERATIONS
    def test_a_wrong_password_cannot_be_told_from_damage(
        self, generation: writer.Generation
    ) -> None:
        data = writer.encrypted_private_key(KEY, PASSWORD, generation=generation, iterations=FEW)
        for wrong in ("", "пароль-1", "x" * 40):
            with pytest.raises(WrongPasswordOrDamaged):
                open_container(data, wrong)

    @pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
    def test_keys_of_every_curve_open(self, curve: Curve) -> None:
        key = PrivateKey.generate(curve)
        data = writer.encrypted_private_key(key, PASSWORD, iterations=FEW)
        assert only_key(data) == key

    def test_a_password_in_windows_1251_opens_too(self) -> None:
        salt, iv = bytes(32), bytes(8)
        secret = gost34311.pbkdf2(PASSWORD.encode("cp1251"), salt=salt, iterations=FEW)
        body = gost28147.cfb_encrypt(writer.private_key_info(KEY), secret, iv=iv)
        data = gost_pbes2(body, salt=salt, iv=iv)
        assert only_key(data) == KEY

    def test_the_s_box_of_the_file_is_used(self) -> None:
        salt, iv = bytes(32), bytes(8)
        sbox = gost28147.DKE_1[32:] + gost28147.DKE_1[:32]
        secret = gost34311.pbkdf2(PASSWORD.encode(), salt=salt, iterations=FEW)
        body = gost28147.cfb_encrypt(writer.private_key_info(KEY), secret, iv=iv, sbox=sbox)
        assert only_key(gost_pbes2(body, salt=salt, iv=iv, sbox=sbox)) == KEY
        with pytest.raises(WrongPasswordOrDamaged):
            only_key(gost_pbes2(body, salt=salt, iv=iv))

    @pytest.mark.parametrize(
        ("oid", "octets"), [(dstu_oids.AES_128_CBC, 16), (dstu_oids.AES_256_CBC, 32)]
    )
    @pytest.mark.parametrize("prf", [None, dstu_oids.HMAC_SHA256])
    def test_a_key_encrypted_with_aes_opens(self, oid: str, octets: int, prf: str | None) -> None:
        salt, iv = b"salt", bytes(16)
        hash_name = "sha256" if prf else "sha1"
        secret = hashlib.pbkdf2_hmac(hash_name, PASSWORD.encode(), salt, 2048, octets)
        padder = PKCS7(128).padder()
        text = padder.update(writer.private_key_info(KEY)) + padder.finalize()
        encryptor = Cipher(algorithms.AES(secret), modes.CBC(iv)).encryptor()
        body = encryptor.update(text) + encryptor.finalize()
        cipher = der.sequence(der.oid(oid), der.octet_string(iv))
        data = pbes2(body, derivation(salt, 2048, prf=prf, length=octets), cipher)
        assert only_key(data) == KEY
        with pytest.raises(WrongPasswordOrDamaged):
            only_key(data, "other")


class TestMalformedPbes2:
    @pytest.mark.parametrize(
        ("scheme", "cipher"),
        [
            (derivation(b"", FEW, prf=dstu_oids.HMAC_GOST34311), gost_cipher(bytes(8))),
            (derivation(bytes(2000), FEW, prf=dstu_oids.HMAC_GOST34311), gost_cipher(bytes(8))),
            (derivation(bytes(32), 0, prf=dstu_oids.HMAC_GOST34311), gost_cipher(bytes(8))),
            (derivation(bytes(32), -5, prf=dstu_oids.HMAC_GOST34311), gost_cipher(bytes(8))),
            (
                derivation(bytes(32), FEW, prf=dstu_oids.HMAC_GOST34311, length=16),
                gost_cipher(bytes(8)),
            ),
            (GOST_KDF, gost_cipher(bytes(7))),
            (GOST_KDF, gost_cipher(bytes(8), bytes(63))),
            (GOST_KDF, kalyna_cipher(bytes(16))),
            (GOST_KDF, der.sequence(der.oid(dstu_oids.AES_256_CBC), der.octet_string(bytes(8)))),
        ],
    )
    def test_impossible_parameters_are_damage(self, scheme: bytes, cipher: bytes) -> None:
        with pytest.raises(DamagedKeyFile):
            open_container(pbes2(bytes(64), scheme, cipher), PASSWORD)

    @pytest.mark.parametrize(
        ("scheme", "cipher"),
        [
            (derivation(bytes(32), FEW, prf="1.2.3.4"), gost_cipher(bytes(8))),
            (der.sequence(der.oid("1.2.3.4"), der.sequence()), gost_cipher(bytes(8))),
            (GOST_KDF, der.sequence(der.oid("1.2.3.4"), der.null())),
        ],
    )
    def test_unknown_algorithms_are_named(self, scheme: bytes, cipher: bytes) -> None:
        with pytest.raises(UnsupportedKeyFile) as refused:
            open_container(pbes2(bytes(64), scheme, cipher), PASSWORD)
        assert "1.2.3.4" in refused.value.what

    def test_another_encryption_scheme_is_named(self) -> None:
        pbe = der.sequence(der.oid("1.2.840.113549.1.12.1.3"), der.sequence())
        with pytest.raises(UnsupportedKeyFile, match=r"1\.2\.840\.113549\.1\.12\.1\.3"):
            open_container(der.sequence(pbe, der.octet_string(bytes(16))), PASSWORD)

    def test_kalyna_text_of_broken_blocks_is_no_key(self) -> None:
        with pytest.raises(WrongPasswordOrDamaged):
            open_container(pbes2(bytes(33), GOST_KDF, kalyna_cipher(bytes(32))), PASSWORD)


class TestCost:
    def costly(self, iterations: int, prf: str = dstu_oids.HMAC_GOST34311) -> bytes:
        scheme = derivation(bytes(32), iterations, prf=prf)
        return pbes2(bytes(64), scheme, gost_cipher(bytes(8)))

    def refused(self, data: bytes) -> CostlyKeyFile:
        with pytest.raises(CostlyKeyFile) as refused:
            open_container(data, "password")
        return refused.value

    def test_the_limit_with_compiled_hashes(self) -> None:
        error = self.refused(self.costly(50_001))
        assert (error.iterations, error.limit) == (50_001, 50_000)
        with pytest.raises(WrongPasswordOrDamaged):
            open_container(self.costly(50_000), "password")

    def test_the_limit_in_python_is_lower(self, without_compiled_hashes: None) -> None:
        error = self.refused(self.costly(10_001))
        assert (error.iterations, error.limit) == (10_001, 10_000)

    def test_absurd_counts_are_refused_untried(self) -> None:
        assert self.refused(self.costly(2**200)).iterations == 2**200
        sha = self.costly(10**9, prf=dstu_oids.HMAC_SHA256)
        assert self.refused(sha).limit == passwords.LIMIT_ORDINARY

    def test_the_mac_of_pkcs12_counts_too(self) -> None:
        assert self.refused(with_mac(b"", iterations=50_001)).iterations == 50_001

    def test_many_keys_in_one_file_are_bounded_together(self) -> None:
        bag = der.sequence(
            der.oid(dstu_oids.SHROUDED_KEY_BAG),
            der.explicit(0, writer.encrypted_private_key(KEY, "password", iterations=50_000)),
        )
        file = der.sequence(der.integer(3), writer.content_info(safe_contents(*[bag] * 11)))
        assert self.refused(file).iterations == 550_000


class TestPlainKeys:
    def test_der_and_pem_open_whatever_the_password(self) -> None:
        data = writer.private_key_info(KEY)
        assert detect(data) is ContainerFormat.PKCS8
        assert only_key(data) == KEY
        assert only_key(pem("PRIVATE KEY", data), "") == KEY

    def test_pem_may_hold_key_and_certificates_in_any_order(self, person: Holder) -> None:
        blocks = [
            pem("CERTIFICATE", person.signing_certificate),
            b"Bag Attributes: none\n",
            pem("PRIVATE KEY", writer.private_key_info(person.signing)),
            pem("PRIVATE KEY", writer.private_key_info(person.signing)),
        ]
        container = open_container(b"".join(blocks), "")
        assert container.format is ContainerFormat.PKCS8
        # The same key twice is one key.
        assert len(container.keys) == 1
        assert container.choose().private == person.signing

    def test_a_key_of_another_algorithm_is_named(self) -> None:
        with pytest.raises(ForeignKey, match="RSA"):
            only_key(plain_foreign(rsa_key()))
        with pytest.raises(ForeignKey, match=r"1\.3\.101\.112"):
            only_key(plain_foreign(ed25519.Ed25519PrivateKey.generate()))

    @pytest.mark.parametrize(
        ("oid", "says"),
        [
            (f"{dstu_oids.DSTU4145_GOST}.1.1", "basis or byte order"),
            ("1.2.804.2.1.1.1.1.3.1.2", "basis or byte order"),
        ],
    )
    def test_other_bases_are_named(self, oid: str, says: str) -> None:
        algorithm = der.sequence(der.oid(oid), der.sequence())
        data = der.sequence(der.integer(0), algorithm, der.octet_string(b"\x01"))
        with pytest.raises(ForeignKey, match=says):
            only_key(data)

    @pytest.mark.parametrize("octets", [b"", bytes(32), bytes(60)])
    def test_a_number_that_is_no_key_is_damage(self, octets: bytes) -> None:
        algorithm = der.sequence(der.oid(dstu_oids.DSTU4145_GOST), der.sequence(der.oid(M257.oid)))
        with pytest.raises(DamagedKeyFile):
            only_key(der.sequence(der.integer(0), algorithm, der.octet_string(octets)))

    def test_a_curve_of_the_file_s_own_is_refused(self) -> None:
        curve = der.sequence(
            der.sequence(der.integer(257), der.integer(12)),
            der.integer(0),
            der.octet_string((M257.b ^ 2).to_bytes(33, "little")),
            der.integer(M257.order),
            der.octet_string(bytes(33)),
        )
        for parameters in (curve, der.oid("1.2.804.2.1.1.1.1.3.1.1.2.10")):
            algorithm = der.sequence(der.oid(dstu_oids.DSTU4145_GOST), der.sequence(parameters))
            data = der.sequence(der.integer(0), algorithm, der.octet_string(b"\x01"))
            with pytest.raises(UnsupportedKeyFile, match="curve"):
                only_key(data)
