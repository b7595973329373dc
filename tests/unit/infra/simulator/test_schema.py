"""The tables of the documents against the official schemas, and the files written from them."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from lxml import etree

from infra.simulator.answers import Refusal
from infra.simulator.schema import SEQUENCES
from infra.simulator.schema_files import schema_file
from infra.simulator.xml_reader import read_xml
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import START

Verdict = Callable[[bytes], bool]
SCHEMAS = {"CHECK": "check01.xsd", "ZREP": "zrep01.xsd", "TICKET": "ticket01.xsd"}
ODD_VALUES = (
    "", " ", "0", "-1", "+1", "1", "007", "12", "12.5", "12.50", "-12.50", "+12.50", " 12.50 ",
    "12.505", "1.123456789", "12,50", "true", "1 ", "yes", "False", "31042026", "30042026",
    "29022025", "29022024", "00012026", "12132026", "235959", "240000", "236000", "5112026",
    "05112026235959", "05112026245959", "А", "АБ", "АБ123456", "12345", "123456789012345",
    "99999", "100000", "00123", "00000", "2204219700", "11.22", "11.22.33-44.55", "11.2",
    "x" * 15, "x" * 16, "x" * 64, "x" * 65, "x" * 128, "x" * 129, "x" * 256, "x" * 257,
    "x" * 1024, "x" * 1025, "ї" * 64,
)  # fmt: skip


def own_verdict(xml: bytes) -> bool:
    try:
        read_xml(xml, roots=("CHECK", "ZREP", "TICKET"))
    except Refusal:
        return False
    return True


@pytest.fixture(scope="module")
def official(shared_folder: Path) -> Verdict:
    folder = shared_folder / "reference" / "fiscal-server" / "xsd-newer"
    schemas = {
        root: etree.XMLSchema(etree.parse(str(folder / name))) for root, name in SCHEMAS.items()
    }

    def verdict(xml: bytes) -> bool:
        try:
            root = etree.fromstring(xml)
        except etree.XMLSyntaxError:
            return False
        return schemas[str(root.tag)].validate(root)

    return verdict


@pytest.fixture(scope="module")
def samples(shared_folder: Path) -> list[tuple[str, bytes]]:
    """The official samples, those that were re-encoded brought back to windows-1251."""
    folder = shared_folder / "reference" / "fiscal-server"
    found = []
    for path in sorted([*folder.glob("examples/*.xml"), *folder.glob("examples-2025/*.xml")]):
        content = path.read_bytes()
        if content.startswith(b"\xef\xbb\xbf"):
            content = content.decode("utf-8-sig").encode("windows-1251")
        found.append((path.name, content))
    return found


def test_samples_get_the_official_verdict(
    official: Verdict, samples: list[tuple[str, bytes]]
) -> None:
    assert len(samples) > 40

    assert {name: own_verdict(xml) for name, xml in samples} == {
        name: official(xml) for name, xml in samples
    }


def written(root: etree._Element) -> bytes:
    return cast(bytes, etree.tostring(root, encoding="windows-1251", xml_declaration=True))


def mutated(xml: bytes, chance: random.Random) -> bytes:
    """The document with one thing changed, so that it may or may not stay valid."""
    root = etree.fromstring(xml, etree.XMLParser(remove_comments=True))
    elements = [element for element in root.iter() if element is not root]
    chosen = chance.choice(elements)
    parent = chosen.getparent()
    assert parent is not None
    match chance.randrange(8):
        case 0:
            parent.remove(chosen)
        case 1:
            index = parent.index(chosen)
            parent.insert(index, etree.fromstring(etree.tostring(chosen)))
        case 2:
            other = chance.choice(list(parent))
            parent.insert(parent.index(other), chosen)
        case 3:
            chosen.tag = chance.choice(["SUM", "ROW", "VER", "UNKNOWN", "DKPP", "UKTZED"])
        case 4:
            chosen.set(chance.choice(["ROWNUM", "unknown"]), chance.choice(["1", "0", "x", "+5"]))
        case 5:
            parent.insert(0, etree.SubElement(parent, chance.choice(["CODE", "SUM", "TESTING"])))
        case 6:
            chosen.tail = "text" if len(chosen) else None
        case _:
            leaves = [element for element in elements if len(element) == 0]
            chance.choice(leaves).text = chance.choice(ODD_VALUES)
    return written(root)


@pytest.mark.parametrize("seed", range(6))
def test_changed_samples_get_the_official_verdict(
    official: Verdict, samples: list[tuple[str, bytes]], seed: int
) -> None:
    chance = random.Random(seed)
    valid = [xml for _, xml in samples if official(xml)]
    verdicts = set()
    for _ in range(500):
        xml = mutated(chance.choice(valid), chance)
        expected = official(xml)
        verdicts.add(expected)
        assert own_verdict(xml) is expected, xml.decode("windows-1251")
    assert verdicts == {True, False}


def every_place() -> Iterator[tuple[str, str, str]]:
    """Each simple element of each table, with the root and the way down to its table."""
    for root in ("CHECK", "ZREP"):
        waiting = [(root, "")]
        while waiting:
            table, path = waiting.pop()
            for name, slot in SEQUENCES[table].items():
                step = f"{path}/{name}" + ("/ROW" if slot.is_rows else "")
                if slot.child is not None:
                    waiting.append((slot.child, step))
                else:
                    yield root, path, name


def with_value(root: str, path: str, name: str, value: str) -> bytes:
    """A document with this one value, all required elements around it filled in."""

    def sequence(table: str, wanted: list[str]) -> etree._Element:
        made = etree.Element(table)
        for element, slot in SEQUENCES[table].items():
            is_wanted = bool(wanted) and element == wanted[0].removesuffix("/ROW")
            if not (slot.required or is_wanted):
                continue
            child = etree.SubElement(made, element)
            if slot.child is None:
                child.text = value if is_wanted and len(wanted) == 1 else _valid(slot.kind)
                continue
            inner = sequence(slot.child, wanted[1:] if is_wanted else [])
            if slot.is_rows:
                inner.tag = "ROW"
                inner.set("ROWNUM", "1")
                child.append(inner)
            else:
                child.extend(list(inner))
        return made

    steps = [step for step in path.split("/") if step and step != "ROW"]
    element = sequence(root, [*steps, name])
    return written(element)


def _valid(kind: str) -> str:
    known = {"date": "05112026", "time": "101500", "tin": "12345678", "d2": "1.00", "d0": "1"}
    return known.get(kind, "1")


@pytest.mark.parametrize("root", ["CHECK", "ZREP"])
def test_odd_values_in_every_place_get_the_official_verdict(official: Verdict, root: str) -> None:
    places = [place for place in every_place() if place[0] == root]
    assert len(places) > 100
    for _, path, name in places:
        for value in ODD_VALUES:
            xml = with_value(root, path, name, value)
            assert own_verdict(xml) is official(xml), (path, name, value)


class TestSchemaFiles:
    """What the command Schemas hands out says the same as the tables."""

    @pytest.fixture(params=["CHECK", "ZREP"])
    def root(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def test_files_agree_with_the_tables(self, root: str) -> None:
        schema = etree.XMLSchema(etree.fromstring(schema_file(root)))
        # A pattern cannot count the days of a month; the file is rougher there, and says so.
        rough = {"31042026", "29022025"}
        for _, path, name in (place for place in every_place() if place[0] == root):
            for value in set(ODD_VALUES) - rough:
                xml = with_value(root, path, name, value)
                assert schema.validate(etree.fromstring(xml)) is own_verdict(xml), (name, value)

    def test_one_of_two_commodity_codes_is_allowed_and_both_are_not(self) -> None:
        schema = etree.XMLSchema(etree.fromstring(schema_file("CHECK")))
        code = {"UKTZED": "2204219700"}
        both = {**code, "DKPP": "11.22"}
        for row, expected in ((code, True), ({"DKPP": "11.22"}, True), (both, False)):
            parts = {"CHECKBODY": [row]}
            xml = make.check(1, START.replace(tzinfo=None), parts)
            assert schema.validate(etree.fromstring(xml)) is expected
            assert own_verdict(xml) is expected
