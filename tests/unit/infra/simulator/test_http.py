"""The HTTP shell: addresses, sockets that really break, and the administrator's API."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest

from infra.signing.timestamp import build_request, token_of_response, verify_token
from infra.simulator.app import create_app
from infra.simulator.faults import Fault, FaultKind, ScriptStep
from infra.simulator.server import BackgroundServer, SimulatorServer
from infra.simulator.switches import Switches
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import (
    BARE,
    CASHIER,
    SIGNED,
    START,
    Office,
    company,
    key_id,
    ticket_in,
)
from tests.unit.infra.simulator.offline import OfflineTill, framed


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Office, SimulatorServer]]:
    """One office behind one port, for all tests of this module."""
    office = Office()
    with BackgroundServer(SimulatorServer(office.simulator)) as running:
        yield office, running


@pytest.fixture
def opened(shared: tuple[Office, SimulatorServer]) -> Office:
    """That office as it was on its first morning, with a shift open."""
    office, _ = shared
    office.simulator.reset(keep_registry=False)
    office.simulator.switches = Switches()
    office.clock.moment = START
    office.simulator.set_up(company())
    office.open()
    return office


@pytest.fixture
def server(shared: tuple[Office, SimulatorServer], opened: Office) -> SimulatorServer:
    return shared[1]


@pytest.fixture
def http(server: SimulatorServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base_url, timeout=10) as client:
        yield client


def sale(office: Office) -> bytes:
    return office.signed(make.sale(office.number, office.local))


def script(office: Office, *faults: Fault) -> None:
    office.simulator.faults.script([ScriptStep(fault=fault) for fault in faults])


class TestAddresses:
    def test_document_is_registered(self, http: httpx.Client, opened: Office) -> None:
        reply = http.post("/fs/doc", content=sale(opened), headers=SIGNED)

        assert reply.status_code == 200
        assert reply.headers["date"] == "Thu, 05 Nov 2026 07:01:00 GMT"
        assert reply.headers["content-type"] == "application/octet-stream"
        assert ticket_in(reply.content)["ORDERTAXNUM"] == "3600000102"

    def test_one_connection_serves_many_requests(self, http: httpx.Client, opened: Office) -> None:
        for _ in range(5):
            assert http.post("/fs/doc", content=sale(opened), headers=SIGNED).status_code == 200

    def test_small_replies_do_not_wait_for_an_acknowledgement(self, http: httpx.Client) -> None:
        took = []
        for _ in range(10):
            started = time.monotonic()
            http.post("/fs/cmd", content=b'{"Command": "ServerState"}', headers=BARE)
            took.append(time.monotonic() - started)

        # Nagle's algorithm against delayed acknowledgements would cost 40 ms, every time.
        assert min(took) < 0.03

    def test_command_in_both_styles(self, http: httpx.Client) -> None:
        body = orjson.dumps({"Command": "Nonsense"})

        plain = http.post("/fs/cmd", content=body, headers=BARE)
        as_json = http.post("/fs/cmd?resultAsJson=true&_=1", content=body, headers=BARE)

        assert (plain.status_code, as_json.status_code) == (400, 200)
        assert as_json.json()["ErrorCode"] == 11

    def test_no_content_has_no_body(self, http: httpx.Client, opened: Office) -> None:
        body = orjson.dumps(
            {"Command": "DocumentInfoByLocalNum", "NumFiscal": make.REGISTER, "NumLocal": 9}
        )

        reply = http.post("/fs/cmd", content=opened.signed(body), headers=SIGNED)

        assert (reply.status_code, reply.content) == (204, b"")

    def test_package_is_refused(self, http: httpx.Client, opened: Office) -> None:
        reply = http.post("/fs/pck", content=opened.signed(b"\0" * 20), headers=SIGNED)

        assert "10 PackageValidationError" in reply.text

    def test_package_is_taken(self, http: httpx.Client, opened: Office) -> None:
        till = OfflineTill(opened).begin().sell()
        first = http.post("/fs/pck", content=opened.signed(framed(till.packed)), headers=SIGNED)
        till.packed.clear()
        till.end()
        last = http.post("/fs/pck", content=opened.signed(framed(till.packed)), headers=SIGNED)

        assert (first.status_code, first.text) == (200, "OK")
        assert last.headers["content-type"].startswith("application/json")
        assert last.json()["OfflineSessionId"] == opened.state()["OfflineSessionId"]
        shown = http.get("/admin/overview").json()
        assert [each["document_count"] for each in shown["packages"]] == [1, 2]
        assert shown["registers"][0]["offline_session"]["ended_count"] == 1

    def test_register_is_blocked_and_forbidden_offline(
        self, http: httpx.Client, opened: Office
    ) -> None:
        place = f"/admin/registers/{make.REGISTER}"
        blocked = http.put(f"{place}/blocked", json={"blocked": True}).json()
        forbidden = http.put(f"{place}/offline", json={"allowed": False}).json()

        assert blocked["registers"][0]["is_blocked"] is True
        assert forbidden["registers"][0]["offline_allowed"] is False

    def test_network_goes_off_and_on_by_one_word(self, http: httpx.Client, opened: Office) -> None:
        assert http.put("/admin/network/off").json()["is_cut_off"] is True
        with pytest.raises(httpx.TransportError):
            http.post("/fs/pck", content=b"\0" * 20, headers=SIGNED)
        assert http.put("/admin/network/on").json()["is_cut_off"] is False
        assert http.post("/fs/pck", content=b"\0" * 20, headers=SIGNED).status_code == 400

    def test_timestamp_is_given(self, http: httpx.Client) -> None:
        request = build_request(b"signature", suite=CASHIER.suite, nonce=5)

        reply = http.post(
            "/tsa", content=request, headers={"content-type": "application/timestamp-query"}
        )

        stamp = verify_token(
            token_of_response(reply.content), signature=b"signature", trust=None, nonce=5
        )
        assert stamp.time.isoformat() == "2026-11-05T07:01:00+00:00"

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_other_methods_are_405(self, http: httpx.Client, method: str) -> None:
        reply = http.request(method, "/fs/doc")

        assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
        assert "date" in reply.headers

    @pytest.mark.parametrize("path", ["/fs", "/fs/documents", "/fs/doc/"])
    def test_other_addresses_are_403(self, http: httpx.Client, path: str) -> None:
        assert http.post(path, content=b"x" * 20, headers=SIGNED).status_code == 403

    def test_endless_body_is_416(self, http: httpx.Client) -> None:
        reply = http.post("/fs/doc", content=b"x" * (4 * 1024 * 1024 + 1), headers=SIGNED)

        assert reply.status_code == 416


class TestBrokenConnections:
    @pytest.mark.parametrize("kind", [FaultKind.REFUSE, FaultKind.RESET])
    def test_reset_before(self, http: httpx.Client, opened: Office, kind: FaultKind) -> None:
        script(opened, Fault(kind=kind))

        with pytest.raises(httpx.TransportError):
            http.post("/fs/doc", content=sale(opened), headers=SIGNED)

        assert opened.number == 2
        assert http.post("/fs/doc", content=sale(opened), headers=SIGNED).status_code == 200

    def test_reset_after_registration(self, http: httpx.Client, opened: Office) -> None:
        script(opened, Fault(kind=FaultKind.ANSWER_LOST))

        with pytest.raises(httpx.TransportError):
            http.post("/fs/doc", content=sale(opened), headers=SIGNED)

        assert opened.number == 3

    def test_socket_is_reset_not_closed(self, server: SimulatorServer, opened: Office) -> None:
        script(opened, Fault(kind=FaultKind.RESET))
        body = sale(opened)
        request = (
            b"POST /fs/doc HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\n"
            b"content-length: %d\r\n\r\n" % len(body)
        )

        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(request + body)
            with pytest.raises(ConnectionResetError):
                connection.recv(1)

    @pytest.mark.parametrize(
        ("kind", "number"), [(FaultKind.SILENT_BEFORE, 2), (FaultKind.SILENT_AFTER, 3)]
    )
    def test_silence_outlasts_a_client(
        self, http: httpx.Client, opened: Office, kind: FaultKind, number: int
    ) -> None:
        script(opened, Fault(kind=kind, seconds=0.6))

        with pytest.raises(httpx.ReadTimeout):
            http.post("/fs/doc", content=sale(opened), headers=SIGNED, timeout=0.2)

        assert opened.number == number

    def test_silence_ends_in_a_reset(self, http: httpx.Client, opened: Office) -> None:
        script(opened, Fault(kind=FaultKind.SILENT_BEFORE, seconds=0.1))

        with pytest.raises(httpx.TransportError) as caught:
            http.post("/fs/doc", content=sale(opened), headers=SIGNED)

        assert not isinstance(caught.value, httpx.TimeoutException)

    def test_late_request_is_processed_after_the_silence(
        self, http: httpx.Client, opened: Office
    ) -> None:
        script(opened, Fault(kind=FaultKind.LATE, seconds=0.4))
        with pytest.raises(httpx.ReadTimeout):
            http.post("/fs/doc", content=sale(opened), headers=SIGNED, timeout=0.1)
        assert opened.number == 2

        deadline = time.monotonic() + 10
        while opened.number == 2 and time.monotonic() < deadline:
            time.sleep(0.02)

        assert opened.number == 3

    def test_slow_answer_is_slow_and_holds_nobody_up(
        self, http: httpx.Client, opened: Office
    ) -> None:
        script(opened, Fault(kind=FaultKind.SLOW, seconds=0.5))
        took: list[float] = []

        def post() -> None:
            started = time.monotonic()
            http.post("/fs/doc", content=sale(opened), headers=SIGNED)
            took.append(time.monotonic() - started)

        slow = threading.Thread(target=post)
        slow.start()
        started = time.monotonic()
        state = http.post("/fs/cmd", content=b'{"Command": "ServerState"}', headers=BARE)
        quick = time.monotonic() - started
        slow.join()

        assert state.status_code == 200
        assert took[0] >= 0.5
        assert quick < 0.5

    def test_server_error(self, http: httpx.Client, opened: Office) -> None:
        script(opened, Fault(kind=FaultKind.SERVER_ERROR, status=502, text="Поломка"))

        reply = http.post("/fs/doc", content=sale(opened), headers=SIGNED)

        assert (reply.status_code, reply.text) == (502, "Поломка")


class TestOwnAdminPort:
    """With a port of its own for the administrator, the public port really closes."""

    @pytest.fixture
    def apart(self, opened: Office) -> Iterator[SimulatorServer]:
        with BackgroundServer(SimulatorServer(opened.simulator, admin_port=0)) as running:
            yield running

    def wait(self, apart: SimulatorServer, *, listening: bool) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", apart.port), timeout=1).close()
                answered = True
            except OSError:
                answered = False
            if answered is listening:
                return
            time.sleep(0.02)
        raise AssertionError("the public port did not change")

    def test_cut_off_service_refuses_connections_and_comes_back(
        self, apart: SimulatorServer, opened: Office
    ) -> None:
        with (
            httpx.Client(base_url=apart.base_url) as public,
            httpx.Client(base_url=apart.admin_url) as admin,
        ):
            assert public.post("/fs/doc", content=sale(opened), headers=SIGNED).is_success
            admin.put("/admin/faults/cut-off", json={"on": True}).raise_for_status()
            self.wait(apart, listening=False)
            with pytest.raises(httpx.TransportError):
                # The connection kept open was cut as well.
                public.post("/fs/doc", content=sale(opened), headers=SIGNED)
            with pytest.raises(httpx.ConnectError):
                httpx.post(f"{apart.base_url}/fs/cmd", content=b'{"Command": "ServerState"}')

            admin.put("/admin/faults/cut-off", json={"on": False}).raise_for_status()
            self.wait(apart, listening=True)
            assert public.post("/fs/doc", content=sale(opened), headers=SIGNED).is_success

    def test_public_port_has_no_admin(self, apart: SimulatorServer) -> None:
        assert httpx.get(f"{apart.base_url}/admin/overview").status_code == 403
        assert httpx.get(f"{apart.base_url}/").status_code == 403


class TestAdmin:
    def test_page_is_in_ukrainian(self, http: httpx.Client) -> None:
        reply = http.get("/")

        assert reply.headers["content-type"].startswith("text/html")
        assert "Симулятор податкової служби" in reply.text

    def test_health(self, http: httpx.Client) -> None:
        assert http.get("/admin/health").json()["status"] == "ok"

    def test_registry_is_written_and_read(self, http: httpx.Client, opened: Office) -> None:
        more = company().model_dump(mode="json")
        more["tin"] = "77777777"
        more["units"][0]["registers"] = [{"fiscal_number": "4000777777", "local_number": 1}]

        reply = http.post("/admin/registry", json={"companies": [more]})

        assert reply.status_code == 200
        assert [each["tin"] for each in reply.json()["companies"]] == [make.TIN, "77777777"]
        assert http.get("/admin/registry").json() == reply.json()
        assert opened.simulator.registry.find("4000777777") is not None

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"companies": [{"tin": "1"}]}, 400),
            ({"companies": [], "more": 1}, 400),
            ({"companies": [{**company().model_dump(mode="json"), "tin": "1"}]}, 400),
        ],
    )
    def test_wrong_registry_is_refused_with_the_reason(
        self, http: httpx.Client, body: dict[str, Any], status: int
    ) -> None:
        reply = http.post("/admin/registry", json=body)

        assert reply.status_code == status
        assert reply.json()["error"]

    def test_writing_needs_json(self, http: httpx.Client) -> None:
        reply = http.post("/admin/reset", content=b"{}", headers={"content-type": "text/plain"})

        assert reply.status_code == 415

    def test_book_shows_documents_in_order(self, http: httpx.Client, opened: Office) -> None:
        opened.sell()
        opened.sell()

        book = http.get(f"/admin/book/{make.REGISTER}").json()

        assert (book["accepted_count"], book["next_local_number"]) == (3, 4)
        shown = [
            (each["local_number"], each["fiscal_number"], each["uid"], each["kind"], each["order"])
            for each in book["documents"]
        ]
        assert shown == [
            (1, "3600000101", "00000000-0000-4000-8000-000000000001", "open", 1),
            (2, "3600000102", "00000000-0000-4000-8000-000000000002", "sale", 2),
            (3, "3600000103", "00000000-0000-4000-8000-000000000003", "sale", 3),
        ]
        assert book["totals"]["Real"]["Sum"] == 100.0
        assert book["documents"][1]["sum_kopecks"] == 5000
        assert book["shift"]["open_key_id"] == key_id(CASHIER)

    def test_unknown_register_and_document_are_404(self, http: httpx.Client) -> None:
        assert http.get("/admin/book/4000999999").status_code == 404
        assert http.get("/admin/documents/1").status_code == 404
        closed = http.put("/admin/registers/4000999999/closed", json={"closed": True})
        assert closed.status_code == 404

    def test_registers_are_listed(self, http: httpx.Client) -> None:
        registers = http.get("/admin/book").json()["registers"]

        assert [each["register"] for each in registers] == [make.REGISTER, make.OTHER_REGISTER]
        assert registers[0]["company"] == make.ORG_NAME
        assert registers[1]["shift"] is None

    def test_documents_come_with_xml_and_text_from_a_position(
        self, http: httpx.Client, opened: Office
    ) -> None:
        opened.sell()

        page = http.get("/admin/documents", params={"after": 1, "limit": 5}).json()
        none = http.get("/admin/documents", params={"register": make.OTHER_REGISTER}).json()
        one = http.get("/admin/documents/3600000102").json()

        assert page["count"] == 2
        assert page["documents"] == [one]
        assert one["xml"].startswith('<?xml version="1.0" encoding="windows-1251"?><CHECK>')
        assert "ФІСКАЛЬНИЙ ЧЕК" in one["text"]
        assert none["documents"] == []

    def test_number_that_is_none_is_400(self, http: httpx.Client) -> None:
        assert http.get("/admin/documents", params={"after": "x"}).status_code == 400

    def test_refusals_are_listed_latest_first(self, http: httpx.Client, opened: Office) -> None:
        opened.refused(make.sale(8, opened.local))
        opened.refused(make.sale(9, opened.local))

        listed = http.get("/admin/refusals").json()

        assert listed["count"] == 2
        assert [each["local_number"] for each in listed["refusals"]] == [9, 8]
        assert listed["refusals"][0]["name"] == "CheckLocalNumberInvalid"

    def test_switches_are_changed_one_by_one(self, http: httpx.Client, opened: Office) -> None:
        reply = http.put("/admin/switches", json={"refusal_form": "ticket"})

        assert reply.json()["switches"]["refusal_form"] == "ticket"
        assert reply.json()["reasons"]["refusal_form"]
        assert opened.simulator.switches.refusal_form == "ticket"
        assert http.put("/admin/switches", json={"refusal_form": "song"}).status_code == 400
        assert http.put("/admin/switches", json=["x"]).status_code == 400
        assert http.get("/admin/switches").json()["switches"]["refusal_form"] == "ticket"

    def test_faults_are_set_added_and_cleared(self, http: httpx.Client, opened: Office) -> None:
        slow = {"kind": "slow", "seconds": 0.1}
        tsa = {"kind": "refuse", "resources": ["tsa"]}

        http.put("/admin/faults", json={"faults": [slow]}).raise_for_status()
        both = http.post("/admin/faults", json={"faults": [tsa]}).json()
        cleared = http.delete("/admin/faults").json()

        assert [each["kind"] for each in both["standing"]] == ["slow", "refuse"]
        assert (cleared["standing"], cleared["random"]) == ([], None)
        unknown = http.put("/admin/faults", json={"faults": [{"kind": "gremlins"}]})
        assert unknown.status_code == 400

    def test_script_and_chance_are_set(self, http: httpx.Client, opened: Office) -> None:
        step = {"fault": {"kind": "server-error"}, "times": 2}
        own = {"register_number": make.REGISTER, "steps": [step, {"times": 1}]}
        rule = {"seed": 3, "probabilities": {"reset": 0.5}}

        http.put("/admin/faults/script", json=own).raise_for_status()
        faults = http.put("/admin/faults/random", json=rule).json()

        assert faults["script_steps_left"] == {make.REGISTER: 3}
        assert faults["random"]["probabilities"] == {"reset": 0.5}
        assert opened.simulator.doc(sale(opened), SIGNED).status == 500
        log = http.get("/admin/faults/log").json()
        assert log["counts"] == {make.REGISTER: {"server-error": 1}}
        assert log["injections"][0] == {
            "kind": "server-error",
            "resource": "doc",
            "register": make.REGISTER,
        }

    def test_clock_is_skewed(self, http: httpx.Client) -> None:
        reply = http.put("/admin/clock", json={"skew_seconds": 3600})

        assert reply.json()["now"] == "2026-11-05T08:01:00+00:00"

    def test_access_and_registration_are_withdrawn(
        self, http: httpx.Client, opened: Office
    ) -> None:
        access = {"key_id": key_id(CASHIER), "withdrawn": True}
        path = f"/admin/registers/{make.REGISTER}"

        http.put(f"{path}/access", json=access).raise_for_status()
        assert opened.simulator.doc(sale(opened), SIGNED).status == 401
        http.put(f"{path}/access", json={**access, "withdrawn": False}).raise_for_status()
        http.put(f"{path}/closed", json={"closed": True}).raise_for_status()
        assert opened.simulator.doc(sale(opened), SIGNED).status == 404

    def test_foreign_document_is_registered(self, http: httpx.Client, opened: Office) -> None:
        path = f"/admin/registers/{make.REGISTER}/foreign-document"

        made_up = http.post(path, json={})
        given = http.post(path, json={"xml": make.sale(3, opened.local).decode("cp1251")})
        refused = http.post(path, json={"xml": make.open_shift(4, opened.local).decode("cp1251")})

        assert (made_up.json()["local_number"], given.json()["kind"]) == (2, "sale")
        assert refused.status_code == 409
        assert "ShiftAlreadyOpened" in refused.json()["error"]

    def test_late_requests_are_processed_on_demand(
        self, http: httpx.Client, opened: Office
    ) -> None:
        assert http.post("/admin/late", json={}).json() == {"processed": 0}

    def test_reset_keeps_the_registry_if_asked(self, http: httpx.Client, opened: Office) -> None:
        kept = http.post("/admin/reset", json={}).json()
        gone = http.post("/admin/reset", json={"keep_registry": False}).json()

        assert len(kept["companies"]) == 1
        assert gone["companies"] == []

    def test_overview_has_what_the_page_shows(self, http: httpx.Client, opened: Office) -> None:
        opened.sell()
        opened.refused(make.sale(9, opened.local))

        overview = http.get("/admin/overview", params={"limit": 1}).json()

        assert (overview["accepted_count"], overview["refused_count"]) == (2, 1)
        assert [each["kind"] for each in overview["documents"]] == ["sale"]
        assert overview["is_cut_off"] is False


class TestWhoMayAdminister:
    @pytest.mark.anyio
    @pytest.mark.parametrize(
        ("client", "from_anywhere", "status"),
        [
            ("127.0.0.1", False, 200),
            ("::1", False, 200),
            ("192.0.2.7", False, 403),
            ("192.0.2.7", True, 200),
        ],
    )
    async def test_only_this_machine_unless_told_otherwise(
        self, opened: Office, client: str, from_anywhere: bool, status: int
    ) -> None:
        app = create_app(opened.simulator, admin_from_anywhere=from_anywhere)
        transport = httpx.ASGITransport(app=app, client=(client, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as caller:
            assert (await caller.get("/admin/health")).status_code == status
            assert (await caller.get("/")).status_code == status

    @pytest.mark.anyio
    async def test_everybody_may_send_documents(self, opened: Office) -> None:
        transport = httpx.ASGITransport(app=create_app(opened.simulator), client=("192.0.2.7", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as caller:
            reply = await caller.post("/fs/doc", content=sale(opened), headers=SIGNED)

        assert reply.status_code == 200
