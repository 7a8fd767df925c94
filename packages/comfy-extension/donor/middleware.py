"""The gate: the outermost of ComfyUI's middlewares, so that nothing answers before it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Callable

from aiohttp import web

from .answers import refuse, turn_away
from .bridge_rules import BridgeRules
from .config import DonorConfig
from .donor import Donor
from .limits import StrangerLimit, TokenBucket
from .owner_rules import OwnerRules
from .who import BRIDGE, OWNER, Doorman

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]

_NAME = "comfy_bridge_caller"
CALLER: Any = web.RequestKey(_NAME, str) if hasattr(web, "RequestKey") else _NAME
"""In a request: who asks, as `who` says it."""

BURST = 4


def create_gate(donor: Donor, bridge_rules: BridgeRules, owner_rules: OwnerRules) -> Middleware:
    config: DonorConfig = donor.config
    doorman = Doorman(config)
    bucket = TokenBucket(config.requests_per_second, config.requests_per_second * BURST)
    strangers = StrangerLimit()

    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        peer = peer_of(request)
        caller = doorman.recognise(request.headers, peer)
        request[CALLER] = caller
        if not config.is_locked:
            return await handler(request)
        now = donor.clocks.steady()
        if caller == BRIDGE:
            if not bucket.take(now):
                return refuse(429, "too many requests", 1)
            return await bridge_rules.answer(request, handler)
        if caller == OWNER:
            return await owner_rules.answer(request, handler)
        return turn_away(strangers.is_over(peer, now))

    return gate


def peer_of(request: web.Request) -> str | None:
    """The address of the other end; None where there is none, as with a connection that is closed already."""
    peer: Any = None if request.transport is None else request.transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) and len(peer) >= 2 else None
