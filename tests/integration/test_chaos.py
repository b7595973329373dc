"""A short run of what `make chaos` does for long, and the count's own proof that it sees what is wrong."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from domain.identifiers import document_id, document_uid
from tests.chaos.audit import Audit, Log, Numbered, Receipt, Sources
from tests.chaos.demon import Rhythm
from tests.chaos.run import Plan, run, say

PLAN = Plan(
    seconds=40,
    seed=20261105,
    registers=8,
    tills=6,
    till_pause_seconds=0.2,
    rhythm=Rhythm(kill_seconds=3.0, mood_seconds=4.0, down_seconds=1.0),
)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_parts_killed_under_load_lose_double_and_disorder_nothing(tmp_path: Path) -> None:
    counts = run(PLAN, tmp_path / "data", tell=say)

    assert counts["failures"] == [], counts["findings"]
    settled = counts["registered"] + counts["refused"] + counts["parked_by_script"]
    assert settled == counts["acknowledged"]
    assert counts["registered"] > 50
    assert counts["parked_by_script"] >= PLAN.registers_stopped
    assert {name: counts[name] for name in ("unresolved", "lost", "doubled", "out_of_order")} == {
        "unresolved": 0,
        "lost": 0,
        "doubled": 0,
        "out_of_order": 0,
    }
    assert counts["reader_missed"] == 0
    assert sum(counts["kills"].values()) >= 4
    assert sum(counts["faults_injected"].values()) > 10


# --- the count sees what is wrong -----------------------------------------------------------------------

REGISTER, FIRST, SECOND = uuid4(), uuid4(), uuid4()


def _numbered(receipt_id: UUID, number: int) -> Numbered:
    return Numbered(document_uid(document_id(receipt_id, number=0)), number, f"360000010{number}")


def _book_row(receipt_id: UUID, number: int) -> dict[str, object]:
    document = _numbered(receipt_id, number)
    return {
        "uid": document.uid.lower(),
        "local_number": number,
        "fiscal_number": document.fiscal_number,
        "sum_kopecks": 100 * number,
    }


def _journal_row(receipt_id: UUID, number: int) -> dict[str, object]:
    return {
        "register_id": str(REGISTER),
        "state": "registered",
        "total_kopecks": 100 * number,
        "local_number": number,
        "fiscal_number": _numbered(receipt_id, number).fiscal_number,
    }


def _two_sales() -> Sources:
    """Two sales of one register, registered as numbers 1 and 2, as every side has them."""
    sales = ((FIRST, 1), (SECOND, 2))
    log = Log()
    for receipt_id, number in sales:
        document = _numbered(receipt_id, number)
        log.receipts[receipt_id] = Receipt(
            REGISTER, order=number, total_kopecks=100 * number, registered=[document]
        )
        log.documents[REGISTER].append((receipt_id, document))
    return Sources(
        acknowledged={receipt_id: {100 * number} for receipt_id, number in sales},
        log=log,
        journal={receipt_id: _journal_row(receipt_id, number) for receipt_id, number in sales},
        books={REGISTER: [_book_row(receipt_id, number) for receipt_id, number in sales]},
    )


def _kinds(sources: Sources) -> set[str]:
    return set(Audit(sources).run().findings.sentences)


def test_count_finds_nothing_where_all_sides_agree() -> None:
    count = Audit(_two_sales()).run()
    assert count.findings.sentences == {}
    assert (count.acknowledged, dict(count.states), count.unresolved) == (2, {"registered": 2}, 0)


def _not_in_log(sources: Sources) -> Sources:
    del sources.log.receipts[FIRST]
    return sources


def _not_in_book(sources: Sources) -> Sources:
    return replace(sources, books={REGISTER: [_book_row(FIRST, 1)]})


def _only_in_book(sources: Sources) -> Sources:
    stranger = _book_row(uuid4(), 3)
    return replace(sources, books={REGISTER: [*sources.books[REGISTER], stranger]})


def _other_total_in_book(sources: Sources) -> Sources:
    wrong = {**_book_row(SECOND, 2), "sum_kopecks": 1}
    return replace(sources, books={REGISTER: [_book_row(FIRST, 1), wrong]})


def _other_total_told(sources: Sources) -> Sources:
    return replace(sources, acknowledged={FIRST: {100}, SECOND: {999}})


def _other_number_in_journal(sources: Sources) -> Sources:
    return replace(sources, journal={FIRST: _journal_row(FIRST, 1), SECOND: _journal_row(FIRST, 1)})


@pytest.mark.parametrize(
    "spoil",
    [
        _not_in_log,
        _not_in_book,
        _only_in_book,
        _other_total_in_book,
        _other_total_told,
        _other_number_in_journal,
    ],
)
def test_count_calls_a_difference_between_the_sides_lost(
    spoil: Callable[[Sources], Sources],
) -> None:
    assert "lost" in _kinds(spoil(_two_sales()))


def _twice_in_book(sources: Sources) -> Sources:
    again = {
        **_book_row(FIRST, 3),
        "uid": document_uid(document_id(FIRST, number=1)),
    }
    return replace(sources, books={REGISTER: [*sources.books[REGISTER], again]})


def _sold_twice_for_one_answer(sources: Sources) -> Sources:
    return replace(sources, acknowledged={FIRST: {100}})


@pytest.mark.parametrize("spoil", [_twice_in_book, _sold_twice_for_one_answer])
def test_count_calls_a_second_registration_or_sale_doubled(
    spoil: Callable[[Sources], Sources],
) -> None:
    assert "doubled" in _kinds(spoil(_two_sales()))


def _other_order_in_book(sources: Sources) -> Sources:
    return replace(sources, books={REGISTER: list(reversed(sources.books[REGISTER]))})


def _registered_against_its_sales(sources: Sources) -> Sources:
    sources.log.receipts[FIRST].order = 9
    return sources


@pytest.mark.parametrize("spoil", [_other_order_in_book, _registered_against_its_sales])
def test_count_calls_another_order_out_of_order(spoil: Callable[[Sources], Sources]) -> None:
    assert "out_of_order" in _kinds(spoil(_two_sales()))


def test_count_tells_a_receipt_that_nobody_stopped_from_one_the_script_stopped() -> None:
    sources = _two_sales()
    sources.log.receipts[SECOND].registered.clear()
    sources.log.documents[REGISTER].pop()
    waiting = {**_journal_row(SECOND, 2), "state": "parked", "fiscal_number": None}
    sources = replace(
        sources,
        journal={FIRST: _journal_row(FIRST, 1), SECOND: waiting},
        books={REGISTER: [_book_row(FIRST, 1)]},
    )
    assert Audit(sources).run().unresolved == 1
    stopped = Audit(replace(sources, stopped=frozenset({REGISTER}))).run()
    assert (stopped.parked_by_script, stopped.unresolved) == (1, 0)


def test_count_names_a_refusal_that_the_script_did_not_ask_for() -> None:
    sources = _two_sales()
    sources.log.receipts[FIRST].refusals.append("Сума не збігається")
    assert _kinds(sources) == {"refused_unasked"}
