"""Every setting of every part, read once where a process starts and passed down.

Each comes from the environment as `FISCAL_` and its name in capitals; lists are JSON. `python -m
infra.settings` prints the table that docs/settings.md keeps.
"""

import hashlib
import os
import tempfile
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AnyHttpUrl, Field, SecretStr, TypeAdapter, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.money import Ties
from domain.readings import PartPaymentSum, ReturnRounding, Surcharges

# The system ends a unix socket's path at 104 (macOS) or 108 bytes.
LONGEST_SOCKET_PATH = 100
_HTTP_URL = TypeAdapter(AnyHttpUrl)


def _without_last_slash(url: str) -> str:
    _HTTP_URL.validate_python(url)
    return url.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_without_last_slash)]
Seconds = Annotated[float, Field(gt=0)]


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _signer_socket(data: dict[str, Any]) -> Path:
    data_dir: Path = data["data_dir"]
    beside = data_dir / "signer" / "agent.sock"
    if len(os.fsencode(beside)) <= LONGEST_SOCKET_PATH:
        return beside
    # Every process must find the same place, so the name comes from the data folder. Whoever opens it
    # checks that the folder is their own and closed to others.
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"fiscal-{os.getuid()}-{digest}" / "agent.sock"


# Each section opens with the field named here; docs/settings.md gets its headings from it.
_SECTIONS = {
    "data_dir": "Where things are kept",
    "api_host": "The API",
    "fiscal_server_url": "The tax service",
    "part_payment_checked_sum": "What the protocol leaves open",
    "close_shifts_by_themselves": "Shifts",
    "connect_timeout_seconds": "How long to wait for it",
    "worker_threads": "Lanes and workers",
    "lease_seconds": "Leases and retries",
    "alarm_webhook_url": "Alarms",
    "log_level": "Logs",
}


