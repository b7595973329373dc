"""The network and what belongs to it: companies, business units, registers, cashiers."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from api.schemas.common import AnswerModel, Id, RequestModel, optional_text, text
from api.schemas.drawer import DrawerSettingsModel
from domain.cashier import Cashier
from domain.company import BusinessUnit, Company
from domain.documents.text import Limit
from domain.money import Money, Rate
from domain.register.aggregate import Register
from domain.register.state import RegisterSettings
from domain.taxes.rates import EXCISE, VAT, TaxGroup
from projections.structure import BusinessUnitRow, CashierRow, CompanyRow, RegisterRow

MOST_TAX_GROUPS = 32

_KINDS: dict[str, int] = {"vat": VAT, "excise": EXCISE}
_KIND_NAMES: dict[int, Literal["vat", "excise"]] = {VAT: "vat", EXCISE: "excise"}
_COMPANY = "5c1d7c7e-38a0-5a51-9a4e-0d0c5d1f2a11"
_UNIT = "0a9f6a0e-7f0e-5f5e-8a55-6f1d3b2c4d10"
_REGISTER = "c2f3de55-9f0b-5b0e-8f6e-2a6f0c1b7d20"
_CASHIER = "9b1c5f30-2d11-5e7a-b0f4-7d9e8c6a5b40"


class NetworkBody(RequestModel):
    """The network: one deployment's chain."""

    name: str = text("The chain's name.", longest=512, example="Калина")


class NetworkAnswer(AnswerModel):
    """The network and how much belongs to it."""

    name: str = Field(description="The chain's name.", examples=["Калина"])


class TaxGroupModel(RequestModel):
    """What one tax letter means."""

    letter: str = Field(
        min_length=1, max_length=1, description="One Cyrillic capital letter.", examples=["А"]
    )
    kind: Literal["vat", "excise"] = Field(description="The tax.", examples=["vat"])
    name: str = text("Its name on receipts.", longest=Limit.TAX_NAME, example="ПДВ")
    rate_basis_points: int = Field(
        ge=0, le=10_000, description="The rate: 20 % is 2000.", examples=[2000]
    )

    def to_domain(self) -> TaxGroup:
        """Return the group as the ledger takes it."""
        return TaxGroup(self.letter, _KINDS[self.kind], self.name, Rate(self.rate_basis_points))

    @classmethod
    def of(cls, group: TaxGroup) -> TaxGroupModel:
        """Return the model of a group."""
        return cls(
            letter=group.letter,
            kind=_KIND_NAMES[group.kind],
            name=group.name,
            rate_basis_points=group.rate.basis_points,
        )


_GROUPS = [{"letter": "А", "kind": "vat", "name": "ПДВ", "rate_basis_points": 2000}]


class CompanyBody(RequestModel):
    """A seller, exactly as the tax service's registry has it."""

    tax_id: str = text("ЄДРПОУ, РНОКПП or passport.", longest=16, example="99900011")
    vat_number: str | None = optional_text(
        "VAT payer's number; absent: does not pay VAT.", longest=16, example="999000110019"
    )
    name: str = text(
        "The registered name, to the letter.", longest=512, example='ТОВ "Калина-Приклад"'
    )
    tax_groups: list[TaxGroupModel] | None = Field(
        default=None,
        max_length=MOST_TAX_GROUPS,
        description="The letters of taxes; absent: the usual ones for a VAT payer, none for others.",
        examples=[_GROUPS],
    )


class CompanyNamesBody(RequestModel):
    """What the tax service's registry calls the company now."""

    vat_number: str | None = optional_text(
        "VAT payer's number; absent: does not pay VAT.", longest=16, example="999000110019"
    )
    name: str = text(
        "The registered name, to the letter.", longest=512, example='ТОВ "Калина-Приклад"'
    )


class BusinessUnitNamesBody(RequestModel):
    """What the tax service's registry calls the place of sale now."""

    name: str = text("The registered name, to the letter.", longest=512, example="Магазин 2")
    address: str | None = optional_text(
        "The registered address, to the letter.", longest=512, example="М. ЛЬВІВ, вул. Вигадана, 5"
    )


class TaxGroupsBody(RequestModel):
    """What the company's letters mean from the next shift on."""

    tax_groups: list[TaxGroupModel] = Field(
        max_length=MOST_TAX_GROUPS, description="All letters.", examples=[_GROUPS]
    )


