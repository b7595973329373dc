"""How long a register may work without the tax service, as dated rows with their legal source.

The hours stand in the law, but a law of martial law suspended them and what is left of that is disputed: law 2120-IX of
15.03.2022 lifted them, law 3219-IX of 30.06.2023 restored paragraph 7 of article 5 by name and not these, and notices of
tax offices of 2024 and 2025 quote both limits again without an exception (reference §5.5). So they hold here, and an
owner who reads the law otherwise sets others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.errors import InvalidField


@dataclass(frozen=True, slots=True)
class OfflineLimits:
    """The most minutes of one session, and of all sessions of a Kyiv calendar month. Raises: InvalidField."""

    session_minutes: int
    month_minutes: int

    def __post_init__(self) -> None:
        for field in ("session_minutes", "month_minutes"):
            if getattr(self, field) < 1:
                raise InvalidField(field=field, expected="1 or more")


@dataclass(frozen=True, slots=True)
class LegalLimits:
    """Limits in force from `since` on, until `until` (exclusive; None: still in force)."""

    limits: OfflineLimits
    since: date
    until: date | None
    source: str

    def in_force(self, day: date) -> bool:
        """Return whether the limits hold on a Kyiv calendar day."""
        return self.since <= day and (self.until is None or day < self.until)


LEGAL_LIMITS = (
    LegalLimits(
        OfflineLimits(session_minutes=36 * 60, month_minutes=168 * 60),
        # The day from which software registers may be used; no source at hand dates the hours apart from that.
        since=date(2020, 8, 1),
        until=None,
        source="Law of Ukraine 265/95-ВР, article 5, paragraphs 3 and 4; order 317, section V, item 1",
    ),
)
"""36 hours and 168 hours. A change of law is a row more, and an end to the row it replaces."""

WARNING_MARKS = (50, 75, 90, 100)
"""Per cent of a limit at which people are told, unless set otherwise."""


def limits_on(day: date) -> OfflineLimits:
    """Return what the law allows on a Kyiv calendar day; before the first row, what the first row allows."""
    for row in LEGAL_LIMITS:
        if row.in_force(day):
            return row.limits
    return LEGAL_LIMITS[0].limits
