"""The day of docs/day.md, run by a shell as a reader would."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.fiscal_up import FiscalUp

PAGE = Path(__file__).parents[3] / "docs" / "day.md"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture(scope="class")
def said(up: FiscalUp) -> str:
    """What the commands of the page print, all of them in one shell that stops at the first failure."""
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.M | re.S))
    run = subprocess.run(
        ["sh", "-eu"],
        input=script,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={
            **os.environ,
            "API": up.standing()["api_url"],
            "SERVICE": up.standing()["simulator_url"],
            "FISCAL_DATA_DIR": str(up.data_dir),
        },
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    return run.stdout


class TestTheDay:
    def test_every_receipt_is_registered(self, said: str) -> None:
        kinds = re.findall(r'^kind +"([a-z-]+)"\nstate +"registered"', said, re.M)
        assert kinds == ["service-deposit", "return", "cash-withdrawal"]
        assert re.search(r'^state +"registered"\nfiscal_number +"\d+"\ndiscount', said, re.M)

    def test_documents_are_shown_as_xml_and_as_the_service_reads_them(self, said: str) -> None:
        assert "<EXCISELABEL>ABCD123456</EXCISELABEL>" in said
        assert "<DISCOUNTSUM>34.85</DISCOUNTSUM>" in said
        assert "Акциз Г 5.00%: 15.83" in said

    def test_the_lamp_is_paid_in_two_parts(self, said: str) -> None:
        parts = re.findall(
            r'^state +"registered"\ntotal_kopecks +(\d+)\npart_payment +\{"kind": "([a-z]+)"',
            said,
            re.M,
        )
        assert parts == [("30000", "prepayment"), ("95000", "final")]
        assert re.search(r"^full_kopecks +125000\nowed_kopecks +95000\nsettled +false", said, re.M)

    def test_the_storno_is_refused_and_explained(self, said: str) -> None:
        assert re.search(r'^code +"storno-not-possible"', said, re.M)
        assert "not the last receipt" in said

    def test_the_shift_closes_without_a_difference(self, said: str) -> None:
        assert re.search(r'^state +"closed"', said, re.M)
        assert re.search(r"^differences +\[\]", said, re.M)
        book = re.findall(r"^\d+ \d+ ([a-z-]+)$", said, re.M)
        assert book == [
            "open",
            "sale",
            "deposit",
            "sale",
            "return",
            "sale",
            "sale",
            "withdrawal",
            "z-report",
            "close",
        ]
