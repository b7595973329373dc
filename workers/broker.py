"""The message broker and its only kind of message: "look at this register's lane".

The queue only wakes. Truth and order live in the lanes, so a lost message costs one sweep and a doubled one a look.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import dramatiq
import structlog
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import ShutdownNotifications

log = structlog.get_logger(__name__)

ACTOR = "submit_lane"


def make_broker(url: str | None) -> dramatiq.Broker:
    """Return the in-process broker, or RabbitMQ at an `amqp://` address.

    Retries are the lanes' business (back-off, reason, alarm), so the broker repeats nothing by itself.
    """
    middleware: list[dramatiq.Middleware] = [ShutdownNotifications(notify_shutdown=False)]
    if url is None:
        return StubBroker(middleware=middleware)
    return RabbitmqBroker(url=url, middleware=middleware, confirm_delivery=True)


def declare_submit_lane(
    broker: dramatiq.Broker, work: Callable[[UUID], int], *, queue: str
) -> dramatiq.Actor[[str], None]:
    """Declare the actor that works a register's lane; it takes the register's id as text."""

    def submit_lane(register_id: str) -> None:
        try:
            work(UUID(register_id))
        except Exception:
            # The lane was given back with the reason and comes up again; a message in a dead-letter
            # queue would tell nobody anything more.
            log.exception("lane failed", register_id=register_id)

    return dramatiq.actor(actor_name=ACTOR, queue_name=queue, broker=broker)(submit_lane)
