"""Who imports whom: the contracts of pyproject.toml, and the short list of what the simulator may use."""

import subprocess
import sys
from pathlib import Path

import grimp
import pytest

OUR_PACKAGES = ("domain", "projections", "api", "workers", "infra")
SIMULATOR = "infra.simulator"


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*OUR_PACKAGES, include_external_packages=True, cache_dir=None)


def test_every_import_contract_is_kept(root: Path) -> None:
    linter = Path(sys.executable).with_name("lint-imports")

    result = subprocess.run(
        [linter, "--no-cache"], cwd=root, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_simulator_uses_nothing_of_ours_but_signing_primitives_and_settings(
    graph: grimp.ImportGraph,
) -> None:
    modules = {SIMULATOR} | graph.find_descendants(SIMULATOR)
    imported = {
        other
        for module in modules
        for other in graph.find_modules_directly_imported_by(module)
        if other.split(".")[0] in OUR_PACKAGES and other not in modules
    }

    allowed = {
        name
        for name in imported
        if name == "infra.settings" or name.startswith("infra.signing.") or name == "infra"
    }
    assert imported - allowed == set()


def test_simulator_does_not_use_the_signing_agent(graph: grimp.ImportGraph) -> None:
    modules = {SIMULATOR} | graph.find_descendants(SIMULATOR)

    users = {
        module
        for module in modules
        if "infra.signing.agent" in graph.find_modules_directly_imported_by(module)
    }

    assert users == set()


def test_every_folder_of_modules_is_a_package(root: Path) -> None:
    without = sorted(
        str(folder.relative_to(root))
        for name in (*OUR_PACKAGES, "tests")
        for folder in {path.parent for path in (root / name).rglob("*.py")}
        if not (folder / "__init__.py").exists()
    )

    assert without == []
