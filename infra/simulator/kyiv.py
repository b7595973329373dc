"""Kyiv time: the only zone of the protocol, whose documents state their time without one."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

KYIV: Final = ZoneInfo("Europe/Kyiv")


def moment_of(local: datetime) -> datetime:
    """The moment a document's local time means, aware, in UTC; of the repeated October hour the first."""
    return local.replace(tzinfo=KYIV, fold=0).astimezone(UTC)
