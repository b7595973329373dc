"""A document as text for people, in the order the real service prints it, and its public address."""

from decimal import Decimal
from typing import Final

from infra.simulator.figures import Kind
from infra.simulator.stored_document import StoredDocument
from infra.simulator.xml_reader import Node, kopecks, part, rows, text

_HEADINGS: Final = {
    Kind.OPEN: "Відкриття зміни",
    Kind.CLOSE: "Закриття зміни",
    Kind.OFFLINE_BEGIN: "Початок офлайн сесії",
    Kind.OFFLINE_END: "Завершення офлайн сесії",
    Kind.SALE: "Касовий чек",
    Kind.RETURN: "Видатковий чек (повернення)",
    Kind.STORNO: "Сторнування попереднього чека",
    Kind.DEPOSIT: "Службове внесення\nКасовий чек",
    Kind.ISSUE: "Службова видача\nКасовий чек",
    Kind.TRANSFER: "Переказ коштів\nКасовий чек",
    Kind.TRANSFER_RETURN: "Видатковий чек (повернення)",
    Kind.CURRENCY: "Обмін валюти\nКасовий чек",
    Kind.WITHDRAWAL: "Видача готівки\nКасовий чек",
    Kind.PAWN: "Обслуговування у ломбарді\nКасовий чек",
    Kind.Z_REPORT: "Z-звіт",
}
_TEST_MARK: Final = "ТЕСТОВИЙ НЕФІСКАЛЬНИЙ ДОКУМЕНТ"


def cabinet_url(stored: StoredDocument) -> str:
    """Address of the receipt in the public cabinet."""
    due = Decimal(stored.figures.due).scaleb(-2)
    return (
        "https://cabinet.tax.gov.ua/cashregs/check"
        f"?id={stored.fiscal_number}&fn={stored.register}"
        f"&date={stored.issued_at:%Y%m%d}&time={stored.issued_at:%H%M}&sm={due:.2f}"
    )


def visualised(stored: StoredDocument) -> str:
    """The text form of a document."""
    head = stored.document.head
    origin = "офлайн" if stored.document.is_offline else "онлайн"
    lines = [
        text(head, "ORGNM"),
        text(head, "POINTNM"),
        text(head, "POINTADDR"),
        _labelled("ІД", text(head, "TIN")),
        _labelled("ПН", text(head, "IPN")),
        _HEADINGS[stored.kind],
        f"ПРРО ФН {stored.register} ВН {text(head, 'CASHDESKNUM')}",
        f"ЧЕК ФН {stored.fiscal_number} ВН {stored.local_number} {origin}",
        _labelled("Касир", text(head, "CASHIER")),
        _labelled("Сторнується документ №", text(head, "ORDERSTORNUM")),
        _labelled("Повернення для документу №", text(head, "ORDERRETNUM")),
        *(_z_lines(stored) if stored.document.is_z_report else _check_lines(stored)),
        f"{stored.issued_at:%d.%m.%Y %H:%M:%S}",
        _closing_words(stored),
        "ФСКО ЄВПЕЗ",
        "Державна податкова служба України (симулятор)",
    ]
    return "\n".join(line for line in lines if line is not None) + "\n"


def _labelled(label: str, value: str | None) -> str | None:
    return None if value is None else f"{label} {value}"


def _closing_words(stored: StoredDocument) -> str:
    if stored.document.is_testing:
        return _TEST_MARK
    return "ФІСКАЛЬНИЙ Z-ЗВІТ" if stored.document.is_z_report else "ФІСКАЛЬНИЙ ЧЕК"


def _check_lines(stored: StoredDocument) -> list[str]:
    content = stored.document.content
    lines: list[str] = []
    for number, row in enumerate(rows(content, "CHECKBODY"), start=1):
        lines.extend(_line(number, row))
    total = part(content, "CHECKTOTAL")
    discount = text(total, "DISCOUNTSUM")
    if discount is not None:
        lines.append(f"ДИСКОНТ: {discount}")
    if "SUM" in total:
        lines.append(f"СУМА ДО СПЛАТИ: {text(total, 'SUM')}")
    rounding = text(total, "RNDSUM")
    if rounding is not None:
        lines.append(f"ЗАОКРУГЛЕННЯ: {rounding}")
    lines.extend(
        f"{text(row, 'PAYFORMNM')}: {text(row, 'SUM')}" for row in rows(content, "CHECKPAY")
    )
    lines.extend(_tax_line(row) for row in rows(content, "CHECKTAX"))
    return lines


def _line(number: int, row: Node) -> list[str]:
    code = text(row, "CODE")
    lines = [f"АРТ.№ {code if code is not None else number} {text(row, 'NAME') or ''}".rstrip()]
    letters = text(row, "LETTERS") or ""
    if "AMOUNT" in row and "PRICE" in row:
        price = f"{text(row, 'AMOUNT')} x {text(row, 'PRICE')}"
        lines.append(f"{price} = {text(row, 'COST')} {letters}".rstrip())
    elif "COST" in row:
        lines.append(f"{text(row, 'COST')} {letters}".rstrip())
    discount = text(row, "DISCOUNTSUM")
    if discount is not None:
        lines.append(f"Дисконт: {discount}")
    return lines


def _tax_line(row: Node) -> str:
    letter = text(row, "LETTER") or ""
    return f"{text(row, 'NAME')} {letter} {text(row, 'PRC')}%: {text(row, 'SUM')}"


def _z_lines(stored: StoredDocument) -> list[str]:
    content = stored.document.content
    lines: list[str] = []
    for name, label in (("ZREPREALIZ", "Реалізація"), ("ZREPRETURN", "Повернення")):
        orders = part(content, name)
        if not orders:
            continue
        count, total = text(orders, "ORDERSCNT"), text(orders, "SUM")
        lines.append(f"{label}: чеків {count}, сума {total}")
        lines.extend(
            f"{text(row, 'PAYFORMNM')}: {text(row, 'SUM')}" for row in rows(orders, "PAYFORMS")
        )
        lines.extend(_tax_line(row) for row in rows(orders, "TAXES"))
    body = part(content, "ZREPBODY")
    for name, label in (("SERVICEINPUT", "Внесення"), ("SERVICEOUTPUT", "Видача")):
        if kopecks(body, name) is not None:
            lines.append(f"{label}: {text(body, name)}")
    return lines
