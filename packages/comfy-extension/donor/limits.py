"""How much anybody may ask. Everything here has a bound, and takes the time as an argument."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

STRANGER_REQUESTS = 20
STRANGER_SECONDS = 60.0
MAX_STRANGERS = 4096


class TokenBucket:
    """`rate` a second, and `burst` at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._at: float | None = None

    def take(self, now: float) -> bool:
        if self._at is not None:
            self._level = min(self._burst, self._level + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


@dataclass
class _Window:
    since: float
    count: int


class StrangerLimit:
    """So many refusals a minute for one address; an IPv6 address counts as its /64, of which one household has all."""

    def __init__(self, max_addresses: int = MAX_STRANGERS) -> None:
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._max = max_addresses

    def is_over(self, peer: str | None, now: float) -> bool:
        key = _household(peer)
        window = self._windows.get(key)
        if window is None or not 0 <= now - window.since < STRANGER_SECONDS:
            self._windows.pop(key, None)
            self._windows[key] = window = _Window(now, 0)
            if len(self._windows) > self._max:
                self._windows.popitem(last=False)
        window.count += 1
        return window.count > STRANGER_REQUESTS

    def __len__(self) -> int:
        return len(self._windows)


def _household(peer: str | None) -> str:
    if peer is None:
        return ""
    try:
        address = ip_address(peer.split("%", 1)[0])
    except ValueError:
        return peer
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return address.packed[:8].hex()
    return str(address)
