"""The routes of donor mode itself. ComfyUI adds each under /api as well."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable
from typing import Any, Callable

from aiohttp import web

from .answers import forbidden, refuse
from .donor import Donor
from .file_names import FileKey, parse_file_key
from .middleware import CALLER
from .who import BRIDGE, OWNER, is_from_elsewhere

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_MINUTES = 366 * 24 * 60
MAX_INPUTS = 10_000


def add_endpoints(routes: Any, donor: Donor) -> None:
    """`routes`: `PromptServer.routes`."""

    async def show_status(request: web.Request) -> web.StreamResponse:
        return web.json_response(donor.status())

    async def pause(request: web.Request) -> web.StreamResponse:
        if not _may_command(request):
            return forbidden()
        body = await _read_object(request)
        minutes = None if body is None else body.get("minutes")
        if body is None or not _are_minutes(minutes):
            return refuse(
                400, f'send a JSON object; "minutes", if given, is a number above 0 and at most {MAX_MINUTES}'
            )
        donor.pause(minutes)
        return web.json_response(donor.status())

    async def resume(request: web.Request) -> web.StreamResponse:
        if not _may_command(request):
            return forbidden()
        donor.resume()
        return web.json_response(donor.status())

    async def forget(request: web.Request) -> web.StreamResponse:
        if request.get(CALLER) != BRIDGE:
            return forbidden()
        body = await _read_object(request)
        prompt_id = None if body is None else body.get("prompt_id")
        inputs = None if body is None else body.get("inputs", [])
        if not isinstance(prompt_id, str) or not isinstance(inputs, list) or len(inputs) > MAX_INPUTS:
            return refuse(400, 'send a JSON object with "prompt_id", and "inputs" as a list of files')
        deleted = donor.forget(prompt_id, [key for key in map(_parse_input, inputs) if key is not None])
        if deleted is None:
            donor.named(prompt_id)
            return refuse(
                409, "the prompt is still queued or running; cancel it first, or ask again when it has ended"
            )
        return web.json_response({"deleted": deleted})

    routes.get("/comfy-bridge/status")(show_status)
    routes.post("/comfy-bridge/pause")(pause)
    routes.post("/comfy-bridge/resume")(resume)
    routes.post("/comfy-bridge/forget")(forget)


def _may_command(request: web.Request) -> bool:
    return request.get(CALLER) == OWNER and not is_from_elsewhere(request.headers)


def _are_minutes(value: Any) -> bool:
    if value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return False
    return 0 < value <= MAX_MINUTES


async def _read_object(request: web.Request) -> dict[str, Any] | None:
    """An empty body is an empty object."""
    try:
        body = json.loads(await request.text() or "{}")
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _parse_input(value: Any) -> FileKey | None:
    if not isinstance(value, dict):
        return None
    return parse_file_key(value.get("type", "input"), value.get("subfolder") or "", value.get("name"))
