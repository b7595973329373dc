"""Laws of signed messages, for the development suite and for the cheap one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.signing import cms, timestamp
from infra.signing.development import DevelopmentKeyStore, Holder, KeyPurpose
from infra.signing.errors import SignatureInvalid
from tests.support.cheap_signer import CHEAP_SUITE, cheap_key

NOW = datetime(2026, 9, 10, tzinfo=UTC)


@pytest.fixture(scope="module", params=["development", "cheap"])
def signer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> cms.MessageSigner:
    if request.param == "cheap":
        return cheap_key("cashier")
    store = DevelopmentKeyStore(tmp_path_factory.mktemp("keys"))
    return store.ensure("cashier", Holder("Касир", personal_code="1234567890")).signer


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> timestamp.TimestampAuthority:
    store = DevelopmentKeyStore(tmp_path_factory.mktemp("tsa"), clock=lambda: NOW)
    key = store.ensure("tsa", Holder("TSP"), purpose=KeyPurpose.TIMESTAMPS)
    return timestamp.TimestampAuthority(key.signer, clock=lambda: NOW)


@given(content=st.binary(max_size=5_000))
def test_content_survives_signing(signer: cms.MessageSigner, content: bytes) -> None:
    message = cms.parse(cms.sign(content, signer=signer))
    assert message.content == content
    assert cms.verify(message, trust=None) == signer.certificate


def test_no_byte_of_a_message_can_be_changed(signer: cms.MessageSigner) -> None:
    signed = cms.sign(b'<?xml version="1.0"?><CHECK/>', signer=signer)
    unnoticed = [
        (place, bit)
        for place in range(len(signed))
        for bit in range(8)
        if _verifies(signed[:place] + bytes((signed[place] ^ 1 << bit,)) + signed[place + 1 :])
    ]
    assert unnoticed == []


@given(data=st.data())
def test_no_bytes_can_be_cut_or_inserted(signer: cms.MessageSigner, data: st.DataObject) -> None:
    signed = cms.sign(b"content", signer=signer)
    # An ECDSA signature has 70 to 72 octets, so places are drawn as shares of the length.
    start = len(signed) * data.draw(st.integers(0, 999)) // 1_000
    end = start + data.draw(st.integers(0, 100))
    inserted = data.draw(st.binary(max_size=4))
    changed = signed[:start] + inserted + signed[end:]
    if changed != signed:
        assert not _verifies(changed)


@given(content=st.binary(max_size=500))
def test_a_time_stamp_leaves_the_signature_valid(
    signer: cms.MessageSigner, authority: timestamp.TimestampAuthority, content: bytes
) -> None:
    signed = cms.sign(content, signer=signer)
    before = cms.parse(signed)
    request = timestamp.build_request(before.signer.signature, suite=CHEAP_SUITE)
    token = timestamp.token_of_response(authority.answer(request))
    after = cms.parse(cms.with_timestamp(signed, token))
    assert cms.verify(after, trust=None) == signer.certificate
    assert (after.content, after.signer.signature) == (content, before.signer.signature)
    assert timestamp.verify_message_timestamp(after, trust=None).time == NOW


def test_no_byte_of_a_time_stamped_message_can_be_changed(
    signer: cms.MessageSigner, authority: timestamp.TimestampAuthority
) -> None:
    signed = cms.sign(b"<CHECK/>", signer=signer)
    request = timestamp.build_request(cms.parse(signed).signer.signature, suite=CHEAP_SUITE)
    token = timestamp.token_of_response(authority.answer(request))
    stamped = cms.with_timestamp(signed, token)
    unnoticed = [
        place
        for place in range(len(stamped))
        if _verifies(
            stamped[:place] + bytes((stamped[place] ^ 1,)) + stamped[place + 1 :], stamp=True
        )
    ]
    assert unnoticed == []


def _verifies(data: bytes, *, stamp: bool = False) -> bool:
    try:
        message = cms.parse(data)
        cms.verify(message, trust=None)
        if stamp:
            timestamp.verify_message_timestamp(message, trust=None)
    except SignatureInvalid:
        return False
    return True
