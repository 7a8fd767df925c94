from __future__ import annotations

import os
from typing import Any

import pytest
from conftest import World, WorldMaker

from donor.file_names import FileKey

OWNERS = "owners.png"


async def view(world: World, **query: str) -> int:
    return (await world.ask("bridge", "GET", "/view", params=query)).status


async def test_the_bridge_sees_what_it_put_in_and_what_its_prompts_made(world: World) -> None:
    world.make(OWNERS)
    world.make(OWNERS, "input")
    await world.run("made.png")
    await world.upload("in.png")
    assert await view(world, filename="made.png") == 200
    assert await view(world, filename="made.png", type="output", subfolder="", preview="webp") == 200
    assert await view(world, filename="in.png", type="input", subfolder="bridge") == 200
    assert await view(world, filename=OWNERS) == 403
    assert await view(world, filename=OWNERS, type="input") == 403
    assert (await world.ask("owner", "GET", "/view", params={"filename": OWNERS})).status == 200


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"filename": "../input/owners.png"},
        {"filename": "made.png", "subfolder": ".."},
        {"filename": "made.png", "subfolder": "../output"},
        {"filename": "made.png [input]"},
        {"filename": "made.png", "type": "input"},
        {"filename": "made.png", "type": "models"},
        {"filename": "made.png", "unknown": "1"},
        {"filename": "blake3:00"},
        [("filename", "made.png"), ("filename", OWNERS)],
    ],
)
async def test_no_spelling_shows_another_file(world: World, query: Any) -> None:
    await world.run("made.png")
    assert (await world.ask("bridge", "GET", "/view", params=query)).status == 403


async def test_what_a_node_shows_but_did_not_make_stays_the_owners(world: World) -> None:
    old = world.make(OWNERS)
    os.utime(old, (1, 1))
    prompt_id = (await world.prompt())["prompt_id"]
    world.server.prompt_queue.begin()
    world.server.send_sync("execution_start", {"prompt_id": prompt_id}, "bridge-1")
    shown = {"9": {"images": [{"filename": OWNERS, "type": "output"}, {"filename": OWNERS, "type": "input"}]}}
    world.server.send_sync("executed", {"prompt_id": prompt_id, "output": shown["9"]}, "bridge-1")
    world.server.prompt_queue.finish(shown)
    assert await view(world, filename=OWNERS) == 403
    await world.json("bridge", "POST", "/comfy-bridge/forget", json={"prompt_id": prompt_id})
    assert old.exists()


async def test_what_comes_into_the_input_folder_meanwhile_is_the_owners(world: World) -> None:
    prompt_id = (await world.prompt())["prompt_id"]
    world.server.prompt_queue.begin()
    world.server.send_sync("execution_start", {"prompt_id": prompt_id}, "bridge-1")
    dropped_in = world.make(OWNERS, "input")
    shown = {"images": [{"filename": OWNERS, "type": "input"}]}
    world.server.send_sync("executed", {"prompt_id": prompt_id, "output": shown}, "bridge-1")
    world.server.prompt_queue.finish()
    assert await view(world, filename=OWNERS, type="input") == 403
    await world.json("bridge", "POST", "/comfy-bridge/forget", json={"prompt_id": prompt_id})
    assert dropped_in.exists()


async def test_a_file_of_the_owners_prompt_is_not_the_bridges(world: World) -> None:
    await world.prompt("owner")
    owners = world.server.prompt_queue.begin()
    world.server.send_sync("execution_start", {"prompt_id": owners}, "ui")
    world.make(OWNERS)
    world.server.send_sync(
        "executed",
        {"prompt_id": owners, "output": {"images": [{"filename": OWNERS, "type": "output"}]}},
        "ui",
    )
    world.server.prompt_queue.finish()
    assert await view(world, filename=OWNERS) == 403


async def test_forgetting_deletes_the_files_and_the_record(world: World) -> None:
    mine = await world.run("made.png")
    other = await world.run("other.png")
    await world.upload("in.png")
    body = {"prompt_id": mine, "inputs": [{"name": "in.png", "subfolder": "bridge"}, {"name": "none.png"}, 5]}
    assert await world.json("bridge", "POST", "/comfy-bridge/forget", json=body) == {"deleted": 2}
    assert await world.json("bridge", "POST", "/api/comfy-bridge/forget", json=body) == {"deleted": 0}
    assert not (world.folders / "output" / "made.png").exists()
    assert not (world.folders / "input" / "bridge" / "in.png").exists()
    assert (world.folders / "output" / "other.png").exists()
    assert list(world.server.prompt_queue.history) == [other]
    assert await view(world, filename="made.png") == 403


