"""Packages of offline documents over real sockets: what is sent, and what every answer means."""

from collections.abc import Callable

import pytest

from domain.answers import NextOfflineSession, PackageAnswer
from domain.errors import IntegrityFault, KeyUnknown, PackageRefused, Unreachable
from infra.fiscal_server.client import MAX_MESSAGE_BYTES
from infra.fiscal_server.packages import MOST_BYTES, frame
from infra.signing import cms
from tests.integration.fiscal_server.conftest import CASHIER_KEY, Connect
from tests.support.scripted_server import (
    ScriptedServer,
    Step,
    answer,
    half_answer,
    refused_address,
    reset_after_reading,
    stall,
)
from tests.unit.infra.fiscal_server.test_tickets import ticket_xml

DOCUMENTS = (b"first signed document", b"second signed document")
NEXT = b'{"OfflineSessionId": 22054, "OfflineSeed": 881270455193}'
REFUSAL = (
    "Код помилки: 7 CheckLocalNumberInvalid\r\n"
    "Помилка обробки документа за № 1 в пакеті, дислокація 5058:\r\n"
    "Номер документа повинен дорівнювати 1837"
)


def submitted(connect: Connect, server: ScriptedServer) -> PackageAnswer:
    return connect(server.url).submit_package(DOCUMENTS, key_id=CASHIER_KEY)


def test_package_is_signed_once_more_and_posted(connect: Connect) -> None:
    with ScriptedServer((answer(b"OK"),)) as server:
        assert submitted(connect, server) == PackageAnswer(None, raw=b"OK")
        assert server.last.head == "POST /fs/pck HTTP/1.1"
        assert server.last.headers["content-type"] == "application/octet-stream"
        message = cms.parse(server.last.body)
        assert cms.verify(message, trust=None).company_code == "99900011"
        assert message.content == frame(DOCUMENTS)


def test_largest_package_that_is_ever_made_fits_into_a_message(connect: Connect) -> None:
    with ScriptedServer((answer(b"OK"),)) as server:
        document = bytes(MOST_BYTES - 4)
        connect(server.url).submit_package([document], key_id=CASHIER_KEY)
        assert MOST_BYTES < len(server.last.body) <= MAX_MESSAGE_BYTES


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain; charset=utf-8"}])
def test_end_of_the_session_gives_the_next_one(connect: Connect, headers: dict[str, str]) -> None:
    with ScriptedServer((answer(NEXT, headers=headers),)) as server:
        assert submitted(connect, server) == PackageAnswer(
            NextOfflineSession("22054", "881270455193"), raw=NEXT
        )


def test_signed_ticket_is_an_answer_too(connect: Connect, sealed: Callable[[bytes], bytes]) -> None:
    body = sealed(ticket_xml())
    with ScriptedServer((answer(body),)) as server:
        assert submitted(connect, server) == PackageAnswer(
            NextOfflineSession("21999", "100710382471"), raw=body
        )


def test_signed_ticket_with_a_changed_byte_is_a_fault(
    connect: Connect, sealed: Callable[[bytes], bytes]
) -> None:
    body = sealed(ticket_xml()).replace(b"21999", b"21998")
    with ScriptedServer((answer(body),)) as server, pytest.raises(IntegrityFault):
        submitted(connect, server)


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1251"])
def test_refusal_names_the_document_it_means(connect: Connect, status: int, encoding: str) -> None:
    with ScriptedServer((answer(REFUSAL.encode(encoding), status=status),)) as server:
        with pytest.raises(PackageRefused) as refusal:
            submitted(connect, server)
        assert (refusal.value.server_code, refusal.value.name) == (7, "CheckLocalNumberInvalid")
        assert (refusal.value.index, refusal.value.offset) == (1, 5058)
        assert refusal.value.text.endswith("дорівнювати 1837")


def test_signed_refusal_names_the_document_too(
    connect: Connect, sealed: Callable[[bytes], bytes]
) -> None:
    text = "Помилка обробки документа за № 0 в пакеті, дислокація 4: час"
    body = sealed(ticket_xml(ERRORCODE="10", ERRORTEXT=text, ORDERTAXNUM=None))
    with ScriptedServer((answer(body, status=400),)) as server:
        with pytest.raises(PackageRefused) as refusal:
            submitted(connect, server)
        facts = (refusal.value.server_code, refusal.value.index, refusal.value.offset)
        assert facts == (10, 0, 4)


@pytest.mark.parametrize("status", [401, 404, 413, 416])
def test_status_with_a_meaning_refuses_the_whole_package(connect: Connect, status: int) -> None:
    with ScriptedServer((answer(b"page", status=status),)) as server:
        with pytest.raises(PackageRefused) as refusal:
            submitted(connect, server)
        assert (refusal.value.server_code, refusal.value.index) == (status, None)


def test_package_that_is_too_large_is_not_sent(connect: Connect) -> None:
    with ScriptedServer((answer(b"OK"),)) as server:
        with pytest.raises(PackageRefused) as refusal:
            connect(server.url).submit_package([bytes(MAX_MESSAGE_BYTES)], key_id=CASHIER_KEY)
        assert refusal.value.server_code == 413
        assert server.requests == []


def test_nothing_was_sent_where_nobody_listens(connect: Connect) -> None:
    with refused_address() as url, pytest.raises(Unreachable) as failure:
        connect(url).submit_package(DOCUMENTS, key_id=CASHIER_KEY)
    assert not failure.value.sent


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(reset_after_reading(), id="reset after the request"),
        pytest.param(stall(10), id="silence"),
        pytest.param(half_answer(NEXT), id="half an answer"),
        pytest.param(answer(b"page", status=502), id="a gateway's page"),
        pytest.param(answer(b"", status=204), id="204"),
        pytest.param(answer(b"<html>OK</html>"), id="a page under 200"),
    ],
)
def test_outcome_is_unknown_once_the_package_may_have_arrived(connect: Connect, step: Step) -> None:
    with ScriptedServer((step,)) as server:
        with pytest.raises(Unreachable) as failure:
            submitted(connect, server)
        assert failure.value.sent


def test_key_that_is_not_open_sends_nothing(connect: Connect) -> None:
    with ScriptedServer((answer(b"OK"),)) as server:
        with pytest.raises(KeyUnknown):
            connect(server.url).submit_package(DOCUMENTS, key_id="nobody")
        assert server.requests == []
