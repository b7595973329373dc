"""Every rule of money in docs/money.md names tests that there are."""

import re
from pathlib import Path

_RULE = re.compile(r"^\| (\d+) \|.*\|$", re.MULTILINE)
_TEST = re.compile(r"`(test_\w+)`")


def test_every_rule_of_money_names_its_tests(root: Path) -> None:
    sources = "\n".join(path.read_text("utf-8") for path in (root / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)\(", sources))
    text = (root / "docs" / "money.md").read_text("utf-8")
    rules = list(_RULE.finditer(text))

    assert rules
    assert [int(rule[1]) for rule in rules] == list(range(1, len(rules) + 1))
    for rule in rules:
        assert _TEST.search(rule[0]), rule[0]
    assert set(_TEST.findall(text)) <= there
