"""Which code does the arithmetic in this process, chosen once by self-test.

Nobody needs to configure anything: libcrypto if it has binary curves, else Python integers; the
compiled hashes if `python -m infra.signing.build` has made them, else Python. `backends` tells a
person which, for `fiscal doctor`.
"""

from functools import lru_cache
from typing import Protocol

from infra.signing import libcrypto, native
from infra.signing.curves import Curve, Point
from infra.signing.gf2m import PythonPoints


class PointArithmetic(Protocol):
    """Multiplication of curve points; None is the point at infinity."""

    @property
    def name(self) -> str:
        """What a person calls this back end."""
        ...

    def multiply_base(self, curve: Curve, scalar: int) -> Point | None:
        """scalar · G."""
        ...

    def multiply(self, curve: Curve, scalar: int, point: Point) -> Point | None:
        """scalar · point."""
        ...

    def combine(
        self, curve: Curve, *, base_scalar: int, point_scalar: int, point: Point
    ) -> Point | None:
        """base_scalar · G + point_scalar · point."""
        ...


@lru_cache(maxsize=1)
def _chosen_points() -> tuple[PointArithmetic, str]:
    try:
        points = libcrypto.load()
    except libcrypto.LibcryptoFault as fault:
        python = PythonPoints()
        return python, f"{python.name} ({fault})"
    return points, points.name


def points() -> PointArithmetic:
    """The point arithmetic of this process."""
    return _chosen_points()[0]


def backends() -> dict[str, str]:
    """What does the work, by task: `points` and `hashes`, each a short phrase with the reason."""
    return {"points": _chosen_points()[1], "hashes": native.description()}
