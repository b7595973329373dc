"""Each fault, and the three ways they are switched: by hand, by script, by seed."""

from collections import Counter

import orjson
import pytest

from infra.simulator.faults import Fault, FaultKind, RandomFaults, ScriptStep
from infra.simulator.replies import (
    AnswerLost,
    ConnectionRefusedBySimulator,
    ConnectionResetBySimulator,
    NoReply,
    SilenceBySimulator,
)
from infra.simulator.switches import Switches
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import CASHIER, SIGNED, Office, key_id, ticket_of

BROKEN_BEFORE: dict[FaultKind, type[NoReply]] = {
    FaultKind.REFUSE: ConnectionRefusedBySimulator,
    FaultKind.RESET: ConnectionResetBySimulator,
    FaultKind.SILENT_BEFORE: SilenceBySimulator,
    FaultKind.LATE: SilenceBySimulator,
}
BROKEN_AFTER: dict[FaultKind, type[NoReply]] = {
    FaultKind.ANSWER_LOST: AnswerLost,
    FaultKind.SILENT_AFTER: SilenceBySimulator,
}


def script(office: Office, *faults: Fault | None, register: str | None = None) -> None:
    office.simulator.faults.script([ScriptStep(fault=fault) for fault in faults], register=register)


def sale(office: Office, **changes: object) -> bytes:
    return office.signed(make.sale(office.number, office.local, **changes))  # type: ignore[arg-type]


def count(office: Office) -> int:
    return len(office.simulator.book.documents)


class TestConnections:
    @pytest.mark.parametrize("kind", BROKEN_BEFORE)
    def test_nothing_is_processed_before(self, opened: Office, kind: FaultKind) -> None:
        script(opened, Fault(kind=kind, seconds=30))

        with pytest.raises(BROKEN_BEFORE[kind]) as caught:
            opened.simulator.doc(sale(opened), SIGNED)

        assert caught.value.processed is False
        assert count(opened) == 1
        opened.sell()

    @pytest.mark.parametrize("kind", BROKEN_AFTER)
    def test_document_is_registered_though_the_answer_is_lost(
        self, opened: Office, kind: FaultKind
    ) -> None:
        script(opened, Fault(kind=kind, seconds=30))

        with pytest.raises(BROKEN_AFTER[kind]) as caught:
            opened.simulator.doc(sale(opened), SIGNED)

        assert caught.value.processed is True
        info = opened.asked("DocumentInfoByLocalNum", NumFiscal=make.REGISTER, NumLocal=2)
        assert info["NumFiscal"] == "3600000102"

    def test_silence_lasts_as_long_as_told(self, opened: Office) -> None:
        script(opened, Fault(kind=FaultKind.SILENT_BEFORE, seconds=61.5))

        with pytest.raises(SilenceBySimulator) as caught:
            opened.simulator.doc(sale(opened), SIGNED)

        assert caught.value.seconds == 61.5
        assert caught.value.late is None

    def test_late_request_is_processed_when_nobody_waits(self, opened: Office) -> None:
        script(opened, Fault(kind=FaultKind.LATE, seconds=20))
        signed = sale(opened)
        with pytest.raises(SilenceBySimulator):
            opened.simulator.doc(signed, SIGNED)
        assert opened.simulator.doc(signed, SIGNED).status == 200

        (late,) = opened.simulator.process_late()

        assert "7 CheckLocalNumberInvalid" in late.body.decode()
        assert count(opened) == 2
        assert opened.simulator.process_late() == []

    def test_late_requests_are_processed_one_by_one_by_their_number(self, opened: Office) -> None:
        script(opened, *[Fault(kind=FaultKind.LATE)] * 2)
        numbers = []
        for _ in range(2):
            with pytest.raises(SilenceBySimulator) as caught:
                opened.simulator.doc(sale(opened), SIGNED)
            numbers.append(caught.value.late)

        (first,) = opened.simulator.process_late(numbers[1])

        assert first.status == 200
        assert opened.simulator.process_late(numbers[1]) == []
        assert count(opened) == 2

    def test_slow_answer_says_how_slow(self, opened: Office) -> None:
        opened.simulator.faults.stand(Fault(kind=FaultKind.SLOW, seconds=0.3))
        opened.simulator.faults.stand(Fault(kind=FaultKind.SLOW, seconds=0.2))

        reply = opened.simulator.doc(sale(opened), SIGNED)

        assert reply.status == 200
        assert reply.delay_seconds == pytest.approx(0.5)


