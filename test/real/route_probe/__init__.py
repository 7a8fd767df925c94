"""Writes the whole route table of the ComfyUI that loads this pack: a list of `[method, path]` into the file `ROUTES_FILE` names.

Used from a folder outside ComfyUI's own, by `--extra-model-paths-config`. It adds no node and no route.
"""

import json
import os
from pathlib import Path

from aiohttp import web
from server import PromptServer

NODE_CLASS_MAPPINGS = {}


async def write_routes(app: web.Application) -> None:
    routers = [app.router]
    for resource in app.router.resources():
        # What is mounted as an application of its own keeps its routes to itself.
        inner = getattr(resource, "_app", None)
        if inner is not None:
            routers.append(inner.router)
    routes = {
        (route.method, route.resource.canonical)
        for router in routers
        for route in router.routes()
        if route.resource is not None
    }
    Path(os.environ["ROUTES_FILE"]).write_text(json.dumps(sorted(routes)), encoding="utf-8")


if os.environ.get("ROUTES_FILE"):
    PromptServer.instance.app.on_startup.append(write_routes)
