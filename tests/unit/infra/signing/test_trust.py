from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from infra.signing.certificate import Certificate, parse_certificate
from infra.signing.errors import Reason, SignatureInvalid
from infra.signing.trust import TrustAnchors, read_certificates

NOW = datetime(2026, 9, 10, tzinfo=UTC)
YEAR = timedelta(days=365)


class Authority:
    """A key with a certificate that can issue others; each property of the certificate a choice."""

    def __init__(
        self,
        name: str,
        *,
        issuer: "Authority | None" = None,
        is_authority: bool = True,
        may_sign_certificates: bool = True,
        not_after: datetime = NOW + YEAR,
        unknown_critical: bool = False,
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuing = issuer or self
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=may_sign_certificates,
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(issuing.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - YEAR)
            .not_valid_after(not_after)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(usage, critical=True)
        )
        if unknown_critical:
            constraint = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.30"), b"\x30\x00")
            builder = builder.add_extension(constraint, critical=True)
        self.raw = builder.sign(issuing.key, SHA256()).public_bytes(Encoding.DER)

    @property
    def certificate(self) -> Certificate:
        return parse_certificate(self.raw)


@pytest.fixture(scope="module")
def root() -> Authority:
    return Authority("root")


@pytest.fixture(scope="module")
def provider(root: Authority) -> Authority:
    return Authority("provider", issuer=root)


@pytest.fixture(scope="module")
def person(provider: Authority) -> Authority:
    return Authority("person", issuer=provider, is_authority=False)


def refusal(trust: TrustAnchors, certificate: Certificate, at: datetime = NOW) -> str:
    with pytest.raises(SignatureInvalid) as caught:
        trust.check(certificate, at=at)
    return caught.value.reason


class TestCheck:
    def test_a_chain_to_a_root_is_given_back(
        self, root: Authority, provider: Authority, person: Authority
    ) -> None:
        trust = TrustAnchors(roots=[root.raw], intermediates=[provider.raw])
        chain = trust.check(person.certificate, at=NOW)
        assert chain == (person.certificate, provider.certificate, root.certificate)

    def test_a_certificate_that_came_along_may_stand_in_between(
        self, root: Authority, provider: Authority, person: Authority
    ) -> None:
        trust = TrustAnchors(roots=[root.raw])
        assert refusal(trust, person.certificate) == Reason.UNTRUSTED_ISSUER
        chain = trust.check(person.certificate, at=NOW, extra=[provider.certificate])
        assert len(chain) == 3

    def test_a_root_that_came_along_is_not_trusted(self, root: Authority) -> None:
        stranger = Authority("stranger")
        person = Authority("person", issuer=stranger, is_authority=False)
        with pytest.raises(SignatureInvalid) as caught:
            TrustAnchors(roots=[root.raw]).check(
                person.certificate, at=NOW, extra=[stranger.certificate]
            )
        assert caught.value.reason == Reason.UNTRUSTED_ISSUER

    def test_another_root_of_the_same_name_is_not_trusted(self, root: Authority) -> None:
        person = Authority("person", issuer=Authority("root"), is_authority=False)
        trust = TrustAnchors(roots=[root.raw])
        assert refusal(trust, person.certificate) == Reason.UNTRUSTED_ISSUER

    def test_a_trusted_certificate_is_its_own_chain(self, root: Authority) -> None:
        assert TrustAnchors(roots=[root.raw]).check(root.certificate, at=NOW) == (root.certificate,)

    def test_only_an_authority_issues(self, root: Authority) -> None:
        trust = TrustAnchors(roots=[root.raw])
        for issuer in (
            Authority("no authority", issuer=root, is_authority=False),
            Authority("no usage", issuer=root, may_sign_certificates=False),
        ):
            person = Authority("person", issuer=issuer, is_authority=False)
            with pytest.raises(SignatureInvalid) as caught:
                trust.check(person.certificate, at=NOW, extra=[issuer.certificate])
            assert caught.value.reason == Reason.UNTRUSTED_ISSUER

    def test_every_link_must_be_valid_at_the_moment(self, root: Authority) -> None:
        provider = Authority("provider", issuer=root, not_after=NOW)
        person = Authority("person", issuer=provider, is_authority=False)
        trust = TrustAnchors(roots=[root.raw], intermediates=[provider.raw])
        trust.check(person.certificate, at=NOW)
        assert refusal(trust, person.certificate, NOW + timedelta(seconds=1)) == Reason.EXPIRED
        assert refusal(trust, person.certificate, NOW - 2 * YEAR) == Reason.NOT_YET_VALID

    def test_a_critical_extension_nobody_understands_is_refused(self, root: Authority) -> None:
        provider = Authority("provider", issuer=root, unknown_critical=True)
        person = Authority("person", issuer=provider, is_authority=False)
        trust = TrustAnchors(roots=[root.raw], intermediates=[provider.raw])
        assert refusal(trust, person.certificate) == Reason.CRITICAL_EXTENSION

    def test_a_circle_of_issuers_ends(self, root: Authority) -> None:
        chain = [Authority("0", issuer=root)]
        for number in range(1, 8):
            chain.append(Authority(str(number), issuer=chain[-1]))
        trust = TrustAnchors(roots=[root.raw], intermediates=[item.raw for item in chain])
        assert refusal(trust, chain[-1].certificate) == Reason.UNTRUSTED_ISSUER


class TestFiles:
    def test_a_folder_gives_roots_and_those_between(
        self, tmp_path: Path, root: Authority, provider: Authority, person: Authority
    ) -> None:
        (tmp_path / "root.cer").write_bytes(root.raw)
        pem = x509.load_der_x509_certificate(provider.raw).public_bytes(Encoding.PEM)
        (tmp_path / "provider.pem").write_bytes(b"# a comment\n" + pem)
        (tmp_path / "readme.txt").write_text("no certificate")
        trust = TrustAnchors.from_folder(tmp_path)
        assert len(trust.check(person.certificate, at=NOW)) == 3

    def test_a_file_without_certificates_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "root.cer").write_bytes(b"not a certificate")
        with pytest.raises(SignatureInvalid) as caught:
            TrustAnchors.from_folder(tmp_path)
        assert caught.value.reason == Reason.CERTIFICATE_MALFORMED

    @pytest.mark.parametrize("data", [b"", b"\x30\x00", b"-----BEGIN CERTIFICATE-----\n?\n"])
    def test_bytes_that_hold_none_are_refused(self, data: bytes) -> None:
        with pytest.raises(SignatureInvalid):
            read_certificates(data)

    def test_a_bundle_of_the_field_is_read(self, shared_folder: Path) -> None:
        data = (shared_folder / "testdata/keys/jkurwa/CAList.cer").read_bytes()
        names = [parse_certificate(raw).subject.common_name for raw in read_certificates(data)]
        assert len(names) == 4


class TestRealChain:
    def test_a_certificate_of_diia_leads_to_the_root_of_the_country(
        self, shared_folder: Path
    ) -> None:
        folder = shared_folder / "testdata" / "keys" / "uapki" / "certs"
        seal = parse_certificate((folder / "diia-test-sign-7775603.cer").read_bytes())
        trust = TrustAnchors.from_folder(folder)
        chain = trust.check(seal, at=datetime(2023, 1, 1, tzinfo=UTC))
        assert [certificate.is_authority for certificate in chain] == [False, True, True]
        assert chain[-1].subject.common_name == "Центральний засвідчувальний орган"
        assert refusal(trust, seal, datetime(2025, 1, 1, tzinfo=UTC)) == Reason.EXPIRED
