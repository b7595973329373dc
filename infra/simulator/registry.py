"""Who is registered with the simulated tax service: companies, their units, registers and keys.

What the real service learns from forms 20-ОПП, 1-ПРРО and 5-ПРРО, this one is told through the
administrator's API or by a call.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, field_validator

_KEY_ID_HEX_DIGITS = 64


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Role(StrEnum):
    """What a key is registered as; a senior cashier and a head may close the shifts of others."""

    CASHIER = "cashier"
    SENIOR_CASHIER = "senior-cashier"
    HEAD = "head"


class KeyEntry(_Entry):
    """One signing key, named by the subject key identifier of its certificate."""

    subject_key_id: str
    name: str
    role: Role = Role.CASHIER
    registers: tuple[str, ...] | None = Field(
        default=None, description="Fiscal numbers it may sign for; null: all of the company."
    )
    registration_number: str = Field(default="", description="RegNum in the answer of Operators.")

    @field_validator("subject_key_id")
    @classmethod
    def _is_hex(cls, value: str) -> str:
        digits = value.lower()
        if len(digits) != _KEY_ID_HEX_DIGITS or set(digits) - set("0123456789abcdef"):
            raise ValueError("a subject key identifier is 64 hexadecimal digits")
        return digits

    @property
    def is_chief(self) -> bool:
        """True for a senior cashier and for the head."""
        return self.role is not Role.CASHIER


class RegisterEntry(_Entry):
    """One software register as registered by form 1-ПРРО."""

    fiscal_number: str = Field(pattern=r"^[1-9][0-9]*$")
    local_number: int = Field(gt=0)
    name: str = ""
    offline_allowed: bool = True
    closed: bool = Field(default=False, description="Registration cancelled.")
    blocked: bool = Field(default=False, description="Sends nothing until it is unblocked.")
    next_local_number: int = Field(
        default=1,
        gt=0,
        description="Where its numbering stands when this simulator first hears of it.",
    )
    offline_session_id: int | None = Field(
        default=None, gt=0, description="First offline session; null: the next free one."
    )
    offline_seed: int | None = Field(default=None, gt=0, description="Its seed; null: made up.")


class UnitEntry(_Entry):
    """One place of sale as registered by form 20-ОПП."""

    name: str
    address: str
    entity: int = Field(default=0, ge=0, description="Record id; 0: made up.")
    object_id: int = Field(default=0, ge=0, description="TaxObjId; 0: made up.")
    guid: str = ""
    registers: tuple[RegisterEntry, ...] = ()


class CompanyEntry(_Entry):
    """One taxpayer with its units and keys."""

    tin: str
    ipn: str | None = None
    name: str
    single_tax: bool = False
    units: tuple[UnitEntry, ...] = ()
    keys: tuple[KeyEntry, ...] = ()


class RegistryEntries(_Entry):
    """The whole registry, as the administrator's API reads and writes it."""

    companies: tuple[CompanyEntry, ...] = ()


class Registered:
    """A register together with the unit and the company it belongs to."""

    __slots__ = ("company", "register", "unit")

    def __init__(self, *, company: CompanyEntry, unit: UnitEntry, register: RegisterEntry) -> None:
        self.company = company
        self.unit = unit
        self.register = register


class Registry:
    """Look-ups over the registered companies."""

    def __init__(self) -> None:
        self._companies: dict[str, CompanyEntry] = {}
        self._registers: dict[str, Registered] = {}
        self._keys: dict[str, list[tuple[CompanyEntry, KeyEntry]]] = {}
        self._withdrawn: set[tuple[str, str]] = set()

    def put(self, company: CompanyEntry) -> None:
        """Register a company, or replace what was known under its code.

        Raises: ValueError when a register belongs to another company already.
        """
        for unit in company.units:
            for register in unit.registers:
                known = self._registers.get(register.fiscal_number)
                if known is not None and known.company.tin != company.tin:
                    raise ValueError(
                        f"register {register.fiscal_number} belongs to {known.company.tin}"
                    )
        self._companies[company.tin] = company
        self._index()

    def entries(self) -> RegistryEntries:
        """All that is registered."""
        return RegistryEntries(companies=tuple(self._companies.values()))

    def find(self, register: str) -> Registered | None:
        """The register with this fiscal number."""
        return self._registers.get(register)

    def companies_of(self, key_id: str) -> list[tuple[CompanyEntry, KeyEntry]]:
        """The companies that registered this key, and as what."""
        return self._keys.get(key_id, [])

    def right(self, *, key_id: str, register: str) -> KeyEntry | None:
        """The key's entry when it may sign for the register, otherwise None."""
        found = self._registers.get(register)
        if found is None or (key_id, register) in self._withdrawn:
            return None
        for company, key in self._keys.get(key_id, ()):
            if company.tin == found.company.tin and (
                key.registers is None or register in key.registers
            ):
                return key
        return None

    def close(self, register: str, *, closed: bool) -> None:
        """Cancel a register's registration, or bring it back.

        Raises: KeyError when it is not registered.
        """
        self._change(register, closed=closed)

    def block(self, register: str, *, blocked: bool) -> None:
        """Block a register, or unblock it. Raises: KeyError when it is not registered."""
        self._change(register, blocked=blocked)

    def allow_offline(self, register: str, *, allowed: bool) -> None:
        """Allow a register to work offline, or forbid it. Raises: KeyError when it is not registered."""
        self._change(register, offline_allowed=allowed)

    def withdraw(self, *, key_id: str, register: str, withdrawn: bool) -> None:
        """Take a key's access to one register away, or give it back."""
        if withdrawn:
            self._withdrawn.add((key_id, register))
        else:
            self._withdrawn.discard((key_id, register))

    def _change(self, register: str, **changes: bool) -> None:
        found = self._registers[register]
        entry = found.register.model_copy(update=changes)
        units = tuple(
            unit.model_copy(
                update={
                    "registers": tuple(
                        entry if each.fiscal_number == register else each for each in unit.registers
                    )
                }
            )
            for unit in found.company.units
        )
        self.put(found.company.model_copy(update={"units": units}))

    def _index(self) -> None:
        self._registers = {
            register.fiscal_number: Registered(company=company, unit=unit, register=register)
            for company in self._companies.values()
            for unit in company.units
            for register in unit.registers
        }
        self._keys = {}
        for company in self._companies.values():
            for key in company.keys:
                self._keys.setdefault(key.subject_key_id, []).append((company, key))
