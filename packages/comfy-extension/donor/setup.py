"""Puts donor mode together and hangs it into the running ComfyUI."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import stat
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from .bridge_rules import BridgeRules
from .comfy import LiveComfy
from .config import has_token, load_config
from .donor import Clocks, Donor
from .endpoints import add_endpoints
from .middleware import create_gate
from .owner_rules import OwnerRules
from .prompts import create_prompt_marker
from .sockets import wrap_send, wrap_send_sync

TICK_SECONDS = 1.0
STARTED = "_comfy_bridge_donor"
LOCKED = "comfy_bridge_locked"
"""In `sys`, for the launcher: the gate is in place."""

_log = logging.getLogger("comfy-bridge")


def start() -> None:
    """Called while ComfyUI loads its packs. A ComfyUI that is meant to be locked does not start open: it ends instead."""
    home = Path(os.environ.get("COMFY_BRIDGE_HOME") or Path(sys.argv[0]).resolve().parent / ".comfy-bridge")
    try:
        server = sys.modules["server"].PromptServer.instance
        donor = install(server, home, os.environ)
    except Exception as error:
        if has_token(home, os.environ):
            raise SystemExit(f"comfy-bridge: not started, because it would not be locked: {error}") from error
        _log.error("comfy-bridge: donor mode is off: %s", error)
        return
    setattr(sys, LOCKED, donor.config.is_locked)
    _warn_of_readers(home / "donor.json")
    _log.info(
        "comfy-bridge: donor mode is on, %s", "locked" if donor.config.is_locked else "not locked (no token)"
    )


def install(server: Any, home: Path, environment: Mapping[str, str], clocks: Clocks | None = None) -> Donor:
    """`server`: ComfyUI's `PromptServer`, before its application is frozen."""
    if hasattr(server, STARTED):
        raise RuntimeError("the pack is loaded twice; remove one of its folders from custom_nodes")
    comfy = LiveComfy(server)
    donor = Donor(load_config(home, environment), home, comfy, clocks)
    gate = create_gate(donor, BridgeRules(donor), OwnerRules(donor))
    add_endpoints(server.routes, donor)
    if donor.config.is_locked:
        server.add_on_prompt_handler(create_prompt_marker(comfy.is_output_node))
        server.send_sync = wrap_send_sync(server.send_sync, comfy, donor.sockets, donor.on_event)
        server.send = wrap_send(server.send, donor.sockets, donor.status)
    server.app.middlewares.insert(0, gate)
    server.app.cleanup_ctx.append(_create_upkeep(donor, gate))
    setattr(server, STARTED, donor)
    return donor


def _create_upkeep(donor: Donor, gate: Any) -> Any:
    async def upkeep(app: web.Application) -> AsyncIterator[None]:
        # Packs that were loaded later may have put themselves before the gate.
        app.middlewares.remove(gate)
        app.middlewares.insert(0, gate)
        task = asyncio.create_task(_keep_ticking(donor))
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    return upkeep


async def _keep_ticking(donor: Donor) -> None:
    while True:
        try:
            donor.tick()
        except Exception:  # noqa: BLE001 orphans and pauses must go on being looked after
            _log.exception("comfy-bridge: upkeep failed; tried again in a moment")
        await asyncio.sleep(TICK_SECONDS)


def _warn_of_readers(path: Path) -> None:
    with contextlib.suppress(OSError):
        if os.name == "posix" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            _log.warning(
                "comfy-bridge: %s holds the token and can be read by others; chmod 600 it", path.name
            )
