"""What the worker does when the tax service knows more, less or something else; in one process with the simulator."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.clock import whole_second
from domain.documents.shift import DocumentKind, FiscalDocument, Heading, ShiftOpening
from domain.documents.xml import to_xml
from domain.errors import KeyNotForLiveRegister, LaneParked
from domain.register.events import DocumentRegistered, DocumentWithdrawn, ShiftClosed
from infra.signing import cms
from infra.simulator.endpoints import Request
from infra.simulator.envelope import stamper
from infra.simulator.faults import Fault, FaultKind, ScriptStep
from tests.support.cheap_signer import CHEAP_SUITE, cheap_key
from tests.support.shop import REGISTER_NUMBER, sale
from tests.support.world import World, company_entry


@pytest.fixture
def world() -> World:
    return World()


def submit_elsewhere(world: World, document: FiscalDocument, *, key: str) -> None:
    """Another program with its own key registers a document of our register."""
    signed = cms.sign(to_xml(document), signer=cheap_key(key))
    stamp = stamper(world.authority, suite=CHEAP_SUITE)
    stamped = cms.with_timestamp(signed, stamp(cms.parse(signed).signer.signature))
    reply = world.simulator.handle(
        Request("doc", stamped, {"content-type": "application/octet-stream"})
    )
    assert reply.status == 200, reply.body.decode()


def open_elsewhere(world: World, *, key: str) -> None:
    register = world.register()
    heading = Heading(
        uid=uuid4(),
        seller=world.seller(),
        register_fiscal_number=REGISTER_NUMBER,
        register_local_number=register.local_number,
        local_number=world.next_number(),
        at=whole_second(world.clock.now()),
        cashier_name="Приклад О. П.",
    )
    submit_elsewhere(
        world,
        FiscalDocument(DocumentKind.SHIFT_OPENING, heading, ShiftOpening()),
        key=key,
    )


def open_and_sell(world: World, *prices: int) -> list[UUID]:
    ledger, register_id = world.shop.ledger, world.shop.register_id
    if world.register().shift is None:
        ledger.open_shift(register_id=register_id, cashier_id=world.shop.cashier_id)
    return [
        ledger.sell(register_id=register_id, request=sale(price)).receipt_id for price in prices
    ]


class TestFormerProgram:
    def test_a_shift_opened_by_a_former_program_with_our_key_is_taken_over(
        self, world: World
    ) -> None:
        open_elsewhere(world, key="olena")
        world.simulator.register_foreign(REGISTER_NUMBER)
        open_and_sell(world, 1000)
        world.settle()
        register = world.register()
        assert register.parked is None
        assert register.shift is not None
        assert register.shift.opening_fiscal_number == world.book()[0].fiscal_number
        assert [stored.local_number for stored in world.book()] == [1, 2, 3]
        assert register.next_local_number == 4

    def test_a_register_in_the_middle_of_its_life_goes_on_with_its_number(
        self, world: World
    ) -> None:
        company = company_entry()
        unit = company.units[0]
        moved = unit.registers[0].model_copy(update={"next_local_number": 501})
        world.simulator.reset(keep_registry=False)
        world.simulator.set_up(
            company.model_copy(update={"units": (unit.model_copy(update={"registers": (moved,)}),)})
        )
        open_and_sell(world, 1000)
        world.settle()
        assert [stored.local_number for stored in world.book()] == [501, 502]

    def test_the_seed_for_offline_work_is_taken_over(self, world: World) -> None:
        there = world.server.registrar_state(key_id="olena", register=REGISTER_NUMBER)
        open_and_sell(world, 1000)
        world.settle()
        register = world.register()
        assert there is not None
        assert there.offline_seed is not None
        assert register.offline_session_id == there.offline_session_id
        assert register.offline_seed == there.offline_seed

    def test_a_shift_held_by_another_key_parks_and_names_the_holder(self, world: World) -> None:
        world.simulator.set_up(company_entry("olena", "petro"))
        open_elsewhere(world, key="petro")
        open_and_sell(world)
        world.work()
        parked = world.register().parked
        assert parked is not None
        assert parked.reason == "shift-held-by-another-key"
        holder = cheap_key("petro").certificate.subject_key_id_hex
        assert holder is not None
        assert holder in (parked.text or "")
        with pytest.raises(LaneParked):
            open_and_sell(world, 1000)


class TestDisagreement:
    def test_numbers_the_service_has_lost_park_the_lane(self, world: World) -> None:
        open_and_sell(world, 1000)
        world.settle()
        world.simulator.reset(keep_registry=True)
        world.shop.ledger.close_shift(register_id=world.shop.register_id)
        for _ in range(10):
            world.work()
            world.clock.advance(timedelta(seconds=5))
        parked = world.register().parked
        assert parked is not None
        assert parked.reason == "server-behind"

    def test_a_register_the_key_may_not_see_waits_and_says_so(self, world: World) -> None:
        world.simulator.withdraw_access(
            key_id=cheap_key("olena").certificate.subject_key_id_hex or "",
            register=REGISTER_NUMBER,
            withdrawn=True,
        )
        open_and_sell(world)
        world.work()
        (lane,) = world.store.known.lanes.values()
        assert lane.reason == "register-not-visible-to-key"
        assert lane.failures == 1


class TestOldDocuments:
    def test_a_document_that_never_left_is_signed_anew_with_the_present_time(
        self, world: World
    ) -> None:
        open_and_sell(world)
        world.settle()
        (receipt_id,) = open_and_sell(world, 1000)
        world.simulator.faults.cut_off(on=True)
        world.work()
        world.clock.advance(timedelta(hours=3))
        world.settle()
        sold = world.book()[-1]
        assert sold.accepted_at - world.clock.now() < timedelta(minutes=1)
        withdrawn = world.facts(DocumentWithdrawn)
        assert [fact.subject_id for fact in withdrawn] == [receipt_id]

    def test_while_the_service_is_away_the_log_does_not_grow_with_every_look(
        self, world: World
    ) -> None:
        open_and_sell(world)
        world.settle()
        open_and_sell(world, 1000)
        world.simulator.faults.cut_off(on=True)
        world.work()
        before = world.register().version
        for _ in range(50):
            world.clock.advance(timedelta(seconds=40))
            world.work()
        assert world.register().version == before


class TestLostAnswer:
    def test_after_a_lost_answer_the_document_is_found_and_not_sent_again(
        self, world: World
    ) -> None:
        open_and_sell(world)
        world.settle()
        world.simulator.faults.script([ScriptStep(fault=Fault(kind=FaultKind.ANSWER_LOST))])
        open_and_sell(world, 1000)
        world.work()
        registered = world.facts(DocumentRegistered)
        assert [fact.learned for fact in registered] == ["ticket", "inquiry"]
        assert len(world.book()) == 2

    def test_a_document_refused_for_its_number_is_asked_about_before_it_is_sent_again(
        self, world: World
    ) -> None:
        open_and_sell(world)
        world.settle()
        # The request arrived twice: it was registered, then refused for its number. The question is not answered,
        # and whatever is sent after that would be refused for another reason.
        world.simulator.faults.script(
            [
                ScriptStep(fault=Fault(kind=FaultKind.DUPLICATE, answer="second")),
                ScriptStep(fault=Fault(kind=FaultKind.RESET, resources=("cmd",))),
                ScriptStep(fault=Fault(kind=FaultKind.REFUSE_CODE, code=9)),
            ]
        )
        open_and_sell(world, 1000)
        world.work()
        world.clock.advance(timedelta(seconds=60))
        world.work()
        registered = world.facts(DocumentRegistered)
        assert [fact.learned for fact in registered] == ["ticket", "inquiry"]
        assert not world.register().refused
        assert len(world.book()) == 2


class TestClosing:
    def test_the_shift_closes_and_a_snapshot_is_taken(self, world: World) -> None:
        open_and_sell(world, 1000, 2000)
        world.shop.ledger.close_shift(register_id=world.shop.register_id)
        world.settle()
        (closed,) = world.facts(ShiftClosed)
        assert closed.totals.sales.count == 2
        assert world.register().shift is None
        assert [stored.kind.value for stored in world.book()] == [
            "open",
            "sale",
            "sale",
            "z-report",
            "close",
        ]


class TestLiveRegister:
    def test_a_development_key_opens_no_shift_of_a_live_register(self, world: World) -> None:
        live = world.shop.add_register("4000777009", local_number=9, live=True)
        with pytest.raises(KeyNotForLiveRegister):
            world.shop.ledger.open_shift(register_id=live, cashier_id=world.shop.cashier_id)
