"""The demonstration: a network set up as any client would, a shift opened, a sale made and registered.

Everything is asked for under fixed idempotency keys and looked for first, so a second start finds what the first one
made.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from domain.errors import AlreadyExists
from infra.bootstrap import owner_dsn
from infra.cli.api_client import WAIT_SECONDS, ApiClient
from infra.cli.console import Problem
from infra.cli.demo_data import (
    COMPANIES,
    FIRST_SALE,
    NETWORK,
    DemoCompany,
    DemoOutlet,
    DemoRegister,
    simulator_registry,
)
from infra.cli.supervisor import Stopped
from infra.postgres import application_dsn, connect
from infra.settings import Settings
from infra.signing.client import AgentSigner
from infra.signing.development import Holder
from infra.tokens import (
    ADMINISTRATOR_FILE,
    Role,
    create_token,
    find_token,
    token_hash,
)

DEMO_TOKEN_FILE = "demo.token"  # noqa: S105 - the name of a file
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What there is to show: the first register with its cashier, its shift, the first receipt as answered."""

    register_id: str
    cashier_id: str
    shift: dict[str, Any]
    receipt: dict[str, Any]
    token_file: Path


def demonstrate(settings: Settings, *, api_url: str, stop: threading.Event) -> Demonstration:
    """Set the network up, if it is not, and make the first sale, if it is not made. Raises: Problem, Stopped."""
    key_ids = _make_keys(settings)
    _register_with_simulator(settings, key_ids)
    token_file = usable_token(settings)
    with ApiClient(api_url, token=token_file.read_text().strip()) as api:
        network = _Network(api)
        network.set_up()
        register_id, cashier_id = network.first_register, network.first_cashier
        shift = _open_shift(api, register_id=register_id, cashier_id=cashier_id)
        receipt = api.post(
            f"/v1/registers/{register_id}/receipts",
            {**FIRST_SALE, "cashier_id": cashier_id},
            key="demo-first-sale",
            wait=True,
        )
        receipt = _until_decided(api, receipt, stop=stop)
    return Demonstration(register_id, cashier_id, shift, receipt, token_file)


def usable_token(settings: Settings) -> Path:
    """Return a file with a valid administrator's token; one is made where the first one is gone."""
    dsn = application_dsn(owner_dsn(settings))
    with connect(dsn, name="fiscal up") as connection:
        for name in (ADMINISTRATOR_FILE, DEMO_TOKEN_FILE):
            file = settings.data_dir / name
            if file.exists():
                row = find_token(connection, token_hash(file.read_text().strip()))
                if row is not None and row.role is Role.ADMINISTRATOR:
                    return file
        file = settings.data_dir / DEMO_TOKEN_FILE
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(_new_token(connection) + "\n")
        return file


def _new_token(connection: psycopg.Connection[tuple[Any, ...]]) -> str:
    try:
        return create_token(connection, "demonstration", Role.ADMINISTRATOR)
    except AlreadyExists:
        return create_token(connection, f"demonstration {uuid4().hex[:8]}", Role.ADMINISTRATOR)


# --- keys and the tax service ---------------------------------------------------------------------------


def _make_keys(settings: Settings) -> dict[str, str]:
    """Return the subject key identifiers of the cashiers' keys, made by the signing agent if need be."""
    with AgentSigner(settings.signer_socket) as agent:
        return {
            register.key_id: agent.ensure_development_key(
                register.key_id, _holder(company, register)
            ).subject_key_id
            for company in COMPANIES
            for register in company.registers
        }


def _holder(company: DemoCompany, register: DemoRegister) -> Holder:
    return Holder(
        common_name=register.cashier,
        personal_code=register.cashier_code,
        company_code=company.tax_id,
        organization=company.name,
    )


def _register_with_simulator(settings: Settings, key_ids: dict[str, str]) -> None:
    try:
        answer = httpx.post(
            f"{settings.simulator_url}/admin/registry",
            json=simulator_registry(key_ids),
            trust_env=False,
        )
    except httpx.TransportError as error:
        raise Problem(f"The simulator does not answer: {error}.") from error
    if answer.status_code != 200:
        raise Problem(f"The simulator does not take the network: {answer.text}")


