"""`fiscal keys`: the keys that the signing agent holds."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.cli.console import load_settings, new_group, new_table, out

app = new_group(
    "Signing keys. They never leave the signing agent; this shows what is public about them."
)


@app.command("list")
def list_keys() -> None:
    """Show the keys that the running signing agent has."""
    from infra.signing.client import AgentSigner

    with AgentSigner(load_settings().signer_socket) as agent:
        keys = agent.list_keys()
    table = new_table("key", "kind", "owner", "signs for", "valid to")
    now = datetime.now(UTC)
    for key in keys:
        until = f"{key.valid_to:%Y-%m-%d}"
        table.add_row(
            key.key_id,
            key.kind.value,
            key.owner,
            key.tax_id or "",
            until if key.valid_from <= now < key.valid_to else f"[red]{until}[/]",
        )
    out.print(table)
