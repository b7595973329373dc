"""Signed messages of the field and of our own, under DSTU 4145: what verifies and what does not."""

import base64
import json
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.signing import cms, timestamp
from infra.signing.certificate import parse_certificate
from infra.signing.containers import open_container
from infra.signing.curves import M257, M431
from infra.signing.dstu4145 import PrivateKey
from infra.signing.dstu_authority import CertificatePurpose, DstuAuthority, Subject
from infra.signing.dstu_signer import DstuSigner, suite_for
from infra.signing.dstu_suites import DSTU_GOST, DSTU_KUPYNA_256, DSTU_SUITES
from infra.signing.errors import Reason, SignatureInvalid
from infra.signing.suite import Suite
from infra.signing.trust import TrustAnchors, read_certificates

suites = pytest.mark.parametrize("suite", DSTU_SUITES, ids=lambda suite: suite.name)

FROM = datetime(2024, 1, 1, tzinfo=UTC)
TO = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2025, 5, 5, 12, tzinfo=UTC)
CONTENT = "<?xml version='1.0' encoding='windows-1251'?><CHECK>хліб</CHECK>".encode("cp1251")


def reason(message: cms.SignedMessage) -> str:
    with pytest.raises(SignatureInvalid) as caught:
        cms.verify(message, trust=None)
    return caught.value.reason


# --- samples of the field ---------------------------------------------------------------------------


class TestSamplesOfJkurwa:
    def test_an_attached_message_with_unsorted_attributes_verifies(self, sample_keys: Path) -> None:
        message = cms.parse((sample_keys / "jkurwa/message.p7").read_bytes())
        certificate = cms.verify(message, trust=None)
        own = read_certificates((sample_keys / "jkurwa/SELF_SIGNED1.cer").read_bytes())
        assert [certificate.raw] == own
        assert message.content == b"123"
        assert message.signing_time == datetime.fromtimestamp(1540236305, UTC)
        assert message.signer.signature.hex() == (
            "a2f0f6927e40a651876548c53052dba0f6240adb5d0bffa23b5ed617c4398a60"
            "0dd1257022b776eb16290c71de9804600307ecb01a2990c387ab7269dd44d917"
        )

    def test_a_detached_message_verifies_with_its_content_only(self, sample_keys: Path) -> None:
        message = cms.parse((sample_keys / "jkurwa/message_detached.p7").read_bytes())
        assert reason(message) == Reason.CONTENT_MISSING
        cms.verify(replace(message, content=b"123"), trust=None)
        assert reason(replace(message, content=b"124")) == Reason.MESSAGE_DIGEST


