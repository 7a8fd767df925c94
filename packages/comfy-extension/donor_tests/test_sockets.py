from __future__ import annotations

import asyncio
import socket as sockets_of_system
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSServerHandshakeError
from conftest import TOKEN, World

from donor.sockets import MAX_SOCKETS, keep_alive


async def read(socket: ClientWebSocketResponse) -> Any:
    return await socket.receive_json(timeout=5)


async def test_the_bridge_hears_how_things_stand_at_once_and_at_each_change(world: World) -> None:
    socket = await world.listen("bridge", "bridge-1")
    hello = await read(socket)
    assert hello["type"] == "comfy_bridge_status"
    assert hello["data"] == world.donor.status()
    world.donor.pause(None)
    assert (await read(socket))["data"]["reason"] == "command"
    world.donor.pause(None)
    world.donor.resume()
    assert (await read(socket))["data"]["state"] == "available"
    await socket.close()


async def test_the_owner_does_not_hear_it(world: World) -> None:
    socket = await world.listen("owner", "ui")
    world.donor.pause(None)
    world.server.send_sync("status", {"status": {"last": True}})
    assert (await read(socket))["data"] == {"status": {"last": True}}
    await socket.close()


async def test_what_is_for_everybody_is_for_the_side_whose_prompt_it_is(world: World) -> None:
    await world.prompt()
    mine = world.server.prompt_queue.begin()
    world.server.sockets = {"ui": object(), "bridge-1": object()}  # type: ignore[dict-item]
    world.donor.sockets.opened("bridge-1")
    sent = world.server.sent

    def told(event: Any, data: Any) -> list[str | None]:
        sent.clear()
        world.server.send_sync(event, data)
        return [sid for _, _, sid in sent]

    world.server.send = quiet  # type: ignore[method-assign, assignment]
    assert told("status", {}) == [None]
    assert told("progress", {"prompt_id": mine}) == ["bridge-1"]
    assert told(3, b"text of a node") == ["bridge-1"]
    assert told("progress", {"prompt_id": "another"}) == ["ui"]
    world.server.prompt_queue.finish()
    assert told("progress", {"prompt_id": mine}) == ["ui"]
    assert told(3, b"text of a node") == ["ui"]
    assert told("some-pack.news", {"x": 1}) == ["ui"]


async def quiet(*_: Any) -> None:
    return None


async def test_the_bridge_cannot_take_the_owners_place(world: World) -> None:
    owners = await world.listen("owner", "ui")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for path in ("/ws?clientId=ui", "/api/ws?clientId=ui"):
        with pytest.raises(WSServerHandshakeError) as caught:
            await world.client.ws_connect(path, headers=headers)
        assert caught.value.status == 403
    for path in ("/ws", "/ws?clientId=", "/ws?clientId=" + "x" * 300):
        with pytest.raises(WSServerHandshakeError) as caught:
            await world.client.ws_connect(path, headers=headers)
        assert caught.value.status == 400
    assert not owners.closed
    await owners.close()


async def test_sockets_have_a_limit(world: World) -> None:
    for n in range(MAX_SOCKETS):
        world.donor.sockets.opened(str(n))
    with pytest.raises(WSServerHandshakeError) as caught:
        await world.client.ws_connect("/ws?clientId=one-more", headers={"Authorization": f"Bearer {TOKEN}"})
    assert caught.value.status == 429


async def test_a_closed_socket_is_forgotten(world: World) -> None:
    socket = await world.listen("bridge", "bridge-1")
    assert world.donor.sockets.ids() == {"bridge-1"}
    await socket.close()

    async def until_none() -> None:
        while world.donor.sockets.ids():
            await asyncio.sleep(0)

    await asyncio.wait_for(until_none(), 5)


def test_a_socket_is_probed_as_far_as_the_platform_can() -> None:
    with sockets_of_system.socket() as real:
        keep_alive(real)
        assert real.getsockopt(sockets_of_system.SOL_SOCKET, sockets_of_system.SO_KEEPALIVE) != 0
    keep_alive(None)


def test_a_failing_listener_does_not_stop_the_worker(caplog: pytest.LogCaptureFixture) -> None:
    from donor.donor import Donor

    broken = Donor.__new__(Donor)
    broken.on_event("executed", {"prompt_id": "x"})
    assert "could not be followed" in caplog.text
