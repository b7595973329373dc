"""Tokens and rights."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from api.auth import RIGHTS, Caller, Right, TokenDirectory, bearer_token
from api.errors import Forbidden, Unauthenticated
from infra.tokens import Role, TokenRow, token_hash

GOOD = "fl_" + "a" * 43


class Tokens:
    """The table of tokens, which counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.valid = True

    def find(self, sha256: bytes) -> TokenRow | None:
        self.asked += 1
        if not self.valid or sha256 != token_hash(GOOD):
            return None
        return TokenRow(
            token_id=UUID(int=1),
            sha256=sha256,
            name="каса 1",
            role=Role.CASHIER,
            created_at=datetime(2026, 11, 5, tzinfo=UTC),
            revoked_at=None,
        )


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _directory(tokens: Tokens, time: Time, *, capacity: int = 100) -> TokenDirectory:
    return TokenDirectory(tokens.find, remember_seconds=10, capacity=capacity, clock=time)


class TestDirectory:
    def test_known_token_costs_one_question_for_its_time(self) -> None:
        tokens, time = Tokens(), Time()
        directory = _directory(tokens, time)

        assert directory.remembered(GOOD) is None
        caller = directory.look_up(GOOD)
        time.now += 9.9

        assert directory.remembered(GOOD) == caller
        assert tokens.asked == 1
        assert caller.scope == f"token:{UUID(int=1)}"

    def test_revoked_token_stops_working_when_its_time_is_over(self) -> None:
        tokens, time = Tokens(), Time()
        directory = _directory(tokens, time)
        directory.look_up(GOOD)

        tokens.valid = False
        time.now += 10

        assert directory.remembered(GOOD) is None
        with pytest.raises(Unauthenticated):
            directory.look_up(GOOD)

    def test_wrong_token_does_not_reach_the_table_each_time(self) -> None:
        tokens, time = Tokens(), Time()
        directory = _directory(tokens, time)
        wrong = "fl_" + "b" * 43
        with pytest.raises(Unauthenticated):
            directory.look_up(wrong)

        with pytest.raises(Unauthenticated):
            directory.remembered(wrong)

        assert tokens.asked == 1

    def test_guesses_do_not_fill_the_memory(self) -> None:
        tokens, time = Tokens(), Time()
        directory = _directory(tokens, time, capacity=10)
        for number in range(50):
            with pytest.raises(Unauthenticated):
                directory.look_up(f"fl_{number}")

        assert len(directory._known) == 10


class TestHeader:
    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_token_is_taken_from_it(self, scheme: str) -> None:
        assert bearer_token(f"{scheme} {GOOD}") == GOOD

    @pytest.mark.parametrize(
        "value",
        [None, "", "Bearer", "Bearer ", f"Basic {GOOD}", "Bearer abc", "Bearer fl_" + "a" * 300],
    )
    def test_anything_else_is_nobody(self, value: str | None) -> None:
        with pytest.raises(Unauthenticated):
            bearer_token(value)


class TestRights:
    def test_every_role_has_its_rights_and_the_administrator_all(self) -> None:
        assert set(RIGHTS) == set(Role)
        assert RIGHTS[Role.ADMINISTRATOR] == set(Right)

    @pytest.mark.parametrize("right", [Right.SET_UP, Right.OPERATE])
    def test_only_the_administrator_sets_up_and_operates(self, right: Right) -> None:
        assert {role for role in Role if right in RIGHTS[role]} == {Role.ADMINISTRATOR}

    def test_auditor_changes_nothing(self) -> None:
        assert RIGHTS[Role.AUDITOR] <= {Right.READ, Right.READ_EVENTS, Right.READ_METRICS}

    def test_missing_right_is_named(self) -> None:
        auditor = Caller(UUID(int=1), "аудитор", Role.AUDITOR, scope="token:1")

        with pytest.raises(Forbidden) as refusal:
            auditor.require(Right.SELL)

        assert refusal.value.facts() == {"role": "auditor", "right": "sell"}