class TestSamplesOfUapki:
    @pytest.fixture
    def messages(self, sample_keys: Path) -> list[cms.SignedMessage]:
        document = json.loads((sample_keys / "uapki/verify-dstu.json").read_text())
        found = []
        for task in document["tasks"]:
            if task["method"] == "VERIFY":
                given_signature = task["parameters"]["signature"]
                message = cms.parse(base64.b64decode(given_signature["bytes"]))
                if "content" in given_signature:
                    content = base64.b64decode(given_signature["content"])
                    message = replace(message, content=content)
                found.append(message)
        assert len(found) == 5
        return found

    def test_four_verify_and_the_fifth_fails_on_the_digest(
        self, messages: list[cms.SignedMessage], sample_keys: Path
    ) -> None:
        signer = (sample_keys / "uapki/certs/diia-test-sign-7775603.cer").read_bytes()
        fox = (sample_keys / "uapki/test-fox.txt").read_bytes()
        for message in messages[:4]:
            assert cms.verify(message, trust=None).raw == signer
            assert message.content == fox
        assert reason(messages[4]) == Reason.MESSAGE_DIGEST

    def test_the_signer_s_chain_leads_to_the_root(
        self, messages: list[cms.SignedMessage], sample_keys: Path
    ) -> None:
        certificates = sample_keys / "uapki/certs"
        (root,) = certificates.glob("CAO-*.cer")
        (authority,) = certificates.glob("diia-CA-*.cer")
        trust = TrustAnchors(roots=[root.read_bytes()], intermediates=[authority.read_bytes()])
        moment = messages[0].signing_time
        assert moment is not None
        cms.verify(messages[0], trust=trust, at=moment)
        with pytest.raises(SignatureInvalid) as refused:
            cms.verify(messages[0], trust=trust, at=moment + timedelta(days=400))
        assert refused.value.reason == Reason.EXPIRED

    def test_the_time_stamp_verifies_with_the_authority_s_certificate_beside_it(
        self, messages: list[cms.SignedMessage], sample_keys: Path
    ) -> None:
        # This authority leaves its certificate out of the token.
        token = messages[1].timestamp_token
        assert token is not None
        with pytest.raises(SignatureInvalid) as refused:
            timestamp.verify_message_timestamp(messages[1], trust=None)
        assert refused.value.reason == Reason.CERTIFICATE_MISSING
        (beside,) = (sample_keys / "uapki/certs").glob("diia-2023-tsp-*.cer")
        parsed = replace(cms.parse(token), certificates=(beside.read_bytes(),))
        cms.verify(parsed, trust=None, content_type=timestamp.TST_INFO)
        stamp = timestamp.read_timestamp(parsed)
        assert stamp.imprint == DSTU_GOST.digest(messages[1].signer.signature)


SIGNED_SAMPLES = {
    "чек.xml.signed": datetime(2020, 7, 21, 7, 37, 28, tzinfo=UTC),
    "Z-звіт.xml.signed": datetime(2020, 7, 21, 7, 44, 1, tzinfo=UTC),
    "запит_стану_РРО.json.signed": None,
}
PACKAGE_STAMPS = (
    datetime(2021, 3, 12, 15, 55, 33, tzinfo=UTC),
    None,
    None,
    None,
    None,
    None,
    datetime(2021, 3, 12, 15, 55, 40, tzinfo=UTC),
)
"""Only the first and the last document of the official offline package are time-stamped."""


class TestSamplesOfTheTaxService:
    """Digest, signature and time-stamp of each verify under the certificates they carry."""

    def check(self, data: bytes, *, stamped: datetime | None) -> cms.SignedMessage:
        message = cms.parse(data)
        certificate = cms.verify(message, trust=None)
        assert message.signer.signature_oid == DSTU_GOST.signature_oid
        assert message.signer.subject_key_id == certificate.subject_key_id
        assert certificate.company_code is not None
        if stamped is None:
            assert message.timestamp_token is None
        else:
            assert timestamp.verify_message_timestamp(message, trust=None).time == stamped
        return message

    @pytest.mark.parametrize(("name", "stamped"), SIGNED_SAMPLES.items())
    def test_documents_and_command(
        self, name: str, stamped: datetime | None, shared_folder: Path
    ) -> None:
        folder = shared_folder / "reference/fiscal-server/signed-samples"
        data = (folder / name).read_bytes()
        message = self.check(data, stamped=stamped)
        assert message.content is not None
        changed = data.replace(message.content, message.content[:-1] + b"!")
        assert reason(cms.parse(changed)) == Reason.MESSAGE_DIGEST

    def test_every_document_of_the_offline_package(self, shared_folder: Path) -> None:
        folder = shared_folder / "reference/fiscal-server/signed-samples"
        package = (folder / "offline_packet.bin").read_bytes()
        position, count = 0, 0
        for stamped in PACKAGE_STAMPS:
            (size,) = struct.unpack_from("<I", package, position)
            self.check(package[position + 4 : position + 4 + size], stamped=stamped)
            position += 4 + size
            count += 1
        assert (position, count) == (len(package), 7)


