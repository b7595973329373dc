"""What a benchmark gives back: figures with what they were measured against."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    `value` is in `unit`; a ratio has the unit `x`. `against` names the reference measured in the same run. `now` is
    the level to reach, `aim` the one to aim at, both in the same unit; `lower_is_better` tells which side is good.
    `detail` gives absolutes.
    """

    name: str
    value: float
    unit: str
    against: str = ""
    now: float | None = None
    aim: float | None = None
    detail: str = ""
    lower_is_better: bool = False

    @property
    def is_reached(self) -> bool:
        """Whether the level to reach now is reached; True where there is none."""
        if self.now is None:
            return True
        return self.value <= self.now if self.lower_is_better else self.value >= self.now

    def __str__(self) -> str:
        """Return the figure as one line."""
        wanted = "" if self.now is None else f"  now {self.now:g}"
        aimed = "" if self.aim is None else f"  aim {self.aim:g}"
        against = f"  against {self.against}" if self.against else ""
        return f"{self.name} {self.value:.3g} {self.unit}{wanted}{aimed}{against}  {self.detail}"


def median(values: Sequence[float]) -> float:
    """Return the median; what a neighbour on the machine does to one block does not move it."""
    return statistics.median(values)
