"""Keys and the outside world: signing agent, tax service, time-stamps, whom we trust."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from domain.errors import FiscalServerError, SignerUnavailable
from domain.ports import KeyDescription
from infra.bootstrap import open_fiscal_server, open_timestamps, trust_anchors
from infra.cli.doctor.finding import Chart, Finding, Patient
from infra.postgres import connect
from infra.signing.errors import SignatureInvalid

_SOON = timedelta(days=30)
_NOTABLE_SKEW_SECONDS = 5.0
_CASHIERS = """
    SELECT name, key_id FROM projections.structure_cashiers
    WHERE key_id IS NOT NULL AND key_id <> ALL(%s) ORDER BY name
"""


def look_outside(patient: Patient) -> list[Finding]:
    """Look at keys, trust, the tax service and the time-stamp authorities."""
    keys = Chart("keys")
    opened = _signer(keys, patient)
    if opened is not None:
        _validity(keys, opened)
        _cashiers(keys, opened, patient)
    outside = Chart("outside")
    if _trust(outside, patient):
        _tax_service(outside, patient)
        _timestamps(outside, patient, opened or ())
    return keys.findings + outside.findings


# --- keys -----------------------------------------------------------------------------------------------------


def _signer(chart: Chart, patient: Patient) -> tuple[KeyDescription, ...] | None:
    try:
        health = patient.agent.health()
        opened = patient.agent.list_keys()
    except SignerUnavailable as error:
        chart.fail(
            "signing agent",
            f"{error.reason} ({patient.settings.signer_socket})",
            next_step="`fiscal up` or `fiscal signer` starts it.",
        )
        return None
    chart.ok("signing agent", f"runs as process {health['pid']}")
    return opened


def _validity(chart: Chart, opened: Sequence[KeyDescription]) -> None:
    now = datetime.now(UTC)
    if not opened:
        chart.warn("keys", "none is open", next_step="Shifts need a cashier with an opened key.")
        return
    for key in opened:
        if not key.valid_from <= now < key.valid_to:
            chart.fail(
                f"key {key.key_id}",
                f"valid from {key.valid_from:%Y-%m-%d} to {key.valid_to:%Y-%m-%d}",
                next_step="Give its owner a new key before the next shift.",
            )
        elif key.valid_to - now < _SOON:
            chart.warn(
                f"key {key.key_id}",
                f"of {key.owner} ends on {key.valid_to:%Y-%m-%d}",
                next_step="Get a new one in time.",
            )
    first = min(key.valid_to for key in opened)
    chart.ok("keys", f"{len(opened)} open, the first ends on {first:%Y-%m-%d}")


def _cashiers(chart: Chart, opened: Sequence[KeyDescription], patient: Patient) -> None:
    if patient.dsn is None:
        return
    with connect(patient.dsn, name="fiscal doctor") as connection:
        if connection.execute(
            "SELECT to_regclass('projections.structure_cashiers')"
        ).fetchone() == (None,):
            return
        rows = connection.execute(_CASHIERS, [[key.key_id for key in opened]]).fetchall()
    for name, key_id in rows:
        chart.warn(
            f"cashier {name}",
            f"the key {key_id} is not open",
            next_step="Open it in the signing agent, or assign another key.",
        )


# --- outside --------------------------------------------------------------------------------------------------


def _trust(chart: Chart, patient: Patient) -> bool:
    folder = patient.settings.trust_dir
    try:
        anchors = trust_anchors(patient.settings)
    except SignatureInvalid as error:
        chart.fail("trust", f"{folder}: {error}", next_step="Remove what is no certificate.")
        return False
    if anchors is None:
        chart.warn(
            "trust",
            f"no certificate in {folder}: tickets are checked for their signature only",
            next_step="Put the certificates of the tax service's and the time-stamps' authorities there.",
        )
    else:
        chart.ok("trust", f"certificates in {folder}")
    return True


def _tax_service(chart: Chart, patient: Patient) -> None:
    settings = patient.settings
    name = "tax service" if settings.simulator_url is None else "tax service (simulator)"
    address = settings.simulator_url or settings.fiscal_server_url
    with open_fiscal_server(settings, patient.agent) as server:
        try:
            server.server_time()
        except FiscalServerError as error:
            chart.fail(name, f"{address}: {error}", next_step=type(error).next_step)
            return
        skew = server.skew_seconds or 0.0
    if abs(skew) > settings.most_clock_skew_seconds:
        chart.fail(
            name,
            f"{address}: its clock is {skew:+.0f} s from ours, so nothing is sent",
            next_step="Let this machine follow a time server.",
        )
    elif abs(skew) > _NOTABLE_SKEW_SECONDS:
        chart.warn(
            name,
            f"{address}: its clock is {skew:+.0f} s from ours",
            next_step="Let this machine follow a time server.",
        )
    else:
        chart.ok(name, f"{address} answers, its clock is {skew:+.1f} s from ours")


def _timestamps(chart: Chart, patient: Patient, opened: Sequence[KeyDescription]) -> None:
    """Have a signature stamped: only that tells whether an authority's answer can be used."""
    if not opened:
        return
    try:
        signed = patient.agent.sign(key_id=opened[0].key_id, content=b"fiscal doctor")
        with open_timestamps(patient.settings) as authorities:
            authorities.stamp(signed)
    except (FiscalServerError, SignerUnavailable) as error:
        chart.fail("time-stamps", str(error), next_step="Check the network and FISCAL_TSA_URLS.")
        return
    chart.ok("time-stamps", "a signature was stamped")
