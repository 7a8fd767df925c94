from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import World

PHOTO = "photo.png"


async def ask(world: World, value: Any) -> str:
    """Queues a prompt with this value. Returns what went wrong with it."""
    graph = {"3": {"class_type": "Load", "inputs": {"image": value}, "_meta": {"title": PHOTO}}}
    answer = await world.prompt(prompt=graph)
    return str(answer.get("error", {}).get("type", "taken"))


@pytest.fixture(autouse=True)
def photos(world: World) -> None:
    world.make(PHOTO, "input")
    world.make("deep/" + PHOTO, "input")
    world.make("made before.png")


@pytest.mark.parametrize(
    "value",
    [
        PHOTO,
        f"  {PHOTO} ",
        f'"{PHOTO}"',
        f"{PHOTO} [input]",
        f"deep/{PHOTO}",
        f"deep/../{PHOTO}",
        "./" + PHOTO,
        "made before.png [output]",
        "made before.png",
        "../input/" + PHOTO,
        [[PHOTO]],
        {"__value__": {"files": [PHOTO]}},
    ],
)
async def test_a_prompt_may_not_name_a_file_of_the_owner(world: World, value: Any) -> None:
    assert await ask(world, value) == "owners_file"
    assert world.server.prompt_queue.queue == []


async def test_nor_one_elsewhere_on_the_machine(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("x")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WHERE", str(tmp_path))
    for value in (str(secret), "~/secret.txt", "$WHERE/secret.txt"):
        assert await ask(world, value) == "owners_file"
    monkeypatch.chdir(tmp_path)
    assert await ask(world, "secret.txt") == "owners_file"


@pytest.mark.parametrize(
    "value", ["a photo of a cat", "photo", "missing.png", "", "x" * 100_000, "\0", 5, None, ["3", 0], "deep"]
)
async def test_everything_else_is_taken(world: World, value: Any) -> None:
    assert await ask(world, value) == "taken"


async def test_its_own_uploads_and_what_its_prompts_made_can_be_named(world: World) -> None:
    await world.upload("in.png")
    await world.run("made.png")
    for value in ("bridge/in.png", "bridge/in.png [input]", "made.png [output]"):
        assert await ask(world, value) == "taken"


async def test_a_file_whose_content_the_bridge_has_can_be_named(world: World) -> None:
    world.make("bridge/in.png", "input").write_bytes(b"input")
    assert await ask(world, "bridge/in.png") == "owners_file"
    assert (await world.upload("in.png")).status == 200
    assert await ask(world, "bridge/in.png") == "taken"


async def test_a_link_to_a_file_of_the_owner_is_that_file(world: World) -> None:
    (world.folders / "input" / "link.png").symlink_to(world.folders / "input" / PHOTO)
    assert await ask(world, "link.png") == "owners_file"


async def test_the_owner_names_what_they_like(world: World) -> None:
    graph = {"3": {"class_type": "Load", "inputs": {"image": PHOTO}}}
    assert "prompt_id" in await world.prompt("owner", prompt=graph)


async def test_the_bridge_is_not_told_what_the_owners_files_are_called(world: World) -> None:
    told = await world.json("bridge", "GET", "/object_info")
    assert told["Load"]["input"]["required"] == {
        "image": [[], {"image_upload": True}],
        "mode": [["fast", "slow"]],
    }
    assert told["LoadNew"]["input"]["required"]["image"] == ["COMBO", {"options": []}]
    assert await world.json("bridge", "GET", "/object_info/Load") == told
    everything = await world.json("owner", "GET", "/object_info")
    assert everything["Load"]["input"]["required"]["image"][0] == [PHOTO]


async def test_it_is_told_of_its_own(world: World) -> None:
    await world.upload("in.png", subfolder="")
    told = await world.json("bridge", "GET", "/object_info")
    assert told["Load"]["input"]["required"]["image"][0] == ["in.png"]
