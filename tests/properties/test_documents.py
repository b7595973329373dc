"""Laws of documents: nothing is lost on the way to bytes and back, and all bytes are valid."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from domain.documents.receipt import Discount, Line, Receipt
from domain.documents.shift import FiscalDocument, ZReport
from domain.documents.text import encodable
from domain.documents.xml import from_xml, read_document, to_xml
from domain.errors import InvalidField
from tests import strategies


def as_carried(document: FiscalDocument) -> FiscalDocument:
    """The document with what its bytes do not carry put to what reading makes of it."""
    heading, content = document.heading, document.content
    if isinstance(content, ZReport):
        return replace(document, content=replace(content, z_report_id=heading.uid))
    if isinstance(content, Receipt):
        content = replace(
            content,
            receipt_id=heading.uid,
            issued_at=heading.at,
            cashier_id=None,
            cashier_name=heading.cashier_name,
            unrounded=content.unrounded if content.rounding else content.total,
            lines=tuple(map(_line_as_carried, content.lines)),
            discount=_discount_as_carried(content),
            purpose=None,
        )
    return replace(document, content=content)


def _line_as_carried(line: Line) -> Line:
    own = line.discount
    alone = own is not None and line.receipt_discount is None
    percent = own.percent if own is not None and alone else None
    return replace(
        line,
        name=line.fiscal_name or line.name,
        fiscal_name=None,
        discount=Discount(line.taken_off, percent=percent) if line.taken_off else None,
        receipt_discount=None,
    )


def _discount_as_carried(receipt: Receipt) -> Discount | None:
    """Documents tell of the receipt's own discount only where no line has one."""
    if any(line.taken_off for line in receipt.lines) or not receipt.taken_off:
        return None
    return Discount(receipt.taken_off)


@pytest.fixture(scope="module")
def schemas(shared_folder: Path) -> dict[str, etree.XMLSchema]:
    folder = shared_folder / "reference" / "fiscal-server" / "xsd-newer"
    return {
        root: etree.XMLSchema(etree.parse(folder / name))
        for root, name in (("CHECK", "check01.xsd"), ("ZREP", "zrep01.xsd"))
    }


@given(document=strategies.fiscal_documents())
def test_document_survives_the_round_trip(document: FiscalDocument) -> None:
    data = to_xml(document)
    found = read_document(data)
    assert found.document == as_carried(document)
    assert found.unread == ()
    assert to_xml(from_xml(data)) == data


@given(document=strategies.fiscal_documents())
def test_document_is_valid_against_the_official_schema(
    schemas: dict[str, etree.XMLSchema], document: FiscalDocument
) -> None:
    root = etree.fromstring(to_xml(document))
    schemas[str(root.tag)].assertValid(root)


@given(text=st.text(max_size=50))
def test_text_is_refused_or_made_fit_once_and_for_all(text: str) -> None:
    try:
        fit = encodable(text, field="name")
    except InvalidField as refusal:
        assert refusal.field == "name"  # noqa: PT017 (both outcomes are judged)
        return
    assert encodable(fit, field="name") == fit
    assert fit.encode("cp1251").decode("cp1251") == fit
