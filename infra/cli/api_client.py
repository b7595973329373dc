"""Our own API as any client uses it."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from infra.cli.console import Problem

_SECONDS = 10.0
WAIT_SECONDS = 20


class ApiClient:
    """Calls the API with a token; a refusal becomes a Problem with the API's own words."""

    def __init__(self, base_url: str, *, token: str) -> None:
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(_SECONDS, read=_SECONDS + WAIT_SECONDS),
            # A proxy of the environment is not for this machine.
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str) -> dict[str, Any]:
        """Return the answer to a GET. Raises: Problem."""
        return self._ask("GET", path)

    def items(self, path: str) -> list[dict[str, Any]]:
        """Return all rows of a list, page after page. Raises: Problem."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self.get(f"{path}?limit=500{after}")
            found += page["items"]
            if page["next"] is None:
                return found
            after = f"&after={page['next']}"

    def post(
        self, path: str, body: Mapping[str, Any], *, key: str, wait: bool = False
    ) -> dict[str, Any]:
        """Return the answer to a POST under an idempotency key; `wait` holds it until the outcome.

        Raises: Problem.
        """
        headers = {"Idempotency-Key": key}
        if wait:
            headers["Prefer"] = f"wait={WAIT_SECONDS}"
        return self._ask("POST", path, json=dict(body), headers=headers)

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, **more)
        except httpx.TransportError as error:
            raise Problem(
                f"The API does not answer: {str(error) or type(error).__name__}."
            ) from error
        if not answer.is_success:
            raise _refusal(method, path, answer)
        content: dict[str, Any] = answer.json()
        return content


def _refusal(method: str, path: str, answer: httpx.Response) -> Problem:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    detail = problem.get("detail") or answer.reason_phrase
    return Problem(
        f"{method} {path}: {answer.status_code} {detail}", next_step=problem.get("next_step")
    )
