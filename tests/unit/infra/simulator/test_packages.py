"""Offline packages: what is taken, what is refused and how, and what the register comes to."""

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.signing import cms
from infra.simulator.answers import Code
from infra.simulator.faults import Fault, FaultKind
from infra.simulator.journal import FileJournal
from infra.simulator.replies import AnswerLost, NoReply
from infra.simulator.switches import Switches
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import (
    SECOND_CASHIER,
    SENIOR,
    Office,
    company,
    new_simulator,
    ticket_of,
)
from tests.unit.infra.simulator.offline import OfflineTill, control

OfficeWith = Callable[..., Office]


def numbers(office: Office) -> list[int]:
    book = office.simulator.book.find(make.REGISTER)
    assert book is not None
    return [each.local_number for each in book.documents]


def revoked(office: Office, local_number: int) -> bool:
    answer = office.asked("DocumentInfoByLocalNum", NumFiscal=make.REGISTER, NumLocal=local_number)
    return bool(answer["Revoked"])


def sold(office: Office) -> Any:
    return office.asked("LastShiftTotals", NumFiscal=make.REGISTER)["Totals"]["Real"]


class TestTaken:
    def test_package_without_the_end_is_ok(self, opened: Office) -> None:
        assert OfflineTill(opened).begin().sell().sell().deliver() == b"OK"
        assert numbers(opened) == [1, 2, 3, 4]

    def test_end_brings_the_next_session(self, opened: Office) -> None:
        till = OfflineTill(opened).begin().sell().end()

        answer = orjson.loads(till.deliver())

        state = opened.state()
        assert answer == {
            "OfflineSessionId": state["OfflineSessionId"],
            "OfflineSeed": state["OfflineSeed"],
        }
        assert answer["OfflineSessionId"] != till.session_id
        assert state["OfflineNextLocalNum"] == 1

    def test_session_may_take_several_packages(self, opened: Office) -> None:
        till = OfflineTill(opened)
        assert till.begin().sell().deliver() == b"OK"
        assert opened.state()["OfflineNextLocalNum"] == 3
        assert till.sell().deliver() == b"OK"

        orjson.loads(till.end().deliver())

        assert numbers(opened) == [1, 2, 3, 4, 5]

    def test_shift_may_open_inside_and_go_on_online(self, office: Office) -> None:
        till = OfflineTill(office).begin()
        till.add(make.open_shift)
        till.sell(5000).sell(2500)
        till.end()

        orjson.loads(till.deliver())

        assert office.state()["ShiftState"] == 1
        assert sold(office)["Sum"] == 75.0

    def test_storno_names_an_offline_number(self, opened: Office) -> None:
        till = OfflineTill(opened).begin().sell(5000).sell(700)
        target = till.last_number
        till.add(make.storno, target=target)
        till.deliver()

        assert sold(opened)["Sum"] == 50.0

    def test_return_names_an_offline_number(self, opened: Office) -> None:
        till = OfflineTill(opened).begin().sell(5000)
        original = till.last_number
        till.add(lambda *args, **more: make.sale_return(*args, original=original, **more))

        assert till.deliver() == b"OK"

    def test_z_report_inside_counts_online_and_offline(self, opened: Office) -> None:
        opened.sell(2500)
        till = OfflineTill(opened).begin().sell(5000)
        body = {"SERVICEINPUT": "0.00", "SERVICEOUTPUT": "0.00"}
        vat = {**make.vat(7500), "SUM": "12.50"}
        realised = {**make.orders(7500, 2), "TAXES": [vat]}
        till.add(make.z_report, {"ZREPREALIZ": realised, "ZREPBODY": body})
        till.add(make.close_shift)
        orjson.loads(till.end().deliver())

        assert opened.state(SENIOR)["ShiftState"] == 0

    def test_stale_documents_are_no_matter_offline(self, opened: Office) -> None:
        till = OfflineTill(opened).begin().sell()
        opened.clock.forward(hours=20)

        assert till.deliver() == b"OK"

    def test_command_takes_a_package_too(self, opened: Office) -> None:
        till = OfflineTill(opened).begin().sell().end()
        listed = [base64.b64encode(each).decode() for each in till.packed]

        answer = opened.asked("SendOflPackage", Documents=listed)

        assert answer["OfflineSessionId"] == opened.state()["OfflineSessionId"]

    def test_answer_may_be_a_ticket(self, office_with: OfficeWith) -> None:
        office = office_with(package_answer="ticket")

        reply = OfflineTill(office).begin().sell().end().post()

        ticket = ticket_of(reply)
        assert ticket["ORDERNUM"] == "4"
        assert int(ticket["OFFLINESESSIONID"]) == office.state()["OfflineSessionId"]

    def test_senior_cashier_signs_the_package(self, opened: Office) -> None:
        assert OfflineTill(opened).begin().sell().post(key=SENIOR).status == 200

    def test_restart_goes_on_with_the_session(self, tmp_path: Path, opened: Office) -> None:
        journal = FileJournal(tmp_path / "book.jsonl")
        simulator = new_simulator(opened.clock, journal=journal)
        simulator.set_up(company())
        opened.simulator = simulator
        opened.open()
        till = OfflineTill(opened).begin().sell()
        till.deliver()
        simulator.close()

        opened.simulator = new_simulator(opened.clock, journal=FileJournal(tmp_path / "book.jsonl"))
        ended = orjson.loads(till.sell().end().deliver())
        opened.simulator.close()
        opened.simulator = new_simulator(opened.clock, journal=FileJournal(tmp_path / "book.jsonl"))

        assert opened.state()["OfflineSessionId"] == ended["OfflineSessionId"]
        assert opened.state()["OfflineSeed"] == ended["OfflineSeed"]
        opened.simulator.close()


