"""Keys and certificates of an own test authority, for container files made in the tests."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from infra.signing.curves import M257, M431
from infra.signing.dstu4145 import PrivateKey
from infra.signing.dstu_authority import CertificatePurpose, DstuAuthority, Subject

FROM = datetime(2024, 1, 1, tzinfo=UTC)
TO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Holder:
    """A person or company with a signing and a key-agreement key, as providers give them."""

    subject: Subject
    signing: PrivateKey
    agreement: PrivateKey
    signing_certificate: bytes
    agreement_certificate: bytes


@pytest.fixture(scope="session")
def authority() -> DstuAuthority:
    return DstuAuthority.create(not_before=FROM, not_after=TO)


def make_holder(authority: DstuAuthority, subject: Subject) -> Holder:
    signing, agreement = PrivateKey.generate(M257), PrivateKey.generate(M431)
    return Holder(
        subject=subject,
        signing=signing,
        agreement=agreement,
        signing_certificate=authority.issue(signing.public, subject, not_before=FROM, not_after=TO),
        agreement_certificate=authority.issue(
            agreement.public,
            subject,
            purpose=CertificatePurpose.AGREEMENT,
            not_before=FROM,
            not_after=TO,
        ),
    )


@pytest.fixture(scope="session")
def person(authority: DstuAuthority) -> Holder:
    return make_holder(
        authority,
        Subject(common_name="Касирка Олена", personal_code="1234567890", company_code="12345678"),
    )


@pytest.fixture(scope="session")
def seal(authority: DstuAuthority) -> Holder:
    return make_holder(authority, Subject(common_name="ТОВ «Крамниця»", company_code="12345678"))