class TestServerErrors:
    @pytest.mark.parametrize("text", [None, "Внутрішня помилка"])
    def test_error_before(self, opened: Office, text: str | None) -> None:
        script(opened, Fault(kind=FaultKind.SERVER_ERROR, status=503, text=text))

        reply = opened.simulator.doc(sale(opened), SIGNED)

        assert (reply.status, reply.body.decode()) == (503, text or "")
        assert count(opened) == 1

    def test_error_after(self, opened: Office) -> None:
        script(opened, Fault(kind=FaultKind.SERVER_ERROR_AFTER, status=504))

        assert opened.simulator.doc(sale(opened), SIGNED).status == 504
        assert count(opened) == 2


class TestWrongAnswers:
    def test_ticket_of_another_document(self, opened: Office) -> None:
        script(opened, Fault(kind=FaultKind.WRONG_TICKET_UID))

        ticket = ticket_of(opened.simulator.doc(sale(opened, uid="MINE"), SIGNED))

        assert ticket["UID"] != "MINE"
        assert ticket["ORDERNUM"] == "2"
        assert count(opened) == 2

    @pytest.mark.parametrize("code", range(1, 14))
    def test_refusal_by_any_code(self, opened: Office, code: int) -> None:
        script(opened, Fault(kind=FaultKind.REFUSE_CODE, code=code, text="Так вийшло"))

        reply = opened.simulator.doc(sale(opened), SIGNED)

        assert reply.status in (400, 401, 404)
        assert reply.body.decode().startswith(f"Код помилки: {code} ")
        assert reply.body.decode().endswith("\r\nТак вийшло")
        assert count(opened) == 1
        assert opened.simulator.refusals == []

    def test_injected_refusal_takes_the_form_of_the_switch(self) -> None:
        office = Office(switches=Switches(refusal_form="ticket"))
        script(office, Fault(kind=FaultKind.REFUSE_CODE, code=12))

        signed = office.signed(make.open_shift(1, office.local))
        ticket = ticket_of(office.simulator.doc(signed, SIGNED))

        assert (ticket["ERRORCODE"], ticket["ERRORTEXT"]) == ("12", "CryptographyError")

    def test_injected_refusal_of_nonsense_is_text_even_in_ticket_form(self) -> None:
        office = Office(switches=Switches(refusal_form="ticket"))
        office.simulator.faults.stand(Fault(kind=FaultKind.REFUSE_CODE, code=12))

        assert office.simulator.doc(b"nonsense", {"content-type": "x/y"}).status == 400

    def test_command_may_be_refused_by_code(self, opened: Office) -> None:
        fault = Fault(kind=FaultKind.REFUSE_CODE, code=12, resources=("cmd",))
        script(opened, fault, fault)

        plain = opened.command("ServerState")
        as_json = opened.command("ServerState", as_json=True)

        assert "12 CryptographyError" in plain.body.decode()
        assert orjson.loads(as_json.body)["ErrorCode"] == 12


class TestModifiers:
    def test_clock_skew_of_one_request(self, opened: Office) -> None:
        script(opened, Fault(kind=FaultKind.CLOCK_SKEW, seconds=-3600))

        reply = opened.simulator.doc(sale(opened), SIGNED)

        assert "не відповідає поточному часу" in reply.body.decode()
        assert reply.headers["date"] == "Thu, 05 Nov 2026 06:01:00 GMT"
        opened.sell()

    def test_number_is_taken_by_another_device(self, opened: Office) -> None:
        script(opened, Fault(kind=FaultKind.NUMBER_TAKEN))

        reply = opened.simulator.doc(sale(opened), SIGNED)

        assert "повинен дорівнювати 3" in reply.body.decode()
        other = opened.simulator.book.documents[-1]
        assert (other.local_number, other.kind) == (2, "deposit")
        assert other.key_id == key_id(CASHIER)
        assert opened.asked("LastShiftTotals", NumFiscal=make.REGISTER)["Totals"][
            "ServiceInput"
        ] == pytest.approx(1.0)
        opened.sell()

    def test_opening_is_taken_by_another_device(self, office: Office) -> None:
        script(office, Fault(kind=FaultKind.NUMBER_TAKEN))

        reply = office.simulator.doc(office.signed(make.open_shift(1, office.local)), SIGNED)

        assert "7 CheckLocalNumberInvalid" in reply.body.decode()
        assert office.state()["ShiftState"] == 1

    def test_closing_is_taken_by_another_device(self, opened: Office) -> None:
        opened.accept(make.z_report(2, opened.local))
        script(opened, Fault(kind=FaultKind.NUMBER_TAKEN))

        opened.send(make.close_shift(3, opened.local))

        assert opened.state()["ShiftState"] == 0

    def test_number_of_an_unknown_register_is_not_taken(self, office: Office) -> None:
        script(office, Fault(kind=FaultKind.NUMBER_TAKEN))

        office.refused(make.open_shift(1, office.local, CASHREGISTERNUM="4000999999"))

        assert count(office) == 0

    def test_withdrawn_access(self, opened: Office) -> None:
        opened.simulator.faults.stand(
            Fault(kind=FaultKind.ACCESS_WITHDRAWN, resources=("doc", "cmd"))
        )

        assert opened.simulator.doc(sale(opened), SIGNED).status == 401
        assert opened.command("TransactionsRegistrarState", NumFiscal=make.REGISTER).status == 204
        assert opened.command("Objects").status == 204

    def test_cancelled_registration(self, opened: Office) -> None:
        opened.simulator.faults.stand(
            Fault(kind=FaultKind.REGISTER_CLOSED, resources=("doc", "cmd"))
        )

        assert opened.simulator.doc(sale(opened), SIGNED).status == 404
        assert opened.state()["Closed"] is True
        opened.accept(make.z_report(2, opened.local))

    def test_modifiers_and_a_script_apply_together(self, opened: Office) -> None:
        opened.simulator.faults.stand(Fault(kind=FaultKind.SLOW, seconds=1))
        script(opened, Fault(kind=FaultKind.SERVER_ERROR))

        reply = opened.simulator.doc(sale(opened), SIGNED)

        assert (reply.status, reply.delay_seconds) == (500, 1.0)