class TestRefused:
    def test_text_names_document_and_offset(self, opened: Office) -> None:
        till = OfflineTill(opened).begin()
        offset = len(till.packed[0]) + 8
        till.sell(number=9)

        text = till.refused()

        assert text.startswith(
            "Код помилки: 7 CheckLocalNumberInvalid\r\n"
            f"Помилка обробки документа за № 1 в пакеті, дислокація {offset}:\r\n"
            "Некоректний локальний номер документа 9 "
        )
        assert text.endswith("повинен дорівнювати 3")

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"tax_number": "7.2.1"}, "ідентифікатор офлайн сесії 7"),
            ({"tax_number": "{0}.3.1"}, "номер документа в офлайн сесії 3"),
            ({"tax_number": "{0}.2.1"}, "контрольне число 1 "),
            ({"tax_number": "3600000200"}, "офлайн фіскальний номер"),
            ({"OFFLINE": None}, "створені в режимі офлайн"),
            ({"PREVDOCHASH": "0" * 64}, "PREVDOCHASH недопустимий"),
        ],
    )
    def test_second_document_is_judged(
        self, opened: Office, changes: dict[str, Any], said: str
    ) -> None:
        till = OfflineTill(opened).begin()
        if "tax_number" in changes:
            changes = {"tax_number": changes["tax_number"].format(till.session_id)}
        till.sell(**changes)

        text = till.refused()

        assert text.startswith("Код помилки: 10 PackageValidationError\r\n")
        assert said in text

    @pytest.mark.parametrize("link", [None, "0" * 64])
    def test_third_document_is_linked(self, opened: Office, link: str | None) -> None:
        text = OfflineTill(opened).begin().sell().sell(PREVDOCHASH=link).refused()

        assert "не відповідає попередньому документу" in text

    def test_time_running_back_is_code_10(self, opened: Office) -> None:
        at = opened.local - timedelta(minutes=30)

        text = OfflineTill(opened).begin(at=at).refused()

        assert "10 PackageValidationError" in text
        assert "не може бути меншим часу попереднього документа" in text

    def test_package_begins_with_the_beginning(self, opened: Office) -> None:
        assert "«Початок офлайн сесії»" in OfflineTill(opened).sell().refused()

    def test_end_is_the_last(self, opened: Office) -> None:
        till = OfflineTill(opened).begin().end().sell()

        assert "повинно бути останнім" in till.refused()

    def test_schema_and_arithmetic_hold_offline(self, opened: Office) -> None:
        till = OfflineTill(opened).begin()
        till.add(make.check, make.sale_parts(100) | {"CHECKPAY": [make.payment(90)]}, subtype=0)

        assert "9 DocumentValidationError" in till.refused()

    def test_other_cashier_may_not_sign_inside(self, opened: Office) -> None:
        till = OfflineTill(opened).begin().sell(key=SECOND_CASHIER)

        assert "наразі відкрито особою" in till.refused()

    def test_other_cashier_may_not_sign_the_package(self, opened: Office) -> None:
        reply = OfflineTill(opened).begin().post(key=SECOND_CASHIER)

        assert reply.status == 401
        assert "№" not in reply.body.decode()
        assert numbers(opened) == [1]

    def test_register_without_offline(self, opened: Office) -> None:
        opened.simulator.allow_offline(make.REGISTER, allowed=False)

        assert "не дозволено" in OfflineTill(opened).begin().refused()
        assert opened.state()["OfflineSupported"] is False

    def test_online_document_while_a_session_is_open(self, opened: Office) -> None:
        OfflineTill(opened).begin().sell().deliver()

        assert "не завершено" in opened.refused(make.sale(opened.number, opened.local))

    def test_nothing_stays_of_a_refused_package(self, opened: Office) -> None:
        opened.sell()
        before = opened.state()
        till = OfflineTill(opened).begin(REVOKELASTONLINEDOC="true").sell().sell(number=9)

        till.refused()

        after = opened.state()
        assert {**after, "Timestamp": None} == {**before, "Timestamp": None}
        assert revoked(opened, 2) is False
        assert sold(opened)["Sum"] == 50.0

    def test_closed_shift_is_open_again_after_a_refusal(self, opened: Office) -> None:
        till = OfflineTill(opened).begin()
        till.add(make.z_report)
        till.add(make.close_shift)
        till.add(make.open_shift)
        till.sell(number=99)

        till.refused()

        state = opened.state()
        assert (state["ShiftState"], state["ZRepPresent"], state["FirstLocalNum"]) == (1, False, 1)

    def test_those_before_may_stay(self, office_with: OfficeWith) -> None:
        office = office_with(package_refused="rest")
        till = OfflineTill(office).begin().sell().sell(number=9)

        till.refused()

        assert numbers(office) == [1, 2, 3]
        assert office.state()["OfflineNextLocalNum"] == 3

    def test_posts_are_remembered(self, opened: Office) -> None:
        till = OfflineTill(opened).begin()
        till.deliver()
        till.sell(number=9).refused()

        posts = opened.simulator.packages
        assert [(each.register, each.document_count, each.accepted_count) for each in posts] == [
            (make.REGISTER, 1, 1),
            (make.REGISTER, 1, 0),
        ]
        assert [each.code for each in posts] == [Code.OK, Code.LOCAL_NUMBER_INVALID]

    @pytest.mark.parametrize(
        ("documents", "code"), [(None, 11), ("AAAA", 11), (["?"], 11), ([""], 11), ([], 10)]
    )
    def test_command_without_documents(self, opened: Office, documents: object, code: int) -> None:
        reply = opened.command("SendOflPackage", Documents=documents)

        assert reply.body.decode().startswith(f"Код помилки: {code} ")

    def test_command_names_the_document_as_the_package_does(self, opened: Office) -> None:
        till = OfflineTill(opened).begin().sell(number=9)
        listed = [base64.b64encode(each).decode() for each in till.packed]

        text = opened.command("SendOflPackage", Documents=listed).body.decode()

        assert f"за № 1 в пакеті, дислокація {len(till.packed[0]) + 8}:" in text

    def test_command_must_be_signed(self, opened: Office) -> None:
        reply = opened.command("SendOflPackage", key=None, Documents=[])

        assert "9 DocumentValidationError" in reply.body.decode()

    def test_size_is_limited(self, office_with: OfficeWith) -> None:
        office = office_with(size_limit_bytes=5_000)

        assert OfflineTill(office).begin().sell().sell().post().status == 416


