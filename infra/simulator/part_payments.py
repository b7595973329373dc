"""A chain of part payments: a further payment or final settlement names a prepayment, and the parts do not exceed the price.

The description of the service says what the elements mean, not whether it follows a chain; that is our reading, and a
switch. A prepayment the book does not know is refused: unlike a sale that is returned, nothing else tells its price.
"""

from typing import Final

from infra.simulator.answers import invalid
from infra.simulator.book import Book
from infra.simulator.case import Case
from infra.simulator.figures import Kind
from infra.simulator.stored_document import StoredDocument
from infra.simulator.xml_reader import Document, part, text

_PREPAYMENT: Final = "1"
_LATER: Final = frozenset({"2", "3"})


def check_chain(case: Case) -> None:
    """Refuse a later payment that no prepayment carries. Raises: Refusal with code 9."""
    if case.kind is not Kind.SALE or _type_of(case.document) not in _LATER:
        return
    number = text(part(case.document.content, "CHECKTOTAL"), "PARTPAYORDPREPAYNUM")
    if not number:
        raise invalid("Відсутній елемент PARTPAYORDPREPAYNUM")
    prepayment = case.book.find_document(number)
    if prepayment is None or _type_of(prepayment.document) != _PREPAYMENT:
        raise invalid(f"Передплата № {number} відсутня")
    if prepayment.kind is not Kind.SALE or not prepayment.counts:
        raise invalid(f"Сплата за документом № {number} неможлива")
    if prepayment.document.is_testing != case.document.is_testing:
        raise invalid("Сплата за тестовим та фіскальним документами не змішується")
    if any(each.counts for each in case.book.returns_of(number)):
        raise invalid(f"Передплату № {number} повернуто")
    price = prepayment.figures.total or 0
    if case.figures.total != price:
        raise invalid(f"Повна вартість не відповідає передплаті № {number}: {price}")
    left = price - prepayment.figures.due_unrounded - _paid_on(case.book, number)
    if case.figures.due_unrounded > left:
        raise invalid(
            f"Сплата перевищує залишок за передплатою № {number}: "
            f"{case.figures.due_unrounded} більше {left}"
        )


def _paid_on(book: Book, number: str) -> int:
    """What later payments took that count and did not come back."""
    return sum(
        each.figures.due_unrounded
        for each in book.payments_on(number)
        if each.counts and not _came_back(book, each)
    )


def _came_back(book: Book, payment: StoredDocument) -> bool:
    return any(each.counts for each in book.returns_of(payment.fiscal_number))


def _type_of(document: Document) -> str | None:
    kind = text(part(document.content, "CHECKTOTAL"), "PARTPAYTYPE")
    return None if kind is None else kind.strip()
