"""Backup, more sales, everything lost, restore: the lanes go on with what the tax service has."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.fiscal_up import FiscalUp, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

FIRST, SECOND = "4000777001", "4000777002"
SALE = {
    "lines": [
        {
            "name": "Чай",
            "quantity_thousandths": 1000,
            "price_kopecks": 5000,
            "letters": "А",
        }
    ],
    "payments": [{"form": "cash"}],
}


class Till:
    """A register of the demonstration and its cashier."""

    def __init__(self, up: FiscalUp, fiscal_number: str) -> None:
        self._up = up
        self._count = 0
        self.fiscal_number = fiscal_number
        registers = {each["fiscal_number"]: each for each in items(up, "/v1/registers?limit=50")}
        self.register = registers[fiscal_number]["register_id"]
        name = {FIRST: "Приклад О. П.", SECOND: "Смерека О. О."}[fiscal_number]
        cashiers = {each["name"]: each["cashier_id"] for each in items(up, "/v1/cashiers?limit=50")}
        self.cashier = cashiers[name]

    def sell(self, key: str) -> dict[str, Any]:
        return self._up.post(
            f"/v1/registers/{self.register}/receipts",
            {**SALE, "cashier_id": self.cashier},
            key=f"{self.fiscal_number}-{key}",
        )

    def close(self) -> None:
        closed = self._up.post(f"/v1/registers/{self.register}/shifts/current/close", {}, key="z-1")
        assert closed["state"] == "closed", closed

    def lane(self) -> dict[str, Any]:
        return self._up.get(f"/v1/registers/{self.register}/lane")

    def journal(self) -> list[str]:
        """Fiscal numbers of the receipts in our journal; where there is none yet, the state."""
        rows = items(self._up, f"/v1/receipts?limit=100&register_id={self.register}")
        return sorted(
            row["fiscal_number"] if row["state"] == "registered" else row["state"] for row in rows
        )

    def book(self) -> list[str]:
        """Fiscal numbers of the receipts that the tax service has."""
        book = self._up.simulator("GET", f"book/{self.fiscal_number}")
        return sorted(each["fiscal_number"] for each in book["documents"] if each["kind"] == "sale")

    def agrees(self) -> bool:
        return self.journal() == self.book()


def items(up: FiscalUp, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = up.get(path)["items"]
    return found


class TestRestore:
    def test_lanes_go_on_and_adopt_what_was_registered_after_the_backup(
        self, up: FiscalUp, tmp_path: Path
    ) -> None:
        file = tmp_path / "monday.backup"
        assert eventually(lambda: len(items(up, "/v1/cashiers?limit=50")) == 6)
        first, second = Till(up, FIRST), Till(up, SECOND)
        assert second.sell("before")["state"] == "registered"
        # One document is on its way when the backup is made.
        up.simulator("PUT", "faults/cut-off", json={"on": True})
        on_its_way = second.sell("on-its-way")
        assert on_its_way["state"] != "registered"
        backup = up.run("backup", str(file))
        assert backup.returncode == 0, backup.stderr
        up.simulator("PUT", "faults/cut-off", json={"on": False})
        assert eventually(lambda: second.lane()["outstanding"] is None)
        # What the backup does not know: sales, and the end of a shift and another one.
        assert [first.sell(f"after-{number}")["state"] for number in range(3)] == ["registered"] * 3
        second.close()
        assert second.sell("next-shift")["state"] == "registered"
        assert eventually(first.agrees)
        assert eventually(second.agrees)
        known = first.book(), second.book()
        assert up.stop() == 0
        shutil.rmtree(up.data_dir / "postgres")

        restored = up.run("restore", str(file))

        assert restored.returncode == 0, restored.stderr
        assert "2 lanes ask the tax service first" in restored.stdout
        up.start()
        assert eventually(first.agrees), (first.journal(), first.book(), first.lane())
        assert eventually(second.agrees), (second.journal(), second.book(), second.lane())
        assert (first.book(), second.book()) == known
        assert first.sell("restored")["state"] == "registered"
        assert second.sell("restored")["state"] == "registered"
        assert eventually(first.agrees)
        assert eventually(second.agrees)
        assert up.run("verify").returncode == 0
        assert up.run("doctor").returncode == 0

    def test_running_parts_keep_a_restore_out(self, up: FiscalUp, tmp_path: Path) -> None:
        refused = up.run("restore", str(tmp_path / "any"), "--replace", "--yes")

        assert refused.returncode == 1
        assert f"`fiscal up` runs in {up.data_dir}" in refused.stderr
