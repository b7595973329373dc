"""The operator channel against a real mail server and a real HTTP receiver."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from domain.errors import StoreUnavailable
from infra.alarm_channels import (
    SIGNATURE_HEADER,
    SIGNATURE_TOLERANCE,
    Alarm,
    Channel,
    DeliveryFailed,
    EmailChannel,
    WebhookChannel,
    signature,
    signature_holds,
)
from infra.operator_channel import AlarmDesk, alarm_of, channels_of
from infra.postgres import Connection, application_dsn, connect, open_pool
from infra.settings import Settings
from projections.alarms import AlarmKind, AlarmRow, AlarmsView

NOW = datetime(2026, 11, 5, 8, 15, 4, tzinfo=UTC)
SECRET = b"shared-secret"

ALARM = Alarm(
    alarm_id=UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d401f7"),
    code="lane-parked",
    raised_at=NOW,
    text="Документи каси зупинено: register-blocked.",
    next_step="Усуньте названу причину.",
    register="4000777001",
    facts={"reason": "register-blocked", "server_code": 1},
)


# --- a mail server ------------------------------------------------------------------------------------------


@dataclass
class Mailbox:
    """Keeps what it is sent; `refuses` makes the server say no."""

    letters: list[Envelope] = field(default_factory=list)
    refuses: bool = False

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _: SMTP, __: Session, envelope: Envelope
    ) -> str:
        if self.refuses:
            return "451 try again later"
        self.letters.append(envelope)
        return "250 OK"


@dataclass
class MailServer:
    box: Mailbox
    port: int

    def channel(self, **changes: Any) -> EmailChannel:
        options = {"starttls": False, "recipients": ["owner@example.com"], **changes}
        return EmailChannel(
            host="127.0.0.1", port=self.port, sender="ledger@example.com", **options
        )


@pytest.fixture
def mail() -> Iterator[MailServer]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield MailServer(box, port)
    finally:
        controller.stop()


class TestEmail:
    def test_letter_says_what_and_what_to_do_in_ukrainian(self, mail: MailServer) -> None:
        mail.channel().send(ALARM)

        envelope = mail.box.letters[0]
        assert envelope.rcpt_tos == ["owner@example.com"]
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=default)
        assert letter["Subject"] == (
            "Fiscal Ledger: каса 4000777001: Документи каси зупинено: register-blocked."
        )
        assert letter["Message-ID"] == f"<{ALARM.alarm_id}@fiscal-ledger.invalid>"
        assert letter["Auto-Submitted"] == "auto-generated"
        text = letter.get_body().get_content()  # type: ignore[union-attr]
        assert "Що зробити: Усуньте названу причину." in text
        assert "server_code: 1" in text

    def test_line_breaks_in_an_alarm_make_no_header(self, mail: MailServer) -> None:
        letter = mail.channel().letter(
            Alarm(uuid4(), "x", NOW, "перший\r\nBcc: thief@example.com", "далі")
        )

        assert letter["Bcc"] is None
        assert letter["Subject"] == "Fiscal Ledger: перший Bcc: thief@example.com"

    def test_server_without_encryption_is_refused_where_it_is_required(
        self, mail: MailServer
    ) -> None:
        with pytest.raises(DeliveryFailed):
            mail.channel(starttls=True).send(ALARM)

        assert mail.box.letters == []

    def test_server_that_says_no_is_a_failure(self, mail: MailServer) -> None:
        mail.box.refuses = True

        with pytest.raises(DeliveryFailed) as failure:
            mail.channel().send(ALARM)

        assert failure.value.for_all

    def test_server_that_is_not_there_is_a_failure(self, mail: MailServer) -> None:
        with pytest.raises(DeliveryFailed):
            MailServer(mail.box, port=1).channel().send(ALARM)


# --- a webhook's receiver -----------------------------------------------------------------------------------


@dataclass
class Receiver:
    """Keeps what it is sent; answers with `statuses` one after another, then 204."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def channel(self) -> WebhookChannel:
        return WebhookChannel(url=self.url, secret=SECRET, now=lambda: NOW, pause_seconds=0.01)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.requests.append((dict(self.headers), body))
            self.send_response(kept.statuses.pop(0) if kept.statuses else 204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Tests need no access log."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}/alarms"
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TestWebhook:
    def test_receiver_can_check_who_sent_it(self, receiver: Receiver) -> None:
        channel = receiver.channel()

        channel.send(ALARM)
        channel.close()

        headers, body = receiver.requests[0]
        assert signature_holds(SECRET, body, headers[SIGNATURE_HEADER], now=NOW)
        assert headers["Idempotency-Key"] == str(ALARM.alarm_id)
        assert json.loads(body) == {
            "alarm_id": str(ALARM.alarm_id),
            "code": "lane-parked",
            "raised_at": "2026-11-05T08:15:04+00:00",
            "text": ALARM.text,
            "next_step": ALARM.next_step,
            "register": "4000777001",
            "facts": {"reason": "register-blocked", "server_code": 1},
        }

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_what_may_pass_is_tried_again_at_once(self, receiver: Receiver, status: int) -> None:
        receiver.statuses = [status, status]
        channel = receiver.channel()

        channel.send(ALARM)
        channel.close()

        assert len(receiver.requests) == 3

    def test_receiver_that_stays_away_is_a_failure_for_all(self, receiver: Receiver) -> None:
        receiver.statuses = [503] * 10
        channel = receiver.channel()

        with pytest.raises(DeliveryFailed) as failure:
            channel.send(ALARM)
        channel.close()

        assert failure.value.for_all
        assert len(receiver.requests) == 3

    def test_refused_alarm_is_not_tried_again_and_no_reason_to_stop(
        self, receiver: Receiver
    ) -> None:
        receiver.statuses = [400]
        channel = receiver.channel()

        with pytest.raises(DeliveryFailed) as failure:
            channel.send(ALARM)
        channel.close()

        assert not failure.value.for_all
        assert len(receiver.requests) == 1

    def test_redirect_is_not_followed(self, receiver: Receiver) -> None:
        receiver.statuses = [302]
        channel = receiver.channel()

        with pytest.raises(DeliveryFailed):
            channel.send(ALARM)
        channel.close()

    def test_nobody_there_is_a_failure(self) -> None:
        channel = WebhookChannel(url="http://127.0.0.1:1/", secret=SECRET, pause_seconds=0.01)

        with pytest.raises(DeliveryFailed):
            channel.send(ALARM)
        channel.close()


class TestSignature:
    def test_changed_body_time_or_secret_does_not_hold(self) -> None:
        header = signature(SECRET, b"body", at=NOW)

        assert signature_holds(SECRET, b"body", header, now=NOW)
        assert not signature_holds(SECRET, b"bodY", header, now=NOW)
        assert not signature_holds(b"other", b"body", header, now=NOW)
        assert not signature_holds(SECRET, b"body", header.replace("t=1", "t=2"), now=NOW)

    def test_old_signature_does_not_hold(self) -> None:
        header = signature(SECRET, b"body", at=NOW)
        late = NOW + SIGNATURE_TOLERANCE + timedelta(seconds=1)

        assert not signature_holds(SECRET, b"body", header, now=late)

    @pytest.mark.parametrize("header", ["", "t=x,v1=y", "v1=00", "t=1730794504", "t=٣,v1=0"])
    def test_nonsense_does_not_hold(self, header: str) -> None:
        assert not signature_holds(SECRET, b"body", header, now=NOW)


# --- once ---------------------------------------------------------------------------------------------------


class TestDesk:
    @pytest.fixture
    def connection(self, postgres_dsn: str) -> Iterator[Connection]:
        with connect(application_dsn(postgres_dsn), name="desk test") as connection:
            yield connection

    @pytest.fixture
    def view(self, postgres_dsn: str) -> Iterator[AlarmsView]:
        with open_pool(application_dsn(postgres_dsn), name="desk test", size=2) as pool:
            yield AlarmsView(pool)

    def test_each_alarm_is_told_once_through_each_channel(
        self, connection: Connection, view: AlarmsView, mail: MailServer, receiver: Receiver
    ) -> None:
        _raise(connection, 3)
        channels: list[Channel] = [mail.channel(), receiver.channel()]
        with AlarmDesk(channels, view) as desk:
            assert desk.deliver(connection, now=NOW) == 6
            assert desk.deliver(connection, now=NOW) == 0

        assert len(mail.box.letters) == 3
        assert len(receiver.requests) == 3

    def test_channel_that_fails_tells_later_and_the_other_goes_on(
        self, connection: Connection, view: AlarmsView, mail: MailServer, receiver: Receiver
    ) -> None:
        _raise(connection, 2)
        mail.box.refuses = True
        with AlarmDesk([mail.channel(), receiver.channel()], view) as desk:
            assert desk.deliver(connection, now=NOW) == 2
            mail.box.refuses = False
            assert desk.deliver(connection, now=NOW) == 2

        assert len(mail.box.letters) == 2
        assert len(receiver.requests) == 2

    def test_alarm_that_is_refused_does_not_hold_up_the_others(
        self, connection: Connection, view: AlarmsView, receiver: Receiver
    ) -> None:
        _raise(connection, 3)
        receiver.statuses = [400]
        with AlarmDesk([receiver.channel()], view) as desk:
            assert desk.deliver(connection, now=NOW) == 2

    def test_two_processes_do_not_tell_the_same_at_once(
        self, postgres_dsn: str, connection: Connection, view: AlarmsView, receiver: Receiver
    ) -> None:
        _raise(connection, 1)

        class Slow(WebhookChannel):
            """While it tells, another process comes to the desk."""

            def send(self, alarm: Alarm) -> None:
                with connect(application_dsn(postgres_dsn), name="other") as other:
                    assert desk.deliver(other, now=NOW) == 0
                super().send(alarm)

        channel = Slow(url=receiver.url, secret=SECRET)
        with AlarmDesk([channel], view) as desk:
            assert desk.deliver(connection, now=NOW) == 1

        assert len(receiver.requests) == 1

    def test_desk_is_free_again_when_telling_broke(
        self, connection: Connection, view: AlarmsView, receiver: Receiver
    ) -> None:
        _raise(connection, 1)

        class Broken(WebhookChannel):
            def send(self, alarm: Alarm) -> None:
                raise StoreUnavailable(what="x", reason="y")

        with (
            AlarmDesk([Broken(url=receiver.url, secret=SECRET)], view) as broken,
            pytest.raises(StoreUnavailable),
        ):
            broken.deliver(connection, now=NOW)

        with AlarmDesk([receiver.channel()], view) as desk:
            assert desk.deliver(connection, now=NOW) == 1


class TestWords:
    def test_parked_lane_names_code_and_text_of_the_tax_service(self) -> None:
        alarm = alarm_of(_row(AlarmKind.LANE_PARKED))

        assert alarm.text == (
            "Документи каси зупинено: register-blocked (код 1: ПРРО заблоковано)."
        )
        assert alarm.facts["server_code"] == 1

    def test_differing_z_report_names_the_differences(self) -> None:
        alarm = alarm_of(_row(AlarmKind.Z_REPORT_DIFFERS))

        assert "sales.total" in alarm.text

    @pytest.mark.parametrize("kind", list(AlarmKind))
    def test_every_kind_has_words_of_its_own(self, kind: AlarmKind) -> None:
        assert not alarm_of(_row(kind)).text.startswith(kind.value)


def test_channels_are_those_the_settings_name() -> None:
    both = Settings(
        alarm_email_to=("owner@example.com",),
        smtp_host="127.0.0.1",
        alarm_webhook_url="http://127.0.0.1/alarms",
        alarm_webhook_secret=SecretStr("s"),
    )

    assert channels_of(Settings()) == ()
    assert [channel.name for channel in channels_of(both)] == ["email", "webhook"]


def _row(kind: AlarmKind) -> AlarmRow:
    return AlarmRow(
        alarm_id=ALARM.alarm_id,
        kind=kind,
        register_id=UUID(int=1),
        company_id=UUID(int=2),
        business_unit_id=UUID(int=3),
        register_fiscal_number="4000777001",
        shift_id=None,
        raised_at=NOW,
        reason="register-blocked",
        server_code=1,
        server_text="ПРРО заблоковано",
        differences=("sales.total",),
    )


def _raise(connection: Connection, count: int) -> None:
    for number in range(count):
        connection.execute(
            "INSERT INTO projections.alarms (alarm_id, kind, register_id, company_id,"
            " business_unit_id, register_fiscal_number, raised_at, reason, differences)"
            " VALUES (%s, 'lane-parked', %s, %s, %s, '4000777001', %s, 'register-blocked', '[]')",
            [uuid4(), uuid4(), uuid4(), uuid4(), NOW + timedelta(seconds=number)],
        )
