"""Every way an exchange can fail, over real sockets: what is raised, and whether anything counts as sent."""

import gzip
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from domain.clock import ManualClock
from domain.errors import IntegrityFault, Refused, Unreachable
from infra.fiscal_server.client import MAX_MESSAGE_BYTES
from infra.fiscal_server.transport import MAX_ANSWER_BYTES
from tests.integration.fiscal_server.conftest import CASHIER_KEY, Connect
from tests.support.scripted_server import (
    ScriptedServer,
    Step,
    answer,
    answer_json,
    close_after_reading,
    half_answer,
    raw_answer,
    refused_address,
    reset_after_reading,
    reset_before_reading,
    stall,
    talk_without_tls,
    trickle,
    unanswered_address,
)
from tests.unit.infra.fiscal_server.test_tickets import ticket_xml

REFUSAL_TEXT = "Код помилки: 7 CheckLocalNumberInvalid\r\nНомер документа повинен дорівнювати 504"
PAGE = b"<html><body>Bad gateway</body></html>"


class TestNothingWasSent:
    """The same bytes may go out again without asking."""

    def test_refused_connection(self, connect: Connect, signed_document: bytes) -> None:
        with refused_address() as url, pytest.raises(Unreachable) as failure:
            connect(url).submit(signed_document)
        assert not failure.value.sent
        assert "refused" in failure.value.reason.lower()

    def test_unknown_host(self, connect: Connect, signed_document: bytes) -> None:
        with pytest.raises(Unreachable) as failure:
            connect("http://fs.tax.invalid:8609/fs").submit(signed_document)
        assert not failure.value.sent

    def test_no_connection_in_time(self, connect: Connect, signed_document: bytes) -> None:
        with unanswered_address() as url, pytest.raises(Unreachable) as failure:
            connect(url, connect_timeout_seconds=0.2).submit(signed_document)
        assert not failure.value.sent
        assert failure.value.reason == "no connection within 0.2 s"

    def test_failed_tls(self, connect: Connect, signed_document: bytes) -> None:
        with ScriptedServer((talk_without_tls(),)) as server, pytest.raises(Unreachable) as failure:
            connect(server.url.replace("http://", "https://")).submit(signed_document)
        assert not failure.value.sent

    def test_address_that_is_none(self, connect: Connect, signed_document: bytes) -> None:
        with pytest.raises(Unreachable) as failure:
            connect("http://exa mple:99999999/fs").submit(signed_document)
        assert not failure.value.sent

    def test_message_that_is_too_large(self, connect: Connect) -> None:
        with ScriptedServer((answer(),)) as server:
            with pytest.raises(Refused) as refusal:
                connect(server.url).submit(b"0" * (MAX_MESSAGE_BYTES + 1))
            assert refusal.value.server_code == 413
            assert server.requests == []


class TestPerhapsSent:
    """Whether the server has it, only asking tells."""

    @pytest.mark.parametrize(
        "step",
        [
            pytest.param(reset_after_reading(), id="reset after the request"),
            pytest.param(close_after_reading(), id="closed after the request"),
            pytest.param(stall(10), id="silence"),
            pytest.param(trickle(PAGE * 10, pause_seconds=0.05), id="an answer that trickles"),
            pytest.param(half_answer(PAGE), id="half an answer"),
            pytest.param(raw_answer(b"HTTP/1.1 200 OK\r\nContent-Le"), id="half a head"),
            pytest.param(raw_answer(b"\x16\x03\x01 what\r\n\r\n"), id="no HTTP"),
            pytest.param(answer(PAGE, status=500), id="500"),
            pytest.param(answer(b"", status=503), id="503 without a body"),
            pytest.param(answer(PAGE, status=502), id="a gateway's page"),
            pytest.param(answer(PAGE, status=400), id="400 without a code"),
            pytest.param(answer(b"", status=302, headers={"Location": "/login"}), id="redirect"),
            pytest.param(answer(PAGE), id="a page under 200"),
            pytest.param(answer(b""), id="nothing under 200"),
            pytest.param(answer(b"", status=204), id="204"),
            pytest.param(answer(b"{}"), id="JSON in place of a ticket"),
            pytest.param(
                answer(b"no gzip", headers={"Content-Encoding": "gzip"}), id="broken compression"
            ),
        ],
    )
    def test_exchange_that_broke_after_the_request(
        self, step: Step, connect: Connect, signed_document: bytes
    ) -> None:
        with ScriptedServer((step,)) as server:
            with pytest.raises(Unreachable) as failure:
                connect(server.url).submit(signed_document)
            assert failure.value.sent
            assert failure.value.reason
            assert len(server.requests) == 1

    def test_reset_in_the_middle_of_a_large_body(self, connect: Connect) -> None:
        with ScriptedServer((reset_before_reading(),)) as server:
            with pytest.raises(Unreachable) as failure:
                connect(server.url).submit(b"0" * MAX_MESSAGE_BYTES)
            assert failure.value.sent

    def test_reset_on_a_connection_that_served_before(
        self, connect: Connect, sealed: Callable[[bytes], bytes], signed_document: bytes
    ) -> None:
        with ScriptedServer((answer(sealed(ticket_xml())), reset_after_reading())) as server:
            client = connect(server.url)
            client.submit(signed_document)
            with pytest.raises(Unreachable) as failure:
                client.submit(signed_document)
            assert failure.value.sent
            assert len(server.requests) == 2

    def test_answer_that_does_not_end_is_left(
        self, connect: Connect, signed_document: bytes
    ) -> None:
        body = b"0" * (MAX_ANSWER_BYTES + 1)
        with (
            ScriptedServer(
                (answer(gzip.compress(body), headers={"Content-Encoding": "gzip"}),)
            ) as server,
            pytest.raises(Unreachable, match="more than") as failure,
        ):
            connect(server.url, answer_timeout_seconds=20).submit(signed_document)
        assert failure.value.sent

    def test_trickling_answer_takes_no_longer_than_both_timeouts(
        self, connect: Connect, signed_document: bytes
    ) -> None:
        with ScriptedServer((trickle(b"0" * 1_000, pause_seconds=0.02),)) as server:
            started = time.monotonic()
            with pytest.raises(Unreachable, match=r"no complete answer within 0\.5 s"):
                connect(server.url).submit(signed_document)
            assert time.monotonic() - started < 2


