"""A world for each test: a ComfyUI with donor mode, a clock that stands still, and the three who ask."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientWebSocketResponse, FormData
from aiohttp.test_utils import TestClient, TestServer
from fake_comfy import FakeServer

from donor import setup
from donor.donor import Clocks, Donor

TOKEN = "a-token-of-the-bridge-0123"
STRANGE = {"Host": "donor.example"}


@dataclass
class Clock:
    """Begins long after the day of any test, so that a file is new only where a test says so."""

    now: float = datetime(2096, 1, 2, 8, tzinfo=timezone.utc).timestamp()

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.now, lambda: self.now, lambda at: datetime.fromtimestamp(at, timezone.utc))


@dataclass
class World:
    server: FakeServer
    donor: Donor
    client: Any
    clock: Clock
    home: Path
    folders: Path
    sockets: list[ClientWebSocketResponse] = field(default_factory=list)

    async def ask(self, who: str, method: str, path: str, **kwargs: Any) -> ClientResponse:
        """`who`: bridge, owner or stranger."""
        own = {"bridge": {"Authorization": f"Bearer {TOKEN}"}, "owner": {}, "stranger": STRANGE}[who]
        headers = {**own, **kwargs.pop("headers", {})}
        response: ClientResponse = await self.client.request(method, path, headers=headers, **kwargs)
        await response.read()
        return response

    async def json(self, who: str, method: str, path: str, **kwargs: Any) -> Any:
        return await (await self.ask(who, method, path, **kwargs)).json()

    async def prompt(self, who: str = "bridge", **body: Any) -> Any:
        graph = {"9": {"class_type": "Save", "inputs": {}}}
        given = {"prompt": graph, "client_id": "bridge-1" if who == "bridge" else "ui", **body}
        return await self.json(who, "POST", "/prompt", json=given)

    async def run(self, name: str | None = "made.png", **body: Any) -> str:
        """A prompt of the bridge from beginning to end. Returns its id."""
        prompt_id = str((await self.prompt(**body))["prompt_id"])
        self.server.prompt_queue.begin()
        self.server.send_sync("execution_start", {"prompt_id": prompt_id}, "bridge-1")
        outputs = {}
        if name is not None:
            self.make(name)
            outputs = {"9": {"images": [{"filename": name, "subfolder": "", "type": "output"}]}}
            self.server.send_sync("executed", {"prompt_id": prompt_id, "output": outputs["9"]}, "bridge-1")
        self.server.prompt_queue.finish(outputs)
        self.server.send_sync("executing", {"prompt_id": prompt_id, "node": None}, "bridge-1")
        return prompt_id

    def make(self, name: str, folder: str = "output") -> Path:
        """A file, made now by the world's clock."""
        path = self.folders / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"pixels of " + name.encode())
        os.utime(path, (self.clock.now, self.clock.now))
        return path

    async def upload(self, name: str = "in.png", content: bytes = b"input", **fields: Any) -> ClientResponse:
        form = FormData()
        form.add_field("image", io.BytesIO(content), filename=name, content_type="image/png")
        for key, value in {"type": "input", "subfolder": "bridge", **fields}.items():
            form.add_field(key, value)
        return await self.ask("bridge", "POST", "/upload/image", data=form)

    async def listen(self, who: str, client_id: str) -> ClientWebSocketResponse:
        headers = {"Authorization": f"Bearer {TOKEN}"} if who == "bridge" else {}
        socket: ClientWebSocketResponse = await self.client.ws_connect(
            f"/ws?clientId={client_id}", headers=headers
        )
        assert (await socket.receive_json(timeout=5))["type"] == "status"
        return socket


WorldMaker = Callable[..., Any]


@pytest.fixture
def make_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorldMaker:
    """A context manager; its keyword arguments are settings."""

    @asynccontextmanager
    async def make(**settings: Any) -> AsyncIterator[World]:
        clock = Clock()
        folders = tmp_path / "comfy ü"
        for name in ("input", "output", "temp"):
            (folders / name).mkdir(parents=True, exist_ok=True)
        home = folders / ".comfy-bridge"
        home.mkdir(exist_ok=True)
        given = {"token": TOKEN, **settings}
        (home / "donor.json").write_text(
            json.dumps({key: value for key, value in given.items() if value is not None})
        )
        server = FakeServer(folders)
        for name, module in server.modules().items():
            monkeypatch.setitem(sys.modules, name, module)
        donor = setup.install(server, home, {}, clock.clocks())
        server.add_routes()
        async with TestClient(TestServer(server.app)) as client:
            yield World(server, donor, client, clock, home, folders)

    return make


@pytest.fixture
async def world(make_world: WorldMaker) -> AsyncIterator[World]:
    async with make_world() as made:
        yield made