class TestRealChains:
    @pytest.mark.parametrize(
        ("certificate", "issuer"),
        [
            ("uapki/certs/CAO-05E19E2CD92EA2990100000001000000C1000000.cer", None),
            (
                "uapki/certs/diia-CA-05E19E2CD92EA2990100000001000000E1000000.cer",
                "uapki/certs/CAO-05E19E2CD92EA2990100000001000000C1000000.cer",
            ),
            (
                "uapki/certs/diia-test-sign-7775603.cer",
                "uapki/certs/diia-CA-05E19E2CD92EA2990100000001000000E1000000.cer",
            ),
            ("jkurwa/CZOROOT.cer", None),
            ("jkurwa/CA-Justice.cer", "jkurwa/CZOROOT.cer"),
            ("cryptonite/pkiExample_DSTU4145_M257_PB/root_certificate.cer", None),
            *(
                (
                    f"cryptonite/pkiExample_DSTU4145_M257_PB/{name}_certificate.cer",
                    "cryptonite/pkiExample_DSTU4145_M257_PB/root_certificate.cer",
                )
                for name in ("ocsp", "userfiz", "userur")
            ),
        ],
    )
    def test_each_link_verifies(
        self, certificate: str, issuer: str | None, sample_keys: Path
    ) -> None:
        (raw,) = read_certificates((sample_keys / certificate).read_bytes())
        (issuer_raw,) = read_certificates((sample_keys / (issuer or certificate)).read_bytes())
        child, parent = parse_certificate(raw), parse_certificate(issuer_raw)
        assert child.verify_signed_by(parent)
        changed = bytearray(raw)
        changed[raw.index(child.tbs) + 60] ^= 1
        try:
            assert not parse_certificate(bytes(changed)).verify_signed_by(parent)
        except SignatureInvalid as error:
            assert error.reason == Reason.CERTIFICATE_MALFORMED  # noqa: PT017

    def test_the_chains_in_privatbank_s_store_verify(self, sample_keys: Path) -> None:
        data = (sample_keys / "prozorro-robot/boss.jks").read_bytes()
        container = open_container(data, "1111111111")
        roots = [item.raw for item in container.certificates if item.is_self_issued]
        others = [item.raw for item in container.certificates if not item.is_self_issued]
        trust = TrustAnchors(roots=roots, intermediates=others)
        for key in container.signing_keys:
            assert key.certificate is not None
            chain = trust.check(key.certificate, at=datetime(2018, 1, 15, tzinfo=UTC))
            assert len(chain) == 3


# --- our own ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[DSTU_GOST, DSTU_KUPYNA_256], ids=lambda suite: suite.name)
def authority(request: pytest.FixtureRequest) -> DstuAuthority:
    suite = request.param
    assert isinstance(suite, Suite)
    return DstuAuthority.create(not_before=FROM, not_after=TO, suite=suite)


def signer_of(
    authority: DstuAuthority,
    *,
    purpose: CertificatePurpose = CertificatePurpose.SIGNING,
    suite: Suite | None = None,
) -> DstuSigner:
    key = PrivateKey.generate(M257)
    subject = Subject(common_name="Касирка Олена", personal_code="1234567890")
    raw = authority.issue(key.public, subject, not_before=FROM, not_after=TO, purpose=purpose)
    return DstuSigner(private_key=key, certificate=parse_certificate(raw), suite=suite)


