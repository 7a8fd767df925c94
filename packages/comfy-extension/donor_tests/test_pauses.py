from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import World, WorldMaker

AVAILABLE = {
    "v": 1,
    "version": "0.1.0",
    "state": "available",
    "reason": None,
    "until": None,
    "maxQueue": 8,
    "lockedDown": True,
}
BODY = {"prompt": {"9": {"class_type": "Save", "inputs": {}}}, "client_id": "bridge-1"}


async def start_two(world: World) -> tuple[str, str]:
    first, second = [str((await world.prompt())["prompt_id"]) for _ in range(2)]
    world.server.prompt_queue.begin()
    return first, second


async def test_says_how_things_stand(world: World) -> None:
    assert await world.json("bridge", "GET", "/comfy-bridge/status") == AVAILABLE
    assert await world.json("owner", "GET", "/api/comfy-bridge/status") == AVAILABLE
    paused = await world.json("owner", "POST", "/comfy-bridge/pause", json={"minutes": 10})
    assert paused == {**AVAILABLE, "state": "paused", "reason": "command", "until": "2096-01-02T08:10:00Z"}
    assert await world.json("bridge", "GET", "/comfy-bridge/status") == paused
    assert await world.json("owner", "POST", "/api/comfy-bridge/resume", json={}) == AVAILABLE


async def test_only_the_owner_commands(world: World) -> None:
    for path in ("/comfy-bridge/pause", "/comfy-bridge/resume"):
        for who in ("bridge", "stranger"):
            assert (await world.ask(who, "POST", path, json={})).status == 403
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await world.ask("owner", "POST", path, json={}, headers=headers)).status == 403
    assert (await world.ask("owner", "POST", "/comfy-bridge/pause")).status == 200


@pytest.mark.parametrize("minutes", [0, -1, "5", True, 1e9, [5]])
async def test_a_pause_is_a_time(world: World, minutes: Any) -> None:
    assert (await world.ask("owner", "POST", "/comfy-bridge/pause", json={"minutes": minutes})).status == 400
    assert (await world.ask("owner", "POST", "/comfy-bridge/pause", data=b"[NaN]")).status == 400
    assert not world.donor.is_paused


async def test_a_pause_stops_what_runs_drops_what_waits_and_frees_the_memory(world: World) -> None:
    first, _ = await start_two(world)
    await world.ask("owner", "POST", "/comfy-bridge/pause", json={})
    assert world.server.interrupted == [first]
    assert world.server.prompt_queue.queue == []
    assert world.server.prompt_queue.flags == {"unload_models": True, "free_memory": True}
    world.donor.tick()
    assert world.server.interrupted == [first, first]  # Until it has stopped: an interrupt can be lost.


async def test_a_pause_may_let_the_running_one_finish(make_world: WorldMaker) -> None:
    async with make_world(onPause="finish", freeMemory=False) as world:
        await start_two(world)
        await world.ask("owner", "POST", "/comfy-bridge/pause", json={})
        world.donor.tick()
        assert world.server.interrupted == []
        assert world.server.prompt_queue.queue == []
        assert world.server.prompt_queue.flags == {}


async def test_memory_that_no_prompt_of_the_bridge_has_filled_stays(world: World) -> None:
    await world.ask("owner", "POST", "/comfy-bridge/pause", json={})
    assert world.server.prompt_queue.flags == {}


async def test_while_paused_a_prompt_is_refused(world: World) -> None:
    await world.ask("owner", "POST", "/comfy-bridge/pause", json={"minutes": 1})
    response = await world.ask("bridge", "POST", "/prompt", json=BODY)
    assert response.status == 503
    assert response.headers["Retry-After"] == "60"
    answer = await response.json()
    assert answer["node_errors"] == {}
    assert answer["error"]["type"] == "donor_paused"
    assert answer["error"]["extra_info"] == {"reason": "command", "until": "2096-01-02T08:01:00Z"}
    await world.ask("owner", "POST", "/comfy-bridge/pause", json={})
    assert "Retry-After" not in (await world.ask("bridge", "POST", "/prompt", json=BODY)).headers
    assert (await world.prompt("owner"))["prompt_id"]


async def test_a_prompt_that_slips_in_while_the_pause_begins_is_taken_back(world: World) -> None:
    world.server.before_queued = lambda: world.donor.pause(None)
    assert (await world.ask("bridge", "POST", "/prompt", json=BODY)).status == 503
    assert world.server.prompt_queue.queue == []