class CompanyAnswer(AnswerModel):
    """A company."""

    company_id: Id = Field(description="Its id.", examples=[_COMPANY])
    tax_id: str = Field(description="ЄДРПОУ, РНОКПП or passport.", examples=["99900011"])
    vat_number: str | None = Field(
        description="VAT payer's number; null: does not pay VAT.", examples=["999000110019"]
    )
    name: str = Field(description="The registered name.", examples=['ТОВ "Калина-Приклад"'])
    tax_groups: list[TaxGroupModel] = Field(description="The letters.", examples=[_GROUPS])

    @classmethod
    def of(cls, company: Company | CompanyRow) -> CompanyAnswer:
        """Return the answer about a company."""
        return cls(
            company_id=company.id if isinstance(company, Company) else company.company_id,
            tax_id=company.tax_id,
            vat_number=company.vat_number,
            name=company.name,
            tax_groups=[TaxGroupModel.of(group) for group in company.tax_groups],
        )


class BusinessUnitBody(RequestModel):
    """A place of sale, exactly as the tax service's registry has it."""

    company_id: UUID = Field(description="Whose it is.", examples=[_COMPANY])
    name: str = text("The registered name, to the letter.", longest=512, example='Магазин "Калина"')
    address: str | None = optional_text(
        "The registered address, to the letter.",
        longest=512,
        example="УКРАЇНА, М. ЛЬВІВ, вул. Вигадана, 5",
    )


class BusinessUnitAnswer(AnswerModel):
    """A place of sale."""

    business_unit_id: Id = Field(description="Its id.", examples=[_UNIT])
    company_id: Id = Field(description="Whose it is.", examples=[_COMPANY])
    name: str = Field(description="The registered name.", examples=['Магазин "Калина"'])
    address: str | None = Field(
        description="The registered address.", examples=["УКРАЇНА, М. ЛЬВІВ, вул. Вигадана, 5"]
    )

    @classmethod
    def of(cls, unit: BusinessUnit | BusinessUnitRow) -> BusinessUnitAnswer:
        """Return the answer about a business unit."""
        return cls(
            business_unit_id=unit.id if isinstance(unit, BusinessUnit) else unit.business_unit_id,
            company_id=unit.company_id,
            name=unit.name,
            address=unit.address,
        )


_TESTING = "Whether its shifts hold tests, which get fiscal numbers and are not fiscal; an opening may say otherwise."
_DRAWER = {"empties_before_z": True, "withdrawal_maximum_kopecks": 500000}


class RegisterSettingsModel(RequestModel):
    """How a register behaves."""

    opens_with_first_sale: bool = Field(
        default=False,
        description="Whether the first sale opens the shift, with the cashier it names.",
        examples=[True],
    )
    cash_step_kopecks: Literal[1, 10, 50] = Field(
        default=50,
        description="Step that cash is rounded to; heeded from the next shift on. 1: not at all.",
        examples=[50],
    )
    testing: bool = Field(default=False, description=_TESTING, examples=[False])
    drawer: DrawerSettingsModel = Field(
        default=DrawerSettingsModel(),
        description="How it treats its drawer.",
        examples=[_DRAWER],
    )

    def to_domain(self) -> RegisterSettings:
        """Return the settings as the ledger takes them."""
        return RegisterSettings(
            opens_with_first_sale=self.opens_with_first_sale,
            cash_step=Money(self.cash_step_kopecks),
            testing=self.testing,
            drawer=self.drawer.to_domain(),
        )


_SETTINGS = {"opens_with_first_sale": True, "cash_step_kopecks": 50, "testing": False}


class RegisterSettingsPatch(RequestModel):
    """What to change; absent fields stay."""

    opens_with_first_sale: bool | None = Field(
        default=None,
        description="Whether the first sale opens the shift, with the cashier it names.",
        examples=[True],
    )
    cash_step_kopecks: Literal[1, 10, 50] | None = Field(
        default=None,
        description="Step that cash is rounded to; heeded from the next shift on. 1: not at all.",
        examples=[10],
    )
    testing: bool | None = Field(default=None, description=_TESTING, examples=[True])
    drawer: DrawerSettingsModel | None = Field(
        default=None,
        description="How it treats its drawer; what is left out of it becomes the default.",
        examples=[_DRAWER],
    )

    def applied_to(self, settings: RegisterSettings) -> RegisterSettings:
        """Return the settings with what is given here."""
        opens, step, testing = self.opens_with_first_sale, self.cash_step_kopecks, self.testing
        return RegisterSettings(
            opens_with_first_sale=settings.opens_with_first_sale if opens is None else opens,
            cash_step=settings.cash_step if step is None else Money(step),
            testing=settings.testing if testing is None else testing,
            drawer=settings.drawer if self.drawer is None else self.drawer.to_domain(),
        )


