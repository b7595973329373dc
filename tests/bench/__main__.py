"""Measure speed and memory beside their references: `python -m tests.bench [--quick] [NAME…]`.

Each figure is measured next to its reference in the same run, in alternating blocks, because on a shared machine only
ratios mean anything. The table shows absolutes beside them; `build/bench.json` has all figures by name.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.embedded_postgres import EmbeddedPostgres
from infra.interpreter import settle
from tests.bench.context import Context
from tests.bench.figures import Figure
from tests.bench.registry import MODULES

ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benches asked for, or all; return 1 when one failed, or with `--check` when a figure misses its level."""
    names = {module.rpartition(".")[2]: module for module in MODULES}
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; default all"
    )
    parser.add_argument(
        "--quick", action="store_true", help="prove that they run; figures mean nothing"
    )
    parser.add_argument(
        "--check", action="store_true", help="fail when a figure misses the level to reach now"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench.json")
    given = parser.parse_args(arguments)
    unknown = set(given.names) - set(names)
    if unknown:
        parser.error(f"no such bench: {', '.join(sorted(unknown))}")

    console = Console(stderr=True)
    figures: list[Figure] = []
    failed: list[str] = []
    # Not the memory file system that /tmp may be: commits must reach a disk.
    with (
        tempfile.TemporaryDirectory(prefix="fiscal-bench-", dir="/var/tmp") as folder,
        EmbeddedPostgres(Path(folder) / "postgres") as server,
    ):
        for name in given.names or names:
            own = Path(folder) / name
            own.mkdir(mode=0o700)
            started = time.monotonic()
            try:
                with console.status(f"{name} …"):
                    context = Context(server, own, quick=given.quick)
                    figures += importlib.import_module(names[name]).measure(context)
            except Exception:  # noqa: BLE001 - shown, and the status says it
                # One bench that fails must not cost the figures of the others.
                console.print_exception()
                failed.append(name)
            else:
                write(figures, given.output)
            console.print(f"{name}: {time.monotonic() - started:.0f} s")
    Console(width=None if sys.stdout.isatty() else 160).print(table_of(figures, quick=given.quick))
    if failed:
        console.print(f"failed: {', '.join(failed)}", style="red")
    missed = given.check and not all(figure.is_reached for figure in figures)
    return 1 if failed or missed else 0


def table_of(figures: Sequence[Figure], *, quick: bool) -> Table:
    """Return the figures as people read them."""
    title = "Benches, run quickly: the figures mean nothing" if quick else "Benches"
    table = Table("figure", "value", "now", "aim", "", "against", "absolutes", title=title)
    for figure in figures:
        sign = "≤" if figure.lower_is_better else "≥"
        table.add_row(
            figure.name,
            f"{figure.value:.3g} {figure.unit}",
            "" if figure.now is None else f"{sign} {figure.now:g}",
            "" if figure.aim is None else f"{sign} {figure.aim:g}",
            "" if figure.now is None else "[green]✓" if figure.is_reached else "[red]✗",
            figure.against,
            figure.detail,
        )
    return table


def write(figures: Sequence[Figure], output: Path) -> None:
    """Write the figures by name; those of benches that did not run now stay as they were."""
    known = json.loads(output.read_text()) if output.exists() else {}
    known |= {
        figure.name: {**dataclasses.asdict(figure), "reached": figure.is_reached}
        for figure in figures
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(known, ensure_ascii=False, indent=2) + "\n")


if __name__ == "__main__":
    # As every process of the product is.
    settle()
    sys.exit(main())
