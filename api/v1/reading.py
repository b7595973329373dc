"""What endpoints of the structure share: a thing as it stands now, and where it is found."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from api.routing import CallContext
from domain.aggregate import Aggregate
from domain.identifiers import shard_of

AnyAggregate = TypeVar("AnyAggregate", bound=Aggregate)


async def read_now(call: CallContext, kind: type[AnyAggregate], stream_id: UUID) -> AnyAggregate:
    """Return a thing as it stands now, not as a read model shows it. Raises: NotFound."""
    return await call.parts.in_thread(
        call.parts.store.read, kind, stream_id, shard=shard_of(stream_id)
    )


def location(resource: str, resource_id: UUID) -> dict[str, str]:
    """Return the header that says where a new thing is found."""
    return {"Location": f"/v1/{resource}/{resource_id}"}
