"""What changes for the owner: nothing, but that the bridge's prompts are not in their history, and that their work goes first."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import Callable

from aiohttp import web

from .answers import refuse
from .donor import Donor
from .views import hide_graphs, only_history, rewrite_json, without_jobs

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class OwnerRules:
    def __init__(self, donor: Donor) -> None:
        self._donor = donor

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        path = request.path[len("/api") :] if request.path.startswith("/api/") else request.path
        if request.method == "POST" and path == "/prompt":
            # Before it is queued: the bridge's prompt is stopped, and the memory freed, by the time that it runs.
            self._donor.owner_prompt()
        elif request.method == "POST" and path == "/history":
            return await self._clear_history(request, handler)
        response = await handler(request)
        # A long list is not written anew for nothing.
        if (
            request.method != "GET"
            or not path.startswith(("/queue", "/history", "/jobs"))
            or not self._bridge_ids()
        ):
            return response
        if path == "/queue":
            return rewrite_json(response, hide_graphs(of_bridge=True))
        if path == "/history" or path.startswith("/history/"):
            return rewrite_json(response, only_history(of_bridge=False))
        if path == "/jobs":
            return rewrite_json(response, without_jobs(self._bridge_ids()))
        if path.startswith("/jobs/") and path[len("/jobs/") :] in self._bridge_ids():
            return refuse(404, "Job not found")
        return response

    async def _clear_history(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Clearing is for what the owner sees. The bridge still has to fetch the rest, and forgets it by itself."""
        if not await _asks_to_clear(request):
            return await handler(request)
        self._donor.comfy.forget_history(self._donor.comfy.owner_history())
        return web.Response(status=200)

    def _bridge_ids(self) -> frozenset[str]:
        comfy = self._donor.comfy
        return frozenset(
            [*comfy.bridge_history(), *(item.prompt_id for item in comfy.queue() if item.is_bridge)]
        )


async def _asks_to_clear(request: web.Request) -> bool | None:
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None
    return isinstance(body, dict) and bool(body.get("clear")) and "delete" not in body
