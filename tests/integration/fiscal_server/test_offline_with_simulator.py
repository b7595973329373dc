"""Our offline documents and packages against the simulated tax service, which judges them with its own code."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.answers import NextOfflineSession
from domain.clock import whole_second
from domain.digest import sha256
from domain.documents.offline import OfflineBegin, OfflineEnd, OfflineMark
from domain.documents.shift import (
    DocumentContent,
    DocumentKind,
    FiscalDocument,
    ShiftClosingContent,
    ShiftTotals,
    ZReport,
)
from domain.documents.xml import to_xml
from domain.errors import PackageRefused, Refused
from domain.identifiers import OfflineNumber
from domain.offline.control_number import control_number, control_total
from infra.fiscal_server.packages import split
from infra.signing.local_signer import LocalSigner
from tests import examples
from tests.integration.fiscal_server.conftest import CASHIER_KEY, Shop


@dataclass
class Session:
    """An offline session of the shop's register: each document carries the hash of the signed one before it."""

    shop: Shop
    session_id: str
    seed: str
    signed: list[bytes] = field(default_factory=list)

    def add(self, kind: DocumentKind, content: DocumentContent) -> FiscalDocument:
        place = len(self.signed) + 1
        previous = sha256(self.signed[-1]).hex() if place > 2 else None
        heading = replace(
            examples.heading(self.shop.next_number, whole_second(datetime.now(UTC))), uid=uuid4()
        )
        bare = FiscalDocument(kind, heading, content)
        control = control_number(
            seed=self.seed,
            at=heading.at,
            local_number=heading.local_number,
            register_fiscal_number=heading.register_fiscal_number,
            register_local_number=heading.register_local_number,
            total=control_total(bare),
            previous_hash=previous,
        )
        number = OfflineNumber(session_id=self.session_id, number=place, control=control)
        document = replace(bare, heading=replace(heading, offline=OfflineMark(number, previous)))
        signer = LocalSigner(self.shop.keys)
        self.signed.append(signer.sign(key_id=CASHIER_KEY, content=to_xml(document)))
        self.shop.next_number += 1
        return document

    def deliver(self, documents: Sequence[bytes]) -> NextOfflineSession | None:
        return self.shop.server.submit_package(documents, key_id=CASHIER_KEY).next_session


@pytest.fixture
def session(shop: Shop) -> Session:
    """The session of an open shift, not yet begun."""
    _, opened = shop.open_shift()
    assert opened.offline_session_id is not None
    assert opened.offline_seed is not None
    return Session(shop, opened.offline_session_id, opened.offline_seed)


def begun(session: Session, *, sales: int = 2) -> Session:
    session.add(DocumentKind.OFFLINE_BEGIN, OfflineBegin())
    for _ in range(sales):
        session.add(DocumentKind.SALE, replace(examples.SALE, receipt_id=uuid4()))
    return session


def test_session_is_taken_and_the_next_one_is_given(session: Session) -> None:
    begun(session).add(DocumentKind.OFFLINE_END, OfflineEnd())

    following = session.deliver(session.signed)

    state = session.shop.server.registrar_state(**session.shop.asking)
    assert state is not None
    assert following is not None
    assert (state.offline_session_id, state.offline_seed) == (following.session_id, following.seed)
    assert following.session_id != session.session_id
    assert state.next_local_number == session.shop.next_number
    assert session.shop.totals().totals == ShiftTotals().with_receipt(examples.SALE).with_receipt(
        examples.SALE
    )


def test_shift_is_closed_offline_and_its_z_report_counts_all(session: Session) -> None:
    shop = session.shop
    shop.register(DocumentKind.SALE, examples.SALE)
    begun(session, sales=1)
    totals = ShiftTotals().with_receipt(examples.SALE).with_receipt(examples.SALE)
    session.add(DocumentKind.Z_REPORT, ZReport(z_report_id=uuid4(), totals=totals))
    session.add(DocumentKind.SHIFT_CLOSING, ShiftClosingContent())
    session.add(DocumentKind.OFFLINE_END, OfflineEnd())

    session.deliver(session.signed)

    state = shop.server.registrar_state(**shop.asking)
    assert state is not None
    assert not state.shift_open


def test_long_session_goes_in_several_packages_and_ends_with_the_last(session: Session) -> None:
    begun(session, sales=5).add(DocumentKind.OFFLINE_END, OfflineEnd())
    packages = split(session.signed, most_documents=3)

    answers = [session.deliver(package) for package in packages]

    assert [len(package) for package in packages] == [3, 3, 1]
    assert answers[:2] == [None, None]
    assert answers[2] is not None


def test_online_document_is_refused_while_the_session_is_open_there(session: Session) -> None:
    begun(session)
    session.deliver(session.signed)

    with pytest.raises(Refused):
        session.shop.register(DocumentKind.SALE, examples.SALE)


def test_changed_document_breaks_the_chain_and_the_refusal_names_the_next_one(
    session: Session,
) -> None:
    begun(session, sales=3)
    other = Session(session.shop, session.session_id, session.seed, session.signed[:2])
    session.shop.next_number -= 2
    other.add(DocumentKind.SALE, replace(examples.SALE, receipt_id=uuid4()))
    package = [*other.signed, session.signed[3]]

    with pytest.raises(PackageRefused) as refused:
        session.deliver(package)

    assert refused.value.index == 3
    assert refused.value.offset == sum(len(each) + 4 for each in package[:3]) + 4
    state = session.shop.server.registrar_state(**session.shop.asking)
    assert state is not None
    # All or nothing: the service is where it was before.
    assert state.next_local_number == 2


def test_late_online_sale_is_revoked_by_the_session_that_repeats_it(session: Session) -> None:
    shop = session.shop
    shop.register(DocumentKind.SALE, examples.SALE)
    session.add(DocumentKind.OFFLINE_BEGIN, OfflineBegin(revoke_last_online_document=True))
    session.add(DocumentKind.SALE, replace(examples.SALE, receipt_id=uuid4()))
    session.add(DocumentKind.OFFLINE_END, OfflineEnd())

    session.deliver(session.signed)

    lost = shop.server.document_info(**shop.asking, local_number=2)
    assert lost is not None
    assert lost.revoked
    assert shop.totals().totals == ShiftTotals().with_receipt(examples.SALE)
