import pytest

from infra.simulator.answers import Code, Refusal
from infra.simulator.xml_reader import kopecks, read_document, read_xml, scaled
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import START

AT = START.replace(tzinfo=None)
VALID = make.sale(5, AT)


def refusal_of(xml: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_document(xml)
    assert caught.value.code is Code.DOCUMENT_VALIDATION_ERROR
    assert caught.value.text.startswith("Помилки валідації XML: Error: ")
    return caught.value


def test_document_is_read_with_its_head() -> None:
    document = read_document(make.sale(5, AT, CASHREGISTERNUM="04000888001", TESTING="1"))

    assert (document.root, document.local_number, document.register) == ("CHECK", 5, make.REGISTER)
    assert document.issued_at == AT
    assert document.is_testing
    assert not document.is_offline


def test_letters_outside_ascii_are_read_as_windows_1251() -> None:
    document = read_document(make.sale(5, AT, ORGNM="Їжак Ґудзь"))

    assert document.head["ORGNM"] == "Їжак Ґудзь"


@pytest.mark.parametrize(
    "xml",
    [
        VALID.decode("cp1251").replace("windows-1251", "utf-8").encode(),
        VALID.decode("cp1251").replace('encoding="windows-1251"', "").encode("cp1251"),
        b"\xef\xbb\xbf" + VALID,
        VALID[VALID.index(b"?>") + 2 :],
    ],
    ids=["utf-8", "no encoding", "byte order mark", "no declaration"],
)
def test_other_encodings_are_refused(xml: bytes) -> None:
    assert "windows-1251" in refusal_of(xml).text


def test_byte_without_a_letter_in_windows_1251_is_refused() -> None:
    assert "is not windows-1251" in refusal_of(VALID.replace(b"<NAME>", b"<NAME>\x98")).text


def test_document_type_declaration_is_refused() -> None:
    xml = VALID.replace(b"?>", b'?><!DOCTYPE CHECK [<!ENTITY a "b">]>')

    assert "document type" in refusal_of(xml).text


def test_entity_of_a_declaration_is_not_expanded() -> None:
    xml = VALID.replace(b"?>", b'?><!DOCTYPE CHECK [<!ENTITY a "b">]>').replace(
        b"<VER>1", b"<VER>&a;"
    )

    refusal_of(xml)


@pytest.mark.parametrize("xml", [VALID[:-3], VALID + VALID, VALID.replace(b"<VER>", b"<VER")])
def test_broken_xml_is_refused(xml: bytes) -> None:
    refusal_of(xml)


def test_unknown_root_is_refused() -> None:
    assert "is not declared" in refusal_of(make.xml("RECEIPT", {})).text


def test_ticket_is_no_document() -> None:
    refusal_of(make.xml("TICKET", {}))
    with pytest.raises(Refusal):
        read_xml(make.xml("TICKET", {}), roots=("TICKET",))


def test_comments_between_and_inside_elements_are_passed_over() -> None:
    xml = VALID.replace(b"<VER>1", b"<!-- a --><VER><!-- b -->1")

    assert read_document(xml).head["VER"] == "1"


def test_date_the_schema_takes_by_mistake_is_refused() -> None:
    refusal_of(make.sale(5, AT, ORDERDATE="29021900"))


@pytest.mark.parametrize(
    ("written", "digits", "expected"),
    [("12.50", 2, 1250), ("-0.05", 2, -5), ("1.5", 3, 1500), (" 2 ", 3, 2000), ("0.00", 2, 0)],
)
def test_decimals_are_read_exactly(written: str, digits: int, expected: int) -> None:
    assert scaled(written, digits=digits) == expected


def test_more_decimals_than_asked_for_are_an_error() -> None:
    with pytest.raises(ValueError, match="decimals"):
        scaled("1.234", digits=2)


def test_absent_amount_is_none() -> None:
    assert kopecks({}, "SUM") is None
