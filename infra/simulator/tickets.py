"""The server's own XML: tickets, and the copies of documents it keeps.

Tickets are built as text in the order of their schema; the copies are the sender's XML with the
server's elements put in their places.
"""

from datetime import datetime
from typing import Final, cast
from xml.sax.saxutils import escape

from lxml import etree

from infra.simulator.answers import Code
from infra.simulator.kyiv import KYIV
from infra.simulator.schema import SEQUENCES, Sequence
from infra.simulator.stored_document import IssuedSession, StoredDocument

_HEADER: Final = (
    '<?xml version="1.0" encoding="windows-1251"?>\r\n'
    '<TICKET xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:noNamespaceSchemaLocation="ticket01.xsd">\r\n'
)


def ticket(
    *,
    uid: str,
    local_number: int,
    at: datetime,
    fiscal_number: str | None = None,
    session: IssuedSession | None = None,
    code: Code = Code.OK,
    text: str | None = None,
) -> bytes:
    """TICKET XML in windows-1251. ``at`` is the server's moment of registration, aware."""
    local = at.astimezone(KYIV)
    elements: dict[str, str | None] = {
        "UID": uid,
        "ORDERDATE": f"{local:%d%m%Y}",
        "ORDERTIME": f"{local:%H%M%S}",
        "ORDERNUM": str(local_number),
        "ORDERTAXNUM": fiscal_number,
        "OFFLINESESSIONID": str(session.session_id) if session else None,
        "OFFLINESEED": str(session.seed) if session else None,
        "ERRORCODE": str(int(code)),
        "ERRORTEXT": text,
        "VER": "1",
    }
    body = "".join(
        f"  <{name}>{escape(value)}</{name}>\r\n"
        for name, value in elements.items()
        if value is not None
    )
    return f"{_HEADER}{body}</TICKET>".encode("windows-1251", "xmlcharrefreplace")


def server_copy(stored: StoredDocument) -> bytes:
    """The document as the server keeps it: ORDERTAXNUM after VER, REVOKED and STORNED when true."""
    root = etree.fromstring(stored.document.xml)
    name = f"{stored.document.root}HEAD"
    head = root.find(name)
    assert head is not None, "the document was read before it was stored"
    additions = {"ORDERTAXNUM": stored.fiscal_number}
    if stored.is_revoked:
        additions["REVOKED"] = "true"
    if stored.is_storned:
        additions["STORNED"] = "true"
    order = SEQUENCES[name]
    for added, value in additions.items():
        if added in order and head.find(added) is None:
            _place(head, added, value, order=order)
    return cast(bytes, etree.tostring(root, encoding="windows-1251", xml_declaration=True))


def _place(head: etree._Element, name: str, value: str, *, order: Sequence) -> None:
    element = etree.Element(name)
    element.text = value
    element.tail = "\n"
    before = [
        index
        for index, child in enumerate(head)
        if child.tag in order and order[child.tag].position < order[name].position
    ]
    head.insert(before[-1] + 1, element)
