from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.signing import der
from infra.signing.certificate import parse_certificate
from infra.signing.development import DevelopmentKeyStore, Holder
from infra.signing.errors import Reason, SignatureInvalid, UnknownAlgorithm
from infra.signing.suites import SuiteRegistry

HOLDER = Holder(
    common_name="Шевченко Тарас Григорович",
    personal_code="2113357744",
    company_code="90000037",
    organization="ТОВ «Кава»",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentKeyStore:
    return DevelopmentKeyStore(tmp_path_factory.mktemp("keys"))


class TestReading:
    def test_names_and_codes_are_read(self, store: DevelopmentKeyStore) -> None:
        certificate = store.ensure("cashier", HOLDER).signer.certificate
        assert certificate.subject.common_name == HOLDER.common_name
        assert certificate.subject.organization == HOLDER.organization
        assert (certificate.personal_code, certificate.company_code) == ("2113357744", "90000037")
        assert certificate.issuer.raw == store.authority_certificate.subject.raw
        assert certificate.may_sign
        assert not certificate.is_authority

    def test_the_same_bytes_are_read_once(self, store: DevelopmentKeyStore) -> None:
        raw = store.authority_certificate.raw
        assert parse_certificate(bytes(bytearray(raw))) is parse_certificate(raw)

    @pytest.mark.parametrize("cut", [0, 1, 40, -1])
    def test_cut_bytes_are_refused(self, store: DevelopmentKeyStore, cut: int) -> None:
        with pytest.raises(SignatureInvalid) as caught:
            parse_certificate(store.authority_certificate.raw[:cut])
        assert caught.value.reason == Reason.CERTIFICATE_MALFORMED

    def test_an_unreadable_extension_counts_as_absent_and_is_kept(
        self, store: DevelopmentKeyStore
    ) -> None:
        raw = store.ensure("cashier", HOLDER).signer.certificate.raw
        usage = der.sequence(
            der.oid("2.5.29.15"), der.boolean(True), der.octet_string(bytes.fromhex("030206c0"))
        )
        assert usage in raw
        unreadable = b"\x05\x02\x06\xc0"
        broken = raw.replace(usage, usage[: -len(unreadable)] + unreadable)
        certificate = parse_certificate(broken)
        assert certificate.key_usage is None
        assert any(item.value == unreadable for item in certificate.extensions)

    def test_codes_are_found_in_the_subject_when_the_directory_attributes_are_absent(
        self, store: DevelopmentKeyStore
    ) -> None:
        raw = store.ensure("cashier", HOLDER).signer.certificate.raw
        without = raw.replace(der.oid("2.5.29.9"), der.oid("2.5.29.99"))
        certificate = parse_certificate(without)
        assert (certificate.personal_code, certificate.company_code) == ("2113357744", "90000037")


class TestValidity:
    def test_both_ends_belong_to_the_period(self, store: DevelopmentKeyStore) -> None:
        certificate = store.authority_certificate
        certificate.check_validity(certificate.not_before)
        certificate.check_validity(certificate.not_after)

    def test_a_moment_outside_is_refused_by_name(self, store: DevelopmentKeyStore) -> None:
        certificate = store.authority_certificate
        second = timedelta(seconds=1)
        with pytest.raises(SignatureInvalid) as early:
            certificate.check_validity(certificate.not_before - second)
        with pytest.raises(SignatureInvalid) as late:
            certificate.check_validity(certificate.not_after + second)
        assert (early.value.reason, late.value.reason) == (Reason.NOT_YET_VALID, Reason.EXPIRED)


class TestVerifySignedBy:
    def test_the_issuer_is_recognised(self, store: DevelopmentKeyStore) -> None:
        certificate = store.ensure("cashier", HOLDER).signer.certificate
        assert certificate.verify_signed_by(store.authority_certificate)

    def test_another_authority_is_not(self, store: DevelopmentKeyStore, tmp_path: Path) -> None:
        certificate = store.ensure("cashier", HOLDER).signer.certificate
        stranger = DevelopmentKeyStore(tmp_path).authority_certificate
        assert not certificate.verify_signed_by(stranger)

    def test_a_changed_byte_is_noticed(self, store: DevelopmentKeyStore) -> None:
        raw = store.ensure("cashier", HOLDER).signer.certificate.raw
        forged = parse_certificate(raw.replace(b"90000037", b"90000038"))
        assert forged.company_code == "90000038"
        assert not forged.verify_signed_by(store.authority_certificate)

    def test_an_unknown_algorithm_is_named(self, store: DevelopmentKeyStore) -> None:
        certificate = store.ensure("cashier", HOLDER).signer.certificate
        with pytest.raises(UnknownAlgorithm):
            certificate.verify_signed_by(store.authority_certificate, suites=SuiteRegistry())


class TestRealCertificates:
    def test_every_published_certificate_is_read(self, shared_folder: Path) -> None:
        keys = shared_folder / "testdata" / "keys"
        paths = [*keys.glob("uapki/certs/*.cer"), *keys.glob("cryptonite/pkiExample*/*.cer")]
        assert len(paths) >= 10
        for path in paths:
            certificate = parse_certificate(path.read_bytes())
            assert certificate.subject_key_id is not None, path.name
            assert len(certificate.subject_key_id) == 32, path.name

    def test_codes_of_a_person_and_of_a_company_are_found(self, shared_folder: Path) -> None:
        folder = shared_folder / "testdata/keys/cryptonite/pkiExample_DSTU4145_M257_PB"
        person = parse_certificate((folder / "userfiz_certificate.cer").read_bytes())
        company = parse_certificate((folder / "userur_certificate.cer").read_bytes())
        assert (person.personal_code, person.company_code) == ("292431128", None)
        assert (company.personal_code, company.company_code) == (None, "23456")

    def test_the_seal_of_diia_reads_as_published(self, shared_folder: Path) -> None:
        path = shared_folder / "testdata/keys/uapki/certs/diia-test-sign-7775603.cer"
        seal = parse_certificate(path.read_bytes())
        assert seal.company_code == "43395033"
        assert seal.subject_key_id_hex == (
            "5bc6c06ee1e00c1700e92aa7a9ad75f82d3cb7a9b66e3a98023209b24513315c"
        )
        assert seal.not_before.date() == datetime(2022, 4, 5, tzinfo=UTC).date()
        assert seal.may_sign
        # The second key of the same holder is for key agreement only.
        other = parse_certificate(path.with_name("diia-test-kep-7775604.cer").read_bytes())
        assert not other.may_sign
