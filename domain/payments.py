"""How a receipt is paid: the forms a till may ask for, and what each of them covers.

A form is told by its code and its name together; totals are kept per pair (reference §3.5). The rules:

1. Code 0 is cash, code 1 a bank card. The list goes on and no source has all of it, so any other code and name are taken
   as the shop gives them: credit, certificate, transfer from an account, direct debit.
2. Everything that is not cash covers exactly what it was charged, never more than there is to pay.
3. Cash covers the rest, and only that rest is rounded. Change is given from cash alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from domain.documents.receipt import CardSlip, Payment
from domain.documents.text import Limit, encodable, optional
from domain.errors import InvalidField, PaymentsDiffer
from domain.money import ZERO, Money

CASH = (0, "ГОТІВКА")
CARD = (1, "КАРТКА")
"""The two payment forms whose code and name every source agrees on (reference §3.5)."""

_WHOLE_CARD_NUMBER = re.compile(r"(\d[ -]?){11}")

LARGEST_FORM_CODE = 999_999_999
"""The schema sets no limit; the largest code seen is 100000."""


@dataclass(frozen=True, slots=True)
class CashPayment:
    """Cash: `provided` is what the buyer handed over; None means exactly what is due."""

    provided: Money | None = None


@dataclass(frozen=True, slots=True)
class CardPayment:
    """A card: the amount charged, and the slip where a terminal is connected."""

    amount: Money
    slip: CardSlip | None = None


@dataclass(frozen=True, slots=True)
class OtherPayment:
    """Any other form by its code and name, such as 305 СЕРТИФІКАТ; `slip` where a terminal was used."""

    code: int
    name: str
    amount: Money
    slip: CardSlip | None = None


PaymentRequest = CashPayment | CardPayment | OtherPayment


def settle(
    requests: Sequence[PaymentRequest], *, due: Money, cash_step: Money
) -> tuple[Payment, ...]:
    """Return the payments that cover `due`: cash first, the others in the order they were asked for.

    Their sum is `due` after cash rounding. Raises: InvalidField, PaymentsDiffer.
    Source of the rounding: NBU resolution 25 of 15.03.2018 (reference §8.4): only the cash part is rounded.
    """
    cash = [request for request in requests if isinstance(request, CashPayment)]
    if len(cash) > 1:
        raise InvalidField(field="payments", expected="at most one cash payment")
    paid = tuple(
        _charged(request, field=f"payments.{place}")
        for place, request in enumerate(requests)
        if not isinstance(request, CashPayment)
    )
    charged = Money.total(payment.amount for payment in paid)
    if charged > due or (not cash and charged != due):
        raise PaymentsDiffer(
            field="payments", paid_kopecks=charged.kopecks, due_kopecks=due.kopecks
        )
    if not cash:
        return paid
    rest = due - charged
    if not rest:
        raise InvalidField(field="payments", expected="no cash when cards cover everything")
    return (_cash(cash[0], due=rest.rounded_to(cash_step)), *paid)


def checked_slip(slip: CardSlip, *, field: str) -> CardSlip:
    """Return the slip with its texts fit for a document; empty ones count as absent.

    A whole card number is refused: what is never stored cannot be stolen. Raises: InvalidField.
    """
    if slip.masked_card is not None and _WHOLE_CARD_NUMBER.search(slip.masked_card):
        raise InvalidField(
            field=f"{field}.masked_card", expected="a card number with its middle hidden"
        )

    def fit(text: str | None, name: str, limit: int = Limit.SLIP_TEXT) -> str | None:
        return optional(text, field=f"{field}.{name}", limit=limit)

    return CardSlip(
        payment_system=fit(slip.payment_system, "payment_system"),
        acquirer_id=fit(slip.acquirer_id, "acquirer_id"),
        acquirer_name=fit(slip.acquirer_name, "acquirer_name"),
        transaction_id=fit(slip.transaction_id, "transaction_id"),
        paid_at=slip.paid_at,
        slip_number=fit(slip.slip_number, "slip_number"),
        terminal_id=fit(slip.terminal_id, "terminal_id"),
        masked_card=fit(slip.masked_card, "masked_card"),
        authorisation_code=fit(
            slip.authorisation_code, "authorisation_code", Limit.AUTHORISATION_CODE
        ),
        commission=slip.commission,
    )


def _cash(cash: CashPayment, *, due: Money) -> Payment:
    if cash.provided is not None and cash.provided < due:
        raise PaymentsDiffer(
            field="payments", paid_kopecks=cash.provided.kopecks, due_kopecks=due.kopecks
        )
    code, name = CASH
    if cash.provided is None or cash.provided == due:
        return Payment(form_code=code, form_name=name, amount=due)
    return Payment(
        form_code=code,
        form_name=name,
        amount=due,
        provided=cash.provided,
        change=cash.provided - due,
    )


def _charged(request: CardPayment | OtherPayment, *, field: str) -> Payment:
    if request.amount <= ZERO:
        raise InvalidField(field=f"{field}.amount_kopecks", expected="more than 0")
    code, name = CARD if isinstance(request, CardPayment) else _form(request, field=field)
    slip = request.slip
    return Payment(
        form_code=code,
        form_name=name,
        amount=request.amount,
        slip=None if slip is None else checked_slip(slip, field=f"{field}.slip"),
    )


def _form(request: OtherPayment, *, field: str) -> tuple[int, str]:
    if not 0 < request.code <= LARGEST_FORM_CODE:
        raise InvalidField(
            field=f"{field}.code", expected=f"1 to {LARGEST_FORM_CODE}; cash is a form of its own"
        )
    # Spaces would make another form of the same name, with totals of its own.
    name = " ".join(
        encodable(request.name, field=f"{field}.name", limit=Limit.PAYMENT_FORM_NAME).split()
    )
    if not name:
        raise InvalidField(field=f"{field}.name", expected="not empty")
    if name.casefold() == CASH[1].casefold():
        raise InvalidField(field=f"{field}.name", expected="another name than that of cash")
    return request.code, name
