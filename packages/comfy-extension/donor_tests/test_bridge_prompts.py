from __future__ import annotations

from typing import Any

import pytest
from conftest import World, WorldMaker

from donor.comfy import RUN_MARK

GRAPH = {
    "3": {"class_type": "Load", "inputs": {"image": "a.png"}},
    "9": {"class_type": "Save", "inputs": {"images": ["3", 0]}},
}


def put_owners(world: World, prompt_id: str = "owners", number: int = 0) -> None:
    world.server.prompt_queue.put((number, prompt_id, GRAPH, {"client_id": "ui", "secret": 1}, ["9"]))


async def test_output_nodes_get_an_input_that_differs_each_time(world: World) -> None:
    await world.prompt(prompt=GRAPH)
    await world.prompt(prompt=GRAPH)
    first, second = (item[2] for item in world.server.prompt_queue.queue)
    assert first["3"]["inputs"] == {"image": "a.png"}
    assert first["9"]["inputs"]["images"] == ["3", 0]
    assert first["9"]["inputs"][RUN_MARK] != second["9"]["inputs"][RUN_MARK]


async def test_the_owners_prompts_stay_as_they_are(world: World) -> None:
    await world.prompt("owner", prompt=GRAPH, extra_data={RUN_MARK: "x", "kept": 1}, number=3)
    number, _, graph, extra_data, _ = world.server.prompt_queue.queue[0]
    assert (number, graph, extra_data) == (3, GRAPH, {"kept": 1, "client_id": "ui"})


async def test_the_bridge_does_not_push_in(world: World) -> None:
    await world.prompt(number=-100, front=True, extra_data={RUN_MARK: "mine"})
    number, _, _, extra_data, _ = world.server.prompt_queue.queue[0]
    assert number == 0
    assert extra_data[RUN_MARK] != "mine"


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"client_id": None},
        {"client_id": ""},
        {"client_id": 5},
        {"client_id": "x" * 300},
        {"prompt_id": 5},
        {"prompt_id": ""},
        {"prompt_id": "owners"},
        {"prompt_id": "owners-done"},
    ],
)
async def test_refuses_a_prompt_that_could_be_taken_for_anothers(world: World, body: Any) -> None:
    put_owners(world)
    world.server.prompt_queue.history["owners-done"] = {
        "prompt": [0, "owners-done", {}, {}, []],
        "outputs": {},
    }
    given = {"prompt": GRAPH, "client_id": "bridge-1", **body} if isinstance(body, dict) else body
    response = await world.ask("bridge", "POST", "/prompt", json=given)
    assert response.status == 400
    assert (await response.json())["node_errors"] == {}
    assert len(world.server.prompt_queue.queue) == 1


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000])
async def test_what_is_no_json_is_refused(world: World, data: bytes) -> None:
    for path in ("/prompt", "/queue", "/history", "/comfy-bridge/forget"):
        assert (await world.ask("bridge", "POST", path, data=data)).status == 400
    assert (await world.ask("bridge", "POST", "/interrupt", data=data)).status == 403


async def test_refuses_the_client_id_of_an_open_socket_of_the_owner(world: World) -> None:
    socket = await world.listen("owner", "ui")
    assert (
        await world.ask("bridge", "POST", "/prompt", json={"prompt": GRAPH, "client_id": "ui"})
    ).status == 400
    await socket.close()


async def test_so_many_unfinished_and_no_more(make_world: WorldMaker) -> None:
    async with make_world(maxQueue=2) as world:
        put_owners(world)
        await world.prompt()
        await world.prompt()
        response = await world.ask(
            "bridge", "POST", "/prompt", json={"prompt": GRAPH, "client_id": "bridge-1"}
        )
        assert response.status == 429
        assert (await response.json())["error"]["type"] == "donor_queue_full"
        assert response.headers["Retry-After"] == "1"
        queue = world.server.prompt_queue
        queue.queue = queue.queue[1:]
        queue.begin()
        assert (
            await world.ask("bridge", "POST", "/prompt", json={"prompt": GRAPH, "client_id": "b"})
        ).status == 429
        queue.finish()
        assert "prompt_id" in await world.prompt()


async def test_each_side_sees_the_others_prompts_without_what_they_are(world: World) -> None:
    put_owners(world)
    mine = (await world.prompt(prompt=GRAPH))["prompt_id"]
    for_bridge = (await world.json("bridge", "GET", "/queue"))["queue_pending"]
    assert for_bridge[0] == [0, "owners", {}, {}, []]
    assert for_bridge[1][1] == mine
    assert for_bridge[1][2]["9"]["class_type"] == "Save"
    for_owner = (await world.json("owner", "GET", "/api/queue"))["queue_pending"]
    assert for_owner[0][3] == {"client_id": "ui", "secret": 1}
    assert for_owner[1] == [0, mine, {}, {}, []]


async def test_hidden_prompts_keep_the_shape_of_a_newer_version(world: World) -> None:
    world.server.prompt_queue.put((0, "owners", GRAPH, {"create_time": 5, "secret": 1}, ["9"], {"key": "x"}))
    assert (await world.json("bridge", "GET", "/queue"))["queue_pending"] == [
        [0, "owners", {}, {"create_time": 5}, [], {}]
    ]


