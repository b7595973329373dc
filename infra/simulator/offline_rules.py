"""What a document of an offline package must be, beside all that any document must be.

Position in the session, offline number, control number, chain of hashes, limits and the revocation of
the last online document. A refusal of what a package alone can break has code 10.
"""

import hashlib
from datetime import timedelta

from infra.simulator.answers import (
    Code,
    Refusal,
    not_revocable,
    nothing_to_revoke,
    offline_not_allowed,
)
from infra.simulator.book import revocation_of
from infra.simulator.case import Case
from infra.simulator.figures import DOCUMENT_TYPE_NAMES, Kind
from infra.simulator.kyiv import moment_of
from infra.simulator.offline_numbers import control_number, read_offline_number
from infra.simulator.offline_session import FINANCIAL, OfflineSession, month_duration, month_of
from infra.simulator.xml_reader import flag, text

_SAMPLE_CHAIN_FROM = 3


def check_offline(case: Case) -> None:
    """Refuse a packed document that does not continue the session. Raises: Refusal."""
    if not case.in_package:
        return
    _check_number(case)
    _check_chain(case)
    _check_limits(case)
    if case.kind is Kind.OFFLINE_BEGIN:
        _check_revocation(case)


def _check_number(case: Case) -> None:
    session = case.register_book.session
    if not case.registered.register.offline_allowed:
        raise offline_not_allowed(case.document.register)
    if not case.document.is_offline:
        raise _invalid("Пакет може містити лише документи, створені в режимі офлайн")
    stated = text(case.document.head, "ORDERTAXNUM") or ""
    number = read_offline_number(stated)
    if number is None:
        raise _invalid(f"Некоректний офлайн фіскальний номер документа {stated}".rstrip())
    if number.session_id != session.session_id:
        raise _invalid(
            f"Некоректний ідентифікатор офлайн сесії {number.session_id}. "
            f"Ідентифікатор повинен дорівнювати {session.session_id}"
        )
    if number.number != session.next_number:
        raise _invalid(
            f"Некоректний номер документа в офлайн сесії {number.number}. "
            f"Номер документа повинен дорівнювати {session.next_number}"
        )
    if (case.kind is Kind.OFFLINE_BEGIN) != (number.number == 1):
        raise _invalid("Офлайн сесія починається одним документом «Початок офлайн сесії»")
    if number.control not in _controls(case, session):
        raise _invalid(f"Некоректне контрольне число {number.control} документа {stated}")


def _controls(case: Case, session: OfflineSession) -> set[int]:
    """The control numbers that are taken for this document."""
    taken = case.switches.control_number_sum
    by_price = control_number(case.document, seed=session.seed)
    by_payment = control_number(case.document, seed=session.seed, paid_counts=True)
    return {"full": {by_price}, "paid": {by_payment}, "either": {by_price, by_payment}}[taken]


def _check_chain(case: Case) -> None:
    stated = text(case.document.head, "PREVDOCHASH")
    rule = case.switches.chain_check
    if rule == "off":
        return
    session = case.register_book.session
    if rule == "sample":
        is_linked = session.next_number >= _SAMPLE_CHAIN_FROM
    else:
        is_linked = any(each.kind in FINANCIAL for each in session.documents)
        if case.kind is Kind.OFFLINE_END and stated is None:
            return
    if not is_linked:
        if stated is not None:
            raise _invalid("Елемент PREVDOCHASH недопустимий на початку ланцюга офлайн сесії")
        return
    previous = session.documents[-1]
    accepted = {hashlib.sha256(previous.signed).hexdigest()}
    if case.switches.chain_hash == "signed-or-xml":
        accepted.add(hashlib.sha256(previous.document.xml).hexdigest())
    if stated not in accepted:
        raise _invalid(
            "Значення елемента PREVDOCHASH не відповідає попередньому документу офлайн сесії"
        )


def _check_limits(case: Case) -> None:
    """Only financially significant documents lengthen a session; 103 always may end it."""
    if case.switches.offline_limits != "refuse" or case.kind not in FINANCIAL:
        return
    book = case.register_book
    begun = moment_of(book.session.documents[0].issued_at)
    issued_at = moment_of(case.document.issued_at)
    if issued_at - begun > timedelta(minutes=case.switches.offline_session_minutes):
        raise _invalid("Перевищено дозволену тривалість офлайн сесії")
    counted_to = case.switches.offline_counted_to
    earlier = (each for each in book.sessions if each is not book.session)
    month = month_duration(earlier, at=issued_at, counted_to=counted_to)
    month += max(issued_at - max(begun, month_of(issued_at)[0]), timedelta())
    if month > timedelta(minutes=case.switches.offline_month_minutes):
        raise _invalid("Перевищено дозволену тривалість офлайн сесій протягом місяця")


def _check_revocation(case: Case) -> None:
    if not flag(case.document.head, "REVOKELASTONLINEDOC"):
        return
    book = case.register_book
    if revocation_of(book, case.document) is not None:
        return
    last = book.last_document
    if last is not None and last.offline is None and book.shift is not None:
        raise not_revocable(
            fiscal_number=last.fiscal_number,
            type_name=DOCUMENT_TYPE_NAMES[last.document.document_type],
        )
    if case.switches.revoke_nothing == "refuse":
        raise nothing_to_revoke(case.document.register)


def _invalid(reason: str) -> Refusal:
    return Refusal(Code.PACKAGE_VALIDATION_ERROR, reason)
