"""Histories of a few registers, made by the real ledger in memory from a script of small numbers.

Every step of a script is a register and an action; an action that is not possible then is left out, so that any
list of numbers is a script and a failing one shrinks well.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from psycopg.sql import SQL

from domain.answers import RegistrarState, ServerShiftTotals, Ticket
from domain.clock import ManualClock
from domain.documents.receipt import (
    CardSlip,
    CashPurpose,
    Original,
    PartPaymentKind,
    Payment,
    Receipt,
    ReceiptKind,
)
from domain.documents.shift import (
    DocumentContent,
    DocumentKind,
    FiscalDocument,
    Heading,
    ShiftClosingContent,
    ShiftOpening,
    ShiftTotals,
    ZReport,
)
from domain.documents.xml import to_xml
from domain.drawer import (
    CashRequest,
    DepositRequest,
    DrawerSettings,
    IssueRequest,
    WithdrawalRequest,
)
from domain.errors import RuleViolation
from domain.identifiers import document_id, document_uid, shard_of
from domain.ledger import AdoptedDocument, FiscalLedger
from domain.ledger.counterparts import FOLLOWING
from domain.money import Money, Quantity
from domain.part_payment import LaterPaymentRequest, PrepaymentRequest
from domain.payments import PaymentRequest
from domain.ports import LaneLease
from domain.refund import ReturnRequest
from domain.register.aggregate import Register
from domain.register.state import LaneStep, RegisterSettings
from domain.sale import (
    CardPayment,
    CashPayment,
    DiscountRequest,
    LineRequest,
    OtherPayment,
    SaleRequest,
)
from domain.sold_lines import WantedLine
from infra.event_store.feed import Cursor, FeedEvent
from infra.event_store.memory import MemoryLanes, MemoryStore
from infra.postgres import Connection
from tests import examples
from tests.support.cheap_signer import CheapSigner
from tests.support.journal import open_returns, registered_receipts, sweep
from tests.support.shop import START, counted_ids

GOODS = (
    LineRequest("Хліб житній", Quantity(1000), Money(2748), "А", code="1002"),
    LineRequest("Сироп від кашлю", Quantity(2000), Money(8520), "Б", barcode="4820000000031"),
    LineRequest("Кав'ярняний набір", Quantity(500), Money(7001), ""),
)


_PLAIN_STEPS = (LaneStep.READ_STATE, LaneStep.SIGN, LaneStep.SUBMIT)


class History:
    """A network of registers in two outlets; `run` plays a script, `events` are what it left in the log."""

    def __init__(self, *, registers: int = 3) -> None:
        self.clock = ManualClock(START)
        self.store = MemoryStore(snapshot_every=10_000)
        self.lanes = MemoryLanes(self.store)
        self.ledger = FiscalLedger(
            store=self.store, signer=CheapSigner(), clock=self.clock, new_id=counted_ids()
        )
        self.ledger.establish_network(name="Мережа «Приклад»")
        self.company_id = self.ledger.register_company(
            code="99900011", vat="999000110019", name='ТОВ "Калина-Приклад"'
        )
        self.units = [
            self.ledger.register_business_unit(
                company_id=self.company_id, name=f"Магазин {number}", address=None
            )
            for number in (1, 2)
        ]
        self.cashier_id = self.ledger.enrol_cashier(
            company_id=self.company_id, name="Приклад О. П.", key_id="olena"
        )
        self.registers = [
            self.ledger.add_register(
                business_unit_id=self.units[number % 2],
                fiscal_number=f"400077700{number}",
                local_number=number + 1,
                name=f"Каса {number + 1}",
                live=False,
                # Every other one issues its cash before the Z-report.
                settings=RegisterSettings(drawer=DrawerSettings(empties_before_z=number % 2 == 1)),
            )
            for number in range(registers)
        ]
        self._foreign = 0

    @property
    def events(self) -> tuple[FeedEvent, ...]:
        return self.store.page(Cursor(), 1_000_000).events

    def register(self, register_id: UUID) -> Register:
        return self.store.read(Register, register_id, shard=shard_of(register_id))

    def run(self, script: Sequence[tuple[int, int]]) -> None:
        """Play a script of (register, action)."""
        for register, action in script:
            self.act(self.registers[register % len(self.registers)], action)

    def act(self, register_id: UUID, action: int) -> None:
        self._tick()
        actions = self._actions(self.register(register_id))
        if actions:
            actions[action % len(actions)]()

    # --- by name ----------------------------------------------------------------------------------

    def open(self, register_id: UUID, *, testing: bool = False) -> UUID:
        """Open a shift and let the lane register its opening."""
        self._tick()
        shift_id = self.ledger.open_shift(
            register_id=register_id, cashier_id=self.cashier_id, testing=testing
        ).shift_id
        self.accept_all(register_id)
        return shift_id

    def sell(self, register_id: UUID, request: SaleRequest) -> UUID:
        """Issue a sale; return the receipt's id."""
        self._tick()
        return self.ledger.sell(register_id=register_id, request=request).receipt_id

    def move_cash(self, register_id: UUID, request: CashRequest) -> UUID:
        """Ask the drawer for something; return the receipt's id."""
        self._tick()
        return self.ledger.move_cash(register_id=register_id, request=request).receipt_id

    def accept_all(self, register_id: UUID) -> None:
        """Let the lane go on until it has nothing to do that the tax service would not simply accept."""
        while (step := self.register(register_id).next_step()) in _PLAIN_STEPS:
            self._tick()
            register = self.register(register_id)
            if step is LaneStep.READ_STATE:
                self._held(
                    register, lambda lease: self._read_state(lease, self.register(register_id))
                )
            elif step is LaneStep.SIGN:
                self._held(register, self.ledger.sign_waiting)
            else:
                self._held(
                    register,
                    lambda lease: self._submit(
                        lease, lambda: self._accept(lease, self.register(register_id))
                    ),
                )

    def lose_answer(self, register_id: UUID) -> None:
        """Send the outstanding document and never hear of it."""
        self._held(
            self.register(register_id),
            lambda lease: self._submit(
                lease, lambda: self.ledger.record_unknown(lease, reason="no-answer")
            ),
        )

    def refuse(self, register_id: UUID) -> None:
        """Let the tax service refuse the outstanding document."""
        self._held(
            self.register(register_id),
            lambda lease: self._submit(
                lease,
                lambda: self.ledger.record_refused(lease, server_code=9, text="Помилка даних"),
            ),
        )

    def adopt(
        self, register_id: UUID, kind: DocumentKind, *, inside: bool, uid: UUID | None = None
    ) -> UUID:
        """Find one document at the tax service that is not known here; return its UID."""
        self._tick()
        register = self.register(register_id)
        uid = uid or self._foreign_uid()
        self._held(register, lambda lease: self._adopt(lease, register, kind, inside, uid=uid))
        return uid

    def make_z(self, register_id: UUID, *, agrees: bool) -> None:
        """Make the Z-report of the closing shift."""
        register = self.register(register_id)
        totals = self._server_totals(register if agrees else None)
        self._held(register, lambda lease: self.ledger.make_z(lease, totals))

    def park(self, register_id: UUID) -> None:
        """Park the lane."""
        self._held(self.register(register_id), self._park)

    def resume(self, register_id: UUID) -> None:
        """Lift the stop."""
        self._tick()
        self.ledger.resume_lane(register_id=register_id, by="admin", reason="cause removed")

    def _tick(self) -> None:
        self.clock.advance(timedelta(seconds=7))

    # --- what is possible -------------------------------------------------------------------------

    def _actions(self, register: Register) -> list[Callable[[], object]]:
        """What can be done with a register now; what drives it on comes often."""
        if register.parked is not None:
            return [
                lambda: self.ledger.resume_lane(
                    register_id=register.id, by="admin", reason="cause removed"
                )
            ]
        actions = [*self._till(register), *self._lane(register), *self._refused(register)]
        if register.version % 3 == 0:
            actions += self._elsewhere(register)
        if register.version % 5 == 0:
            actions.append(lambda: self._held(register, self._park))
        return actions

    def _park(self, lease: LaneLease) -> None:
        self.ledger.park(lease, reason="transport-key", server_code=2, text="Ключ не діє")

    def _till(self, register: Register) -> list[Callable[[], object]]:
        if register.shift is None:
            return [
                lambda testing=testing: self.ledger.open_shift(  # type: ignore[misc]
                    register_id=register.id, cashier_id=self.cashier_id, testing=testing
                )
                for testing in (False, False, True)
            ]
        if register.shift.closing is not None or register.shift.z_fiscal_number is not None:
            return []
        number = register.version
        selling: list[Callable[[], object]] = [
            lambda: self._sell(register, number),
            lambda: self._sell(register, number + 1),
        ]
        selling.append(lambda: self._move_cash(register, number))
        selling += self._in_parts(register, number)
        selling += self._giving_back(register)
        if register.refused:
            return selling
        counted = None if number % 2 else Money(max(0, register.cash_in_drawer.kopecks - 150))
        return [
            *selling,
            lambda: self.ledger.close_shift(register_id=register.id, counted=counted),
        ]

    def _move_cash(self, register: Register, number: int) -> None:
        self.move_cash(register.id, self._cash_request(register, number))

    def _cash_request(self, register: Register, number: int) -> CashRequest:
        """A deposit, or cash out where there is some; half of the drawer, or what a card may get at least."""
        held = register.cash_in_drawer.kopecks
        if number % 3 == 0 or held < 50_000:
            return DepositRequest(Money(60_000 + number), CashPurpose.SAFE, reason="із сейфа")
        if number % 3 == 1:
            return IssueRequest(Money(held // 2), CashPurpose.BANK_COLLECTION)
        return WithdrawalRequest(Money(50_000), commission=Money(500))

    def _giving_back(self, register: Register) -> list[Callable[[], object]]:
        """Return part of a sale of any register, take the last receipt back, settle what can be."""
        actions: list[Callable[[], object]] = []
        registered = registered_receipts(self.events)
        sales = [found for found in registered.values() if found.receipt.kind is ReceiptKind.SALE]
        if sales:
            sold = sales[register.version % len(sales)]
            line = None
            if sold.receipt.part is None:
                line = WantedLine(1, Quantity(1 + register.version % 400))
            actions.append(lambda: self.give_back(register.id, sold.receipt.receipt_id, line))
        shift = register.shift
        last = None if shift is None else shift.last_receipt
        if last is not None and register.version % 2:
            actions.append(lambda: self.storno(register.id, last.receipt.receipt_id))
        if open_returns(self.store):
            actions.append(lambda: sweep(self.ledger, self.store))
        return actions

    def give_back(
        self, register_id: UUID, sale_id: UUID, line: WantedLine | None = None
    ) -> UUID | None:
        """Return a line of a registered sale, or all of it, in cash; None when a rule refuses."""
        request = ReturnRequest((CashPayment(),), None if line is None else (line,))
        try:
            issued = self.ledger.give_back(
                register_id=register_id,
                sale=registered_receipts(self.events)[sale_id],
                request=request,
            )
        except RuleViolation:
            return None
        return issued.receipt_id

    def prepay(self, register_id: UUID, request: SaleRequest, amount: Money) -> UUID:
        """Take a prepayment in cash; return the receipt's id."""
        self._tick()
        goods = replace(request, payments=(CashPayment(),))
        return self.ledger.prepay(
            register_id=register_id, request=PrepaymentRequest(goods, amount)
        ).receipt_id

    def pay_on(
        self, register_id: UUID, prepayment_id: UUID, amount: Money | None = None
    ) -> UUID | None:
        """Pay on a registered prepayment in cash; None when a rule refuses."""
        self._tick()
        try:
            issued = self.ledger.pay_on(
                register_id=register_id,
                prepayment=registered_receipts(self.events)[prepayment_id],
                request=LaterPaymentRequest((CashPayment(),), amount),
            )
        except RuleViolation:
            return None
        return issued.receipt_id

    def _in_parts(self, register: Register, number: int) -> list[Callable[[], object]]:
        """Take a prepayment; pay on one of any register, a part or all that is owed."""
        amount = Money(1_000 + number)
        actions: list[Callable[[], object]] = []
        if number % 2:
            actions.append(lambda: self.prepay(register.id, self._request(number), amount))
        prepaid = [
            receipt_id
            for receipt_id, found in registered_receipts(self.events).items()
            if found.receipt.part is not None
            and found.receipt.part.kind is PartPaymentKind.PREPAYMENT
        ]
        if prepaid:
            which = prepaid[number % len(prepaid)]
            part = amount if number % 3 else None
            actions.append(lambda: self.pay_on(register.id, which, part))
        return actions

    def storno(self, register_id: UUID, receipt_id: UUID) -> UUID | None:
        """Take the last receipt of a register back; None when a rule refuses."""
        try:
            return self.ledger.storno(register_id=register_id, receipt_id=receipt_id).receipt_id
        except RuleViolation:
            return None

    def _sell(self, register: Register, number: int) -> None:
        self.ledger.sell(register_id=register.id, request=self._request(number))

    def _request(self, number: int) -> SaleRequest:
        lines = (GOODS[number % 3], GOODS[number % 2])
        coupon = DiscountRequest(amount=Money(101), name="Купон") if number % 4 == 3 else None
        due = sum(line.price.times(line.quantity).kopecks for line in lines)
        if coupon is not None:
            due -= 101
        slip = CardSlip(masked_card=f"4149******00{number % 100:02d}", terminal_id="S1EX0007")
        payments: tuple[PaymentRequest, ...] = (
            (CashPayment(provided=Money(100_000)),),
            (CardPayment(Money(due), slip),),
            (CardPayment(Money(1_000), slip), CashPayment()),
            (OtherPayment(305, "СЕРТИФІКАТ", Money(1_000)), CashPayment()),
        )[number % 5 % 4]
        return SaleRequest(lines=lines, payments=payments, discount=coupon)

    def _refused(self, register: Register) -> list[Callable[[], object]]:
        if not register.refused or register.shift is None:
            return []
        receipt_id, row = next(iter(register.refused.items()))
        void = lambda: self.ledger.void(  # noqa: E731
            register_id=register.id, receipt_id=receipt_id, reason="покупець пішов"
        )
        if row.receipt.kind in FOLLOWING or row.receipt.part is not None:
            return [void]
        return [lambda: self._correct(register, row.receipt), void]

    def _correct(self, register: Register, receipt: Receipt) -> None:
        of_drawer: dict[ReceiptKind, CashRequest] = {
            ReceiptKind.SERVICE_DEPOSIT: DepositRequest(Money(receipt.total.kopecks + 1)),
            ReceiptKind.SERVICE_ISSUE: IssueRequest(Money(100), CashPurpose.SALARY),
            ReceiptKind.CASH_WITHDRAWAL: WithdrawalRequest(Money(50_000)),
        }
        if receipt.kind is ReceiptKind.SALE:
            self.ledger.correct(
                register_id=register.id,
                receipt_id=receipt.receipt_id,
                request=self._request(register.version + 1),
            )
        else:
            self.ledger.correct_cash(
                register_id=register.id,
                receipt_id=receipt.receipt_id,
                request=of_drawer[receipt.kind],
            )

    # --- the lane ---------------------------------------------------------------------------------

    def _held(self, register: Register, act: Callable[[LaneLease], object]) -> None:
        now = self.clock.now()
        lane = self.store.known.lanes.get((shard_of(register.id), register.id))
        if lane is None:
            return
        lane.due_at = now
        lease = self.lanes.claim(register.id, owner="test", now=now, seconds=60)
        assert lease is not None
        act(lease)
        assert self.lanes.finish(lease, due_at=now, reason=None, failures=0)

    def _lane(self, register: Register) -> list[Callable[[], object]]:
        possible: dict[LaneStep, list[Callable[[LaneLease], object]]] = {
            LaneStep.IDLE: [],
            LaneStep.READ_STATE: [lambda lease: self._read_state(lease, register)],
            LaneStep.SIGN: [self.ledger.sign_waiting] if register.shift is not None else [],
            LaneStep.SUBMIT: self._submissions(register),
            LaneStep.ASK: [
                lambda lease: self.ledger.record_found(lease, fiscal_number=self._number()),
                self.ledger.record_absent,
            ],
            LaneStep.EMPTY_DRAWER: [self.ledger.empty_drawer],
            LaneStep.MAKE_Z: [
                lambda lease: self.ledger.make_z(lease, self._server_totals(register)),
                lambda lease: self.ledger.make_z(lease, self._server_totals(None)),
            ],
        }
        steps = possible[register.next_step()]
        return [lambda step=step: self._held(register, step) for step in steps]  # type: ignore[misc]

    def _submissions(self, register: Register) -> list[Callable[[LaneLease], object]]:
        ticket = lambda lease: self._submit(lease, lambda: self._accept(lease, register))  # noqa: E731
        return [
            ticket,
            ticket,
            ticket,
            lambda lease: self._submit(
                lease,
                lambda: self.ledger.record_refused(lease, server_code=9, text="Помилка даних"),
            ),
            lambda lease: self._submit(
                lease, lambda: self.ledger.record_unknown(lease, reason="no-answer")
            ),
            lambda lease: self._submit(
                lease, lambda: self.ledger.record_attempt_ended(lease, reason="unreachable")
            ),
            lambda lease: self.ledger.withdraw(lease, reason="shift-not-open", disagreement=True),
        ]

    def _submit(self, lease: LaneLease, outcome: Callable[[], object]) -> None:
        self.ledger.begin_attempt(lease, stamped=b"stamped")
        outcome()

    def _accept(self, lease: LaneLease, register: Register) -> None:
        """Let the tax service answer as it would: a storno of what is no longer the last document is refused."""
        register = self.register(register.id)
        document = register.the_outstanding()
        receipt = document.item.receipt
        last = None if register.shift is None else register.shift.last_receipt
        if (
            receipt is not None
            and receipt.kind is ReceiptKind.STORNO
            and receipt.original is not None
            and (last is None or last.fiscal_number != receipt.original.fiscal_number)
        ):
            self.ledger.record_refused(lease, server_code=9, text="Не останній документ")
            return
        self.ledger.record_ticket(
            lease,
            Ticket(
                uid=document_uid(document.document_id),
                local_number=document.local_number,
                fiscal_number=self._number(),
                server_time=self.clock.now(),
                raw=b"ticket",
            ),
        )

    def _number(self) -> str:
        return str(3_600_000_000 + sum(self.store.known.heads.values()))

    def _read_state(self, lease: LaneLease, register: Register) -> None:
        self.ledger.record_state(
            lease,
            RegistrarState(
                shift_open=False,
                shift_id=None,
                open_shift_fiscal_number=None,
                z_report_present=False,
                testing=False,
                opener_name=None,
                opener_key_id=None,
                first_local_number=1,
                next_local_number=register.next_local_number or 1,
                last_fiscal_number=None,
                offline_supported=False,
                senior_cashier=False,
                offline_session_id=None,
                offline_seed=None,
                offline_next_number=None,
                offline_session_minutes=None,
                offline_month_minutes=None,
                offline_session_rolled_back=False,
                closed=False,
                tax_object=None,
            ),
        )

    def _server_totals(self, register: Register | None) -> ServerShiftTotals:
        shift = None if register is None else register.shift
        return ServerShiftTotals(
            shift_open=True,
            z_report_present=False,
            testing=False,
            totals=ShiftTotals().with_sale(examples.SALE) if shift is None else shift.totals,
        )

    # --- what happens elsewhere -------------------------------------------------------------------

    def _elsewhere(self, register: Register) -> list[Callable[[], object]]:
        """Documents that the tax service turns out to have."""
        if register.next_step() in (LaneStep.READ_STATE, LaneStep.ASK):
            return []
        kinds = [
            (DocumentKind.SALE, True),
            (DocumentKind.SALE, False),
            (DocumentKind.RETURN, True),
            (DocumentKind.STORNO, True),
            (DocumentKind.SERVICE_DEPOSIT, True),
            (DocumentKind.SERVICE_DEPOSIT, False),
            (DocumentKind.SHIFT_OPENING, True),
            (DocumentKind.SHIFT_OPENING, False),
            (DocumentKind.Z_REPORT, register.shift is not None and not _has_z(register)),
            (DocumentKind.SHIFT_CLOSING, register.shift is not None),
        ]
        actions: list[Callable[[], object]] = [
            lambda kind=kind, inside=inside: self._held(  # type: ignore[misc]
                register, lambda lease: self._adopt(lease, register, kind, inside)
            )
            for kind, inside in kinds
        ]
        ours = [item for item in register.waiting if item.kind is DocumentKind.SALE]
        ours += [
            row.as_waiting()
            for row in register.refused.values()
            if row.receipt.kind is ReceiptKind.SALE
        ]
        if ours:
            uid = document_id(ours[0].subject_id, number=ours[0].documents)
            inside = register.shift is not None
            actions.append(
                lambda: self._held(
                    register,
                    lambda lease: self._adopt(lease, register, ours[0].kind, inside, uid=uid),
                )
            )
        return actions

    def _adopt(
        self,
        lease: LaneLease,
        register: Register,
        kind: DocumentKind,
        inside: bool,
        *,
        uid: UUID | None = None,
    ) -> None:
        uid = uid or self._foreign_uid()
        number = register.next_local_number or 1
        contents: dict[DocumentKind, DocumentContent] = {
            DocumentKind.SALE: self._foreign_sale(uid),
            DocumentKind.RETURN: self._foreign_return(register, uid),
            DocumentKind.STORNO: self._foreign_storno(register, uid),
            DocumentKind.SERVICE_DEPOSIT: replace(
                examples.DEPOSIT, receipt_id=uid, issued_at=self.clock.now(), purpose=None
            ),
            DocumentKind.Z_REPORT: ZReport(uid, ShiftTotals().with_sale(examples.SALE)),
            DocumentKind.SHIFT_OPENING: ShiftOpening(),
            DocumentKind.SHIFT_CLOSING: ShiftClosingContent(),
        }
        heading = Heading(
            uid=uid,
            seller=examples.SELLER,
            register_fiscal_number=register.fiscal_number,
            register_local_number=register.local_number,
            local_number=number,
            at=self.clock.now(),
            cashier_name="Інша Каса",
            # The tax service takes no test into a fiscal shift, nor the reverse.
            testing=register.shift is not None and register.shift.testing,
        )
        document = FiscalDocument(kind=kind, heading=heading, content=contents[kind])
        found = AdoptedDocument(
            local_number=number,
            fiscal_number=self._number(),
            uid=document_uid(uid),
            document_id=uid,
            at=self.clock.now(),
            server_kind="SaleGoods/CheckGoods",
            in_open_shift=inside,
            document=document,
            xml=to_xml(document),
        )
        self.ledger.adopt(lease, [found], key_id="olena")

    def _foreign_uid(self) -> UUID:
        self._foreign += 1
        return UUID(int=0x9_0000_0000_0000 + self._foreign)

    def _foreign_sale(self, uid: UUID) -> Receipt:
        total = Money(5_000 + self._foreign)
        return Receipt(
            receipt_id=uid,
            kind=examples.PLAIN_SALE.kind,
            lines=examples.PLAIN_SALE.lines,
            payments=(Payment(form_code=0, form_name="ГОТІВКА", amount=total),),
            taxes=(),
            unrounded=total,
            rounding=Money(0),
            total=total,
            issued_at=self.clock.now(),
            cashier_id=None,
            cashier_name="Інша Каса",
        )

    def _foreign_return(self, register: Register, uid: UUID) -> Receipt:
        """A return of the register's newest sale, or of one that nobody here knows."""
        numbers = [
            found.fiscal_number
            for found in registered_receipts(self.events).values()
            if found.register_id == register.id and found.receipt.kind is ReceiptKind.SALE
        ]
        original = Original(fiscal_number=(numbers or ["1"])[-1], kind=ReceiptKind.SALE)
        return replace(self._foreign_sale(uid), kind=ReceiptKind.RETURN, original=original)

    def _foreign_storno(self, register: Register, uid: UUID) -> Receipt:
        last = None if register.shift is None else register.shift.last_receipt
        return replace(
            self._foreign_sale(uid),
            kind=ReceiptKind.STORNO,
            lines=(),
            payments=(),
            unrounded=Money(0),
            total=Money(0),
            original=Original(fiscal_number="1" if last is None else last.fiscal_number),
        )


def _has_z(register: Register) -> bool:
    return register.shift is not None and register.shift.z_fiscal_number is not None


def pour(events: Sequence[FeedEvent], connection: Connection) -> None:
    """Write a history's events into the log of a database, those that are not there yet; chains are left empty."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO events (position, stream_id, version, shard, topic, chain, state)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [
                (
                    event.position,
                    event.stream_id,
                    event.version,
                    event.shard,
                    event.topic,
                    bytes(32),
                    event.state,
                )
                for event in events
            ],
        )
    connection.execute(
        SQL(
            "UPDATE heads SET position = last FROM (SELECT shard, max(position) AS last FROM events"
            " GROUP BY shard) e WHERE e.shard = heads.shard"
        )
    )