class TestReserved:
    @pytest.mark.parametrize(
        ("number", "result"),
        [("{0}.3.77", 2), ("{0}.1.1", 3), ("7.3.77", 3), ("3600000999", 1), (None, 5)],
    )
    def test_offline_number_is_reserved_until_it_is_delivered(
        self, opened: Office, number: str | None, result: int
    ) -> None:
        till = OfflineTill(opened).begin().sell()
        till.deliver()
        asked = (
            {"NumLocal": 99} if number is None else {"NumFiscal": number.format(till.session_id)}
        )

        answer = opened.asked("CheckExt", RegistrarNumFiscal=make.REGISTER, Type=0, **asked)

        assert answer["ResultCode"] == result

    def test_delivered_offline_document_is_found(self, opened: Office) -> None:
        till = OfflineTill(opened).begin().sell()
        till.deliver()

        answer = opened.asked(
            "CheckExt", RegistrarNumFiscal=make.REGISTER, Type=0, NumFiscal=till.last_number
        )

        assert answer["ResultText"] == "Ok"


class TestSwitches:
    def test_chain_may_go_unchecked(self, office_with: OfficeWith) -> None:
        office = office_with(chain_check="off")

        OfflineTill(office).begin().sell().sell(PREVDOCHASH=None).deliver()

    def test_chain_may_begin_with_the_first_receipt(self) -> None:
        office = Office(switches=Switches(chain_check="first-financial"))
        till = OfflineTill(office).begin()
        till.add(make.open_shift)
        till.sell(PREVDOCHASH=None).sell().end(PREVDOCHASH=None)

        orjson.loads(till.deliver())

    def test_chain_of_the_sample_refuses_that(self, office: Office) -> None:
        till = OfflineTill(office).begin()
        till.add(make.open_shift)

        assert "PREVDOCHASH" in till.sell(PREVDOCHASH=None).refused()

    @pytest.mark.parametrize(("switch", "status"), [("signed", 400), ("signed-or-xml", 200)])
    def test_hash_of_the_xml(self, office_with: OfficeWith, switch: str, status: int) -> None:
        office = office_with(chain_hash=switch)
        till = OfflineTill(office).begin().sell()
        content = cms.parse(till.previous).content
        assert content is not None

        till.sell(PREVDOCHASH=hashlib.sha256(content).hexdigest())

        assert till.post().status == status

    @pytest.mark.parametrize(
        ("switch", "amount", "status"),
        [
            ("full", "50.00", 200),
            ("full", "10.00", 400),
            ("paid", "50.00", 400),
            ("paid", "10.00", 200),
            ("either", "50.00", 200),
            ("either", "10.00", 200),
        ],
    )
    def test_amount_in_the_control_number_of_a_part_paid_receipt(
        self, office_with: OfficeWith, switch: str, amount: str, status: int
    ) -> None:
        office = office_with(control_number_sum=switch)
        till = OfflineTill(office).begin()
        at, number = office.local, till.next_local
        stand_in = make.check(
            number, at, {"CHECKTOTAL": {"SUM": amount}}, subtype=0, ORDERTAXNUM="1.1.1"
        )
        parts = make.sale_parts(5000, PARTPAYTYPE=1, PARTPAYSUM="10.00") | {
            "CHECKPAY": [make.payment(1000)],
            "CHECKTAX": [make.vat(1000)],
        }

        till.add(
            make.check,
            parts,
            subtype=0,
            tax_number=f"{till.session_id}.2.{control(stand_in, seed=till.seed)}",
        )

        assert till.post().status == status


