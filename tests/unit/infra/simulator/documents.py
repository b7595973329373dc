"""Documents for the simulator's tests, built as text: the judge is tried with XML of nobody's code."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

TIN = "99900022"
IPN = "999000220018"
ORG_NAME = 'ТОВ "Смерека-Проба"'
POINT_NAME = 'Крамниця "Смерека"'
POINT_ADDRESS = "УКРАЇНА, М. ТЕРНОПІЛЬ, вул. Пробна, 3"
REGISTER = "4000888001"
OTHER_REGISTER = "4000888002"
DESK = 4

Parts = Mapping[str, Any]


def element(name: str, value: Any) -> str:
    """An element with a text, with children of a mapping, or with rows of a sequence."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        inner = "".join(element(child, content) for child, content in value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        inner = "".join(
            f'<ROW ROWNUM="{number}">{"".join(element(*item) for item in row.items())}</ROW>'
            for number, row in enumerate(value, start=1)
        )
    else:
        inner = escape(str(value))
    return f"<{name}>{inner}</{name}>"


def xml(root: str, parts: Parts) -> bytes:
    """A whole document in windows-1251."""
    body = "".join(element(name, content) for name, content in parts.items())
    return f'<?xml version="1.0" encoding="windows-1251"?><{root}>{body}</{root}>'.encode("cp1251")


def head(
    number: int,
    at: datetime,
    *,
    document_type: int | None = 0,
    subtype: int | None = None,
    uid: str | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """CHECKHEAD or, without a type, ZREPHEAD. ``at`` is local time; None leaves an element out."""
    values: dict[str, Any] = {
        "DOCTYPE": document_type,
        "DOCSUBTYPE": subtype,
        "UID": uid or f"00000000-0000-4000-8000-{number:012d}",
        "TIN": TIN,
        "IPN": IPN,
        "ORGNM": ORG_NAME,
        "POINTNM": POINT_NAME,
        "POINTADDR": POINT_ADDRESS,
        "ORDERDATE": f"{at:%d%m%Y}",
        "ORDERTIME": f"{at:%H%M%S}",
        "ORDERNUM": number,
        "CASHDESKNUM": DESK,
        "CASHREGISTERNUM": REGISTER,
        "ORDERRETCASHREGNUM": None,
        "ORDERRETDATE": None,
        "ORDERRETNUM": None,
        "ORDERSTORNUM": None,
        "REVOKELASTONLINEDOC": None,
        "CASHIER": "Смерека О. О.",
        "VER": 1,
        "ORDERTAXNUM": None,
        "OFFLINE": None,
        "PREVDOCHASH": None,
        "REVOKED": None,
        "STORNED": None,
        "TESTING": None,
    }
    return values | changes


def check(number: int, at: datetime, parts: Parts | None = None, **changes: Any) -> bytes:
    """A check; ``changes`` go to its head."""
    return xml("CHECK", {"CHECKHEAD": head(number, at, **changes), **(parts or {})})


def open_shift(number: int, at: datetime, **changes: Any) -> bytes:
    return check(number, at, document_type=100, **changes)


def close_shift(number: int, at: datetime, **changes: Any) -> bytes:
    return check(number, at, document_type=101, **changes)


def money(kopecks: int) -> str:
    sign = "-" if kopecks < 0 else ""
    return f"{sign}{abs(kopecks) // 100}.{abs(kopecks) % 100:02d}"


def payment(kopecks: int, *, code: int = 0, name: str = "ГОТІВКА", **more: Any) -> dict[str, Any]:
    return {"PAYFORMCD": code, "PAYFORMNM": name, "SUM": money(kopecks), **more}


def card(kopecks: int) -> dict[str, Any]:
    return payment(kopecks, code=1, name="КАРТКА")


def line(kopecks: int, *, amount: str = "1.000", letters: str = "А", **more: Any) -> dict[str, Any]:
    cost = kopecks * int(amount.replace(".", "")) // 1000
    return {
        "CODE": "77",
        "NAME": "Мед гречаний",
        "AMOUNT": amount,
        "PRICE": money(kopecks),
        "LETTERS": letters,
        "COST": money(cost),
        **more,
    }


def vat(kopecks: int, *, letter: str = "А", rate: int = 20, **more: Any) -> dict[str, Any]:
    tax = round(kopecks * rate / (100 + rate))
    return {
        "TYPE": 0,
        "NAME": "ПДВ",
        "LETTER": letter,
        "PRC": money(rate * 100),
        "SIGN": "false",
        "TURNOVER": money(kopecks),
        "TURNOVERDISCOUNT": None,
        "SOURCESUM": money(kopecks),
        "SUM": money(tax),
        **more,
    }


def sale_parts(kopecks: int, **total: Any) -> dict[str, Any]:
    return {
        "CHECKTOTAL": {"SUM": money(kopecks), **total},
        "CHECKPAY": [payment(kopecks)],
        "CHECKTAX": [vat(kopecks)],
        "CHECKBODY": [line(kopecks)],
    }


def sale(number: int, at: datetime, kopecks: int = 5000, **changes: Any) -> bytes:
    return check(number, at, sale_parts(kopecks), subtype=0, **changes)


def sale_return(
    number: int, at: datetime, *, original: str, kopecks: int = 5000, **changes: Any
) -> bytes:
    return check(number, at, sale_parts(kopecks), subtype=1, ORDERRETNUM=original, **changes)


def storno(number: int, at: datetime, *, target: str | None, **changes: Any) -> bytes:
    return check(number, at, subtype=5, ORDERSTORNUM=target, **changes)


def service(number: int, at: datetime, kopecks: int, *, subtype: int, **changes: Any) -> bytes:
    return check(number, at, {"CHECKTOTAL": {"SUM": money(kopecks)}}, subtype=subtype, **changes)


def withdrawal(number: int, at: datetime, kopecks: int, **changes: Any) -> bytes:
    parts = {
        "CHECKTOTAL": {"SUM": money(kopecks), "NOTAXSUM": money(kopecks), "COMMISSION": "0.00"},
        "CHECKPAY": [payment(kopecks)],
        "CHECKBODY": [{"NAME": "Видача готівки", "COST": money(kopecks)}],
    }
    return check(number, at, parts, document_type=3, subtype=0, **changes)


def orders(kopecks: int, count: int, **more: Any) -> dict[str, Any]:
    """ZREPREALIZ or ZREPRETURN of so many cash sales taxed with letter А."""
    tax = {key: value for key, value in vat(kopecks).items() if key != "LETTERS"}
    return {
        "SUM": money(kopecks),
        "ORDERSCNT": count,
        "PAYFORMS": [payment(kopecks)],
        "TAXES": [tax],
        **more,
    }


def z_report(number: int, at: datetime, parts: Parts | None = None, **changes: Any) -> bytes:
    own = {
        key: value
        for key, value in head(number, at, document_type=None, **changes).items()
        if key
        not in {
            "DOCTYPE",
            "DOCSUBTYPE",
            "ORDERRETCASHREGNUM",
            "ORDERRETDATE",
            "ORDERRETNUM",
            "ORDERSTORNUM",
            "REVOKELASTONLINEDOC",
            "STORNED",
        }
    }
    body = {"ZREPBODY": {"SERVICEINPUT": "0.00", "SERVICEOUTPUT": "0.00"}}
    return xml("ZREP", {"ZREPHEAD": own, **(body if parts is None else parts)})
