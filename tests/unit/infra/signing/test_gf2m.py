"""Fields and curves in Python: published arithmetic, laws, compression; libcrypto beside it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.signing import gf2m, libcrypto
from infra.signing.curves import CURVES, M163, M257, M431, Curve, Point, by_oid, by_parameters

curves = pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
POINTS = gf2m.PythonPoints()


@pytest.fixture(scope="module")
def system_points() -> libcrypto.LibcryptoPoints:
    try:
        return libcrypto.load()
    except libcrypto.LibcryptoFault as fault:
        pytest.skip(f"no libcrypto with binary curves: {fault}")


def elements(curve: Curve) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << curve.degree) - 1)


@curves
class TestStandardCurves:
    def test_the_base_point_is_on_the_curve_and_has_the_order(self, curve: Curve) -> None:
        assert gf2m.is_on_curve(curve, curve.base)
        assert gf2m.multiply(curve, curve.order, curve.base) is None
        mirrored = gf2m.multiply(curve, curve.order - 1, curve.base)
        assert mirrored == gf2m.negate(curve.base)

    def test_the_base_point_survives_compression(self, curve: Curve) -> None:
        assert gf2m.expand(curve, gf2m.compress(curve, curve.base)) == curve.base

    def test_the_curve_is_found_by_identifier_and_parameters(self, curve: Curve) -> None:
        assert by_oid(curve.oid) is curve
        found = by_parameters(
            degree=curve.degree,
            exponents=curve.exponents,
            a=curve.a,
            b=curve.b,
            order=curve.order,
        )
        assert found is curve

    def test_the_order_has_the_size_of_the_field_over_the_cofactor(self, curve: Curve) -> None:
        # Hasse: the number of points differs from 2^m by at most 2^(m/2 + 1).
        assert abs(curve.order * curve.cofactor - (1 << curve.degree)) < 1 << curve.degree // 2 + 2


def test_changed_parameters_are_no_standard_curve() -> None:
    assert by_oid("1.2.804.2.1.1.1.1.3.1.1.2.10") is None
    assert by_parameters(degree=257, exponents=(12,), a=0, b=M257.b ^ 1, order=M257.order) is None


def test_compression_is_as_written_in_certificates() -> None:
    compressed = gf2m.compress(M257, M257.base).to_bytes(33, "little")
    assert compressed.hex() == "b60fd2d8dce8a93423c6101bca91c47a007e6c300b26cd556c9b0e7d20ef292a00"


def test_the_published_point_expands() -> None:
    compressed = 0x76CD4555AD63455529755E5C3F3066C3BCB957CC63D00E22C6DD1E9ED316B419
    assert gf2m.expand(M257, compressed) == Point(
        compressed ^ 1, 0x12B20103548F45DCBED5486022DFCB244B2D996E0D3D761ABAF73BA16EA26E0D3
    )


def test_the_published_arithmetic_of_the_field_holds(sample_keys: Path) -> None:
    document = json.loads((sample_keys / "uacrypt-vectors" / "gf2m163_arith.json").read_text())
    field = gf2m.field_of(M163)
    operations: dict[str, Callable[[int, int], int]] = {
        "add": lambda a, b: a ^ b,
        "multiply": field.multiply,
        "square": lambda a, _: field.square(a),
        "invert": lambda a, _: field.invert(a),
    }
    done = set()
    for case in document["field_cases"]:
        a, b = int(case["a"], 16), int(case.get("b", "0"), 16)
        assert operations[case["op"]](a, b) == int(case["result"], 16)
        done.add(case["op"])
    assert done == set(operations)


class TestField:
    @given(a=elements(M257), b=elements(M257), c=elements(M257))
    def test_multiplication_distributes_over_addition(self, a: int, b: int, c: int) -> None:
        field = gf2m.field_of(M257)
        assert field.multiply(a, b ^ c) == field.multiply(a, b) ^ field.multiply(a, c)
        assert field.multiply(a, b) == field.multiply(b, a)
        assert field.square(a) == field.multiply(a, a)

    @given(a=elements(M431).filter(bool))
    def test_an_element_times_its_inverse_is_one(self, a: int) -> None:
        field = gf2m.field_of(M431)
        assert field.multiply(a, field.invert(a)) == 1

    def test_zero_has_no_inverse(self) -> None:
        with pytest.raises(ZeroDivisionError):
            gf2m.field_of(M257).invert(0)

    @given(a=elements(M257))
    def test_a_square_root_squared_is_the_element(self, a: int) -> None:
        field = gf2m.field_of(M257)
        assert field.square(field.square_root(a)) == a

    @curves
    @given(data=st.data())
    def test_the_trace_is_the_sum_of_all_conjugates(
        self, curve: Curve, data: st.DataObject
    ) -> None:
        field = gf2m.field_of(curve)
        element = data.draw(elements(curve))
        total, conjugate = 0, element
        for _ in range(curve.degree):
            total ^= conjugate
            conjugate = field.square(conjugate)
        assert field.trace(element) == total

    @curves
    @given(data=st.data())
    def test_quadratics_are_solved_exactly_when_the_trace_is_zero(
        self, curve: Curve, data: st.DataObject
    ) -> None:
        field = gf2m.field_of(curve)
        element = data.draw(elements(curve))
        solution = field.solve_quadratic(element)
        if field.trace(element):
            assert solution is None
        else:
            assert solution is not None
            assert field.square(solution) ^ solution == element


class TestPoints:
    @given(data=st.data())
    def test_multiples_add_up(self, data: st.DataObject) -> None:
        a = data.draw(st.integers(0, M163.order))
        b = data.draw(st.integers(0, M163.order))
        left = gf2m.multiply(M163, a, M163.base)
        right = gf2m.multiply(M163, b, M163.base)
        assert gf2m.add(M163, left, right) == gf2m.multiply(M163, a + b, M163.base)

    def test_small_multiples_are_repeated_additions(self) -> None:
        total = None
        for count in range(6):
            assert gf2m.multiply(M257, count, M257.base) == total
            total = gf2m.add(M257, total, M257.base)

    @pytest.mark.parametrize("curve", [M163, M257], ids=["A=1", "A=0"])
    def test_the_point_of_order_two_is_its_own_negative(self, curve: Curve) -> None:
        order_two = gf2m.expand(curve, 0)
        assert gf2m.is_on_curve(curve, order_two)
        assert gf2m.compress(curve, order_two) == 0
        assert gf2m.add(curve, order_two, order_two) is None
        assert gf2m.multiply(curve, 2, order_two) is None
        assert gf2m.multiply(curve, 3, order_two) == order_two

    @curves
    @given(data=st.data())
    def test_any_multiple_survives_compression(self, curve: Curve, data: st.DataObject) -> None:
        # Doubling the base point a few times is a cheap way to points of the subgroup.
        point: Point | None = curve.base
        for _ in range(data.draw(st.integers(0, 6))):
            point = gf2m.add(curve, point, point)
        assert point is not None
        assert gf2m.expand(curve, gf2m.compress(curve, point)) == point

    def test_octets_that_are_no_point_are_refused(self) -> None:
        refused = 0
        for compressed in range(2, 40):
            try:
                point = gf2m.expand(M257, compressed)
            except gf2m.PointError:
                refused += 1
            else:
                assert gf2m.is_on_curve(M257, point)
        assert 0 < refused < 38

    def test_a_number_outside_the_field_is_refused(self) -> None:
        with pytest.raises(gf2m.PointError, match="larger than the field"):
            gf2m.expand(M257, 1 << 257)
        assert not gf2m.is_on_curve(M257, Point(1 << 257, 0))

    def test_one_as_compressed_has_no_point_where_a_is_zero(self) -> None:
        with pytest.raises(gf2m.PointError):
            gf2m.expand(M257, 1)


class TestBothBackEnds:
    @curves
    @given(data=st.data())
    def test_multiples_are_equal(
        self, curve: Curve, data: st.DataObject, system_points: libcrypto.LibcryptoPoints
    ) -> None:
        edges = [0, 1, 2, curve.order - 1, curve.order, curve.order + 1]
        scalars = st.sampled_from(edges) | st.integers(0, curve.order + 5)
        scalar = data.draw(scalars)
        expected = POINTS.multiply_base(curve, scalar)
        assert system_points.multiply_base(curve, scalar) == expected
        assert system_points.multiply(curve, scalar, curve.base) == expected

    @given(data=st.data())
    def test_combinations_are_equal(
        self, data: st.DataObject, system_points: libcrypto.LibcryptoPoints
    ) -> None:
        scalars = st.integers(0, M257.order)
        point = system_points.multiply_base(M257, data.draw(st.integers(1, M257.order - 1)))
        assert point is not None
        s, r = data.draw(scalars), data.draw(scalars)
        assert system_points.combine(
            M257, base_scalar=s, point_scalar=r, point=point
        ) == POINTS.combine(M257, base_scalar=s, point_scalar=r, point=point)

    def test_a_point_outside_the_subgroup_multiplies_alike(
        self, system_points: libcrypto.LibcryptoPoints
    ) -> None:
        order_two = gf2m.expand(M257, 0)
        mixed = gf2m.add(M257, M257.base, order_two)
        assert mixed is not None
        for scalar in (1, 2, 3, M257.order, M257.order + 1):
            expected = POINTS.multiply(M257, scalar, mixed)
            assert system_points.multiply(M257, scalar, mixed) == expected
        assert POINTS.multiply(M257, M257.order, mixed) == order_two
