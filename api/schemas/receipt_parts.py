"""What an answer about a receipt is made of: lines, payments, refusals, the receipts that belong to it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.progress import Refusal, WaitingReason
from api.schemas.common import AnswerModel, Id, Links
from domain.documents.receipt import (
    CardSlip,
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
from projections.receipts_view import ReceiptRow

_RECEIPT = "7e5a0000-0b1c-4d2e-8f30-a1b2c3d401f7"
_REGISTER = "c2f3de55-9f0b-5b0e-8f6e-2a6f0c1b7d20"


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
