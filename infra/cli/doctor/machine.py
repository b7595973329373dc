"""The machine itself: settings, disk, arithmetic, and which parts run."""

from __future__ import annotations

import os
import shutil

import httpx

from infra.alarm_channels import Channel
from infra.cli import standing
from infra.cli.doctor.finding import Chart, Finding, Patient
from infra.operator_channel import channels_of
from infra.postgres import refuse_database_functions
from infra.signing.backends import backends

_LITTLE_BYTES = 1_000_000_000
_FEW_BYTES = 5_000_000_000
_HTTP_SECONDS = 3.0


def look_at_machine(patient: Patient) -> list[Finding]:
    """Look at what does not need the database."""
    chart = Chart("machine")
    _data_folder(chart, patient)
    _disk(chart, patient)
    _environment(chart)
    _arithmetic(chart)
    _parts(chart, patient)
    _alarms(chart, channels_of(patient.settings))
    return chart.findings


def _data_folder(chart: Chart, patient: Patient) -> None:
    folder = patient.settings.data_dir
    kind = "; demonstration network" if standing.is_demo(folder) else ""
    if not folder.is_dir():
        chart.fail(
            "data folder",
            f"{folder} is not there",
            next_step="`fiscal up` makes it; FISCAL_DATA_DIR names another one.",
        )
    elif folder.stat().st_mode & 0o077:
        chart.fail(
            "data folder", f"{folder} is open to other users", next_step=f"chmod 700 {folder}"
        )
    elif not os.access(folder, os.W_OK):
        chart.fail("data folder", f"{folder} cannot be written", next_step="Check its owner.")
    else:
        chart.ok("data folder", f"{folder}{kind}")


def _disk(chart: Chart, patient: Patient) -> None:
    folder = patient.settings.data_dir
    if not folder.is_dir():
        return
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:,.1f} GB free"
    if free < _LITTLE_BYTES:
        chart.fail("disk", text, next_step="Make room: the database stops when the disk is full.")
    elif free < _FEW_BYTES:
        chart.warn("disk", text, next_step="Make room soon.")
    else:
        chart.ok("disk", text)


def _environment(chart: Chart) -> None:
    try:
        refuse_database_functions()
    except RuntimeError as error:
        chart.fail("environment", str(error), next_step="unset POSTGRES_ENABLE_DB_FUNCTIONS")


def _arithmetic(chart: Chart) -> None:
    for task, which in backends().items():
        if "python" in which.lower():
            chart.warn(
                f"cryptography: {task}",
                f"{which}; slower",
                next_step="`python -m infra.signing.build` compiles the hashes where a C compiler is.",
            )
        else:
            chart.ok(f"cryptography: {task}", which)


def _parts(chart: Chart, patient: Patient) -> None:
    running = standing.read(patient.settings.data_dir)
    if running is not None:
        missing = [name for name, pid in running.parts.items() if not _lives(pid)]
        if missing:
            chart.warn(
                "fiscal up",
                f"is starting again: {', '.join(missing)}",
                next_step="If it stays so, see the logs in the data folder.",
            )
        else:
            chart.ok("fiscal up", f"runs as process {running.pid}: {', '.join(running.parts)}")
    url = running.api_url if running else _own_api(patient)
    try:
        answer = httpx.get(f"{url}/ready", timeout=_HTTP_SECONDS, trust_env=False)
        checks = answer.json()["checks"]
    except (httpx.TransportError, ValueError, KeyError):
        chart.fail("api", f"no answer at {url}", next_step="`fiscal up` or `fiscal api` starts it.")
        return
    wrong = [f"{check['name']}: {check['detail']}" for check in checks if not check["ok"]]
    if wrong:
        chart.fail("api", f"{url} is not ready: {'; '.join(wrong)}")
    else:
        chart.ok("api", f"{url} is ready")


def _own_api(patient: Patient) -> str:
    settings = patient.settings
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(  # noqa: S104 - looked at, not bound
        settings.api_host, settings.api_host
    )
    return f"http://{host}:{settings.api_port}"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0


def _alarms(chart: Chart, channels: tuple[Channel, ...]) -> None:
    try:
        names = [channel.name for channel in channels]
    finally:
        for channel in channels:
            channel.close()
    if names:
        chart.ok("alarms", f"go out by {', '.join(names)}")
    else:
        chart.warn(
            "alarms",
            "are shown by the API only",
            next_step="Set FISCAL_ALARM_EMAIL_TO or FISCAL_ALARM_WEBHOOK_URL.",
        )
