"""What a demonstration prints: the first sale, addresses, tokens, and a line to go on with."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import segno

from infra.cli.console import out
from infra.cli.demo import Demonstration
from infra.cli.demo_data import NEXT_SALE
from infra.cli.starting import say_administrator
from infra.settings import Settings

_RULE = 70


def report(demonstration: Demonstration, *, settings: Settings, api_url: str, logs: Path) -> None:
    """Print it all; every line can be copied, whatever the width of the terminal."""
    _first_sale(demonstration)
    _heading("Go on · Далі", style="dim")
    _line("API", f"{api_url}/v1")
    _line("Documentation", f"{api_url}/docs")
    _line("Tax service", f"{settings.simulator_url}/   (simulator · симулятор)")
    _line("Logs", str(logs))
    say_administrator(settings)
    out.print("\nThe next sale · Наступний продаж:\n")
    out.print(curl_line(demonstration, api_url=api_url), markup=False, soft_wrap=True)
    out.print("\nCtrl-C stops everything · зупиняє все.\n")


def curl_line(demonstration: Demonstration, *, api_url: str) -> str:
    """Return a command for any POSIX shell that makes a further sale; each time it runs a new one."""
    body = {**NEXT_SALE, "cashier_id": demonstration.cashier_id}
    token = f'"Authorization: Bearer $(cat {shlex.quote(str(demonstration.token_file))})"'
    words = [
        f"curl -sS {api_url}/v1/registers/{demonstration.register_id}/receipts",
        f"-H {token}",
        "-H 'Content-Type: application/json'",
        '-H "Idempotency-Key: sale-$(date +%s)-$$"',
        "-H 'Prefer: wait=20'",
        f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}",
    ]
    return " \\\n  ".join(words)


def _first_sale(demonstration: Demonstration) -> None:
    receipt, shift = demonstration.receipt, demonstration.shift
    registered = receipt["state"] == "registered"
    _heading("First sale · Перший продаж", style="green" if registered else "yellow")
    opening = shift["opening_fiscal_number"] or "on its way"
    _line("Shift", f"{shift['number']}, {shift['cashier_name']}, opening {opening}")
    hryvnias, kopecks = divmod(receipt["total_kopecks"], 100)
    _line("Sum", f"{hryvnias},{kopecks:02} грн")
    _line("State", f"[bold green]{receipt['state']}[/]" if registered else receipt["state"])
    if not registered:
        reason = receipt["waiting_reason"] or receipt["refusal"]
        _line("Reason", json.dumps(reason, ensure_ascii=False))
        return
    _line("Fiscal number", f"[bold]{receipt['fiscal_number']}[/]")
    _line("QR", receipt["qr"])
    if out.is_terminal:
        segno.make(receipt["qr"], error="l").terminal(compact=True, border=2)


def _heading(title: str, *, style: str) -> None:
    out.print(f"\n[bold]{title}[/] [{style}]{'─' * (_RULE - len(title))}[/]")


def _line(name: str, text: str) -> None:
    out.print(f"{name:14} {text}", soft_wrap=True)
