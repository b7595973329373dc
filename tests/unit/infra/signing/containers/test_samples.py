"""The public sample files of real programs open with the keys, codes and certificates they have."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.signing.containers import (
    ContainedKey,
    ContainerFormat,
    KeyContainer,
    KeyPurpose,
    detect,
    open_container,
)
from infra.signing.containers.errors import (
    AgreementOnlyKey,
    CertificateMissing,
    CertificateUnreadable,
    ForeignKey,
    KeyFileError,
    NoKeyInside,
    NoMatchingKey,
    SeveralKeys,
    WrongPassword,
    WrongPasswordOrDamaged,
)


@dataclass(frozen=True)
class Sample:
    path: str
    password: str
    format: ContainerFormat
    keys: tuple[tuple[str, str, KeyPurpose], ...]
    """Curve, identifier by GOST 34.311, purpose."""
    wrong_password: type[KeyFileError] | None


SIGNING, AGREEMENT, UNKNOWN = KeyPurpose.SIGNING, KeyPurpose.AGREEMENT, KeyPurpose.UNKNOWN
STORE_KEY = (
    "M257",
    "55af7e791487b790028ed158e13474b9d1e9a2bd19cc4fea71fecbcdf8c884ec",
    UNKNOWN,
)
SAMPLES = [
    Sample(
        "jkurwa/STORE_A040.dat",
        "password",
        ContainerFormat.PKCS8_ENCRYPTED,
        (STORE_KEY,),
        WrongPasswordOrDamaged,
    ),
    Sample(
        "jkurwa/STORE_A040.pem",
        "password",
        ContainerFormat.PKCS8_ENCRYPTED,
        (STORE_KEY,),
        WrongPasswordOrDamaged,
    ),
    Sample("jkurwa/Key40A0.cer", "", ContainerFormat.PKCS8, (STORE_KEY,), None),
    Sample("jkurwa/Key40A0.pem", "", ContainerFormat.PKCS8, (STORE_KEY,), None),
    Sample(
        "jkurwa/PRIV1.cer",
        "",
        ContainerFormat.PKCS8,
        (("M257", "89fb24e249459747834f9c62719ee9e1616728f3b58dd2819d7d1995298f6fc9", UNKNOWN),),
        None,
    ),
    Sample(
        "jkurwa/Key6929.cer",
        "",
        ContainerFormat.PKCS8,
        (("M257", "d7515418db444e652d731adf6020ba8f5860b2595ba77c32422ddb7b7fb9e884", UNKNOWN),),
        None,
    ),
    Sample(
        "jkurwa/KeyE54B.cer",
        "",
        ContainerFormat.PKCS8,
        (("M431", "b512af5538ee97d10ac22b2117ba5f79ee944e957e5292a7ab73e430f5811895", UNKNOWN),),
        None,
    ),
    Sample(
        "prozorro-robot/ubiz_Key-6.dat",
        "12345677",
        ContainerFormat.IIT,
        (
            ("M257", "9a86889d3bb2332b00a5450379517d3c0e55145acd11cd8306d4283b06aba9c3", SIGNING),
            ("M431", "121e578b1dba47cdfe60c7205d8f803b3024eb08a2a656d919e07020f0bb2a10", AGREEMENT),
        ),
        WrongPassword,
    ),
    Sample(
        "prozorro-robot/boss.jks",
        "1111111111",
        ContainerFormat.JKS,
        (
            ("M257", "216ce9787d97dac71005ea66a0e44b300cb8a9a333d24730a0c8c75d8acff962", SIGNING),
            ("M431", "10433915e9641e4b0d1f6c953e2672d169208b85228b462f5110c7710eaa79ba", AGREEMENT),
            ("M257", "b9d397ad69168fa9a3010c935e9f199fdd6194796c3666b5af03730de059fede", SIGNING),
            ("M431", "754b2b84908cc1afb5ef56dae69c157a09f5e10810879c0a447103dc07233989", AGREEMENT),
        ),
        WrongPassword,
    ),
    Sample(
        "uapki/test-diia.p12",
        "testpassword",
        ContainerFormat.PKCS12,
        (
            ("M257", "5bc6c06ee1e00c1700e92aa7a9ad75f82d3cb7a9b66e3a98023209b24513315c", UNKNOWN),
            ("M431", "6b1b77c0d1a1b60473a98dd6d4fe5302742aede101daa21f2c83a67ccdedb782", UNKNOWN),
        ),
        WrongPassword,
    ),
    Sample(
        "made-with-uapki/kupyna-kalyna.p12",
        "testpassword",
        ContainerFormat.PKCS12,
        (("M257", "8ddadb55a9e53e37716842052e7434fe0eda3c7b07faf5b1577e0dbd11708ae1", UNKNOWN),),
        WrongPassword,
    ),
]
samples = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.path)


@samples
@pytest.mark.usefixtures("with_compiled_hashes")
class TestEverySample:
    def test_it_opens_with_the_expected_keys(self, sample: Sample, sample_keys: Path) -> None:
        data = (sample_keys / sample.path).read_bytes()
        container = open_container(data, sample.password)
        assert detect(data) is container.format is sample.format
        found = tuple(
            (key.private.curve.name, key.gost_key_id.hex(), key.purpose) for key in container.keys
        )
        assert found == sample.keys

    def test_a_wrong_password_is_said_to_be_one(self, sample: Sample, sample_keys: Path) -> None:
        if sample.wrong_password is None:
            assert open_container((sample_keys / sample.path).read_bytes(), "any").keys
            return
        with pytest.raises(sample.wrong_password):
            open_container((sample_keys / sample.path).read_bytes(), sample.password + "1")


@pytest.mark.usefixtures("without_compiled_hashes")
@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "jkurwa/STORE_A040.dat",
        "prozorro-robot/ubiz_Key-6.dat",
        "made-with-uapki/kupyna-kalyna.p12",
    ],
)
def test_samples_open_without_compiled_hashes_too(path: str, sample_keys: Path) -> None:
    sample = next(sample for sample in SAMPLES if sample.path == path)
    container = open_container((sample_keys / path).read_bytes(), sample.password)
    assert [key.gost_key_id.hex() for key in container.keys] == [key[1] for key in sample.keys]


def opened(sample_keys: Path, path: str, *certificates: str) -> KeyContainer:
    password = next(sample.password for sample in SAMPLES if sample.path == path)
    return open_container(
        (sample_keys / path).read_bytes(),
        password,
        certificates=[(sample_keys / name).read_bytes() for name in certificates],
    )


def facts(key: ContainedKey) -> tuple[object, ...]:
    return key.name, key.company_code, key.personal_code, key.valid_from, key.valid_to


@pytest.mark.usefixtures("with_compiled_hashes")
class TestPrivatBank:
    def test_each_key_has_its_own_certificate_not_the_first_of_the_chain(
        self, sample_keys: Path
    ) -> None:
        container = opened(sample_keys, "prozorro-robot/boss.jks")
        person, seal = container.signing_keys
        assert facts(person) == (
            "sign",
            "90000037",
            "2113357744",
            datetime(2017, 9, 1, 12, 16, 38, tzinfo=UTC),
            datetime(2018, 9, 1, 20, 59, 59, tzinfo=UTC),
        )
        assert facts(seal)[:4] == (
            "stamp",
            "90000037",
            None,
            datetime(2017, 9, 1, 12, 19, 10, tzinfo=UTC),
        )
        assert person.owner == "ЧЕРНУШИНА ТЕТЯНА ВАСИЛІВНА"
        assert person.subject_key_id == person.gost_key_id
        assert len(container.certificates) == 6

    def test_which_of_two_signing_keys_is_meant_must_be_said(self, sample_keys: Path) -> None:
        container = opened(sample_keys, "prozorro-robot/boss.jks")
        with pytest.raises(SeveralKeys) as several:
            container.choose()
        assert several.value.count == 2
        seal = container.signing_keys[1]
        assert container.choose(subject_key_id=seal.subject_key_id) is seal
        with pytest.raises(NoMatchingKey):
            container.choose(tax_id="12345678")
        # The key-agreement key is in the file, but never offered for signing.
        with pytest.raises(NoMatchingKey):
            container.choose(subject_key_id=container.keys[1].subject_key_id)


@pytest.mark.usefixtures("with_compiled_hashes")
class TestCertificateBesideTheKey:
    def test_the_signing_key_is_found_by_its_certificate(self, sample_keys: Path) -> None:
        container = opened(
            sample_keys,
            "uapki/test-diia.p12",
            "uapki/certs/diia-test-kep-7775604.cer",
            "uapki/certs/diia-test-sign-7775603.cer",
        )
        key = container.choose()
        assert key.gost_key_id.hex() == SAMPLES[9].keys[0][1]
        assert key.company_code == "43395033"
        assert key.valid_from is not None
        assert key.valid_from.date().isoformat() == "2022-04-05"
        assert [key.purpose for key in container.keys] == [SIGNING, AGREEMENT]

    def test_a_certificate_of_another_key_does_not_count(self, sample_keys: Path) -> None:
        container = opened(
            sample_keys, "jkurwa/PRIV1.cer", "uapki/certs/diia-test-sign-7775603.cer"
        )
        with pytest.raises(CertificateMissing):
            container.choose()
        own = open_container(
            (sample_keys / "jkurwa/PRIV1.cer").read_bytes(),
            "",
            certificates=[(sample_keys / "jkurwa/SELF_SIGNED1.cer").read_bytes()],
        )
        assert container.paired_with(own.certificates).choose() == own.choose()

    @pytest.mark.parametrize(
        ("key", "certificate"),
        [
            ("jkurwa/Key40A0.cer", "jkurwa/SELF_SIGNED_ENC_40A0.cer"),
            ("jkurwa/Key6929.cer", "jkurwa/SELF_SIGNED_ENC_6929.cer"),
            ("jkurwa/KeyE54B.cer", "jkurwa/SELF_SIGNED_ENC_E54B.cer"),
        ],
    )
    def test_an_encryption_key_is_refused_for_signing(
        self, key: str, certificate: str, sample_keys: Path
    ) -> None:
        container = opened(sample_keys, key, certificate)
        with pytest.raises(AgreementOnlyKey):
            container.choose()

    def test_the_key_s_own_certificate_is_found_in_a_bundle(self, sample_keys: Path) -> None:
        container = opened(sample_keys, "jkurwa/PRIV1.cer", "jkurwa/CAList.cer")
        assert len(container.certificates) == 4
        assert container.choose().certificate == container.certificates[0]

    def test_a_file_that_is_no_certificate_is_named_by_its_place(self, sample_keys: Path) -> None:
        with pytest.raises(CertificateUnreadable) as refused:
            opened(sample_keys, "jkurwa/PRIV1.cer", "jkurwa/SELF_SIGNED1.cer", "uapki/test-fox.txt")
        assert refused.value.position == 2


@pytest.mark.parametrize(
    ("path", "password", "algorithm"),
    [
        ("uapki/test-jks.jks", "testpassword", "RSA"),
        ("cryptonite/pkcs12_rsa(123456).pfx", "123456", "RSA"),
        ("cryptonite/ossl_ecdsa_aes_256_cbc_storage_123456.p12", "123456", "ECDSA"),
    ],
)
class TestKeysOfOtherAlgorithms:
    def test_they_are_refused_by_name(
        self, path: str, password: str, algorithm: str, sample_keys: Path
    ) -> None:
        with pytest.raises(ForeignKey) as refused:
            open_container((sample_keys / path).read_bytes(), password)
        assert refused.value.algorithm == algorithm

    def test_a_wrong_password_is_said_first(
        self, path: str, password: str, algorithm: str, sample_keys: Path
    ) -> None:
        with pytest.raises(WrongPassword):
            open_container((sample_keys / path).read_bytes(), password + algorithm)


@pytest.mark.parametrize("path", ["jkurwa/SFS_1.cer", "jkurwa/CAList.cer", "jkurwa/message.p7"])
def test_files_without_a_key_are_said_to_have_none(path: str, sample_keys: Path) -> None:
    with pytest.raises(NoKeyInside):
        open_container((sample_keys / path).read_bytes(), "")


@pytest.mark.usefixtures("with_compiled_hashes")
def test_every_sample_opens_quickly(sample_keys: Path) -> None:
    started = time.perf_counter()
    for sample in SAMPLES:
        open_container((sample_keys / sample.path).read_bytes(), sample.password)
    # Eleven files of 0.01 to 0.1 seconds each; the margin is for a busy machine.
    assert time.perf_counter() - started < 10
