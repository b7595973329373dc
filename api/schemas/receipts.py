"""Receipts as the API shows them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.progress import REASON_TEXTS, ReceiptProgress
from api.schemas.common import AnswerModel, Id
from api.schemas.receipt_parts import (
    DiscountAnswer,
    LineAnswer,
    OriginalAnswer,
    PartPaymentAnswer,
    PaymentAnswer,
    ReceiptLinks,
    RefusalAnswer,
    RelatedAnswer,
    WaitingReasonAnswer,
    WithdrawalAnswer,
)
from api.schemas.totals import TaxAnswer
from domain.documents.receipt import (
    CashPurpose,
    ReceiptKind,
    ReceiptState,
)
from domain.documents.text import TEST_MARK
from projections.receipts_view import ReceiptRow

_RECEIPT = "7e5a0000-0b1c-4d2e-8f30-a1b2c3d401f7"
_REGISTER = "c2f3de55-9f0b-5b0e-8f6e-2a6f0c1b7d20"
_QR = (
    "https://cabinet.tax.gov.ua/cashregs/check?id=3600000103&fn=4000777001"
    "&date=20261105&time=1015&sm=27.50"
)


class ReceiptAnswer(AnswerModel):
    """A receipt and how far it is. Hand it to the buyer when its state is `registered` or `offline`."""

    kind: ReceiptKind = Field(description="What it is.", examples=["sale"])
    issued_at: datetime = Field(
        description="When it was issued.", examples=["2026-11-05T08:15:04Z"]
    )
    discount: DiscountAnswer | None = Field(
        description="The discount or surcharge on the whole receipt."
    )
    discount_kopecks: int = Field(
        description="All discounts of the receipt and its lines together.", examples=[0]
    )
    unrounded_kopecks: int = Field(
        description="Sum of the lines after discounts, of a part payment what is paid of it; of a storno: what it "
        "takes back.",
        examples=[2748],
    )
    rounding_kopecks: int = Field(description="unrounded − total.", examples=[-2])
    total_kopecks: int = Field(description="To pay; of a return: paid out.", examples=[2750])
    lines: list[LineAnswer] = Field(description="The lines.")
    payments: list[PaymentAnswer] = Field(description="How it is paid, with the change.")
    taxes: list[TaxAnswer] = Field(description="Taxes by letter.")
    cashier_id: UUID | None = Field(description="Who sold.", examples=[_RECEIPT])
    cashier_name: str | None = Field(
        description="The name on the receipt.", examples=["Приклад О. П."]
    )
    comment: str | None = Field(description="A line of text.", examples=["Замовлення № 77"])
    original: OriginalAnswer | None = Field(
        description="What a return gives back of, or a storno takes back; null for a sale."
    )
    purpose: CashPurpose | None = Field(
        description="What a service deposit or issue was for.", examples=["bank-collection"]
    )
    withdrawal: WithdrawalAnswer | None = Field(
        description="What a cash withdrawal tells besides its amount."
    )
    part_payment: PartPaymentAnswer | None = Field(
        description="What makes it a prepayment, a further payment, a final settlement, or the return of one."
    )

    receipt_id: Id = Field(description="Its id.", examples=[_RECEIPT])
    register_id: Id = Field(description="Its register.", examples=[_REGISTER])
    state: ReceiptState = Field(description="How far it is.", examples=["registered"])
    testing: bool = Field(
        description="Whether it is a test and no fiscal receipt.", examples=[False]
    )
    test_mark: str | None = Field(
        description="What must be shown with a test wherever it is shown.", examples=[TEST_MARK]
    )
    local_number: int | None = Field(description="The document's local number.", examples=[4321])
    fiscal_number: str | None = Field(
        description="The number given by the tax service.", examples=["3600000103"]
    )
    server_time: datetime | None = Field(
        description="When the tax service registered it.", examples=["2026-11-05T08:15:05Z"]
    )
    qr: str | None = Field(
        description="Content of the QR code, once there is a fiscal number.", examples=[_QR]
    )
    check_url: str | None = Field(
        description="Where the buyer can check the receipt.", examples=[_QR]
    )
    refusal: RefusalAnswer | None = Field(description="Why the tax service refused.")
    waiting_reason: WaitingReasonAnswer | None = Field(
        description="Why it is not registered yet; null when it is decided."
    )
    position: str | None = Field(
        description="The place of the log that shows this; give it as `at_least` to read your write.",
        examples=["17-4321"],
    )
    chain: list[RelatedAnswer] = Field(
        default=[],
        description="Receipts that belong together, this one included, oldest first: the sale, its returns, stornos; "
        "the prepayment and what was paid on it. Filled where a receipt is read; empty in answers to what issues one.",
        examples=[[]],
    )
    links: ReceiptLinks = Field(description="Where to go on from here.")


class ReceiptSummary(AnswerModel):
    """A receipt of the journal, without its lines."""

    receipt_id: Id = Field(description="Its id.", examples=[_RECEIPT])
    register_id: Id = Field(description="Its register.", examples=[_REGISTER])
    business_unit_id: Id = Field(description="Where it was sold.", examples=[_REGISTER])
    company_id: Id = Field(description="Who sold it.", examples=[_REGISTER])
    shift_id: UUID | None = Field(description="In which shift it counts.", examples=[_RECEIPT])
    kind: ReceiptKind = Field(description="What it is.", examples=["sale"])
    state: ReceiptState = Field(description="How far it is.", examples=["registered"])
    testing: bool = Field(
        description="Whether it is a test and no fiscal receipt.", examples=[False]
    )
    issued_at: datetime = Field(
        description="When it was issued.", examples=["2026-11-05T08:15:04Z"]
    )
    total_kopecks: int = Field(description="To pay.", examples=[2750])
    rounding_kopecks: int = Field(description="unrounded − total.", examples=[-2])
    discount_kopecks: int = Field(
        description="All discounts of the receipt and its lines together.", examples=[0]
    )
    cashier_id: UUID | None = Field(description="Who sold.", examples=[_RECEIPT])
    cashier_name: str | None = Field(
        description="The name on the receipt.", examples=["Приклад О. П."]
    )
    local_number: int | None = Field(description="The document's local number.", examples=[4321])
    fiscal_number: str | None = Field(
        description="The number given by the tax service.", examples=["3600000103"]
    )
    server_time: datetime | None = Field(
        description="When the tax service registered it.", examples=["2026-11-05T08:15:05Z"]
    )
    refusal: RefusalAnswer | None = Field(description="Why the tax service refused.")
    void_reason: str | None = Field(
        description="Why it was given up.", examples=["Покупець відмовився"]
    )
    reason: str | None = Field(
        description="What it waits for or why it is parked.", examples=["no-answer"]
    )
    links: ReceiptLinks = Field(description="Where to go on from here.")

    @classmethod
    def of(cls, row: ReceiptRow) -> ReceiptSummary:
        """Return the summary of a receipt of the journal."""
        refusal = None
        if row.refusal_code is not None:
            refusal = RefusalAnswer(server_code=row.refusal_code, text=row.refusal_text or "")
        return cls(
            receipt_id=row.receipt_id,
            register_id=row.register_id,
            business_unit_id=row.business_unit_id,
            company_id=row.company_id,
            shift_id=row.shift_id,
            kind=row.kind,
            state=row.state,
            testing=row.testing,
            issued_at=row.issued_at,
            total_kopecks=row.total.kopecks,
            rounding_kopecks=row.rounding.kopecks,
            discount_kopecks=row.discount.kopecks,
            cashier_id=row.cashier_id,
            cashier_name=row.cashier_name,
            local_number=row.local_number,
            fiscal_number=row.fiscal_number,
            server_time=row.server_time,
            refusal=refusal,
            void_reason=row.void_reason,
            reason=row.reason,
            links=_links(row.register_id, row.receipt_id, row.document_id),
        )


def receipt_answer(
    progress: ReceiptProgress,
    *,
    position: str | None,
    qr: str | None,
    lane_says: str | None = None,
) -> ReceiptAnswer:
    """Return the answer about a receipt."""
    receipt, register_id = progress.receipt, progress.register_id
    return ReceiptAnswer(
        receipt_id=receipt.receipt_id,
        register_id=register_id,
        kind=receipt.kind,
        state=progress.state,
        testing=progress.testing,
        test_mark=TEST_MARK if progress.testing else None,
        local_number=progress.local_number,
        fiscal_number=progress.fiscal_number,
        server_time=progress.server_time,
        issued_at=receipt.issued_at,
        discount=None if receipt.discount is None else DiscountAnswer.of(receipt.discount),
        discount_kopecks=receipt.taken_off.kopecks,
        unrounded_kopecks=receipt.unrounded.kopecks,
        rounding_kopecks=receipt.rounding.kopecks,
        total_kopecks=receipt.total.kopecks,
        lines=[LineAnswer.of(line) for line in receipt.lines],
        payments=[PaymentAnswer.of(payment) for payment in receipt.payments],
        taxes=[TaxAnswer.of(row) for row in receipt.taxes],
        cashier_id=receipt.cashier_id,
        cashier_name=receipt.cashier_name,
        comment=receipt.comment,
        original=None if receipt.original is None else OriginalAnswer.of(receipt.original),
        purpose=receipt.purpose,
        withdrawal=None if receipt.withdrawal is None else WithdrawalAnswer.of(receipt.withdrawal),
        part_payment=None if receipt.part is None else PartPaymentAnswer.of(receipt.part),
        qr=qr,
        check_url=qr,
        refusal=None if progress.refusal is None else RefusalAnswer.of(progress.refusal),
        waiting_reason=_reason(progress, lane_says),
        position=position,
        links=_links(register_id, receipt.receipt_id, progress.document_id),
    )


def _links(register_id: UUID, receipt_id: UUID, document_id: UUID | None) -> ReceiptLinks:
    register = f"/v1/registers/{register_id}"
    return ReceiptLinks(
        self=f"{register}/receipts/{receipt_id}",
        its_register=register,
        lane=f"{register}/lane",
        document=None if document_id is None else f"{register}/documents/{document_id}",
    )


def _reason(progress: ReceiptProgress, lane_says: str | None) -> WaitingReasonAnswer | None:
    reason = progress.reason
    if reason is None:
        return None
    return WaitingReasonAnswer(
        code=reason, text=REASON_TEXTS[reason], lane=progress.parked or lane_says
    )
