"""What the bridge may do with its token: run prompts of its own and fetch what they made. Everything else is closed to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from typing import Any, Callable

from aiohttp import web

from .answers import bad_prompt, donor_paused, donor_queue_full, forbidden, refuse
from .bridge_files import BridgeFiles
from .donor import Donor
from .owners_files import OwnersFiles
from .prompts import BridgeRequest
from .routes_allowed import PASS, bridge_rule
from .sockets import keep_alive
from .views import hide_graphs, only_history, read_json, rewrite_json, without_command_line

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Rule = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]

SMALL_BODY = 1024 * 1024
MAX_ID_LENGTH = 200


class BridgeRules:
    def __init__(self, donor: Donor) -> None:
        self._donor = donor
        self._comfy = donor.comfy
        self._arriving = 0
        self._owners_files = OwnersFiles(donor.comfy.folder, donor.ledger.holds)
        files = BridgeFiles(donor, self._owners_files)
        self._rules: dict[str, Rule] = {
            PASS: self._pass,
            "missing-job": self._say_missing,
            "socket": self._open_socket,
            "prompt": self._take_prompt,
            "queue": self._show_queue,
            "drop": self._drop,
            "interrupt": self._interrupt,
            "history": self._show_history,
            "forget-history": self._forget_history,
            "definitions": self._show_definitions,
            "view": files.view,
            "upload": files.upload,
            "system-stats": self._show_stats,
            "free": self._free,
            "job": self._job,
        }

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        canonical = None if resource is None else resource.canonical
        rule = bridge_rule(request.method, canonical, request.path)
        if rule is None:
            return forbidden()
        limit = self._donor.config.max_body_bytes if rule in ("prompt", "upload") else SMALL_BODY
        if (request.content_length or 0) > limit:
            return refuse(413, "the body is larger than this machine's owner allows")
        if request.method == "POST" and limit < request.client_max_size:
            # For bodies that do not say how long they are; what was put into the request goes along.
            request = request.clone(client_max_size=limit)
        return await self._rules[rule](request, handler)

    async def _pass(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        return await handler(request)

    async def _say_missing(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        # In plain text, like aiohttp's own: in JSON it would be the answer of a version that has jobs, but not this one.
        return web.Response(status=404, text="404: Not Found")

    async def _open_socket(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        client_id = request.query.get("clientId", "")
        if not 0 < len(client_id) <= MAX_ID_LENGTH:
            return refuse(400, "clientId is missing or too long")
        # ComfyUI gives a second socket the first one's place: an id of the owner's would take their events.
        sockets = self._donor.sockets
        if self._is_owners(client_id):
            return forbidden()
        if sockets.is_full:
            return refuse(429, "too many sockets", 1)
        if request.transport is not None:
            keep_alive(request.transport.get_extra_info("socket"))
        sockets.opened(client_id)
        try:
            return await handler(request)
        finally:
            sockets.closed(client_id)

    async def _take_prompt(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        donor = self._donor
        if donor.is_paused:
            return donor_paused(donor)
        if donor.unfinished() + self._arriving >= donor.config.max_queue:
            return donor_queue_full(donor)
        self._arriving += 1
        try:
            body = await _read_body(request)
            refusal = self._find_fault(body)
            if refusal is not None:
                return refusal
            if await asyncio.to_thread(self._owners_files.are_named, body.get("prompt")):
                return bad_prompt(
                    "owners_file", "A value names a file of this machine's owner; upload a file of yours."
                )
            with BridgeRequest():
                response = await handler(request)
        finally:
            self._arriving -= 1
        return self._admit(response)

    def _admit(self, response: web.StreamResponse) -> web.StreamResponse:
        answer = read_json(response)
        prompt_id = answer.get("prompt_id") if isinstance(answer, dict) else None
        if not isinstance(prompt_id, str):
            return response
        self._donor.prompt_admitted(prompt_id)
        if self._donor.is_paused:
            # Paused while the graph was checked.
            self._donor.withdraw([prompt_id])
            return donor_paused(self._donor)
        return response

    def _find_fault(self, body: Any) -> web.Response | None:
        if not isinstance(body, dict):
            return bad_prompt("invalid_body", "The body must be a JSON object.")
        client_id, prompt_id = body.get("client_id"), body.get("prompt_id")
        # Without one, ComfyUI shows a prompt's events and previews to everybody.
        if not isinstance(client_id, str) or not 0 < len(client_id) <= MAX_ID_LENGTH:
            return bad_prompt("invalid_client_id", "Send the client_id of a socket of yours.")
        if self._is_owners(client_id):
            return bad_prompt("invalid_client_id", "That client_id is taken.")
        if prompt_id is None:
            return None
        if not isinstance(prompt_id, str) or not 0 < len(prompt_id) <= MAX_ID_LENGTH:
            return bad_prompt("invalid_prompt_id", "prompt_id must be a text.")
        taken = any(item.prompt_id == prompt_id for item in self._comfy.queue())
        if taken or self._comfy.history_item(prompt_id) is not None:
            return bad_prompt("invalid_prompt_id", "That prompt_id is taken.")
        return None

    async def _show_queue(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        return rewrite_json(await handler(request), hide_graphs(of_bridge=False))

    async def _drop(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        body = await _read_body(request)
        if not isinstance(body, dict):
            return refuse(400, "the body must be a JSON object")
        if body.get("clear"):
            self._comfy.drop_queued()
        self._comfy.drop_queued(self._read_ids(body.get("delete")))
        return web.Response(status=200)

    async def _interrupt(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answered here: many versions of ComfyUI stop whatever runs, or may stop the next prompt."""
        body = await _read_body(request)
        prompt_id = body.get("prompt_id") if isinstance(body, dict) else None
        if not isinstance(prompt_id, str) or self._is_owners_prompt(prompt_id):
            return forbidden()
        self._donor.named(prompt_id)
        self._comfy.interrupt(prompt_id)
        return web.Response(status=200)

    async def _show_history(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        prompt_id = request.match_info.get("prompt_id")
        if prompt_id is not None:
            self._donor.named(prompt_id)
        return rewrite_json(await handler(request), only_history(of_bridge=True))

    async def _forget_history(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        body = await _read_body(request)
        if not isinstance(body, dict):
            return refuse(400, "the body must be a JSON object")
        wanted = self._read_ids(body.get("delete"))
        mine = self._comfy.bridge_history()
        self._comfy.forget_history(mine if body.get("clear") else [key for key in mine if key in wanted])
        return web.Response(status=200)

    async def _show_definitions(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        # Megabytes, and a walk through folders: not in the event loop.
        return await asyncio.to_thread(rewrite_json, response, self._owners_files.hide)

    async def _show_stats(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        return rewrite_json(await handler(request), without_command_line)

    async def _free(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        # What is loaded for the owner's work is the owner's.
        if self._donor.is_paused or any(not item.is_bridge for item in self._comfy.queue()):
            return web.Response(status=200)
        return await handler(request)

    async def _job(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        prompt_id = next(iter(request.match_info.values()), "")
        self._donor.named(prompt_id)
        entry = self._comfy.history_item(prompt_id)
        waits = any(item.prompt_id == prompt_id and item.is_bridge for item in self._comfy.queue())
        if waits or (entry is not None and entry.is_bridge):
            return await handler(request)
        if request.method == "POST":
            return web.json_response({"cancelled": False})
        return refuse(404, "Job not found")

    def _read_ids(self, value: Any) -> list[str]:
        ids = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
        for prompt_id in ids:
            self._donor.named(prompt_id)
        return ids

    def _is_owners(self, client_id: str) -> bool:
        return client_id in self._comfy.open_sockets() and client_id not in self._donor.sockets.ids()

    def _is_owners_prompt(self, prompt_id: str) -> bool:
        return any(item.prompt_id == prompt_id and not item.is_bridge for item in self._comfy.queue())


async def _read_body(request: web.Request) -> Any:
    """None for what is no JSON. aiohttp keeps what was read, so that ComfyUI's own handler reads it again."""
    try:
        return await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        return None
