"""Alarms: what a person has to look at."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas.common import AnswerModel, Id
from projections.alarms import AlarmKind, AlarmRow

_ID = "7e5a0000-0b1c-4d2e-8f30-a1b2c3d401f7"


class AlarmAnswer(AnswerModel):
    """One alarm."""

    alarm_id: Id = Field(description="Its id.", examples=[_ID])
    kind: AlarmKind = Field(description="What happened.", examples=["lane-parked"])
    register_id: Id = Field(description="Where.", examples=[_ID])
    register_fiscal_number: str = Field(description="The register.", examples=["4000777001"])
    business_unit_id: Id = Field(description="Its business unit.", examples=[_ID])
    company_id: Id = Field(description="Its company.", examples=[_ID])
    shift_id: UUID | None = Field(description="In which shift.", examples=[_ID])
    raised_at: datetime = Field(description="When.", examples=["2026-11-05T08:15:04Z"])
    reason: str = Field(description="Why, as a stable word.", examples=["server-code-1"])
    server_code: int | None = Field(description="The tax service's code.", examples=[1])
    server_text: str | None = Field(
        description="Its own words.", examples=["ПРРО не зареєстрований"]
    )
    differences: list[str] = Field(
        description="What the tax service counts otherwise.", examples=[["sales.total"]]
    )
    resolved_at: datetime | None = Field(
        description="When it was over.", examples=["2026-11-05T09:00:00Z"]
    )
    resolved_by: str | None = Field(description="Who ended it.", examples=["administrator"])
    resolution: str | None = Field(
        description="What was done.", examples=["Касу розблоковано в кабінеті платника"]
    )

    @classmethod
    def of(cls, row: AlarmRow) -> AlarmAnswer:
        """Return the answer about an alarm."""
        return cls(
            alarm_id=row.alarm_id,
            kind=row.kind,
            register_id=row.register_id,
            register_fiscal_number=row.register_fiscal_number,
            business_unit_id=row.business_unit_id,
            company_id=row.company_id,
            shift_id=row.shift_id,
            raised_at=row.raised_at,
            reason=row.reason,
            server_code=row.server_code,
            server_text=row.server_text,
            differences=list(row.differences),
            resolved_at=row.resolved_at,
            resolved_by=row.resolved_by,
            resolution=row.resolution,
        )
