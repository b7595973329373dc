"""The network that is sold in: companies, outlets, registers, cashiers, made as any client makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from infra.signing.client import AgentSigner
from infra.signing.development import Holder
from tests.support.deployment import Deployment

_REGISTERS_IN_AN_OUTLET = 4


@dataclass(frozen=True, slots=True)
class Desk:
    """A register and the cashier who works at it."""

    register_id: UUID
    fiscal_number: str
    cashier_id: UUID


def set_up(deployment: Deployment, *, registers: int) -> list[Desk]:
    """Make the network at the tax service, in the signing agent and through the API."""
    company = {"tax_id": "99900011", "vat_number": "999000110019", "name": "ТОВ Калина"}
    numbers = [f"40007{number:05d}" for number in range(1, registers + 1)]
    outlets = [
        numbers[first : first + _REGISTERS_IN_AN_OUTLET]
        for first in range(0, registers, _REGISTERS_IN_AN_OUTLET)
    ]
    with AgentSigner(deployment.settings.signer_socket) as signer:
        keys = {
            number: signer.ensure_development_key(
                _key(number), Holder(f"Касир {number}", company_code=company["tax_id"])
            ).subject_key_id
            for number in numbers
        }
    deployment.admin("POST", "registry", _registry(company, outlets, keys))
    with deployment.client() as client:
        company_id = _made(client, "companies", company)["company_id"]
        return [
            desk
            for number, outlet in enumerate(outlets, 1)
            for desk in _outlet(client, company_id, number, outlet)
        ]


def outlet_name(number: int) -> dict[str, str]:
    """Name and address of an outlet, the same here and at the tax service."""
    return {"name": f"Магазин {number}", "address": f"М. ЛЬВІВ, вул. Вигадана, {number}"}


def _outlet(client: httpx.Client, company_id: str, number: int, registers: list[str]) -> list[Desk]:
    unit = _made(client, "business-units", {"company_id": company_id, **outlet_name(number)})
    desks = []
    for place, fiscal_number in enumerate(registers, 1):
        register = _made(
            client,
            "registers",
            {
                "business_unit_id": unit["business_unit_id"],
                "fiscal_number": fiscal_number,
                "local_number": place,
                "name": f"Каса {place}",
                "live": False,
                "settings": {"opens_with_first_sale": place % 2 == 0},
            },
        )
        cashier = _made(
            client,
            "cashiers",
            {
                "company_id": company_id,
                "name": f"Касир {fiscal_number}",
                "key_id": _key(fiscal_number),
            },
        )
        desks.append(
            Desk(UUID(register["register_id"]), fiscal_number, UUID(cashier["cashier_id"]))
        )
    return desks


def _registry(
    company: dict[str, str], outlets: list[list[str]], keys: dict[str, str]
) -> dict[str, Any]:
    units = [
        {
            **outlet_name(number),
            "registers": [
                {"fiscal_number": register, "local_number": place}
                for place, register in enumerate(registers, 1)
            ],
        }
        for number, registers in enumerate(outlets, 1)
    ]
    entries = [
        {"subject_key_id": key, "name": f"Касир {number}", "role": "senior-cashier"}
        for number, key in keys.items()
    ]
    return {
        "companies": [
            {
                "tin": company["tax_id"],
                "ipn": company["vat_number"],
                "name": company["name"],
                "units": units,
                "keys": entries,
            }
        ]
    }


def _key(fiscal_number: str) -> str:
    return f"cashier-{fiscal_number}"


def _made(client: httpx.Client, resource: str, body: dict[str, Any]) -> dict[str, Any]:
    key = f"chaos-{resource}-{body.get('fiscal_number') or body['name']}".encode().hex()[-120:]
    answer = client.post(f"/v1/{resource}", json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made
