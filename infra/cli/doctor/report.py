"""Looking at everything, and showing it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

import psycopg
from rich.markup import escape

from domain.errors import StoreUnavailable
from infra.bootstrap import owner_dsn
from infra.cli.console import err, new_table, out
from infra.cli.doctor.books import look_at_ledger
from infra.cli.doctor.finding import Finding, Patient, Status
from infra.cli.doctor.machine import look_at_machine
from infra.cli.doctor.outside import look_outside
from infra.cli.doctor.store import look_at_database
from infra.cli.standing import settings_of_running
from infra.postgres import connect
from infra.settings import Settings
from infra.signing.client import AgentSigner

_LOOKS: dict[str, Callable[[Patient], list[Finding]]] = {
    "this machine": look_at_machine,
    "the database": look_at_database,
    "the ledger": look_at_ledger,
    "keys and the outside": look_outside,
}
_STYLES = {Status.OK: "green", Status.WARN: "yellow", Status.FAIL: "bold red"}


def run(settings: Settings, *, as_json: bool) -> int:
    """Show what was found; return the exit status: 1 when something fails."""
    findings = examine(settings_of_running(settings))
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=1))
    else:
        _show(findings)
    return int(any(finding.status is Status.FAIL for finding in findings))


def examine(settings: Settings) -> list[Finding]:
    """Look at everything and change nothing."""
    with (
        AgentSigner(settings.signer_socket, timeout_seconds=3.0) as agent,
        err.status("Looking") as status,
    ):
        patient = Patient(settings=settings, dsn=_answering_dsn(settings), agent=agent)
        findings: list[Finding] = []
        for name, look in _LOOKS.items():
            status.update(f"Looking at {name}")
            findings += look(patient)
        return findings


def _answering_dsn(settings: Settings) -> str | None:
    """Return the owner's DSN if a database answers there."""
    try:
        dsn = owner_dsn(settings)
        with connect(dsn, name="fiscal doctor"):
            return dsn
    except (psycopg.OperationalError, StoreUnavailable):
        return None


def _show(findings: list[Finding]) -> None:
    table = new_table("", "what", "found", "next step")
    area = ""
    for finding in findings:
        if finding.area != area:
            area = finding.area
            table.add_row("", f"[bold]{area}[/]", "", "")
        style = _STYLES[finding.status]
        table.add_row(
            f"[{style}]{finding.status.value}[/]",
            escape(finding.name),
            escape(finding.detail),
            escape(finding.next_step or ""),
        )
    out.print(table)
    counts = {status: sum(f.status is status for f in findings) for status in Status}
    if counts[Status.FAIL]:
        out.print(f"\n[bold red]{counts[Status.FAIL]} fail[/], {counts[Status.WARN]} warn.")
    elif counts[Status.WARN]:
        out.print(f"\n[green]Everything works[/]; {counts[Status.WARN]} to know of.")
    else:
        out.print("\n[green]Everything works.[/]")
