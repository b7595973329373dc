"""Documents of the drawer, built from what a till asks, beside the official samples and the worked examples."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from lxml import etree

from domain.documents.receipt import CardSlip, CashPurpose, Receipt
from domain.documents.shift import (
    DocumentKind,
    FiscalDocument,
    Heading,
    ShiftTotals,
    WithdrawalTotals,
    ZReport,
)
from domain.documents.xml import read_document, to_xml
from domain.drawer import (
    CashRequest,
    DepositRequest,
    DrawerSettings,
    IssueRequest,
    WithdrawalRequest,
    cash_effect,
    cash_receipt,
)
from domain.money import Money
from tests import examples
from tests.unit.domain.documents.test_xml import flat, schemas_of, worked_examples


def receipt_of(request: CashRequest) -> Receipt:
    return cash_receipt(
        request,
        settings=DrawerSettings(),
        receipt_id=UUID(int=1),
        issued_at=datetime(2026, 11, 5, 7, tzinfo=UTC),
        cashier_id=None,
        cashier_name="Приклад О. П.",
    )


def document_of(request: CashRequest, *, heading: Heading) -> bytes:
    receipt = receipt_of(request)
    kind = DocumentKind(receipt.kind.value)
    return to_xml(FiscalDocument(kind=kind, heading=heading, content=receipt))


def without(rows: list[tuple[str, str, str | None]], *paths: str) -> list[object]:
    return [row for row in rows if row[0] not in paths]


class TestOfficialSamples:
    @pytest.mark.parametrize(
        ("name", "request_", "differs"),
        [
            (
                "check01(Службове внесення).xml",
                DepositRequest(Money(60_053)),
                # The number is what the server adds to its copy.
                ("CHECKHEAD/ORDERTAXNUM",),
            ),
            (
                "check01(Службова видача).xml",
                IssueRequest(Money(25_050), CashPurpose.BANK_COLLECTION),
                ("CHECKHEAD/ORDERTAXNUM",),
            ),
            (
                "check01(Видача готівки).xml",
                WithdrawalRequest(
                    Money(50_000),
                    commission=Money(500),
                    recipient_name="Іванов Петро Іванович",
                    recipient_number="111111111111",
                    payment_purpose="Видача готівки",
                    payer_name='Бакай I. Ї."',
                ),
                # The sample's UID is no GUID; ours always is, and another one stands in its place.
                ("CHECKHEAD/UID",),
            ),
        ],
    )
    def test_sample_is_rebuilt_element_by_element(
        self, name: str, request_: CashRequest, differs: tuple[str, ...], shared_folder: Path
    ) -> None:
        sample = (shared_folder / "reference" / "fiscal-server" / "examples" / name).read_bytes()
        found = read_document(sample)
        rebuilt = document_of(request_, heading=found.heading)

        assert without(flat(rebuilt), *differs) == without(flat(sample), *differs)
        assert found.unread == tuple(path for path in differs if path.endswith("UID"))
        root = etree.fromstring(rebuilt)
        schemas_of(shared_folder)["CHECK"].assertValid(root)

    @pytest.mark.parametrize(
        ("section", "request_"),
        [
            ("11.2", DepositRequest(Money(50_000))),
            ("11.9", IssueRequest(Money(20_000), CashPurpose.SAFE)),
            (
                "11.7",
                WithdrawalRequest(
                    Money(50_000),
                    slip=CardSlip(
                        payment_system="ПРОСТІР",
                        acquirer_name='АТ "Банк-Приклад"',
                        transaction_id="630812345710",
                        paid_at=datetime(2026, 11, 5, 11, 2, 5, tzinfo=UTC),
                        terminal_id="S1EX0007",
                        masked_card="9804********1234",
                        authorisation_code="204561",
                    ),
                ),
            ),
        ],
    )
    def test_worked_example_is_rebuilt_without_a_difference(
        self, section: str, request_: CashRequest, shared_folder: Path
    ) -> None:
        data = worked_examples(shared_folder)[section]
        heading = read_document(data).heading
        assert flat(document_of(request_, heading=heading)) == flat(data)

    def test_cash_part_of_the_worked_z_report_is_rebuilt_from_receipts(
        self, shared_folder: Path
    ) -> None:
        data = worked_examples(shared_folder)["11.10"]
        totals = ShiftTotals()
        for request in (
            DepositRequest(Money(50_000)),
            WithdrawalRequest(Money(50_000)),
            IssueRequest(Money(20_000), CashPurpose.SAFE),
        ):
            totals = totals.with_receipt(receipt_of(request))
        document = replace(
            examples.Z_REPORT_DOCUMENT, content=ZReport(z_report_id=UUID(int=2), totals=totals)
        )

        # Sales and returns of that shift have tests of their own.
        cash = re.compile("ZREP(CASH|BODY)")
        rebuilt = [row for row in flat(to_xml(document)) if cash.match(row[0])]
        assert rebuilt == [row for row in flat(data) if cash.match(row[0])]


class TestReading:
    def test_additional_deposit_of_another_program_counts_as_cash_put_in(self) -> None:
        data = to_xml(examples.DEPOSIT_DOCUMENT).replace(
            b"<DOCSUBTYPE>2</DOCSUBTYPE>", b"<DOCSUBTYPE>3</DOCSUBTYPE>"
        )
        found = read_document(data)
        assert found.unread == ("CHECKHEAD/DOCSUBTYPE",)
        assert found.document is not None
        assert found.document.kind is DocumentKind.SERVICE_DEPOSIT
        assert isinstance(found.document.content, Receipt)
        assert found.document.content.total == Money(50_000)

    @pytest.mark.parametrize(
        ("before", "after", "unread"),
        [
            ("<NOTAXSUM>500.00", "<NOTAXSUM>499.00", "CHECKTOTAL/NOTAXSUM"),
            ("<COST>500.00", "<COST>499.00", "CHECKBODY/ROW/COST"),
            ("<NAME>Видача готівки", "<NAME>Кеш", "CHECKBODY/ROW/NAME"),
            ("<CODE>1", "<CODE>7", "CHECKBODY/ROW/CODE"),
        ],
    )
    def test_withdrawal_that_says_more_than_we_hold_names_it(
        self, before: str, after: str, unread: str
    ) -> None:
        text = to_xml(examples.WITHDRAWAL_DOCUMENT).decode("cp1251")
        assert before in text
        assert read_document(text.replace(before, after).encode("cp1251")).unread == (unread,)

    def test_withdrawal_without_payments_is_cash_of_its_whole_sum(self) -> None:
        text = to_xml(examples.WITHDRAWAL_DOCUMENT).decode("cp1251")
        bare = re.sub("<CHECKPAY>.*</CHECKPAY>", "", text)
        assert bare != text
        found = read_document(bare.encode("cp1251"))
        assert found.document is not None
        assert isinstance(found.document.content, Receipt)
        assert cash_effect(found.document.content) == Money(-50_000)

    def test_withdrawals_of_a_z_report_come_back(self) -> None:
        found = read_document(to_xml(examples.WITHDRAWALS_Z_REPORT_DOCUMENT)).document
        assert found is not None
        assert isinstance(found.content, ZReport)
        assert found.content.totals.withdrawals == WithdrawalTotals(
            count=2, total=Money(105_000), commission=Money(1_050)
        )
