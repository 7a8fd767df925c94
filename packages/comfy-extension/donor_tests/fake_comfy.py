"""A ComfyUI of the same shape, as far as donor mode touches it: routes, middlewares, sockets, a queue with its lock."""

from __future__ import annotations

import asyncio
import copy
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp import web

EXECUTED = {"images": [{"filename": "made.png", "subfolder": "", "type": "output"}]}


class FakeQueue:
    def __init__(self) -> None:
        self.mutex = threading.RLock()
        self.queue: list[Any] = []
        self.currently_running: dict[int, Any] = {}
        self.history: dict[str, Any] = {}
        self.flags: dict[str, Any] = {}

    def put(self, item: Any) -> None:
        self.queue.append(item)

    def delete_queue_item(self, is_it: Callable[[Any], bool]) -> bool:
        for item in self.queue:
            if is_it(item):
                self.queue.remove(item)
                return True
        return False

    def delete_history_item(self, key: str) -> None:
        self.history.pop(key, None)

    def set_flag(self, name: str, value: Any) -> None:
        self.flags[name] = value

    def begin(self) -> str:
        item = self.queue.pop(0)
        self.currently_running[0] = copy.deepcopy(item)
        return str(item[1])

    def finish(self, outputs: Any = None) -> str:
        item = self.currently_running.pop(0)
        self.history[item[1]] = {
            "prompt": item,
            "outputs": outputs or {},
            "status": {"status_str": "success"},
        }
        return str(item[1])


