"""The ten standard curves of DSTU 4145-2002 over GF(2^m) in polynomial basis, as data.

Equation: y² + xy = x³ + A·x² + B with A of 0 or 1. Numbers are plain integers: bit i of a field
element is the coefficient of t^i.

Only these curves are ever used. Explicit parameters of a file are compared with them and anything
else is refused: a curve chosen by a file is an attack surface, not a feature.

Source: DSTU 4145-2002, annex Г (recommended curves); each is checked by the tests (base point on
the curve, order, compression).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from infra.signing import dstu_oids


class Point(NamedTuple):
    """An affine point; the point at infinity is None wherever a point may be absent."""

    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve: field, equation, base point and its prime order."""

    name: str
    oid: str
    degree: int
    exponents: tuple[int, ...]
    """Exponents of the reduction polynomial besides `degree` and 0, ascending."""
    a: int
    b: int
    order: int
    base: Point

    def __hash__(self) -> int:
        # Curves are keys of every cache here; the generated hash would walk all the numbers.
        return hash(self.oid)

    @property
    def modulus(self) -> int:
        """The reduction polynomial as an integer."""
        return (1 << self.degree) | sum(1 << exponent for exponent in self.exponents) | 1

    @property
    def cofactor(self) -> int:
        """4 where A is 0, 2 where A is 1."""
        return 2 if self.a else 4

    @property
    def field_octets(self) -> int:
        """Octets of an encoded field element or compressed point."""
        return (self.degree + 7) // 8

    @property
    def order_octets(self) -> int:
        """Octets of an encoded private key and of each half of a signature."""
        return (self.order.bit_length() + 7) // 8


def _curve(
    number: int,
    degree: int,
    exponents: tuple[int, ...],
    a: int,
    *,
    b: str,
    order: str,
    base: tuple[str, str],
) -> Curve:
    return Curve(
        name=f"M{degree}",
        oid=f"{dstu_oids.DSTU4145_NAMED_CURVES}.{number}",
        degree=degree,
        exponents=exponents,
        a=a,
        b=int(b, 16),
        order=int(order, 16),
        base=Point(int(base[0], 16), int(base[1], 16)),
    )


