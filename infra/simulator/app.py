"""The simulator over HTTP: a thin ASGI shell around ``Simulator``.

A reply a fault forbids becomes a socket that really resets, which needs the server's transport:
``server.AbortableProtocol`` hands it over in the scope.
"""

import asyncio
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from ipaddress import ip_address
from socket import SO_LINGER, SOL_SOCKET
from typing import Any, Final, cast
from urllib.parse import parse_qs

from infra.simulator.admin import create_admin
from infra.simulator.endpoints import Request
from infra.simulator.faults import Resource
from infra.simulator.replies import NoReply, Reply, SilenceBySimulator, date_header
from infra.simulator.simulator import Simulator

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

TRANSPORT_KEY: Final = "simulator.transport"
_RESOURCES: Final[dict[str, Resource]] = {
    "/fs/doc": "doc",
    "/fs/pck": "pck",
    "/fs/cmd": "cmd",
    "/tsa": "tsa",
}
_READ_AT_MOST: Final = 4 * 1024 * 1024
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


def create_app(
    simulator: Simulator, *, with_admin: bool = True, admin_from_anywhere: bool = False
) -> AsgiApp:
    """The ASGI application: ``/fs/…`` and ``/tsa``; with admin also ``/admin/…`` and the page.

    The administrator's part answers loopback addresses only, unless ``admin_from_anywhere``.
    """
    admin = create_admin(simulator) if with_admin else None

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        resource = _RESOURCES.get(scope["path"])
        if resource is not None:
            await _protocol(simulator, resource, scope, receive, send)
        elif (
            admin is not None
            and not scope["path"].startswith("/fs")
            and (admin_from_anywhere or _is_local(scope))
        ):
            await admin(scope, receive, send)
        else:
            await _send(send, _dated(simulator, Reply(403)))

    return app


async def _protocol(
    simulator: Simulator, resource: Resource, scope: Scope, receive: Receive, send: Send
) -> None:
    if scope["method"] != "POST":
        await _send(send, _dated(simulator, Reply(405, headers={"allow": "POST"})))
        return
    body = await _body(receive)
    if body is None:
        await _send(send, _dated(simulator, Reply(416)))
        return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = parse_qs(scope["query_string"].decode("latin-1"))
    as_json = query.get("resultAsJson", ["false"])[-1].lower() == "true"
    try:
        reply = simulator.handle(Request(resource, body, headers, result_as_json=as_json))
    except NoReply as ending:
        await _end(simulator, ending, scope, receive)
        return
    if reply.delay_seconds > 0:
        await asyncio.sleep(reply.delay_seconds)
    await _send(send, reply)


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when it is longer than anything the service would look at."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > _READ_AT_MOST:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _end(simulator: Simulator, ending: NoReply, scope: Scope, receive: Receive) -> None:
    """End the connection without a reply: at once, or after the silence a fault asks for."""
    if isinstance(ending, SilenceBySimulator):
        await asyncio.sleep(ending.seconds)
        if ending.late is not None:
            simulator.process_late(ending.late)
    transport = cast(asyncio.Transport, scope[TRANSPORT_KEY])
    if not transport.is_closing():
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()
    # The server must have noticed before the application returns, or it would answer 500.
    while (await receive())["type"] != "http.disconnect":
        continue


async def _send(send: Send, reply: Reply) -> None:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()
    ]
    if reply.status != 204:
        headers.append((b"content-length", str(len(reply.body)).encode("ascii")))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def _dated(simulator: Simulator, reply: Reply) -> Reply:
    return Reply(reply.status, reply.body, {**reply.headers, "date": date_header(simulator.now)})


def _is_local(scope: Scope) -> bool:
    """Whether the caller sits on this machine; a unix socket has no address."""
    client = scope.get("client")
    return client is None or not client[0] or ip_address(client[0]).is_loopback


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