async def test_a_pause_is_kept_over_restarts(make_world: WorldMaker) -> None:
    async with make_world() as world:
        await world.ask("owner", "POST", "/comfy-bridge/pause", json={})
    async with make_world() as world:
        assert (await world.json("bridge", "GET", "/comfy-bridge/status"))["reason"] == "command"
        await world.ask("owner", "POST", "/comfy-bridge/resume", json={})
    async with make_world() as world:
        assert not world.donor.is_paused
        (world.home / "run" / "paused.json").write_text("{broken")
    async with make_world() as world:
        assert not world.donor.is_paused
        (world.home / "run" / "paused.json").write_text(
            json.dumps({"command": {"until": world.clock.now - 1}})
        )
    async with make_world() as world:
        assert not world.donor.is_paused


async def test_the_owners_prompt_pauses_before_it_is_queued(world: World) -> None:
    first, _ = await start_two(world)
    seen: list[tuple[bool, list[str]]] = []
    world.server.before_queued = lambda: seen.append((world.donor.is_paused, list(world.server.interrupted)))
    await world.prompt("owner")
    assert seen == [(True, [first])]
    assert [item[3]["client_id"] for item in world.server.prompt_queue.queue] == ["ui"]
    status = await world.json("bridge", "GET", "/comfy-bridge/status")
    assert (status["reason"], status["until"]) == ("owner-work", None)


async def test_lending_comes_back_after_the_owners_work(make_world: WorldMaker) -> None:
    async with make_world(resumeAfterSeconds=60) as world:
        await world.prompt("owner")
        world.clock.now += 1000
        world.donor.tick()
        assert world.donor.is_paused
        world.server.prompt_queue.begin()
        world.server.prompt_queue.finish()
        world.donor.tick()
        assert (await world.json("bridge", "GET", "/comfy-bridge/status"))["until"] is not None
        world.clock.now += 60
        world.donor.tick()
        assert not world.donor.is_paused


async def test_the_owner_may_share(make_world: WorldMaker) -> None:
    async with make_world(ownerWork="share") as world:
        await start_two(world)
        await world.prompt("owner")
        world.donor.tick()
        assert not world.donor.is_paused
        assert len(world.server.prompt_queue.queue) == 2
        assert world.server.interrupted == []


async def test_is_lent_by_the_clock(make_world: WorldMaker) -> None:
    async with make_world(schedule="09:00-10:00") as world:  # The world's clock begins at 08:00.
        assert (await world.json("bridge", "GET", "/comfy-bridge/status"))["until"] == "2096-01-02T09:00:00Z"
        assert (await world.ask("bridge", "POST", "/prompt", json=BODY)).headers["Retry-After"] == "3600"
        world.clock.now += 3600
        world.donor.tick()
        await world.prompt()
        world.clock.now += 3600
        world.donor.tick()
        assert world.server.prompt_queue.queue == []
        assert (await world.json("bridge", "GET", "/comfy-bridge/status"))["until"] == "2096-01-03T09:00:00Z"
        await world.ask("owner", "POST", "/comfy-bridge/resume", json={})
        assert "prompt_id" in await world.prompt()


async def test_an_orphan_is_ended_and_nobody_else(make_world: WorldMaker) -> None:
    async with make_world(orphanSeconds=30, ownerWork="share") as world:
        world.donor.sockets.opened("listens")
        first, second = await start_two(world)
        third = (await world.prompt(client_id="listens"))["prompt_id"]
        await world.prompt("owner")
        world.donor.tick()
        world.clock.now += 29
        await world.ask("bridge", "GET", f"/history/{first}")
        world.donor.tick()
        world.clock.now += 1
        world.donor.tick()
        assert [item[1] for item in world.server.prompt_queue.queue][:1] == [third]
        assert len(world.server.prompt_queue.queue) == 2
        assert world.server.interrupted == []
        world.clock.now += 29
        world.donor.tick()
        assert world.server.interrupted == [first]
        assert second not in [item[1] for item in world.server.prompt_queue.queue]


async def test_a_prompt_of_the_owner_is_never_an_orphan(world: World) -> None:
    await world.prompt("owner")
    world.server.prompt_queue.begin()
    world.clock.now += 100_000
    world.donor.tick()
    world.clock.now += 100_000
    world.donor.tick()
    assert world.server.interrupted == []