class TestRefusals:
    @pytest.mark.parametrize("status", [200, 400, 401, 404, 500, 503])
    @pytest.mark.parametrize("encoding", ["utf-8", "cp1251"])
    def test_code_in_text_counts_whatever_the_status(
        self, status: int, encoding: str, connect: Connect, signed_document: bytes
    ) -> None:
        body = REFUSAL_TEXT.encode(encoding)
        with ScriptedServer((answer(body, status=status),)) as server:
            with pytest.raises(Refused) as refusal:
                connect(server.url).submit(signed_document)
            assert (refusal.value.server_code, refusal.value.name, refusal.value.text) == (
                7,
                "CheckLocalNumberInvalid",
                "Номер документа повинен дорівнювати 504",
            )

    @pytest.mark.parametrize("status", [200, 400])
    def test_signed_ticket_with_an_error_code_is_a_refusal(
        self,
        status: int,
        connect: Connect,
        sealed: Callable[[bytes], bytes],
        signed_document: bytes,
    ) -> None:
        body = sealed(ticket_xml(ERRORCODE="9", ERRORTEXT="час", ORDERTAXNUM=None))
        with ScriptedServer((answer(body, status=status),)) as server:
            with pytest.raises(Refused) as refusal:
                connect(server.url).submit(signed_document)
            assert (refusal.value.server_code, refusal.value.text) == (9, "час")

    @pytest.mark.parametrize("status", [401, 403, 404, 405, 413, 415, 416])
    def test_status_with_a_meaning_of_its_own(
        self, status: int, connect: Connect, signed_document: bytes
    ) -> None:
        with ScriptedServer((answer(PAGE, status=status),)) as server:
            with pytest.raises(Refused) as refusal:
                connect(server.url).submit(signed_document)
            assert refusal.value.server_code == status
            with pytest.raises(Refused):
                connect(server.url).objects(key_id=CASHIER_KEY)

    def test_code_in_json_of_a_command(self, connect: Connect) -> None:
        fields = {"ErrorCode": 2, "ErrorMessage": "немає прав"}
        for status in (200, 400):
            with ScriptedServer((answer_json(fields, status=status),)) as server:
                with pytest.raises(Refused) as refusal:
                    connect(server.url).objects(key_id=CASHIER_KEY)
                assert (refusal.value.server_code, refusal.value.text) == (2, "немає прав")


class TestTickets:
    def test_ticket_that_somebody_else_signed_is_a_fault(
        self, connect: Connect, sealed: Callable[[bytes], bytes], signed_document: bytes
    ) -> None:
        with (
            ScriptedServer((answer(sealed(ticket_xml())),)) as server,
            pytest.raises(IntegrityFault, match="somebody else"),
        ):
            connect(server.url, ticket_signer_code="43005393").submit(signed_document)

    def test_ticket_with_a_changed_byte_is_a_fault(
        self, connect: Connect, sealed: Callable[[bytes], bytes], signed_document: bytes
    ) -> None:
        body = sealed(ticket_xml()).replace(b"3600000101", b"3600000102")
        with ScriptedServer((answer(body),)) as server:
            with pytest.raises(IntegrityFault) as fault:
                connect(server.url).submit(signed_document)
            assert fault.value.place == "ticket"

    def test_other_signed_content_is_a_fault(
        self, connect: Connect, sealed: Callable[[bytes], bytes], signed_document: bytes
    ) -> None:
        with (
            ScriptedServer((answer(sealed(b"<CHECK/>")),)) as server,
            pytest.raises(IntegrityFault),
        ):
            connect(server.url).submit(signed_document)