class TestOwnMessages:
    def test_a_message_verifies_up_to_the_authority(self, authority: DstuAuthority) -> None:
        signer = signer_of(authority)
        data = cms.sign(CONTENT, signer=signer, signing_time=NOW)
        trust = TrustAnchors(roots=[authority.certificate.raw])
        message = cms.parse(data)
        assert cms.verify(message, trust=trust, at=NOW) == signer.certificate
        assert message.signer.digest_oid == signer.suite.digest_oid
        assert len(message.signer.signature) == 64

    def test_the_suite_follows_the_certificate_unless_told(self, authority: DstuAuthority) -> None:
        signer = signer_of(authority)
        assert signer.suite.signature_oid == signer.certificate.signature_oid
        other = DSTU_KUPYNA_256 if signer.suite is DSTU_GOST else DSTU_GOST
        told = signer_of(authority, suite=other)
        data = cms.sign(CONTENT, signer=told)
        # The algorithms of a message are its own; the certificate's are the authority's.
        assert cms.verify(cms.parse(data), trust=None) == told.certificate
        assert cms.parse(data).signer.signature_oid == other.signature_oid

    @given(data=st.data())
    def test_no_changed_bit_goes_unnoticed(
        self, data: st.DataObject, authority: DstuAuthority
    ) -> None:
        signed = cms.sign(CONTENT, signer=signer_of(authority))
        trust = TrustAnchors(roots=[authority.certificate.raw])
        changed = bytearray(signed)
        changed[data.draw(st.integers(0, len(signed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        with pytest.raises(SignatureInvalid):
            cms.verify(cms.parse(bytes(changed)), trust=trust, at=NOW)

    def test_a_time_stamp_is_added_and_proven(self, authority: DstuAuthority) -> None:
        signer = signer_of(authority)
        stamper = timestamp.TimestampAuthority(
            signer_of(authority, purpose=CertificatePurpose.TIMESTAMPS), clock=lambda: NOW
        )
        message = cms.sign(CONTENT, signer=signer)
        request = timestamp.build_request(
            cms.parse(message).signer.signature, suite=signer.suite, nonce=7
        )
        token = timestamp.token_of_response(stamper.answer(request))
        stamped = cms.parse(cms.with_timestamp(message, token))
        trust = TrustAnchors(roots=[authority.certificate.raw])
        assert timestamp.verify_message_timestamp(stamped, trust=trust).time == NOW
        cms.verify(stamped, trust=trust, at=NOW)


@suites
def test_every_suite_signs_and_verifies(suite: Suite) -> None:
    authority = DstuAuthority.create(not_before=FROM, not_after=TO, suite=suite, curve=M431)
    signer = signer_of(authority)
    assert signer.suite is suite
    message = cms.parse(cms.sign(CONTENT, signer=signer))
    cms.verify(message, trust=TrustAnchors(roots=[authority.certificate.raw]), at=NOW)


class TestSigner:
    def test_a_certificate_of_another_key_is_refused(self) -> None:
        authority = DstuAuthority.create(not_before=FROM, not_after=TO)
        certificate = signer_of(authority).certificate
        with pytest.raises(SignatureInvalid, match="another key"):
            DstuSigner(private_key=PrivateKey.generate(M257), certificate=certificate)

    def test_a_key_for_encryption_is_refused(self) -> None:
        authority = DstuAuthority.create(not_before=FROM, not_after=TO)
        with pytest.raises(SignatureInvalid, match="not for signatures"):
            signer_of(authority, purpose=CertificatePurpose.AGREEMENT)

    def test_it_does_not_show_its_key(self) -> None:
        signer = signer_of(DstuAuthority.create(not_before=FROM, not_after=TO))
        assert str(signer._private_key.scalar) not in repr(signer)

    def test_a_certificate_signed_otherwise_means_gost(self, sample_keys: Path) -> None:
        raw = (sample_keys / "jkurwa/CA-Justice-ECDSA-261217.cer").read_bytes()
        assert suite_for(parse_certificate(raw)) is DSTU_GOST


class TestKeysOfOthers:
    @pytest.mark.parametrize("suite", [DSTU_GOST, DSTU_KUPYNA_256], ids=lambda suite: suite.name)
    def test_nothing_verifies_under_a_key_that_is_not_dstu(
        self, suite: Suite, sample_keys: Path
    ) -> None:
        raw = (sample_keys / "jkurwa/CA-Justice-ECDSA-261217.cer").read_bytes()
        assert not suite.verify(parse_certificate(raw).spki, bytes(32), bytes(64))
        assert not suite.verify(b"no key", bytes(32), bytes(64))
