"""Lanes: what is on its way, why it waits, and letting a stopped one go on."""

from __future__ import annotations

from uuid import UUID

from api.auth import Right
from api.routing import Call, CallContext, Endpoints
from api.schemas.common import RegisterId
from api.schemas.lanes import LaneAnswer, ResumeBody
from domain.errors import LaneNotParked
from domain.identifiers import shard_of
from domain.register.aggregate import Register

lanes = Endpoints(tag="Lanes", description="A register's documents, strictly one after another.")


@lanes.add(
    "GET",
    "/v1/registers/{register_id}/lane",
    right=Right.READ,
    answer=LaneAnswer,
    summary="Read a register's lane",
)
async def read_lane(call: Call, register_id: RegisterId) -> LaneAnswer:
    """Return what is on its way, what waits behind it, and why."""
    return await _lane(call, register_id)


@lanes.add(
    "POST",
    "/v1/registers/{register_id}/lane/resume",
    right=Right.OPERATE,
    answer=LaneAnswer,
    summary="Let a stopped lane go on",
    refuses=(LaneNotParked,),
)
async def resume_lane(call: Call, register_id: RegisterId, body: ResumeBody) -> LaneAnswer:
    """Lift the stop, once the cause it names is gone. The register's state is read from the tax service first."""
    await call.parts.in_thread(
        call.parts.ledger.resume_lane,
        register_id=register_id,
        by=call.the_caller.name,
        reason=body.reason,
        command=call.the_command,
    )
    return await _lane(call, register_id)


async def _lane(call: CallContext, register_id: UUID) -> LaneAnswer:
    register = await call.parts.in_thread(
        call.parts.store.read, Register, register_id, shard=shard_of(register_id)
    )
    status = await call.parts.from_view(call.parts.lanes.of, register_id)
    return LaneAnswer.of(register, status)
