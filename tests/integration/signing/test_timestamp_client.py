"""Time-stamps over HTTP from authorities on this machine that behave well, badly or not at all."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from domain.errors import Unreachable
from infra.signing import cms, timestamp
from infra.signing.development import DevelopmentKeyStore, Holder, KeyPurpose
from infra.signing.errors import SignatureInvalid
from infra.signing.timestamp import TimestampAuthority
from infra.signing.timestamp_client import TsaClient
from infra.signing.trust import TrustAnchors

Answer = Callable[[bytes], tuple[int, bytes]]


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client leaves the slow and the talkative one in the middle of their answer.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Authorities:
    """An HTTP server with one authority a path; what each answers is the test's choice."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked.append(self.path)
                assert self.headers["Content-Type"] == "application/timestamp-query"
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = answers[self.path](body)
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentKeyStore:
    return DevelopmentKeyStore(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def signed(store: DevelopmentKeyStore) -> bytes:
    return cms.sign(b"<CHECK/>", signer=store.ensure("cashier", Holder("Касир")).signer)


@pytest.fixture
def authorities(
    store: DevelopmentKeyStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Authorities]:
    def authority_of(store: DevelopmentKeyStore) -> TimestampAuthority:
        key = store.ensure("tsa", Holder("TSP"), purpose=KeyPurpose.TIMESTAMPS)
        return TimestampAuthority(key.signer, clock=lambda: datetime.now(UTC))

    good = authority_of(store)
    strange = authority_of(DevelopmentKeyStore(tmp_path_factory.mktemp("strange")))
    first_answers: list[bytes] = []

    def replay(request: bytes) -> tuple[int, bytes]:
        first_answers.append(good.answer(request))
        return 200, first_answers[0]

    def slow(request: bytes) -> tuple[int, bytes]:
        time.sleep(1.5)
        return 200, good.answer(request)

    server = Authorities(
        {
            "/good": lambda request: (200, good.answer(request)),
            "/strange": lambda request: (200, strange.answer(request)),
            "/broken": lambda _: (500, b"internal error"),
            "/page": lambda _: (200, b"<html></html>"),
            "/refusing": lambda _: (200, good.answer(b"")),
            "/huge": lambda _: (200, bytes(200_000)),
            "/replay": replay,
            "/slow": slow,
        }
    )
    yield server
    server.close()


def client_of(
    authorities: Authorities, *paths: str, trust: TrustAnchors | None, rest_seconds: float = 30.0
) -> TsaClient:
    urls = [authorities.url(path) if path.startswith("/") else path for path in paths]
    return TsaClient(
        urls,
        timeout_seconds=0.75,
        connect_timeout_seconds=0.75,
        trust=trust,
        rest_seconds=rest_seconds,
    )


class TestStamp:
    def test_a_message_comes_back_stamped_and_otherwise_the_same(
        self, authorities: Authorities, store: DevelopmentKeyStore, signed: bytes
    ) -> None:
        trust = store.trust_anchors()
        with client_of(authorities, "/good", trust=trust) as client:
            message = cms.parse(client.stamp(signed))
        cms.verify(message, trust=trust, at=datetime.now(UTC))
        stamp = timestamp.verify_message_timestamp(message, trust=trust)
        assert abs((datetime.now(UTC) - stamp.time).total_seconds()) < 60
        assert message.signer.signature == cms.parse(signed).signer.signature

    @pytest.mark.parametrize(
        ("path", "cause"),
        [
            ("http://127.0.0.1:1/", "refused"),
            ("/strange", "untrusted-issuer"),
            ("/broken", "500"),
            ("/page", "malformed"),
            ("/refusing", "timestamp-refused"),
            ("/huge", "more than"),
            ("/slow", "timed out"),
        ],
    )
    def test_the_next_authority_is_tried(
        self,
        authorities: Authorities,
        store: DevelopmentKeyStore,
        signed: bytes,
        path: str,
        cause: str,
    ) -> None:
        trust = store.trust_anchors()
        with client_of(authorities, path, "/good", trust=trust) as client:
            assert cms.parse(client.stamp(signed)).timestamp_token is not None
        with (
            client_of(authorities, path, trust=trust) as client,
            pytest.raises(Unreachable, match=cause) as caught,
        ):
            client.stamp(signed)
        assert caught.value.sent is False

    def test_an_answer_to_another_request_is_refused(
        self, authorities: Authorities, store: DevelopmentKeyStore, signed: bytes
    ) -> None:
        with client_of(authorities, "/replay", trust=store.trust_anchors()) as client:
            client.stamp(signed)
            with pytest.raises(Unreachable, match="timestamp-nonce"):
                client.stamp(signed)

    def test_one_that_failed_is_asked_last_until_it_has_rested(
        self, authorities: Authorities, store: DevelopmentKeyStore, signed: bytes
    ) -> None:
        trust = store.trust_anchors()
        with client_of(authorities, "/broken", "/good", trust=trust, rest_seconds=0.5) as client:
            client.stamp(signed)
            client.stamp(signed)
            assert authorities.asked == ["/broken", "/good", "/good"]
            time.sleep(0.6)
            client.stamp(signed)
            assert authorities.asked[3:] == ["/broken", "/good"]

    def test_what_is_no_signed_message_is_refused_without_asking(
        self, authorities: Authorities
    ) -> None:
        with (
            client_of(authorities, "/good", trust=None) as client,
            pytest.raises(SignatureInvalid),
        ):
            client.stamp(b"<CHECK/>")
        assert authorities.asked == []

    def test_a_list_without_authorities_is_refused(self) -> None:
        with pytest.raises(ValueError, match="at least one"):
            TsaClient([], timeout_seconds=1, connect_timeout_seconds=1, trust=None)