class RegisterBody(RequestModel):
    """A register (ПРРО), as the tax service's registry has it."""

    business_unit_id: UUID = Field(description="Where it stands.", examples=[_UNIT])
    fiscal_number: str = text("The register's fiscal number.", longest=18, example="4000777001")
    local_number: int = Field(
        gt=0, lt=10**9, description="The register's local number.", examples=[7]
    )
    name: str = text("A name for people.", longest=512, example="Каса 1")
    live: bool = Field(
        description="Whether its documents create tax obligations; false: for tests, with development keys.",
        examples=[False],
    )
    settings: RegisterSettingsModel | None = Field(
        default=None, description="How it behaves.", examples=[_SETTINGS]
    )


class RegisterAnswer(AnswerModel):
    """A register as it stands."""

    register_id: Id = Field(description="Its id.", examples=[_REGISTER])
    company_id: Id = Field(description="Whose it is.", examples=[_COMPANY])
    business_unit_id: Id = Field(description="Where it stands.", examples=[_UNIT])
    fiscal_number: str = Field(description="Its fiscal number.", examples=["4000777001"])
    local_number: int = Field(description="Its local number.", examples=[7])
    name: str = Field(description="Its name.", examples=["Каса 1"])
    live: bool = Field(
        description="Whether its documents create tax obligations.", examples=[False]
    )
    settings: RegisterSettingsModel = Field(description="How it behaves.", examples=[_SETTINGS])
    open_shift_id: UUID | None = Field(
        description="Its open or closing shift.",
        examples=["7e5a0000-0b1c-4d2e-8f30-a1b2c3d40010"],
    )
    parked: str | None = Field(
        description="Why its documents are stopped until a person acts.",
        examples=["server-code-1"],
    )

    @classmethod
    def of(cls, register: Register | RegisterRow) -> RegisterAnswer:
        """Return the answer about a register."""
        if isinstance(register, Register):
            register_id, shift, parked = register.id, register.shift, register.parked
            shift_id = None if shift is None else shift.shift_id
            reason = None if parked is None else parked.reason
        else:
            register_id, shift_id = register.register_id, register.shift_id
            reason = register.parked_reason
        return cls(
            register_id=register_id,
            company_id=register.company_id,
            business_unit_id=register.business_unit_id,
            fiscal_number=register.fiscal_number,
            local_number=register.local_number,
            name=register.name,
            live=register.live,
            settings=settings_model(register.settings),
            open_shift_id=shift_id,
            parked=reason,
        )


def settings_model(settings: RegisterSettings) -> RegisterSettingsModel:
    """Return the model of a register's settings."""
    step = settings.cash_step.kopecks
    assert step in (1, 10, 50)
    return RegisterSettingsModel(
        opens_with_first_sale=settings.opens_with_first_sale,
        cash_step_kopecks=step,  # type: ignore[arg-type]
        testing=settings.testing,
        drawer=DrawerSettingsModel.of(settings.of_drawer),
    )


class CashierBody(RequestModel):
    """A cashier of a company."""

    company_id: UUID = Field(description="Whom the cashier works for.", examples=[_COMPANY])
    name: str = text("The name that receipts print.", longest=256, example="Приклад О. П.")
    key_id: str | None = optional_text(
        "The key that signs the cashier's shifts, as the signing agent names it.",
        longest=128,
        example="demo-cashier-1",
    )


class KeyBody(RequestModel):
    """The key that signs from the next shift on."""

    key_id: str = text(
        "The key, as the signing agent names it.", longest=128, example="demo-cashier-1"
    )


class CashierAnswer(AnswerModel):
    """A cashier."""

    cashier_id: Id = Field(description="The id.", examples=[_CASHIER])
    company_id: Id = Field(description="Whom the cashier works for.", examples=[_COMPANY])
    name: str = Field(description="The name that receipts print.", examples=["Приклад О. П."])
    key_id: str | None = Field(
        description="The key that signs the cashier's shifts.", examples=["demo-cashier-1"]
    )

    @classmethod
    def of(cls, cashier: Cashier | CashierRow) -> CashierAnswer:
        """Return the answer about a cashier."""
        return cls(
            cashier_id=cashier.id if isinstance(cashier, Cashier) else cashier.cashier_id,
            company_id=cashier.company_id,
            name=cashier.name,
            key_id=cashier.key_id,
        )
