"""Each refusal a document can get, with its code and text, and what a register may send when."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from infra.signing import cms
from infra.simulator.answers import Code
from infra.simulator.switches import Switches
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import (
    CASHIER,
    SECOND_CASHIER,
    SENIOR,
    SIGNED,
    STRANGER,
    Office,
    company,
    key_id,
    ticket_of,
)


def code_of(text: str) -> Code:
    """The code of a plain refusal; checks its form on the way."""
    first, _, description = text.partition("\r\n")
    words, number, symbol = first.rsplit(" ", 2)
    assert words == "Код помилки:"
    assert description
    code = Code(int(number))
    assert code.symbol == symbol
    return code


class TestRegistration:
    def test_unknown_register_is_code_1_and_404(self, office: Office) -> None:
        reply = office.send(make.open_shift(1, office.local, CASHREGISTERNUM="4000999999"))

        assert reply.status == 404
        assert code_of(reply.body.decode()) is Code.REGISTER_ABSENT
        assert "4000999999" in reply.body.decode()

    def test_key_without_access_is_code_2_and_401(self, office: Office) -> None:
        reply = office.send(make.open_shift(1, office.local), key=STRANGER)

        assert reply.status == 401
        assert code_of(reply.body.decode()) is Code.ACCESS_NOT_GRANTED
        assert key_id(STRANGER) in reply.body.decode()

    def test_withdrawn_access_is_code_2_until_given_back(self, office: Office) -> None:
        who: dict[str, Any] = {"key_id": key_id(CASHIER), "register": make.REGISTER}
        office.simulator.withdraw_access(**who)
        assert code_of(office.refused(make.open_shift(1, office.local))) is Code.ACCESS_NOT_GRANTED

        office.simulator.withdraw_access(**who, withdrawn=False)

        office.open()

    def test_wrong_tin_is_code_3(self, office: Office) -> None:
        text = office.refused(make.open_shift(1, office.local, TIN="11111111"))

        assert code_of(text) is Code.INVALID_TIN

    @pytest.mark.parametrize(
        ("element", "value"),
        [
            ("ORGNM", 'тов "Смерека-Проба"'),
            ("POINTNM", "Інша крамниця"),
            ("POINTADDR", "Інша адреса"),
            ("IPN", "999000220019"),
            ("IPN", None),
            ("CASHDESKNUM", 5),
        ],
    )
    def test_names_other_than_registered_are_code_9(
        self, office: Office, element: str, value: object
    ) -> None:
        changes: dict[str, Any] = {element: value}
        text = office.refused(make.open_shift(1, office.local, **changes))

        assert code_of(text) is Code.DOCUMENT_VALIDATION_ERROR
        assert element in text
        assert "реєстраційних даних" in text

    def test_address_may_be_absent(self, office: Office) -> None:
        office.open(POINTADDR=None)

    def test_leading_zero_of_the_register_does_not_matter(self, office: Office) -> None:
        office.open(CASHREGISTERNUM="0" + make.REGISTER)


class TestClock:
    @pytest.mark.parametrize("minutes", [-10, -5, 5, 10])
    def test_document_within_ten_minutes_is_accepted(self, office: Office, minutes: int) -> None:
        office.accept(make.open_shift(1, office.local + timedelta(minutes=minutes)))

    @pytest.mark.parametrize("minutes", [-11, 11, 60 * 24])
    def test_document_further_off_is_code_9(self, office: Office, minutes: int) -> None:
        text = office.refused(make.open_shift(1, office.local + timedelta(minutes=minutes)))

        assert code_of(text) is Code.DOCUMENT_VALIDATION_ERROR
        assert "не відповідає поточному часу фіскального сервера" in text

    def test_standing_skew_moves_the_servers_clock(self, office: Office) -> None:
        office.simulator.skew_seconds = 3600.0

        reply = office.send(make.open_shift(1, office.local))

        assert reply.status == 400
        assert reply.headers["date"] == "Thu, 05 Nov 2026 08:00:00 GMT"

    def test_document_older_than_the_one_before_is_refused(self, opened: Office) -> None:
        text = opened.refused(make.sale(2, opened.local - timedelta(minutes=2)))

        assert "не може бути меншим часу попереднього документа" in text

    @pytest.mark.parametrize("hour", [0, 1])
    def test_both_readings_of_the_repeated_hour_are_taken(self, office: Office, hour: int) -> None:
        # 25 October 2026: 03:30 in Kyiv comes at 00:30 and again at 01:30 UTC.
        office.clock.moment = office.clock.moment.replace(month=10, day=25, hour=hour, minute=30)
        assert office.local.hour == 3

        office.open()


class TestLocalNumber:
    @pytest.mark.parametrize("number", [1, 3, 4_000_000_000])
    def test_any_other_number_is_code_7_and_the_text_ends_in_the_expected_one(
        self, opened: Office, number: int
    ) -> None:
        text = opened.refused(make.sale(number, opened.local))

        assert code_of(text) is Code.LOCAL_NUMBER_INVALID
        assert text.endswith(
            f"Некоректний локальний номер документа {number} для ПРРО з фіскальним номером "
            f"{make.REGISTER}. Номер документа повинен дорівнювати 2"
        )

    def test_refused_document_uses_no_number(self, opened: Office) -> None:
        opened.refused(make.sale(2, opened.local, TIN="11111111"))

        assert opened.sell()["ORDERNUM"] == "2"

    def test_numbers_run_through_checks_and_z_reports_and_shifts(self, office: Office) -> None:
        numbers = []
        for _ in range(2):
            numbers.append(office.open()["ORDERNUM"])
            numbers.append(office.accept(make.z_report(office.number, office.local))["ORDERNUM"])
            closed = office.accept(make.close_shift(office.number, office.local))
            numbers.append(closed["ORDERNUM"])

        assert numbers == ["1", "2", "3", "4", "5", "6"]

    def test_each_register_counts_for_itself_and_fiscal_numbers_grow_over_all(
        self, office: Office
    ) -> None:
        other: dict[str, Any] = {"CASHREGISTERNUM": make.OTHER_REGISTER, "CASHDESKNUM": 5}

        first = office.open()
        second = office.accept(make.open_shift(1, office.local, **other))
        third = office.sell()

        assert [each["ORDERNUM"] for each in (first, second, third)] == ["1", "1", "2"]
        fiscal = [int(each["ORDERTAXNUM"]) for each in (first, second, third)]
        assert fiscal == [fiscal[0], fiscal[0] + 1, fiscal[0] + 2]
        assert len(first["ORDERTAXNUM"]) == 10

    def test_numbering_may_begin_in_the_middle(self) -> None:
        office = Office(entry=company(next_local_number=501))

        assert office.open()["ORDERNUM"] == "501"


class TestShift:
    def test_opening_ticket_carries_session_and_seed(self, office: Office) -> None:
        ticket = office.open()

        assert int(ticket["OFFLINESESSIONID"]) > 0
        assert len(ticket["OFFLINESEED"]) == 15

    def test_unused_session_is_given_again(self, office: Office) -> None:
        first = office.open()
        office.accept(make.z_report(office.number, office.local))
        office.accept(make.close_shift(office.number, office.local))

        second = office.open()

        assert first["OFFLINESEED"] == second["OFFLINESEED"]

    def test_other_tickets_carry_no_session(self, opened: Office) -> None:
        assert "OFFLINESESSIONID" not in opened.sell()

    def test_register_without_offline_gets_no_session(self) -> None:
        office = Office(entry=company(offline_allowed=False))

        assert "OFFLINESEED" not in office.open()

    def test_opening_twice_is_code_4_and_names_the_owner(self, opened: Office) -> None:
        text = opened.refused(make.open_shift(2, opened.local))

        assert code_of(text) is Code.SHIFT_ALREADY_OPENED
        assert "наразі відкрито особою Смерека Ольга Остапівна" in text
        assert f"ідентифікатор ключа суб'єкта {key_id(CASHIER)}" in text

    def test_receipt_without_shift_is_code_5(self, office: Office) -> None:
        assert code_of(office.refused(make.sale(1, office.local))) is Code.SHIFT_NOT_OPENED

    @pytest.mark.parametrize("build", [make.z_report, make.close_shift])
    def test_z_report_and_closing_without_shift_are_code_5(
        self, office: Office, build: Callable[..., bytes]
    ) -> None:
        assert code_of(office.refused(build(1, office.local))) is Code.SHIFT_NOT_OPENED

    def test_closing_without_z_report_is_code_6(self, opened: Office) -> None:
        text = opened.refused(make.close_shift(2, opened.local))

        assert code_of(text) is Code.LAST_DOCUMENT_MUST_BE_Z_REPORT

    def test_second_z_report_is_code_8(self, opened: Office) -> None:
        number = opened.accept(make.z_report(2, opened.local))["ORDERTAXNUM"]

        text = opened.refused(make.z_report(3, opened.local))

        assert code_of(text) is Code.Z_REPORT_ALREADY_REGISTERED
        assert number in text

    def test_receipt_after_z_report_is_code_8(self, opened: Office) -> None:
        opened.accept(make.z_report(2, opened.local))

        text = opened.refused(make.sale(3, opened.local))

        assert code_of(text) is Code.Z_REPORT_ALREADY_REGISTERED

    def test_receipt_of_another_key_is_refused_naming_the_owner(self, opened: Office) -> None:
        text = opened.refused(make.sale(2, opened.local), key=SECOND_CASHIER)

        assert code_of(text) is Code.SHIFT_ALREADY_OPENED
        assert key_id(CASHIER) in text

    def test_senior_cashier_may_close_but_not_sell(self, opened: Office) -> None:
        opened.refused(make.sale(2, opened.local), key=SENIOR)

        opened.accept(make.z_report(2, opened.local), key=SENIOR)
        opened.accept(make.close_shift(3, opened.local), key=SENIOR)

        assert opened.state()["ShiftState"] == 0

    def test_another_cashier_may_not_close(self, opened: Office) -> None:
        opened.refused(make.z_report(2, opened.local), key=SECOND_CASHIER)

    def test_another_key_may_open_the_next_shift(self, opened: Office) -> None:
        opened.accept(make.z_report(2, opened.local))
        opened.accept(make.close_shift(3, opened.local))

        opened.accept(make.open_shift(4, opened.local), key=SECOND_CASHIER)


class TestClosedRegister:
    """Registration cancelled while a shift is open."""

    def test_only_z_report_and_closing_are_taken(self, opened: Office) -> None:
        opened.simulator.close_register(make.REGISTER)

        assert code_of(opened.refused(make.sale(2, opened.local))) is Code.REGISTER_ABSENT
        opened.accept(make.z_report(2, opened.local))
        opened.accept(make.close_shift(3, opened.local))
        assert code_of(opened.refused(make.open_shift(4, opened.local))) is Code.REGISTER_ABSENT

    def test_registration_may_come_back(self, opened: Office) -> None:
        opened.simulator.close_register(make.REGISTER)
        opened.simulator.close_register(make.REGISTER, closed=False)

        opened.sell()


class TestTestDocuments:
    def test_live_document_in_a_test_shift_is_refused(self, office: Office) -> None:
        office.open(TESTING="true")

        assert "лише тестові документи" in office.refused(make.sale(2, office.local))
        office.sell(TESTING="true")
        assert office.state()["Testing"] is True

    def test_test_document_in_a_live_shift_is_refused(self, opened: Office) -> None:
        text = opened.refused(make.sale(2, opened.local, TESTING="true"))

        assert "лише фіскальні документи" in text


class TestOnlineOnly:
    @pytest.mark.parametrize(
        "changes",
        [{"OFFLINE": "true"}, {"ORDERTAXNUM": "3600000777"}, {"PREVDOCHASH": "0" * 64}],
    )
    def test_offline_elements_are_refused(self, opened: Office, changes: dict[str, Any]) -> None:
        text = opened.refused(make.sale(2, opened.local, **changes))

        assert code_of(text) is Code.DOCUMENT_VALIDATION_ERROR

    @pytest.mark.parametrize("document_type", [102, 103])
    def test_offline_begin_and_end_are_refused(self, opened: Office, document_type: int) -> None:
        text = opened.refused(make.check(2, opened.local, document_type=document_type))

        assert "у складі пакета" in text


class TestParts:
    @pytest.mark.parametrize(
        ("xml", "why"),
        [
            (lambda at: make.open_shift(2, at, DOCTYPE=7), "Невідомий вид документа"),
            (lambda at: make.sale(2, at, DOCSUBTYPE=9), "Невідомий вид документа"),
            (lambda at: make.check(2, at, {"CHECKBODY": [make.line(100)]}), "CHECKTOTAL"),
            (lambda at: make.check(2, at, make.sale_parts(100), subtype=2), "недопустимий"),
            (lambda at: make.sale(2, at, ORDERRETNUM="1"), "ORDERRETNUM недопустимий"),
            (lambda at: make.sale(2, at, ORDERSTORNUM="1"), "ORDERSTORNUM недопустимий"),
            (lambda at: make.sale(2, at, STORNED="false"), "STORNED недопустимий"),
            (lambda at: make.sale(2, at, REVOKELASTONLINEDOC="true"), "недопустимий"),
            (lambda at: make.sale(2, at, uid=" "), "UID не може бути порожнім"),
            (lambda at: make.z_report(2, at, REVOKED="false"), "REVOKED недопустимий"),
        ],
    )
    def test_document_of_other_parts_is_refused(
        self, opened: Office, xml: Callable[..., bytes], why: str
    ) -> None:
        text = opened.refused(xml(opened.local))

        assert code_of(text) is Code.DOCUMENT_VALIDATION_ERROR
        assert why in text

    def test_service_document_has_a_sum_only(self, opened: Office) -> None:
        parts = {"CHECKTOTAL": {"SUM": "5.00", "NOTAXSUM": "5.00"}}

        assert "NOTAXSUM" in opened.refused(make.check(2, opened.local, parts, subtype=2))

    def test_rows_are_numbered_without_gaps(self, opened: Office) -> None:
        xml = make.sale(2, opened.local).replace(b'ROWNUM="1"', b'ROWNUM="2"', 1)

        assert "ROWNUM" in opened.refused(xml)

    def test_schema_violation_is_code_9_with_its_words(self, opened: Office) -> None:
        text = opened.refused(make.sale(2, opened.local, VER="one"))

        assert code_of(text) is Code.DOCUMENT_VALIDATION_ERROR
        assert "Помилки валідації XML: Error: Element 'VER'" in text


class TestStorno:
    def test_last_document_is_reversed_and_leaves_no_money(self, opened: Office) -> None:
        number = opened.sell()["ORDERTAXNUM"]

        opened.accept(make.storno(3, opened.local, target=number))

        stored = opened.simulator.book.find_document(number)
        assert stored is not None
        assert stored.is_storned
        totals = opened.asked("LastShiftTotals", NumFiscal=make.REGISTER)["Totals"]
        assert totals["Real"] is None

    @pytest.mark.parametrize("subtype", [2, 4])
    def test_service_documents_may_be_reversed(self, opened: Office, subtype: int) -> None:
        xml = make.service(2, opened.local, 700, subtype=subtype)
        number = opened.accept(xml)["ORDERTAXNUM"]

        opened.accept(make.storno(3, opened.local, target=number))

    def test_earlier_document_is_not_reversed(self, opened: Office) -> None:
        number = opened.sell()["ORDERTAXNUM"]
        opened.sell()

        text = opened.refused(make.storno(4, opened.local, target=number))

        assert code_of(text) is Code.DOCUMENT_VALIDATION_ERROR
        assert text.endswith("Сторнуватись може лише останній документ")

    def test_unknown_document_is_not_reversed(self, opened: Office) -> None:
        assert "останній документ" in opened.refused(
            make.storno(2, opened.local, target="3600009999")
        )

    def test_storno_is_not_reversed(self, opened: Office) -> None:
        number = opened.sell()["ORDERTAXNUM"]
        reversal = opened.accept(make.storno(3, opened.local, target=number))["ORDERTAXNUM"]

        assert "не може бути сторновано" in opened.refused(
            make.storno(4, opened.local, target=reversal)
        )
        assert "останній документ" in opened.refused(make.storno(4, opened.local, target=number))

    def test_opening_is_not_reversed(self, office: Office) -> None:
        number = office.open()["ORDERTAXNUM"]

        assert "не може бути сторновано" in office.refused(
            make.storno(2, office.local, target=number)
        )

    def test_document_of_an_earlier_shift_is_not_reversed(self, opened: Office) -> None:
        opened.accept(make.z_report(2, opened.local))
        closing = opened.accept(make.close_shift(3, opened.local))["ORDERTAXNUM"]

        text = opened.refused(make.storno(4, opened.local, target=closing))

        assert code_of(text) is Code.SHIFT_NOT_OPENED

    def test_storno_names_its_target(self, opened: Office) -> None:
        assert "ORDERSTORNUM" in opened.refused(make.storno(2, opened.local, target=None))


class TestReturn:
    def test_return_in_parts_is_taken_until_nothing_is_left(self, opened: Office) -> None:
        number = opened.sell(5000)["ORDERTAXNUM"]
        for kopecks in (2000, 2999):
            opened.accept(
                make.sale_return(opened.number, opened.local, original=number, kopecks=kopecks)
            )

        text = opened.refused(
            make.sale_return(opened.number, opened.local, original=number, kopecks=2)
        )

        assert "перевищує залишок" in text
        opened.accept(make.sale_return(opened.number, opened.local, original=number, kopecks=1))

    def test_reversed_return_gives_the_money_back_to_the_receipt(self, opened: Office) -> None:
        number = opened.sell(5000)["ORDERTAXNUM"]
        returned = opened.accept(make.sale_return(3, opened.local, original=number))["ORDERTAXNUM"]
        opened.accept(make.storno(4, opened.local, target=returned))

        opened.accept(make.sale_return(5, opened.local, original=number))

    def test_return_through_another_register_counts_too(self, opened: Office) -> None:
        number = opened.sell(5000)["ORDERTAXNUM"]
        other: dict[str, Any] = {"CASHREGISTERNUM": make.OTHER_REGISTER, "CASHDESKNUM": 5}
        opened.accept(make.open_shift(1, opened.local, **other))
        named: dict[str, Any] = {"ORDERRETCASHREGNUM": make.REGISTER, "ORDERRETDATE": "05112026"}
        opened.accept(make.sale_return(2, opened.local, original=number, **other, **named))

        assert "перевищує залишок" in opened.refused(
            make.sale_return(3, opened.local, original=number, kopecks=1)
        )

    def test_return_of_a_receipt_older_than_the_book_is_taken(self, opened: Office) -> None:
        opened.accept(make.sale_return(2, opened.local, original="3599999999"))

    def test_return_names_its_receipt(self, opened: Office) -> None:
        xml = make.check(2, opened.local, make.sale_parts(100), subtype=1)

        assert "ORDERRETNUM" in opened.refused(xml)

    def test_reversed_receipt_is_not_returned(self, opened: Office) -> None:
        number = opened.sell()["ORDERTAXNUM"]
        opened.accept(make.storno(3, opened.local, target=number))

        assert "неможливе" in opened.refused(make.sale_return(4, opened.local, original=number))

    def test_deposit_is_not_returned(self, opened: Office) -> None:
        number = opened.accept(make.service(2, opened.local, 5000, subtype=2))["ORDERTAXNUM"]

        assert "неможливе" in opened.refused(make.sale_return(3, opened.local, original=number))

    def test_test_receipt_is_not_returned_live(self, office: Office) -> None:
        office.open(TESTING="true")
        number = office.sell(TESTING="true")["ORDERTAXNUM"]
        office.accept(make.z_report(3, office.local, one_sale(), TESTING="true"))
        office.accept(make.close_shift(4, office.local, TESTING="true"))
        office.open()

        assert "не змішуються" in office.refused(make.sale_return(6, office.local, original=number))


def one_sale() -> dict[str, Any]:
    return {"ZREPREALIZ": make.orders(5000, 1)}


class TestReplies:
    def test_ticket_repeats_uid_and_number_and_tells_the_servers_time(self, office: Office) -> None:
        ticket = office.open(uid="A0000000-0000-4000-8000-00000000000A")

        assert ticket["UID"] == "A0000000-0000-4000-8000-00000000000A"
        assert ticket["ORDERNUM"] == "1"
        assert ticket["ORDERDATE"] == "05112026"
        assert ticket["ORDERTIME"] == "090000"
        assert ticket["ERRORCODE"] == "0"

    def test_every_reply_is_dated(self, office: Office) -> None:
        good = office.send(make.open_shift(1, office.local))
        office.clock.moment = office.clock.moment.replace(hour=7, minute=0)
        bad = office.simulator.doc(b"", SIGNED)

        assert good.headers["date"] == "Thu, 05 Nov 2026 07:00:00 GMT"
        assert bad.headers["date"] == good.headers["date"]

    def test_refusals_are_kept_with_what_was_read_of_the_document(self, opened: Office) -> None:
        opened.refused(make.sale(9, opened.local))
        opened.simulator.doc(b"not a signed message", SIGNED)

        first, second = opened.simulator.refusals
        assert (first.code, first.register, first.local_number) == (7, make.REGISTER, 9)
        assert (second.code, second.register, second.uid) == (9, None, None)
        assert opened.simulator.refusal_count == 2

    def test_ticket_form_says_the_same(self) -> None:
        office = Office(switches=Switches(refusal_form="ticket"))
        office.open()

        reply = office.send(make.sale(9, office.local, uid="U-9"))

        assert reply.status == 200
        ticket = ticket_of(reply)
        assert ticket["ERRORCODE"] == "7"
        assert ticket["ERRORTEXT"].endswith("повинен дорівнювати 2")
        assert ticket["UID"] == "U-9"
        assert "ORDERTAXNUM" not in ticket

    def test_unreadable_document_gets_text_even_in_ticket_form(self) -> None:
        office = Office(switches=Switches(refusal_form="ticket"))

        reply = office.simulator.doc(b"not a signed message", SIGNED)

        assert reply.status == 400

    def test_stored_bytes_are_those_that_came(self, office: Office) -> None:
        signed = office.signed(make.open_shift(1, office.local))
        office.simulator.doc(signed, SIGNED)

        (stored,) = office.simulator.book.documents
        assert stored.signed == signed
        assert stored.document.xml == cms.parse(signed).content
