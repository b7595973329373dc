"""Receipts as the API shows them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.progress import REASON_TEXTS, ReceiptProgress, Refusal, WaitingReason
from api.schemas.common import AnswerModel, Id, Links
from api.schemas.totals import TaxAnswer
from domain.documents.receipt import (
    CardSlip,
    CashPurpose,
    CashWithdrawal,
    Discount,
    Line,
    Original,
    PartPayment,
    PartPaymentKind,
    Payment,
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


class DiscountAnswer(AnswerModel):
    """A discount; a negative amount is a surcharge."""

    amount_kopecks: int = Field(description="What it takes off.", examples=[344])
    percent_basis_points: int | None = Field(
        description="The percentage it was given as; negative with a surcharge.", examples=[1250]
    )
    name: str | None = Field(
        description="What it is called.", examples=["Картка постійного покупця"]
    )

    @classmethod
    def of(cls, discount: Discount) -> DiscountAnswer:
        """Return the answer about a discount."""
        percent = discount.percent
        return cls(
            amount_kopecks=discount.amount.kopecks,
            percent_basis_points=None if percent is None else percent.basis_points,
            name=discount.name,
        )


class LineAnswer(AnswerModel):
    """One line."""

    name: str = Field(description="What is sold.", examples=["Хліб житній"])
    quantity_thousandths: int = Field(description="Quantity in thousandths.", examples=[1000])
    price_kopecks: int = Field(description="Price of one unit.", examples=[2748])
    cost_kopecks: int = Field(description="Price × quantity, half kopecks up.", examples=[2748])
    discount: DiscountAnswer | None = Field(description="The line's own discount or surcharge.")
    receipt_discount_kopecks: int = Field(
        description="Its share of the receipt's discount; negative with a surcharge.", examples=[0]
    )
    discounted_cost_kopecks: int = Field(
        description="What is owed for the line: the cost less both discounts.", examples=[2404]
    )
    paid_kopecks: int | None = Field(
        description="In a part payment: what this receipt takes of it, before cash rounding.",
        examples=[1000],
    )
    letters: str = Field(description="Tax letters.", examples=["А"])
    code: str | None = Field(description="Your code.", examples=["1002"])
    barcode: str | None = Field(description="Barcode.", examples=["4820000000031"])
    uktzed: str | None = Field(description="Goods code УКТЗЕД.", examples=["2204219700"])
    dkpp: str | None = Field(description="Service code ДКПП.", examples=["25.61.22-30.00"])
    excise_stamps: list[str] = Field(description="Excise stamps.", examples=[["ABCD123456"]])
    unit_code: int | None = Field(description="Code of the unit of measure.", examples=[2009])
    unit_name: str | None = Field(description="Unit of measure.", examples=["шт"])
    fiscal_name: str | None = Field(description="Short name in documents.", examples=["Хліб"])

    @classmethod
    def of(cls, line: Line) -> LineAnswer:
        """Return the answer about a line."""
        return cls(
            name=line.name,
            quantity_thousandths=line.quantity.thousandths,
            price_kopecks=line.price.kopecks,
            cost_kopecks=line.cost.kopecks,
            discount=None if line.discount is None else DiscountAnswer.of(line.discount),
            receipt_discount_kopecks=0
            if line.receipt_discount is None
            else line.receipt_discount.kopecks,
            discounted_cost_kopecks=line.discounted.kopecks,
            paid_kopecks=None if line.paid is None else line.paid.kopecks,
            letters=line.letters,
            code=line.code,
            barcode=line.barcode,
            uktzed=line.uktzed,
            dkpp=line.dkpp,
            excise_stamps=list(line.excise_stamps or ()),
            unit_code=line.unit_code,
            unit_name=line.unit_name,
            fiscal_name=line.fiscal_name,
        )


class SlipAnswer(AnswerModel):
    """What the bank terminal printed."""

    payment_system: str | None = Field(description="Payment system.", examples=["ПРОСТІР"])
    acquirer_id: str | None = Field(description="Acquirer's id.", examples=["700123456"])
    acquirer_name: str | None = Field(description="Acquirer.", examples=['АТ "Банк-Приклад"'])
    transaction_id: str | None = Field(description="RRN.", examples=["630812345678"])
    paid_at: datetime | None = Field(description="Time.", examples=["2026-11-05T08:15:02Z"])
    slip_number: str | None = Field(description="Number.", examples=["000482"])
    terminal_id: str | None = Field(description="Terminal.", examples=["S1EX0007"])
    masked_card: str | None = Field(description="Masked card.", examples=["9804********1234"])
    authorisation_code: str | None = Field(description="Code.", examples=["204518"])
    commission_kopecks: int | None = Field(description="Commission.", examples=[0])

    @classmethod
    def of(cls, slip: CardSlip) -> SlipAnswer:
        """Return the answer about a slip."""
        return cls(
            payment_system=slip.payment_system,
            acquirer_id=slip.acquirer_id,
            acquirer_name=slip.acquirer_name,
            transaction_id=slip.transaction_id,
            paid_at=slip.paid_at,
            slip_number=slip.slip_number,
            terminal_id=slip.terminal_id,
            masked_card=slip.masked_card,
            authorisation_code=slip.authorisation_code,
            commission_kopecks=None if slip.commission is None else slip.commission.kopecks,
        )


class PaymentAnswer(AnswerModel):
    """One payment; `provided` and `change` only where change was given."""

    form_code: int = Field(description="The form's code.", examples=[0])
    form_name: str = Field(description="The form's name.", examples=["ГОТІВКА"])
    amount_kopecks: int = Field(description="What it covers.", examples=[2750])
    provided_kopecks: int | None = Field(description="What was handed over.", examples=[5000])
    change_kopecks: int | None = Field(description="Change given.", examples=[2250])
    slip: SlipAnswer | None = Field(description="The terminal's slip.")

    @classmethod
    def of(cls, payment: Payment) -> PaymentAnswer:
        """Return the answer about a payment."""
        return cls(
            form_code=payment.form_code,
            form_name=payment.form_name,
            amount_kopecks=payment.amount.kopecks,
            provided_kopecks=None if payment.provided is None else payment.provided.kopecks,
            change_kopecks=None if payment.change is None else payment.change.kopecks,
            slip=None if payment.slip is None else SlipAnswer.of(payment.slip),
        )


class WithdrawalAnswer(AnswerModel):
    """What a cash withdrawal tells besides its amount."""

    commission_kopecks: int = Field(description="What it cost the card holder.", examples=[0])
    recipient_name: str | None = Field(
        description="Who got the cash.", examples=["Зразок Іван Петрович"]
    )
    recipient_number: str | None = Field(
        description="The recipient's tax number.", examples=["111111111111"]
    )
    payer_name: str | None = Field(description="Who gave it.", examples=["Приклад О. П."])
    payment_purpose: str | None = Field(
        description="Purpose on the document.", examples=["Видача готівки держателю картки"]
    )

    @classmethod
    def of(cls, withdrawal: CashWithdrawal) -> WithdrawalAnswer:
        """Return the answer about a withdrawal."""
        return cls(
            commission_kopecks=withdrawal.commission.kopecks,
            recipient_name=withdrawal.recipient_name,
            recipient_number=withdrawal.recipient_number,
            payer_name=withdrawal.payer_name,
            payment_purpose=withdrawal.payment_purpose,
        )


class RefusalAnswer(AnswerModel):
    """Why the tax service refused."""

    server_code: int = Field(description="Its code; docs/answers.md tells each.", examples=[9])
    text: str = Field(description="Its own words.", examples=["Документ не пройшов перевірку"])

    @classmethod
    def of(cls, refusal: Refusal) -> RefusalAnswer:
        """Return the answer about a refusal."""
        return cls(server_code=refusal.server_code, text=refusal.text)


class WaitingReasonAnswer(AnswerModel):
    """Why a receipt is not registered yet."""

    code: WaitingReason = Field(description="Stable name.", examples=["earlier-document-open"])
    text: str = Field(
        description="In words.",
        examples=["An earlier document of this register is still on its way."],
    )
    lane: str | None = Field(
        default=None,
        description="What the register's lane says: why it was parked or what it waits for.",
        examples=["the tax service did not answer"],
    )


class ReceiptLinks(Links):
    """Where to go on from here."""

    document: str | None = Field(
        description="The signed document, once there is one.",
        examples=[f"/v1/registers/{_REGISTER}/documents/{_RECEIPT}"],
    )


class OriginalAnswer(AnswerModel):
    """The receipt that a return gives goods back of, or that a storno takes back."""

    fiscal_number: str = Field(description="Its fiscal number.", examples=["3600000103"])
    register_fiscal_number: str | None = Field(
        description="The register that sold, where it is another one.", examples=["4000777002"]
    )
    receipt_id: UUID | None = Field(description="Its id, where it is known.", examples=[_RECEIPT])
    register_id: UUID | None = Field(description="Its register.", examples=[_REGISTER])
    kind: ReceiptKind | None = Field(description="What it is.", examples=["sale"])

    @classmethod
    def of(cls, original: Original) -> OriginalAnswer:
        """Return the answer about an original."""
        return cls(
            fiscal_number=original.fiscal_number,
            register_fiscal_number=original.register_fiscal_number,
            receipt_id=original.receipt_id,
            register_id=original.register_id,
            kind=original.kind,
        )


class PartPaymentAnswer(AnswerModel):
    """What makes a receipt a part payment; a further or final one names the prepayment."""

    kind: PartPaymentKind = Field(
        description="Which part of the price it takes.", examples=["further"]
    )
    full_kopecks: int = Field(
        description="The price of the goods after discounts: the sum that the document and its QR code carry.",
        examples=[12000],
    )
    prepayment_fiscal_number: str | None = Field(
        description="The prepayment's fiscal number.", examples=["3600000120"]
    )
    prepayment_receipt_id: UUID | None = Field(
        description="Its id, where it is known.", examples=[_RECEIPT]
    )
    prepayment_register_id: UUID | None = Field(description="Its register.", examples=[_REGISTER])

    @classmethod
    def of(cls, part: PartPayment) -> PartPaymentAnswer:
        """Return the answer about a part payment."""
        return cls(
            kind=part.kind,
            full_kopecks=part.full.kopecks,
            prepayment_fiscal_number=part.prepayment_fiscal_number,
            prepayment_receipt_id=part.prepayment_receipt_id,
            prepayment_register_id=part.prepayment_register_id,
        )


class RelatedAnswer(AnswerModel):
    """One receipt of a chain: a sale, what came back of it, what was taken back; a prepayment and what was paid on it."""

    receipt_id: Id = Field(description="Its id.", examples=[_RECEIPT])
    register_id: Id = Field(description="Its register.", examples=[_REGISTER])
    kind: ReceiptKind = Field(description="What it is.", examples=["return"])
    state: ReceiptState = Field(description="How far it is.", examples=["registered"])
    issued_at: datetime = Field(
        description="When it was issued.", examples=["2026-11-05T08:15:04Z"]
    )
    total_kopecks: int = Field(description="What was paid, or paid out.", examples=[2750])
    fiscal_number: str | None = Field(
        description="The number given by the tax service.", examples=["3600000104"]
    )
    original_receipt_id: UUID | None = Field(
        description="The receipt it gives back of, takes back or pays on.", examples=[_RECEIPT]
    )
    part_payment: PartPaymentKind | None = Field(
        description="Which part of the price it takes or gives back; null where it is no part.",
        examples=["prepayment"],
    )

    @classmethod
    def of(cls, row: ReceiptRow) -> RelatedAnswer:
        """Return the answer about a receipt of the journal."""
        return cls(
            receipt_id=row.receipt_id,
            register_id=row.register_id,
            kind=row.kind,
            state=row.state,
            issued_at=row.issued_at,
            total_kopecks=row.total.kopecks,
            fiscal_number=row.fiscal_number,
            original_receipt_id=row.original_receipt_id,
            part_payment=row.part,
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
