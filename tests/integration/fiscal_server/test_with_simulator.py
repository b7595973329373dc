"""The client and our documents against the simulated tax service: a whole shift, and every fault it knows."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from lxml import etree

from domain.documents.shift import (
    DocumentKind,
    ShiftClosingContent,
    ShiftOpening,
    ShiftTotals,
    ZReport,
)
from domain.documents.xml import from_xml, read_document, to_xml
from domain.errors import Refused, Unreachable
from domain.identifiers import document_uid
from domain.ports import FiscalServer
from infra.fiscal_server.answers import Action, action_for
from infra.signing.local_signer import LocalSigner
from infra.simulator.faults import Fault, FaultKind
from infra.simulator.server import SimulatorServer
from infra.simulator.switches import Switches
from tests import examples
from tests.integration.fiscal_server.conftest import CASHIER_KEY, REGISTER, Connect, Shop


class TestWholeShift:
    def test_our_documents_are_accepted_from_opening_to_closing(self, shop: Shop) -> None:
        opening, opened = shop.open_shift()
        assert opened.uid == document_uid(opening.heading.uid)
        assert opened.local_number == 1
        assert opened.offline_session_id is not None
        assert opened.offline_seed is not None
        assert abs(opened.server_time - datetime.now(UTC)) < timedelta(seconds=30)

        sale, sold = shop.register(DocumentKind.SALE, examples.SALE)
        assert (sold.uid, sold.local_number) == (document_uid(sale.heading.uid), 2)

        ours = ShiftTotals().with_sale(examples.SALE)
        theirs = shop.totals()
        assert theirs.shift_open
        assert not theirs.z_report_present
        assert theirs.totals == ours

        _, z_ticket = shop.register(
            DocumentKind.Z_REPORT, ZReport(z_report_id=uuid4(), totals=ours)
        )
        assert shop.totals().z_report_present
        _, closed = shop.register(DocumentKind.SHIFT_CLOSING, ShiftClosingContent())
        numbers = [opened, sold, z_ticket, closed]
        assert len({ticket.fiscal_number for ticket in numbers}) == 4
        assert not shop.totals().shift_open

    def test_empty_shift_closes_with_an_empty_z_report(self, shop: Shop) -> None:
        shop.open_shift()
        theirs = shop.totals()
        assert theirs.totals in (None, ShiftTotals())
        shop.register(DocumentKind.Z_REPORT, ZReport(z_report_id=uuid4(), totals=ShiftTotals()))
        _, closed = shop.register(DocumentKind.SHIFT_CLOSING, ShiftClosingContent())
        assert closed.local_number == 3

    def test_compressed_documents_and_answers_are_understood(
        self, shop: Shop, running: SimulatorServer, connect: Connect
    ) -> None:
        shop.simulator.switches = Switches(compress_replies=True)
        shop.server = connect(f"{running.base_url}/fs", gzip_requests=True)
        _, ticket = shop.open_shift()
        assert ticket.local_number == 1
        assert shop.server.registrar_state(**shop.asking) is not None


class TestQueries:
    def test_state_follows_the_documents(self, shop: Shop) -> None:
        before = shop.server.registrar_state(**shop.asking, include_tax_object=True)
        assert before is not None
        assert (before.shift_open, before.next_local_number) == (False, 1)
        assert before.tax_object is not None
        assert before.tax_object.company_name == examples.SELLER.name
        _, opened = shop.open_shift()
        after = shop.server.registrar_state(**shop.asking)
        assert after is not None
        assert (after.shift_open, after.next_local_number, after.first_local_number) == (
            True,
            2,
            1,
        )
        assert after.open_shift_fiscal_number == opened.fiscal_number
        assert after.opener_key_id == shop.keys.open(CASHIER_KEY).description.subject_key_id
        assert after.offline_seed == opened.offline_seed

    def test_registry_is_given_as_registered(self, shop: Shop) -> None:
        (unit,) = shop.server.objects(key_id=CASHIER_KEY)
        assert (unit.name, unit.address) == (
            examples.SELLER.unit_name,
            examples.SELLER.unit_address,
        )
        assert (unit.tax_id, unit.vat_number) == ("99900011", "999000110019")
        assert [(entry.fiscal_number, entry.local_number) for entry in unit.registers] == [
            (REGISTER, 7)
        ]
        (operator,) = shop.server.operators(key_id=CASHIER_KEY)
        assert (operator.registration_number, operator.senior_cashier) == ("12", True)

    def test_document_is_found_by_number_and_given_back(self, shop: Shop) -> None:
        _, opened = shop.open_shift()
        sale, sold = shop.register(DocumentKind.SALE, examples.SALE)
        found = shop.server.document_info(**shop.asking, local_number=2)
        assert found is not None
        assert (found.fiscal_number, found.local_number, found.is_z_report) == (
            sold.fiscal_number,
            2,
            False,
        )
        assert shop.server.document_info(**shop.asking, local_number=3) is None

        copy: dict[str, Any] = {"fiscal_number": sold.fiscal_number, "is_z_report": False}
        xml = shop.server.document_xml(**shop.asking, **copy)
        assert xml is not None
        assert from_xml(xml) == from_xml(to_xml(sale))
        signed = shop.server.signed_copy(**shop.asking, **copy, original=False, timestamped=True)
        assert signed is not None
        served = read_document(signed.xml)
        assert (served.fiscal_number, served.document) == (sold.fiscal_number, from_xml(xml))
        absent: dict[str, Any] = {"fiscal_number": "1", "is_z_report": False}
        assert shop.server.document_xml(**shop.asking, **absent) is None
        assert shop.server.signed_copy(**shop.asking, **absent) is None

        listed = shop.server.documents(**shop.asking, open_shift_fiscal_number=opened.fiscal_number)
        assert [(entry.local_number, entry.fiscal_number) for entry in listed] == [
            (1, opened.fiscal_number),
            (2, sold.fiscal_number),
        ]
        now = datetime.now(UTC)
        (shift,) = shop.server.shifts(
            **shop.asking, since=now - timedelta(days=1), until=now + timedelta(days=1)
        )
        assert (shift.open_fiscal_number, shift.closed_at) == (opened.fiscal_number, None)
        assert shift.opened_at is not None

    def test_z_report_is_given_back(self, shop: Shop) -> None:
        shop.open_shift()
        report = ZReport(z_report_id=uuid4(), totals=ShiftTotals())
        document, registered = shop.register(DocumentKind.Z_REPORT, report)
        xml = shop.server.document_xml(
            **shop.asking, fiscal_number=registered.fiscal_number, is_z_report=True
        )
        assert xml is not None
        assert read_document(xml).heading == document.heading

    def test_served_schemas_accept_our_documents(self, shop: Shop) -> None:
        served = shop.server.schemas()
        check, z_report = (
            etree.XMLSchema(etree.fromstring(each)) for each in (served.check, served.z_report)
        )
        for document in examples.DOCUMENTS.values():
            root = etree.fromstring(to_xml(document))
            (z_report if root.tag == "ZREP" else check).assertValid(root)

    def test_document_may_go_by_command(self, shop: Shop) -> None:
        document = shop.document(DocumentKind.SHIFT_OPENING, ShiftOpening())
        ticket = shop.server.send_document(shop.stamped(document))
        assert ticket.uid == document_uid(document.heading.uid)

    def test_device_is_recorded_once(self, shop: Shop) -> None:
        register = shop.server.register_device
        assert register(**shop.asking, device_id="a" * 64) == "a" * 64
        assert register(**shop.asking, device_id="b" * 64) == "a" * 64
        assert register(**shop.asking, device_id="b" * 64, forced=True) == "b" * 64

    def test_probe_gives_the_time_and_the_skew(self, shop: Shop) -> None:
        shop.simulator.skew_seconds = 120.0
        ahead = shop.server.server_time() - datetime.now(UTC)
        assert ahead.total_seconds() == pytest.approx(120, abs=2)
        assert shop.server.skew_seconds == pytest.approx(120, abs=2)


class TestRefusals:
    @pytest.mark.parametrize(
        "switches",
        [
            Switches(),
            Switches(refusal_form="ticket"),
            Switches(refusal_text_encoding="windows-1251", refusal_status="always-400"),
            Switches(commands_in_cms=True, result_code_as_text=True, error_code_on_success="Ok"),
        ],
        ids=["text", "ticket", "windows-1251", "wrapped commands"],
    )
    def test_wrong_number_is_a_refusal_in_every_form(self, switches: Switches, shop: Shop) -> None:
        shop.simulator.switches = switches
        shop.open_shift()
        shop.next_number = 5
        with pytest.raises(Refused) as refusal:
            shop.register(DocumentKind.SALE, examples.SALE)
        assert refusal.value.server_code == 7
        assert refusal.value.name == "CheckLocalNumberInvalid"
        assert refusal.value.text.endswith("Номер документа повинен дорівнювати 2")
        assert action_for(refusal.value.server_code) is Action.RESYNC
        state = shop.server.registrar_state(**shop.asking)
        assert state is not None
        assert state.next_local_number == 2
        assert shop.server.document_info(**shop.asking, local_number=2) is None

    @pytest.mark.parametrize("errors_as_json", [True, False])
    def test_absent_register_and_missing_access_are_told_apart_from_nothing(
        self,
        errors_as_json: bool,
        shop: Shop,
        running: SimulatorServer,
        connect: Connect,
    ) -> None:
        client = connect(f"{running.base_url}/fs", errors_as_json=errors_as_json)
        key_id = shop.keys.open(CASHIER_KEY).description.subject_key_id
        assert client.document_info(**shop.asking, local_number=77) is None
        shop.simulator.withdraw_access(key_id=key_id, register=REGISTER)
        with pytest.raises(Refused) as refusal:
            client.document_info(**shop.asking, local_number=77)
        assert action_for(refusal.value.server_code) is Action.PARK

    def test_document_without_time_stamp_is_refused(self, shop: Shop) -> None:
        document = shop.document(DocumentKind.SHIFT_OPENING, ShiftOpening())
        signed = LocalSigner(shop.keys).sign(key_id=CASHIER_KEY, content=to_xml(document))
        with pytest.raises(Refused) as refusal:
            shop.server.submit(signed)
        assert refusal.value.server_code == 9

    @pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 8, 9, 11, 12])
    def test_every_code_arrives_as_itself(self, code: int, shop: Shop) -> None:
        shop.simulator.faults.stand(Fault(kind=FaultKind.REFUSE_CODE, code=code, text="причина"))
        with pytest.raises(Refused) as refusal:
            shop.open_shift()
        assert (refusal.value.server_code, refusal.value.text) == (code, "причина")


class TestFaults:
    """What is `sent` in each, and that asking afterwards tells the truth."""

    def registered(self, shop: Shop) -> bool:
        shop.simulator.faults.clear()
        return shop.server.document_info(**shop.asking, local_number=1) is not None

    @pytest.mark.parametrize(
        ("kind", "registered"),
        [
            (FaultKind.RESET, False),
            (FaultKind.ANSWER_LOST, True),
            (FaultKind.SILENT_BEFORE, False),
            (FaultKind.SILENT_AFTER, True),
            (FaultKind.SERVER_ERROR, False),
            (FaultKind.SERVER_ERROR_AFTER, True),
        ],
    )
    def test_broken_exchange_counts_as_sent(
        self,
        kind: FaultKind,
        registered: bool,
        shop: Shop,
        running: SimulatorServer,
        connect: Connect,
    ) -> None:
        shop.server = connect(f"{running.base_url}/fs", answer_timeout_seconds=0.4)
        shop.simulator.faults.stand(Fault(kind=kind, seconds=1.0))
        with pytest.raises(Unreachable) as failure:
            shop.open_shift()
        assert failure.value.sent
        assert self.registered(shop) is registered

    def test_service_that_is_cut_off_was_sent_nothing(self, shop: Shop) -> None:
        document = shop.document(DocumentKind.SHIFT_OPENING, ShiftOpening())
        stamped = shop.stamped(document)
        shop.server.server_time()
        shop.simulator.faults.cut_off(on=True)
        self.wait_until(shop, reachable=False)
        with pytest.raises(Unreachable) as failure:
            shop.server.submit(stamped)
        assert not failure.value.sent
        shop.simulator.faults.cut_off(on=False)
        self.wait_until(shop, reachable=True)
        assert not self.registered(shop)
        assert shop.server.submit(stamped).local_number == 1

    def wait_until(self, shop: Shop, *, reachable: bool) -> None:
        """Wait for the service's port, which follows the fault a moment later."""
        for _ in range(250):
            try:
                shop.server.server_time()
                answered, sent = True, True
            except Unreachable as failure:
                answered, sent = False, failure.sent
            if answered is reachable and (answered or not sent):
                return
            time.sleep(0.02)
        pytest.fail(f"the service is not {'there' if reachable else 'gone'}")

    def test_slow_answer_within_the_timeout_is_an_answer(self, shop: Shop) -> None:
        shop.simulator.faults.stand(Fault(kind=FaultKind.SLOW, seconds=0.5))
        _, ticket = shop.open_shift()
        assert ticket.local_number == 1

    def test_ticket_for_another_document_shows_its_own_uid(self, shop: Shop) -> None:
        shop.simulator.faults.stand(Fault(kind=FaultKind.WRONG_TICKET_UID))
        document, ticket = shop.open_shift()
        assert UUID(ticket.uid) != document.heading.uid

    def test_document_processed_twice_is_answered_with_the_second_verdict(self, shop: Shop) -> None:
        shop.simulator.faults.stand(Fault(kind=FaultKind.DUPLICATE, answer="second"))
        with pytest.raises(Refused):
            shop.open_shift()
        assert self.registered(shop)


def test_client_is_the_port(shop: Shop) -> None:
    port: FiscalServer = shop.server
    assert port.server_time().tzinfo is UTC
