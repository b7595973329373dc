"""The container of ІІТ, written after the description of the format."""

import pytest

from infra.signing import der, dstu_oids
from infra.signing.containers import (
    ContainerFormat,
    KeyPurpose,
    detect,
    open_container,
    writer,
)
from infra.signing.containers.errors import (
    DamagedKeyFile,
    WrongPassword,
)
from infra.signing.curves import CURVES
from tests.unit.infra.signing.containers.files import KEY, PASSWORD, iit_file, only_key

pytestmark = pytest.mark.usefixtures("with_compiled_hashes")


class TestIit:
    @pytest.mark.parametrize("padding", range(8))
    def test_it_opens_whatever_the_last_block(self, padding: int) -> None:
        attributes = der.explicit(
            0,
            der.sequence(der.oid("1.2.3"), der.encode(der.SET, der.octet_string(bytes(padding)))),
        )
        info = der.parse(writer.private_key_info(KEY))
        text = der.sequence(*(node.raw for node in info.children()), attributes)
        data = iit_file(text, PASSWORD.encode())
        assert detect(data) is ContainerFormat.IIT
        assert only_key(data) == KEY

    def test_a_password_in_windows_1251_opens_too(self) -> None:
        data = iit_file(writer.private_key_info(KEY), PASSWORD.encode("cp1251"))
        assert only_key(data) == KEY

    def test_a_wrong_password_is_proven(self) -> None:
        data = iit_file(writer.private_key_info(KEY), PASSWORD.encode())
        with pytest.raises(WrongPassword):
            only_key(data, "other")

    def test_a_text_with_the_right_mac_that_is_no_key_is_damage(self) -> None:
        with pytest.raises(DamagedKeyFile):
            only_key(iit_file(b"no key at all...", PASSWORD.encode()))

    @pytest.mark.parametrize("change", [{"mac": b"abc"}, {"pad": False}])
    def test_lengths_that_do_not_fit_are_damage(self, change: dict[str, bytes | bool]) -> None:
        mac, pad = change.get("mac"), change.get("pad", True)
        assert isinstance(mac, bytes | None)
        data = iit_file(bytes(13), b"password", mac=mac, pad=bool(pad))
        with pytest.raises(DamagedKeyFile, match="lengths"):
            only_key(data)

    @pytest.mark.parametrize(
        "second",
        [
            der.null(),
            der.encode(der.BIT_STRING, b"\x00"),
            der.encode(der.BIT_STRING, b"\x00" + bytes(10)),
            der.encode(der.BIT_STRING, b"\x00" + b"\xff" * 90),
        ],
    )
    def test_a_second_key_that_cannot_be_read_does_not_matter(self, second: bytes) -> None:
        attributes = [
            der.sequence(der.oid(oid), der.encode(der.SET, value))
            for oid, value in (
                (dstu_oids.IIT_AGREEMENT_KEY, second),
                (dstu_oids.IIT_AGREEMENT_PARAMETERS, der.sequence(der.oid(CURVES[-1].oid))),
            )
        ]
        info = der.parse(writer.private_key_info(KEY))
        text = der.sequence(*(node.raw for node in info.children()), der.explicit(0, *attributes))
        (key,) = open_container(iit_file(text, b"password"), "password").keys
        assert (key.private, key.purpose) == (KEY, KeyPurpose.SIGNING)
