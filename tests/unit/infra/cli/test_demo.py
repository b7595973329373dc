"""The demonstration: what it sets up, and the line it prints."""

import json
import re
import subprocess
from pathlib import Path

from infra.cli.demo import Demonstration
from infra.cli.demo_data import COMPANIES, FIRST_SALE, NEXT_SALE, simulator_registry
from infra.cli.demo_report import curl_line
from infra.simulator.registry import RegistryEntries

REGISTERS = [register for company in COMPANIES for register in company.registers]


class TestData:
    def test_numbers_names_and_keys_are_each_used_once(self) -> None:
        for values in (
            [each.fiscal_number for each in REGISTERS],
            [each.local_number for each in REGISTERS],
            [each.key_id for each in REGISTERS],
            [each.cashier_code for each in REGISTERS],
        ):
            assert len(set(values)) == 6

    def test_simulator_understands_the_registry(self) -> None:
        keys = {each.key_id: f"{each.local_number:064x}" for each in REGISTERS}

        entries = RegistryEntries.model_validate_json(json.dumps(simulator_registry(keys)))

        assert [len(company.units) for company in entries.companies] == [2, 1]
        assert [company.single_tax for company in entries.companies] == [False, True]

    def test_sales_can_be_shown_in_a_shell(self) -> None:
        assert "'" not in json.dumps([FIRST_SALE, NEXT_SALE], ensure_ascii=False)


class TestCurlLine:
    def test_shell_takes_every_word_as_it_is_meant(self, tmp_path: Path) -> None:
        folder = tmp_path / "it's mine"
        folder.mkdir()
        (folder / "admin.token").write_text("fl_secret\n")
        shown = Demonstration("register", "cashier", {}, {}, folder / "admin.token")
        line = curl_line(shown, api_url="http://127.0.0.1:8080")

        script = f"curl() {{ printf '%s\\0' \"$@\"; }}\n{line}\n"
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)

        words = done.stdout.split("\0")[:-1]
        assert words[:4] == [
            "-sS",
            "http://127.0.0.1:8080/v1/registers/register/receipts",
            "-H",
            "Authorization: Bearer fl_secret",
        ]
        assert re.fullmatch(r"Idempotency-Key: sale-\d+-\d+", words[7])
        assert json.loads(words[-1]) == {**NEXT_SALE, "cashier_id": "cashier"}
