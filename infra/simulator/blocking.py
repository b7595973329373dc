"""A blocked register: by hand, by a fault, or because its offline sessions lasted too long.

What a session beyond the limits leads to is a switch; the block of this reading ends with the month.
"""

from datetime import timedelta

from infra.simulator.answers import Code, Refusal
from infra.simulator.case import Case
from infra.simulator.offline_session import month_duration, month_of


def check_not_blocked(case: Case) -> None:
    """Refuse a blocked register's documents with the code and the text of the switches.

    A session that is open may still be delivered to its end when only its own length is the reason.
    Raises: Refusal.
    """
    if case.is_blocked:
        raise _blocked(case)
    if case.in_package and case.register_book.session.is_open:
        return
    if _is_over_limits(case):
        raise _blocked(case)


def _is_over_limits(case: Case) -> bool:
    """Whether the register is blocked for its offline time of the server's present month."""
    book, switches = case.register_book, case.switches
    if switches.offline_limits != "block":
        return False
    first, following = month_of(case.now)
    month = timedelta(minutes=switches.offline_month_minutes)
    longest = timedelta(minutes=switches.offline_session_minutes)
    counted_to = switches.offline_counted_to
    if month_duration(book.sessions, at=case.now, counted_to=counted_to) > month:
        return True
    return any(
        first <= lasted[1] < following and session.duration(counted_to=counted_to) > longest
        for session in book.sessions
        if (lasted := session.lasted(counted_to=counted_to)) is not None
    )


def _blocked(case: Case) -> Refusal:
    switches = case.switches
    text = switches.blocked_text.format(register=case.document.register)
    return Refusal(Code(switches.blocked_code), text)