class TestClock:
    @pytest.mark.parametrize("ahead_seconds", [-420, 0, 90])
    def test_skew_is_the_servers_clock_minus_ours(
        self, ahead_seconds: int, connect: Connect
    ) -> None:
        ours = datetime(2026, 11, 5, 8, 0, tzinfo=UTC)
        theirs = ours + timedelta(seconds=ahead_seconds)
        date = theirs.strftime("%a, %d %b %Y %H:%M:%S GMT")
        measured: list[float] = []
        step = answer(REFUSAL_TEXT.encode(), status=400, headers={"Date": date})
        with ScriptedServer((step,)) as server:
            client = connect(server.url, clock=ManualClock(ours), on_skew=measured.append)
            assert client.skew_seconds is None
            # Refusals carry the clock too.
            with pytest.raises(Refused):
                client.server_time()
            assert client.skew_seconds == pytest.approx(ahead_seconds, abs=1)
            assert measured == [client.skew_seconds]

    @pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}, {"Date": "-1 Foo"}])
    def test_answer_without_a_usable_date_measures_nothing(
        self, headers: dict[str, str], connect: Connect
    ) -> None:
        step = answer(REFUSAL_TEXT.encode(), status=400, headers=headers)
        with ScriptedServer((step,)) as server:
            client = connect(server.url)
            with pytest.raises(Refused):
                client.server_time()
            assert client.skew_seconds is None


class TestRequests:
    def test_document_goes_as_it_is(
        self, connect: Connect, sealed: Callable[[bytes], bytes], signed_document: bytes
    ) -> None:
        reply = sealed(ticket_xml())
        with ScriptedServer((answer(reply),)) as server:
            ticket = connect(server.url).submit(signed_document)
            assert (ticket.fiscal_number, ticket.raw) == ("3600000101", reply)
            assert server.last.head == "POST /fs/doc HTTP/1.1"
            assert server.last.headers["content-type"] == "application/octet-stream"
            assert server.last.body == signed_document

    def test_compressed_request_unpacks_to_the_document(
        self, connect: Connect, sealed: Callable[[bytes], bytes], signed_document: bytes
    ) -> None:
        with ScriptedServer((answer(sealed(ticket_xml())),)) as server:
            connect(server.url, gzip_requests=True).submit(signed_document)
            assert server.last.headers["content-encoding"] == "gzip"
            assert gzip.decompress(server.last.body) == signed_document
            assert len(server.last.body) < len(signed_document)

    def test_compressed_answer_is_unpacked(
        self, connect: Connect, sealed: Callable[[bytes], bytes], signed_document: bytes
    ) -> None:
        body = gzip.compress(sealed(ticket_xml()))
        step = answer(body, headers={"Content-Encoding": "gzip"})
        with ScriptedServer((step,)) as server:
            assert connect(server.url).submit(signed_document).local_number == 501

    def test_connection_that_the_server_closed_while_idle_is_made_anew(
        self, connect: Connect, sealed: Callable[[bytes], bytes], signed_document: bytes
    ) -> None:
        body = sealed(ticket_xml())
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        with ScriptedServer((raw_answer(head + body),)) as server:
            client = connect(server.url)
            for _ in range(3):
                assert client.submit(signed_document).local_number == 501
                # The next request must find it closed; one that crosses the closing is another matter.
                assert server.hung_up.acquire(timeout=10)
            assert len(server.requests) == 3

    def test_one_connection_serves_all_requests_of_a_thread(
        self, connect: Connect, sealed: Callable[[bytes], bytes], signed_document: bytes
    ) -> None:
        peers: set[object] = set()
        reply = answer(sealed(ticket_xml()))

        def counting(connection: object, server: ScriptedServer) -> None:
            peers.add(connection)
            reply(connection, server)  # type: ignore[arg-type]

        with ScriptedServer((counting,)) as server:
            client = connect(server.url)
            for _ in range(3):
                client.submit(signed_document)
            assert len(peers) == 1
            other = threading.Thread(target=client.submit, args=(signed_document,))
            other.start()
            other.join(timeout=5)
            assert len(peers) == 2
