"""Every command of the protocol, its errors in both styles, and "no data"."""

import base64
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from lxml import etree

from infra.signing import cms
from infra.simulator.registry import CompanyEntry, KeyEntry, Role
from infra.simulator.switches import Switches
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import (
    BARE,
    CASHIER,
    SECOND_CASHIER,
    SENIOR,
    SERVER_KEY,
    SIGNED,
    STRANGER,
    Office,
    company,
    data_of,
    key_entry,
    key_id,
    ticket_in,
)

Fields = dict[str, Any]

SIGNED_COMMANDS: dict[str, Fields] = {
    "Objects": {},
    "Operators": {},
    "TransactionsRegistrarState": {"NumFiscal": make.REGISTER},
    "ZRep": {"RegistrarNumFiscal": make.REGISTER, "NumLocal": 1},
    "ZRepExt": {"RegistrarNumFiscal": make.REGISTER, "NumLocal": 1, "Type": 0},
    "Shifts": {"NumFiscal": make.REGISTER, "ShiftId": 1},
    "Documents": {"NumFiscal": make.REGISTER, "ShiftId": 1},
    "LastShiftTotals": {"NumFiscal": make.REGISTER},
    "DocumentInfoByLocalNum": {"NumFiscal": make.REGISTER, "NumLocal": 1},
    "DeviceRegister": {"NumFiscal": make.REGISTER, "DeviceId": "d" * 64},
    "SendOflPackage": {"Documents": []},
}
OF_A_REGISTER = [name for name, fields in SIGNED_COMMANDS.items() if {"NumFiscal"} & fields.keys()]