async def test_forgetting_waits_for_the_end(world: World) -> None:
    prompt_id = (await world.prompt())["prompt_id"]
    for _ in range(2):
        response = await world.ask("bridge", "POST", "/comfy-bridge/forget", json={"prompt_id": prompt_id})
        assert response.status == 409
        if world.server.prompt_queue.queue:
            world.server.prompt_queue.begin()
    world.server.prompt_queue.finish()
    assert await world.json("bridge", "POST", "/comfy-bridge/forget", json={"prompt_id": prompt_id}) == {
        "deleted": 0
    }


async def test_forgetting_is_the_bridges_and_touches_nothing_of_the_owners(world: World) -> None:
    kept = world.make(OWNERS, "input")
    world.server.prompt_queue.history["owners"] = {"prompt": [0, "owners", {}, {}, []], "outputs": {}}
    body = {
        "prompt_id": "owners",
        "inputs": [{"name": OWNERS}, {"name": "../output/x"}, {"name": OWNERS, "type": "output"}],
    }
    assert await world.json("bridge", "POST", "/comfy-bridge/forget", json=body) == {"deleted": 0}
    assert kept.exists()
    assert "owners" in world.server.prompt_queue.history
    assert (await world.ask("owner", "POST", "/comfy-bridge/forget", json=body)).status == 403


@pytest.mark.parametrize(
    "body",
    [{}, {"prompt_id": 5}, {"prompt_id": "x", "inputs": {}}, [], {"prompt_id": "x", "inputs": [0] * 20_000}],
)
async def test_forgetting_says_what_it_needs(world: World, body: Any) -> None:
    assert (await world.ask("bridge", "POST", "/comfy-bridge/forget", json=body)).status == 400


async def test_an_upload_that_meets_the_owners_own_copy_does_not_take_it_over(world: World) -> None:
    owners = world.make("bridge/in.png", "input")
    assert await (await world.upload("in.png", owners.read_bytes())).json() == {
        "name": "in.png",
        "subfolder": "bridge",
        "type": "input",
    }
    renamed = await (await world.upload("in.png", b"another")).json()
    assert renamed["name"] == "in (1).png"
    body = {
        "prompt_id": "x",
        "inputs": [{"name": "in.png", "subfolder": "bridge"}, {"name": "in (1).png", "subfolder": "bridge"}],
    }
    assert await world.json("bridge", "POST", "/comfy-bridge/forget", json=body) == {"deleted": 1}
    assert owners.exists()


async def test_an_upload_again_stays_the_bridges(world: World) -> None:
    await world.upload()
    await world.upload()
    body = {"prompt_id": "x", "inputs": [{"name": "in.png", "subfolder": "bridge"}]}
    assert await world.json("bridge", "POST", "/comfy-bridge/forget", json=body) == {"deleted": 1}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("in.png", {"overwrite": "true"}),
        ("in.png", {"overwrite": "0"}),
        ("in.png", {"type": "output"}),
        ("in.png", {"type": "temp"}),
        ("in.png", {"subfolder": "../output"}),
        ("in.png", {"subfolder": "/etc"}),
        ("..", {}),
    ],
)
async def test_an_upload_stays_in_its_place(world: World, name: str, fields: dict[str, Any]) -> None:
    assert (await world.upload(name, **fields)).status == 400
    assert [path for path in world.folders.rglob("*") if path.suffix == ".png"] == []


async def test_what_was_never_forgotten_goes_after_its_hours(make_world: WorldMaker) -> None:
    async with make_world(keepHours=1) as world:
        await world.run("made.png")
        await world.upload()
        waiting = (await world.prompt())["prompt_id"]
        world.make("waiting.png")
        world.donor.ledger.add_output(FileKey("output", "", "waiting.png"), waiting, world.clock.now)
        world.clock.now += 3601
        world.donor.sockets.opened("bridge-1")
        world.donor.tick()
        assert [path.name for path in world.folders.rglob("*.png")] == ["waiting.png"]
        assert world.server.prompt_queue.history == {}


async def test_a_prompt_goes_by_the_name_of_its_socket_too(world: World) -> None:
    """Old versions choose the id of a prompt themselves; a bridge that was killed since knows only its own."""
    other = await world.run("other.png")
    await world.run("made.png", client_id="name")
    body = {"prompt_id": "name"}
    assert await world.json("bridge", "POST", "/comfy-bridge/forget", json=body) == {"deleted": 1}
    assert list(world.server.prompt_queue.history) == [other]
    assert not (world.folders / "output" / "made.png").exists()
    await world.prompt(client_id="name")
    assert (await world.ask("bridge", "POST", "/comfy-bridge/forget", json=body)).status == 409