class TestDuplicates:
    def test_second_answer_is_a_refusal_of_the_number(self, opened: Office) -> None:
        script(opened, Fault(kind=FaultKind.DUPLICATE))

        reply = opened.simulator.doc(sale(opened), SIGNED)

        assert "повинен дорівнювати 3" in reply.body.decode()
        assert count(opened) == 2

    def test_first_answer_may_be_the_one_that_comes(self, opened: Office) -> None:
        script(opened, Fault(kind=FaultKind.DUPLICATE, answer="first"))

        assert opened.simulator.doc(sale(opened), SIGNED).status == 200
        assert opened.simulator.refusal_count == 1


class TestTimestamps:
    def test_authority_answers(self, office: Office) -> None:
        assert office.stamp_request().status == 200

    def test_authority_may_be_down_alone(self, opened: Office) -> None:
        opened.simulator.faults.stand(Fault(kind=FaultKind.REFUSE, resources=("tsa",)))

        with pytest.raises(ConnectionRefusedBySimulator):
            opened.stamp_request()

        opened.sell()

    def test_other_content_type_is_415(self, office: Office) -> None:
        assert office.simulator.timestamp(b"x" * 20, SIGNED).status == 415

    def test_malformed_request_is_answered_by_the_authority(self, office: Office) -> None:
        reply = office.simulator.timestamp(
            b"x" * 20, {"content-type": "application/timestamp-query"}
        )

        assert (reply.status, reply.body[:1]) == (200, b"\x30")


class TestScript:
    def test_steps_are_taken_in_order(self, opened: Office) -> None:
        script(opened, None, Fault(kind=FaultKind.SERVER_ERROR), None)

        statuses = [opened.simulator.doc(sale(opened), SIGNED).status for _ in range(4)]

        assert statuses == [200, 500, 200, 200]

    def test_step_may_be_repeated(self, opened: Office) -> None:
        step = ScriptStep(fault=Fault(kind=FaultKind.SERVER_ERROR), times=2)
        opened.simulator.faults.script([step])
        assert opened.simulator.faults.steps_left() == {"": 2}

        statuses = [opened.simulator.doc(sale(opened), SIGNED).status for _ in range(3)]

        assert statuses == [500, 500, 200]
        assert opened.simulator.faults.steps_left() == {}

    def test_requests_to_other_addresses_pass(self, opened: Office) -> None:
        script(opened, Fault(kind=FaultKind.SERVER_ERROR, resources=("cmd",)))

        assert opened.simulator.doc(sale(opened), SIGNED).status == 200
        assert opened.command("ServerState").status == 500

    def test_register_has_a_script_of_its_own(self, opened: Office) -> None:
        script(opened, Fault(kind=FaultKind.SERVER_ERROR), register=make.OTHER_REGISTER)

        assert opened.simulator.doc(sale(opened), SIGNED).status == 200
        other = make.open_shift(1, opened.local, CASHREGISTERNUM=make.OTHER_REGISTER, CASHDESKNUM=5)
        assert opened.simulator.doc(opened.signed(other), SIGNED).status == 500

    def test_step_does_not_name_a_register(self) -> None:
        with pytest.raises(ValueError, match="belongs to a register"):
            ScriptStep(fault=Fault(kind=FaultKind.RESET, register_number=make.REGISTER))

    def test_commands_are_aimed_by_the_register_they_ask_about(self, opened: Office) -> None:
        fault = Fault(
            kind=FaultKind.SERVER_ERROR, resources=("cmd",), register_number=make.REGISTER
        )
        opened.simulator.faults.stand(fault)

        assert opened.command("ServerState").status == 200
        assert opened.command("LastShiftTotals", NumFiscal=int(make.REGISTER)).status == 500
        assert opened.command("LastShiftTotals", NumFiscal=make.OTHER_REGISTER).status == 204


