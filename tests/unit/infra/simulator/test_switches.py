"""Each switch not tested beside the rule it belongs to, and that each has a reason."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.signing import cms
from infra.signing.certificate import parse_certificate
from infra.signing.curves import M257
from infra.signing.dstu4145 import PrivateKey
from infra.signing.dstu_authority import DstuAuthority, Subject
from infra.signing.dstu_signer import DstuSigner
from infra.signing.dstu_suites import DSTU_GOST, DSTU_KUPYNA_256
from infra.signing.suite import Suite
from infra.simulator.switches import Switches
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import SECOND_CASHIER, SIGNED, START, Office

ROOT = Path(__file__).parents[4]
OfficeWith = Callable[..., Office]


def test_every_switch_says_why_it_is_one() -> None:
    reasons = {name: field.description for name, field in Switches.model_fields.items()}

    assert [name for name, reason in reasons.items() if not reason] == []


def test_unknown_switch_is_refused() -> None:
    with pytest.raises(ValueError, match="extra"):
        Switches.model_validate({"mood": "kind"})


class TestCheckOrder:
    def test_number_comes_before_state_by_default(self, opened: Office) -> None:
        assert "7 CheckLocalNumberInvalid" in opened.refused(make.open_shift(9, opened.local))

    def test_state_may_come_first(self) -> None:
        order = ("register", "access", "tin", "names", "clock", "state", "number", "content")
        office = Office(switches=Switches.model_validate({"check_order": order}))
        office.open()

        assert "4 ShiftAlreadyOpened" in office.refused(make.open_shift(9, office.local))

    def test_check_left_out_is_not_made(self, office_with: OfficeWith) -> None:
        office = office_with(check_order=("register", "access", "number", "state"))

        office.sell(ORGNM="Хтозна-хто", TIN="11111111")

    def test_check_named_twice_is_refused(self) -> None:
        with pytest.raises(ValueError, match="twice"):
            Switches(check_order=("clock", "clock"))


@pytest.mark.parametrize(("status", "expected"), [("by-code", 404), ("always-400", 400)])
def test_status_of_a_refusal(status: str, expected: int) -> None:
    office = Office(switches=Switches.model_validate({"refusal_status": status}))

    reply = office.send(make.open_shift(1, office.local, CASHREGISTERNUM="4000999999"))

    assert reply.status == expected


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251"])
def test_encoding_of_the_text(encoding: str) -> None:
    office = Office(switches=Switches.model_validate({"refusal_text_encoding": encoding}))

    reply = office.send(make.sale(1, office.local))

    assert reply.body.decode(encoding).startswith("Код помилки: 5 ShiftNotOpened\r\n")


def test_tolerance_of_the_clock(office_with: OfficeWith) -> None:
    office = office_with(clock_tolerance_seconds=30)
    moment = office.local
    office.clock.forward(seconds=31)

    assert "поточному часу" in office.refused(make.sale(2, moment))


def test_time_may_go_back(office_with: OfficeWith) -> None:
    office = office_with(refuse_time_going_back=False)

    office.accept(make.sale(2, office.local.replace(hour=8, minute=55)))


def test_receipt_after_the_z_report_may_be_taken(office_with: OfficeWith) -> None:
    office = office_with(receipt_after_z_report="accept")
    office.accept(make.z_report(2, office.local))

    office.sell()

    assert "8 ZRepAlreadyRegistered" in office.refused(make.z_report(4, office.local))
    assert "6 LastDocumentMustBeZRep" in office.refused(make.close_shift(4, office.local))


@pytest.mark.parametrize("code", [2, 4, 9])
def test_code_for_a_foreign_key(office_with: OfficeWith, code: int) -> None:
    office = office_with(foreign_key_code=code)

    text = office.refused(make.sale(2, office.local), key=SECOND_CASHIER)

    assert text.startswith(f"Код помилки: {code} ")


def test_offline_elements_may_pass_at_the_document_address(office_with: OfficeWith) -> None:
    office = office_with(refuse_offline_documents_at_doc=False)

    office.sell(OFFLINE="true")


def test_unstamped_offline_document_reaches_the_judge(office_with: OfficeWith) -> None:
    office = office_with()

    text = office.refused(make.sale(2, office.local, OFFLINE="true"), stamped=False)

    assert "у складі пакета" in text


def test_parts_may_be_free(office_with: OfficeWith) -> None:
    office = office_with(strict_parts=False)

    office.accept(make.check(2, office.local, make.sale_parts(100), subtype=2))


@pytest.mark.parametrize(("rule", "is_accepted"), [("off", True), ("known", True), ("all", False)])
def test_return_of_an_unknown_receipt(
    office_with: OfficeWith, rule: str, is_accepted: bool
) -> None:
    office = office_with(return_check=rule)

    reply = office.send(make.sale_return(2, office.local, original="3599999999"))

    assert (reply.status == 200) is is_accepted


def test_return_of_another_registers_unknown_receipt_is_always_taken(
    office_with: OfficeWith,
) -> None:
    office = office_with(return_check="all")
    named: dict[str, Any] = {"ORDERRETCASHREGNUM": "4000111111", "ORDERRETDATE": "01112026"}

    office.accept(make.sale_return(2, office.local, original="3599999999", **named))


def test_returns_may_go_unchecked(office_with: OfficeWith) -> None:
    office = office_with(return_check="off")
    number = office.sell(100)["ORDERTAXNUM"]

    office.accept(make.sale_return(3, office.local, original=number, kopecks=200))


@pytest.mark.parametrize(
    ("rule", "sale", "z_report"),
    [("z-and-close", False, True), ("everything", True, False), ("nothing", False, False)],
)
def test_what_a_cancelled_register_may_send(
    office_with: OfficeWith, rule: str, sale: bool, z_report: bool
) -> None:
    office = office_with(closed_register_allows=rule)
    office.simulator.close_register(make.REGISTER)

    sold = office.send(make.sale(office.number, office.local))
    reported = office.send(make.z_report(office.number, office.local))

    # After an accepted sale the empty Z-report is refused for its figures.
    assert (sold.status == 200, reported.status == 200) == (sale, z_report)


@pytest.mark.parametrize("name", ["ZRep", None])
def test_what_lists_say_of_a_z_report(office_with: OfficeWith, name: str | None) -> None:
    office = office_with(z_report_document_type=name)
    office.accept(make.z_report(2, office.local))

    info = office.asked("DocumentInfoByLocalNum", NumFiscal=make.REGISTER, NumLocal=2)

    assert (info["DocClass"], info["CheckDocType"]) == ("ZRep", name)


class TestOpenQuestions:
    """docs/simulator.md beside the switches."""

    BEHAVIOUR = frozenset({*range(1, 14), 15, 18, 20, 22, 23, 25, 26, 27, 28})
    NOT_BEHAVIOUR = frozenset({14, 16, 17, 19, 21, 24})

    def rows(self) -> list[list[str]]:
        text = (ROOT / "docs" / "simulator.md").read_text("utf-8")
        rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line[:1] == "|"]
        return rows[2:]

    def test_every_behaviour_has_its_switch(self) -> None:
        assert {int(row[0]) for row in self.rows()} == self.BEHAVIOUR

    def test_every_open_question_is_one_or_the_other(self, shared_folder: Path) -> None:
        notes = (shared_folder / "reference" / "fiscal-server.md").read_text("utf-8")
        questions = notes.partition("## 12. Open questions")[2].partition("\n## ")[0]
        numbers = {int(found) for found in re.findall(r"(?m)^([0-9]+)\. ", questions)}

        assert numbers == self.BEHAVIOUR | self.NOT_BEHAVIOUR

    def test_table_names_switches_and_defaults_that_exist(self) -> None:
        for _, _, switch, default, where in self.rows():
            value = Switches.model_fields[switch.strip("`")].default
            if default.startswith("`"):
                assert default.strip("`") == str(value).replace("False", "false"), switch
            for file in where.split(", "):
                source = (ROOT / "infra" / "simulator" / file.strip("`")).read_text("utf-8")
                assert switch.strip("`").removesuffix("_seconds") in source, (switch, file)

    def test_switch_that_names_a_question_is_in_the_table(self) -> None:
        listed = {row[2].strip("`") for row in self.rows()}
        naming = {
            name
            for name, field in Switches.model_fields.items()
            if "(question" in (field.description or "")
        }

        assert naming <= listed


def test_payment_forms_may_be_a_closed_list(office_with: OfficeWith) -> None:
    office = office_with(payment_form_codes=(1, 2))

    assert "форми оплати 0 невідомий" in office.refused(make.sale(2, office.local))


def test_settlement_with_nothing_to_pay_may_need_a_row(office_with: OfficeWith) -> None:
    office = office_with(settled_needs_payment_row=True, part_payment_chain=False)
    parts = make.sale_parts(5000, PARTPAYTYPE=2, PARTPAYSUM="0.00")
    parts["CHECKPAY"], parts["CHECKTAX"] = None, None

    assert "Відсутній розділ CHECKPAY" in office.refused(
        make.check(2, office.local, parts, subtype=0)
    )
    office.simulator.switches = Switches(part_payment_chain=False)
    office.accept(make.check(2, office.local, parts, subtype=0))


@pytest.mark.parametrize(("sign", "rounding"), [("as-sale", "0.02"), ("reversed", "-0.02")])
def test_sign_of_rounding_in_a_return(office_with: OfficeWith, sign: str, rounding: str) -> None:
    office = office_with(return_rounding_sign=sign, return_check="off")
    parts = make.sale_parts(5002)
    parts["CHECKTOTAL"] = {"SUM": "50.00", "RNDSUM": rounding, "NORNDSUM": "50.02"}
    parts["CHECKPAY"] = [make.payment(5000)]

    office.accept(make.check(2, office.local, parts, subtype=1, ORDERRETNUM="3600000777"))


def test_transfers_may_count_in_the_sum(office_with: OfficeWith) -> None:
    office = office_with(transfers_in_sum=True)
    parts = {
        "CHECKTOTAL": {"SUM": "10.00", "NOTAXSUM": "10.00", "COMMISSION": "0.00"},
        "CHECKPAY": [make.payment(1000)],
        "CHECKBODY": [{"NAME": "Переказ", "COST": "10.00"}],
    }
    office.accept(make.check(2, office.local, parts, document_type=1, subtype=0))

    totals = office.asked("LastShiftTotals", NumFiscal=make.REGISTER)["Totals"]["Real"]
    assert (totals["Sum"], totals["OrdersCount"], totals["TotalCurrencyCost"]) == (10.0, 1, 0)


@pytest.mark.parametrize("suite", [DSTU_GOST, DSTU_KUPYNA_256], ids=lambda suite: suite.name)
@pytest.mark.parametrize("switch", ["accept", "refuse"])
def test_kupyna_digests_may_be_refused(switch: str, suite: Suite) -> None:
    office = Office(switches=Switches.model_validate({"kupyna_digests": switch}))
    since, until = START - timedelta(days=1), START + timedelta(days=1)
    authority = DstuAuthority.create(not_before=since, not_after=until, suite=suite)
    private = PrivateKey.generate(M257)
    subject = Subject(common_name="Касирка Олена", personal_code="1234567890")
    raw = authority.issue(private.public, subject, not_before=since, not_after=until)
    signer = DstuSigner(private_key=private, certificate=parse_certificate(raw), suite=suite)
    body = orjson.dumps({"Command": "ServerState"})

    reply = office.simulator.cmd(cms.sign(body, signer=signer), SIGNED)

    is_refused = switch == "refuse" and suite is DSTU_KUPYNA_256
    assert reply.status == (400 if is_refused else 200), reply.body.decode()
    assert ("12 CryptographyError" in reply.body.decode()) is is_refused
