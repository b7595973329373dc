"""Alarms to the people who look after the system, through every channel, each alarm once.

What was told is recorded where the alarms are, so neither a restart nor a rebuilt read model repeats it; only a
crash between sending and recording can, and then the receiver knows it by the alarm's id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

import structlog

from infra.alarm_channels import Alarm, Channel, DeliveryFailed, EmailChannel, WebhookChannel
from infra.postgres import Connection
from infra.settings import Settings

_MOST_AT_ONCE = 100
_DESK_LOCK = 6_514_921_730_184_179

_log = structlog.get_logger(__name__)


class RaisedAlarm(Protocol):
    """An alarm as its read model has it."""

    @property
    def alarm_id(self) -> UUID:
        """Stays the same when the read model is made again."""

    @property
    def kind(self) -> str:
        """What happened, as a stable word."""

    @property
    def register_fiscal_number(self) -> str:
        """The register."""

    @property
    def raised_at(self) -> datetime:
        """When."""

    @property
    def reason(self) -> str:
        """Why, as a stable word."""

    @property
    def server_code(self) -> int | None:
        """The tax service's code."""

    @property
    def server_text(self) -> str | None:
        """Its own words."""

    @property
    def differences(self) -> tuple[str, ...]:
        """What the tax service counts otherwise."""


class Outbox(Protocol):
    """Alarms by channel that were not told yet; `projections.alarms.AlarmsView` is one."""

    def undelivered(self, *, channel: str, limit: int = 100) -> Sequence[RaisedAlarm]:
        """Return alarms that this channel has not delivered, oldest first."""
        ...

    def record_delivery(self, alarm_id: UUID, *, channel: str, at: datetime) -> bool:
        """Record that a channel delivered an alarm; False when it had done so before."""
        ...


class AlarmDesk:
    """Tells alarms through all channels; what fails is told at a later round."""

    def __init__(self, channels: Sequence[Channel], outbox: Outbox) -> None:
        self._channels = tuple(channels)
        self._outbox = outbox

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for channel in self._channels:
            channel.close()

    def deliver(self, connection: Connection, *, now: datetime) -> int:
        """Tell what was not told yet; return how many deliveries succeeded.

        Of several processes only one tells at a time: a lock on `connection`'s session keeps the others out, and they
        return 0 at once.
        """
        if not self._channels:
            return 0
        if connection.execute("SELECT pg_try_advisory_lock(%s)", [_DESK_LOCK]).fetchone() != (
            True,
        ):
            return 0
        try:
            return sum(self._deliver_through(channel, now=now) for channel in self._channels)
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", [_DESK_LOCK])

    def _deliver_through(self, channel: Channel, *, now: datetime) -> int:
        told = 0
        for raised in self._outbox.undelivered(channel=channel.name, limit=_MOST_AT_ONCE):
            try:
                channel.send(alarm_of(raised))
            except DeliveryFailed as failure:
                _log.warning(
                    "alarm-not-delivered",
                    alarm_id=str(raised.alarm_id),
                    channel=channel.name,
                    failure=str(failure),
                )
                if failure.for_all:
                    break
                continue
            self._outbox.record_delivery(raised.alarm_id, channel=channel.name, at=now)
            told += 1
        return told


def channels_of(settings: Settings) -> tuple[Channel, ...]:
    """Return the channels that the settings name; none is a valid choice."""
    channels: list[Channel] = []
    if settings.alarm_email_to and settings.smtp_host is not None:
        password = settings.smtp_password
        channels.append(
            EmailChannel(
                host=settings.smtp_host,
                port=settings.smtp_port,
                sender=settings.alarm_email_from,
                recipients=settings.alarm_email_to,
                user=settings.smtp_user,
                password=None if password is None else password.get_secret_value(),
                starttls=settings.smtp_starttls,
            )
        )
    if settings.alarm_webhook_url is not None and settings.alarm_webhook_secret is not None:
        secret = settings.alarm_webhook_secret.get_secret_value().encode()
        channels.append(WebhookChannel(url=settings.alarm_webhook_url, secret=secret))
    return tuple(channels)


# --- words -------------------------------------------------------------------------------------------------

_TEXTS: Mapping[str, tuple[str, str]] = {
    "lane-parked": (
        "Документи каси зупинено: {reason}{server}.",
        "Усуньте названу причину, потім дозвольте касі працювати далі (POST /v1/registers/…/lane/resume).",
    ),
    "z-report-differs": (
        "Підсумки Z-звіту відрізняються від підсумків податкової служби: {differences}.",
        "Порівняйте звіт зміни з кабінетом платника (GET /v1/z-reports?differing=true).",
    ),
}
_OTHERS = ("{kind}: {reason}{server}.", "Перегляньте тривоги (GET /v1/alarms).")


def alarm_of(raised: RaisedAlarm) -> Alarm:
    """Return an alarm in words, which people read in Ukrainian."""
    text, next_step = _TEXTS.get(raised.kind, _OTHERS)
    server = (
        "" if raised.server_code is None else f" (код {raised.server_code}: {raised.server_text})"
    )
    differences = ", ".join(raised.differences)
    facts: dict[str, str | int | None] = {"reason": raised.reason}
    if raised.server_code is not None:
        facts |= {"server_code": raised.server_code, "server_text": raised.server_text}
    if differences:
        facts["differences"] = differences
    return Alarm(
        alarm_id=raised.alarm_id,
        code=str(raised.kind),
        raised_at=raised.raised_at,
        text=text.format(
            kind=raised.kind, reason=raised.reason, server=server, differences=differences
        ),
        next_step=next_step,
        register=raised.register_fiscal_number,
        facts=facts,
    )