class TestFaults:
    def stand(self, office: Office, kind: FaultKind, **more: Any) -> None:
        office.simulator.faults.standing = (Fault(kind=kind, resources=("pck",), **more),)

    def test_refusal_of_one_document(self, opened: Office) -> None:
        self.stand(opened, FaultKind.REFUSE_CODE, code=9, text="навмисно", document=1)
        till = OfflineTill(opened).begin()
        offset = len(till.packed[0]) + 8

        text = till.sell().refused()

        assert f"за № 1 в пакеті, дислокація {offset}:\r\nнавмисно" in text
        assert numbers(opened) == [1]

    def test_answer_lost_after_acceptance(self, opened: Office) -> None:
        self.stand(opened, FaultKind.ANSWER_LOST)

        with pytest.raises(AnswerLost):
            OfflineTill(opened).begin().sell().post()
        assert numbers(opened) == [1, 2, 3]

    @pytest.mark.parametrize(
        "kind", [FaultKind.REFUSE, FaultKind.RESET, FaultKind.SILENT_BEFORE, FaultKind.LATE]
    )
    def test_nothing_processed(self, opened: Office, kind: FaultKind) -> None:
        self.stand(opened, kind)

        with pytest.raises(NoReply):
            OfflineTill(opened).begin().post()
        assert numbers(opened) == [1]

    def test_slow_server_error_and_half_an_answer(self, opened: Office) -> None:
        self.stand(opened, FaultKind.SLOW, seconds=3)
        till = OfflineTill(opened).begin()
        assert till.post().delay_seconds == 3
        self.stand(opened, FaultKind.SERVER_ERROR, status=502)
        assert till.sell().post().status == 502
        self.stand(opened, FaultKind.TRUNCATED)
        till.position, till.next_local = 1, 3
        assert till.sell().post().body == b"O"
