"""The simulator's own tables of the three document schemas: order, types, what is required.

One line is one element: name, type, and ``R`` when required. ``part:X`` is an element holding the
sequence X, ``rows:X`` an element holding one or more ``ROW`` with attribute ROWNUM and the sequence
X. Elements joined by ``|`` exclude each other. Written from our protocol notes (§3), not generated
from the official files, so that a mistake in one is found by the other; a test compares verdicts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from infra.simulator.check_tables import CHECK_TABLES
from infra.simulator.lexical import TYPES
from infra.simulator.z_report_tables import TICKET_TABLES, Z_REPORT_TABLES

_TABLES: Final = CHECK_TABLES | Z_REPORT_TABLES | TICKET_TABLES


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in a sequence: an element, or one of several that exclude each other."""

    position: int
    required: bool
    kind: str
    accepts: Callable[[str], bool] | None
    child: str | None
    is_rows: bool


Sequence = dict[str, Slot]


def _compiled(table: str) -> Sequence:
    sequence: Sequence = {}
    lines = [line for line in table.splitlines() if line.strip()]
    for position, line in enumerate(lines):
        for alternative in line.split("|"):
            name, kind, *required = alternative.split()
            manner, _, child = kind.partition(":")
            sequence[name] = Slot(
                position=position,
                required=bool(required),
                kind=kind,
                accepts=None if child else TYPES[kind],
                child=child or None,
                is_rows=manner == "rows",
            )
    return sequence


SEQUENCES: Final[dict[str, Sequence]] = {name: _compiled(table) for name, table in _TABLES.items()}
REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(element for element, slot in sequence.items() if slot.required)
    for name, sequence in SEQUENCES.items()
}
