"""The two ways to a person: a signed webhook and a letter. Each sends one alarm or says that it could not."""

from __future__ import annotations

import hashlib
import hmac
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import ClassVar, Protocol
from uuid import UUID

import httpx
import orjson
import stamina

SIGNATURE_HEADER = "Fiscal-Signature"
SIGNATURE_TOLERANCE = timedelta(minutes=5)
"""A receiver refuses an older signature, so that a recorded request cannot be played again later."""

_TIMEOUT_SECONDS = 10.0
_TRIES_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something a person must look at. `text` says what, `next_step` what to do; `facts` are its values."""

    alarm_id: UUID
    code: str
    raised_at: datetime
    text: str
    next_step: str
    register: str | None = None
    facts: Mapping[str, str | int | None] = field(default_factory=dict)


class DeliveryFailed(Exception):
    """The channel did not take the alarm. `for_all`: the channel is away, so it takes no other one either."""

    def __init__(self, failure: str, *, for_all: bool = True) -> None:
        super().__init__(failure)
        self.for_all = for_all


class Channel(Protocol):
    """A way to a person."""

    name: ClassVar[str]

    def send(self, alarm: Alarm) -> None:
        """Hand one alarm over. Blocks. Raises: DeliveryFailed."""
        ...

    def close(self) -> None:
        """Let connections go."""
        ...


# --- webhook -------------------------------------------------------------------------------------------------


class _TryAgain(Exception):
    """The receiver may take the same request in a moment."""


class WebhookChannel:
    """POSTs each alarm as JSON, signed with HMAC-SHA-256 under a shared secret.

    Header `Fiscal-Signature: t=SECONDS,v1=HEX`; HEX is the HMAC of `SECONDS`, a dot and the body's bytes. The alarm's
    id travels in the body and as `Idempotency-Key`.
    """

    name: ClassVar[str] = "webhook"

    def __init__(
        self,
        *,
        url: str,
        secret: bytes,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        timeout_seconds: float = _TIMEOUT_SECONDS,
        pause_seconds: float = 0.5,
    ) -> None:
        """Nothing is sent yet; `pause_seconds` is the first pause between tries."""
        self._url = url
        self._secret = secret
        self._now = now
        self._pause_seconds = pause_seconds
        self._client = httpx.Client(timeout=timeout_seconds, follow_redirects=False)

    def send(self, alarm: Alarm) -> None:
        """POST an alarm; what may pass by itself is tried again at once, with pauses. Raises: DeliveryFailed."""
        body = orjson.dumps(_as_json(alarm))
        try:
            for attempt in stamina.retry_context(
                on=(_TryAgain, httpx.TransportError),
                attempts=_TRIES_AT_ONCE,
                wait_initial=self._pause_seconds,
                wait_jitter=self._pause_seconds / 2,
                timeout=None,
            ):
                with attempt:
                    self._post(alarm, body)
        except httpx.HTTPError as error:
            raise DeliveryFailed(f"webhook: {type(error).__name__}") from error
        except _TryAgain as error:
            raise DeliveryFailed(f"webhook: {error}") from error

    def close(self) -> None:
        """Let connections go."""
        self._client.close()

    def _post(self, alarm: Alarm, body: bytes) -> None:
        response = self._client.post(
            self._url,
            content=body,
            headers={
                "Content-Type": "application/json",
                "Idempotency-Key": str(alarm.alarm_id),
                SIGNATURE_HEADER: signature(self._secret, body, at=self._now()),
            },
        )
        if response.status_code in (408, 425, 429) or response.status_code >= 500:
            raise _TryAgain(f"the receiver answered {response.status_code}")
        if not response.is_success:
            raise DeliveryFailed(
                f"webhook: the receiver answered {response.status_code}", for_all=False
            )


def signature(secret: bytes, body: bytes, *, at: datetime) -> str:
    """Return the signature header of a body sent at a time."""
    seconds = int(at.timestamp())
    digest = hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def signature_holds(secret: bytes, body: bytes, header: str, *, now: datetime) -> bool:
    """Return whether a signature header belongs to a body and is fresh; what a receiver does."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    seconds = parts.get("t", "")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 12):
        return False
    at = datetime.fromtimestamp(int(seconds), UTC)
    if abs(now - at) > SIGNATURE_TOLERANCE:
        return False
    return hmac.compare_digest(header.encode(), signature(secret, body, at=at).encode())


def _as_json(alarm: Alarm) -> dict[str, object]:
    return {
        "alarm_id": str(alarm.alarm_id),
        "code": alarm.code,
        "raised_at": alarm.raised_at,
        "text": alarm.text,
        "next_step": alarm.next_step,
        "register": alarm.register,
        "facts": dict(alarm.facts),
    }


# --- e-mail --------------------------------------------------------------------------------------------------


class EmailChannel:
    """Sends each alarm as a plain letter in Ukrainian. A connection is made for each."""

    name: ClassVar[str] = "email"

    def __init__(
        self,
        *,
        host: str,
        port: int,
        sender: str,
        recipients: Sequence[str],
        user: str | None = None,
        password: str | None = None,
        starttls: bool = True,
        tls: ssl.SSLContext | None = None,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        """Nothing is sent yet; without `tls` the system's trusted authorities decide."""
        self._host, self._port = host, port
        self._sender, self._recipients = sender, tuple(recipients)
        self._user, self._password = user, password
        self._tls = (tls or ssl.create_default_context()) if starttls else None
        self._timeout_seconds = timeout_seconds

    def send(self, alarm: Alarm) -> None:
        """Send an alarm to all recipients. Raises: DeliveryFailed."""
        try:
            with self._connection() as smtp:
                refused = smtp.send_message(self.letter(alarm))
        except (OSError, smtplib.SMTPException) as error:
            # Nothing of the exchange goes into the text: it may name users.
            raise DeliveryFailed(f"email: {type(error).__name__}") from error
        if refused:
            raise DeliveryFailed(f"email: {len(refused)} recipients were refused", for_all=False)

    def close(self) -> None:
        """Nothing is kept open."""

    def letter(self, alarm: Alarm) -> EmailMessage:
        """Return the letter; the same alarm has the same Message-ID, by which mail programs know a repetition."""
        letter = EmailMessage()
        where = f"каса {alarm.register}: " if alarm.register else ""
        letter["Subject"] = _one_line(f"Fiscal Ledger: {where}{alarm.text}")[:200]
        letter["From"] = self._sender
        letter["To"] = ", ".join(self._recipients)
        letter["Date"] = alarm.raised_at
        letter["Message-ID"] = f"<{alarm.alarm_id}@fiscal-ledger.invalid>"
        letter["Auto-Submitted"] = "auto-generated"
        facts = "".join(f"  {name}: {value}\n" for name, value in alarm.facts.items())
        letter.set_content(
            f"{alarm.text}\n\n"
            f"Що зробити: {alarm.next_step}\n\n"
            f"Код: {alarm.code}\n"
            f"Час: {alarm.raised_at.isoformat(timespec='seconds')}\n"
            + (f"Каса: {alarm.register}\n" if alarm.register else "")
            + (f"Дані:\n{facts}" if facts else "")
        )
        return letter

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        with smtplib.SMTP(self._host, self._port, timeout=self._timeout_seconds) as smtp:
            if self._tls is not None:
                smtp.starttls(context=self._tls)
            if self._user is not None:
                smtp.login(self._user, self._password or "")
            yield smtp


def _one_line(text: str) -> str:
    return " ".join(text.split())
