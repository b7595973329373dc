"""Decision records are numbered without gaps and have their parts."""

import re
from pathlib import Path

import pytest

RECORDS = sorted((Path(__file__).parents[2] / "docs/decisions").glob("[0-9]*.md"))


def test_numbers_run_from_one_without_gaps() -> None:
    numbers = [int(record.name[:4]) for record in RECORDS]

    assert numbers == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_record_has_its_parts_and_number(record: Path) -> None:
    text = record.read_text()

    assert text.startswith(f"# {int(record.name[:4])}. ")
    assert re.findall(r"^## (\w+)", text, re.MULTILINE)[:4] == [
        "Context",
        "Decision",
        "Consequences",
        "Alternatives",
    ]
