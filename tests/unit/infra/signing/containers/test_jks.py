"""Java key stores, written after the description of the format."""

import hashlib

import pytest

from infra.signing import der, dstu_oids
from infra.signing.containers import (
    ContainerFormat,
    open_container,
    writer,
)
from infra.signing.containers.errors import (
    DamagedKeyFile,
    KeyFileError,
    NoKeyInside,
    TrailingBytes,
    UnsupportedKeyFile,
    WrongPassword,
)
from infra.signing.dstu_authority import DstuAuthority
from tests.unit.infra.signing.containers.conftest import Holder
from tests.unit.infra.signing.containers.files import (
    KEY,
    PASSWORD,
    only_key,
    plain_foreign,
    rsa_key,
)

pytestmark = pytest.mark.usefixtures("with_compiled_hashes")


def java_store(
    keys: list[tuple[str, bytes, list[bytes]]],
    password: str = PASSWORD,
    *,
    version: int = 2,
    extra: bytes = b"",
    count: int | None = None,
    trusted: bytes | None = None,
) -> bytes:
    """A Java key store, written after the description of the format."""
    secret = password.encode("utf-16-be")

    def sized(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    def text(value: str) -> bytes:
        return len(value.encode()).to_bytes(2, "big") + value.encode()

    def certificate(data: bytes) -> bytes:
        return (text("X.509") if version == 2 else b"") + sized(data)

    entries = b""
    for alias, info, chain in keys:
        salt = bytes(range(20))
        stream, block = b"", salt
        while len(stream) < len(info):
            block = hashlib.sha1(secret + block).digest()
            stream += block
        hidden = bytes(a ^ b for a, b in zip(info, stream, strict=False))
        body = salt + hidden + hashlib.sha1(secret + info).digest()
        algorithm = der.sequence(der.oid(dstu_oids.JKS_PROTECTION), der.null())
        entries += (1).to_bytes(4, "big") + text(alias) + bytes(8)
        entries += sized(der.sequence(algorithm, der.octet_string(body)))
        entries += len(chain).to_bytes(4, "big") + b"".join(map(certificate, chain))
    if trusted is not None:
        entries += (2).to_bytes(4, "big") + text("root") + bytes(8) + certificate(trusted)
    number = len(keys) + (trusted is not None) if count is None else count
    head = bytes.fromhex("feedfeed") + version.to_bytes(4, "big") + number.to_bytes(4, "big")
    store = head + entries + extra
    return store + hashlib.sha1(secret + b"Mighty Aphrodite" + store).digest()


class TestJavaKeyStore:
    @pytest.mark.parametrize("version", [1, 2])
    def test_it_opens(self, version: int, person: Holder, authority: DstuAuthority) -> None:
        chain = [person.agreement_certificate, person.signing_certificate]
        info = writer.private_key_info(person.signing)
        data = java_store(
            [("sign", info, chain)], version=version, trusted=authority.certificate.raw
        )
        container = open_container(data, PASSWORD)
        assert container.format is ContainerFormat.JKS
        assert container.choose().private == person.signing
        assert container.choose().name == "sign"
        assert len(container.certificates) == 3

    @pytest.mark.parametrize("wrong", ["", "other", "\ud800"])
    def test_a_wrong_password_is_proven(self, wrong: str) -> None:
        data = java_store([("sign", writer.private_key_info(KEY), [])])
        with pytest.raises(WrongPassword):
            open_container(data, wrong)

    def test_damage_outside_the_keys_is_told_from_a_wrong_password(self, person: Holder) -> None:
        info = writer.private_key_info(person.signing)
        data = bytearray(java_store([("sign", info, [person.signing_certificate])]))
        data[-40] ^= 1
        with pytest.raises(DamagedKeyFile, match="checksum"):
            open_container(bytes(data), PASSWORD)

    def test_what_follows_the_last_entry_is_said_to_be_too_much(self) -> None:
        data = java_store([("sign", writer.private_key_info(KEY), [])], extra=b"garbage")
        with pytest.raises(TrailingBytes) as trailing:
            open_container(data, PASSWORD)
        assert trailing.value.octets == 7

    @pytest.mark.parametrize("count", [2, 65, 2**32 - 1])
    def test_an_impossible_number_of_entries_is_damage(self, count: int) -> None:
        data = java_store([("sign", writer.private_key_info(KEY), [])], count=count)
        with pytest.raises(KeyFileError) as refused:
            open_container(data, PASSWORD)
        assert isinstance(refused.value, DamagedKeyFile | UnsupportedKeyFile)

    def test_a_store_of_certificates_has_no_key(self, authority: DstuAuthority) -> None:
        with pytest.raises(NoKeyInside):
            open_container(java_store([], trusted=authority.certificate.raw), PASSWORD)

    def test_another_version_is_named(self) -> None:
        with pytest.raises(UnsupportedKeyFile, match="version 3"):
            open_container(java_store([], version=3), PASSWORD)

    def test_a_long_chain_is_damage(self) -> None:
        data = java_store([("sign", writer.private_key_info(KEY), [b"x"] * 33)])
        with pytest.raises(DamagedKeyFile, match="chain"):
            open_container(data, PASSWORD)

    def test_a_foreign_key_beside_ours_is_passed_over(self) -> None:
        foreign, own = plain_foreign(rsa_key()), writer.private_key_info(KEY)
        data = java_store([("tls", foreign, []), ("sign", own, [])])
        assert only_key(data) == KEY

    @pytest.mark.parametrize(
        ("entry", "error"),
        [
            (b"no DER", DamagedKeyFile),
            (
                der.sequence(
                    der.sequence(der.oid(dstu_oids.JKS_PROTECTION)), der.octet_string(b"short")
                ),
                DamagedKeyFile,
            ),
            (
                der.sequence(der.sequence(der.oid("1.2.3.4")), der.octet_string(bytes(60))),
                UnsupportedKeyFile,
            ),
        ],
    )
    def test_a_malformed_entry_is_refused(self, entry: bytes, error: type[KeyFileError]) -> None:
        head = bytes.fromhex("feedfeed0000000200000001") + (1).to_bytes(4, "big")
        head += b"\x00\x01a" + bytes(8) + len(entry).to_bytes(4, "big") + entry + bytes(4)
        with pytest.raises(error):
            open_container(head + bytes(20), PASSWORD)