class TestEnvelope:
    @pytest.mark.parametrize("command", SIGNED_COMMANDS)
    def test_unsigned_command_must_be_signed(self, office: Office, command: str) -> None:
        reply = office.command(command, key=None, **SIGNED_COMMANDS[command])

        assert reply.status == 400
        assert reply.body.decode().startswith("Код помилки: 9 DocumentValidationError\r\n")
        assert "повинно бути засвідчене" in reply.body.decode()

    @pytest.mark.parametrize("key", [CASHIER, None])
    def test_open_commands_may_be_signed_or_not(self, office: Office, key: Any) -> None:
        assert office.asked("ServerState", key=key)["UID"] == "u-1"

    def test_unknown_command_is_code_11(self, office: Office) -> None:
        reply = office.command("CashRegisters")

        assert reply.status == 400
        assert reply.body.decode().startswith("Код помилки: 11 InvalidQueryParameter\r\n")

    @pytest.mark.parametrize("body", [b"not json at all", b"[1, 2, 3, 4]", b'"ServerState"'])
    def test_body_that_is_no_json_object_is_code_11(self, office: Office, body: bytes) -> None:
        reply = office.simulator.cmd(body, BARE)

        assert "11 InvalidQueryParameter" in reply.body.decode()

    def test_error_in_json_comes_as_200(self, office: Office) -> None:
        reply = office.command("Nonsense", as_json=True)

        answer = orjson.loads(reply.body)
        assert reply.status == 200
        assert (answer["UID"], answer["ErrorCode"]) == ("u-1", 11)
        assert "Nonsense" in answer["ErrorMessage"]

    def test_error_of_an_unreadable_command_has_no_uid(self, office: Office) -> None:
        reply = office.simulator.cmd(b"not json at all", BARE, result_as_json=True)

        assert orjson.loads(reply.body)["UID"] is None

    def test_wrong_content_type_stays_415_in_json_mode(self, office: Office) -> None:
        reply = office.simulator.cmd(b"x" * 20, {"content-type": "x/y"}, result_as_json=True)

        assert reply.status == 415

    def test_no_data_is_204_or_code_13(self, office: Office) -> None:
        asked: Fields = {"NumFiscal": make.REGISTER, "NumLocal": 77}

        plain = office.command("DocumentInfoByLocalNum", **asked)
        as_json = office.command("DocumentInfoByLocalNum", as_json=True, **asked)

        assert (plain.status, plain.body) == (204, b"")
        assert orjson.loads(as_json.body) == {
            "UID": "u-1",
            "ErrorCode": 13,
            "ErrorMessage": "NoContent",
        }

    @pytest.mark.parametrize(("style", "value"), [("zero", 0), ("Ok", "Ok")])
    def test_success_may_carry_a_code(self, style: str, value: object) -> None:
        office = Office(switches=Switches.model_validate({"error_code_on_success": style}))

        reply = office.command("ServerState", as_json=True)

        assert orjson.loads(reply.body)["ErrorCode"] == value
        assert "ErrorCode" not in orjson.loads(office.command("ServerState").body)

    def test_answers_may_come_signed(self) -> None:
        office = Office(switches=Switches(commands_in_cms=True))

        message = cms.parse(office.command("ServerState").body)

        assert cms.verify(message, trust=None) == SERVER_KEY.certificate
        assert message.content is not None
        assert orjson.loads(message.content)["UID"] == "u-1"

    def test_uid_may_be_absent(self, office: Office) -> None:
        reply = office.simulator.cmd(b'{"Command": "ServerState"}', BARE)

        assert orjson.loads(reply.body)["UID"] is None

    def test_command_past_its_timeout_is_dropped(self, office: Office) -> None:
        sent_at = "2026-11-05T08:59:50.0000000+02:00"

        office.asked("ServerState", Timestamp=sent_at, Timeout=10_000)
        reply = office.command("ServerState", Timestamp=sent_at, Timeout=9_999)

        assert "11 InvalidQueryParameter" in reply.body.decode()

    @pytest.mark.parametrize("number", ["four", 4.5, True, "0x10"])
    def test_number_that_is_none_is_code_11(self, office: Office, number: object) -> None:
        reply = office.command("LastShiftTotals", NumFiscal=number)

        assert "11 InvalidQueryParameter" in reply.body.decode()

    @pytest.mark.parametrize("command", OF_A_REGISTER)
    def test_register_may_be_a_number_or_a_string(self, opened: Office, command: str) -> None:
        fields: Fields = {**SIGNED_COMMANDS[command], "NumFiscal": int(make.REGISTER)}

        assert opened.command(command, **fields).status == 200

    @pytest.mark.parametrize(
        "command", [name for name in OF_A_REGISTER if name != "TransactionsRegistrarState"]
    )
    def test_register_is_known_and_open_to_the_key(self, opened: Office, command: str) -> None:
        fields = SIGNED_COMMANDS[command]

        unknown = opened.command(command, **{**fields, "NumFiscal": "4000999999"})
        foreign = opened.command(command, key=STRANGER, **fields)
        missing = opened.command(command, **{**fields, "NumFiscal": None})

        assert (unknown.status, foreign.status, missing.status) == (404, 401, 400)
        assert "1 TransactionsRegistrarAbsent" in unknown.body.decode()
        assert "2 OperatorAccess" in foreign.body.decode()
        assert "11 InvalidQueryParameter" in missing.body.decode()


class TestServer:
    def test_server_state_tells_the_time_as_real_ones_do(self, office: Office) -> None:
        answer = office.asked("ServerState", key=None)

        assert answer == {"UID": "u-1", "Timestamp": "2026-11-05T09:00:00.0000000+02:00"}

    def test_schemas_are_schemas(self, office: Office) -> None:
        answer = office.asked("Schemas", key=None)

        schema = etree.XMLSchema(etree.fromstring(base64.b64decode(answer["XsdSchemaCheck"])))
        assert schema.validate(etree.fromstring(make.open_shift(1, office.local)))
        etree.XMLSchema(etree.fromstring(base64.b64decode(answer["XsdSchemaZRep"])))


