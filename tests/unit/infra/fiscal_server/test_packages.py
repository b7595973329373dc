"""Packages: the official one, splitting, answers in every form, and which document a refusal means."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.answers import NextOfflineSession, PackageAnswer
from domain.digest import sha256
from domain.documents.shift import DocumentKind
from domain.documents.xml import read_document
from domain.errors import DocumentTooLarge, IntegrityFault, PackageRefused, Refused, Unreachable
from domain.offline.control_number import control_number, control_total
from infra.fiscal_server.answers import refused
from infra.fiscal_server.packages import (
    frame,
    package_refused,
    read_package_answer,
    split,
)
from infra.signing import cms
from infra.simulator.package import unpack
from tests.unit.infra.fiscal_server.test_tickets import ticket_xml

documents = st.lists(st.binary(max_size=300), max_size=12)


@pytest.fixture(scope="module")
def official_package(shared_folder: Path) -> bytes:
    folder = shared_folder / "reference" / "fiscal-server" / "signed-samples"
    return (folder / "offline_packet.bin").read_bytes()


class TestOfficialPackage:
    def test_seven_documents_framed_again_give_the_same_bytes(
        self, official_package: bytes
    ) -> None:
        found = [each.signed for each in unpack(official_package)]
        assert [len(each) for each in found] == [5050, 2758, 3685, 3685, 3358, 2855, 5091]
        assert frame(found) == official_package

    def test_documents_carry_the_session_that_their_numbers_and_bytes_make(
        self, official_package: bytes
    ) -> None:
        """Number, control number and hash of each follow from the rules; the seed is that of reference §4.6."""
        kinds, before = [], b""
        for number, signed in enumerate(
            (each.signed for each in unpack(official_package)), start=1
        ):
            content = cms.parse(signed).content
            assert content is not None
            document = read_document(content).document
            assert document is not None
            heading, mark = document.heading, document.heading.offline
            assert mark is not None
            chained = number > 2
            assert mark.previous_document_hash == (sha256(before).hex() if chained else None)
            assert (mark.fiscal_number.session_id, mark.fiscal_number.number) == ("21182", number)
            assert mark.fiscal_number.control == control_number(
                seed="100710382471",
                at=heading.at,
                local_number=heading.local_number,
                register_fiscal_number=heading.register_fiscal_number,
                register_local_number=heading.register_local_number,
                total=control_total(document),
                previous_hash=mark.previous_document_hash,
            )
            kinds.append(document.kind)
            before = signed
        assert kinds == [
            DocumentKind.OFFLINE_BEGIN,
            DocumentKind.SHIFT_OPENING,
            DocumentKind.SALE,
            DocumentKind.SALE,
            DocumentKind.Z_REPORT,
            DocumentKind.SHIFT_CLOSING,
            DocumentKind.OFFLINE_END,
        ]


class TestFraming:
    def test_length_is_four_bytes_with_the_lowest_first(self) -> None:
        assert frame([b"ab", b"c" * 258]) == b"\x02\0\0\0ab\x02\x01\0\0" + b"c" * 258

    @given(documents=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=12))
    def test_tax_service_finds_the_documents_that_went_in(self, documents: list[bytes]) -> None:
        assert [each.signed for each in unpack(frame(documents))] == documents


class TestSplitting:
    def test_nothing_needs_no_package(self) -> None:
        assert split([]) == ()

    def test_hundred_documents_are_one_package_and_one_more_are_two(self) -> None:
        assert [len(each) for each in split([b"1"] * 100)] == [100]
        assert [len(each) for each in split([b"1"] * 101)] == [100, 1]

    def test_lengths_count_beside_the_documents(self) -> None:
        assert [len(each) for each in split([b"1" * 6] * 3, most_bytes=20)] == [2, 1]
        assert [len(each) for each in split([b"1" * 6] * 3, most_bytes=19)] == [1, 1, 1]

    def test_document_that_alone_is_too_large_is_named(self) -> None:
        split([b"1" * (200_000 - 4)])
        with pytest.raises(DocumentTooLarge) as fault:
            split([b"1", b"1" * (200_000 - 3)])
        assert fault.value.facts() == {"index": 1, "size_bytes": 200_001, "most_bytes": 200_000}

    @given(
        documents=documents,
        most_documents=st.integers(1, 6),
        most_bytes=st.integers(304, 1_500),
    )
    def test_packages_keep_the_order_and_the_limits_and_are_no_more_than_needed(
        self, documents: list[bytes], most_documents: int, most_bytes: int
    ) -> None:
        packages = split(documents, most_documents=most_documents, most_bytes=most_bytes)
        assert [each for package in packages for each in package] == documents
        for package in packages:
            assert 1 <= len(package) <= most_documents
            assert len(frame(package)) <= most_bytes
        for package, following in pairwise(packages):
            longer = (*package, following[0])
            assert len(longer) > most_documents or len(frame(longer)) > most_bytes


class TestAnswers:
    @pytest.mark.parametrize("body", [b"OK", b"OK\r\n", b'"OK"', b"\xef\xbb\xbfOK", b"Ok"])
    def test_ok_accepts_a_package_without_the_end(self, body: bytes) -> None:
        assert read_package_answer(body, raw=body) == PackageAnswer(None, raw=body)

    @pytest.mark.parametrize(
        "body",
        [
            b'{"OfflineSessionId": 22054, "OfflineSeed": 881270455193}',
            b'{"OfflineSessionId": "22054", "OfflineSeed": "881270455193", "ErrorCode": "Ok"}',
            ticket_xml(OFFLINESESSIONID="22054", OFFLINESEED="881270455193", ORDERTAXNUM=None),
        ],
    )
    def test_end_of_the_session_gives_the_next_one(self, body: bytes) -> None:
        assert read_package_answer(body, raw=b"as received") == PackageAnswer(
            NextOfflineSession("22054", "881270455193"), raw=b"as received"
        )

    @pytest.mark.parametrize(
        "body",
        [
            b'{"OfflineSessionId": null, "OfflineSeed": null}',
            b'{"ErrorCode": 0, "ErrorMessage": null}',
            ticket_xml(OFFLINESESSIONID=None, OFFLINESEED=None),
        ],
    )
    def test_middle_of_the_session_gives_none_in_every_form(self, body: bytes) -> None:
        assert read_package_answer(body, raw=body) == PackageAnswer(None, raw=body)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"OK, come back later",
            b"<html>OK</html>",
            b'<?xml version="1.0"?><html>portal</html>',
            b"{}",
            b'{"message": "no"}',
            b'{"OfflineSessionId": 22054}',
            b'{"OfflineSessionId": [], "OfflineSeed": 1}',
            b"[]",
        ],
    )
    def test_anything_else_is_an_outcome_nobody_knows(self, body: bytes) -> None:
        with pytest.raises(Unreachable, match="/pck was not understood") as failure:
            read_package_answer(body, raw=body)
        assert failure.value.sent

    @pytest.mark.parametrize(
        "body",
        [
            "Код помилки: 10 PackageValidationError\r\nпакет".encode(),
            b'{"ErrorCode": 10, "ErrorMessage": "no"}',
            ticket_xml(ERRORCODE="10", ERRORTEXT="пакет", ORDERTAXNUM=None),
        ],
    )
    def test_code_is_a_refusal_in_every_form(self, body: bytes) -> None:
        with pytest.raises(Refused) as refusal:
            read_package_answer(body, raw=body)
        assert refusal.value.server_code == 10

    def test_ticket_that_is_cut_off_is_a_fault(self) -> None:
        with pytest.raises(IntegrityFault):
            read_package_answer(ticket_xml()[:-9], raw=b"")


class TestRefusals:
    WRONG_NUMBER = (
        "Помилка обробки документа за № 1 в пакеті, дислокація 5058:\r\n"
        "Некоректний локальний номер документа 1839 для ПРРО з фіскальним номером 4000000202. "
        "Номер документа повинен дорівнювати 1837"
    )

    def test_document_is_found_in_the_text(self) -> None:
        found = package_refused(refused(7, text=self.WRONG_NUMBER))
        assert isinstance(found, PackageRefused)
        assert found.facts() == {
            "server_code": 7,
            "name": "CheckLocalNumberInvalid",
            "text": self.WRONG_NUMBER,
            "index": 1,
            "offset": 5058,
        }

    def test_refusal_of_the_whole_names_no_document(self) -> None:
        found = package_refused(refused(12, text="сервіс"))
        assert (found.server_code, found.index, found.offset) == (12, None, None)

    def test_offset_is_where_the_documents_bytes_begin(self, official_package: bytes) -> None:
        second = unpack(official_package)[1].signed
        assert official_package.index(second) == 5058
