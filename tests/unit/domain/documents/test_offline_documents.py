"""Documents of an offline session: official samples, the worked session, and the sum behind their control numbers."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from lxml import etree

from domain.documents.offline import OfflineBegin, OfflineEnd, OfflineMark
from domain.documents.shift import DocumentKind, FiscalDocument
from domain.documents.xml import read_document, to_xml
from domain.identifiers import OfflineNumber
from domain.offline.control_number import control_number, control_total
from tests import examples, strategies
from tests.unit.domain.documents.test_xml import flat, schemas_of, written

SAMPLES = {
    "check01(Початок офлайн сесії).xml": (
        OfflineBegin(revoke_last_online_document=True),
        OfflineNumber(session_id="82563", number=25, control=6127),
    ),
    "check01(Завершення офлайн сесії).xml": (
        OfflineEnd(),
        OfflineNumber(session_id="82563", number=45, control=7539),
    ),
}
OFFLINE = {name: each for name, each in examples.DOCUMENTS.items() if name.startswith("offline-")}


@pytest.fixture(scope="module")
def session(shared_folder: Path) -> list[bytes]:
    """The four documents of §11.14 of the protocol reference."""
    text = (shared_folder / "reference" / "fiscal-server.md").read_text(encoding="utf-8")
    section = text[text.index("### 11.14 ") : text.index("### 11.15 ")]
    blocks = re.findall(r"```xml\n(.*?)```", section, flags=re.DOTALL)
    assert len(blocks) == 4
    return [block.strip().encode("cp1251") for block in blocks]


def control_of(document: FiscalDocument) -> int:
    """What the control number of an example or worked document must be."""
    heading, mark = document.heading, document.heading.offline
    assert mark is not None
    return control_number(
        seed=examples.OFFLINE_SEED,
        at=heading.at,
        local_number=heading.local_number,
        register_fiscal_number=heading.register_fiscal_number,
        register_local_number=heading.register_local_number,
        total=control_total(document),
        previous_hash=mark.previous_document_hash,
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_official_sample_is_rebuilt_element_by_element(name: str, shared_folder: Path) -> None:
    data = (shared_folder / "reference" / "fiscal-server" / "examples" / name).read_bytes()
    content, number = SAMPLES[name]

    found = read_document(data)

    assert found.unread == ()
    assert found.document is not None
    assert found.document.content == content
    assert found.heading.offline == OfflineMark(number)
    assert flat(to_xml(found.document)) == flat(data)


def test_worked_session_is_rebuilt_element_by_element(session: list[bytes]) -> None:
    # We always write what the service's totals are to have; the worked session shortens it.
    ours = "CHECKTAX/ROW/TURNOVERDISCOUNT"
    for data in session:
        found = read_document(data)
        assert found.unread == ()
        assert found.document is not None
        rebuilt = to_xml(found.document)
        assert [row for row in flat(rebuilt) if row[0] != ours] == flat(data)
        assert (ours in [row[0] for row in flat(rebuilt)]) == (b"<CHECKTAX>" in data)


def test_control_numbers_of_the_worked_session_follow_from_its_documents(
    session: list[bytes],
) -> None:
    controls = []
    for data in session:
        document = read_document(data).document
        assert document is not None
        mark = document.heading.offline
        assert mark is not None
        assert mark.fiscal_number.control == control_of(document)
        controls.append(mark.fiscal_number.control)
    assert controls == [9516, 2174, 4344, 5451]


@pytest.mark.parametrize("name", OFFLINE)
def test_control_number_of_our_example_follows_from_it(name: str) -> None:
    mark = OFFLINE[name].heading.offline
    assert mark is not None
    assert mark.fiscal_number.control == control_of(OFFLINE[name])


@given(document=strategies.fiscal_documents())
def test_control_total_is_what_the_document_writes_as_its_sum(document: FiscalDocument) -> None:
    written_sum = etree.fromstring(to_xml(document)).findtext("CHECKTOTAL/SUM")
    total = control_total(document)
    assert (None if total is None else str(total)) == written_sum


def test_mark_stands_in_the_order_of_the_schema(shared_folder: Path) -> None:
    document = replace(
        examples.OFFLINE_Z_REPORT_DOCUMENT,
        heading=replace(examples.OFFLINE_Z_REPORT_DOCUMENT.heading, testing=True),
    )
    mark = document.heading.offline
    assert mark is not None
    assert (
        "<VER>1</VER><ORDERTAXNUM>21999.4.5857</ORDERTAXNUM><OFFLINE>true</OFFLINE>"
        f"<PREVDOCHASH>{mark.previous_document_hash}</PREVDOCHASH><TESTING>true</TESTING></ZREPHEAD>"
    ) in written(document)
    schemas_of(shared_folder)["ZREP"].assertValid(etree.fromstring(to_xml(document)))


@pytest.mark.parametrize(
    ("flag", "element"),
    [
        (True, "<REVOKELASTONLINEDOC>true</REVOKELASTONLINEDOC><CASHIER>"),
        (False, "<REVOKELASTONLINEDOC>false</REVOKELASTONLINEDOC><CASHIER>"),
        (None, "</CASHREGISTERNUM><CASHIER>"),
    ],
)
def test_revoke_flag_is_written_where_it_was_decided(flag: bool | None, element: str) -> None:
    document = replace(examples.OFFLINE_BEGIN_DOCUMENT, content=OfflineBegin(flag))
    assert element in written(document)
    assert read_document(to_xml(document)).document == document


@pytest.mark.parametrize("name", ["offline-begin", "offline-end"])
def test_begin_and_end_are_never_marked_as_tests(name: str) -> None:
    document = examples.DOCUMENTS[name]
    marked = replace(document, heading=replace(document.heading, testing=True))
    assert to_xml(marked) == to_xml(document)


def test_offline_number_of_another_form_is_kept_as_text_and_no_mark() -> None:
    data = to_xml(examples.OFFLINE_Z_REPORT_DOCUMENT).replace(b"21999.4.5857", b"UxI07gWmYOQ")
    found = read_document(data)
    assert (found.fiscal_number, found.offline, found.heading.offline) == (
        "UxI07gWmYOQ",
        True,
        None,
    )
    assert found.unread == ("ZREPHEAD/PREVDOCHASH",)


def test_servers_number_of_an_online_document_is_no_mark() -> None:
    data = to_xml(examples.SALE_DOCUMENT).replace(
        b"</VER>", b"</VER><ORDERTAXNUM>3600000103</ORDERTAXNUM>"
    )
    found = read_document(data)
    assert found.fiscal_number == "3600000103"
    assert not found.offline
    assert found.heading.offline is None


def test_every_kind_that_only_offline_knows_has_an_example() -> None:
    kinds = {document.kind for document in OFFLINE.values()}
    assert {DocumentKind.OFFLINE_BEGIN, DocumentKind.OFFLINE_END, DocumentKind.Z_REPORT} <= kinds
