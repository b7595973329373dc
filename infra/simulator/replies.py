"""What comes back from the simulator: a reply, or one of the ways a connection ends without one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply. ``delay_seconds`` is for the HTTP shell; in process nobody sleeps."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0


class NoReply(Exception):
    """The connection ends without a reply. ``processed`` tells whether the request was."""

    processed = False


class ConnectionRefusedBySimulator(NoReply):
    """Nobody listens: not a byte was taken."""


class ConnectionResetBySimulator(NoReply):
    """The connection broke before the request was processed."""


class AnswerLost(NoReply):
    """The request was processed, the connection broke before the answer."""

    processed = True


class SilenceBySimulator(NoReply):
    """No answer comes within ``seconds``, then the connection closes.

    ``late`` names the request that waits to be processed after that time; None when none does.
    """

    def __init__(self, seconds: float, *, processed: bool, late: int | None = None) -> None:
        super().__init__(f"silent for {seconds} s")
        self.seconds = seconds
        self.processed = processed
        self.late = late


def date_header(now: datetime) -> str:
    """The moment as an HTTP Date header. ``now`` is aware, in UTC."""
    return format_datetime(now, usegmt=True)
