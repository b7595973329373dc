"""tests/conftest.py fails every skip when CI=true, and only then."""

import os
import subprocess
import sys
from pathlib import Path

SKIPPERS = {
    "mark": "import pytest\n@pytest.mark.skip(reason='by mark')\ndef test_it(): ...\n",
    "call": "import pytest\ndef test_it(): pytest.skip('by call')\n",
    "fixture": (
        "import pytest\n@pytest.fixture\ndef thing(): pytest.skip('by fixture')\n"
        "def test_it(thing): ...\n"
    ),
    "module": "import pytest\npytest.skip('by module', allow_module_level=True)\n",
}
EXPECTED_FAILURE = (
    "import pytest\n@pytest.mark.xfail(reason='known')\ndef test_it(): assert False\n"
)


def run_pytest(root: Path, folder: Path, *, ci: str) -> subprocess.CompletedProcess[str]:
    for name, source in {**SKIPPERS, "xfail": EXPECTED_FAILURE}.items():
        (folder / f"test_{name}.py").write_text(source)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:schemathesis", "-p", "tests.conftest"),
            *("--continue-on-collection-errors", "-rs", str(folder)),
        ],
        cwd=folder,
        env={**os.environ, "CI": ci, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_kind_of_skip_fails_in_ci_and_tells_its_reason(root: Path, tmp_path: Path) -> None:
    result = run_pytest(root, tmp_path, ci="true")

    assert result.returncode == 1, result.stdout
    for kind in SKIPPERS:
        assert f"Skipped, which CI does not allow: Skipped: by {kind}" in result.stdout
    assert " skipped" not in result.stdout.splitlines()[-1]
    assert "1 xfailed" in result.stdout


def test_a_skip_is_only_told_elsewhere(root: Path, tmp_path: Path) -> None:
    result = run_pytest(root, tmp_path, ci="")

    assert result.returncode == 0, result.stdout
    assert "4 skipped, 1 xfailed" in result.stdout
