from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.signing import cms, der
from infra.signing.certificate import Certificate
from infra.signing.development import DevelopmentKeyStore, Holder
from infra.signing.errors import Reason, SignatureInvalid, UnknownAlgorithm
from infra.signing.signed_message import CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_CERTIFICATE_V2
from infra.signing.suites import ECDSA_P256, SUITES, Suite, SuiteRegistry

CONTENT = '<?xml version="1.0" encoding="windows-1251"?><CHECK/>'.encode("cp1251")
HOLDER = Holder("Касир", personal_code="1234567890", company_code="12345678")


@dataclass(frozen=True)
class Signer:
    """A signer with one thing about it changed."""

    certificate: Certificate
    key: cms.MessageSigner
    suite: Suite = ECDSA_P256

    def sign_digest(self, digest: bytes) -> bytes:
        return self.key.sign_digest(digest)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentKeyStore:
    return DevelopmentKeyStore(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def key(store: DevelopmentKeyStore) -> cms.MessageSigner:
    return store.ensure("cashier", HOLDER).signer


@pytest.fixture(scope="module")
def message(key: cms.MessageSigner) -> bytes:
    return cms.sign(CONTENT, signer=key)


def reason_of(data: bytes, *, suites: SuiteRegistry | None = None) -> str:
    """Why reading and judging refuses a message."""
    with pytest.raises(SignatureInvalid) as caught:
        cms.verify(cms.parse(data), trust=None, suites=suites or SUITES)
    return caught.value.reason


def rebuilt(message: bytes, change: dict[int, list[bytes]]) -> bytes:
    """A message with parts of its SignedData replaced, by their place in it."""
    content_info = der.parse(message).fields()
    head = content_info.take().raw
    parts = [[node.raw] for node in content_info.take().only_child().children()]
    for place, replacement in change.items():
        parts[place] = replacement
    signed_data = der.sequence(*(part for group in parts for part in group))
    return der.sequence(head, der.explicit(0, signed_data))


def signer_info(message: bytes) -> der.Node:
    """The first SignerInfo of a message."""
    content_info = der.parse(message).fields()
    content_info.take()
    return content_info.take().only_child().children()[-1].children()[0]


class TestSign:
    def test_the_content_comes_back_and_the_signer_is_known(
        self, message: bytes, key: cms.MessageSigner
    ) -> None:
        parsed = cms.parse(message)
        assert parsed.content == CONTENT
        assert cms.verify(parsed, trust=None) == key.certificate

    def test_the_form_is_the_one_the_tax_service_takes(
        self, message: bytes, key: cms.MessageSigner
    ) -> None:
        parsed = cms.parse(message)
        signer = parsed.signer
        assert (parsed.version, signer.version) == (1, 1)
        assert parsed.content_type == cms.DATA
        assert parsed.digest_oids == (signer.digest_oid,) == (ECDSA_P256.digest_oid,)
        assert parsed.certificates == (key.certificate.raw,)
        assert not parsed.has_revocation_values
        assert not parsed.has_content_timestamp
        assert parsed.timestamp_token is None
        assert parsed.signing_time is None
        assert signer.issuer == key.certificate.issuer.raw
        assert signer.unsigned_attributes == ()
        assert {attribute.oid for attribute in signer.signed_attributes} == {
            CONTENT_TYPE,
            MESSAGE_DIGEST,
            SIGNING_CERTIFICATE_V2,
        }

    def test_signed_attributes_are_in_der_order(self, key: cms.MessageSigner) -> None:
        moment = datetime(2026, 9, 10, tzinfo=UTC)
        signer = cms.parse(cms.sign(CONTENT, signer=key, signing_time=moment)).signer
        attributes = [node.raw for node in der.parse(signer.signed_attributes_raw).children()]
        assert len(attributes) == 4
        assert attributes == sorted(attributes)

    def test_a_stated_signing_time_is_signed(self, key: cms.MessageSigner) -> None:
        moment = key.certificate.not_before + timedelta(hours=1)
        parsed = cms.parse(cms.sign(CONTENT, signer=key, signing_time=moment))
        assert parsed.signing_time == moment
        cms.verify(parsed, trust=None)

    def test_empty_content_is_content(self, key: cms.MessageSigner) -> None:
        parsed = cms.parse(cms.sign(b"", signer=key))
        assert parsed.content == b""
        cms.verify(parsed, trust=None)


class TestVerify:
    def test_changed_content_is_refused(self, message: bytes) -> None:
        assert reason_of(message.replace(b"<CHECK/>", b"<CHECK\\>")) == Reason.MESSAGE_DIGEST

    def test_a_changed_signature_is_refused(self, message: bytes) -> None:
        assert reason_of(message[:-1] + bytes((message[-1] ^ 1,))) == Reason.SIGNATURE

    def test_another_holders_certificate_is_refused(
        self, store: DevelopmentKeyStore, key: cms.MessageSigner
    ) -> None:
        other = store.ensure("other", HOLDER).signer.certificate
        forged = cms.sign(CONTENT, signer=Signer(certificate=other, key=key))
        assert reason_of(forged) == Reason.SIGNATURE

    def test_a_certificate_that_was_not_signed_with_is_refused(
        self, message: bytes, key: cms.MessageSigner
    ) -> None:
        # Same names, number and key; only the issuer's signature on it differs.
        raw = key.certificate.raw
        swapped = der.explicit(0, raw[:-1] + bytes((raw[-1] ^ 1,)))
        assert reason_of(rebuilt(message, {3: [swapped]})) == Reason.SIGNING_CERTIFICATE

    def test_a_message_without_its_certificate_is_refused(
        self, message: bytes, store: DevelopmentKeyStore
    ) -> None:
        assert reason_of(rebuilt(message, {3: []})) == Reason.CERTIFICATE_MISSING
        authority = der.explicit(0, store.authority_certificate.raw)
        assert reason_of(rebuilt(message, {3: [authority]})) == Reason.CERTIFICATE_MISSING

    def test_more_or_less_than_one_signer_is_refused(self, message: bytes) -> None:
        info = signer_info(message).raw
        two = rebuilt(message, {4: [der.encode(der.SET, info, info)]})
        none = rebuilt(message, {4: [der.encode(der.SET)]})
        assert len(cms.parse(two).signers) == 2
        assert reason_of(two) == Reason.SEVERAL_SIGNERS
        assert reason_of(none) == Reason.NO_SIGNER

    def test_content_left_outside_is_refused(self, message: bytes) -> None:
        detached = rebuilt(message, {2: [der.sequence(der.oid(cms.DATA))]})
        assert cms.parse(detached).content is None
        assert reason_of(detached) == Reason.CONTENT_MISSING

    def test_content_of_another_type_is_refused(self, key: cms.MessageSigner) -> None:
        other = cms.sign(CONTENT, signer=key, content_type="1.2.840.113549.1.9.16.1.4")
        assert reason_of(other) == Reason.CONTENT_TYPE

    def test_a_type_that_was_not_signed_is_refused(self, message: bytes) -> None:
        other = rebuilt(
            message,
            {
                0: [der.integer(3)],
                2: [
                    der.sequence(
                        der.oid("1.2.840.113549.1.7.6"), der.explicit(0, der.octet_string(CONTENT))
                    )
                ],
            },
        )
        with pytest.raises(SignatureInvalid) as caught:
            cms.verify(cms.parse(other), trust=None, content_type="1.2.840.113549.1.7.6")
        assert caught.value.reason == Reason.CONTENT_TYPE

    @pytest.mark.parametrize("version", [0, 3, 4])
    def test_versions_have_one_spelling(self, message: bytes, version: int) -> None:
        assert reason_of(rebuilt(message, {0: [der.integer(version)]})) == Reason.VERSION
        fields = signer_info(message).children()
        info = der.sequence(der.integer(version), *(node.raw for node in fields[1:]))
        assert reason_of(rebuilt(message, {4: [der.encode(der.SET, info)]})) == Reason.VERSION

    def test_the_list_of_hashes_must_be_the_signers(self, message: bytes) -> None:
        gost = der.sequence(der.oid("1.2.804.2.1.1.1.1.2.1"))
        own = der.sequence(der.oid(ECDSA_P256.digest_oid))
        for listed in ([gost], [own, gost], []):
            other = rebuilt(message, {1: [der.encode(der.SET, *listed)]})
            assert reason_of(other) == Reason.DIGEST_ALGORITHMS

    def test_an_unknown_algorithm_is_named(self, message: bytes) -> None:
        with pytest.raises(UnknownAlgorithm, match=ECDSA_P256.signature_oid):
            cms.verify(cms.parse(message), trust=None, suites=SuiteRegistry())

    def test_a_key_of_another_algorithm_is_refused(self, message: bytes) -> None:
        suite = Suite(
            name="other keys",
            digest_oid=ECDSA_P256.digest_oid,
            digest=ECDSA_P256.digest,
            signature_oid=ECDSA_P256.signature_oid,
            key_oids=frozenset({"1.2.3"}),
            verify=ECDSA_P256.verify,
        )
        assert reason_of(message, suites=SuiteRegistry(suite)) == Reason.KEY_ALGORITHM

    def test_a_key_that_is_not_for_signatures_is_refused(
        self, store: DevelopmentKeyStore, key: cms.MessageSigner
    ) -> None:
        authority = Signer(certificate=store.authority_certificate, key=key)
        assert reason_of(cms.sign(CONTENT, signer=authority)) == Reason.KEY_USAGE

    def test_a_signing_time_outside_validity_is_refused(self, key: cms.MessageSigner) -> None:
        late = key.certificate.not_after + timedelta(seconds=1)
        assert reason_of(cms.sign(CONTENT, signer=key, signing_time=late)) == Reason.SIGNING_TIME

    @pytest.mark.parametrize("oid", [CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_CERTIFICATE_V2])
    def test_each_signed_attribute_must_be_there_once(
        self, message: bytes, key: cms.MessageSigner, oid: str
    ) -> None:
        signer = cms.parse(message).signer
        attributes = der.parse(signer.signed_attributes_raw).children()
        chosen = [node.raw for node in attributes if node.fields().take().oid() != oid]
        repeated = [node.raw for node in attributes] + [
            node.raw for node in attributes if node.fields().take().oid() == oid
        ]
        for kept in (chosen, repeated):
            signed = der.set_of(kept)
            fields = [node.raw for node in signer_info(message).children()]
            fields[3] = der.retagged(signed, der.context(0))
            fields[5] = der.octet_string(key.sign_digest(ECDSA_P256.digest(signed)))
            info = der.sequence(*fields)
            other = rebuilt(message, {4: [der.encode(der.SET, info)]})
            assert reason_of(other) == Reason.SIGNED_ATTRIBUTES

    def test_unsorted_attributes_are_hashed_as_received(
        self, message: bytes, key: cms.MessageSigner
    ) -> None:
        signer = cms.parse(message).signer
        attributes = [node.raw for node in der.parse(signer.signed_attributes_raw).children()]
        unsorted = der.encode(der.SET, *reversed(attributes))
        fields = [node.raw for node in signer_info(message).children()]
        fields[3] = der.retagged(unsorted, der.context(0))
        fields[5] = der.octet_string(key.sign_digest(ECDSA_P256.digest(unsorted)))
        other = rebuilt(message, {4: [der.encode(der.SET, der.sequence(*fields))]})
        cms.verify(cms.parse(other), trust=None)

    def test_a_signer_named_by_key_identifier_is_found(
        self, message: bytes, key: cms.MessageSigner
    ) -> None:
        key_id = key.certificate.subject_key_id
        assert key_id is not None
        fields = [node.raw for node in signer_info(message).children()]
        implicit = der.encode(der.context_primitive(0), key_id)
        as_official_samples = der.explicit(0, der.octet_string(key_id))
        for version, identifier in ((3, implicit), (1, as_official_samples)):
            info = der.sequence(der.integer(version), identifier, *fields[2:])
            other = rebuilt(message, {0: [der.integer(version)], 4: [der.encode(der.SET, info)]})
            assert cms.verify(cms.parse(other), trust=None) == key.certificate

    def test_trust_needs_a_moment(self, message: bytes, store: DevelopmentKeyStore) -> None:
        with pytest.raises(ValueError, match="give `at`"):
            cms.verify(cms.parse(message), trust=store.trust_anchors())

    def test_trust_is_judged_as_of_the_moment(
        self, message: bytes, store: DevelopmentKeyStore, key: cms.MessageSigner
    ) -> None:
        parsed, trust = cms.parse(message), store.trust_anchors()
        cms.verify(parsed, trust=trust, at=key.certificate.not_after)
        with pytest.raises(SignatureInvalid) as caught:
            cms.verify(parsed, trust=trust, at=key.certificate.not_after + timedelta(seconds=1))
        assert caught.value.reason == Reason.EXPIRED

    def test_a_stranger_is_not_trusted(self, message: bytes, tmp_path: Path) -> None:
        trust = DevelopmentKeyStore(tmp_path).trust_anchors()
        with pytest.raises(SignatureInvalid) as caught:
            cms.verify(cms.parse(message), trust=trust, at=datetime.now(UTC))
        assert caught.value.reason == Reason.UNTRUSTED_ISSUER


class TestParse:
    @pytest.mark.parametrize(
        "data", [b"", b"OK", b"{}", b"\x30\x00", der.sequence(der.oid(cms.DATA))]
    )
    def test_what_is_no_signed_message_is_malformed(self, data: bytes) -> None:
        with pytest.raises(SignatureInvalid) as caught:
            cms.parse(data)
        assert caught.value.reason == Reason.MALFORMED

    def test_bytes_after_the_message_are_refused(self, message: bytes) -> None:
        assert reason_of(message + b"\x00") == Reason.MALFORMED

    def test_parameters_other_than_null_are_refused(self, message: bytes) -> None:
        own = der.oid(ECDSA_P256.digest_oid)
        null = der.encode(der.SET, der.sequence(own, der.null()))
        cms.verify(cms.parse(rebuilt(message, {1: [null]})), trust=None)
        other = der.encode(der.SET, der.sequence(own, der.integer(1)))
        assert reason_of(rebuilt(message, {1: [other]})) == Reason.MALFORMED


class TestWithTimestamp:
    TOKEN = der.sequence(der.oid(cms.DATA), der.explicit(0, der.octet_string(bytes(300))))

    def test_only_the_attribute_is_added(self, message: bytes) -> None:
        stamped = cms.with_timestamp(message, self.TOKEN)
        before, after = cms.parse(message), cms.parse(stamped)
        assert after.timestamp_token == self.TOKEN
        assert (after.content, after.certificates) == (before.content, before.certificates)
        assert after.signer.signed_attributes_raw == before.signer.signed_attributes_raw
        assert after.signer.signature == before.signer.signature
        assert signer_info(stamped).content.startswith(signer_info(message).content)
        cms.verify(after, trust=None)

    def test_a_second_time_stamp_is_refused(self, message: bytes) -> None:
        with pytest.raises(SignatureInvalid, match="already there"):
            cms.with_timestamp(cms.with_timestamp(message, self.TOKEN), self.TOKEN)

    @pytest.mark.parametrize("token", [b"", b"\x30\x05", der.octet_string(b"x")])
    def test_a_malformed_token_is_refused(self, message: bytes, token: bytes) -> None:
        with pytest.raises(SignatureInvalid):
            cms.with_timestamp(message, token)

    def test_a_malformed_message_is_refused(self) -> None:
        with pytest.raises(SignatureInvalid):
            cms.with_timestamp(b"\x30\x00", self.TOKEN)

    def test_a_message_of_two_signers_is_refused(self, message: bytes) -> None:
        info = signer_info(message).raw
        two = rebuilt(message, {4: [der.encode(der.SET, info, info)]})
        with pytest.raises(SignatureInvalid) as caught:
            cms.with_timestamp(two, self.TOKEN)
        assert caught.value.reason == Reason.SEVERAL_SIGNERS


class TestOfficialSamples:
    """Documents and a command that the tax service published, signed with ДСТУ 4145."""

    @pytest.mark.parametrize(
        ("name", "stamped"),
        [
            ("чек.xml.signed", True),
            ("Z-звіт.xml.signed", True),
            ("запит_стану_РРО.json.signed", False),
        ],
    )
    def test_a_sample_verifies(self, shared_folder: Path, name: str, stamped: bool) -> None:
        folder = shared_folder / "reference" / "fiscal-server" / "signed-samples"
        message = cms.parse((folder / name).read_bytes())
        certificate = cms.verify(message, trust=None)
        assert (certificate.personal_code, certificate.company_code) == ("1089999992", "10899999")
        assert (message.timestamp_token is not None) is stamped
        assert not message.has_content_timestamp
        if stamped:
            assert message.content is not None
            assert message.content.startswith(b'<?xml version="1.0" encoding="windows-1251"')

    def test_a_changed_sample_does_not(self, shared_folder: Path) -> None:
        folder = shared_folder / "reference" / "fiscal-server" / "signed-samples"
        data = (folder / "чек.xml.signed").read_bytes()
        assert reason_of(data.replace(b"<DOCTYPE>0", b"<DOCTYPE>1")) == Reason.MESSAGE_DIGEST
