"""What can still be given back of a receipt, whichever business unit asks.

A return takes three steps (design §5): it **reserves** on the `SoldReceipt` of the original, is **issued** on the
selling register together with its `Return`, and its outcome **confirms** or **releases** the reservation. No step needs
two shards at once, so the process may die between any two: a reservation whose return was never issued is released
later, after its `Return` (return_outcome.py) was begun as abandoned, which keeps a late issue from following.

Further and final payments on a prepayment take the same three steps with what is owed on it: they reserve on the
`SoldReceipt` of the prepayment, and whoever asks, no more is ever paid than owed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from operator import le
from typing import Any, ClassVar
from uuid import UUID

from domain.aggregate import Aggregate, AggregateCreated, event
from domain.documents.receipt import PartPaymentKind, Receipt
from domain.errors import (
    IdempotencyKeyReused,
    InvalidField,
    LaterPaymentsStand,
    NothingLeft,
    PaymentLapsed,
    ReceiptNotPayable,
    ReceiptNotReturnable,
    ReturnExceedsSale,
    ReturnLapsed,
)
from domain.money import ZERO, Money, Quantity
from domain.part_payment import further_shares, shared_as_owed
from domain.sold_lines import SoldLine, Taken, TakenLine, WantedLine, cumulative_share, sold_lines


class SoldReceipt(Aggregate):
    """One sale, from the side of what may come back. It lives on its register's shard from the sale on."""

    TOPIC: ClassVar[str] = "sold-receipt"

    register_id: UUID
    receipt_id: UUID
    lines: tuple[SoldLine, ...]
    total: Money
    void: bool
    taken: dict[UUID, Taken]
    released: tuple[UUID, ...]

    class Event(Aggregate.Event):
        """A fact about what was given back."""

        TOPIC: ClassVar[str] = "sold-receipt.event"

    class Issued(Event, AggregateCreated):
        """The sale was issued; all of it may come back."""

        TOPIC: ClassVar[str] = "sold-receipt.issued"
        register_id: UUID
        receipt_id: UUID
        lines: tuple[SoldLine, ...]
        total: Money

    class Corrected(Event):
        """The receipt was refused and made again with other lines."""

        TOPIC: ClassVar[str] = "sold-receipt.corrected"
        lines: tuple[SoldLine, ...]
        total: Money

    class Voided(Event):
        """The receipt was refused and voided; nothing of it may come back."""

        TOPIC: ClassVar[str] = "sold-receipt.voided"
        at: datetime

    class Reserved(Event):
        """A return, a storno or a later payment takes its part; nobody else can from now on.

        `return_id` is the receipt of the return or payment; `register_id` and `receipt_id` are the register that issues
        it and the original. `adopted`: it was issued elsewhere and came to be known by its document. `pays`: the kind of
        payment; None for what gives something back.
        """

        TOPIC: ClassVar[str] = "sold-receipt.reserved"
        class_version: ClassVar[int] = 2
        return_id: UUID
        register_id: UUID
        sold_register_id: UUID
        sold_receipt_id: UUID
        lines: tuple[TakenLine, ...]
        adopted: bool
        at: datetime
        pays: PartPaymentKind | None

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            """Only returns and stornos took something."""
            state["pays"] = None

    class Confirmed(Event):
        """The tax service has the return or payment."""

        TOPIC: ClassVar[str] = "sold-receipt.confirmed"
        return_id: UUID
        at: datetime

    class Released(Event):
        """The return or payment was never issued, was voided or was taken back: its part is there again."""

        TOPIC: ClassVar[str] = "sold-receipt.released"
        return_id: UUID
        at: datetime

    @event(Issued)
    def __init__(
        self,
        *,
        id: UUID,
        register_id: UUID,
        receipt_id: UUID,
        lines: tuple[SoldLine, ...],
        total: Money,
    ) -> None:
        self.register_id = register_id
        self.receipt_id = receipt_id
        self.lines = lines
        self.total = total
        self.void = False
        self.taken = {}
        self.released = ()

    def correct(self, receipt: Receipt) -> None:
        """Take over the lines of the corrected receipt."""
        self._corrected(lines=sold_lines(receipt), total=receipt.total)

    def annul(self, *, at: datetime) -> None:
        """Nothing was sold after all."""
        self._voided(at=at)

    def left(self) -> tuple[SoldLine, ...]:
        """Return quantity and cost that may still come back of each line; nothing of a void receipt."""
        if self.void:
            return tuple(SoldLine(quantity=Quantity(0), cost=ZERO) for _ in self.lines)
        return tuple(
            SoldLine(quantity=line.quantity - gone.quantity, cost=line.cost - gone.cost)
            for line, gone in zip(self.lines, self._gone(), strict=True)
        )

    @property
    def in_part(self) -> bool:
        """Whether it took a part of the price only."""
        return any(line.owed is not None for line in self.lines)

    @property
    def payments(self) -> tuple[Taken, ...]:
        """The later payments that stand on a prepayment, on their way or registered."""
        return tuple(taken for taken in self.taken.values() if taken.pays is not None)

    @property
    def settled(self) -> bool:
        """Whether the final settlement of a prepayment stands, so that the goods changed hands."""
        return any(taken.pays is PartPaymentKind.FINAL for taken in self.payments)

    def owed(self) -> tuple[Money, ...]:
        """Return what is still to pay for each line of a prepayment; nothing where it is void or came back."""
        if self.void or len(self.payments) < len(self.taken):
            return tuple(ZERO for _ in self.lines)
        owed = [line.owed or ZERO for line in self.lines]
        for taken in self.payments:
            for line in taken.lines:
                owed[line.number - 1] -= line.cost
        return tuple(owed)

    def part(self, wanted: Sequence[WantedLine] | None) -> tuple[TakenLine, ...]:
        """Return what is taken when these quantities come back, in the order of the lines; None: all that is left.

        Raises: ReceiptNotReturnable, LaterPaymentsStand, NothingLeft, InvalidField, ReturnExceedsSale.
        """
        if self.void:
            raise ReceiptNotReturnable(receipt_id=self.receipt_id, reason="it was voided")
        if self.payments:
            raise LaterPaymentsStand(receipt_id=self.receipt_id, payments=len(self.payments))
        if self.in_part and wanted is not None:
            raise InvalidField(
                field="lines", expected="absent: a part payment comes back as the whole it was"
            )
        left = self.left()
        if not any(line.quantity.thousandths for line in left):
            raise NothingLeft(receipt_id=self.receipt_id)
        if wanted is None:
            return self.rest()
        self._check(wanted, left)
        self._check_stamps(wanted)
        gone = self._gone()
        return tuple(
            self._share(line, gone[line.number - 1])
            for line in sorted(wanted, key=lambda line: line.number)
        )

    def rest(self) -> tuple[TakenLine, ...]:
        """Return all that is left, as what takes it; nothing where nothing is."""
        return tuple(
            TakenLine(number=number, quantity=line.quantity, cost=line.cost)
            for number, line in enumerate(self.left(), start=1)
            if line.quantity.thousandths
        )

    def reserve(
        self,
        *,
        return_id: UUID,
        register_id: UUID,
        wanted: Sequence[WantedLine] | None,
        at: datetime,
    ) -> tuple[TakenLine, ...]:
        """Keep the wanted part for a return; the same return reserves once and gets the same answer.

        Raises: as `part`; ReturnLapsed for a return that was released; IdempotencyKeyReused for one that wanted
        something else before.
        """
        if return_id in self.released:
            raise ReturnLapsed(return_id=return_id)
        before = self.taken.get(return_id)
        if before is not None:
            other = wanted is not None and _quantities(wanted) != _quantities(before.lines)
            if other or before.pays is not None:
                raise IdempotencyKeyReused
            return before.lines
        lines = self.part(wanted)
        self._take(return_id=return_id, register_id=register_id, lines=lines, at=at, adopted=False)
        return lines

    def payment(self, amount: Money | None) -> tuple[TakenLine, ...]:
        """Return what a later payment of `amount` takes of each line; None: the final settlement, which takes the rest.

        A final settlement is possible once more where a payment came back after it. The receipt is a prepayment.

        Raises: ReceiptNotPayable, InvalidField, PaymentExceedsOwed.
        """
        if self.void:
            raise ReceiptNotPayable(receipt_id=self.receipt_id, reason="it was voided")
        if len(self.payments) < len(self.taken):
            raise ReceiptNotPayable(
                receipt_id=self.receipt_id, reason="it came back or is on its way back"
            )
        owed = self.owed()
        if self.settled and not any(owed):
            raise ReceiptNotPayable(
                receipt_id=self.receipt_id, reason="all is paid, the final settlement was made"
            )
        paid = owed if amount is None else further_shares(amount, owed)
        return tuple(
            TakenLine(number=number, quantity=Quantity(0), cost=cost)
            for number, cost in enumerate(paid, start=1)
        )

    def reserve_payment(
        self, *, payment_id: UUID, register_id: UUID, amount: Money | None, at: datetime
    ) -> tuple[TakenLine, ...]:
        """Keep what a later payment is to pay; the same payment reserves once and gets the same answer.

        Raises: as `payment`; PaymentLapsed for a payment that was released; IdempotencyKeyReused for one that wanted
        something else before.
        """
        if payment_id in self.released:
            raise PaymentLapsed(payment_id=payment_id)
        pays = PartPaymentKind.FINAL if amount is None else PartPaymentKind.FURTHER
        before = self.taken.get(payment_id)
        if before is not None:
            paid = Money.total(line.cost for line in before.lines)
            if before.pays is not pays or amount not in (None, paid):
                raise IdempotencyKeyReused
            return before.lines
        lines = self.payment(amount)
        self._take(
            return_id=payment_id,
            register_id=register_id,
            lines=lines,
            at=at,
            adopted=False,
            pays=pays,
        )
        return lines

    def count_payment(
        self,
        *,
        payment_id: UUID,
        register_id: UUID,
        kind: PartPaymentKind,
        paid: Sequence[Money],
        at: datetime,
    ) -> None:
        """Count a later payment that was registered elsewhere, as far as so much is owed; once only.

        `paid` is what it took of its lines. Other programs may list the goods otherwise or share the money otherwise; what
        they took counts all the same, shared by what is owed.
        """
        if payment_id not in self.taken and payment_id not in self.released:
            owed = self.owed()
            fits = len(paid) == len(owed) and all(map(le, paid, owed))
            counted = paid if fits else shared_as_owed(Money.total(paid), owed)
            lines = tuple(
                TakenLine(number=number, quantity=Quantity(0), cost=part)
                for number, part in enumerate(counted, start=1)
            )
            self._take(
                return_id=payment_id,
                register_id=register_id,
                lines=lines,
                at=at,
                adopted=True,
                pays=kind,
            )
        self.confirm(payment_id, at=at)

    def count(
        self, *, return_id: UUID, register_id: UUID, lines: tuple[TakenLine, ...], at: datetime
    ) -> None:
        """Count what a document that was registered elsewhere gave back; a second time changes nothing."""
        if return_id not in self.taken:
            self._take(
                return_id=return_id, register_id=register_id, lines=lines, at=at, adopted=True
            )
        self.confirm(return_id, at=at)

    def confirm(self, return_id: UUID, *, at: datetime) -> None:
        """The return is registered; a second time changes nothing."""
        taken = self.taken.get(return_id)
        if taken is not None and not taken.confirmed:
            self._confirmed(return_id=return_id, at=at)

    def release(self, return_id: UUID, *, at: datetime) -> None:
        """The return does not stand; a second time changes nothing."""
        if return_id in self.taken:
            self._released(return_id=return_id, at=at)

    def _gone(self) -> tuple[SoldLine, ...]:
        """Return what came back of each line."""
        quantities, costs = [0] * len(self.lines), [0] * len(self.lines)
        for taken in self.taken.values():
            if taken.pays is not None:
                continue
            for line in taken.lines:
                quantities[line.number - 1] += line.quantity.thousandths
                costs[line.number - 1] += line.cost.kopecks
        return tuple(
            SoldLine(quantity=Quantity(quantity), cost=Money(cost))
            for quantity, cost in zip(quantities, costs, strict=True)
        )

    def _share(self, wanted: WantedLine, gone: SoldLine) -> TakenLine:
        line = self.lines[wanted.number - 1]
        cost = cumulative_share(
            line.cost,
            of=line.quantity,
            taken=gone.quantity,
            taken_amount=gone.cost,
            part=wanted.quantity,
        )
        return TakenLine(
            number=wanted.number,
            quantity=wanted.quantity,
            cost=cost,
            excise_stamps=wanted.excise_stamps or None,
        )

    def _check_stamps(self, wanted: Sequence[WantedLine]) -> None:
        """Refuse stamps that came back already: each is on one bottle or pack. Raises: InvalidField."""
        gone = {
            (line.number, stamp)
            for taken in self.taken.values()
            for line in taken.lines
            for stamp in line.excise_stamps or ()
        }
        for position, line in enumerate(wanted):
            if any((line.number, stamp) in gone for stamp in line.excise_stamps):
                raise InvalidField(
                    field=f"lines.{position}.excise_stamps", expected="stamps not given back yet"
                )

    @staticmethod
    def _check(wanted: Sequence[WantedLine], left: Sequence[SoldLine]) -> None:
        if not wanted:
            raise InvalidField(
                field="lines", expected="at least one line, or absent for all that is left"
            )
        numbers: set[int] = set()
        for position, line in enumerate(wanted):
            field = f"lines.{position}"
            if not 1 <= line.number <= len(left) or line.number in numbers:
                expected = f"a line of the original, 1 to {len(left)}, each once"
                raise InvalidField(field=f"{field}.line", expected=expected)
            numbers.add(line.number)
            if line.quantity.thousandths <= 0:
                raise InvalidField(field=f"{field}.quantity_thousandths", expected="more than 0")
            there = left[line.number - 1].quantity
            if line.quantity > there:
                raise ReturnExceedsSale(
                    field=f"{field}.quantity_thousandths",
                    line=line.number,
                    asked_thousandths=line.quantity.thousandths,
                    left_thousandths=there.thousandths,
                )

    def _take(
        self,
        *,
        return_id: UUID,
        register_id: UUID,
        lines: tuple[TakenLine, ...],
        at: datetime,
        adopted: bool,
        pays: PartPaymentKind | None = None,
    ) -> None:
        self._reserved(
            return_id=return_id,
            register_id=register_id,
            sold_register_id=self.register_id,
            sold_receipt_id=self.receipt_id,
            lines=lines,
            adopted=adopted,
            at=at,
            pays=pays,
        )

    @event(Corrected)
    def _corrected(self, *, lines: tuple[SoldLine, ...], total: Money) -> None:
        self.lines = lines
        self.total = total

    @event(Voided)
    def _voided(self, *, at: datetime) -> None:
        self.void = True

    @event(Reserved)
    def _reserved(
        self,
        *,
        return_id: UUID,
        register_id: UUID,
        sold_register_id: UUID,
        sold_receipt_id: UUID,
        lines: tuple[TakenLine, ...],
        adopted: bool,
        at: datetime,
        pays: PartPaymentKind | None,
    ) -> None:
        taken = Taken(register_id=register_id, lines=lines, pays=pays)
        self.taken = {**self.taken, return_id: taken}

    @event(Confirmed)
    def _confirmed(self, *, return_id: UUID, at: datetime) -> None:
        self.taken = {**self.taken, return_id: replace(self.taken[return_id], confirmed=True)}

    @event(Released)
    def _released(self, *, return_id: UUID, at: datetime) -> None:
        self.taken = {key: taken for key, taken in self.taken.items() if key != return_id}
        self.released = (*self.released, return_id)


def _quantities(lines: Sequence[WantedLine] | Sequence[TakenLine]) -> dict[int, Quantity]:
    return {line.number: line.quantity for line in lines}
