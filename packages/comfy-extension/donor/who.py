"""Who is asking: the bridge, by its token; the owner, by where they sit; everybody else is a stranger.

A page in the owner's browser can make requests to this machine, and a name that the page's author controls can be made to point
here. So being near is not enough for an owner: the request must also name this machine by an address, or by a name that nobody
outside can own. And what came through a proxy comes from wherever the proxy's caller sits, not from the proxy.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Protocol, Union
from urllib.parse import urlsplit

from .config import DonorConfig

BRIDGE = "bridge"
OWNER = "owner"
STRANGER = "stranger"

FORWARDING_HEADERS = (
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Real-IP",
    "X-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "CF-Ray",
    "Via",
)
LOCAL_SUFFIXES = (".localhost", ".local", ".lan", ".home", ".internal", ".home.arpa")

Address = Union[IPv4Address, IPv6Address]


class Headers(Protocol):
    """What is needed of a request's headers: names in any case, and several values of one name."""

    def get(self, key: str) -> str | None: ...

    def getall(self, key: str, default: list[str]) -> list[str]: ...

    def __contains__(self, key: object) -> bool: ...


class Doorman:
    def __init__(self, config: DonorConfig) -> None:
        self._owner_from = config.owner_from
        self._digest = None if config.token is None else _digest(config.token)

    def recognise(self, headers: Headers, peer: str | None) -> str:
        """One of BRIDGE, OWNER, STRANGER. `peer`: the address of the other end of the connection."""
        given = headers.getall("Authorization", [])
        matches = self._is_token(given)
        is_owner = self._is_owner(headers, peer)
        if matches:
            return BRIDGE
        # Who shows a token that is wrong is a bridge with an old one, or a guess; never the owner.
        if is_owner and not any(_is_bearer(value) for value in given):
            return OWNER
        return STRANGER

    def _is_token(self, given: list[str]) -> bool:
        if self._digest is None:
            return False
        value = given[0] if len(given) == 1 else ""
        token = value[len("bearer ") :].strip() if _is_bearer(value) else ""
        # Digests have one length, so that nothing tells how long the token is, or how much of it was right.
        return hmac.compare_digest(_digest(token), self._digest)

    def _is_owner(self, headers: Headers, peer: str | None) -> bool:
        address = _parse_address(peer)
        hosts = headers.getall("Host", [])
        if address is None or len(hosts) != 1 or any(name in headers for name in FORWARDING_HEADERS):
            return False
        host = _host_name(hosts[0])
        if self._owner_from == "none" or host is None:
            return False
        if address.is_loopback:
            near = _is_loopback_name(host)
            return near if self._owner_from == "loopback" else near and self._covers(address)
        return self._covers(address) and _is_local_name(host)

    def _covers(self, address: Address) -> bool:
        if isinstance(self._owner_from, str):
            return False
        return any(address in network for network in self._owner_from)


def is_from_elsewhere(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that a page of another site sent this. Such a page must not command, whatever CORS allows."""
    if headers.get("Sec-Fetch-Site") == "cross-site":
        return True
    origin = headers.get("Origin")
    if origin is None:
        return False
    try:
        origin_host = urlsplit(origin).hostname
    except ValueError:
        return True
    return origin_host is None or origin_host != _host_name(headers.get("Host", ""))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _is_bearer(value: str) -> bool:
    return value[: len("bearer ")].lower() == "bearer "


def _parse_address(text: str | None) -> Address | None:
    if text is None:
        return None
    try:
        # An IPv6 address may carry the name of the interface.
        address = ip_address(text.split("%", 1)[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _host_name(host: str) -> str | None:
    try:
        parts = urlsplit("//" + host)
        name = parts.hostname
        _ = parts.port
    except ValueError:
        return None
    # Anything but a name and a port is no Host header that a browser or a client writes.
    if name is None or parts.path or parts.query or parts.fragment or "@" in host:
        return None
    return name.removesuffix(".")


def _is_loopback_name(name: str) -> bool:
    address = _parse_address(name)
    if address is not None:
        return address.is_loopback
    return name == "localhost" or name.endswith(".localhost")


def _is_local_name(name: str) -> bool:
    """An address, or a name that no public registry hands out."""
    if _parse_address(name) is not None:
        return True
    return "." not in name or name.endswith(LOCAL_SUFFIXES)
