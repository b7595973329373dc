"""The ticket: the server's signed answer to a document (reference §3.11)."""

from __future__ import annotations

from datetime import UTC, datetime

from lxml import etree

from domain.answers import Ticket
from domain.clock import KYIV
from domain.errors import IntegrityFault
from infra.fiscal_server.answers import refused

_PLACE = "ticket"


def read_ticket(content: bytes, *, raw: bytes) -> Ticket:
    """Return the ticket in `content`, which was inside the signed message `raw`.

    Whether it is the ticket for what was sent, the caller judges by `uid` and `local_number`.

    Raises: Refused when it carries an error code; IntegrityFault when it is no ticket or an accepted document
    has no number.
    """
    fields = _accepted(content)
    fiscal_number = fields.get("ORDERTAXNUM")
    if fiscal_number is None:
        raise IntegrityFault(place=_PLACE, what="accepted, but without a fiscal number")
    return Ticket(
        uid=_required(fields, "UID"),
        local_number=_number(_required(fields, "ORDERNUM"), "ORDERNUM"),
        fiscal_number=fiscal_number,
        server_time=_moment(_required(fields, "ORDERDATE"), _required(fields, "ORDERTIME")),
        raw=raw,
        offline_session_id=fields.get("OFFLINESESSIONID"),
        offline_seed=fields.get("OFFLINESEED"),
    )


def session_in_ticket(content: bytes) -> tuple[str | None, str | None]:
    """Return the offline session and seed in a ticket, of which nothing else is asked: one that answers a package.

    Raises: Refused when it carries an error code; IntegrityFault when it is no ticket.
    """
    fields = _accepted(content)
    return fields.get("OFFLINESESSIONID"), fields.get("OFFLINESEED")


def _accepted(content: bytes) -> dict[str, str]:
    fields = _fields(content)
    code = fields.get("ERRORCODE", "0")
    if code != "0":
        raise refused(_number(code, "ERRORCODE"), text=fields.get("ERRORTEXT", ""))
    return fields


def _fields(content: bytes) -> dict[str, str]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise IntegrityFault(place=_PLACE, what="not well-formed XML") from None
    if root.tag != "TICKET":
        raise IntegrityFault(place=_PLACE, what="another document")
    texts = ((child.tag, (child.text or "").strip()) for child in root.iterchildren("*"))
    return {tag: text for tag, text in texts if text}


def _required(fields: dict[str, str], tag: str) -> str:
    if tag not in fields:
        raise IntegrityFault(place=_PLACE, what=f"{tag} is missing")
    return fields[tag]


def _number(text: str, tag: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise IntegrityFault(place=_PLACE, what=f"{tag} is not a number") from None


def _moment(day: str, time: str) -> datetime:
    """Return UTC. The schema types both as integers, so leading zeros may be lost."""
    try:
        wall = datetime.strptime(day.zfill(8) + time.zfill(6), "%d%m%Y%H%M%S").replace(tzinfo=KYIV)
    except ValueError:
        raise IntegrityFault(place=_PLACE, what="ORDERDATE or ORDERTIME is malformed") from None
    return wall.astimezone(UTC)
