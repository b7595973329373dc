"""The administrator's API under ``/admin`` and the page at ``/``.

Writing asks for JSON with its content type: a form on some web page cannot send that to a loopback
address without the browser asking first, and nobody here says yes.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from infra.simulator.answers import Refusal
from infra.simulator.command_request import Json
from infra.simulator.faults import Fault, RandomFaults, ScriptStep
from infra.simulator.overview import (
    book_json,
    document_json,
    overview_json,
    packages_json,
    refusals_json,
    register_json,
)
from infra.simulator.registry import RegistryEntries
from infra.simulator.simulator import Simulator
from infra.simulator.switches import Switches

_PAGE: Final = Path(__file__).with_name("page.html")
_DOCUMENTS_AT_MOST: Final = 1000

Handler = Callable[[Request], Awaitable[Response]]
Model = TypeVar("Model", bound=BaseModel)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _CutOff(_Body):
    on: bool


class _Standing(_Body):
    faults: tuple[Fault, ...]


class _Script(_Body):
    register_number: str | None = None
    steps: tuple[ScriptStep, ...]


class _Clock(_Body):
    skew_seconds: float


class _Reset(_Body):
    keep_registry: bool = True


class _Closed(_Body):
    closed: bool


class _Blocked(_Body):
    blocked: bool


class _Offline(_Body):
    allowed: bool


class _Access(_Body):
    key_id: str
    withdrawn: bool


class _Foreign(_Body):
    xml: str | None = None


def create_admin(simulator: Simulator) -> Starlette:
    """The Starlette application of the administrator's part."""
    admin = _Admin(simulator)
    routes: list[tuple[str, str, Handler]] = [
        ("GET", "/", admin.page),
        ("GET", "/admin/health", admin.health),
        ("GET", "/admin/overview", admin.overview),
        ("GET", "/admin/registry", admin.registry),
        ("POST", "/admin/registry", admin.set_up),
        ("GET", "/admin/book", admin.registers),
        ("GET", "/admin/book/{register}", admin.book),
        ("GET", "/admin/documents", admin.documents),
        ("GET", "/admin/documents/{number}", admin.document),
        ("GET", "/admin/refusals", admin.refusals),
        ("GET", "/admin/packages", admin.packages),
        ("GET", "/admin/switches", admin.switches),
        ("PUT", "/admin/switches", admin.set_switches),
        ("GET", "/admin/faults", admin.faults),
        ("PUT", "/admin/faults", admin.set_faults),
        ("POST", "/admin/faults", admin.add_faults),
        ("DELETE", "/admin/faults", admin.clear_faults),
        ("PUT", "/admin/faults/cut-off", admin.cut_off),
        ("PUT", "/admin/network/off", admin.network_off),
        ("PUT", "/admin/network/on", admin.network_on),
        ("PUT", "/admin/faults/script", admin.script),
        ("PUT", "/admin/faults/random", admin.by_chance),
        ("GET", "/admin/faults/log", admin.fault_log),
        ("PUT", "/admin/clock", admin.clock),
        ("POST", "/admin/late", admin.process_late),
        ("POST", "/admin/reset", admin.reset),
        ("PUT", "/admin/registers/{register}/closed", admin.close_register),
        ("PUT", "/admin/registers/{register}/blocked", admin.block_register),
        ("PUT", "/admin/registers/{register}/offline", admin.allow_offline),
        ("PUT", "/admin/registers/{register}/access", admin.withdraw_access),
        ("POST", "/admin/registers/{register}/foreign-document", admin.foreign_document),
    ]
    return Starlette(
        routes=[
            Route(path, _guarded(handler), methods=[method]) for method, path, handler in routes
        ]
    )


