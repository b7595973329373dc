"""Every event has an example and a golden file, and every golden file ever written still loads."""

import subprocess
import sys
from pathlib import Path
from pkgutil import walk_packages
from typing import Any
from uuid import UUID

import orjson
import pytest
from eventsourcing.persistence import StoredEvent

import domain
from domain.aggregate import Aggregate, AggregateCreated
from infra.event_store.codec import LedgerMapper
from tests.event_examples import (
    EVENTS,
    FOLDER,
    STREAMS,
    event_classes,
    golden_of,
    stored_form,
)

GOLDEN = sorted(FOLDER.glob("*.json"))


def test_every_aggregate_is_looked_at() -> None:
    for module in walk_packages(domain.__path__, "domain."):
        __import__(module.name)
    # What states no topic is a part of one that does, and never a stream.
    ours = {found for found in _subclasses(Aggregate) if "TOPIC" in vars(found)}
    assert {found for found in ours if found.__module__.startswith("domain.")} == set(STREAMS)


def _subclasses(parent: type[Any]) -> set[type[Any]]:
    children = set(parent.__subclasses__())
    return children | {found for child in children for found in _subclasses(child)}


def test_every_event_has_an_example() -> None:
    assert {type(event) for event in EVENTS.values()} == event_classes()


def test_every_event_states_its_own_topic() -> None:
    """A forgotten topic would be the one inherited from the stream's base class."""
    topics = [event_class.TOPIC for event_class in event_classes()]
    bases = {stream.Event.TOPIC for stream in STREAMS} | {
        Aggregate.Event.TOPIC,
        AggregateCreated.TOPIC,
    }
    assert len(set(topics)) == len(topics)
    assert not bases & set(topics)


def test_a_process_that_has_recorded_nothing_reads_every_event() -> None:
    topics = [event_class.TOPIC for event_class in event_classes()]
    read = (
        "import sys; from eventsourcing.utils import resolve_topic; import domain.ledger;"
        "[resolve_topic(topic) for topic in sys.argv[1:]]"
    )
    run = subprocess.run(
        [sys.executable, "-c", read, *topics], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_stored_form_equals_the_golden_file(name: str) -> None:
    golden = golden_of(name)
    assert golden.exists(), "write it with: python -m tests.event_examples"
    assert orjson.dumps(stored_form(EVENTS[name])) == orjson.dumps(
        orjson.loads(golden.read_bytes())
    )


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_golden_event_still_loads(golden: Path) -> None:
    name = golden.stem.rpartition(".")[0]
    example, stored = EVENTS[name], orjson.loads(golden.read_bytes())
    loaded: Any = LedgerMapper().to_domain_event(
        StoredEvent(
            originator_id=UUID(stored["stream_id"]),
            originator_version=stored["version"],
            topic=stored["topic"],
            state=orjson.dumps(stored["state"]),
        )
    )
    assert type(loaded) is type(example)
    if golden == golden_of(name):
        assert loaded == example