class TestRegistry:
    def test_objects_show_units_and_registers(self, office: Office) -> None:
        (unit,) = office.asked("Objects")["TaxObjects"]

        assert (unit["OrgName"], unit["Tin"], unit["Ipn"]) == (make.ORG_NAME, make.TIN, make.IPN)
        assert (unit["Name"], unit["Address"]) == (make.POINT_NAME, make.POINT_ADDRESS)
        assert unit["ChiefCashier"] is False
        assert unit["TransactionsRegistrars"][0] == {
            "NumFiscal": int(make.REGISTER),
            "NumLocal": make.DESK,
            "Name": "Каса 4",
            "Closed": False,
        }

    def test_key_of_nobody_gets_no_objects(self, office: Office) -> None:
        assert office.command("Objects", key=STRANGER).status == 204
        assert office.command("Operators", key=STRANGER).status == 204

    def test_key_sees_its_own_registers_only(self) -> None:
        entry = company()
        limited = key_entry(STRANGER).model_copy(update={"registers": (make.OTHER_REGISTER,)})
        office = Office(entry=entry.model_copy(update={"keys": (*entry.keys, limited)}))

        (unit,) = office.asked("Objects", key=STRANGER)["TaxObjects"]

        numbers = [register["NumFiscal"] for register in unit["TransactionsRegistrars"]]
        assert numbers == [int(make.OTHER_REGISTER)]

    def test_operators_list_all_keys_of_the_company(self, office: Office) -> None:
        answer = office.asked("Operators")

        assert answer["Tin"] == make.TIN
        chiefs = {each["SubjectKeyId"]: each["ChiefCashier"] for each in answer["Operators"]}
        assert chiefs == {
            key_id(CASHIER): False,
            key_id(SECOND_CASHIER): False,
            key_id(SENIOR): True,
        }

    def test_register_of_another_company_is_not_taken_over(self, office: Office) -> None:
        other = company().model_copy(update={"tin": "11111111"})

        with pytest.raises(ValueError, match=make.TIN):
            office.simulator.set_up(other)

    def test_company_registered_anew_keeps_its_book(self, opened: Office) -> None:
        opened.simulator.set_up(company())

        assert opened.sell()["ORDERNUM"] == "2"

    def test_one_key_may_serve_two_companies(self, office: Office) -> None:
        second = CompanyEntry(
            tin="11111111",
            name="Друга",
            units=(
                company()
                .units[0]
                .model_copy(
                    update={
                        "registers": (
                            company()
                            .units[0]
                            .registers[0]
                            .model_copy(update={"fiscal_number": "4000888009"}),
                        )
                    }
                ),
            ),
            keys=(key_entry(CASHIER, Role.HEAD),),
        )
        office.simulator.set_up(second)

        names = [unit["OrgName"] for unit in office.asked("Objects")["TaxObjects"]]

        assert names == [make.ORG_NAME, "Друга"]

    @pytest.mark.parametrize("digits", ["abc", "g" * 64, "0" * 63])
    def test_key_is_named_by_64_hexadecimal_digits(self, digits: str) -> None:
        with pytest.raises(ValueError, match="64"):
            KeyEntry(subject_key_id=digits, name="X")


class TestState:
    def test_closed_register(self, office: Office) -> None:
        state = office.state(SENIOR)

        assert (state["ShiftState"], state["ShiftId"], state["FirstLocalNum"]) == (0, 0, 0)
        assert state["NextLocalNum"] == 1
        assert (state["OpenShiftFiscalNum"], state["LastFiscalNum"], state["Name"]) == (None,) * 3
        assert state["OfflineSupported"] is True
        assert state["OfflineNextLocalNum"] == 1
        assert state["Closed"] is False

    def test_open_register(self, office: Office) -> None:
        number = office.open()["ORDERTAXNUM"]
        last = office.sell()["ORDERTAXNUM"]

        state = office.state()

        assert (state["ShiftState"], state["OpenShiftFiscalNum"]) == (1, number)
        assert (state["FirstLocalNum"], state["NextLocalNum"]) == (1, 3)
        assert state["LastFiscalNum"] == last
        assert state["Name"] == "Смерека Ольга Остапівна"
        assert state["SubjectKeyId"] == key_id(CASHIER)
        assert state["ZRepPresent"] is False

    def test_z_report_shows(self, opened: Office) -> None:
        opened.accept(make.z_report(2, opened.local))

        assert opened.state()["ZRepPresent"] is True

    def test_session_is_that_of_the_ticket(self, office: Office) -> None:
        ticket = office.open()

        state = office.state()

        assert state["OfflineSessionId"] == int(ticket["OFFLINESESSIONID"])
        assert state["OfflineSeed"] == int(ticket["OFFLINESEED"])

    @pytest.mark.parametrize(
        ("key", "is_shown"), [(CASHIER, True), (SECOND_CASHIER, False), (SENIOR, True)]
    )
    def test_offline_group_is_for_the_opener_and_the_chief(
        self, opened: Office, key: Any, is_shown: bool
    ) -> None:
        state = opened.state(key)

        assert (state["OfflineSeed"] is not None) is is_shown
        assert (state["OfflineSessionDuration"] is not None) is is_shown
        assert state["ChiefCashier"] is (key is SENIOR)

    def test_offline_group_is_null_where_offline_is_not_allowed(self) -> None:
        office = Office(entry=company(offline_allowed=False))

        state = office.state(SENIOR)

        assert (state["OfflineSupported"], state["OfflineSessionId"]) == (False, None)

    def test_unknown_register_and_foreign_key_get_204(self, office: Office) -> None:
        unknown = office.command("TransactionsRegistrarState", NumFiscal="4000999999")
        foreign = office.command(
            "TransactionsRegistrarState", key=STRANGER, NumFiscal=make.REGISTER
        )

        assert (unknown.status, foreign.status) == (204, 204)

    def test_tax_object_comes_when_asked_for(self, office: Office) -> None:
        asked: Fields = {"NumFiscal": make.REGISTER}

        without = office.asked("TransactionsRegistrarState", **asked)
        included = office.asked("TransactionsRegistrarState", IncludeTaxObject=True, **asked)
        refused = office.command("TransactionsRegistrarState", IncludeTaxObject="yes", **asked)

        assert without["TaxObject"] is None
        assert included["TaxObject"]["OrgName"] == make.ORG_NAME
        assert refused.status == 400

    def test_cancelled_registration_shows(self, opened: Office) -> None:
        opened.simulator.close_register(make.REGISTER)

        assert opened.state()["Closed"] is True


