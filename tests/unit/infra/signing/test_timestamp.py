from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from infra.signing import cms, der, timestamp
from infra.signing.development import DevelopmentKeyStore, Holder, KeyPurpose
from infra.signing.errors import Reason, SignatureInvalid
from infra.signing.suites import ECDSA_P256
from infra.signing.timestamp import (
    TimestampAuthority,
    build_request,
    token_of_response,
    verify_token,
)
from infra.signing.trust import TrustAnchors

SIGNATURE = b"a signature value"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentKeyStore:
    return DevelopmentKeyStore(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def authority(store: DevelopmentKeyStore) -> TimestampAuthority:
    key = store.ensure("tsa", Holder("TSP"), purpose=KeyPurpose.TIMESTAMPS)
    return TimestampAuthority(key.signer, clock=lambda: NOW)


@pytest.fixture(scope="module")
def trust(store: DevelopmentKeyStore) -> TrustAnchors:
    return store.trust_anchors()


def stamped(authority: TimestampAuthority, *, nonce: int | None = None) -> bytes:
    request = build_request(SIGNATURE, suite=ECDSA_P256, nonce=nonce)
    return token_of_response(authority.answer(request))


def refusal(token: bytes, *, nonce: int | None = None) -> str:
    with pytest.raises(SignatureInvalid) as caught:
        verify_token(token, signature=SIGNATURE, trust=None, nonce=nonce)
    return caught.value.reason


class TestRoundTrip:
    def test_a_token_proves_the_time_of_a_signature(
        self, authority: TimestampAuthority, trust: TrustAnchors
    ) -> None:
        token = stamped(authority, nonce=2**63 - 1)
        stamp = verify_token(token, signature=SIGNATURE, trust=trust, nonce=2**63 - 1)
        assert (stamp.time, stamp.nonce) == (NOW, 2**63 - 1)
        assert stamp.imprint == ECDSA_P256.digest(SIGNATURE)

    def test_serial_numbers_differ(self, authority: TimestampAuthority) -> None:
        serials = {
            timestamp.read_timestamp(cms.parse(stamped(authority))).serial for _ in range(20)
        }
        assert len(serials) == 20

    def test_a_message_carries_its_stamp(
        self, store: DevelopmentKeyStore, authority: TimestampAuthority, trust: TrustAnchors
    ) -> None:
        signed = cms.sign(b"content", signer=store.ensure("cashier", Holder("Касир")).signer)
        signature = cms.parse(signed).signer.signature
        response = authority.answer(build_request(signature, suite=ECDSA_P256))
        message = cms.parse(cms.with_timestamp(signed, token_of_response(response)))
        cms.verify(message, trust=trust, at=NOW)
        assert timestamp.verify_message_timestamp(message, trust=trust).time == NOW

    def test_a_message_without_a_stamp_is_told(self, store: DevelopmentKeyStore) -> None:
        signed = cms.sign(b"content", signer=store.ensure("cashier", Holder("Касир")).signer)
        with pytest.raises(SignatureInvalid) as caught:
            timestamp.verify_message_timestamp(cms.parse(signed), trust=None)
        assert caught.value.reason == Reason.TIMESTAMP_MISSING


class TestVerifyToken:
    def test_another_signature_is_refused(self, authority: TimestampAuthority) -> None:
        with pytest.raises(SignatureInvalid) as caught:
            verify_token(stamped(authority), signature=b"another", trust=None)
        assert caught.value.reason == Reason.TIMESTAMP_IMPRINT

    def test_another_nonce_is_refused(self, authority: TimestampAuthority) -> None:
        assert refusal(stamped(authority, nonce=5), nonce=6) == Reason.TIMESTAMP_NONCE
        assert refusal(stamped(authority), nonce=6) == Reason.TIMESTAMP_NONCE

    def test_a_key_that_may_not_stamp_is_refused(self, store: DevelopmentKeyStore) -> None:
        cashier = store.ensure("cashier", Holder("Касир")).signer
        token = stamped(TimestampAuthority(cashier, clock=lambda: NOW))
        assert refusal(token) == Reason.TIMESTAMP_USAGE

    def test_a_time_outside_the_certificates_validity_is_refused(
        self, store: DevelopmentKeyStore
    ) -> None:
        key = store.ensure("tsa", Holder("TSP"), purpose=KeyPurpose.TIMESTAMPS).signer
        late = key.certificate.not_after + timedelta(days=1)
        assert refusal(stamped(TimestampAuthority(key, clock=lambda: late))) == Reason.EXPIRED

    def test_a_signed_document_is_no_token(self, store: DevelopmentKeyStore) -> None:
        signed = cms.sign(b"content", signer=store.ensure("cashier", Holder("Касир")).signer)
        assert refusal(signed) == Reason.CONTENT_TYPE

    def test_a_signed_content_that_is_no_stamp_is_malformed(
        self, store: DevelopmentKeyStore
    ) -> None:
        key = store.ensure("tsa", Holder("TSP"), purpose=KeyPurpose.TIMESTAMPS).signer
        for content in (b"", der.sequence(der.integer(2)), der.sequence(der.integer(1))):
            token = cms.sign(content, signer=key, content_type=timestamp.TST_INFO)
            assert refusal(token) == Reason.MALFORMED

    def test_a_strangers_token_is_not_trusted(
        self, authority: TimestampAuthority, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        stranger = DevelopmentKeyStore(tmp_path_factory.mktemp("stranger")).trust_anchors()
        with pytest.raises(SignatureInvalid) as caught:
            verify_token(stamped(authority), signature=SIGNATURE, trust=stranger)
        assert caught.value.reason == Reason.UNTRUSTED_ISSUER


class TestAuthority:
    @pytest.mark.parametrize(
        ("request_", "failure"),
        [
            (b"", "malformed"),
            (b"\x30\x00", "malformed"),
            (der.sequence(der.integer(2)), "malformed"),
            (
                der.sequence(
                    der.integer(1),
                    der.sequence(der.sequence(der.oid("1.2.3")), der.octet_string(bytes(32))),
                ),
                "hash algorithm",
            ),
            (
                der.sequence(
                    der.integer(1),
                    der.sequence(
                        der.sequence(der.oid(ECDSA_P256.digest_oid)), der.octet_string(bytes(32))
                    ),
                    der.oid("1.2.3"),
                ),
                "policy",
            ),
        ],
    )
    def test_a_bad_request_is_refused_with_the_cause(
        self, authority: TimestampAuthority, request_: bytes, failure: str
    ) -> None:
        with pytest.raises(SignatureInvalid, match=failure) as caught:
            token_of_response(authority.answer(request_))
        assert caught.value.reason == Reason.TIMESTAMP_REFUSED

    def test_a_request_says_what_was_asked(self) -> None:
        asked = timestamp.parse_request(build_request(SIGNATURE, suite=ECDSA_P256, nonce=7))
        assert asked == timestamp.TimestampRequest(
            digest_oid=ECDSA_P256.digest_oid,
            imprint=ECDSA_P256.digest(SIGNATURE),
            nonce=7,
            policy=None,
            wants_certificate=True,
        )

    @pytest.mark.parametrize(
        "answer", [b"", b"OK", b"\x30\x00", der.sequence(der.sequence(der.integer(0)))]
    )
    def test_an_answer_that_is_none_is_malformed(self, answer: bytes) -> None:
        with pytest.raises(SignatureInvalid) as caught:
            token_of_response(answer)
        assert caught.value.reason == Reason.MALFORMED


class TestOfficialSamples:
    @pytest.mark.parametrize("name", ["чек.xml.signed", "Z-звіт.xml.signed"])
    def test_the_stamp_of_a_sample_proves_its_time(self, shared_folder: Path, name: str) -> None:
        folder = shared_folder / "reference" / "fiscal-server" / "signed-samples"
        message = cms.parse((folder / name).read_bytes())
        stamp = timestamp.verify_message_timestamp(message, trust=None)
        assert stamp.time.date() == date(2020, 7, 21)
        assert stamp.digest_oid == message.signer.digest_oid
