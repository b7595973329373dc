"""Size, content type and compression of requests."""

import gzip
import zlib
from collections.abc import Callable

import pytest

from infra.simulator.switches import Switches
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import BARE, SIGNED, Office


def raw_deflate(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(body) + stream.flush()


@pytest.mark.parametrize("label", ["gzip", "deflate", "GZIP"])
@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress, raw_deflate])
def test_every_compression_is_taken_under_either_label(
    office: Office, label: str, compress: Callable[[bytes], bytes]
) -> None:
    body = compress(office.signed(make.open_shift(1, office.local)))

    reply = office.simulator.doc(body, {**SIGNED, "content-encoding": label})

    assert reply.status == 200


@pytest.mark.parametrize("label", ["br", "zstd"])
def test_unknown_compression_is_415(office: Office, label: str) -> None:
    reply = office.simulator.doc(b"x" * 100, {**SIGNED, "content-encoding": label})

    assert reply.status == 415


def test_broken_compression_is_415(office: Office) -> None:
    reply = office.simulator.doc(b"x" * 100, {**SIGNED, "content-encoding": "gzip"})

    assert reply.status == 415


@pytest.mark.parametrize("size", [0, 9, 200 * 1024 + 1])
def test_wrong_size_is_416(office: Office, size: int) -> None:
    assert office.simulator.doc(b"x" * size, SIGNED).status == 416


def test_size_is_measured_uncompressed(office: Office) -> None:
    body = gzip.compress(b"\0" * 300_000)

    reply = office.simulator.doc(body, {**SIGNED, "content-encoding": "gzip"})

    assert reply.status == 416


def test_size_limit_is_a_switch() -> None:
    office = Office(switches=Switches(size_limit_bytes=512_000))

    assert office.simulator.doc(b"x" * 300_000, SIGNED).status == 400


@pytest.mark.parametrize(
    "content_type", ["", "text/xml", "application/json", "application/octet-streams"]
)
def test_document_of_another_type_is_415_with_the_known_text(
    office: Office, content_type: str
) -> None:
    reply = office.simulator.doc(b"x" * 100, {"content-type": content_type})

    assert reply.status == 415
    assert "Очікується значення 'Content-Type'" in reply.body.decode()


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=UTF-8", "application/json;charset=utf-8"],
)
def test_bare_commands_come_as_json(office: Office, content_type: str) -> None:
    body = b'{"Command": "ServerState"}'

    assert office.simulator.cmd(body, {"content-type": content_type}).status == 200


def test_json_in_another_alphabet_is_415(office: Office) -> None:
    headers = {"content-type": "application/json; charset=windows-1251"}

    assert office.simulator.cmd(b'{"Command": "ServerState"}', headers).status == 415


def test_byte_order_mark_before_json_is_passed_over(office: Office) -> None:
    assert office.simulator.cmd(b'\xef\xbb\xbf{"Command": "ServerState"}', BARE).status == 200


def test_replies_are_compressed_when_switched_on_and_accepted() -> None:
    office = Office(switches=Switches(compress_replies=True))
    body = office.signed(make.open_shift(1, office.local))

    reply = office.simulator.doc(body, {**SIGNED, "accept-encoding": "gzip, deflate"})

    assert reply.headers["content-encoding"] == "gzip"
    assert gzip.decompress(reply.body)[:1] == b"\x30"
