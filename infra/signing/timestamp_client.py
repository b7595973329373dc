"""Asking time-stamp authorities over HTTP: a list of them, tried in order."""

import secrets
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final

import httpx

from domain.errors import Unreachable
from infra.posting import Poster
from infra.signing import cms
from infra.signing.errors import SignatureInvalid
from infra.signing.suites import SUITES, SuiteRegistry
from infra.signing.timestamp import build_request, token_of_response, verify_token
from infra.signing.trust import TrustAnchors

_MAX_ANSWER: Final = 64 * 1024
_HEADERS: Final = {
    "Content-Type": "application/timestamp-query",
    "Accept": "application/timestamp-reply",
}


class TsaClient:
    """Stamps signed messages at the first authority of a list that gives a good token.

    One that failed is asked last for ``rest_seconds``, so that a dead first choice does not cost
    its timeout with every document. Safe to share between threads.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        timeout_seconds: float,
        connect_timeout_seconds: float,
        trust: TrustAnchors | None,
        rest_seconds: float = 30.0,
        suites: SuiteRegistry = SUITES,
    ) -> None:
        if not urls:
            raise ValueError("at least one time-stamp authority is needed")
        self._urls = tuple(urls)
        self._trust = trust
        self._suites = suites
        self._rest_seconds = rest_seconds
        self._resting_until = dict.fromkeys(self._urls, 0.0)
        self._poster = Poster(
            connect_timeout_seconds=connect_timeout_seconds,
            answer_timeout_seconds=timeout_seconds,
            most_answer_bytes=_MAX_ANSWER,
        )

    def __enter__(self) -> "TsaClient":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._poster.close()

    def stamp(self, signed: bytes) -> bytes:
        """The signed message with a verified signature time-stamp added.

        Raises: Unreachable, not sent, naming what each authority did; SignatureInvalid when
        ``signed`` itself is not a signed message of one signer.
        """
        message = cms.parse(signed)
        signer = message.signer
        suite = self._suites.by_signature(signer.signature_oid)
        failures: list[str] = []
        for url in self._in_order():
            nonce = secrets.randbits(63)
            try:
                request = build_request(signer.signature, suite=suite, nonce=nonce)
                token = token_of_response(self._post(url, request))
                verify_token(
                    token,
                    signature=signer.signature,
                    trust=self._trust,
                    nonce=nonce,
                    suites=self._suites,
                )
            except (httpx.HTTPError, SignatureInvalid) as error:
                self._resting_until[url] = time.monotonic() + self._rest_seconds
                failures.append(f"{url}: {str(error) or type(error).__name__}")
                continue
            self._resting_until[url] = 0.0
            return cms.with_timestamp(signed, token)
        raise Unreachable(reason=f"no time-stamp ({'; '.join(failures)})", sent=False)

    def _in_order(self) -> list[str]:
        """The given order, those that failed lately last."""
        now = time.monotonic()
        return sorted(self._urls, key=lambda url: self._resting_until[url] > now)

    def _post(self, url: str, request: bytes) -> bytes:
        answer = self._poster.post(url, request, headers=_HEADERS)
        if not 200 <= answer.status < 300:
            raise httpx.HTTPError(f"it answers with status {answer.status}")
        return answer.body
