"""Files for and of the bridge's prompts: it puts in new ones, and gets out its own."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Awaitable
from typing import Any, Callable

from aiohttp import web

from .answers import forbidden, refuse
from .donor import Donor
from .file_names import FileKey, parse_file_key
from .owners_files import OwnersFiles
from .views import read_json

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

VIEW_QUERY = ("filename", "subfolder", "type", "preview", "channel")


class BridgeFiles:
    def __init__(self, donor: Donor, owners_files: OwnersFiles) -> None:
        self._donor = donor
        self._owners_files = owners_files

    async def view(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        query = request.query
        if any(name not in VIEW_QUERY or len(query.getall(name)) != 1 for name in query):
            return forbidden()
        key = parse_file_key(query.get("type", "output"), query.get("subfolder", ""), query.get("filename"))
        if key is None or not self._donor.ledger.holds(key):
            return forbidden()
        return await handler(request)

    async def upload(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        # aiohttp keeps the form, so that ComfyUI's own handler reads the same one.
        try:
            form = await request.post()
        except ValueError:
            return refuse(400, "the body must be a form")
        image = form.get("image")
        if not isinstance(image, web.FileField) or form.get("overwrite") is not None:
            return refuse(400, "send one file as image, without overwrite")
        key = parse_file_key(form.get("type") or "input", form.get("subfolder", ""), image.filename)
        if key is None or key.folder != "input":
            return refuse(400, "the file's name, subfolder or type cannot be used")
        before = self._list_folder(key)
        # Nothing is awaited from here to the writing of the file, so nobody else writes one in between.
        response = await handler(request)
        stored = _read_answer(read_json(response))
        # A file that was there with the same content is the owner's, and is answered as if it were new.
        if stored is None:
            return response
        if _fold(stored.name) not in before or self._donor.ledger.holds(stored):
            self._donor.ledger.add_upload(stored, self._donor.clocks.now())
        else:
            self._owners_files.bridge_has_same(stored)
        return response

    def _list_folder(self, key: FileKey) -> frozenset[str]:
        base = self._donor.comfy.folder(key.folder)
        if base is None:
            return frozenset()
        try:
            return frozenset(
                _fold(name) for name in os.listdir(os.path.join(base, *key.subfolder.split("/")))
            )
        except OSError:
            return frozenset()


def _fold(name: str) -> str:
    """One form for all spellings that some file system takes for the same."""
    return unicodedata.normalize("NFC", name).casefold()


def _read_answer(answer: Any) -> FileKey | None:
    if not isinstance(answer, dict):
        return None
    return parse_file_key(answer.get("type"), answer.get("subfolder") or "", answer.get("name"))
