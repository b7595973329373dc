"""Registers and the cashiers who sell on them."""

from __future__ import annotations

from api.auth import Right
from api.positions import reach
from api.routing import Call, Endpoints, Reply
from api.schemas.common import (
    After,
    AtLeast,
    BusinessUnitFilter,
    CashierId,
    CompanyFilter,
    Limit,
    Page,
    RegisterId,
)
from api.schemas.structure import (
    CashierAnswer,
    CashierBody,
    KeyBody,
    RegisterAnswer,
    RegisterBody,
    RegisterSettingsPatch,
)
from api.v1.reading import location, read_now
from domain.cashier import Cashier
from domain.errors import AlreadyExists, KeyUnknown, NotFound, SignerUnavailable
from domain.register.aggregate import Register

registers = Endpoints(tag="Registers", description="Fiscal cash registers (ПРРО).")
cashiers = Endpoints(tag="Cashiers", description="Who sells, and whose key signs.")


# --- registers -----------------------------------------------------------------------------------------------


@registers.add(
    "POST",
    "/v1/registers",
    right=Right.SET_UP,
    answer=RegisterAnswer,
    summary="Add a register",
    status=201,
    refuses=(AlreadyExists, NotFound),
)
async def add_register(call: Call, body: RegisterBody) -> Reply:
    """Add a register that the tax service has registered for this place of sale."""
    register_id = await call.parts.in_thread(
        call.parts.ledger.add_register,
        business_unit_id=body.business_unit_id,
        fiscal_number=body.fiscal_number,
        local_number=body.local_number,
        name=body.name,
        live=body.live,
        settings=None if body.settings is None else body.settings.to_domain(),
        command=call.the_command,
    )
    register = await read_now(call, Register, register_id)
    return Reply(RegisterAnswer.of(register), headers=location("registers", register_id))


@registers.add(
    "GET",
    "/v1/registers",
    right=Right.READ,
    answer=Page[RegisterAnswer],
    summary="List registers",
)
async def list_registers(
    call: Call,
    company_id: CompanyFilter = None,
    business_unit_id: BusinessUnitFilter = None,
    limit: Limit = 50,
    after: After = None,
    at_least: AtLeast = None,
) -> Page[RegisterAnswer]:
    """Return registers, of one company, one place of sale or all."""
    view = call.parts.views.structure
    await reach(call.parts, view, at_least)
    page = await call.parts.from_view(
        view.registers,
        company_id=company_id,
        business_unit_id=business_unit_id,
        limit=limit,
        after=after,
    )
    return Page(
        items=[RegisterAnswer.of(row) for row in page.rows],
        next=page.next,
        position=str(page.cursor),
    )


@registers.add(
    "GET",
    "/v1/registers/{register_id}",
    right=Right.READ,
    answer=RegisterAnswer,
    summary="Read a register",
)
async def read_register(call: Call, register_id: RegisterId) -> RegisterAnswer:
    """Return a register as it stands now, with its open shift."""
    return RegisterAnswer.of(await read_now(call, Register, register_id))


@registers.add(
    "PATCH",
    "/v1/registers/{register_id}/settings",
    right=Right.SET_UP,
    answer=RegisterAnswer,
    summary="Change a register's settings",
)
async def change_register_settings(
    call: Call, register_id: RegisterId, body: RegisterSettingsPatch
) -> RegisterAnswer:
    """Change what is given; the rest stays. The cash step is heeded from the next shift on."""
    register = await read_now(call, Register, register_id)
    await call.parts.in_thread(
        call.parts.ledger.change_register_settings,
        register_id,
        body.applied_to(register.settings),
    )
    return RegisterAnswer.of(await read_now(call, Register, register_id))


# --- cashiers ------------------------------------------------------------------------------------------------


@cashiers.add(
    "POST",
    "/v1/cashiers",
    right=Right.SET_UP,
    answer=CashierAnswer,
    summary="Enrol a cashier",
    status=201,
    refuses=(AlreadyExists, NotFound, KeyUnknown, SignerUnavailable),
)
async def enrol_cashier(call: Call, body: CashierBody) -> Reply:
    """Let a person sell for a company. Without a key the cashier cannot open shifts yet."""
    cashier_id = await call.parts.in_thread(
        call.parts.ledger.enrol_cashier,
        company_id=body.company_id,
        name=body.name,
        key_id=body.key_id,
        command=call.the_command,
    )
    cashier = await read_now(call, Cashier, cashier_id)
    return Reply(CashierAnswer.of(cashier), headers=location("cashiers", cashier_id))


@cashiers.add(
    "GET",
    "/v1/cashiers",
    right=Right.READ,
    answer=Page[CashierAnswer],
    summary="List cashiers",
)
async def list_cashiers(
    call: Call,
    company_id: CompanyFilter = None,
    limit: Limit = 50,
    after: After = None,
    at_least: AtLeast = None,
) -> Page[CashierAnswer]:
    """Return cashiers, of one company or of all."""
    view = call.parts.views.structure
    await reach(call.parts, view, at_least)
    page = await call.parts.from_view(
        view.cashiers, company_id=company_id, limit=limit, after=after
    )
    return Page(
        items=[CashierAnswer.of(row) for row in page.rows],
        next=page.next,
        position=str(page.cursor),
    )


@cashiers.add(
    "GET",
    "/v1/cashiers/{cashier_id}",
    right=Right.READ,
    answer=CashierAnswer,
    summary="Read a cashier",
)
async def read_cashier(call: Call, cashier_id: CashierId) -> CashierAnswer:
    """Return a cashier as it stands now."""
    return CashierAnswer.of(await read_now(call, Cashier, cashier_id))


@cashiers.add(
    "PUT",
    "/v1/cashiers/{cashier_id}/key",
    right=Right.SET_UP,
    answer=CashierAnswer,
    summary="Assign a key to a cashier",
    refuses=(KeyUnknown, SignerUnavailable),
)
async def assign_key(call: Call, cashier_id: CashierId, body: KeyBody) -> CashierAnswer:
    """Sign the cashier's shifts with another key, from the next shift on."""
    await call.parts.in_thread(call.parts.ledger.assign_key, cashier_id, key_id=body.key_id)
    return CashierAnswer.of(await read_now(call, Cashier, cashier_id))
