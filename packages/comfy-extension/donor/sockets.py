"""The event streams that the bridge has open, and what the owner's and the bridge's streams get to see of each other: nothing.

ComfyUI sends some events to every socket: previews and texts of a prompt without a client, and whatever a pack likes to tell.
They are given to the side whose prompt it is; what belongs to no prompt stays with the owner.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable
from typing import Any, Callable

from .comfy import Comfy

Send = Callable[..., Awaitable[None]]
SendSync = Callable[..., None]
OnExecuted = Callable[[str, Any], None]

STATUS_EVENT = "comfy_bridge_status"
MAX_SOCKETS = 64

_KEEPALIVE = (
    ("SO_KEEPALIVE", socket.SOL_SOCKET, 1),
    ("TCP_KEEPIDLE", socket.IPPROTO_TCP, 10),
    ("TCP_KEEPALIVE", socket.IPPROTO_TCP, 10),
    ("TCP_KEEPINTVL", socket.IPPROTO_TCP, 5),
    ("TCP_KEEPCNT", socket.IPPROTO_TCP, 3),
    # While something is unsent, the probes above are not made; this bounds that too. Milliseconds.
    ("TCP_USER_TIMEOUT", socket.IPPROTO_TCP, 25_000),
)


class BridgeSockets:
    def __init__(self) -> None:
        self._open: dict[str, int] = {}

    def opened(self, client_id: str) -> None:
        self._open[client_id] = self._open.get(client_id, 0) + 1

    def closed(self, client_id: str) -> None:
        left = self._open.get(client_id, 0) - 1
        if left > 0:
            self._open[client_id] = left
        else:
            self._open.pop(client_id, None)

    @property
    def is_full(self) -> bool:
        return sum(self._open.values()) >= MAX_SOCKETS

    def ids(self) -> frozenset[str]:
        return frozenset(list(self._open))


def keep_alive(transport_socket: Any) -> None:
    """A machine that has vanished without a word is noticed within half a minute. As far as the platform can."""
    if transport_socket is None:
        return
    for name, level, value in _KEEPALIVE:
        option = getattr(socket, name, None)
        if option is None:
            continue
        try:
            transport_socket.setsockopt(level, option, value)
        except OSError:
            continue


def wrap_send_sync(
    send_sync: SendSync, comfy: Comfy, sockets: BridgeSockets, on_event: OnExecuted
) -> SendSync:
    """For `PromptServer.send_sync`, which ComfyUI's worker calls for each event, in its own thread."""

    def send(event: Any, data: Any, sid: str | None = None) -> None:
        on_event(event, data)
        if sid is not None or event == "status":
            send_sync(event, data, sid)
            return
        bridge_ids = sockets.ids()
        to_bridge = _is_of_bridge(comfy, data)
        for client_id in comfy.open_sockets():
            if (client_id in bridge_ids) == to_bridge:
                send_sync(event, data, client_id)

    return send


def wrap_send(send: Send, sockets: BridgeSockets, status: Callable[[], dict[str, Any]]) -> Send:
    """For `PromptServer.send`: the bridge hears how things stand right after ComfyUI's own greeting."""

    async def send_and_greet(event: Any, data: Any, sid: str | None = None) -> None:
        await send(event, data, sid)
        is_greeting = event == "status" and isinstance(data, dict) and "sid" in data
        if is_greeting and sid is not None and sid in sockets.ids():
            await send(STATUS_EVENT, status(), sid)

    return send_and_greet


def _is_of_bridge(comfy: Comfy, data: Any) -> bool:
    named = data.get("prompt_id") if isinstance(data, dict) else None
    running = comfy.running()
    if running is None or (named is not None and named != running.prompt_id):
        return any(item.is_bridge and item.prompt_id == named for item in comfy.queue())
    return running.is_bridge