# --- the network ----------------------------------------------------------------------------------------


class _Network:
    """Sets the network up through the API; what is there already is used as it is."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self.first_register = ""
        self.first_cashier = ""

    def set_up(self) -> None:
        """Make what is missing."""
        self._api.post("/v1/network", {"name": NETWORK}, key="demo-network")
        known = {name: self._api.items(f"/v1/{name}") for name in _RESOURCES}
        for company in COMPANIES:
            body = {
                "tax_id": company.tax_id,
                "vat_number": company.vat_number,
                "name": company.name,
            }
            company_id = self._one(
                "companies", body, known, same=("tax_id",), key=f"demo-company-{company.tax_id}"
            )
            for outlet in company.outlets:
                self._outlet(company_id, outlet, known)

    def _outlet(
        self, company_id: str, outlet: DemoOutlet, known: dict[str, list[dict[str, Any]]]
    ) -> None:
        first_number = outlet.registers[0].fiscal_number
        unit_id = self._one(
            "business-units",
            {"company_id": company_id, "name": outlet.name, "address": outlet.address},
            known,
            same=("company_id", "name"),
            key=f"demo-outlet-{first_number}",
        )
        for register in outlet.registers:
            register_id = self._one(
                "registers",
                {
                    "business_unit_id": unit_id,
                    "fiscal_number": register.fiscal_number,
                    "local_number": register.local_number,
                    "name": register.name,
                    "live": False,
                    "settings": {"opens_with_first_sale": True},
                },
                known,
                same=("fiscal_number",),
                key=f"demo-register-{register.fiscal_number}",
            )
            cashier_id = self._one(
                "cashiers",
                {"company_id": company_id, "name": register.cashier, "key_id": register.key_id},
                known,
                same=("company_id", "name"),
                key=f"demo-cashier-{register.fiscal_number}",
            )
            self.first_register = self.first_register or register_id
            self.first_cashier = self.first_cashier or cashier_id

    def _one(
        self,
        resource: str,
        body: dict[str, Any],
        known: dict[str, list[dict[str, Any]]],
        *,
        same: tuple[str, ...],
        key: str,
    ) -> str:
        """Return the id of the thing that agrees with `body` in the fields `same`, made if there is none."""
        id_field = _RESOURCES[resource]
        for row in known[resource]:
            if all(row[field] == body[field] for field in same):
                return str(row[id_field])
        return str(self._api.post(f"/v1/{resource}", body, key=key)[id_field])


_RESOURCES = {
    "companies": "company_id",
    "business-units": "business_unit_id",
    "registers": "register_id",
    "cashiers": "cashier_id",
}


# --- the first sale -------------------------------------------------------------------------------------


def _open_shift(api: ApiClient, *, register_id: str, cashier_id: str) -> dict[str, Any]:
    """Return the register's open shift, opened now if there is none."""
    open_shift_id = api.get(f"/v1/registers/{register_id}")["open_shift_id"]
    if open_shift_id is not None:
        return _patiently(lambda: api.get(f"/v1/shifts/{open_shift_id}"))
    return api.post(
        f"/v1/registers/{register_id}/shifts",
        {"cashier_id": cashier_id},
        key=f"demo-shift-{uuid4().hex}",
        wait=True,
    )


def _patiently(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what a list has as soon as its projector has come so far. Raises: Problem."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return read()
        except Problem:
            if time.monotonic() > deadline:
                raise
        time.sleep(_LOOK_SECONDS)


def _until_decided(
    api: ApiClient, receipt: dict[str, Any], *, stop: threading.Event
) -> dict[str, Any]:
    """Return the receipt once it is registered or refused, or as it stands when that takes too long."""
    deadline = time.monotonic() + WAIT_SECONDS
    while receipt["state"] not in ("registered", "refused", "voided"):
        if time.monotonic() > deadline:
            break
        if stop.wait(_LOOK_SECONDS):
            raise Stopped
        receipt = api.get(receipt["links"]["self"])
    return receipt
