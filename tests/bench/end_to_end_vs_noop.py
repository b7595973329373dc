"""A sale over HTTP until it is registered, with worker, projector and simulator running, against a bare endpoint.

All of it shares the machine: the signing of the sale, its time-stamp, the tax service's own checks and ticket.
"""

from __future__ import annotations

from tests.bench import noop
from tests.bench.chain_store import SALE_BODY, chain_store
from tests.bench.context import Context
from tests.bench.figures import Figure, median
from tests.bench.load import Load, Seen, run
from tests.support.deployment import Deployment

IN_FLIGHT = 32


def measure(context: Context) -> list[Figure]:
    """Return `end_to_end_vs_noop`."""
    registers, blocks = context.pick(1_000, 20), context.pick(5, 1)
    noops = context.pick(10_000, 100)
    bare: list[Seen] = []
    sales: list[Seen] = []
    with (
        context.database() as dsn,
        Deployment(context.folder / "data", dsn=dsn) as deployment,
        chain_store(deployment, registers=registers) as chain,
        noop.serving() as url,
    ):
        chain.wait_until_registered(registers)
        asked = Load(url, [noop.PATH], count=noops, connections=IN_FLIGHT)
        for block in range(blocks + 1):
            bare.append(run(asked).only(200))
            sold = Load(
                deployment.api_url,
                chain.sale_paths(),
                count=registers,
                connections=IN_FLIGHT,
                method="POST",
                body=SALE_BODY,
                token=deployment.token(),
                key=f"block-{block}",
                prefer="wait=50",
            )
            sales.append(run(sold).only(201))
    ratios = [ours.rate / theirs.rate for ours, theirs in zip(sales[1:], bare[1:], strict=True)]
    ours, theirs = (median([seen.rate for seen in block[1:]]) for block in (sales, bare))
    return [
        Figure(
            name="end_to_end_vs_noop",
            value=median(ratios),
            unit="x",
            against="a bare endpoint without auth or body",
            now=0.08,
            aim=0.12,
            detail=f"{ours:,.0f} sales/s registered (median {median([s.median_ms for s in sales[1:]]):.0f} "
            f"ms) with {IN_FLIGHT} in flight, everything on this machine; {theirs:,.0f} bare answers/s",
        )
    ]