M163: Final = _curve(
    0,
    163,
    (3, 6, 7),
    1,
    b="5FF6108462A2DC8210AB403925E638A19C1455D21",
    order="400000000000000000002BEC12BE2262D39BCF14D",
    base=(
        "2E2F85F5DD74CE983A5C4237229DAF8A3F35823BE",
        "3826F008A8C51D7B95284D9D03FF0E00CE2CD723A",
    ),
)
M167: Final = _curve(
    1,
    167,
    (6,),
    1,
    b="6EE3CEEB230811759F20518A0930F1A4315A827DAC",
    order="3FFFFFFFFFFFFFFFFFFFFFB12EBCC7D7F29FF7701F",
    base=(
        "7A1F6653786A68192803910A3D30B2A2018B21CD54",
        "5F49EB26781C0EC6B8909156D98ED435E45FD59918",
    ),
)
M173: Final = _curve(
    2,
    173,
    (1, 2, 10),
    0,
    b="108576C80499DB2FC16EDDF6853BBB278F6B6FB437D9",
    order="800000000000000000000189B4E67606E3825BB2831",
    base=(
        "4D41A619BCC6EADF0448FA22FAD567A9181D37389CA",
        "10B51CC12849B234C75E6DD2028BF7FF5C1CE0D991A1",
    ),
)
M179: Final = _curve(
    3,
    179,
    (1, 2, 4),
    1,
    b="4A6E0856526436F2F88DD07A341E32D04184572BEB710",
    order="3FFFFFFFFFFFFFFFFFFFFFFB981960435FE5AB64236EF",
    base=(
        "6BA06FE51464B2BD26DC57F48819BA9954667022C7D03",
        "25FBC363582DCEC065080CA8287AAFF09788A66DC3A9E",
    ),
)
M191: Final = _curve(
    4,
    191,
    (9,),
    1,
    b="7BC86E2102902EC4D5890E8B6B4981FF27E0482750FEFC03",
    order="40000000000000000000000069A779CAC1DABC6788F7474F",
    base=(
        "714114B762F2FF4A7912A6D2AC58B9B5C2FCFE76DAEB7129",
        "29C41E568B77C617EFE5902F11DB96FA9613CD8D03DB08DA",
    ),
)
M233: Final = _curve(
    5,
    233,
    (1, 4, 9),
    1,
    b="6973B15095675534C7CF7E64A21BD54EF5DD3B8A0326AA936ECE454D2C",
    order="1000000000000000000000000000013E974E72F8A6922031D2603CFE0D7",
    base=(
        "3FCDA526B6CDF83BA1118DF35B3C31761D3545F32728D003EEB25EFE96",
        "9CA8B57A934C54DEEDA9E54A7BBAD95E3B2E91C54D32BE0B9DF96D8D35",
    ),
)
M257: Final = _curve(
    6,
    257,
    (12,),
    0,
    b="1CEF494720115657E18F938D7A7942394FF9425C1458C57861F9EEA6ADBE3BE10",
    order="800000000000000000000000000000006759213AF182E987D3E17714907D470D",
    base=(
        "2A29EF207D0E9B6C55CD260B306C7E007AC491CA1B10C62334A9E8DCD8D20FB7",
        "10686D41FF744D4449FCCF6D8EEA03102E6812C93A9D60B978B702CF156D814EF",
    ),
)
M307: Final = _curve(
    7,
    307,
    (2, 4, 8),
    1,
    b="393C7F7D53666B5054B5E6C6D3DE94F4296C0C599E2E2E241050DF18B6090BDC90186904968BB",
    order="3FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC079C2F3825DA70D390FBBA588D4604022B7B7",
    base=(
        "216EE8B189D291A0224984C1E92F1D16BF75CCD825A087A239B276D3167743C52C02D6E7232AA",
        "5D9306BACD22B7FAEB09D2E049C6E2866C5D1677762A8F2F2DC9A11C7F7BE8340AB2237C7F2A0",
    ),
)
M367: Final = _curve(
    8,
    367,
    (21,),
    1,
    b="43FC8AD242B0B7A6F3D1627AD5654447556B47BF6AA4A64B0C2AFE42CADAB8F93D92394C79A79755437B56995136",
    order="40000000000000000000000000000000000000000000009C300B75A3FA824F22428FD28CE8812245EF44049B2D49",
    base=(
        "324A6EDDD512F08C49A99AE0D3F961197A76413E7BE81A400CA681E09639B5FE12E59A109F78BF4A373541B3B9A1",
        "1AB597A5B4477F59E39539007C7F977D1A567B92B043A49C6B61984C3FE3481AAF454CD41BA1F051626442B3C10",
    ),
)
M431: Final = _curve(
    9,
    431,
    (1, 3, 5),
    1,
    b=(
        "3CE10490F6A708FC26DFE8C3D27C4F94E690134D5BFF988D8D28AAEAEDE975936C66BAC536B"
        "18AE2DC312CA493117DAA469C640CAF3"
    ),
    order=(
        "3FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFBA3175458009A8C0A724F02F8"
        "1AA8A1FCBAF80D90C7A95110504CF"
    ),
    base=(
        (
            "1A62BA79D98133A16BBAE7ED9A8E03C32E0824D57AEF72F88986874E5AAE49C27BED49A2A950580684"
            "26C2171E99FD3B43C5947C857D"
        ),
        (
            "70B5E1E14031C1F70BBEFE96BDDE66F451754B4CA5F48DA241F331AA396B8D1839A855C1769B1EA14BA"
            "53308B5E2723724E090E02DB9"
        ),
    ),
)

CURVES: Final = (M163, M167, M173, M179, M191, M233, M257, M307, M367, M431)
"""All ten, by ascending degree."""

_BY_OID: Final = {curve.oid: curve for curve in CURVES}


def by_oid(oid: str) -> Curve | None:
    """The named curve, or None for an identifier that is not one of the ten."""
    return _BY_OID.get(oid)


def by_parameters(
    *, degree: int, exponents: tuple[int, ...], a: int, b: int, order: int
) -> Curve | None:
    """The standard curve with exactly this field, equation and order, or None.

    The caller compares the base point: it is compressed in files.
    """
    for curve in CURVES:
        if (curve.degree, curve.exponents, curve.a, curve.b, curve.order) == (
            degree,
            exponents,
            a,
            b,
            order,
        ):
            return curve
    return None
