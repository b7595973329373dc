"""Health and readiness."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.common import AnswerModel


class HealthAnswer(AnswerModel):
    """The process answers."""

    status: Literal["ok"] = Field(description="Always `ok`.", examples=["ok"])


class CheckAnswer(AnswerModel):
    """One thing that readiness needs."""

    name: str = Field(description="What was looked at.", examples=["database"])
    ok: bool = Field(description="Whether it is well.", examples=[True])
    detail: str | None = Field(
        description="What is wrong.", examples=["the database does not answer"]
    )


class ReadyAnswer(AnswerModel):
    """Whether requests can be served."""

    ready: bool = Field(description="Whether all is well.", examples=[True])
    checks: list[CheckAnswer] = Field(
        description="Each thing that was looked at.",
        examples=[[{"name": "database", "ok": True, "detail": None}]],
    )
