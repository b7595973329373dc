"""The network, its companies and their business units."""

from __future__ import annotations

from api.auth import Right
from api.positions import reach
from api.routing import Call, Endpoints, Reply
from api.schemas.common import (
    After,
    AtLeast,
    BusinessUnitId,
    CompanyFilter,
    CompanyId,
    Limit,
    Page,
)
from api.schemas.structure import (
    BusinessUnitAnswer,
    BusinessUnitBody,
    BusinessUnitNamesBody,
    CompanyAnswer,
    CompanyBody,
    CompanyNamesBody,
    NetworkAnswer,
    NetworkBody,
    TaxGroupsBody,
)
from api.v1.reading import location, read_now
from domain.company import BusinessUnit, Company
from domain.errors import AlreadyExists, NotFound
from domain.network import NETWORK_ID, Network

network = Endpoints(tag="Network", description="The chain that this deployment serves.")
companies = Endpoints(tag="Companies", description="Sellers: legal entities and sole proprietors.")
business_units = Endpoints(tag="Business units", description="Registered places of sale.")


# --- network -------------------------------------------------------------------------------------------------


@network.add(
    "POST",
    "/v1/network",
    right=Right.SET_UP,
    answer=NetworkAnswer,
    summary="Name the network",
)
async def establish_network(call: Call, body: NetworkBody) -> NetworkAnswer:
    """Name the chain, or give it another name. The same name again changes nothing."""
    await call.parts.in_thread(call.parts.ledger.establish_network, name=body.name)
    return NetworkAnswer(name=(await read_now(call, Network, NETWORK_ID)).name)


@network.add(
    "GET",
    "/v1/network",
    right=Right.READ,
    answer=NetworkAnswer,
    summary="Read the network",
    refuses=(NotFound,),
)
async def read_network(call: Call) -> NetworkAnswer:
    """Return the chain's name; not found until it has been named."""
    return NetworkAnswer(name=(await read_now(call, Network, NETWORK_ID)).name)


# --- companies -----------------------------------------------------------------------------------------------


@companies.add(
    "POST",
    "/v1/companies",
    right=Right.SET_UP,
    answer=CompanyAnswer,
    summary="Register a company",
    status=201,
    refuses=(AlreadyExists,),
)
async def register_company(call: Call, body: CompanyBody) -> Reply:
    """Add a seller to the network. Name and numbers must be those of the tax service's registry, to the letter."""
    groups = body.tax_groups
    company_id = await call.parts.in_thread(
        call.parts.ledger.register_company,
        code=body.tax_id,
        vat=body.vat_number,
        name=body.name,
        tax_groups=None if groups is None else tuple(group.to_domain() for group in groups),
        command=call.the_command,
    )
    company = await read_now(call, Company, company_id)
    return Reply(CompanyAnswer.of(company), headers=location("companies", company_id))


@companies.add(
    "GET",
    "/v1/companies",
    right=Right.READ,
    answer=Page[CompanyAnswer],
    summary="List companies",
)
async def list_companies(
    call: Call, limit: Limit = 50, after: After = None, at_least: AtLeast = None
) -> Page[CompanyAnswer]:
    """Return the network's companies."""
    view = call.parts.views.structure
    await reach(call.parts, view, at_least)
    page = await call.parts.from_view(view.companies, limit=limit, after=after)
    return Page(
        items=[CompanyAnswer.of(row) for row in page.rows],
        next=page.next,
        position=str(page.cursor),
    )


@companies.add(
    "GET",
    "/v1/companies/{company_id}",
    right=Right.READ,
    answer=CompanyAnswer,
    summary="Read a company",
)
async def read_company(call: Call, company_id: CompanyId) -> CompanyAnswer:
    """Return a company as it stands now."""
    return CompanyAnswer.of(await read_now(call, Company, company_id))


@companies.add(
    "PATCH",
    "/v1/companies/{company_id}",
    right=Right.SET_UP,
    answer=CompanyAnswer,
    summary="Set a company's tax letters",
)
async def set_tax_groups(call: Call, company_id: CompanyId, body: TaxGroupsBody) -> CompanyAnswer:
    """Give the letters of taxes another meaning, from the next shift of each register on."""
    await call.parts.in_thread(
        call.parts.ledger.set_tax_groups,
        company_id,
        tuple(group.to_domain() for group in body.tax_groups),
    )
    return CompanyAnswer.of(await read_now(call, Company, company_id))


@companies.add(
    "PUT",
    "/v1/companies/{company_id}/names",
    right=Right.SET_UP,
    answer=CompanyAnswer,
    summary="Take over a company's registered name",
)
async def rename_company(
    call: Call, company_id: CompanyId, body: CompanyNamesBody
) -> CompanyAnswer:
    """Follow the registry: documents carry the new name and VAT number from the next shift of each register on."""
    await call.parts.in_thread(
        call.parts.ledger.rename_company, company_id, name=body.name, vat=body.vat_number
    )
    return CompanyAnswer.of(await read_now(call, Company, company_id))


# --- business units ------------------------------------------------------------------------------------------


@business_units.add(
    "POST",
    "/v1/business-units",
    right=Right.SET_UP,
    answer=BusinessUnitAnswer,
    summary="Register a business unit",
    status=201,
    refuses=(AlreadyExists, NotFound),
)
async def register_business_unit(call: Call, body: BusinessUnitBody) -> Reply:
    """Add a place of sale to a company. Name and address must be those of the registry, to the letter."""
    unit_id = await call.parts.in_thread(
        call.parts.ledger.register_business_unit,
        company_id=body.company_id,
        name=body.name,
        address=body.address,
        command=call.the_command,
    )
    unit = await read_now(call, BusinessUnit, unit_id)
    return Reply(BusinessUnitAnswer.of(unit), headers=location("business-units", unit_id))


@business_units.add(
    "GET",
    "/v1/business-units",
    right=Right.READ,
    answer=Page[BusinessUnitAnswer],
    summary="List business units",
)
async def list_business_units(
    call: Call,
    company_id: CompanyFilter = None,
    limit: Limit = 50,
    after: After = None,
    at_least: AtLeast = None,
) -> Page[BusinessUnitAnswer]:
    """Return places of sale, of one company or of all."""
    view = call.parts.views.structure
    await reach(call.parts, view, at_least)
    page = await call.parts.from_view(
        view.business_units, company_id=company_id, limit=limit, after=after
    )
    return Page(
        items=[BusinessUnitAnswer.of(row) for row in page.rows],
        next=page.next,
        position=str(page.cursor),
    )


@business_units.add(
    "GET",
    "/v1/business-units/{business_unit_id}",
    right=Right.READ,
    answer=BusinessUnitAnswer,
    summary="Read a business unit",
)
async def read_business_unit(call: Call, business_unit_id: BusinessUnitId) -> BusinessUnitAnswer:
    """Return a place of sale as it stands now."""
    return BusinessUnitAnswer.of(await read_now(call, BusinessUnit, business_unit_id))


@business_units.add(
    "PUT",
    "/v1/business-units/{business_unit_id}/names",
    right=Right.SET_UP,
    answer=BusinessUnitAnswer,
    summary="Take over a business unit's registered name",
)
async def rename_business_unit(
    call: Call, business_unit_id: BusinessUnitId, body: BusinessUnitNamesBody
) -> BusinessUnitAnswer:
    """Follow the registry: documents carry the new name and address from the next shift of each register on."""
    await call.parts.in_thread(
        call.parts.ledger.rename_business_unit,
        business_unit_id,
        name=body.name,
        address=body.address,
    )
    return BusinessUnitAnswer.of(await read_now(call, BusinessUnit, business_unit_id))
