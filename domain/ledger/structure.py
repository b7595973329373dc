"""Setting up the network: companies, business units, registers, cashiers."""

from __future__ import annotations

from uuid import UUID

from domain.aggregate import Aggregate
from domain.cashier import Cashier
from domain.clock import fiscal_day
from domain.company import BusinessUnit, Company
from domain.documents.text import Limit, encodable
from domain.drawer import checked_drawer_settings
from domain.errors import AlreadyExists, Conflict, IdempotencyKeyReused, InvalidField, NotFound
from domain.identifiers import (
    company_stream_id,
    id_made_by,
    register_number,
    register_stream_id,
    shard_of,
    tax_id,
    vat_number,
)
from domain.ledger.base import LedgerBase
from domain.money import Money
from domain.network import NETWORK_ID, Network
from domain.ports import CommandKey, Commit, LogPosition
from domain.register.aggregate import Register
from domain.register.state import RegisterSettings
from domain.taxes.rates import STANDARD_GROUPS, TaxGroup, checked_groups

CASH_STEPS = (Money(1), Money(10), Money(50))
"""Steps of cash rounding a shop may choose (reference §8.4)."""


class Structure(LedgerBase):
    """Use cases of setting up. Each takes an optional idempotency key and returns the new thing's id."""

    def establish_network(self, *, name: str) -> LogPosition | None:
        """Name the network; the same name again records nothing."""
        shard = shard_of(NETWORK_ID)
        checked = encodable(name, field="name", limit=Limit.SELLER_NAME)
        try:
            with self.store.hold(Network, NETWORK_ID, shard=shard) as network:
                network.rename(name=checked)
                return self._commit_alone(network) if network.pending_events else None
        except NotFound:
            return self._commit_alone(Network(id=NETWORK_ID, name=checked))

    def register_company(
        self,
        *,
        code: str,
        vat: str | None,
        name: str,
        tax_groups: tuple[TaxGroup, ...] | None = None,
        command: CommandKey | None = None,
    ) -> UUID:
        """Register a company; without tax groups a VAT payer gets the standard ones, others none.

        Raises: InvalidField.
        """
        groups = tax_groups
        if groups is None:
            groups = STANDARD_GROUPS if vat is not None else ()
        company = Company(
            id=company_stream_id(code),
            tax_id=tax_id(code),
            vat_number=None if vat is None else vat_number(vat),
            name=encodable(_filled(name, field="name"), field="name", limit=Limit.SELLER_NAME),
            tax_groups=checked_groups(
                groups, on=fiscal_day(self.clock.now()), pays_vat=vat is not None
            ),
        )
        return self._create(company, what="company", command=command)

    def set_tax_groups(self, company_id: UUID, groups: tuple[TaxGroup, ...]) -> LogPosition | None:
        """Give a company's letters another meaning from the next shift on. Raises: NotFound, InvalidField."""
        with self.store.hold(Company, company_id, shard=shard_of(company_id)) as company:
            company.set_tax_groups(groups, on=fiscal_day(self.clock.now()))
            return self._commit_alone(company) if company.pending_events else None

    def rename_company(self, company_id: UUID, *, name: str, vat: str | None) -> LogPosition | None:
        """Take over a company's name and VAT number as the registry has them now; open shifts keep theirs.

        Raises: NotFound, InvalidField.
        """
        checked = encodable(_filled(name, field="name"), field="name", limit=Limit.SELLER_NAME)
        number = None if vat is None else vat_number(vat)
        with self.store.hold(Company, company_id, shard=shard_of(company_id)) as company:
            company.rename(name=checked, vat_number=number)
            return self._commit_alone(company) if company.pending_events else None

    def rename_business_unit(
        self, business_unit_id: UUID, *, name: str, address: str | None
    ) -> LogPosition | None:
        """Take over a unit's name and address as the registry has them now; open shifts keep theirs.

        Raises: NotFound, InvalidField.
        """
        checked = _unit_names(name, address)
        shard = shard_of(business_unit_id)
        with self.store.hold(BusinessUnit, business_unit_id, shard=shard) as unit:
            unit.rename(name=checked[0], address=checked[1])
            return self._commit_alone(unit) if unit.pending_events else None

    def register_business_unit(
        self,
        *,
        company_id: UUID,
        name: str,
        address: str | None,
        command: CommandKey | None = None,
    ) -> UUID:
        """Register a place of sale of a company. Raises: NotFound, InvalidField."""
        self.store.read(Company, company_id, shard=shard_of(company_id))
        checked = _unit_names(name, address)
        unit = BusinessUnit(
            id=self._identity(command), company_id=company_id, name=checked[0], address=checked[1]
        )
        return self._create(unit, what="business unit", command=command)

    def add_register(
        self,
        *,
        business_unit_id: UUID,
        fiscal_number: str,
        local_number: int,
        name: str,
        live: bool,
        settings: RegisterSettings | None = None,
        command: CommandKey | None = None,
    ) -> UUID:
        """Add a register to a place of sale. Raises: NotFound, InvalidField."""
        unit = self.store.read(BusinessUnit, business_unit_id, shard=shard_of(business_unit_id))
        if not 0 < local_number < 10**9:
            raise InvalidField(field="local_number", expected="a positive whole number")
        register = Register(
            id=register_stream_id(register_number(fiscal_number)),
            company_id=unit.company_id,
            business_unit_id=business_unit_id,
            fiscal_number=fiscal_number,
            local_number=local_number,
            name=encodable(_filled(name, field="name"), field="name", limit=Limit.SELLER_NAME),
            live=live,
            settings=checked_settings(settings or RegisterSettings()),
        )
        return self._create(register, what="register", command=command)

    def change_register_settings(
        self, register_id: UUID, settings: RegisterSettings
    ) -> LogPosition | None:
        """Let a register behave differently. Raises: NotFound, InvalidField."""
        checked = checked_settings(settings)

        def decide() -> LogPosition | None:
            with self.store.hold(Register, register_id, shard=shard_of(register_id)) as register:
                register.change_settings(checked)
                return self._save(register) if register.pending_events else None

        # A lane at work moves the register on all the time; settings do not depend on where it stands.
        return self._again_after_conflict(decide)

    def enrol_cashier(
        self,
        *,
        company_id: UUID,
        name: str,
        key_id: str | None,
        command: CommandKey | None = None,
    ) -> UUID:
        """Enrol a cashier of a company, with a key or without. Raises: NotFound, InvalidField, KeyUnknown."""
        self.store.read(Company, company_id, shard=shard_of(company_id))
        cashier = Cashier(
            id=self._identity(command),
            company_id=company_id,
            name=encodable(_filled(name, field="name"), field="name", limit=Limit.CASHIER_NAME),
        )
        if key_id is not None:
            self.signer.describe(key_id=key_id)
            cashier.assign_key(key_id=key_id)
        return self._create(cashier, what="cashier", command=command)

    def assign_key(self, cashier_id: UUID, *, key_id: str) -> LogPosition | None:
        """Sign a cashier's next shifts with another key. Raises: NotFound, KeyUnknown."""
        self.signer.describe(key_id=key_id)
        with self.store.hold(Cashier, cashier_id, shard=shard_of(cashier_id)) as cashier:
            cashier.assign_key(key_id=key_id)
            return self._commit_alone(cashier) if cashier.pending_events else None

    def _commit_alone(self, aggregate: Aggregate) -> LogPosition:
        return self.store.commit(Commit(shard=shard_of(aggregate.id), streams=(aggregate,)))

    def _identity(self, command: CommandKey | None) -> UUID:
        """Return the new thing's id; a command's own, so that its repetition finds the first result."""
        if command is None:
            return self.new_id()
        return id_made_by(scope=command.scope, key=command.key)

    def _create(self, aggregate: Aggregate, *, what: str, command: CommandKey | None) -> UUID:
        """Commit a new aggregate, once. Raises: AlreadyExists."""
        shard = shard_of(aggregate.id)

        def decide() -> UUID:
            try:
                self.store.commit(
                    Commit(
                        shard=shard,
                        streams=(aggregate,),
                        command=self._recorded(command, id=str(aggregate.id)),
                    )
                )
            except IdempotencyKeyReused:
                raise
            except Conflict:
                raise AlreadyExists(what=what, id=str(aggregate.id)) from None
            return aggregate.id

        return self._once(
            shard=shard,
            command=command,
            decide=decide,
            repeat=lambda result: UUID(str(result["id"])),
        )


def checked_settings(settings: RegisterSettings) -> RegisterSettings:
    """Return the settings if the cash step is one the rule allows and limits are limits. Raises: InvalidField."""
    if settings.cash_step not in CASH_STEPS:
        raise InvalidField(field="cash_step_kopecks", expected="1, 10 or 50")
    checked_drawer_settings(settings.of_drawer)
    return settings


def _filled(text: str, *, field: str) -> str:
    if not text.strip():
        raise InvalidField(field=field, expected="not empty")
    return text


def _unit_names(name: str, address: str | None) -> tuple[str, str | None]:
    """Return a unit's name and address ready for documents. Raises: InvalidField."""
    checked = encodable(_filled(name, field="name"), field="name", limit=Limit.BUSINESS_UNIT_NAME)
    if address is None:
        return checked, None
    return checked, encodable(address, field="address", limit=Limit.BUSINESS_UNIT_ADDRESS)
