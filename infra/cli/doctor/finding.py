"""What the doctor finds, and what its checks may look at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from infra.settings import Settings
from infra.signing.client import AgentSigner


class Status(StrEnum):
    """`fail`: something does not work. `warn`: it works, and somebody should know."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `next_step` says what to do about it."""

    area: str
    name: str
    status: Status
    detail: str
    next_step: str | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at: the settings, the owner's DSN of a database that answers, the signing agent's client."""

    settings: Settings
    dsn: str | None
    agent: AgentSigner


class Chart:
    """Findings of one area."""

    def __init__(self, area: str) -> None:
        self._area = area
        self.findings: list[Finding] = []

    def ok(self, name: str, detail: str) -> None:
        """Note that something works."""
        self.findings.append(Finding(self._area, name, Status.OK, detail))

    def warn(self, name: str, detail: str, *, next_step: str | None = None) -> None:
        """Note something that somebody should know."""
        self.findings.append(Finding(self._area, name, Status.WARN, detail, next_step))

    def fail(self, name: str, detail: str, *, next_step: str | None = None) -> None:
        """Note something that does not work."""
        self.findings.append(Finding(self._area, name, Status.FAIL, detail, next_step))