class TestChance:
    RULE = RandomFaults(
        seed=11,
        probabilities={FaultKind.SERVER_ERROR: 0.2, FaultKind.RESET: 0.1},
        templates=(Fault(kind=FaultKind.SERVER_ERROR, status=502),),
    )

    def outcomes(self, office: Office, requests: int = 200) -> list[int]:
        found = []
        for _ in range(requests):
            try:
                found.append(office.simulator.doc(sale(office), SIGNED).status)
            except NoReply:
                found.append(0)
        return found

    def test_same_seed_brings_the_same_faults(self) -> None:
        runs = []
        for _ in range(2):
            office = Office()
            office.open()
            office.simulator.faults.by_chance(self.RULE)
            runs.append(self.outcomes(office))

        assert runs[0] == runs[1]
        counted = Counter(runs[0])
        assert counted.keys() == {0, 200, 502}
        assert 20 < counted[502] < 60

    def test_registers_draw_from_rows_of_their_own(self, opened: Office) -> None:
        opened.simulator.faults.by_chance(self.RULE)
        alone = self.outcomes(opened, 50)

        mixed = Office()
        mixed.open()
        mixed.simulator.faults.by_chance(self.RULE)
        together = []
        for _ in range(50):
            mixed.simulator.faults.strike("doc", make.OTHER_REGISTER)
            together += self.outcomes(mixed, 1)

        assert together == alone

    def test_other_addresses_are_spared(self, opened: Office) -> None:
        opened.simulator.faults.by_chance(
            RandomFaults(seed=1, probabilities={FaultKind.SERVER_ERROR: 1.0})
        )

        assert opened.command("ServerState").status == 200

    @pytest.mark.parametrize("chances", [{FaultKind.RESET: 1.1}, {FaultKind.RESET: -0.1}])
    def test_probabilities_are_probabilities(self, chances: dict[FaultKind, float]) -> None:
        with pytest.raises(ValueError, match="add up to 1"):
            RandomFaults(seed=1, probabilities=chances)


class TestRecord:
    def test_what_struck_is_counted_by_register(self, opened: Office) -> None:
        script(opened, *[Fault(kind=FaultKind.SERVER_ERROR)] * 2)
        for _ in range(2):
            opened.simulator.doc(sale(opened), SIGNED)

        assert opened.simulator.faults.counts() == {make.REGISTER: {"server-error": 2}}
        assert len(opened.simulator.faults.injections()) == 2

    def test_clearing_ends_faults_and_keeps_the_record(self, opened: Office) -> None:
        faults = opened.simulator.faults
        faults.stand(Fault(kind=FaultKind.SERVER_ERROR))
        opened.simulator.doc(sale(opened), SIGNED)
        script(opened, Fault(kind=FaultKind.RESET))
        script(opened, Fault(kind=FaultKind.RESET), register=make.REGISTER)
        faults.by_chance(RandomFaults(seed=1, probabilities={FaultKind.RESET: 1.0}))

        faults.clear()

        assert opened.simulator.doc(sale(opened), SIGNED).status == 200
        assert faults.counts() == {make.REGISTER: {"server-error": 1}}

    def test_reset_forgets_documents_and_faults(self, opened: Office) -> None:
        opened.simulator.faults.stand(Fault(kind=FaultKind.SERVER_ERROR))
        opened.simulator.doc(sale(opened), SIGNED)

        opened.simulator.reset()

        assert opened.simulator.faults.counts() == {}
        assert opened.open()["ORDERTAXNUM"] == "3600000101"


class TestCutOff:
    def test_nobody_listens_while_cut_off(self, opened: Office) -> None:
        opened.simulator.faults.cut_off(on=True)

        with pytest.raises(ConnectionRefusedBySimulator):
            opened.simulator.doc(sale(opened), SIGNED)
        with pytest.raises(ConnectionRefusedBySimulator):
            opened.command("ServerState")
        with pytest.raises(ConnectionRefusedBySimulator):
            opened.stamp_request()
        assert opened.simulator.faults.is_cut_off

        opened.simulator.faults.cut_off(on=False)

        opened.sell()

    def test_cutting_twice_is_ended_once(self, opened: Office) -> None:
        opened.simulator.faults.cut_off(on=True)
        opened.simulator.faults.cut_off(on=True)
        opened.simulator.faults.cut_off(on=False)

        opened.sell()