class _Admin:
    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def page(self, _: Request) -> Response:
        return HTMLResponse(_PAGE.read_text("utf-8"))

    async def health(self, _: Request) -> Response:
        return _json({"status": "ok", "now": self._simulator.now.isoformat()})

    async def overview(self, request: Request) -> Response:
        return _json(overview_json(self._simulator, documents=_limit(request, default=30)))

    async def registry(self, _: Request) -> Response:
        return _json(self._simulator.registry.entries().model_dump(mode="json"))

    async def set_up(self, request: Request) -> Response:
        entries = await _body(request, RegistryEntries)
        for company in entries.companies:
            self._simulator.set_up(company)
        return await self.registry(request)

    async def registers(self, _: Request) -> Response:
        books = self._simulator.book.registers()
        return _json({"registers": [register_json(self._simulator, book) for book in books]})

    async def book(self, request: Request) -> Response:
        book = self._simulator.book.find(request.path_params["register"])
        if book is None:
            return _error(404, "no such register")
        return _json(book_json(self._simulator, book))

    async def documents(self, request: Request) -> Response:
        after = int(request.query_params.get("after", "0"))
        register = request.query_params.get("register")
        found = []
        for stored in self._simulator.book.documents[after:]:
            if register in (None, stored.register):
                found.append(document_json(stored, with_content=True))
            if len(found) == _limit(request, default=100):
                break
        return _json({"documents": found, "count": len(self._simulator.book.documents)})

    async def document(self, request: Request) -> Response:
        stored = self._simulator.book.find_document(request.path_params["number"])
        if stored is None:
            return _error(404, "no such document")
        return _json(document_json(stored, with_content=True))

    async def refusals(self, _: Request) -> Response:
        return _json(
            {
                "count": self._simulator.refusal_count,
                "refusals": refusals_json(self._simulator.refusals),
            }
        )

    async def switches(self, _: Request) -> Response:
        reasons = {name: field.description for name, field in Switches.model_fields.items()}
        values = self._simulator.switches.model_dump(mode="json")
        return _json({"switches": values, "reasons": reasons})

    async def set_switches(self, request: Request) -> Response:
        changed = orjson.loads(await request.body())
        if not isinstance(changed, dict):
            return _error(400, "expected an object")
        values = {**self._simulator.switches.model_dump(), **changed}
        self._simulator.switches = Switches.model_validate(values)
        return await self.switches(request)

    async def faults(self, _: Request) -> Response:
        faults = self._simulator.faults
        return _json(
            {
                "standing": [each.model_dump(mode="json") for each in faults.standing],
                "is_cut_off": faults.is_cut_off,
                "script_steps_left": faults.steps_left(),
                "random": faults.random.model_dump(mode="json") if faults.random else None,
            }
        )

    async def set_faults(self, request: Request) -> Response:
        self._simulator.faults.standing = (await _body(request, _Standing)).faults
        return await self.faults(request)

    async def add_faults(self, request: Request) -> Response:
        self._simulator.faults.stand(*(await _body(request, _Standing)).faults)
        return await self.faults(request)

    async def clear_faults(self, request: Request) -> Response:
        self._simulator.faults.clear()
        return await self.faults(request)

    async def cut_off(self, request: Request) -> Response:
        self._simulator.faults.cut_off(on=(await _body(request, _CutOff)).on)
        return await self.faults(request)

    async def network_off(self, request: Request) -> Response:
        self._simulator.faults.cut_off(on=True)
        return await self.faults(request)

    async def network_on(self, request: Request) -> Response:
        self._simulator.faults.cut_off(on=False)
        return await self.faults(request)

    async def packages(self, _: Request) -> Response:
        return _json({"packages": packages_json(self._simulator.packages)})

    async def script(self, request: Request) -> Response:
        script = await _body(request, _Script)
        self._simulator.faults.script(script.steps, register=script.register_number)
        return await self.faults(request)

    async def by_chance(self, request: Request) -> Response:
        self._simulator.faults.by_chance(await _body(request, RandomFaults))
        return await self.faults(request)

    async def fault_log(self, _: Request) -> Response:
        faults = self._simulator.faults
        return _json(
            {
                "counts": faults.counts(),
                "injections": [
                    {"kind": each.kind, "resource": each.resource, "register": each.register}
                    for each in faults.injections()
                ],
            }
        )

    async def clock(self, request: Request) -> Response:
        self._simulator.skew_seconds = (await _body(request, _Clock)).skew_seconds
        return await self.health(request)

    async def process_late(self, _: Request) -> Response:
        return _json({"processed": len(self._simulator.process_late())})

    async def reset(self, request: Request) -> Response:
        keep = (await _body(request, _Reset)).keep_registry
        self._simulator.reset(keep_registry=keep)
        return await self.registry(request)

    async def close_register(self, request: Request) -> Response:
        closed = (await _body(request, _Closed)).closed
        self._simulator.close_register(request.path_params["register"], closed=closed)
        return await self.registers(request)

    async def block_register(self, request: Request) -> Response:
        blocked = (await _body(request, _Blocked)).blocked
        self._simulator.block_register(request.path_params["register"], blocked=blocked)
        return await self.registers(request)

    async def allow_offline(self, request: Request) -> Response:
        allowed = (await _body(request, _Offline)).allowed
        self._simulator.allow_offline(request.path_params["register"], allowed=allowed)
        return await self.registers(request)

    async def withdraw_access(self, request: Request) -> Response:
        access = await _body(request, _Access)
        self._simulator.withdraw_access(
            key_id=access.key_id,
            register=request.path_params["register"],
            withdrawn=access.withdrawn,
        )
        return _json({"withdrawn": access.withdrawn})

    async def foreign_document(self, request: Request) -> Response:
        xml = (await _body(request, _Foreign)).xml
        stored = self._simulator.register_foreign(
            request.path_params["register"],
            xml=None if xml is None else xml.encode("windows-1251"),
        )
        return _json(document_json(stored, with_content=True))


def _guarded(handler: Handler) -> Handler:
    """Wrong input becomes 400 with its reason; writing must come as JSON."""

    async def guarded(request: Request) -> Response:
        content_type = request.headers.get("content-type", "")
        # A page elsewhere cannot send PUT without asking first: the two words need no content type.
        is_bare = request.url.path.startswith("/admin/network/")
        has_body = request.method in ("POST", "PUT") and not is_bare
        if has_body and content_type.partition(";")[0].strip() != "application/json":
            return _error(415, "expected application/json")
        try:
            return await handler(request)
        except ValidationError as error:
            return _error(400, error.json(include_url=False, include_context=False))
        except Refusal as refusal:
            return _error(409, str(refusal))
        except KeyError as error:
            return _error(404, f"unknown {error.args[0]}")
        except ValueError as error:
            return _error(400, str(error))

    return guarded


async def _body(request: Request, model: type[Model]) -> Model:
    return model.model_validate_json(await request.body())


def _limit(request: Request, *, default: int) -> int:
    return min(int(request.query_params.get("limit", str(default))), _DOCUMENTS_AT_MOST)


def _json(value: Json) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def _error(status: int, reason: str) -> Response:
    body = orjson.dumps({"error": reason})
    return Response(body, status_code=status, media_type="application/json")
