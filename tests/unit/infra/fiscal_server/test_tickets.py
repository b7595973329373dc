"""Tickets: what is taken from them, and that only the service's own are believed."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.answers import Ticket
from domain.errors import IntegrityFault, Refused
from infra.fiscal_server.envelope import ServerEnvelope
from infra.fiscal_server.tickets import read_ticket
from infra.signing import cms
from infra.signing.development import DevelopmentKeyStore, Holder, KeyPurpose

UID = "7E5A01F5-0B1C-4D2E-8F30-A1B2C3D401F5"
NOW = datetime.now(UTC)


def ticket_xml(**changes: str | None) -> bytes:
    fields: dict[str, str | None] = {
        "UID": UID,
        "ORDERDATE": "05112026",
        "ORDERTIME": "085513",
        "ORDERNUM": "501",
        "ORDERTAXNUM": "3600000101",
        "OFFLINESESSIONID": "21999",
        "OFFLINESEED": "100710382471",
        "ERRORCODE": "0",
        "ERRORTEXT": None,
        "VER": "1",
    }
    fields.update(changes)
    inner = "".join(f"<{tag}>{text}</{tag}>" for tag, text in fields.items() if text is not None)
    xml = f'<?xml version="1.0" encoding="windows-1251"?>\r\n<TICKET>{inner}</TICKET>'
    return xml.encode("cp1251")


class TestReadTicket:
    def test_accepted_document_gives_all_that_the_ticket_tells(self) -> None:
        assert read_ticket(ticket_xml(), raw=b"signed") == Ticket(
            uid=UID,
            local_number=501,
            fiscal_number="3600000101",
            server_time=datetime(2026, 11, 5, 6, 55, 13, tzinfo=UTC),
            raw=b"signed",
            offline_session_id="21999",
            offline_seed="100710382471",
        )

    def test_what_the_schema_leaves_optional_may_be_missing(self) -> None:
        found = read_ticket(
            ticket_xml(OFFLINESESSIONID=None, OFFLINESEED=None, ERRORCODE=None), raw=b""
        )
        assert (found.offline_session_id, found.offline_seed) == (None, None)

    def test_lost_leading_zeros_of_date_and_time_are_put_back(self) -> None:
        found = read_ticket(ticket_xml(ORDERDATE="5112026", ORDERTIME="513"), raw=b"")
        assert found.server_time == datetime(2026, 11, 4, 22, 5, 13, tzinfo=UTC)

    def test_error_code_is_a_refusal_with_its_text(self) -> None:
        text = "Номер документа повинен дорівнювати 504"
        with pytest.raises(Refused) as refusal:
            read_ticket(ticket_xml(ERRORCODE="7", ERRORTEXT=text, ORDERTAXNUM=None), raw=b"")
        assert (refusal.value.server_code, refusal.value.name, refusal.value.text) == (
            7,
            "CheckLocalNumberInvalid",
            text,
        )

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"not xml",
            b"<CHECK/>",
            ticket_xml(ORDERTAXNUM=None),
            ticket_xml(UID=None),
            ticket_xml(ORDERNUM="x"),
            ticket_xml(ORDERDATE="31022026"),
            ticket_xml(ERRORCODE="none"),
        ],
    )
    def test_what_is_no_ticket_is_a_fault(self, content: bytes) -> None:
        with pytest.raises(IntegrityFault) as fault:
            read_ticket(content, raw=b"")
        assert fault.value.place == "ticket"

    def test_official_sample_is_a_refusal(self, shared_folder: Path) -> None:
        folder = shared_folder / "reference" / "fiscal-server" / "examples"
        with pytest.raises(Refused, match="РРО з фіскальним номером 123 не зареєстрований"):
            read_ticket((folder / "ticket01.xml").read_bytes(), raw=b"")


class TestServerEnvelope:
    @pytest.fixture
    def store(self, tmp_path: Path) -> DevelopmentKeyStore:
        return DevelopmentKeyStore(tmp_path / "keys")

    @pytest.fixture
    def sealed(self, store: DevelopmentKeyStore) -> Callable[[bytes], bytes]:
        holder = Holder(common_name="Фіскальний сервер", company_code="43005393")
        key = store.ensure("server", holder, purpose=KeyPurpose.TICKETS)
        return lambda content: cms.sign(content, signer=key.signer)

    def test_content_of_a_trusted_signature_is_given(
        self, store: DevelopmentKeyStore, sealed: Callable[[bytes], bytes]
    ) -> None:
        envelope = ServerEnvelope(trust=store.trust_anchors(), signer_code="43005393")
        assert envelope.opened(sealed(b"<TICKET/>"), place="ticket", at=NOW) == b"<TICKET/>"

    def test_changed_content_is_a_fault(
        self, store: DevelopmentKeyStore, sealed: Callable[[bytes], bytes]
    ) -> None:
        envelope = ServerEnvelope(trust=store.trust_anchors())
        changed = sealed(b"number 1").replace(b"number 1", b"number 2")
        with pytest.raises(IntegrityFault, match="signature invalid"):
            envelope.opened(changed, place="ticket", at=NOW)

    def test_signature_below_other_roots_is_a_fault(
        self, tmp_path: Path, sealed: Callable[[bytes], bytes]
    ) -> None:
        stranger = DevelopmentKeyStore(tmp_path / "others").trust_anchors()
        with pytest.raises(IntegrityFault, match="signature invalid"):
            ServerEnvelope(trust=stranger).opened(sealed(b"x"), place="ticket", at=NOW)
        assert ServerEnvelope(trust=None).opened(sealed(b"x"), place="ticket", at=NOW) == b"x"

    def test_signature_of_somebody_else_below_the_same_roots_is_a_fault(
        self, store: DevelopmentKeyStore
    ) -> None:
        key = store.ensure("shop", Holder(common_name="Крамниця", company_code="99900011"))
        envelope = ServerEnvelope(trust=store.trust_anchors(), signer_code="43005393")
        with pytest.raises(IntegrityFault, match="somebody else"):
            envelope.opened(cms.sign(b"x", signer=key.signer), place="ticket", at=NOW)

    def test_expired_certificate_is_a_fault(
        self, store: DevelopmentKeyStore, sealed: Callable[[bytes], bytes]
    ) -> None:
        later = NOW.replace(year=NOW.year + 5)
        with pytest.raises(IntegrityFault, match="signature invalid"):
            ServerEnvelope(trust=store.trust_anchors()).opened(
                sealed(b"x"), place="ticket", at=later
            )

    @pytest.mark.parametrize("body", [b'{"UID": null}', b'\xef\xbb\xbf{"UID": null}', b"", b"OK"])
    def test_unsigned_content_is_given_as_it_is(self, body: bytes) -> None:
        assert ServerEnvelope(trust=None).content_of(body, place="x", at=NOW) == body
