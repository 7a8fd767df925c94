from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError, web
from conftest import World, WorldMaker

from donor import setup

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OPEN = {
    ("GET", "/prompt"): 200,
    ("POST", "/prompt"): 400,
    ("GET", "/queue"): 200,
    ("POST", "/queue"): 200,
    ("GET", "/history"): 200,
    ("GET", "/history/x"): 200,
    ("POST", "/history"): 200,
    ("GET", "/object_info"): 200,
    ("GET", "/object_info/x"): 200,
    ("GET", "/system_stats"): 200,
    ("GET", "/features"): 200,
    ("POST", "/free"): 200,
    ("GET", "/models"): 200,
    ("GET", "/models/x"): 200,
    ("GET", "/embeddings"): 200,
    ("POST", "/upload/image"): 400,
    ("GET", "/ws"): 400,
    ("GET", "/comfy-bridge/status"): 200,
    ("POST", "/comfy-bridge/forget"): 400,
}


def paths_of(world: World) -> list[str]:
    made = {
        "/" if resource is None else resource.canonical.replace("{", "").replace("}", "") or "/page.html"
        for resource in (route.resource for route in world.server.app.router.routes())
    }
    named = {
        path.replace("prompt_id", "x")
        .replace("node_class", "x")
        .replace("folder_name", "x")
        .replace("folder", "x")
        for path in made
    }
    return sorted(
        named | {"/internal/logs", "/nothing", "/api/nothing", "/queue/", "/%71ueue/x", "/page.html"}
    )


def slow_down(world: World) -> None:
    """So much later that nobody is counted as a flood."""
    world.clock.now += 100


async def test_a_stranger_gets_the_same_no_everywhere(world: World) -> None:
    for path in paths_of(world):
        for method in METHODS:
            slow_down(world)
            response = await world.ask("stranger", method, path, data=b"x" if method == "POST" else None)
            assert (method, path, response.status) == (method, path, 403)
            assert method == "HEAD" or await response.json() == {"error": "forbidden"}
            assert set(response.headers) <= {"Content-Type", "Content-Length", "Date", "Server", "Connection"}


async def test_the_token_opens_what_is_listed_and_nothing_else(world: World) -> None:
    for path in paths_of(world):
        for method in METHODS:
            slow_down(world)
            response = await world.ask("bridge", method, path, json={} if method == "POST" else None)
            plain = path[4:] if path.startswith("/api/") else path
            assert (method, path, response.status) == (method, path, OPEN.get((method, plain), 403))


async def test_the_owner_keeps_everything(world: World) -> None:
    for path in paths_of(world):
        response = await world.ask("owner", "GET", path)
        assert (path, response.status) != (path, 403)
    assert await world.json("owner", "GET", "/internal/logs") == {"logs": "secret"}
    assert (await world.ask("owner", "GET", "/page.html")).status == 200
    assert (await world.ask("owner", "POST", "/settings", json={})).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer wrong"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"CF-Connecting-IP": "127.0.0.1"},
        {"Host": "rebound.example:8188"},
        {"Host": "192.168.1.5"},
    ],
)
async def test_no_header_makes_an_owner(world: World, headers: dict[str, str]) -> None:
    assert (await world.ask("owner", "GET", "/settings", headers=headers)).status == 403
    with pytest.raises(WSServerHandshakeError) as caught:
        await world.client.ws_connect("/ws?clientId=x", headers=headers)
    assert caught.value.status == 403
    assert world.server.sockets == {}


async def test_with_nobody_as_the_owner_only_the_token_counts(make_world: WorldMaker) -> None:
    async with make_world(ownerFrom="none") as world:
        assert (await world.ask("owner", "GET", "/settings")).status == 403
        assert (await world.ask("bridge", "GET", "/features")).status == 200


async def test_a_flood_of_guesses_is_slowed_down_and_the_bridge_is_not(world: World) -> None:
    tried = [(await world.ask("stranger", "GET", "/prompt")).status for _ in range(25)]
    assert tried == [403] * 20 + [429] * 5
    # The bridge may come through the same tunnel, from the same address.
    assert (await world.ask("bridge", "GET", "/prompt")).status == 200
    assert (await world.ask("owner", "GET", "/prompt")).status == 200
    world.clock.now += 60
    assert (await world.ask("stranger", "GET", "/prompt")).status == 403


async def test_the_bridge_has_a_rate(make_world: WorldMaker) -> None:
    async with make_world(requestsPerSecond=2) as world:
        tried = [await world.ask("bridge", "GET", "/prompt") for _ in range(9)]
        assert [response.status for response in tried] == [200] * 8 + [429]
        assert tried[-1].headers["Retry-After"] == "1"
        world.clock.now += 1
        assert (await world.ask("bridge", "GET", "/prompt")).status == 200


async def test_bodies_have_a_limit(make_world: WorldMaker) -> None:
    async def pieces() -> Any:
        for _ in range(40):
            yield b"x" * 65536

    async with make_world(maxBodyMb=1) as world:
        announced = await world.upload(content=b"x" * 2_000_000)
        assert announced.status == 413
        assert await announced.json() == {"error": "the body is larger than this machine's owner allows"}
        assert (await world.upload(content=b"x" * 900_000)).status == 200
        assert (await world.ask("bridge", "POST", "/prompt", data=pieces())).status == 413
        assert (await world.ask("bridge", "POST", "/free", data=io.BytesIO(b" " * 2_000_000))).status == 413
        assert (await world.ask("bridge", "POST", "/queue", data=pieces())).status == 413


async def test_the_gate_is_the_outermost_however_late_others_come(
    make_world: WorldMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    @web.middleware
    async def nosy(request: web.Request, handler: Any) -> web.StreamResponse:
        asked.append(request.path)
        answer: web.StreamResponse = await handler(request)
        return answer

    install = setup.install

    def install_and_more(server: Any, *args: Any) -> Any:
        donor = install(server, *args)
        server.app.middlewares.insert(0, nosy)
        return donor

    monkeypatch.setattr(setup, "install", install_and_more)
    async with make_world() as world:
        await world.ask("stranger", "GET", "/prompt")
        assert asked == []
        await world.ask("owner", "GET", "/prompt")
        assert asked == ["/prompt"]


async def test_without_a_token_nothing_is_locked_but_commands_stay_the_owners(make_world: WorldMaker) -> None:
    async with make_world(token=None) as world:
        assert (await world.json("owner", "GET", "/comfy-bridge/status"))["lockedDown"] is False
        assert (await world.ask("stranger", "GET", "/settings")).status == 200
        assert (await world.ask("stranger", "POST", "/comfy-bridge/pause", json={})).status == 403
        assert (await world.json("owner", "POST", "/comfy-bridge/pause", json={}))["state"] == "paused"
        assert (await world.prompt("owner"))["prompt_id"]
        world.donor.tick()
        assert len(world.server.prompt_queue.queue) == 1


async def test_statistics_leave_the_command_line_out_for_the_bridge(world: World) -> None:
    assert (await world.json("bridge", "GET", "/system_stats"))["system"] == {"os": "posix", "argv": []}
    assert len((await world.json("owner", "GET", "/system_stats"))["system"]["argv"]) == 3


async def test_many_at_once_are_all_judged_by_themselves(world: World) -> None:
    async def one(n: int) -> bool:
        who = ("bridge", "owner")[n % 2]
        return (await world.ask(who, "GET", "/settings")).status == (403 if who == "bridge" else 200)

    assert all(await asyncio.gather(*(one(n) for n in range(60))))
