"""Hands raised alarms to the operator, each once."""

from __future__ import annotations

import threading

import structlog

from infra.bootstrap import Engine
from infra.operator_channel import AlarmDesk, channels_of
from infra.postgres import connect
from infra.settings import Settings
from infra.telemetry import ALARMS_DELIVERED
from projections.alarms import AlarmsView

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 2.0
_RETRY_SECONDS = 30.0


def deliver_alarms(settings: Settings, engine: Engine, stop: threading.Event) -> None:
    """Deliver alarms until told to stop; without a channel there is nothing to do."""
    channels = channels_of(settings)
    if not channels:
        log.info("no alarm channel is set; alarms are shown by the API only")
        return
    with AlarmDesk(channels, AlarmsView(engine.store.pool)) as desk:
        pause = 0.0
        while not stop.wait(pause):
            try:
                with connect(engine.dsn, name="alarms") as connection:
                    told = desk.deliver(connection, now=engine.clock.now())
                ALARMS_DELIVERED.inc(told)
                pause = _LOOK_SECONDS
            except Exception:
                log.exception("alarms cannot be delivered")
                pause = _RETRY_SECONDS
