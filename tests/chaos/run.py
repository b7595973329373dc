"""One run: everything up, tills selling, a demon at work, then rest, then the count."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from infra.postgres import connect
from tests.chaos.audit import Audit, broken_places, differing_projections, gather
from tests.chaos.demon import Demon, Rhythm, stop_lane
from tests.chaos.network import Desk, set_up
from tests.chaos.reader import Reader
from tests.chaos.tills import FOR_GOOD, Given, Till, stopped_by_script, stopped_for_good
from tests.support.deployment import Deployment

QUIESCENCE_SECONDS = 180.0
SALES_BEHIND_A_STOP = 3
_PROGRESS_SECONDS = 5.0
_BEHIND = """
    SELECT coalesce(max(h.total - (SELECT sum(p) FROM unnest(t.positions) AS p)), 0)
    FROM tracking AS t, (SELECT sum(position) AS total FROM heads) AS h
"""
_FAST_RECOVERY: dict[str, Any] = {
    "worker_threads": 8,
    "connect_timeout_seconds": 1.0,
    "answer_timeout_seconds": 2.0,
    "lease_seconds": 8.0,
    "retry_first_seconds": 0.2,
    "retry_longest_seconds": 2.0,
    "sweep_seconds": 0.5,
    "state_check_seconds": 20.0,
}

RHYTHM = Rhythm(kill_seconds=4.0, mood_seconds=6.0, down_seconds=2.0)

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. `registers_stopped`: how many the script stops for good at the end."""

    seconds: float
    seed: int
    registers: int = 12
    tills: int = 8
    workers: int = 2
    registers_stopped: int = 2
    till_pause_seconds: float = 0.1
    rhythm: Rhythm = RHYTHM


def run(plan: Plan, folder: Path, *, tell: Tell) -> dict[str, Any]:
    """Run and return the counts; `failures` says in sentences what must not be, empty when all is well."""
    started = time.monotonic()
    with Deployment(folder, workers=plan.workers, **_FAST_RECOVERY) as deployment:
        desks = set_up(deployment, registers=plan.registers)
        tell(f"all parts run after {time.monotonic() - started:.1f} s; logs in {deployment.logs}")
        given = Given()
        reader = Reader(deployment.client())
        demon = Demon(deployment, desks, plan.rhythm, seed=plan.seed)
        began = time.monotonic()
        deployment.keep()
        reader.start()
        with _selling(plan, deployment, desks, given):
            demon.start()
            _watch(plan, deployment, given, reader, demon, tell=tell)
            demon.stop()
            tell("every part is up, the tax service is well; what was begun is finished")
        seconds = time.monotonic() - began
        with deployment.client() as client:
            late = _come_to_rest(deployment, client, desks, given)
            stopped = _stop_for_good(plan, deployment, client, desks, given)
            late += _come_to_rest(deployment, client, desks, given, stopped=stopped)
            reader.finish()
            tell(f"at rest; counting {len(given.registers)} acknowledged receipts")
            result = _counted(deployment, client, desks, given, reader)
    for name, thread in (("reader", reader), ("demon", demon)):
        if thread.fault is not None:
            result["failures"].append(f"the {name} failed: {thread.fault!r}")
    result["failures"] += late
    return {
        **result,
        "kills": {part.name: part.kills for part in deployment.parts},
        "ended_by_themselves": {part.name: part.ended_by_itself for part in deployment.parts},
        "faults_injected": dict(sorted(demon.injected.items())),
        "requests_repeated": given.repetitions,
        "refused_by_rule": dict(sorted(given.refusals.items())),
        "lanes_resumed": given.resumed,
        "seed": plan.seed,
        "registers": plan.registers,
        "tills": plan.tills,
        "seconds": round(seconds, 1),
    }


@contextmanager
def _selling(
    plan: Plan, deployment: Deployment, desks: Sequence[Desk], given: Given
) -> Iterator[None]:
    tills = [
        Till(
            deployment.client(timeout=30.0),
            desks,
            given,
            seed=f"till-{plan.seed}-{number}",
            pause_seconds=plan.till_pause_seconds,
        )
        for number in range(plan.tills)
    ]
    for till in tills:
        till.start()
    yield
    for till in tills:
        till.finish()
    for till in tills:
        till.join()
    faults = [till.fault for till in tills if till.fault is not None]
    if faults:
        raise faults[0]


def _watch(
    plan: Plan,
    deployment: Deployment,
    given: Given,
    reader: Reader,
    demon: Demon,
    *,
    tell: Tell,
) -> None:
    """Tell how far it is, until the time is over."""
    until = time.monotonic() + plan.seconds
    while (left := until - time.monotonic()) > 0 and demon.fault is None:
        time.sleep(min(left, _PROGRESS_SECONDS))
        kills = " ".join(f"{part.name} {part.kills}" for part in deployment.parts if part.kills)
        tell(
            f"{max(0.0, until - time.monotonic()):5.0f} s left  {len(given.registers):,} acknowledged  "
            f"{reader.sales_registered:,} registered  "
            f"{reader.topics['register.document-refused']:,} refused  "
            f"{given.repetitions:,} repeated  killed: {kills or 'nobody'}"
        )


