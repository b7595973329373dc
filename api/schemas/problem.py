"""The answer to everything that did not work."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.schemas.common import AnswerModel


class FieldProblem(AnswerModel):
    """One wrong field."""

    code: str = Field(description="Stable name.", examples=["invalid-field"])
    field: str | None = Field(
        description="Path in the request.", examples=["lines.2.price_kopecks"]
    )
    detail: str = Field(
        description="What is wrong.",
        examples=["The field lines.2.price_kopecks must be 0 or more."],
    )


class Problem(AnswerModel):
    """RFC 9457 problem details. Rely on `code`; the sentences may be worded anew."""

    type: str = Field(
        description="URI that names the problem.",
        examples=["urn:fiscal-ledger:problem:no-open-shift"],
    )
    title: str = Field(description="The code in words.", examples=["No open shift"])
    status: int = Field(description="The HTTP status.", examples=[409])
    detail: str = Field(
        description="What is wrong here.", examples=["This register has no open shift."]
    )
    code: str = Field(description="Stable name, kebab-case.", examples=["no-open-shift"])
    field: str | None = Field(
        description="The input it speaks of, as a path in the request.", examples=["register_id"]
    )
    retryable: bool = Field(
        description="Whether the same request may succeed later.", examples=[False]
    )
    next_step: str = Field(
        description="What to do now.",
        examples=["Open a shift, or let the register open it with the first sale (setting)."],
    )
    facts: dict[str, Any] = Field(
        description="The values behind the sentence.", examples=[{"shift_number": 12}]
    )
    instance: str | None = Field(
        default=None,
        description="This request, as the log knows it.",
        examples=["urn:fiscal-ledger:request:k3f9-1a2b"],
    )
    server_code: int | None = Field(
        default=None, description="The tax service's code.", examples=[9]
    )
    server_text: str | None = Field(
        default=None,
        description="The tax service's own words.",
        examples=["Документ не пройшов перевірку"],
    )
    errors: list[FieldProblem] = Field(
        default=[],
        description="All wrong fields, when there are several.",
        examples=[
            [{"code": "missing-field", "field": "lines", "detail": "The field lines is required."}]
        ],
    )
