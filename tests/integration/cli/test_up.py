"""`fiscal up --demo`, as a person starts it."""

import json
import os
import re
import signal
import stat
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from projections.catalogue import PROJECTIONS
from tests.support.fiscal_up import FISCAL, FiscalUp, environment, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PARTS = {"database", "signer", "api", "worker", "projector", "simulator"}


def fiscal_number(output: str) -> str:
    found = re.search(r"State +registered\nFiscal number +(\d+)\n", output)
    assert found is not None, output
    return found[1]


def structure(up: FiscalUp) -> dict[str, list[dict[str, Any]]]:
    names = ("companies", "business-units", "registers", "cashiers")
    return {name: up.get(f"/v1/{name}?limit=100")["items"] for name in names}


class TestUp:
    """One start for most tests; the last ones stop it and start it again."""

    def test_first_sale_is_registered_before_your_eyes(self, up: FiscalUp) -> None:
        number = fiscal_number(up.output)

        assert re.search(rf"QR +https://cabinet\.tax\.gov\.ua/\S+id={number}&", up.output)
        documents = up.simulator("GET", "documents")["documents"]
        assert [each["fiscal_number"] for each in documents[:2]][1] == number

    def test_demonstration_has_three_outlets_of_two_companies_with_six_registers(
        self, up: FiscalUp
    ) -> None:
        assert eventually(lambda: len(structure(up)["cashiers"]) == 6)

        found = structure(up)
        assert {each["vat_number"] for each in found["companies"]} == {"999000110019", None}
        assert (len(found["business-units"]), len(found["registers"])) == (3, 6)
        assert {each["live"] for each in found["registers"]} == {False}

    def test_administrators_token_is_kept_for_its_owner_only_and_shown_once(
        self, up: FiscalUp
    ) -> None:
        file = up.data_dir / "admin.token"

        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(up.data_dir.stat().st_mode) == 0o700
        assert up.output.count(file.read_text().strip()) == 1

    def test_printed_line_makes_another_sale_each_time(self, up: FiscalUp) -> None:
        first = up.curl()
        assert eventually(lambda: up.curl()["fiscal_number"] != first["fiscal_number"], seconds=5)

        assert first["state"] == "registered"
        assert first["qr"].startswith("https://cabinet.tax.gov.ua/")

    def test_second_start_in_the_same_folder_is_refused(self, up: FiscalUp) -> None:
        second = up.run("up", "--demo", "--port", "0", "--simulator-port", "0")

        assert second.returncode == 1
        assert f"already runs in {up.data_dir} (process {up.pid}" in second.stderr

    def test_port_that_is_taken_is_named(self, up: FiscalUp, tmp_path: Path) -> None:
        port = str(httpx.URL(up.standing()["api_url"]).port)
        other = FiscalUp(tmp_path / "data")

        second = other.run("up", "--demo", "--port", port)

        assert second.returncode == 1
        assert f"Port {port} of 127.0.0.1 cannot be used" in second.stderr
        assert other.processes() == []

    def test_every_part_has_its_log(self, up: FiscalUp) -> None:
        logs = {path.stem for path in (up.data_dir / "logs").iterdir()}

        assert logs == PARTS

    def test_doctor_finds_nothing_that_fails(self, up: FiscalUp) -> None:
        doctor = up.run("doctor")
        as_json = up.run("doctor", "--json")

        assert doctor.returncode == 0, doctor.stdout
        assert "Everything works" in doctor.stdout
        findings = {each["name"]: each["status"] for each in json.loads(as_json.stdout)}
        assert set(findings.values()) == {"ok", "warn"}
        assert findings["time-stamps"] == findings["tax service (simulator)"] == "ok"

    def test_verify_finds_everything_intact(self, up: FiscalUp) -> None:
        verified = up.run("verify")

        assert verified.returncode == 0, verified.stdout
        assert "intact" in verified.stdout

    def test_rebuilt_projections_are_as_the_live_ones(self, up: FiscalUp) -> None:
        checked = up.run("projections", "rebuild", "--check")

        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert checked.stdout.count(": as rebuilt") == len(PROJECTIONS)

    def test_keys_of_the_cashiers_are_listed(self, up: FiscalUp) -> None:
        assert up.run("keys", "list").stdout.count("demo-cashier-") == 6

    def test_demonstration_never_starts_without_its_simulator(self, up: FiscalUp) -> None:
        refused = up.run("up")

        assert refused.returncode == 1
        assert "the real tax service must not see" in refused.stderr

    @pytest.mark.parametrize("part", ["api", "worker", "signer", "database"])
    def test_part_that_was_killed_is_started_again(self, up: FiscalUp, part: str) -> None:
        before = up.part(part)

        os.kill(before, signal.SIGKILL)

        assert eventually(lambda: up.part(part) not in (0, before))
        api = up.standing()["api_url"]
        assert eventually(lambda: is_ready(api))
        assert up.curl()["state"] == "registered"
        assert f"{part} was ended by SIGKILL" in up.output

    def test_sigterm_stops_everything_cleanly(self, up: FiscalUp) -> None:
        assert up.stop() == 0

        # A process whose parent has ended is still listed while the kernel tears it down.
        assert eventually(lambda: up.processes() == [], seconds=5)
        assert not (up.data_dir / "postgres" / "pgdata" / "postmaster.pid").exists()
        assert not (up.data_dir / "up.json").exists()
        logs = up.data_dir / "logs"
        for part in ("worker", "projector", "database"):
            assert f"{part} stopped" in (logs / f"{part}.log").read_text()

    def test_second_start_shows_the_same_network_and_the_same_first_sale(
        self, up: FiscalUp
    ) -> None:
        number = fiscal_number(up.output)
        token = (up.data_dir / "admin.token").read_text().strip()

        up.start()

        assert fiscal_number(up.output) == number
        assert token not in up.output
        assert eventually(lambda: len(structure(up)["cashiers"]) == 6)
        found = structure(up)
        assert [len(found[name]) for name in ("companies", "business-units", "registers")] == [
            2,
            3,
            6,
        ]
        assert up.curl()["state"] == "registered"

    def test_reader_that_goes_away_leaves_nothing_running(
        self, up: FiscalUp, tmp_path: Path
    ) -> None:
        other = FiscalUp(tmp_path / "data")
        line = f"{FISCAL} up --demo --port 0 --simulator-port 0 | head -n 1"

        subprocess.run(
            ["sh", "-c", line], env=environment(other.data_dir), capture_output=True, check=True
        )

        assert eventually(lambda: other.processes() == []), other.processes()

    def test_nothing_is_left_running_when_it_is_killed(self, up: FiscalUp) -> None:
        up.kill()

        assert eventually(lambda: up.processes() == []), up.processes()
        assert not (up.data_dir / "postgres" / "pgdata" / "postmaster.pid").exists()


def is_ready(api: str) -> bool:
    try:
        return httpx.get(f"{api}/ready", timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