class TestDevice:
    def test_first_device_is_kept_until_another_is_forced(self, office: Office) -> None:
        def register(device: str, **more: Any) -> str:
            answer = office.asked(
                "DeviceRegister", NumFiscal=make.REGISTER, DeviceId=device * 64, **more
            )
            return str(answer["DeviceId"])

        assert register("a") == "a" * 64
        assert register("b") == "a" * 64
        assert register("b", Forced=True) == "b" * 64
        assert register("a", Forced=False) == "b" * 64

    @pytest.mark.parametrize("device", ["short", "", None])
    def test_device_has_64_characters(self, office: Office, device: str | None) -> None:
        reply = office.command("DeviceRegister", NumFiscal=make.REGISTER, DeviceId=device)

        assert "11 InvalidQueryParameter" in reply.body.decode()


class TestDocumentForms:
    @pytest.fixture
    def number(self, opened: Office) -> str:
        return opened.sell()["ORDERTAXNUM"]

    def extended(self, office: Office, form: int, number: str, **more: Any) -> Any:
        return office.asked(
            "CheckExt",
            key=None,
            RegistrarNumFiscal=make.REGISTER,
            NumFiscal=number,
            Type=form,
            **more,
        )

    def test_availability(self, opened: Office, number: str) -> None:
        answer = self.extended(opened, 0, number)

        assert (answer["Data"], answer["ResultCode"], answer["ResultText"]) == (None, 0, "Ok")
        assert answer["ShiftId"] == opened.state()["ShiftId"]

    def test_original_is_as_the_seller_sent_it(self, opened: Office, number: str) -> None:
        assert data_of(self.extended(opened, 1, number)) == make.sale(
            2, opened.local.replace(minute=1)
        )

    def test_server_copy_is_signed_and_has_the_fiscal_number_after_ver(
        self, opened: Office, number: str
    ) -> None:
        message = cms.parse(data_of(self.extended(opened, 2, number)))

        assert cms.verify(message, trust=None) == SERVER_KEY.certificate
        assert message.content is not None
        head = etree.fromstring(message.content)[0]
        names = [child.tag for child in head]
        assert names[names.index("VER") + 1] == "ORDERTAXNUM"
        assert head.findtext("ORDERTAXNUM") == number

    def test_text_is_for_people(self, opened: Office, number: str) -> None:
        text = data_of(self.extended(opened, 3, number)).decode("utf-8")

        assert f"ЧЕК ФН {number} ВН 2 онлайн" in text
        assert "СУМА ДО СПЛАТИ: 50.00" in text
        assert "ФІСКАЛЬНИЙ ЧЕК" in text

    def test_senders_signature_is_the_bytes_that_came(self, opened: Office, number: str) -> None:
        stored = opened.simulator.book.find_document(number)
        assert stored is not None

        assert data_of(self.extended(opened, 4, number)) == stored.signed

    def test_both_signatures_are_one_inside_the_other(self, opened: Office, number: str) -> None:
        outer = cms.parse(data_of(self.extended(opened, 5, number)))

        assert outer.content is not None
        assert cms.verify(outer, trust=None) == SERVER_KEY.certificate
        assert cms.verify(cms.parse(outer.content), trust=None) == CASHIER.certificate

    def test_reversed_document_is_marked_in_the_server_copy(
        self, opened: Office, number: str
    ) -> None:
        opened.accept(make.storno(3, opened.local, target=number))

        content = cms.parse(data_of(self.extended(opened, 2, number))).content

        assert content is not None
        assert etree.fromstring(content).findtext("CHECKHEAD/STORNED") == "true"

    def test_original_may_carry_the_fiscal_number(self, number: str) -> None:
        office = Office(switches=Switches(original_carries_fiscal_number=True))
        office.open()
        answer = self.extended(office, 1, office.sell()["ORDERTAXNUM"])

        assert b"<ORDERTAXNUM>" in data_of(answer)

    def test_cabinet_address_comes_when_asked_for(self, opened: Office, number: str) -> None:
        answer = self.extended(opened, 3, number, AcquireCabinetUrl=True)

        assert answer["CabinetUrl"] == (
            f"https://cabinet.tax.gov.ua/cashregs/check?id={number}&fn={make.REGISTER}"
            "&date=20261105&time=0901&sm=50.00"
        )
        assert self.extended(opened, 3, number)["CabinetUrl"] is None

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"NumFiscal": "3600009999"}, 1),
            ({"NumFiscal": "21999.1.55"}, 2),
            ({"NumFiscal": "20000.1.55"}, 3),
            ({"NumFiscal": "1", "RegistrarNumFiscal": "4000999999"}, 4),
            ({"NumLocal": 99}, 5),
        ],
    )
    def test_absent_document_has_a_result_code(
        self, opened: Office, fields: dict[str, Any], code: int
    ) -> None:
        asked: Fields = {"RegistrarNumFiscal": make.REGISTER, "Type": 1, **fields}

        answer = opened.asked("CheckExt", key=None, **asked)

        assert (answer["ResultCode"], answer["Data"]) == (code, None)

    def test_result_code_may_be_a_string(self) -> None:
        office = Office(switches=Switches(result_code_as_text=True))
        office.open()

        assert self.extended(office, 0, "1")["ResultCode"] == "1"

    @pytest.mark.parametrize("form", [-1, 6, None])
    def test_form_is_0_to_5(self, opened: Office, form: int | None) -> None:
        reply = opened.command("CheckExt", RegistrarNumFiscal=make.REGISTER, NumLocal=1, Type=form)

        assert "11 InvalidQueryParameter" in reply.body.decode()

    def test_document_is_named_by_either_number(self, opened: Office, number: str) -> None:
        reply = opened.command("CheckExt", RegistrarNumFiscal=make.REGISTER, Type=0)
        by_local = opened.asked("CheckExt", RegistrarNumFiscal=make.REGISTER, Type=4, NumLocal=2)

        assert reply.status == 400
        assert by_local["Data"] == self.extended(opened, 4, number)["Data"]

    @pytest.mark.parametrize("original", [True, False])
    def test_check_comes_signed_by_the_server(
        self, opened: Office, number: str, original: bool
    ) -> None:
        asked: Fields = {
            "RegistrarNumFiscal": make.REGISTER,
            "NumFiscal": number,
            "Original": original,
        }

        message = cms.parse(opened.command("Check", key=None, **asked).body)

        assert cms.verify(message, trust=None) == SERVER_KEY.certificate
        assert message.content is not None
        assert (b"<ORDERTAXNUM>" in message.content) is not original

    def test_z_reports_have_commands_of_their_own(self, opened: Office) -> None:
        number = opened.accept(make.z_report(2, opened.local))["ORDERTAXNUM"]
        asked: Fields = {"RegistrarNumFiscal": make.REGISTER, "NumFiscal": number}

        assert opened.command("Check", key=None, **asked).status == 204
        assert opened.command("ZRep", **asked).status == 200
        assert opened.asked("CheckExt", Type=1, **asked)["ResultCode"] == 1
        text = data_of(opened.asked("ZRepExt", Type=3, **asked)).decode()
        assert "ФІСКАЛЬНИЙ Z-ЗВІТ" in text

    def test_absent_check_is_204(self, opened: Office) -> None:
        asked: Fields = {"RegistrarNumFiscal": make.REGISTER, "NumLocal": 55}

        assert opened.command("Check", key=None, **asked).status == 204


