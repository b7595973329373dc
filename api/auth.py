"""Who calls, and what they may do: bearer tokens, roles, rights."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from time import monotonic
from uuid import UUID

from api.errors import Forbidden, Unauthenticated
from infra.tokens import PREFIX, Role, TokenRow, token_hash

LONGEST_TOKEN = 256


class Right(StrEnum):
    """One thing a caller may do; every address that is not public names one."""

    SET_UP = "set-up"
    SELL = "sell"
    OPERATE = "operate"
    READ = "read"
    READ_EVENTS = "read-events"
    READ_METRICS = "read-metrics"


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.ADMINISTRATOR: frozenset(Right),
    # A till: sells, opens and closes shifts, reads what it needs for that.
    Role.CASHIER: frozenset({Right.SELL, Right.READ}),
    # Reads everything, changes nothing.
    Role.AUDITOR: frozenset({Right.READ, Right.READ_EVENTS, Right.READ_METRICS}),
    # An integration, such as an online store or an accounting program: sells and follows the events.
    Role.SERVICE: frozenset({Right.SELL, Right.READ, Right.READ_EVENTS, Right.READ_METRICS}),
}
"""SET_UP changes the structure, OPERATE resumes lanes and looks after alarms."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls; `scope` is what their idempotency keys are kept apart by."""

    token_id: UUID
    name: str
    role: Role
    scope: str

    def require(self, right: Right) -> None:
        """Raises: Forbidden."""
        if right not in RIGHTS[self.role]:
            raise Forbidden(role=self.role.value, right=right.value)


def bearer_token(authorization: str | None) -> str:
    """Return the token of an Authorization header. Raises: Unauthenticated."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token.startswith(PREFIX) or len(token) > LONGEST_TOKEN:
        raise Unauthenticated
    return token


@dataclass(frozen=True, slots=True)
class _Known:
    sha256: bytes
    caller: Caller | None
    until: float


class TokenDirectory:
    """Callers by their tokens, remembered for a short time so that a request costs no query.

    A revoked token works for at most `remember_seconds` more; a wrong one is remembered as well, so that guessing
    does not reach the database each time. Safe for threads.
    """

    def __init__(
        self,
        find: Callable[[bytes], TokenRow | None],
        *,
        remember_seconds: float,
        capacity: int = 10_000,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Take `find`, which asks the database for a valid token by its hash."""
        self._find = find
        self._remember_seconds = remember_seconds
        self._capacity = capacity
        self._clock = clock
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._lock = Lock()

    def remembered(self, token: str) -> Caller | None:
        """Return the caller without asking the database; None when it must be asked.

        Raises: Unauthenticated.
        """
        sha256 = token_hash(token)
        with self._lock:
            known = self._known.get(sha256)
        if known is None or known.until <= self._clock():
            return None
        # The dictionary found it by hash; the comparison that decides takes the same time for any token.
        if known.caller is None or not hmac.compare_digest(known.sha256, sha256):
            raise Unauthenticated
        return known.caller

    def look_up(self, token: str) -> Caller:
        """Ask the database and remember the answer. Blocks. Raises: Unauthenticated, StoreUnavailable."""
        sha256 = token_hash(token)
        row = self._find(sha256)
        caller = None
        if row is not None and hmac.compare_digest(row.sha256, sha256):
            caller = Caller(row.token_id, row.name, row.role, scope=f"token:{row.token_id}")
        with self._lock:
            self._known[sha256] = _Known(sha256, caller, self._clock() + self._remember_seconds)
            self._known.move_to_end(sha256)
            while len(self._known) > self._capacity:
                self._known.popitem(last=False)
        if caller is None:
            raise Unauthenticated
        return caller