class Settings(BaseSettings):
    """The settings of one process; frozen."""

    model_config = SettingsConfigDict(
        env_prefix="FISCAL_",
        env_file=None,
        env_ignore_empty=True,
        frozen=True,
        # Variables that are nobody's setting (FISCAL_SHARED of the tests) are not ours to judge.
        extra="ignore",
        validate_default=True,
    )

    # --- where things are kept --------------------------------------------------------------------

    data_dir: Annotated[Path, AfterValidator(_absolute)] = Field(
        default=Path(".fiscal"),
        description="Folder of the private database, the signing agent's socket and the master key.",
    )
    database_dsn: SecretStr | None = Field(
        default=None,
        description="PostgreSQL to use, as a URL or `name=value` pairs. Empty: a private one is "
        "started in the data folder.",
    )
    database_pool_size: int = Field(
        default=8, ge=2, le=500, description="Most connections that one process keeps open."
    )
    broker_url: SecretStr | None = Field(
        default=None,
        description="RabbitMQ to wake workers through (`amqp://…`). Empty: PostgreSQL wakes them.",
    )
    broker_queue: str = Field(
        default="fiscal-lanes",
        pattern=r"^[A-Za-z0-9._-]{1,80}$",
        description="Queue at RabbitMQ; deployments that share one need queues of their own.",
    )
    signer_socket: Path = Field(
        default_factory=_signer_socket,
        description="Unix socket of the signing agent. Empty: in a 0700 folder of the data folder or, "
        "where that path is too long for a socket, of the system's temporary folder.",
    )

    # --- the API ----------------------------------------------------------------------------------

    api_host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    api_port: int = Field(default=8080, ge=0, le=65535, description="Port the API listens on.")
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of the worker's and projector's metrics on 127.0.0.1; 0: none.",
    )
    longest_wait_seconds: Seconds = Field(
        default=60.0, description="Most that `Prefer: wait=N` may ask for."
    )
    largest_body_bytes: int = Field(
        default=2_000_000, ge=1_000, description="Longer request bodies are refused unread."
    )
    api_threads: int = Field(
        default=40,
        ge=1,
        le=500,
        description="Use cases that one API process carries out at once; each waits for its commit.",
    )
    api_view_threads: int = Field(
        default=8,
        ge=1,
        le=100,
        description="Lists and searches that one API process reads at once.",
    )
    most_held_calls: int = Field(
        default=2_000,
        ge=0,
        description="Calls held by `Prefer: wait`; more are answered at once.",
    )
    most_event_streams: int = Field(
        default=100, ge=0, description="Event streams that one API process keeps open."
    )
    remember_tokens_seconds: Seconds = Field(
        default=10.0, description="How long a revoked token may still work."
    )
    metrics_need_token: bool = Field(
        default=False, description="Whether the API shows its metrics to token holders only."
    )
    own_write_seconds: Seconds = Field(
        default=5.0,
        description="Most that a read with `at_least` waits for its read model to show the write.",
    )
    stop_within_seconds: Seconds = Field(
        default=15.0, description="Most that a stopping API waits for the requests under way."
    )
    qr_with_seconds: bool = Field(
        default=False,
        description="Write the time in QR codes as HHMMSS; false: HHMM, as the tax service's notice says.",
    )

    # --- the tax service --------------------------------------------------------------------------

    fiscal_server_url: HttpUrl = Field(
        default="https://fs.tax.gov.ua:8643/fs",
        description="The tax service's fiscal server, with the path before `/doc`.",
    )
    simulator_url: HttpUrl | None = Field(
        default=None,
        description="A simulator to use in place of the tax service and the time-stamp authority.",
    )
    tsa_urls: tuple[HttpUrl, ...] = Field(
        default=("http://acskidd.gov.ua/services/tsp/",),
        min_length=1,
        description="Time-stamp authorities, tried in this order.",
    )

    trust_dir: Path = Field(
        default_factory=lambda data: data["data_dir"] / "trust",
        description="Folder of certificates (.cer, .crt, .pem, .p7b) that tickets and time-stamps must "
        "lead to. Empty: `trust` in the data folder. Without any certificate in it only the signatures "
        "themselves are checked, and `fiscal doctor` says so.",
    )
    ticket_signer_code: str | None = Field(
        default=None,
        description="ЄДРПОУ that the certificate of a ticket's signer must carry. Empty: any.",
    )

    # --- what the protocol leaves open ------------------------------------------------------------

    part_payment_checked_sum: PartPaymentSum = Field(
        default=PartPaymentSum.FULL,
        description="Sum in the QR code of a part payment: `full` price, because CHECKTOTAL/SUM is that, or `paid` "
        "(question 12 of the protocol reference).",
    )
    part_payment_counted_sum: PartPaymentSum = Field(
        default=PartPaymentSum.PAID,
        description="What a shift's totals count of a part payment: what is `paid`, because the payment forms beside "
        "it add up to that, or the `full` price (question 25).",
    )
    surcharges: Surcharges = Field(
        default=Surcharges.NEGATIVE_DISCOUNT,
        description="A surcharge is written as a `negative-discount`, because the schema's type allows the minus and "
        "nothing else tells the two apart, or `refused` until the tax service has said more (question 14).",
    )
    storno_keeps_count: bool = Field(
        default=False,
        description="Whether a receipt that a storno took back stays in a shift's count of receipts, without its sum; it "
        "leaves both, the natural reading of a storno (question 15).",
    )
    half_kopeck_of_tax: Ties = Field(
        default=Ties.UP,
        description="Where exactly half a kopeck of tax goes: `up`, as in the worked examples, `down`, or to the "
        "`even` kopeck (question 26).",
    )
    settlement_row_of_nothing: bool = Field(
        default=False,
        description="Write a payment of 0.00 in a final settlement with nothing left to pay; the schema asks for none "
        "(question 27).",
    )
    return_rounding: ReturnRounding = Field(
        default=ReturnRounding.AS_IN_SALES,
        description="Sign of the rounding in returns: `as-in-sales`, because the schema's remark gives one formula, or "
        "the `opposite`, as the money goes the other way (question 28).",
    )

    # --- shifts -----------------------------------------------------------------------------------

    close_shifts_by_themselves: bool = Field(
        default=True,
        description="Whether a shift that is still open at the set time is closed: Z-report and closing document.",
    )
    close_shifts_at: time = Field(
        default=time(23, 50),
        description="That time, by Kyiv clocks. A day with settlements has its Z-report before midnight; the rest of it "
        "is for what still waits.",
    )

    # --- how long to wait for it ------------------------------------------------------------------

    connect_timeout_seconds: Seconds = Field(
        default=3.0, description="Most to wait for a connection to the tax service."
    )
    answer_timeout_seconds: Seconds = Field(
        default=15.0,
        description="A document sent and silent for so long has an unknown outcome: the service is "
        "asked for it by local number.",
    )
    state_check_seconds: Seconds = Field(
        default=300.0,
        description="How often the register's state is read from the tax service during a shift.",
    )
    most_clock_skew_seconds: Seconds = Field(
        default=300.0,
        description="With a larger difference to the tax service's clock nothing is sent: it refuses "
        "documents whose time is not its own. The lane names the reason.",
    )
    stale_after_seconds: Seconds = Field(
        default=240.0,
        description="A signed document that certainly never arrived is signed anew, with the present "
        "time, when it is older.",
    )

    # --- lanes and workers ------------------------------------------------------------------------

    worker_threads: int = Field(
        default=32, ge=1, le=256, description="Documents submitted at the same time by one worker."
    )
    documents_per_claim: int = Field(
        default=10,
        ge=1,
        le=100,
        description="Documents of one register that a worker submits before it lets the lane go.",
    )
    sweep_seconds: Seconds = Field(
        default=2.0, description="How often lanes that are due but were not woken are looked for."
    )
    projection_page_events: int = Field(
        default=2_000, ge=1, le=20_000, description="Events that a projector writes at once."
    )
    snapshot_every_events: int = Field(
        default=200, ge=10, description="Events after which a long stream gets a snapshot."
    )
    cached_aggregates: int = Field(
        default=5_000, ge=10, description="Aggregates that one process keeps in memory."
    )

    # --- leases and retries -----------------------------------------------------------------------

    lease_seconds: Seconds = Field(
        default=60.0,
        description="How long a worker holds a lane without a sign of life; longer than all waiting "
        "for one document.",
    )
    retry_first_seconds: Seconds = Field(
        default=1.0, description="Pause before the first repetition of what failed for a while."
    )
    retry_longest_seconds: Seconds = Field(
        default=300.0, description="The pauses double up to this one."
    )

    # --- alarms -----------------------------------------------------------------------------------

    alarm_webhook_url: HttpUrl | None = Field(
        default=None, description="Address that gets each alarm as signed JSON."
    )
    alarm_webhook_secret: SecretStr | None = Field(
        default=None, description="Key of the webhook's HMAC-SHA-256 signature."
    )
    alarm_email_to: tuple[str, ...] = Field(
        default=(), description="Addresses that get each alarm by e-mail."
    )
    smtp_host: str | None = Field(default=None, description="Mail server for alarms.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    smtp_user: str | None = Field(default=None, description="User to sign in to it as.")
    smtp_password: SecretStr | None = Field(default=None, description="That user's password.")
    smtp_starttls: bool = Field(
        default=True, description="Refuse a mail server that does not encrypt."
    )
    alarm_email_from: str = Field(
        default="fiscal-ledger@localhost", description="Sender of the alarms."
    )

    # --- logs -------------------------------------------------------------------------------------

    log_level: str = Field(
        default="INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="Least level that is written: DEBUG, INFO, WARNING or ERROR.",
    )
    log_json: bool = Field(default=True, description="One JSON object a line; false: for people.")

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        longest_document = self.connect_timeout_seconds + self.answer_timeout_seconds
        # Its time-stamp and its document each may take that long; a lease that ends before them
        # would let a second worker send the same document.
        if self.lease_seconds <= 2 * longest_document:
            raise ValueError(
                "lease_seconds must be longer than twice connect_timeout_seconds + "
                f"answer_timeout_seconds ({2 * longest_document:g} s)"
            )
        if self.alarm_webhook_url and not self.alarm_webhook_secret:
            raise ValueError("alarm_webhook_url needs alarm_webhook_secret")
        if self.alarm_email_to and not self.smtp_host:
            raise ValueError("alarm_email_to needs smtp_host")
        return self


def settings_table() -> str:
    """All settings as Markdown, one table a section: what docs/settings.md holds."""
    lines = [
        "# Settings",
        "",
        (
            'Each is an environment variable. Lists are JSON (`["a", "b"]`), times are seconds, money '
            "is kopecks. An impossible value stops the process at its start and names the setting."
        ),
    ]
    for name, field in Settings.model_fields.items():
        if name in _SECTIONS:
            lines += [
                "",
                f"## {_SECTIONS[name]}",
                "",
                "| variable | default | meaning |",
                "|---|---|---|",
            ]
        lines.append(f"| `FISCAL_{name.upper()}` | {_default(field)} | {field.description} |")
    return "\n".join(lines) + "\n"


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None or field.default is None or field.default == ():
        return ""
    if isinstance(field.default, tuple):
        return ", ".join(f"`{value}`" for value in field.default)
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    if isinstance(field.default, time):
        return f"`{field.default:%H:%M}`"
    return f"`{field.default:g}`" if isinstance(field.default, float) else f"`{field.default}`"


if __name__ == "__main__":
    print(settings_table(), end="")
