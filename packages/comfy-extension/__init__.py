"""Comfy Bridge: mark API inputs in the editor, export them, and publish workflows to a bridge; or lend this ComfyUI to one.

The pack has no nodes; ComfyUI serves the editor's part from ``web``. Donor mode is on only when the launcher asks for it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

NODE_CLASS_MAPPINGS: dict[str, Any] = {}
NODE_DISPLAY_NAME_MAPPINGS: dict[str, str] = {}
WEB_DIRECTORY = "./web"

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS", "WEB_DIRECTORY"]


def _say_not_lent() -> None:
    """The editor asks whether this ComfyUI is lent. Without an answer each author had an error in the browser's console."""
    server = getattr(getattr(sys.modules.get("server"), "PromptServer", None), "instance", None)
    if server is None:
        return
    from aiohttp import web

    async def status(request: web.Request) -> web.Response:
        return web.json_response({"v": 1, "lent": False})

    server.routes.get("/comfy-bridge/status")(status)


if os.environ.get("COMFY_BRIDGE_DONOR") == "1":
    try:
        from .donor.setup import start
    except Exception as error:
        # ComfyUI only logs a pack that fails, and would go on: open, though the launcher was asked for a lock.
        raise SystemExit(f"comfy-bridge: not started, because the pack is incomplete: {error}") from error
    start()
else:
    _say_not_lent()
