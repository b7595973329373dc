"""PKCS#12 files of every generation; what each refusal says."""

import pytest

from infra.signing import der, dstu_oids
from infra.signing.certificate import parse_certificate
from infra.signing.containers import (
    ContainerFormat,
    KeyPurpose,
    open_container,
    writer,
)
from infra.signing.containers.errors import (
    AgreementOnlyKey,
    CertificateMissing,
    DamagedKeyFile,
    ForeignKey,
    NoKeyInside,
    SeveralKeys,
    UnsupportedKeyFile,
    WrongPassword,
    WrongPasswordOrDamaged,
)
from infra.signing.containers.pkcs12_mac import MAC_ALGORITHMS
from infra.signing.dstu_authority import DstuAuthority
from tests.unit.infra.signing.containers.conftest import FROM, TO, Holder
from tests.unit.infra.signing.containers.files import (
    FEW,
    KEY,
    PASSWORD,
    key_bag,
    only_key,
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


class TestPkcs12:
    @GENERATIONS
    def test_keys_and_certificates_are_paired(
        self, generation: writer.Generation, person: Holder
    ) -> None:
        data = writer.pkcs12(
            [person.agreement, person.signing],
            PASSWORD,
            certificates=[person.agreement_certificate, person.signing_certificate],
            generation=generation,
            iterations=FEW,
        )
        container = open_container(data, PASSWORD)
        assert container.format is ContainerFormat.PKCS12
        assert [key.purpose for key in container.keys] == [
            KeyPurpose.AGREEMENT,
            KeyPurpose.SIGNING,
        ]
        chosen = container.choose()
        assert chosen.private == person.signing
        assert (chosen.owner, chosen.personal_code, chosen.company_code) == (
            "Касирка Олена",
            "1234567890",
            "12345678",
        )
        assert (chosen.valid_from, chosen.valid_to) == (FROM, TO)

    @GENERATIONS
    def test_a_wrong_password_is_proven_by_the_mac(self, generation: writer.Generation) -> None:
        data = writer.pkcs12([KEY], PASSWORD, generation=generation, iterations=FEW)
        for wrong in ("", "Пароль-2", "password"):
            with pytest.raises(WrongPassword):
                open_container(data, wrong)

    def test_a_person_s_key_and_a_seal_are_chosen_by_identifier(
        self, person: Holder, seal: Holder
    ) -> None:
        data = writer.pkcs12(
            [seal.agreement, seal.signing, person.agreement, person.signing],
            PASSWORD,
            iterations=FEW,
        )
        certificates = [
            pem("CERTIFICATE", person.signing_certificate)
            + pem("CERTIFICATE", seal.signing_certificate),
            person.agreement_certificate,
            seal.agreement_certificate,
        ]
        container = open_container(data, PASSWORD, certificates=certificates)
        with pytest.raises(SeveralKeys):
            container.choose(tax_id="12345678")
        for holder in (person, seal):
            certificate = parse_certificate(holder.signing_certificate)
            chosen = container.choose(subject_key_id=certificate.subject_key_id)
            assert chosen.private == holder.signing
            assert container.choose(subject_key_id=chosen.kupyna_key_id) == chosen

    def test_keys_without_certificates_cannot_sign_yet(self, person: Holder) -> None:
        data = writer.pkcs12([person.signing, person.agreement], PASSWORD, iterations=FEW)
        container = open_container(data, PASSWORD)
        assert {key.purpose for key in container.keys} == {KeyPurpose.UNKNOWN}
        with pytest.raises(CertificateMissing) as missing:
            container.choose()
        assert missing.value.keys == 2
        certificate = parse_certificate(person.signing_certificate)
        assert container.paired_with([certificate]).choose().private == person.signing

    def test_a_file_with_an_encryption_key_only_is_refused(self, person: Holder) -> None:
        data = writer.pkcs12(
            [person.agreement],
            PASSWORD,
            certificates=[person.agreement_certificate],
            iterations=FEW,
        )
        with pytest.raises(AgreementOnlyKey):
            open_container(data, PASSWORD).choose()

    def test_the_newest_certificate_of_a_key_counts(
        self, authority: DstuAuthority, person: Holder
    ) -> None:
        newer = authority.issue(
            person.signing.public,
            person.subject,
            not_before=FROM,
            not_after=TO.replace(year=2027),
        )
        data = writer.pkcs12([person.signing], PASSWORD, iterations=FEW)
        container = open_container(data, PASSWORD, certificates=[newer, person.signing_certificate])
        assert container.choose().certificate == parse_certificate(newer)

    @pytest.mark.parametrize(
        "oid", [dstu_oids.SHA1, dstu_oids.SHA256, dstu_oids.SHA384, dstu_oids.SHA512]
    )
    def test_a_mac_with_an_ordinary_hash_is_checked(self, oid: str) -> None:
        data = with_mac(safe_contents(key_bag()), oid=oid)
        assert only_key(data) == KEY
        with pytest.raises(WrongPassword):
            only_key(data, "other")

    def test_a_mac_without_iterations_has_one(self) -> None:
        assert only_key(with_mac(safe_contents(key_bag()), iterations=None)) == KEY

    @pytest.mark.parametrize("salt", [b"", bytes(2000)])
    def test_an_impossible_salt_of_the_mac_is_damage(self, salt: bytes) -> None:
        with pytest.raises(DamagedKeyFile):
            only_key(with_mac(safe_contents(key_bag()), salt=salt))

    def test_an_unknown_mac_is_named(self) -> None:
        with pytest.raises(UnsupportedKeyFile, match=r"1\.2\.3\.4"):
            only_key(with_mac(safe_contents(key_bag()), oid="1.2.3.4"))

    def test_an_empty_password_may_be_no_octets(self) -> None:
        contents = safe_contents(key_bag())
        mac = MAC_ALGORITHMS[dstu_oids.GOST34311].compute(
            contents, b"", salt=b"saltsalt", iterations=FEW
        )
        mac_data = der.sequence(
            der.sequence(der.sequence(der.oid(dstu_oids.GOST34311)), der.octet_string(mac)),
            der.octet_string(b"saltsalt"),
            der.integer(FEW),
        )
        data = der.sequence(der.integer(3), writer.content_info(contents), mac_data)
        assert only_key(data, "") == KEY

    def test_widened_octets_of_windows_1251_are_a_form_of_the_password(self) -> None:
        widened = PASSWORD.encode("cp1251").decode("latin-1")
        data = with_mac(safe_contents(key_bag()), password=widened)
        assert only_key(data) == KEY

    def test_without_a_mac_the_bags_tell(self) -> None:
        bag = der.sequence(
            der.oid(dstu_oids.SHROUDED_KEY_BAG),
            der.explicit(0, writer.encrypted_private_key(KEY, PASSWORD, iterations=FEW)),
        )
        data = der.sequence(der.integer(3), writer.content_info(safe_contents(bag)))
        assert only_key(data) == KEY
        with pytest.raises(WrongPasswordOrDamaged):
            only_key(data, "other")

    @pytest.mark.parametrize("in_pieces", [False, True])
    def test_contents_encrypted_as_a_whole_open(self, in_pieces: bool) -> None:
        scheme, body = der.parse(
            writer.encrypt(der.sequence(key_bag()), PASSWORD, iterations=FEW)
        ).children()
        octets = body.octets()
        encrypted = (
            der.explicit(0, der.octet_string(octets[:50]), der.octet_string(octets[50:]))
            if in_pieces
            else der.encode(der.context_primitive(0), octets)
        )
        content = der.sequence(
            der.integer(0), der.sequence(der.oid(dstu_oids.DATA), scheme.raw, encrypted)
        )
        info = der.sequence(der.oid(dstu_oids.ENCRYPTED_DATA), der.explicit(0, content))
        assert only_key(with_mac(der.sequence(info))) == KEY

    def test_nested_contents_open_to_some_depth(self) -> None:
        bag = key_bag()
        for _ in range(3):
            bag = der.sequence(
                der.oid(dstu_oids.SAFE_CONTENTS_BAG), der.explicit(0, der.sequence(bag))
            )
        assert only_key(with_mac(safe_contents(bag))) == KEY
        for _ in range(4):
            bag = der.sequence(
                der.oid(dstu_oids.SAFE_CONTENTS_BAG), der.explicit(0, der.sequence(bag))
            )
        with pytest.raises(DamagedKeyFile):
            only_key(with_mac(safe_contents(bag)))

    def test_unknown_bags_and_attributes_are_passed_over(self) -> None:
        secret = der.sequence(
            der.oid("1.2.840.113549.1.12.10.1.5"), der.explicit(0, der.sequence(der.null()))
        )
        other_attribute = der.sequence(der.oid("1.2.3"), der.encode(der.SET, der.null()))
        name = der.sequence(
            der.oid(dstu_oids.FRIENDLY_NAME),
            der.encode(der.SET, der.encode(der.BMP_STRING, "ключ".encode("utf-16-be"))),
        )
        named = der.sequence(
            der.oid(dstu_oids.KEY_BAG),
            der.explicit(0, writer.private_key_info(KEY)),
            der.encode(der.SET, other_attribute, name),
        )
        (key,) = open_container(with_mac(safe_contents(secret, named)), PASSWORD).keys
        assert key.name == "ключ"

    def test_too_many_bags_are_damage(self) -> None:
        other = der.sequence(der.oid("1.2.3"), der.explicit(0, der.null()))
        with pytest.raises(DamagedKeyFile, match="number of bags"):
            only_key(with_mac(safe_contents(*[other] * 65)))

    def test_a_file_without_keys_says_so(self, person: Holder) -> None:
        data = writer.pkcs12(
            [], PASSWORD, certificates=[person.signing_certificate], iterations=FEW
        )
        with pytest.raises(NoKeyInside):
            open_container(data, PASSWORD)

    def test_contents_signed_or_enveloped_are_named(self) -> None:
        outer = der.sequence(der.integer(3), der.sequence(der.oid(dstu_oids.SIGNED_DATA)))
        with pytest.raises(UnsupportedKeyFile, match="public key"):
            only_key(outer)
        enveloped = der.sequence(der.oid("1.2.840.113549.1.7.3"), der.explicit(0, der.sequence()))
        with pytest.raises(UnsupportedKeyFile, match=r"1\.2\.840\.113549\.1\.7\.3"):
            only_key(with_mac(der.sequence(enveloped)))

    def test_a_certificate_that_cannot_be_read_does_not_matter(self, person: Holder) -> None:
        data = writer.pkcs12(
            [person.signing],
            PASSWORD,
            certificates=[b"no certificate", person.signing_certificate],
            iterations=FEW,
        )
        assert open_container(data, PASSWORD).choose().private == person.signing

    def test_keys_of_other_algorithms_beside_ours_are_passed_over(self) -> None:
        foreign = der.sequence(
            der.oid(dstu_oids.KEY_BAG), der.explicit(0, plain_foreign(rsa_key()))
        )
        odd = der.sequence(
            der.oid(dstu_oids.SHROUDED_KEY_BAG),
            der.explicit(0, der.sequence(der.sequence(der.oid("1.2.3")), der.octet_string(b""))),
        )
        assert only_key(with_mac(safe_contents(foreign, odd, key_bag()))) == KEY
        with pytest.raises(ForeignKey):
            only_key(with_mac(safe_contents(foreign)))
        with pytest.raises(UnsupportedKeyFile):
            only_key(with_mac(safe_contents(odd)))
