"""The rules that let a save pass, and that a refused one changes nothing."""

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Conflict, IdempotencyKeyReused, IntegrityFault, StaleLease
from domain.identifiers import shard_of
from domain.money import Money
from domain.ports import CommandAlreadyRecorded, LaneChange
from infra.event_store import chain
from infra.event_store.codec import LedgerMapper
from infra.event_store.saves import (
    Admitted,
    Known,
    LaneState,
    Save,
    admit,
    change_lane,
    dump_result,
    load_result,
    prepare,
)
from tests.support.till import NOON, Till, command_named, commit_of, document_of, new_till

MAPPER = LedgerMapper()
TILL = new_till()
SHARD = shard_of(TILL.id)
MINUTE = timedelta(minutes=1)


def save_of(till: Till, *, every: int = 1_000) -> Save:
    return prepare(commit_of(till), MAPPER, snapshot_every=every)


def first_save() -> Save:
    return save_of(new_till())


class TestPrepare:
    def test_events_keep_their_versions_and_the_aggregate_its_pending_ones(self) -> None:
        till = new_till()
        till.sell(amount=Money(1))
        save = save_of(till)
        (part,) = save.parts
        assert part.first_version == 1
        assert [event.originator_version for event in part.events] == [1, 2]
        assert len(till.pending_events) == 2

    def test_a_stream_without_news_is_left_out(self) -> None:
        till = new_till()
        till.collect_events()
        assert save_of(till).parts == ()

    @pytest.mark.parametrize(
        ("sales", "every", "taken"), [(1, 4, False), (2, 4, False), (3, 4, True), (9, 4, True)]
    )
    def test_a_snapshot_is_taken_when_a_multiple_is_passed(
        self, sales: int, every: int, taken: bool
    ) -> None:
        till = new_till()
        for _ in range(sales):
            till.sell(amount=Money(1))
        snapshots = save_of(till, every=every).snapshots
        assert [snapshot.version for snapshot in snapshots] == ([sales + 1] if taken else [])

    def test_a_naive_time_is_refused_before_anything_is_written(self) -> None:
        till = new_till()
        till.sell(amount=Money(1), at=NOON.replace(tzinfo=None))
        with pytest.raises(TypeError, match="no time zone"):
            save_of(till)


class TestStreams:
    def test_chains_and_positions_go_on_where_the_log_is(self) -> None:
        till = new_till()
        shard = shard_of(till.id)
        known = Known(heads={shard: 41})
        first = admit(save_of(till), known)
        till.collect_events()
        till.sell(amount=Money(1))
        till.sell(amount=Money(2))
        second = admit(save_of(till), known)
        assert [(a.first_position, a.position) for a in (first, second)] == [(42, 42), (43, 44)]
        value = chain.origin(till.id)
        for admitted in (first, second):
            for event, stored in zip(admitted.save.parts[0].events, admitted.chains, strict=True):
                value = chain.link(
                    value, topic=event.topic, version=event.originator_version, state=event.state
                )
                assert stored == value
        assert known.streams == {(shard, till.id): (3, value)}
        assert known.heads == {shard: 44}

    @pytest.mark.parametrize("version", [1, 3, 4])
    def test_a_version_that_is_not_the_next_is_a_conflict(self, version: int) -> None:
        save = first_save()
        part = replace(save.parts[0], first_version=version)
        known = Known(streams={(save.shard, part.stream_id): (1, bytes(32))})
        with pytest.raises(Conflict):
            admit(replace(save, parts=(part,)), known)

    def test_the_same_stream_on_another_shard_is_another_stream(self) -> None:
        save = first_save()
        known = Known(streams={(save.shard ^ 1, save.parts[0].stream_id): (7, bytes(32))})
        assert isinstance(admit(save, known), Admitted)


