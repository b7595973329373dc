"""Every bench runs to its end and gives its figures. Their values are never judged here."""

import json
import math
from pathlib import Path

import pytest

from tests.bench.__main__ import main
from tests.bench.registry import MODULES

FIGURES = {
    "append_vs_raw": {"append_vs_raw"},
    "command_vs_parts": {"command_vs_parts"},
    "projections_vs_runner": {"projections_vs_runner"},
    "growth": {"growth"},
    "http_vs_noop": {"http_vs_noop"},
    "end_to_end_vs_noop": {"end_to_end_vs_noop"},
    "submission": {"submission_vs_post", "submission_at_latency"},
    "capacity": {"api_rss_mb", "conflicts_per_receipt", "storage_bytes_per_receipt"},
    "demo_start": {"demo_start_s"},
}
"""What each bench must give."""


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("bench", [module.rpartition(".")[2] for module in MODULES])
def test_a_quick_run_gives_its_figures(
    bench: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "build" / "bench.json"
    assert main(["--quick", "--output", str(output), bench]) == 0
    figures = json.loads(output.read_text())
    assert figures.keys() == FIGURES[bench]
    shown = capsys.readouterr().out
    for name, figure in figures.items():
        assert math.isfinite(figure["value"])
        # A short run may well have no conflict.
        assert figure["value"] > 0 or (figure["value"] == 0 and name == "conflicts_per_receipt")
        assert figure["detail"]
        assert name in shown


def test_an_unknown_bench_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--quick", "nothing"])
    assert "no such bench: nothing" in capsys.readouterr().err
