"""`python -m tests.chaos`: parts are killed at random under load, then everything is counted into `build/chaos.json`.

Exit status 1 when a count is not what it must be; the data folder and the logs are kept then.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import Plan, run, say

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run as the options say; return the exit status."""
    options = _parser().parse_args()
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    plan = Plan(
        seconds=options.minutes * 60,
        seed=seed,
        registers=options.registers,
        tills=options.tills,
        workers=options.workers,
    )
    folder = Path(tempfile.mkdtemp(prefix="fiscal-chaos-"))
    say(f"{options.minutes:g} min, {plan.registers} registers, {plan.tills} tills, seed {seed}")
    try:
        result = run(plan, folder, tell=say)
    except BaseException:
        say(f"The run did not come to its end; data and logs are kept in {folder}")
        raise
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    for name, value in result.items():
        if name not in ("findings", "failures"):
            say(f"  {name:22} {value}")
    say(f"Written to {options.output}")
    if result["failures"]:
        for failure in result["failures"]:
            say(f"FAILED: {failure}")
        say(f"Data and logs are kept in {folder}")
        return 1
    if options.keep:
        say(f"Data and logs are kept in {folder}")
    else:
        shutil.rmtree(folder)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long things are killed")
    parser.add_argument("--registers", type=int, default=12, help="registers that sell")
    parser.add_argument("--tills", type=int, default=8, help="clients that sell on them")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--seed", type=int, default=None, help="seed of all chance; else a new one")
    parser.add_argument("--keep", action="store_true", help="keep the data folder in any case")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "build" / "chaos.json", help="where the counts go"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
