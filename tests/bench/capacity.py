"""What a chain of shops costs: memory of the API, conflicts between it and the worker, bytes on disk a receipt.

1,000 registers, 32 sales in flight, 20,000 receipts; API, worker, projector, signer and simulator as processes.
"""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from infra.postgres import connect
from tests.bench.chain_store import SALE_BODY, ChainStore, chain_store
from tests.bench.context import Context
from tests.bench.figures import Figure
from tests.bench.load import Load, run
from tests.support.deployment import Deployment

IN_FLIGHT = 32
_LARGEST_SHOWN = 5
_CONFLICTS = re.compile(r"^fiscal_conflicts_total (\S+)$", re.MULTILINE)
_SIZES = """
    SELECT coalesce(parent.relname, c.relname), sum(pg_total_relation_size(c.oid))::bigint
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
    LEFT JOIN pg_class AS parent ON parent.oid = i.inhparent
    WHERE c.relkind = 'r' AND n.nspname IN ('public', 'projections')
    GROUP BY 1
"""


def measure(context: Context) -> list[Figure]:
    """Return `api_rss_mb`, `conflicts_per_receipt` and `storage_bytes_per_receipt`."""
    registers, receipts = context.pick(1_000, 20), context.pick(20_000, 100)
    with (
        context.database() as dsn,
        Deployment(context.folder / "data", dsn=dsn) as deployment,
        chain_store(deployment, registers=registers) as chain,
    ):
        chain.wait_until_registered(registers)
        before = _sizes(chain)
        load = Load(
            deployment.api_url,
            chain.sale_paths(),
            count=receipts,
            connections=IN_FLIGHT,
            method="POST",
            body=SALE_BODY,
            token=deployment.token(),
            key="capacity",
        )
        sold = run(load).only(202)
        chain.wait_until_registered(registers + receipts)
        resident, peak = _memory_mb(deployment.api.pid)
        conflicts = {
            "api": _conflicts(deployment.api_url),
            "worker": _conflicts(f"http://127.0.0.1:{deployment.metrics_ports[0]}"),
        }
        after = _sizes(chain)
    what = f"{registers:,} registers, {receipts:,} receipts at {sold.rate:,.0f}/s"
    return [
        Figure(
            name="api_rss_mb",
            value=peak,
            unit="MB",
            now=250,
            lower_is_better=True,
            detail=f"peak; {resident:.0f} MB at the end; {what}",
        ),
        Figure(
            name="conflicts_per_receipt",
            value=sum(conflicts.values()) / receipts,
            unit="",
            now=0.05,
            lower_is_better=True,
            detail=f"api {conflicts['api']:.0f}, worker {conflicts['worker']:.0f}, {IN_FLIGHT} in flight; "
            f"{sold.repeated} requests had to be sent again",
        ),
        _storage(before, after, receipts),
    ]


def _storage(before: dict[str, int], after: dict[str, int], receipts: int) -> Figure:
    grown = {name: (size - before.get(name, 0)) / receipts for name, size in after.items()}
    largest = sorted(grown.items(), key=lambda item: -item[1])[:_LARGEST_SHOWN]
    return Figure(
        name="storage_bytes_per_receipt",
        value=sum(grown.values()),
        unit="B",
        lower_is_better=True,
        detail=", ".join(f"{name} {size:,.0f}" for name, size in largest),
    )


def _sizes(chain: ChainStore) -> dict[str, int]:
    with connect(chain.deployment.dsn, name="bench") as connection:
        return {name: int(size) for name, size in connection.execute(_SIZES).fetchall()}


def _conflicts(url: str) -> float:
    answer = httpx.get(f"{url}/metrics", timeout=30, trust_env=False)
    found = _CONFLICTS.search(answer.text)
    assert found is not None, "the process does not count conflicts"
    return float(found[1])


def _memory_mb(pid: int) -> tuple[float, float]:
    """Return a process's resident memory, now and at its highest."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    now, highest = (int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, highest
