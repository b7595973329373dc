"""QR text against the worked examples of reference §11.16."""

from datetime import UTC, datetime

from domain.digest import sha256
from domain.money import Money
from domain.qr import MAC_SOURCE, MacSource, offline_mac, qr_text

AT = datetime(2026, 11, 5, 8, 15, 42, tzinfo=UTC)


def test_online_receipt_reads_as_in_the_worked_example() -> None:
    text = qr_text(
        fiscal_number="3600000103",
        register_fiscal_number="4000777001",
        at=AT,
        total=Money(46250),
    )
    assert text == (
        "https://cabinet.tax.gov.ua/cashregs/check"
        "?id=3600000103&fn=4000777001&date=20261105&time=1015&sm=462.50"
    )


def test_offline_receipt_carries_its_hash_as_in_the_worked_example() -> None:
    text = qr_text(
        fiscal_number="21999.3.4344",
        register_fiscal_number="4000777001",
        at=datetime(2026, 11, 6, 14, 5, 9, tzinfo=UTC),
        total=Money(2500),
        mac="ab" * 32,
    )
    assert text == (
        "https://cabinet.tax.gov.ua/cashregs/check"
        f"?id=21999.3.4344&fn=4000777001&date=20261106&time=1605&sm=25.00&mac={'ab' * 32}"
    )


def test_seconds_are_written_where_so_set() -> None:
    text = qr_text(
        fiscal_number="1", register_fiscal_number="2", at=AT, total=Money(5), with_seconds=True
    )
    assert "&time=101542&" in text


def test_time_is_kyiv_time_even_across_midnight() -> None:
    text = qr_text(
        fiscal_number="1",
        register_fiscal_number="2",
        at=datetime(2026, 7, 31, 21, 30, tzinfo=UTC),
        total=Money(5),
    )
    assert "date=20260801&time=0030" in text


def test_any_text_may_be_a_fiscal_number() -> None:
    text = qr_text(fiscal_number="Ux&=07 Y", register_fiscal_number="2", at=AT, total=Money(5))
    assert "?id=Ux%26%3D07%20Y&fn=2" in text


class TestMac:
    OWN, PREVIOUS = sha256(b"signed receipt"), sha256(b"signed document before").hex()

    def test_hash_of_the_receipt_itself_is_meant_unless_set_otherwise(self) -> None:
        mac = offline_mac(signed_sha256=self.OWN, previous_document_hash=self.PREVIOUS)
        assert MAC_SOURCE is MacSource.RECEIPT
        assert mac == self.OWN.hex()

    def test_first_receipt_of_a_session_has_a_mac_of_its_own(self) -> None:
        assert offline_mac(signed_sha256=self.OWN, previous_document_hash=None) == self.OWN.hex()

    def test_hash_of_the_document_before_may_be_set(self) -> None:
        source = MacSource.PREVIOUS_DOCUMENT
        for previous in (self.PREVIOUS, None):
            assert (
                offline_mac(signed_sha256=self.OWN, previous_document_hash=previous, source=source)
                == previous
            )
