from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from multidict import CIMultiDict

from donor.config import DonorConfig
from donor.who import BRIDGE, FORWARDING_HEADERS, OWNER, STRANGER, Doorman, is_from_elsewhere

TOKEN = "0123456789abcdef-token"
LAN = (ip_network("192.168.1.0/24"), ip_network("fd00::/8"))


def ask(
    peer: str | None = "127.0.0.1", owner_from: Any = "loopback", token: str | None = TOKEN, **headers: str
) -> str:
    pairs = {"host": "127.0.0.1:8188", **{key.replace("_", "-"): value for key, value in headers.items()}}
    return Doorman(DonorConfig(token=token, owner_from=owner_from)).recognise(CIMultiDict(pairs), peer)


@pytest.mark.parametrize("value", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN} "])
def test_the_token_is_the_bridge_from_anywhere(value: str) -> None:
    assert ask("203.0.113.9", authorization=value, host="any.example", x_forwarded_for="1.2.3.4") == BRIDGE
    assert ask("127.0.0.1", authorization=value) == BRIDGE


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        TOKEN,
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer \udcff",
        f"Bearer {TOKEN} {TOKEN}",
    ],
)
def test_anything_else_is_not(value: str) -> None:
    assert ask("203.0.113.9", authorization=value) == STRANGER


def test_two_tokens_are_none() -> None:
    headers = CIMultiDict(
        [("Host", "x"), ("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer x")]
    )
    assert Doorman(DonorConfig(token=TOKEN)).recognise(headers, "203.0.113.9") == STRANGER


def test_a_wrong_token_is_never_the_owners() -> None:
    assert ask(authorization="Bearer wrong") == STRANGER


def test_no_token_opens_where_none_is_set() -> None:
    assert ask("203.0.113.9", token=None, authorization="Bearer ") == STRANGER
    assert ask("203.0.113.9", token=None) == STRANGER
    assert ask(token=None) == OWNER


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize(
    "host", ["127.0.0.1:8188", "localhost", "LOCALHOST:1", "localhost.:80", "[::1]:8188", "ui.localhost"]
)
def test_the_owner_sits_at_this_machine(peer: str, host: str) -> None:
    assert ask(peer, host=host) == OWNER


@pytest.mark.parametrize(
    "peer", [None, "", "x", "192.168.1.5", "::ffff:192.168.1.5", "fe80::1%eth0", "0.0.0.0", "2130706433"]
)
def test_nobody_else_sits_there(peer: str | None) -> None:
    assert ask(peer) == STRANGER


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "evil.example/127.0.0.1",
     "192.168.1.5", "", "127.0.0.1:x", "[::1", "localhost:80:80", "2130706433"],
)  # fmt: skip
def test_a_name_that_was_made_to_point_here_is_refused(host: str) -> None:
    assert ask(host=host) == STRANGER


def test_two_hosts_or_none_are_refused() -> None:
    doorman = Doorman(DonorConfig(token=TOKEN))
    assert (
        doorman.recognise(CIMultiDict([("Host", "localhost"), ("Host", "evil.example")]), "127.0.0.1")
        == STRANGER
    )
    assert doorman.recognise(CIMultiDict(), "127.0.0.1") == STRANGER


@pytest.mark.parametrize("name", FORWARDING_HEADERS)
def test_what_was_handed_on_is_not_the_owners(name: str) -> None:
    assert ask(**{name.lower().replace("-", "_"): ""}) == STRANGER
    assert ask(**{name.upper().replace("-", "_"): "127.0.0.1"}) == STRANGER


def test_nobody_is_the_owner_where_none_is_wanted() -> None:
    assert ask(owner_from="none") == STRANGER


@pytest.mark.parametrize(
    ("peer", "host", "who"),
    [
        ("192.168.1.7", "192.168.1.5:8188", OWNER),
        ("192.168.1.7", "gpu-pc", OWNER),
        ("192.168.1.7", "gpu-pc.local:8188", OWNER),
        ("fd00::7", "[fd00::1]:8188", OWNER),
        ("::ffff:192.168.1.7", "192.168.1.5", OWNER),
        ("192.168.1.7", "evil.example", STRANGER),
        ("192.168.2.7", "192.168.1.5", STRANGER),
        ("127.0.0.1", "127.0.0.1", STRANGER),
    ],
)
def test_networks_are_the_owners_as_far_as_listed(peer: str, host: str, who: str) -> None:
    assert ask(peer, host=host, owner_from=LAN) == who


@pytest.mark.parametrize(
    ("headers", "elsewhere"),
    [
        ({}, False),
        ({"Origin": "http://127.0.0.1:8188"}, False),
        ({"Origin": "http://127.0.0.1:5173"}, False),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://[x"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8188"}, False),
    ],
)
def test_knows_a_page_of_another_site(headers: dict[str, str], elsewhere: bool) -> None:
    assert is_from_elsewhere({"Host": "127.0.0.1:8188", **headers}) is elsewhere