async def test_each_side_has_a_history_of_its_own(world: World) -> None:
    mine = await world.run()
    put_owners(world)
    world.server.prompt_queue.begin()
    world.server.prompt_queue.finish()
    assert list(await world.json("bridge", "GET", "/history")) == [mine]
    assert list(await world.json("bridge", "GET", f"/history/{mine}")) == [mine]
    assert await world.json("bridge", "GET", "/api/history/owners") == {}
    assert list(await world.json("owner", "GET", "/history?max_items=5")) == ["owners"]
    assert await world.json("owner", "GET", f"/history/{mine}") == {}


async def test_each_side_clears_a_history_of_its_own(world: World) -> None:
    first, second = await world.run(), await world.run()
    history = world.server.prompt_queue.history
    history["owners"] = {"prompt": [0, "owners", {}, {}, []], "outputs": {}}
    await world.ask("bridge", "POST", "/history", json={"delete": ["owners", first, 5]})
    assert list(history) == [second, "owners"]
    await world.ask("bridge", "POST", "/history", json={"delete": "owners"})
    await world.ask("owner", "POST", "/history", json={"clear": True})
    assert list(history) == [second]
    history["owners"] = {"prompt": [0, "owners", {}, {}, []], "outputs": {}}
    await world.ask("bridge", "POST", "/history", json={"clear": True})
    assert list(history) == ["owners"]
    await world.ask("owner", "POST", "/history", json={"delete": ["owners"]})
    assert history == {}


async def test_the_bridge_drops_its_own_prompts_only(world: World) -> None:
    put_owners(world)
    first, second = [(await world.prompt())["prompt_id"] for _ in range(2)]
    await world.ask("bridge", "POST", "/queue", json={"delete": ["owners", first]})
    assert [item[1] for item in world.server.prompt_queue.queue] == ["owners", second]
    await world.ask("bridge", "POST", "/queue", json={"clear": True})
    assert [item[1] for item in world.server.prompt_queue.queue] == ["owners"]


async def test_the_bridge_interrupts_its_own_prompts_only(world: World) -> None:
    put_owners(world)
    mine = (await world.prompt())["prompt_id"]
    queue = world.server.prompt_queue
    queue.begin()
    statuses = [
        (await world.ask("bridge", "POST", "/interrupt", json=body)).status
        for body in (
            {},
            {"prompt_id": "owners"},
            {"prompt_id": None},
            {"prompt_id": mine},
            {"prompt_id": "unknown"},
        )
    ]
    assert statuses == [403, 403, 403, 200, 200]
    assert world.server.interrupted == []
    queue.finish()
    queue.begin()
    assert (await world.ask("bridge", "POST", "/api/interrupt", json={"prompt_id": mine})).status == 200
    assert world.server.interrupted == [mine]


async def test_nothing_here_can_stop_a_prompt_of_the_owner(world: World) -> None:
    put_owners(world)
    world.server.prompt_queue.begin()
    put_owners(world, "waits")
    world.donor.withdraw(["owners", "waits"])
    assert world.server.interrupted == []
    assert len(world.server.prompt_queue.queue) == 1


async def test_the_owners_models_are_not_freed_by_the_bridge(world: World) -> None:
    await world.ask("bridge", "POST", "/free", json={"unload_models": True})
    put_owners(world)
    await world.ask("bridge", "POST", "/free", json={"unload_models": True})
    assert len(world.server.freed) == 1


async def test_jobs_are_open_where_they_are_the_bridges(
    make_world: WorldMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fake_comfy
    from aiohttp import web

    original = fake_comfy.FakeServer.add_routes

    def with_jobs(server: Any) -> None:
        async def show(request: web.Request) -> web.Response:
            return web.json_response({"id": request.match_info["job_id"]})

        async def listed(request: web.Request) -> web.Response:
            return web.json_response({"jobs": [{"id": key} for key in server.prompt_queue.history]})

        server.app.router.add_get("/api/jobs", listed)
        server.app.router.add_get("/api/jobs/{job_id}", show)
        server.app.router.add_post("/api/jobs/{job_id}/cancel", show)
        original(server)

    assert (await _ask_for_jobs(make_world))[:3] == (404, "text/plain", 404)
    monkeypatch.setattr(fake_comfy.FakeServer, "add_routes", with_jobs)
    assert await _ask_for_jobs(make_world) == (
        200,
        "application/json",
        200,
        {"cancelled": False},
        403,
        ["owners"],
    )


async def _ask_for_jobs(make_world: WorldMaker) -> tuple[Any, ...]:
    async with make_world() as world:
        mine = await world.run(None)
        world.server.prompt_queue.history["owners"] = {"prompt": [0, "owners", {}, {}, []], "outputs": {}}
        shown = await world.ask("bridge", "GET", f"/api/jobs/{mine}")
        canceled = await world.ask("bridge", "POST", f"/api/jobs/{mine}/cancel", json={})
        if shown.status == 404:
            return shown.status, shown.content_type, canceled.status
        others = await world.json("bridge", "POST", "/api/jobs/owners/cancel", json={})
        assert (await world.ask("bridge", "GET", "/api/jobs/owners")).status == 404
        every = await world.ask("bridge", "GET", "/api/jobs")
        assert (await world.ask("owner", "GET", f"/api/jobs/{mine}")).status == 404
        assert (await world.ask("owner", "GET", "/api/jobs/owners")).status == 200
        owners = [job["id"] for job in (await world.json("owner", "GET", "/api/jobs"))["jobs"]]
        return shown.status, shown.content_type, canceled.status, others, every.status, owners
