"""Control numbers and the frame of a package, on the published vectors."""

import hashlib
from pathlib import Path

import pytest

from infra.signing import cms
from infra.simulator.answers import Refusal
from infra.simulator.offline_numbers import (
    OfflineNumber,
    control_number,
    control_of,
    read_offline_number,
)
from infra.simulator.package import Packed, numbered, unpack
from infra.simulator.xml_reader import read_document
from tests.unit.infra.simulator.offline import framed

SEED = 100710382471


@pytest.mark.parametrize(
    ("joined", "expected"),
    [
        ("06112026,160210,521,4000777001,7", 9516),
        ("06112026,160244,522,4000777001,7,60.00", 2174),
        (
            (
                "06112026,160530,523,4000777001,7,25.00,"
                "80e5341b259622f82b9019106a1064e7407c15fd3dd4675f94e7577be7c7020a"
            ),
            4344,
        ),
        (
            (
                "06112026,171000,524,4000777001,7,"
                "64d1348484854c8079c7ccc5caa327f5dea7636b74496969123bfd459012e37f"
            ),
            5451,
        ),
        ("12032021,175253,1836,4000000202,6", 9536),
        ("12032021,175253,1837,4000000202,6", 7773),
        (
            (
                "12032021,175346,1842,4000000202,6,"
                "682ee1e51649bb24472d1f6753539b50f0a447df54ad28cb7549ce3ca8bc4af8"
            ),
            44,
        ),
    ],
)
def test_control_number_follows_the_vectors(joined: str, expected: int) -> None:
    assert control_of(f"{SEED},{joined}") == expected


def test_control_number_of_the_official_example() -> None:
    joined = (
        "179625192271939,20082020,142338,10,4000002411,10,"
        "cdd68bb111f8993f3603f0179341571b35b73a07d5acee9b28fbfb714698e1b3"
    )

    assert control_of(joined) == 4758


@pytest.mark.parametrize("value", ["1.2", "1.2.3.4", "a.1.1", "0.1.1", "5.1.0", "5.1.12345", ""])
def test_what_is_no_offline_number(value: str) -> None:
    assert read_offline_number(value) is None


def test_offline_number_has_three_parts() -> None:
    assert read_offline_number("82563.25.6127") == OfflineNumber(82563, 25, 6127)


class TestFrame:
    def test_documents_come_out_with_index_and_offset(self) -> None:
        assert unpack(framed([b"abc", b"defgh"])) == [Packed(0, 4, b"abc"), Packed(1, 11, b"defgh")]

    def test_documents_given_one_by_one_are_placed_alike(self) -> None:
        documents = [b"abc", b"defgh"]

        assert numbered(documents) == unpack(framed(documents))

    def test_hundred_documents_are_taken_and_one_more_is_not(self) -> None:
        assert len(unpack(framed([b"x"] * 100))) == 100
        with pytest.raises(Refusal, match="10 PackageValidationError"):
            unpack(framed([b"x"] * 101))

    @pytest.mark.parametrize(
        "content", [b"", b"\0\0\0\0", b"\1\0", b"\x05\0\0\0abc", b"\0\0\0\5abcde"]
    )
    def test_broken_frame_is_refused(self, content: bytes) -> None:
        with pytest.raises(Refusal, match="10 PackageValidationError"):
            unpack(content)


def test_official_package_is_read(shared_folder: Path) -> None:
    samples = shared_folder / "reference" / "fiscal-server" / "signed-samples"
    content = (samples / "offline_packet.bin").read_bytes()

    packed = unpack(content)

    assert [each.offset for each in packed] == [4, 5058, 7820, 11509, 15198, 18560, 21419]
    documents = []
    for each in packed:
        inside = cms.parse(each.signed).content
        assert inside is not None
        documents.append(read_document(inside))
    numbers = [read_offline_number(str(each.head["ORDERTAXNUM"])) for each in documents]
    controls = [control_number(each, seed=SEED) for each in documents]
    assert controls == [9536, 7773, 5807, 7473, 8814, 1734, 44]
    assert numbers == [
        OfflineNumber(21182, position, control) for position, control in enumerate(controls, 1)
    ]
    hashes = [hashlib.sha256(each.signed).hexdigest() for each in packed]
    assert [each.head.get("PREVDOCHASH") for each in documents] == [None, None, *hashes[1:6]]
