"""A sale over HTTP until it is committed, against a bare endpoint served the same way, in turns.

The API checks the token, the body and the idempotency key, prices the sale, has it signed by the signing agent's
process with a development key (ECDSA) and commits events, document, command and lane. Each sale goes to a register
with nothing on its way, so that each is signed; between the blocks the lanes are played empty.
"""

from __future__ import annotations

from tests.bench import noop
from tests.bench.chain_store import SALE_BODY, chain_store
from tests.bench.context import Context
from tests.bench.figures import Figure, median
from tests.bench.load import Load, Seen, run
from tests.support.deployment import Deployment
from tests.support.lane_player import LanePlayer

IN_FLIGHT = 32


def measure(context: Context) -> list[Figure]:
    """Return `http_vs_noop`."""
    registers, blocks = context.pick(1_000, 20), context.pick(6, 1)
    noops = context.pick(10_000, 100)
    bare: list[Seen] = []
    sales: list[Seen] = []
    with (
        context.database() as dsn,
        Deployment(context.folder / "data", dsn=dsn, workers=0, projects=False) as deployment,
        chain_store(deployment, registers=registers) as chain,
        noop.serving() as url,
    ):
        player = LanePlayer(chain.store, chain.lanes, chain.signer)
        chain.play_lanes(player)
        asked = Load(url, [noop.PATH], count=noops, connections=IN_FLIGHT)
        # The first block warms both up.
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
            )
            sales.append(run(sold).only(202))
            chain.play_lanes(player)
    ratios = [ours.rate / theirs.rate for ours, theirs in zip(sales[1:], bare[1:], strict=True)]
    ours, theirs = (median([seen.rate for seen in block[1:]]) for block in (sales, bare))
    return [
        Figure(
            name="http_vs_noop",
            value=median(ratios),
            unit="x",
            against="a bare endpoint without auth or body",
            now=0.20,
            aim=0.20,
            detail=f"{ours:,.0f} sales/s (median {median([s.median_ms for s in sales[1:]]):.0f} ms) with "
            f"{IN_FLIGHT} in flight, ECDSA by the agent; {theirs:,.0f} bare answers/s",
        )
    ]
