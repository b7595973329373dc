"""Commands over real sockets against scripted answers, in all forms in which captures have them."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.answers import (
    DocumentEntry,
    NextOfflineSession,
    OperatorEntry,
    RegisterEntry,
    RegistrarState,
    ShiftEntry,
    TaxObject,
)
from domain.errors import IntegrityFault, KeyUnknown, Refused, Unreachable
from infra.fiscal_server.client import HttpFiscalServer, Schemas
from infra.signing import cms
from tests.integration.fiscal_server.conftest import CASHIER_KEY, Connect
from tests.support.scripted_server import ScriptedServer, answer, answer_json
from tests.unit.infra.fiscal_server.test_tickets import ticket_xml

REGISTER = "4000777001"
KEY_ID = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
NO_CONTENT = {"ErrorCode": 13, "ErrorMessage": "NoContent"}

UNIT = {
    "Entity": 9900123,
    "TaxObjGuid": "7e5a0000-0b1c-4d2e-8f30-a1b2c3d40000",
    "TaxObjId": 32100001,
    "SingleTax": False,
    "Name": 'Магазин "Калина"',
    "Address": "УКРАЇНА, М. ЛЬВІВ, вул. Вигадана, 5",
    "Tin": "99900011",
    "Ipn": "999000110019",
    "OrgName": 'ТОВ "Калина-Приклад"',
    "ChiefCashier": True,
    "TransactionsRegistrars": [
        {"NumFiscal": 4000777001, "NumLocal": 7, "Name": "Каса 7", "Closed": False}
    ],
}
STATE = {
    "Timestamp": "2026-11-06T17:10:04.5511203+02:00",
    "ShiftState": 1,
    "ShiftId": 7712391,
    "OpenShiftFiscalNum": "3600000112",
    "ZRepPresent": False,
    "Testing": False,
    "Name": "Приклад Олена Петрівна",
    "SubjectKeyId": KEY_ID,
    "FirstLocalNum": 512,
    "NextLocalNum": 521,
    "LastFiscalNum": "3600000120",
    "OfflineSupported": True,
    "ChiefCashier": True,
    "OfflineSessionId": 21999,
    "OfflineSeed": 100710382471,
    "OfflineNextLocalNum": 1,
    "OfflineSessionDuration": 0,
    "OfflineSessionsMonthlyDuration": 0,
    "OfflineSessionRolledBack": False,
    "OfflineSessionRollbackCmdUID": None,
    "Closed": False,
    "TaxObject": None,
}
EXPECTED_UNIT = TaxObject(
    unit_id=32100001,
    name='Магазин "Калина"',
    address="УКРАЇНА, М. ЛЬВІВ, вул. Вигадана, 5",
    tax_id="99900011",
    vat_number="999000110019",
    company_name='ТОВ "Калина-Приклад"',
    single_tax=False,
    senior_cashier=True,
    registers=(
        RegisterEntry(fiscal_number="4000777001", local_number=7, name="Каса 7", closed=False),
    ),
)


def state_of(client: HttpFiscalServer) -> RegistrarState | None:
    return client.registrar_state(key_id=CASHIER_KEY, register=REGISTER)


def command_in(server: ScriptedServer) -> dict[str, Any]:
    """The last command, taken out of its signature."""
    content = cms.parse(server.last.content).content
    assert content is not None
    fields: dict[str, Any] = json.loads(content)
    return fields


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


class TestServerState:
    def test_clock_of_the_service_is_given_in_utc(self, connect: Connect) -> None:
        fields = {"Timestamp": "2026-11-05T08:54:58.1203311+02:00"}
        with ScriptedServer((answer_json(fields),)) as server:
            moment = connect(server.url).server_time()
            assert moment == datetime(2026, 11, 5, 6, 54, 58, 120331, tzinfo=UTC)
            assert server.last.target == "/fs/cmd?resultAsJson=true"
            assert server.last.headers["content-type"] == "application/json; charset=UTF-8"
            assert server.last.json["Command"] == "ServerState"

    def test_plain_errors_can_be_asked_for(self, connect: Connect) -> None:
        fields = {"Timestamp": "2026-11-05T08:54:58"}
        with ScriptedServer((answer_json(fields),)) as server:
            connect(server.url, errors_as_json=False).server_time()
            assert server.last.target == "/fs/cmd"

    def test_answer_without_uid_is_taken(self, connect: Connect) -> None:
        fields = {"Timestamp": "2026-11-05T08:54:58"}
        with ScriptedServer((answer_json(fields, echo_uid=False),)) as server:
            assert connect(server.url).server_time().tzinfo is UTC

    def test_answer_to_another_command_is_a_fault(self, connect: Connect) -> None:
        body = b'{"UID": "another", "Timestamp": "2026-11-05T08:54:58"}'
        with ScriptedServer((answer(body),)) as server, pytest.raises(IntegrityFault):
            connect(server.url).server_time()

    @pytest.mark.parametrize(
        "body", [b"[]", b"1", b"{", b"\xff\xfe", b"{}", b'{"Timestamp": "yesterday"}']
    )
    def test_answer_that_is_not_understood_says_nothing_about_the_service(
        self, body: bytes, connect: Connect
    ) -> None:
        with ScriptedServer((answer(body),)) as server:
            with pytest.raises(Unreachable, match="not understood") as failure:
                connect(server.url).server_time()
            assert failure.value.sent

    def test_reason_names_fields_and_not_their_values(self, connect: Connect) -> None:
        fields = {**STATE, "Name": {"secret": 1}, "NextLocalNum": "secret"}
        with ScriptedServer((answer_json(fields),)) as server:
            with pytest.raises(Unreachable) as failure:
                state_of(connect(server.url))
            assert failure.value.reason.endswith("not understood: Name, NextLocalNum")


class TestSignedCommands:
    def test_command_is_signed_json_without_time_stamp(self, connect: Connect) -> None:
        with ScriptedServer((answer_json(STATE),)) as server:
            state_of(connect(server.url))
            assert server.last.headers["content-type"] == "application/octet-stream"
            message = cms.parse(server.last.content)
            cms.verify(message, trust=None)
            assert message.timestamp_token is None
            sent = command_in(server)
            assert len(sent.pop("UID")) == 36
            assert sent == {
                "Command": "TransactionsRegistrarState",
                "NumFiscal": REGISTER,
                "OfflineSessionId": None,
                "OfflineSeed": None,
                "IncludeTaxObject": False,
            }

    def test_unknown_key_stops_before_anything_is_sent(self, connect: Connect) -> None:
        with ScriptedServer((answer_json(STATE),)) as server:
            with pytest.raises(KeyUnknown):
                connect(server.url).objects(key_id="nobody")
            assert server.requests == []

    def test_signed_answer_is_opened(
        self, connect: Connect, sealed: Callable[[bytes], bytes]
    ) -> None:
        with ScriptedServer((answer(sealed(json.dumps(STATE).encode())),)) as server:
            state = state_of(connect(server.url))
            assert state is not None
            assert state.next_local_number == 521

    def test_signed_answer_may_say_that_there_is_nothing(
        self, connect: Connect, sealed: Callable[[bytes], bytes]
    ) -> None:
        with ScriptedServer((answer(sealed(json.dumps(NO_CONTENT).encode())),)) as server:
            assert state_of(connect(server.url)) is None

    def test_answer_with_a_byte_order_mark_is_read(self, connect: Connect) -> None:
        body = b"\xef\xbb\xbf" + json.dumps(STATE).encode()
        with ScriptedServer((answer(body),)) as server:
            assert state_of(connect(server.url)) is not None


class TestNothingThere:
    @pytest.mark.parametrize(
        "step",
        [
            pytest.param(answer(b"", status=204), id="204"),
            pytest.param(answer_json(NO_CONTENT), id="code 13"),
            pytest.param(answer_json({"ErrorCode": "NoContent"}), id="its name"),
            pytest.param(
                answer("Код помилки: 13 NoContent\r\n".encode(), status=400), id="its text"
            ),
        ],
    )
    def test_every_query_tells_that_there_is_nothing(self, step: Any, connect: Connect) -> None:
        with ScriptedServer((step,)) as server:
            client = connect(server.url)
            moment = datetime(2026, 11, 5, tzinfo=UTC)
            common: dict[str, Any] = {"key_id": CASHIER_KEY, "register": REGISTER}
            assert client.objects(key_id=CASHIER_KEY) == ()
            assert client.operators(key_id=CASHIER_KEY) == ()
            assert client.registrar_state(**common) is None
            assert client.document_info(**common, local_number=1) is None
            assert client.document_xml(**common, fiscal_number="1", is_z_report=False) is None
            assert client.signed_copy(**common, fiscal_number="1", is_z_report=True) is None
            assert client.shifts(**common, since=moment, until=moment) == ()
            assert client.documents(**common, open_shift_fiscal_number="1") == ()
            assert client.shift_totals(**common) is None
            assert client.send_offline_package([b"1"], key_id=CASHIER_KEY) is None


class TestRegistrarState:
    def test_worked_example_is_read_whole(self, connect: Connect) -> None:
        with ScriptedServer((answer_json(STATE),)) as server:
            assert state_of(connect(server.url)) == RegistrarState(
                shift_open=True,
                shift_id=7712391,
                open_shift_fiscal_number="3600000112",
                z_report_present=False,
                testing=False,
                opener_name="Приклад Олена Петрівна",
                opener_key_id=KEY_ID,
                first_local_number=512,
                next_local_number=521,
                last_fiscal_number="3600000120",
                offline_supported=True,
                senior_cashier=True,
                offline_session_id="21999",
                offline_seed="100710382471",
                offline_next_number=1,
                offline_session_minutes=0,
                offline_month_minutes=0,
                offline_session_rolled_back=False,
                closed=False,
                tax_object=None,
            )

    def test_rolled_back_session_names_the_request_that_did_it(self, connect: Connect) -> None:
        fields = {
            **STATE,
            "OfflineSessionRolledBack": True,
            "OfflineSessionRollbackCmdUID": "7e5a0300-0b1c-4d2e-8f30-a1b2c3d40300",
        }
        with ScriptedServer((answer_json(fields),)) as server:
            state = state_of(connect(server.url))
            assert state is not None
            assert state.offline_session_rolled_back
            assert state.offline_rollback_command_uid == "7e5a0300-0b1c-4d2e-8f30-a1b2c3d40300"

    def test_numbers_as_text_and_nulls_are_read(self, connect: Connect) -> None:
        fields = {
            "ShiftState": "0",
            "NextLocalNum": "521",
            "OfflineSessionId": "21999",
            "OfflineSeed": "179625192271939",
            "OfflineNextLocalNum": "1",
            "OfflineSessionDuration": None,
            "OfflineSessionRolledBack": None,
            "Name": None,
            "TaxObject": UNIT,
            "ErrorCode": "Ok",
        }
        with ScriptedServer((answer_json(fields),)) as server:
            state = state_of(connect(server.url))
            assert state is not None
            assert not state.shift_open
            assert (state.offline_session_id, state.offline_seed) == ("21999", "179625192271939")
            assert (state.next_local_number, state.offline_next_number) == (521, 1)
            assert state.tax_object == EXPECTED_UNIT

    def test_session_and_its_seed_are_sent_as_text(self, connect: Connect) -> None:
        with ScriptedServer((answer_json(STATE),)) as server:
            connect(server.url).registrar_state(
                key_id=CASHIER_KEY,
                register=REGISTER,
                offline_session_id="21999",
                offline_seed="100710382471",
                include_tax_object=True,
            )
            sent = command_in(server)
            assert (sent["OfflineSessionId"], sent["OfflineSeed"]) == ("21999", "100710382471")
            assert sent["IncludeTaxObject"] is True


class TestRegistry:
    def test_units_keep_their_names_to_the_letter(self, connect: Connect) -> None:
        with ScriptedServer((answer_json({"TaxObjects": [UNIT]}),)) as server:
            assert connect(server.url).objects(key_id=CASHIER_KEY) == (EXPECTED_UNIT,)

    def test_unit_without_registers_and_vat_is_read(self, connect: Connect) -> None:
        unit = {**UNIT, "Ipn": None, "TransactionsRegistrars": None}
        with ScriptedServer((answer_json({"TaxObjects": [unit]}),)) as server:
            (found,) = connect(server.url).objects(key_id=CASHIER_KEY)
            assert (found.vat_number, found.registers) == (None, ())

    def test_operators(self, connect: Connect) -> None:
        rows = [{"SubjectKeyId": KEY_ID, "RegNum": 12, "ChiefCashier": True}]
        with ScriptedServer((answer_json({"Tin": "99900011", "Operators": rows}),)) as server:
            assert connect(server.url).operators(key_id=CASHIER_KEY) == (
                OperatorEntry(subject_key_id=KEY_ID, registration_number="12", senior_cashier=True),
            )

    def test_schemas(self, connect: Connect) -> None:
        fields = {"XsdSchemaCheck": base64_of(b"<a/>"), "XsdSchemaZRep": base64_of(b"<b/>")}
        with ScriptedServer((answer_json(fields),)) as server:
            assert connect(server.url).schemas() == Schemas(check=b"<a/>", z_report=b"<b/>")

    def test_device_on_record_is_given(self, connect: Connect) -> None:
        with ScriptedServer((answer_json({"DeviceId": "b" * 64}),)) as server:
            found = connect(server.url).register_device(
                key_id=CASHIER_KEY, register=REGISTER, device_id="a" * 64
            )
            assert found == "b" * 64
            sent = command_in(server)
            assert (sent["DeviceId"], sent["Forced"]) == ("a" * 64, False)


class TestDocuments:
    def test_document_under_a_local_number(self, connect: Connect) -> None:
        fields = {
            "NumFiscal": "3600000120",
            "DocClass": "Check",
            "CheckDocType": "SaleGoods",
            "CheckDocSubType": "CheckGoods",
            "Revoked": False,
            "Storned": False,
        }
        expected = DocumentEntry(
            fiscal_number="3600000120",
            local_number=520,
            at=None,
            is_z_report=False,
            kind="SaleGoods",
            subkind="CheckGoods",
            revoked=False,
            storned=False,
        )
        early = {**fields, "NumFiscal": 3600000120, "DocClass": 0, "CheckDocType": 0}
        early |= {"CheckDocSubType": 0}
        for answered in (fields, early):
            with ScriptedServer((answer_json(answered),)) as server:
                found = connect(server.url).document_info(
                    key_id=CASHIER_KEY, register=REGISTER, local_number=520
                )
                assert found == expected
                assert command_in(server)["NumLocal"] == 520

    def test_documents_of_a_shift(self, connect: Connect) -> None:
        rows = [
            {
                "NumFiscal": "3600000110",
                "NumLocal": 510,
                "DocDateTime": "2026-11-05T21:00:50",
                "DocClass": "ZRep",
                "CheckDocType": None,
                "CheckDocSubType": "Novelty",
                "Revoked": False,
                "Storned": True,
            }
        ]
        with ScriptedServer((answer_json({"Documents": rows}),)) as server:
            found = connect(server.url).documents(
                key_id=CASHIER_KEY, register=REGISTER, open_shift_fiscal_number="3600000101"
            )
            assert found == (
                DocumentEntry(
                    fiscal_number="3600000110",
                    local_number=510,
                    at=datetime(2026, 11, 5, 19, 0, 50, tzinfo=UTC),
                    is_z_report=True,
                    kind=None,
                    subkind="Novelty",
                    revoked=False,
                    storned=True,
                ),
            )
            assert command_in(server)["OpenShiftFiscalNum"] == "3600000101"

    def test_document_without_local_number_in_a_list_is_not_understood(
        self, connect: Connect
    ) -> None:
        rows = [{"NumFiscal": "1", "DocClass": "Check"}]
        with (
            ScriptedServer((answer_json({"Documents": rows}),)) as server,
            pytest.raises(Unreachable, match="NumLocal is missing"),
        ):
            connect(server.url).documents(
                key_id=CASHIER_KEY, register=REGISTER, open_shift_fiscal_number="1"
            )

    def test_shifts_of_a_period(self, connect: Connect) -> None:
        rows = [
            {
                "ShiftId": 7712340,
                "OpenShiftFiscalNum": 3600000101,
                "CloseShiftFiscalNum": None,
                "Testing": False,
                "Opened": "/Date(1793861713000)/",
                "OpenName": "Приклад Олена Петрівна",
                "OpenSubjectKeyId": KEY_ID,
                "Closed": None,
                "CloseName": None,
                "CloseSubjectKeyId": None,
                "ZRepFiscalNum": None,
            }
        ]
        with ScriptedServer((answer_json({"Shifts": rows}),)) as server:
            found = connect(server.url).shifts(
                key_id=CASHIER_KEY,
                register=REGISTER,
                since=datetime(2026, 11, 4, 22, tzinfo=UTC),
                until=datetime(2026, 11, 5, 22, tzinfo=UTC),
            )
            assert found == (
                ShiftEntry(
                    shift_id=7712340,
                    open_fiscal_number="3600000101",
                    close_fiscal_number=None,
                    testing=False,
                    opened_at=datetime(2026, 11, 5, 6, 55, 13, tzinfo=UTC),
                    opener_name="Приклад Олена Петрівна",
                    opener_key_id=KEY_ID,
                    closed_at=None,
                    closer_name=None,
                    closer_key_id=None,
                    z_report_fiscal_number=None,
                ),
            )
            sent = command_in(server)
            assert sent["From"] == "2026-11-05T00:00:00+02:00"
            assert sent["To"] == "2026-11-06T00:00:00+02:00"


class TestCopies:
    def copy_of(self, client: HttpFiscalServer, *, is_z_report: bool = False) -> bytes | None:
        return client.document_xml(
            key_id=CASHIER_KEY,
            register=REGISTER,
            fiscal_number="3600000103",
            is_z_report=is_z_report,
        )

    @pytest.mark.parametrize("code", [0, "0", "Ok"])
    def test_original_of_a_check_is_asked_for_without_a_key(
        self, code: object, connect: Connect
    ) -> None:
        fields = {"Data": base64_of(b"<CHECK/>"), "ResultCode": code, "ResultText": "Ok"}
        with ScriptedServer((answer_json(fields),)) as server:
            assert self.copy_of(connect(server.url)) == b"<CHECK/>"
            sent = server.last.json
            assert (sent["Command"], sent["Type"]) == ("CheckExt", 1)
            assert (sent["RegistrarNumFiscal"], sent["NumFiscal"]) == (REGISTER, "3600000103")

    def test_original_of_a_z_report_is_asked_for_with_one(self, connect: Connect) -> None:
        fields = {"Data": base64_of(b"<ZREP/>"), "ResultCode": 0}
        with ScriptedServer((answer_json(fields),)) as server:
            assert self.copy_of(connect(server.url), is_z_report=True) == b"<ZREP/>"
            assert command_in(server)["Command"] == "ZRepExt"

    @pytest.mark.parametrize(
        "code", [1, 2, 3, 5, "1", "OnlineDocumentAbsent", "OfflineNumberReserved"]
    )
    def test_document_that_is_not_there_is_none(self, code: object, connect: Connect) -> None:
        with ScriptedServer((answer_json({"Data": None, "ResultCode": code}),)) as server:
            assert self.copy_of(connect(server.url)) is None

    @pytest.mark.parametrize("code", [4, "TransactionsRegistrarNotRegistered"])
    def test_register_that_is_not_there_is_a_refusal(self, code: object, connect: Connect) -> None:
        fields = {"Data": None, "ResultCode": code, "ResultText": "немає"}
        with ScriptedServer((answer_json(fields),)) as server:
            with pytest.raises(Refused) as refusal:
                self.copy_of(connect(server.url))
            assert (refusal.value.server_code, refusal.value.text) == (1, "немає")

    @pytest.mark.parametrize("data", [None, "", "=", "а"])
    def test_success_without_usable_data_is_not_understood(
        self, data: str | None, connect: Connect
    ) -> None:
        fields = {"Data": data, "ResultCode": 0}
        with (
            ScriptedServer((answer_json(fields),)) as server,
            pytest.raises(Unreachable, match="not understood"),
        ):
            self.copy_of(connect(server.url))

    def test_copy_signed_by_the_server_is_verified(
        self, connect: Connect, sealed: Callable[[bytes], bytes]
    ) -> None:
        message = sealed(b"<CHECK/>")
        arguments: dict[str, Any] = {
            "key_id": CASHIER_KEY,
            "register": REGISTER,
            "fiscal_number": "3600000103",
            "is_z_report": False,
        }
        with ScriptedServer((answer(message),)) as server:
            found = connect(server.url).signed_copy(**arguments)
            assert found is not None
            assert (found.raw, found.xml) == (message, b"<CHECK/>")
        with (
            ScriptedServer((answer(message.replace(b"<CHECK/>", b"<CHECK>>")),)) as server,
            pytest.raises(IntegrityFault),
        ):
            connect(server.url).signed_copy(**arguments)
        with (
            ScriptedServer((answer_json({}),)) as server,
            pytest.raises(Unreachable, match="not understood"),
        ):
            connect(server.url).signed_copy(**arguments)


class TestSendingByCommand:
    def test_ticket_of_a_document(
        self, connect: Connect, sealed: Callable[[bytes], bytes], signed_document: bytes
    ) -> None:
        ticket = sealed(ticket_xml())
        with ScriptedServer((answer_json({"Ticket": base64_of(ticket)}),)) as server:
            found = connect(server.url).send_document(signed_document)
            assert (found.fiscal_number, found.raw) == ("3600000101", ticket)
            assert server.last.json["Document"] == base64_of(signed_document)

    def test_package_that_ends_the_session_gives_the_next(self, connect: Connect) -> None:
        fields = {"OfflineSessionId": 22000, "OfflineSeed": 179625192271939}
        with ScriptedServer((answer_json(fields),)) as server:
            found = connect(server.url).send_offline_package([b"one", b"two"], key_id=CASHIER_KEY)
            assert found == NextOfflineSession(session_id="22000", seed="179625192271939")
            assert command_in(server)["Documents"] == [base64_of(b"one"), base64_of(b"two")]

    def test_package_in_the_middle_of_a_session_gives_none(self, connect: Connect) -> None:
        fields = {"OfflineSessionId": None, "OfflineSeed": None}
        with ScriptedServer((answer_json(fields),)) as server:
            assert connect(server.url).send_offline_package([b"1"], key_id=CASHIER_KEY) is None