class TestLists:
    @pytest.fixture
    def two_shifts(self, opened: Office) -> Office:
        opened.sell()
        opened.accept(make.z_report(3, opened.local, {"ZREPREALIZ": make.orders(5000, 1)}))
        opened.accept(make.close_shift(4, opened.local), key=CASHIER)
        opened.clock.forward(hours=24)
        opened.open()
        return opened

    def test_shifts_of_a_period(self, two_shifts: Office) -> None:
        asked: Fields = {"From": "2026-11-05T00:00:00+02:00", "To": "2026-11-06T00:00:00+02:00"}

        (shift,) = two_shifts.asked("Shifts", NumFiscal=make.REGISTER, **asked)["Shifts"]

        assert shift == {
            "ShiftId": 7712340,
            "OpenShiftFiscalNum": "3600000101",
            "CloseShiftFiscalNum": "3600000104",
            "Testing": False,
            "Opened": "2026-11-05T09:00:00",
            "OpenName": "Смерека Ольга Остапівна",
            "OpenSubjectKeyId": key_id(CASHIER),
            "Closed": "2026-11-05T09:03:00",
            "CloseName": "Смерека Ольга Остапівна",
            "CloseSubjectKeyId": key_id(CASHIER),
            "ZRepFiscalNum": "3600000103",
        }

    def test_javascript_dates_are_taken(self, two_shifts: Office) -> None:
        start = int(two_shifts.clock.now().timestamp() * 1000) - 3 * 86_400_000
        asked: Fields = {
            "From": f"/Date({start})/",
            "To": f"/Date({start + 10 * 86_400_000}+0200)/",
        }

        answer = two_shifts.asked("Shifts", NumFiscal=make.REGISTER, **asked)

        assert len(answer["Shifts"]) == 2
        assert answer["Shifts"][1]["Closed"] is None

    def test_time_without_offset_is_local(self, two_shifts: Office) -> None:
        asked: Fields = {"From": "2026-11-05T09:00:00", "To": "2026-11-05T09:00:00.1234567"}

        answer = two_shifts.asked("Shifts", NumFiscal=make.REGISTER, **asked)

        assert len(answer["Shifts"]) == 1

    def test_shift_by_its_id_passes_over_the_period(self, two_shifts: Office) -> None:
        asked: Fields = {"ShiftId": "7712341", "From": "2020-01-01T00:00:00"}

        (shift,) = two_shifts.asked("Shifts", NumFiscal=make.REGISTER, **asked)["Shifts"]

        assert shift["ShiftId"] == 7712341

    @pytest.mark.parametrize(
        "asked",
        [
            {},
            {"From": "2026-11-05T00:00:00"},
            {"From": "2026-11-05T00:00:00", "To": "2026-11-04T00:00:00"},
            {"From": "yesterday", "To": "2026-11-04T00:00:00"},
        ],
    )
    def test_period_must_be_whole(self, two_shifts: Office, asked: Fields) -> None:
        reply = two_shifts.command("Shifts", NumFiscal=make.REGISTER, **asked)

        assert "11 InvalidQueryParameter" in reply.body.decode()

    @pytest.mark.parametrize("asked", [{"ShiftId": 7712340}, {"OpenShiftFiscalNum": "3600000101"}])
    def test_documents_of_a_shift(self, two_shifts: Office, asked: Fields) -> None:
        answer = two_shifts.asked("Documents", NumFiscal=make.REGISTER, **asked)

        shown = [
            (each["NumFiscal"], each["NumLocal"], each["DocClass"], each["CheckDocType"])
            for each in answer["Documents"]
        ]
        assert shown == [
            ("3600000101", 1, "Check", "OpenShift"),
            ("3600000102", 2, "Check", "SaleGoods"),
            ("3600000103", 3, "ZRep", "SaleGoods"),
            ("3600000104", 4, "Check", "CloseShift"),
        ]
        assert answer["Documents"][0]["DocDateTime"] == "2026-11-05T09:00:00"

    def test_documents_of_no_shift_are_code_11(self, opened: Office) -> None:
        reply = opened.command("Documents", NumFiscal=make.REGISTER)

        assert "11 InvalidQueryParameter" in reply.body.decode()

    def test_unknown_shift_has_no_documents(self, opened: Office) -> None:
        assert opened.asked("Documents", NumFiscal=make.REGISTER, ShiftId=1)["Documents"] == []

    @pytest.mark.parametrize(
        ("build", "names"),
        [
            (lambda n, at: make.service(n, at, 100, subtype=2), ("SaleGoods", "CheckGoods")),
            (
                lambda n, at: make.sale_return(n, at, original="1"),
                ("SaleGoods", "CheckReturn"),
            ),
            (lambda n, at: make.withdrawal(n, at, 100), ("CashWithdrawal", "CheckGoods")),
        ],
    )
    def test_document_info_names_what_it_is(
        self, opened: Office, build: Callable[..., bytes], names: tuple[str, str]
    ) -> None:
        number = opened.accept(build(2, opened.local))["ORDERTAXNUM"]

        info = opened.asked("DocumentInfoByLocalNum", NumFiscal=make.REGISTER, NumLocal="2")

        assert info == {
            "UID": "u-1",
            "NumFiscal": number,
            "DocClass": "Check",
            "CheckDocType": names[0],
            "CheckDocSubType": names[1],
            "Revoked": False,
            "Storned": False,
        }

    def test_storno_shows_on_both_documents(self, opened: Office) -> None:
        number = opened.sell()["ORDERTAXNUM"]
        opened.accept(make.storno(3, opened.local, target=number))

        asked = [
            opened.asked("DocumentInfoByLocalNum", NumFiscal=make.REGISTER, NumLocal=local)
            for local in (2, 3)
        ]

        assert [each["Storned"] for each in asked] == [True, False]
        assert asked[1]["CheckDocSubType"] == "CheckStorno"

    def test_totals_of_a_register_without_shifts_are_204(self, office: Office) -> None:
        assert office.command("LastShiftTotals", NumFiscal=make.REGISTER).status == 204


