"""The benches, in the order they run. Each module has `measure(context) -> list[Figure]`."""

MODULES = (
    "tests.bench.append_vs_raw",
    "tests.bench.command_vs_parts",
    "tests.bench.projections_vs_runner",
    "tests.bench.growth",
    "tests.bench.http_vs_noop",
    "tests.bench.end_to_end_vs_noop",
    "tests.bench.submission",
    "tests.bench.capacity",
    "tests.bench.demo_start",
)