class FakeServer:
    """Like `PromptServer`; without nodes, and without running anything by itself."""

    def __init__(self, folders: Path) -> None:
        self.folders = folders
        self.prompt_queue = FakeQueue()
        self.routes = web.RouteTableDef()
        self.app = web.Application(client_max_size=4 * 1024 * 1024)
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self.on_prompt_handlers: list[Callable[[Any], Any]] = []
        self.interrupted: list[str] = []
        self.freed: list[Any] = []
        self.sent: list[tuple[Any, Any, str | None]] = []
        self.before_queued: Callable[[], None] = lambda: None
        self._tasks: set[asyncio.Task[None]] = set()
        self._add_core_routes()

    def modules(self) -> dict[str, Any]:
        """What packs find under these names."""

        def interrupt() -> None:
            self.interrupted.extend(str(item[1]) for item in self.prompt_queue.currently_running.values())

        class Save:
            OUTPUT_NODE = True

        class Load:
            pass

        nodes = SimpleNamespace(
            interrupt_processing=interrupt, NODE_CLASS_MAPPINGS={"Save": Save, "Load": Load}
        )
        folder = {
            f"get_{kind}_directory": lambda kind=kind: str(self.folders / kind)
            for kind in ("input", "output", "temp")
        }
        return {"nodes": nodes, "folder_paths": SimpleNamespace(**folder)}

    def add_on_prompt_handler(self, handler: Callable[[Any], Any]) -> None:
        self.on_prompt_handlers.append(handler)

    def send_sync(self, event: Any, data: Any, sid: str | None = None) -> None:
        self.sent.append((event, data, sid))
        task = asyncio.get_running_loop().create_task(self.send(event, data, sid))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send(self, event: Any, data: Any, sid: str | None = None) -> None:
        for key, socket in list(self.sockets.items()):
            if sid is None or sid == key:
                await socket.send_json({"type": event, "data": data})

    def add_routes(self) -> None:
        both = web.RouteTableDef()
        for route in self.routes:
            assert isinstance(route, web.RouteDef)
            both.route(route.method, "/api" + route.path)(route.handler)
        self.app.add_routes(both)
        self.app.add_routes(self.routes)
        internal = web.Application()
        internal.router.add_get("/logs", self._answer({"logs": "secret"}))
        self.app.add_subapp("/internal", internal)
        (self.folders / "web").mkdir(exist_ok=True)
        (self.folders / "web" / "page.html").write_text("page")
        self.app.router.add_static("/", self.folders / "web")

    def _answer(self, value: Any) -> Any:
        async def handler(request: web.Request) -> web.Response:
            return web.json_response(value)

        return handler

    def _add_core_routes(self) -> None:
        get, post = self.routes.get, self.routes.post
        for path in ("/object_info", "/object_info/{node_class}"):
            get(path)(self._get_definitions)
        for path in (
            "/features",
            "/models",
            "/models/{folder}",
            "/embeddings",
        ):
            get(path)(self._answer({"of": path}))
        for path in (
            "/settings",
            "/users",
            "/userdata",
            "/extensions",
            "/view_metadata/{folder_name}",
            "/history_of_mine",
        ):
            get(path)(self._answer({"secret": path}))
        get("/prompt")(self._answer({"exec_info": {"queue_remaining": 0}}))
        get("/system_stats")(
            self._answer({"system": {"os": "posix", "argv": ["main.py", "--key", "x"]}, "devices": []})
        )
        get("/ws")(self._ws)
        post("/prompt")(self._post_prompt)
        get("/queue")(self._get_queue)
        post("/queue")(self._count)
        post("/interrupt")(self._count)
        get("/history")(self._get_history)
        get("/history/{prompt_id}")(self._get_history)
        post("/history")(self._post_history)
        get("/view")(self._view)
        post("/upload/image")(self._upload)
        post("/upload/mask")(self._count)
        post("/free")(self._free)
        post("/settings")(self._count)

    async def _get_definitions(self, request: web.Request) -> web.Response:
        """One node of either kind, with the files of the input folder to choose from."""
        files = sorted(path.name for path in (self.folders / "input").iterdir() if path.is_file())
        old = {"input": {"required": {"image": [files, {"image_upload": True}], "mode": [["fast", "slow"]]}}}
        new = {
            "input": {"required": {"image": ["COMBO", {"options": [f"{name} [input]" for name in files]}]}}
        }
        return web.json_response({"Load": old, "LoadNew": new})

    async def _count(self, request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    async def _free(self, request: web.Request) -> web.Response:
        self.freed.append(await request.json())
        return web.Response()

    async def _ws(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        sid = request.query.get("clientId") or uuid.uuid4().hex
        self.sockets[sid] = socket
        try:
            await self.send("status", {"status": {}, "sid": sid}, sid)
            async for message in socket:
                if message.type == aiohttp.WSMsgType.ERROR:
                    break
        finally:
            self.sockets.pop(sid, None)
        return socket

    async def _post_prompt(self, request: web.Request) -> web.Response:
        body = await request.json()
        for handler in self.on_prompt_handlers:
            body = handler(body)
        if "prompt" not in body:
            return web.json_response({"error": {"type": "no_prompt"}, "node_errors": {}}, status=400)
        await asyncio.sleep(0)
        self.before_queued()
        prompt_id = str(body.get("prompt_id") or uuid.uuid4())
        extra = {**body.get("extra_data", {}), "client_id": body.get("client_id")}
        self.prompt_queue.put((body.get("number", 0), prompt_id, body["prompt"], extra, ["9"]))
        return web.json_response({"prompt_id": prompt_id, "number": 0, "node_errors": {}})

    async def _get_queue(self, request: web.Request) -> web.Response:
        queue = self.prompt_queue
        return web.json_response(
            {"queue_running": list(queue.currently_running.values()), "queue_pending": queue.queue}
        )

    async def _get_history(self, request: web.Request) -> web.Response:
        wanted = request.match_info.get("prompt_id")
        entries = self.prompt_queue.history.items()
        return web.json_response({key: entry for key, entry in entries if wanted in (None, key)})

    async def _post_history(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("clear"):
            self.prompt_queue.history = {}
        for key in body.get("delete", []):
            self.prompt_queue.delete_history_item(key)
        return web.Response()

    async def _view(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        folder = self.folders / query.get("type", "output") / query.get("subfolder", "")
        return web.FileResponse(folder / query["filename"])

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        image, subfolder = form["image"], str(form.get("subfolder", ""))
        assert isinstance(image, web.FileField)
        folder = self.folders / "input" / subfolder
        folder.mkdir(parents=True, exist_ok=True)
        name, content, number = image.filename, image.file.read(), 0
        while (folder / name).exists() and (folder / name).read_bytes() != content:
            number += 1
            name = f"{Path(image.filename).stem} ({number}){Path(image.filename).suffix}"
        if not (folder / name).exists():
            (folder / name).write_bytes(content)
        return web.json_response({"name": name, "subfolder": subfolder, "type": "input"})
