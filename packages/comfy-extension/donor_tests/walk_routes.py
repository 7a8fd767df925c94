"""Asks every route of a running ComfyUI as a stranger, as the bridge and as the owner, and says what answered whom.

    python walk_routes.py http://127.0.0.1:8188 routes.json --token TOKEN

`routes.json`: a list of `[method, path]`, paths as aiohttp names its resources (`/history/{prompt_id}`). A pack can write it on
startup from `app.router`. Run on that machine: the stranger comes by loopback, but under another machine's name, through a proxy
or with a wrong token, from many addresses so as not to be counted as a flood; the owner by loopback. What belongs to the bridge is listed here once more, on purpose.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from pathlib import Path

import aiohttp

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
REQUESTS_FROM_ONE_ADDRESS = 15
STRANGERS = (
    {"Host": "donor.example"},
    {"X-Forwarded-For": "203.0.113.7"},
    {"Authorization": "Bearer not-the-token-of-this-machine"},
)

FOR_BRIDGE = {
    "GET": "/ws /prompt /queue /history /history/x /object_info /object_info/x /system_stats /features /models /models/x "
    "/embeddings /comfy-bridge/status",
    "POST": "/prompt /queue /interrupt /history /upload/image /free /comfy-bridge/forget",
}
JOBS_FOR_BRIDGE = {("GET", "/api/jobs/x"), ("POST", "/api/jobs/x/cancel")}
BODIES = {"/interrupt": {"prompt_id": "walk"}, "/comfy-bridge/forget": {"prompt_id": "walk"}}


def is_for_bridge(method: str, path: str) -> bool:
    if (method, path) in JOBS_FOR_BRIDGE:
        return True
    plain = path[len("/api") :] if path.startswith("/api/") else path
    return plain in FOR_BRIDGE.get(method, "").split()


def to_paths(routes: list[list[str]]) -> list[str]:
    made = {re.sub(r"\{[^}]*\}", "x", path) for _, path, *_ in routes if path is not None}
    return sorted(
        {path or "/" for path in made} | {"/no-such-route", "/api/no-such-route", "/no/such/static.js"}
    )


class Walk:
    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self.faults: list[str] = []

    async def ask(
        self, session: aiohttp.ClientSession, method: str, path: str, headers: dict[str, str]
    ) -> int:
        plain = path[len("/api") :] if path.startswith("/api/") else path
        body = json.dumps(BODIES.get(plain, {})) if method in ("POST", "PUT", "PATCH") else None
        async with session.request(method, self._url + path, data=body, headers=headers) as response:
            return response.status

    async def as_stranger(self, paths: list[str]) -> int:
        asked = [(method, path, headers) for path in paths for method in METHODS for headers in STRANGERS]
        for start in range(0, len(asked), REQUESTS_FROM_ONE_ADDRESS):
            address = f"127.1.{start // 250}.{start % 250 + 1}"
            connector = aiohttp.TCPConnector(local_addr=(address, 0))
            async with aiohttp.ClientSession(connector=connector) as session:
                for method, path, headers in asked[start : start + REQUESTS_FROM_ONE_ADDRESS]:
                    status = await self.ask(session, method, path, headers)
                    self._expect(status == 403, f"stranger {method} {path} {headers}: {status}")
        return len(asked)

    async def as_bridge(self, paths: list[str]) -> int:
        headers = {"Authorization": f"Bearer {self._token}"}
        opened = 0
        async with aiohttp.ClientSession() as session:
            for path in paths:
                for method in METHODS:
                    status = await self.ask(session, method, path, headers)
                    while status == 429:
                        await asyncio.sleep(0.2)
                        status = await self.ask(session, method, path, headers)
                    opened += status != 403
                    wanted = is_for_bridge(method, path)
                    self._expect((status != 403) == wanted, f"bridge {method} {path}: {status}")
        return opened

    async def as_owner(self, paths: list[str]) -> int:
        """Only looks: the other methods would change what is there."""
        async with aiohttp.ClientSession() as session:
            for path in paths:
                async with session.get(self._url + path) as response:
                    # ComfyUI itself refuses to list a folder, but not in JSON.
                    refused = response.status == 403 and response.content_type == "application/json"
                self._expect(not refused, f"owner GET {path}: 403")
        return len(paths)

    def _expect(self, holds: bool, fault: str) -> None:
        if not holds:
            self.faults.append(fault)


async def run(url: str, routes: Path, token: str) -> int:
    paths = to_paths(json.loads(routes.read_text(encoding="utf-8")))
    walk = Walk(url, token)
    refused = await walk.as_stranger(paths)
    opened = await walk.as_bridge(paths)
    kept = await walk.as_owner(paths)
    print(
        f"{len(paths)} paths: {refused} requests of a stranger, {opened} routes open to the bridge, {kept} looks of the owner"
    )
    for fault in walk.faults:
        print(f"WRONG {fault}")
    return 1 if walk.faults else 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url")
    parser.add_argument("routes", type=Path)
    parser.add_argument("--token", required=True)
    given = parser.parse_args()
    sys.exit(asyncio.run(run(given.url, given.routes, given.token)))


if __name__ == "__main__":
    main()
