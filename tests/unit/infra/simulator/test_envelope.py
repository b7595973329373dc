"""Rules of the signed message: one signer, its certificate only, a time-stamp, nothing else."""

import pytest

from infra.signing import cms, der
from infra.signing.signed_message import CONTENT_TIMESTAMP, parse
from infra.signing.suites import Suite
from tests.support.cheap_signer import CheapKey
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import (
    CASHIER,
    SENIOR,
    SERVER_KEY,
    SIGNED,
    Office,
    data_of,
)

MUST_BE_SIGNED = "Повідомлення повинно бути засвідчене кваліфікованим електронним підписом"


def refusal_of(office: Office, message: bytes) -> str:
    reply = office.simulator.doc(message, SIGNED)
    assert reply.status == 400
    text = reply.body.decode()
    assert text.startswith("Код помилки: 9 DocumentValidationError\r\n")
    assert office.simulator.book.documents == []
    return text


def rebuilt(
    message: bytes,
    *,
    certificates: tuple[bytes, ...] | None = None,
    more_signers: tuple[bytes, ...] = (),
    revocations: bytes = b"",
    content: bytes | None = None,
) -> bytes:
    """A message taken apart and put together with something changed around the signature."""
    fields = der.parse(message).fields()
    oid = fields.take()
    data = fields.take(der.context(0)).only_child().children()
    version, digests, encapsulated, old_certificates, signers = data
    parts = [version.raw, digests.raw]
    if content is None:
        parts.append(encapsulated.raw)
    else:
        inner = der.explicit(0, content) if content else b""
        parts.append(der.sequence(encapsulated.children()[0].raw, inner))
    if certificates is None:
        parts.append(old_certificates.raw)
    elif certificates:
        parts.append(der.explicit(0, b"".join(certificates)))
    parts.append(revocations)
    parts.append(der.encode(der.SET, *(each.raw for each in signers.children()), *more_signers))
    return der.sequence(oid.raw, der.explicit(0, der.sequence(*parts)))


@pytest.fixture
def message(office: Office) -> bytes:
    return office.signed(make.open_shift(1, office.local))


def test_untouched_message_is_accepted(office: Office, message: bytes) -> None:
    assert rebuilt(message) == message
    assert office.simulator.doc(message, SIGNED).status == 200


@pytest.mark.parametrize("body", [b"<CHECK>not signed</CHECK>", b"\x30\x03\x02\x01\x05padding"])
def test_message_without_signature_must_be_signed(office: Office, body: bytes) -> None:
    assert f"{MUST_BE_SIGNED}: envelopeType: EtUnknown" in refusal_of(office, body)


def test_detached_signature_is_refused(office: Office, message: bytes) -> None:
    assert MUST_BE_SIGNED in refusal_of(office, rebuilt(message, content=b""))


def test_message_without_signer_is_refused(office: Office) -> None:
    message = cms.sign(b"x" * 20, signer=CASHIER)
    node = der.parse(message).fields()
    oid = node.take()
    data = node.take(der.context(0)).only_child().children()
    empty = der.sequence(
        oid.raw,
        der.explicit(0, der.sequence(*(each.raw for each in data[:-1]), der.encode(der.SET))),
    )

    assert MUST_BE_SIGNED in refusal_of(office, empty)


def test_two_signatures_are_refused(office: Office, message: bytes) -> None:
    signers = der.parse(message).fields()
    signers.take()
    second = signers.take(der.context(0)).only_child().children()[-1].children()[0].raw

    text = refusal_of(office, rebuilt(message, more_signers=(second,)))

    assert "лише один підпис" in text


def test_message_without_certificate_is_refused(office: Office, message: bytes) -> None:
    assert MUST_BE_SIGNED in refusal_of(office, rebuilt(message, certificates=()))


def test_certificates_of_others_are_refused(office: Office, message: bytes) -> None:
    both = (CASHIER.certificate.raw, SENIOR.certificate.raw)

    assert "сертифікатів видавців" in refusal_of(office, rebuilt(message, certificates=both))


def test_revocation_lists_are_refused(office: Office, message: bytes) -> None:
    crls = der.explicit(1, der.sequence(der.integer(1)))

    assert "списків відкликаних" in refusal_of(office, rebuilt(message, revocations=crls))


def test_changed_content_is_refused(office: Office, message: bytes) -> None:
    changed = message.replace(b"<VER>1</VER>", b"<VER>2</VER>")
    assert changed != message

    assert "підпис недійсний" in refusal_of(office, changed)


def test_content_timestamp_is_refused(office: Office) -> None:
    message = office.signed(make.open_shift(1, office.local), stamped=False)
    token = parse(office.signed(b"x" * 20)).timestamp_token
    assert token is not None
    # Put in as an unsigned attribute of the forbidden kind.
    stamped = cms.with_timestamp(message, token)
    forbidden = der.oid(CONTENT_TIMESTAMP)
    allowed = der.oid("1.2.840.113549.1.9.16.2.14")
    assert len(forbidden) == len(allowed)

    assert "позначку часу для даних" in refusal_of(office, stamped.replace(allowed, forbidden))


def test_online_document_without_timestamp_is_refused(office: Office) -> None:
    text = office.refused(make.open_shift(1, office.local), stamped=False)

    assert "повинен містити позначку часу" in text


def test_timestamp_of_another_signature_is_refused(office: Office) -> None:
    message = office.signed(make.open_shift(1, office.local), stamped=False)
    token = parse(office.signed(b"something else")).timestamp_token
    assert token is not None

    assert "підпис недійсний" in refusal_of(office, cms.with_timestamp(message, token))


class _UnknownSuiteKey:
    """A key whose signature algorithm the server has never heard of."""

    def __init__(self, key: CheapKey) -> None:
        self.certificate = key.certificate
        self._key = key

    @property
    def suite(self) -> Suite:
        suite = self._key.suite
        return Suite(
            name="unheard-of",
            digest_oid=suite.digest_oid,
            digest=suite.digest,
            signature_oid="2.25.1.2.3",
            key_oids=suite.key_oids,
            verify=suite.verify,
        )

    def sign_digest(self, digest: bytes) -> bytes:
        return self._key.sign_digest(digest)


def test_unknown_algorithm_is_a_crypto_failure(office: Office) -> None:
    message = cms.sign(make.open_shift(1, office.local), signer=_UnknownSuiteKey(CASHIER))

    reply = office.simulator.doc(message, SIGNED)

    assert reply.status == 400
    assert reply.body.decode().startswith("Код помилки: 12 CryptographyError\r\n")


def test_certificate_out_of_validity_is_refused(office: Office) -> None:
    office.clock.moment = office.clock.moment.replace(year=2050)

    text = office.refused(make.open_shift(1, office.local))

    assert "підпис недійсний" in text


def test_server_signature_carries_a_timestamp_when_asked(opened: Office) -> None:
    number = opened.sell()["ORDERTAXNUM"]

    answer = opened.asked(
        "CheckExt",
        key=None,
        RegistrarNumFiscal=make.REGISTER,
        NumFiscal=number,
        Type=2,
        SetTimestamp=True,
    )

    message = parse(data_of(answer))
    assert message.timestamp_token is not None
    assert cms.verify(message, trust=None) == SERVER_KEY.certificate