# --- rest ---------------------------------------------------------------------------------------------


def _come_to_rest(
    deployment: Deployment,
    client: httpx.Client,
    desks: Sequence[Desk],
    given: Given,
    *,
    stopped: Sequence[Desk] = (),
) -> list[str]:
    """Wait until no lane has anything to do; a person lets those go on that the script stopped for a while.

    Returns what does not come to rest, in sentences.
    """
    person = Till(client, desks, given, seed=f"person-{time.monotonic_ns()}")
    deadline = time.monotonic() + QUIESCENCE_SECONDS
    restless = list(desks)
    while restless and time.monotonic() < deadline:
        restless = [desk for desk in restless if not _rests(client, desk, person, stopped)]
        time.sleep(0.2)
    late = [f"register {d.fiscal_number} does not rest: {_lane(client, d)}" for d in restless]
    while (behind := _events_behind(deployment)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return [*late, *([f"a projection is {behind} events behind"] if behind else [])]


def _rests(client: httpx.Client, desk: Desk, person: Till, stopped: Sequence[Desk]) -> bool:
    lane = _lane(client, desk)
    parked = lane["parked"]
    if parked is None:
        return desk not in stopped and lane["next_step"] == "idle"
    if stopped_by_script(parked) and not stopped_for_good(parked):
        person.resume(desk)
    return desk in stopped and stopped_for_good(parked)


def _lane(client: httpx.Client, desk: Desk) -> dict[str, Any]:
    answer = client.get(f"/v1/registers/{desk.register_id}/lane")
    assert answer.status_code == 200, answer.text
    lane: dict[str, Any] = answer.json()
    return lane


def _events_behind(deployment: Deployment) -> int:
    with connect(deployment.dsn, name="chaos") as connection:
        found = connection.execute(_BEHIND).fetchone()
    assert found is not None
    return int(found[0])


def _stop_for_good(
    plan: Plan,
    deployment: Deployment,
    client: httpx.Client,
    desks: Sequence[Desk],
    given: Given,
) -> list[Desk]:
    """Let the script stop a few registers and sell on them: receipts that can only wait for a person."""
    chosen = list(desks[: plan.registers_stopped])
    for desk in chosen:
        till = Till(client, [desk], given, seed=f"last-{plan.seed}-{desk.fiscal_number}")
        _sell_surely(deployment, till, desk, given)
        deployment.until(
            lambda desk=desk: _lane(client, desk)["next_step"] == "idle",  # type: ignore[misc]
            f"register {desk.fiscal_number}",
        )
        stop_lane(deployment, desk, code=1, text=FOR_GOOD)
        for _ in range(SALES_BEHIND_A_STOP):
            till.sell(desk)
    return chosen


def _sell_surely(deployment: Deployment, till: Till, desk: Desk, given: Given) -> None:
    """Sell once, after settling what was refused and letting a shift that is closing close."""
    before = len(given.registers)

    def is_sold() -> bool:
        till.settle(desk)
        till.sell(desk)
        return len(given.registers) > before

    deployment.until(is_sold, f"a sale on register {desk.fiscal_number}")


# --- the count ------------------------------------------------------------------------------------------


def _counted(
    deployment: Deployment,
    client: httpx.Client,
    desks: Sequence[Desk],
    given: Given,
    reader: Reader,
) -> dict[str, Any]:
    sources = gather(deployment, client, desks, acknowledged=given.totals)
    count = Audit(sources).run()
    findings = count.findings
    missed = len(sources.log.places - reader.seen)
    breaks = broken_places(deployment)
    differences = differing_projections(deployment)
    refused = count.states.get("refused", 0) + count.states.get("voided", 0)
    result: dict[str, Any] = {
        "acknowledged": count.acknowledged,
        "registered": count.states.get("registered", 0),
        "refused": refused,
        "voided": count.states.get("voided", 0),
        "parked_by_script": count.parked_by_script,
        "unresolved": count.unresolved,
        "lost": findings.count("lost"),
        "doubled": findings.count("doubled"),
        "out_of_order": findings.count("out_of_order"),
        "refused_unasked": findings.count("refused_unasked"),
        "events": len(sources.log.places),
        "reader_missed": missed,
        "reader_repeated": reader.repeated,
        "reader_out_of_order": reader.out_of_order,
        "verify_breaks": len(breaks),
        "projections_differing": len(differences),
        "findings": findings.shown(),
    }
    zeros = (
        "unresolved",
        "lost",
        "doubled",
        "out_of_order",
        "refused_unasked",
        "reader_missed",
        "reader_repeated",
        "reader_out_of_order",
        "verify_breaks",
        "projections_differing",
    )
    failures = [f"{name} is {result[name]}" for name in zeros if result[name]]
    settled = result["registered"] + refused + count.parked_by_script
    if settled != count.acknowledged:
        failures.append(f"{settled} receipts are settled, {count.acknowledged} were acknowledged")
    result["failures"] = [*failures, *breaks[:5], *differences[:5]]
    return result


def say(line: str) -> None:
    """Write a line of progress at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