class TestSendDocument:
    def test_document_inside_a_bare_command_is_registered(self, office: Office) -> None:
        signed = office.signed(make.open_shift(1, office.local))

        answer = office.asked("SendDocument", key=None, Document=base64.b64encode(signed).decode())

        assert ticket_in(base64.b64decode(answer["Ticket"]))["ORDERTAXNUM"] == "3600000101"

    def test_refusal_comes_in_the_commands_style(self, office: Office) -> None:
        signed = base64.b64encode(office.signed(make.sale(1, office.local))).decode()

        plain = office.command("SendDocument", Document=signed)
        as_json = office.command("SendDocument", as_json=True, Document=signed)

        assert "5 ShiftNotOpened" in plain.body.decode()
        assert orjson.loads(as_json.body)["ErrorCode"] == 5

    @pytest.mark.parametrize("document", [None, "", "not base64!"])
    def test_document_must_be_base64(self, office: Office, document: str | None) -> None:
        reply = office.command("SendDocument", Document=document)

        assert "11 InvalidQueryParameter" in reply.body.decode()


class TestPackages:
    """Packages that hold nothing; those that do are in ``test_packages``."""

    def test_command_is_code_10(self, office: Office) -> None:
        reply = office.command("SendOflPackage", Documents=[])

        assert reply.body.decode().startswith("Код помилки: 10 PackageValidationError\r\n")

    def test_address_is_code_10_for_a_signed_body(self, office: Office) -> None:
        reply = office.simulator.package(office.signed(b"\0" * 20), SIGNED)

        assert reply.status == 400
        assert reply.body.decode().startswith("Код помилки: 10 PackageValidationError\r\n")

    def test_address_is_code_9_for_an_unsigned_body(self, office: Office) -> None:
        reply = office.simulator.package(b"\0" * 20, SIGNED)

        assert "9 DocumentValidationError" in reply.body.decode()
