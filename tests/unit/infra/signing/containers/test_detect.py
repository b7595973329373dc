"""How files are recognised, streamed ones too, and what errors never show."""

from collections.abc import Callable

import pytest

from infra.signing import der
from infra.signing.containers import (
    open_container,
    writer,
)
from infra.signing.containers.errors import (
    DamagedKeyFile,
    KeyFileError,
    KeyFileTooLarge,
    TrailingBytes,
    UnknownKeyFile,
    WrongPassword,
    WrongPasswordOrDamaged,
)
from infra.signing.containers.opening import MAX_OCTETS
from infra.signing.containers.passwords import Budget, Password
from tests.unit.infra.signing.containers.files import FEW, KEY, PASSWORD, iit_file, only_key, pem

pytestmark = pytest.mark.usefixtures("with_compiled_hashes")


class TestRecognition:
    @pytest.mark.parametrize("data", [b"", b"0", b"hello", bytes(100), b"\x89PNG\r\n", b"<xml/>"])
    def test_other_files_are_refused(self, data: bytes) -> None:
        with pytest.raises((UnknownKeyFile, DamagedKeyFile)):
            open_container(data, PASSWORD)

    @pytest.mark.parametrize(
        "data",
        [
            der.sequence(),
            der.sequence(der.null(), der.null()),
            der.sequence(der.integer(1), der.null()),
            der.sequence(der.oid("1.2.3"), der.null()),
            der.sequence(der.sequence(), der.null()),
            der.sequence(der.sequence(der.null()), der.null()),
        ],
    )
    def test_der_that_is_no_key_file_is_refused(self, data: bytes) -> None:
        with pytest.raises(UnknownKeyFile):
            open_container(data, PASSWORD)

    def test_a_prefix_of_six_octets_is_skipped(self) -> None:
        data = writer.encrypted_private_key(KEY, PASSWORD, iterations=FEW)
        assert only_key(b"\x51\x00\x01\x02\x03\x04" + data) == KEY

    @pytest.mark.parametrize(
        "make",
        [
            lambda: writer.private_key_info(KEY),
            lambda: writer.encrypted_private_key(KEY, PASSWORD, iterations=FEW),
            lambda: writer.pkcs12([KEY], PASSWORD, iterations=FEW),
            lambda: iit_file(writer.private_key_info(KEY), PASSWORD.encode()),
        ],
        ids=["pkcs8", "pbes2", "pkcs12", "iit"],
    )
    def test_trailing_octets_are_counted_and_cut_files_are_damaged(
        self, make: Callable[[], bytes]
    ) -> None:
        data = make()
        with pytest.raises(TrailingBytes) as trailing:
            open_container(data + b"garbage", PASSWORD)
        assert trailing.value.octets == 7
        with pytest.raises(DamagedKeyFile):
            open_container(data[:-1], PASSWORD)

    def test_a_file_of_more_than_a_megabyte_is_refused_unread(self) -> None:
        with pytest.raises(KeyFileTooLarge):
            open_container(bytes(MAX_OCTETS + 1), PASSWORD)
        with pytest.raises(KeyFileTooLarge):
            open_container(b"", PASSWORD, certificates=[bytes(MAX_OCTETS + 1)])

    def test_a_password_of_more_than_a_thousand_letters_is_wrong(self) -> None:
        with pytest.raises(WrongPassword):
            open_container(writer.encrypted_private_key(KEY, "x", iterations=FEW), "x" * 1025)

    def test_damaged_pem_is_refused(self) -> None:
        data = pem("PRIVATE KEY", writer.private_key_info(KEY))
        with pytest.raises(DamagedKeyFile, match="without an end"):
            open_container(data[:-10], "")
        with pytest.raises(DamagedKeyFile, match="base64"):
            open_container(data.replace(b"M", b"*"), "")

    def test_old_pem_headers_are_skipped(self) -> None:
        data = pem("PRIVATE KEY", writer.private_key_info(KEY))
        with_header = data.replace(b"KEY-----\n", b"KEY-----\nComment: mine\n\n", 1)
        assert only_key(with_header) == KEY


def streamed(data: bytes) -> bytes:
    """The same structure as a streaming writer frames it: no lengths, octets in pieces."""
    node = der.parse(data)
    if node.is_constructed:
        parts = b"".join(streamed(child.raw) for child in node.children())
        return bytes([node.tag, 0x80]) + parts + b"\x00\x00"
    if node.tag == der.OCTET_STRING and len(node.content) > 40:
        half = len(node.content) // 2
        pieces = (node.content[:half], node.content[half:])
        return b"\x24\x80" + b"".join(map(der.octet_string, pieces)) + b"\x00\x00"
    return data


class TestStreamedFiles:
    @pytest.mark.parametrize(
        "make",
        [
            lambda: writer.private_key_info(KEY),
            lambda: writer.encrypted_private_key(KEY, PASSWORD, iterations=FEW),
            lambda: writer.pkcs12([KEY], PASSWORD, iterations=FEW),
        ],
        ids=["pkcs8", "pbes2", "pkcs12"],
    )
    def test_they_open_like_any_other(self, make: Callable[[], bytes]) -> None:
        data = streamed(make())
        assert b"\x30\x80" in data[:2]
        assert only_key(data) == KEY
        with pytest.raises(TrailingBytes):
            only_key(data + b"\x00")

    @pytest.mark.parametrize(
        "data",
        [
            b"\x30\x80",
            b"\x30\x80\x04",
            b"\x30\x80\x04\x80\x00\x00\x00\x00",
            b"\x30\x80\x1f\x01\x00\x00\x00",
            b"\x30\x80\x04\x85\x01\x01\x01\x01\x01",
            b"\x30\x80\x04\x82\x01\x00\x00",
            b"\x30\x80\x24\x80\x02\x01\x00\x00\x00\x00\x00",
            b"\x30\x80" * 100,
            b"\x30\x05\x02\x08\x01",
        ],
    )
    def test_malformed_framing_is_damage(self, data: bytes) -> None:
        with pytest.raises(DamagedKeyFile):
            open_container(data, PASSWORD)


def test_no_error_shows_password_or_key() -> None:
    data = writer.encrypted_private_key(KEY, PASSWORD, iterations=FEW)
    with pytest.raises(WrongPasswordOrDamaged) as refused:
        open_container(data, "таємниця")
    assert "таємниця" not in f"{refused.value!r} {refused.value} {refused.value.facts()}"
    assert "таємниця" not in repr(Password("таємниця", Budget()))
    shown = repr(open_container(data, PASSWORD))
    assert f"{KEY.scalar}" not in shown
    assert f"{KEY.scalar:x}" not in shown.lower()


def test_every_error_has_its_own_code() -> None:
    classes = KeyFileError.__subclasses__()
    codes = {cls.code for cls in classes}
    assert len(codes) == len(classes) >= 15
    assert all(code.startswith("key-file-") for code in codes)
