"""The libcrypto back end: self-test, threads, libraries that cannot do it."""

import ctypes
import ctypes.util
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from infra.signing import backends, libcrypto
from infra.signing.curves import M257, M431, Curve, Point
from infra.signing.gf2m import PythonPoints


@pytest.fixture(scope="module")
def points() -> libcrypto.LibcryptoPoints:
    try:
        return libcrypto.load()
    except libcrypto.LibcryptoFault as fault:
        pytest.skip(f"no libcrypto with binary curves: {fault}")


def test_the_library_names_itself(points: libcrypto.LibcryptoPoints) -> None:
    assert points.name.startswith("OpenSSL")


def test_many_threads_share_one_group(points: libcrypto.LibcryptoPoints) -> None:
    fresh = libcrypto.LibcryptoPoints(ctypes.CDLL(points.path), path=points.path)
    scalars = range(1, 200)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda scalar: fresh.multiply_base(M431, scalar), scalars))
    assert found == [points.multiply_base(M431, scalar) for scalar in scalars]


def test_a_point_off_the_curve_is_refused(points: libcrypto.LibcryptoPoints) -> None:
    with pytest.raises(libcrypto.LibcryptoFault, match="EC_POINT_set_affine_coordinates"):
        points.multiply(M257, 3, Point(M257.base.x, M257.base.y ^ 1))


def test_parameters_that_are_no_curve_are_refused(points: libcrypto.LibcryptoPoints) -> None:
    broken = Curve(
        name="broken",
        oid="1.2.3",
        degree=257,
        exponents=(1, 2, 3, 12),
        a=0,
        b=M257.b,
        order=M257.order,
        base=M257.base,
    )
    with pytest.raises(libcrypto.LibcryptoFault, match="EC_GROUP_new_curve_GF2m"):
        points.multiply_base(broken, 2)


def test_a_base_point_off_the_curve_is_refused(points: libcrypto.LibcryptoPoints) -> None:
    broken = Curve(
        name="broken",
        oid="1.2.4",
        degree=257,
        exponents=(12,),
        a=0,
        b=M257.b,
        order=M257.order,
        base=Point(M257.base.x, M257.base.y ^ 1),
    )
    with pytest.raises(libcrypto.LibcryptoFault):
        points.multiply_base(broken, 2)


def test_a_library_without_binary_curves_is_refused() -> None:
    # The C library has none of the functions; a libcrypto without binary curves lacks some.
    with pytest.raises(libcrypto.LibcryptoFault, match="is missing"):
        libcrypto.LibcryptoPoints(ctypes.CDLL(None), path="the C library")


class WrongPoints(libcrypto.LibcryptoPoints):
    """A library that miscalculates: what the self-test is there for."""

    def __init__(self, right: libcrypto.LibcryptoPoints, *, wrong: str) -> None:
        self._right = right
        self._wrong = wrong

    def multiply_base(self, curve: Curve, scalar: int) -> Point | None:
        offset = 1 if self._wrong in ("base", curve.name) else 0
        return self._right.multiply_base(curve, scalar + offset)

    def multiply(self, curve: Curve, scalar: int, point: Point) -> Point | None:
        return self._right.multiply(curve, scalar + (self._wrong == "point"), point)

    def combine(
        self, curve: Curve, *, base_scalar: int, point_scalar: int, point: Point
    ) -> Point | None:
        return self._right.combine(
            curve,
            base_scalar=base_scalar + (self._wrong == "combination"),
            point_scalar=point_scalar,
            point=point,
        )


@pytest.mark.parametrize("wrong", ["base", "point", "combination", "M431"])
def test_the_self_test_finds_wrong_answers(wrong: str, points: libcrypto.LibcryptoPoints) -> None:
    with pytest.raises(libcrypto.LibcryptoFault, match="wrong answer of the self-test"):
        libcrypto.self_test(WrongPoints(points, wrong=wrong))


@pytest.fixture
def fresh_choice() -> Iterator[None]:
    backends._chosen_points.cache_clear()
    yield
    backends._chosen_points.cache_clear()


@pytest.mark.usefixtures("fresh_choice")
class TestChoice:
    def test_without_a_library_python_stands_in_and_says_why(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(libcrypto, "_libraries", lambda: iter(()))
        assert isinstance(backends.points(), PythonPoints)
        assert backends.backends()["points"] == "Python integers (no libcrypto found)"

    def test_an_unusable_library_is_named_as_the_reason(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(libcrypto, "_libraries", lambda: iter([("libc", ctypes.CDLL(None))]))
        assert "is missing" in backends.backends()["points"]

    def test_the_back_ends_in_use_are_named(self) -> None:
        names = backends.backends()
        assert set(names) == {"points", "hashes"}
        assert names["points"].startswith(backends.points().name)


class FailingLibrary:
    """libcrypto on a machine where one function fails, as when memory runs out."""

    def __init__(self, library: ctypes.CDLL, failing: str) -> None:
        self._library = library
        self._failing = failing

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._library, name)
        if name != self._failing:
            return function

        def fail(*arguments: object) -> object:
            return 0 if function.restype is ctypes.c_int else None

        return fail


@pytest.mark.parametrize(
    "failing",
    [
        "BN_new",
        "BN_bin2bn",
        "BN_bn2binpad",
        "BN_CTX_new",
        "EC_POINT_new",
        "EC_POINT_mul",
        "EC_POINT_get_affine_coordinates",
        "EC_GROUP_new_curve_GF2m",
        "EC_GROUP_set_generator",
    ],
)
def test_a_failing_function_is_named(failing: str, points: libcrypto.LibcryptoPoints) -> None:
    library = ctypes.CDLL(points.path)
    broken = libcrypto.LibcryptoPoints(library, path=points.path)
    broken._library = cast(ctypes.CDLL, FailingLibrary(library, failing))
    expected = "BN_new" if failing == "BN_bin2bn" else failing
    with pytest.raises(libcrypto.LibcryptoFault, match=expected):
        broken.multiply_base(M257, 5)
    broken._library = library
    assert broken.multiply_base(M257, 5) == points.multiply_base(M257, 5)


class TestSearch:
    def test_the_system_is_asked_when_no_usual_name_is_there(
        self, monkeypatch: pytest.MonkeyPatch, points: libcrypto.LibcryptoPoints
    ) -> None:
        monkeypatch.setattr(libcrypto, "_NAMES", ("libcrypto.so.none",))
        found = [path for path, _ in libcrypto._libraries()]
        assert found in ([], [ctypes.util.find_library("crypto")])
        monkeypatch.setattr(ctypes.util, "find_library", lambda _: points.path)
        assert [path for path, _ in libcrypto._libraries()] == [points.path]

    def test_a_file_that_cannot_be_loaded_is_passed_over(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(libcrypto, "_NAMES", ())
        monkeypatch.setattr(ctypes.util, "find_library", lambda _: "libcrypto.so.none")
        assert list(libcrypto._libraries()) == []