class TestRefusals:
    def full_save(self) -> Save:
        till = new_till()
        commit = commit_of(
            till,
            documents=(document_of(till, b"bytes"),),
            command=command_named("key", number=1),
            lane=LaneChange(till.id, due_at=NOON),
        )
        return prepare(commit, MAPPER, snapshot_every=1_000)

    @pytest.mark.parametrize(
        "spoil", ["conflict", "repeated", "reused", "other bytes", "stale lease"]
    )
    def test_nothing_is_known_of_a_refused_save(self, spoil: str) -> None:
        save = self.full_save()
        assert save.command is not None
        assert save.lane is not None
        known = Known(heads={save.shard: 5})
        command, document, lane = save.command, save.documents[0], save.lane
        key = (save.shard, "test", "key")
        match spoil:
            case "conflict":
                known.streams[save.shard, save.parts[0].stream_id] = (1, bytes(32))
                refusal: type[Exception] = Conflict
            case "repeated":
                known.commands[key] = command
                refusal = CommandAlreadyRecorded
            case "reused":
                known.commands[key] = replace(
                    command, command=replace(command.command, body_hash=b"another")
                )
                refusal = IdempotencyKeyReused
            case "other bytes":
                known.documents = {document.ref: bytes(32)}
                refusal = IntegrityFault
            case _:
                save = replace(save, lane=replace(lane, fence=3))
                known.lanes[save.shard, lane.register_id] = LaneState(epoch=4, lease_until=NOON)
                refusal = StaleLease
        before = deepcopy(known)
        with pytest.raises(refusal):
            admit(save, known)
        assert known == before

    def test_a_repetition_outranks_a_conflict_and_a_lost_lease(self) -> None:
        save = self.full_save()
        assert save.command is not None
        assert save.lane is not None
        known = Known(
            commands={(save.shard, "test", "key"): save.command},
            streams={(save.shard, save.parts[0].stream_id): (9, bytes(32))},
        )
        with pytest.raises(CommandAlreadyRecorded) as repeated:
            admit(replace(save, lane=replace(save.lane, fence=1)), known)
        assert repeated.value.recorded == save.command

    def test_bytes_that_are_stored_already_are_not_stored_again(self) -> None:
        save = self.full_save()
        known = Known(documents={})
        assert admit(save, known).documents == save.documents
        known.documents = {document.ref: document.sha256 for document in save.documents}
        again = replace(save, parts=(), command=None)
        assert admit(again, known).documents == ()


moments = st.none() | st.integers(-3, 3).map(lambda n: NOON + n * MINUTE)
changes = st.builds(
    LaneChange,
    register_id=st.just(TILL.id),
    due_at=moments,
    parked=st.none() | st.sampled_from(["refused", "unknown register"]),
    resumed=st.booleans(),
)


class TestLane:
    @given(st.lists(changes, min_size=1))
    def test_the_earliest_due_time_and_the_last_stop_hold(self, given: list[LaneChange]) -> None:
        lane = LaneState()
        for change in given:
            change_lane(lane, change)
        due = [change.due_at for change in given if change.due_at is not None]
        assert lane.due_at == min(due, default=None)
        stops = [change.parked for change in given if change.parked or change.resumed]
        assert lane.parked == (stops[-1] if stops else None)
        assert lane.changed

    def test_a_stored_lane_that_stays_as_it_is_is_not_written(self) -> None:
        lane = LaneState(due_at=NOON, stored=True)
        change_lane(lane, LaneChange(TILL.id, due_at=NOON + MINUTE))
        assert not lane.changed
        change_lane(lane, LaneChange(TILL.id, due_at=NOON - MINUTE))
        assert lane.changed

    @pytest.mark.parametrize(
        ("lane", "fence", "stands"),
        [
            (LaneState(epoch=3, lease_until=NOON), 3, True),
            (LaneState(epoch=3, lease_until=NOON), 2, False),
            (LaneState(epoch=3, lease_until=None), 3, False),
            (None, 0, False),
            (None, None, True),
        ],
    )
    def test_a_fence_stands_while_its_epoch_holds_the_lane(
        self, lane: LaneState | None, fence: int | None, stands: bool
    ) -> None:
        save = Save(shard=SHARD, parts=(), lane=LaneChange(TILL.id, fence=fence))
        known = Known(lanes={} if lane is None else {(SHARD, TILL.id): lane})
        if stands:
            admit(save, known)
        else:
            with pytest.raises(StaleLease):
                admit(save, known)


@given(st.dictionaries(st.text(), st.text() | st.integers(-(2**63), 2**63 - 1)))
def test_a_result_survives_its_stored_form(result: dict[str, str | int]) -> None:
    assert load_result(dump_result(result)) == result


def test_what_is_prepared_names_its_shard() -> None:
    till = new_till()
    with pytest.raises(AssertionError):
        prepare(
            commit_of(till, lane=LaneChange(_elsewhere(shard_of(till.id)), due_at=NOON)),
            MAPPER,
            snapshot_every=1_000,
        )


def _elsewhere(shard: int) -> UUID:
    while shard_of(found := uuid4()) == shard:
        pass
    return found
