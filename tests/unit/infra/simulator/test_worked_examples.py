"""The worked day of our protocol notes (documents 501 to 511, then 512 and 520), sent as it stands.

The examples live in the shared folder; the simulator must take each of them, in order, and its
LastShiftTotals must be those written there.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from infra.simulator.kyiv import KYIV
from infra.simulator.registry import CompanyEntry, RegisterEntry, UnitEntry
from infra.simulator.xml_reader import read_document
from tests.unit.infra.simulator.office import CASHIER, Clock, Office, key_entry

REGISTER = "4000777001"
COMPANY = CompanyEntry(
    tin="99900011",
    ipn="999000110019",
    name='ТОВ "Калина-Приклад"',
    units=(
        UnitEntry(
            name='Магазин "Калина"',
            address="УКРАЇНА, М. ЛЬВІВ, вул. Вигадана, 5",
            registers=(
                RegisterEntry(
                    fiscal_number=REGISTER,
                    local_number=7,
                    name="Каса 7",
                    next_local_number=501,
                    offline_session_id=21999,
                    offline_seed=100710382471,
                ),
            ),
        ),
    ),
    keys=(key_entry(CASHIER),),
)


@pytest.fixture(scope="module")
def notes(shared_folder: Path) -> str:
    text = (shared_folder / "reference" / "fiscal-server.md").read_text("utf-8")
    return text[text.index("## 11. Worked examples") : text.index("## 12. ")]


@pytest.fixture(scope="module")
def examples(notes: str) -> dict[int, bytes]:
    """The documents by their local number; 505 shows its head only and takes the rest of 504."""
    blocks = re.findall(r"```xml\n(<\?xml.+?)```", notes, re.DOTALL)
    found = {}
    for block in blocks:
        number = re.search(r"<ORDERNUM>(\d+)<", block)
        if number and "<TICKET" not in block and int(number[1]) not in found:
            found[int(number[1])] = block
    found[505] = found[505].replace("  …\n", found[504].partition("</CHECKHEAD>\n")[2], 1)
    found[505] = found[505].partition("</CHECK>\n")[0] + "</CHECK>\n"
    return {number: block.encode("windows-1251") for number, block in found.items()}


@pytest.fixture
def office() -> Office:
    return Office(entry=COMPANY, clock=Clock(datetime(2026, 11, 5, tzinfo=UTC)))


def send_at_its_time(office: Office, xml: bytes) -> dict[str, str]:
    """Send a document when it says it was made."""
    made_at = read_document(xml).issued_at
    office.clock.moment = made_at.replace(tzinfo=KYIV).astimezone(UTC)
    return office.accept(xml)


def json_answer(notes: str, key: str) -> Any:
    """The first JSON block of the notes that has this key."""
    for block in re.findall(r"```json\n(.+?)```", notes, re.DOTALL):
        parsed = json.loads(block)
        if key in parsed:
            return parsed
    raise AssertionError(f"no JSON block with {key}")


def test_whole_day_is_accepted_with_the_numbers_of_the_notes(
    office: Office, examples: dict[int, bytes]
) -> None:
    numbers = {
        number: send_at_its_time(office, examples[number])["ORDERTAXNUM"]
        for number in range(501, 512)
    }

    assert numbers == {number: str(3_600_000_101 + number - 501) for number in range(501, 512)}
    assert office.simulator.refusals == []


def test_opening_ticket_is_that_of_the_notes(
    office: Office, examples: dict[int, bytes], notes: str
) -> None:
    ticket = send_at_its_time(office, examples[501])

    shown = re.search(r"<TICKET.+?</TICKET>", notes, re.DOTALL)
    assert shown is not None
    expected = {child.tag: child.text for child in etree.fromstring(shown[0])}
    # The notes let a second pass between the document and its registration.
    assert ticket == {**expected, "ORDERTIME": "085512"}


def test_totals_before_the_z_report_are_those_of_the_notes(
    office: Office, examples: dict[int, bytes], notes: str
) -> None:
    for number in range(501, 510):
        send_at_its_time(office, examples[number])

    answer = office.asked("LastShiftTotals", NumFiscal=REGISTER)

    assert answer["Totals"] == json_answer(notes, "Totals")["Totals"]
    assert answer.keys() == json_answer(notes, "Totals").keys()


def test_lists_have_the_fields_of_the_notes(
    office: Office, examples: dict[int, bytes], notes: str
) -> None:
    for number in range(501, 512):
        send_at_its_time(office, examples[number])

    asked = json_answer(notes, "Shifts")["Shifts"][0]
    (shift,) = office.asked("Shifts", NumFiscal=REGISTER, ShiftId=7712340)["Shifts"]
    documents = office.asked("Documents", NumFiscal=REGISTER, ShiftId=7712340)["Documents"]

    assert shift.keys() == asked.keys()
    assert shift["ShiftId"] == asked["ShiftId"]
    assert (shift["OpenShiftFiscalNum"], shift["CloseShiftFiscalNum"], shift["ZRepFiscalNum"]) == (
        asked["OpenShiftFiscalNum"],
        asked["CloseShiftFiscalNum"],
        asked["ZRepFiscalNum"],
    )
    by_number = {document["NumFiscal"]: document for document in documents}
    for expected in json_answer(notes, "Documents")["Documents"]:
        assert by_number[expected["NumFiscal"]] == expected


def test_prepayment_of_the_next_day_is_accepted(office: Office, examples: dict[int, bytes]) -> None:
    for number in range(501, 512):
        send_at_its_time(office, examples[number])
    opening = examples[501].replace(b">501<", b">512<").replace(b"05112026", b"06112026")
    opened = send_at_its_time(office, opening)
    prepayment = examples[520].replace(b">520<", b">513<")

    ticket = send_at_its_time(office, prepayment)

    assert (opened["OFFLINESESSIONID"], opened["OFFLINESEED"]) == ("21999", "100710382471")
    assert ticket["ORDERTAXNUM"] == "3600000113"


def test_wrong_number_gets_the_text_of_the_notes(
    office: Office, examples: dict[int, bytes], notes: str
) -> None:
    for number in (501, 502, 503):
        send_at_its_time(office, examples[number])

    text = office.refused(examples[503].replace(b"101504", b"101604"))

    assert text.replace("\r\n", "\n") in notes


@pytest.mark.parametrize("key", ["OfflineSessionRolledBack", "TaxObjects"])
def test_answers_have_the_fields_of_the_notes(
    office: Office, examples: dict[int, bytes], notes: str, key: str
) -> None:
    send_at_its_time(office, examples[501])
    expected = json_answer(notes, key)

    if key == "TaxObjects":
        answer = office.asked("Objects")
        assert answer["TaxObjects"][0].keys() == expected["TaxObjects"][0].keys()
    else:
        answer = office.asked("TransactionsRegistrarState", NumFiscal=REGISTER)

    assert list(answer) == list(expected)
