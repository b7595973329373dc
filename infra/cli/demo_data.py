"""The demonstration network: three outlets of two companies with six registers, all made up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

NETWORK = "Калина"


@dataclass(frozen=True, slots=True)
class DemoRegister:
    """A register and the cashier who works at it; the cashier's key has the same number."""

    fiscal_number: str
    local_number: int
    name: str
    cashier: str
    cashier_code: str

    @property
    def key_id(self) -> str:
        """Return the name of the cashier's key in the signing agent."""
        return f"demo-cashier-{self.local_number}"


@dataclass(frozen=True, slots=True)
class DemoOutlet:
    """A place of sale."""

    name: str
    address: str
    registers: tuple[DemoRegister, ...]


@dataclass(frozen=True, slots=True)
class DemoCompany:
    """A seller; without a VAT number it does not pay VAT."""

    tax_id: str
    vat_number: str | None
    name: str
    outlets: tuple[DemoOutlet, ...]

    @property
    def registers(self) -> tuple[DemoRegister, ...]:
        """Return the registers of all outlets."""
        return tuple(register for outlet in self.outlets for register in outlet.registers)


COMPANIES = (
    DemoCompany(
        tax_id="99900011",
        vat_number="999000110019",
        name='ТОВ "Калина-Приклад"',
        outlets=(
            DemoOutlet(
                name='Магазин "Калина" на Вигаданій',
                address="УКРАЇНА, М. ЛЬВІВ, вул. Вигадана, 5",
                registers=(
                    DemoRegister("4000777001", 1, "Каса 1", "Приклад О. П.", "9990000011"),
                    DemoRegister("4000777002", 2, "Каса 2", "Смерека О. О.", "9990000022"),
                ),
            ),
            DemoOutlet(
                name='Магазин "Калина" на Уявній',
                address="УКРАЇНА, М. КИЇВ, просп. Уявний, 12",
                registers=(
                    DemoRegister("4000777003", 3, "Каса 3", "Клен П. І.", "9990000033"),
                    DemoRegister("4000777004", 4, "Каса 4", "Явір Г. П.", "9990000044"),
                ),
            ),
        ),
    ),
    DemoCompany(
        tax_id="9990000055",
        vat_number=None,
        name="ФОП Тополя Марта Іванівна",
        outlets=(
            DemoOutlet(
                name='Кавʼярня "Зерно"',
                address="УКРАЇНА, М. ОДЕСА, вул. Казкова, 7",
                registers=(
                    DemoRegister("4000777005", 5, "Каса 5", "Тополя М. І.", "9990000055"),
                    DemoRegister("4000777006", 6, "Каса 6", "Верба Л. С.", "9990000066"),
                ),
            ),
        ),
    ),
)

FIRST_SALE: dict[str, Any] = {
    "lines": [
        {
            "name": "Хліб житній",
            "code": "1002",
            "quantity_thousandths": 1000,
            "price_kopecks": 2748,
            "letters": "А",
            "unit_name": "шт",
        },
        {
            "name": "Яблука Голден",
            "code": "2010",
            "quantity_thousandths": 1250,
            "price_kopecks": 3990,
            "letters": "А",
            "unit_name": "кг",
        },
    ],
    "payments": [{"form": "cash", "provided_kopecks": 10000}],
}
NEXT_SALE: dict[str, Any] = {
    "lines": [
        {
            "name": "Кава зернова 250 г",
            "quantity_thousandths": 1000,
            "price_kopecks": 18990,
            "letters": "А",
        }
    ],
    "payments": [{"form": "cash", "provided_kopecks": 20000}],
}


def simulator_registry(key_ids: dict[str, str]) -> dict[str, Any]:
    """Return what the simulated tax service is told: the same network, and whose keys may sign.

    `key_ids` gives the subject key identifier of each key of the signing agent.
    """
    return {"companies": [_registered(company, key_ids) for company in COMPANIES]}


def _registered(company: DemoCompany, key_ids: dict[str, str]) -> dict[str, Any]:
    return {
        "tin": company.tax_id,
        "ipn": company.vat_number,
        "name": company.name,
        "single_tax": company.vat_number is None,
        "units": [
            {
                "name": outlet.name,
                "address": outlet.address,
                "registers": [
                    {
                        "fiscal_number": register.fiscal_number,
                        "local_number": register.local_number,
                        "name": register.name,
                    }
                    for register in outlet.registers
                ],
            }
            for outlet in company.outlets
        ],
        "keys": [
            {
                "subject_key_id": key_ids[register.key_id],
                "name": register.cashier,
                "role": "senior-cashier",
                "registration_number": str(register.local_number),
            }
            for register in company.registers
        ],
    }
