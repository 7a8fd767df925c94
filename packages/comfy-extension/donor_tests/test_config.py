from __future__ import annotations

import json
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from donor.config import ConfigError, DonorConfig, has_token, load_config, parse_config

TOKEN = "0123456789abcdef"


def test_every_setting_has_a_default(tmp_path: Path) -> None:
    config = load_config(tmp_path, {})
    assert config == DonorConfig()
    assert not config.is_locked


def test_reads_the_file_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "donor.json").write_text(json.dumps({"token": TOKEN, "maxQueue": 3, "ownerWork": "share"}))
    environment = {
        "COMFY_BRIDGE_MAX_QUEUE": "5",
        "COMFY_BRIDGE_FREE_MEMORY": "false",
        "COMFY_BRIDGE_OWNER_FROM": "192.168.1.0/24, ::1",
        "COMFY_BRIDGE_MAX_BODY_MB": "1.5",
        "COMFY_BRIDGE_SCHEDULE": "22:00-08:00",
        "COMFY_BRIDGE_DONOR": "1",
    }
    config = load_config(tmp_path, environment)
    assert (config.token, config.max_queue, config.owner_work, config.free_memory) == (
        TOKEN,
        5,
        "share",
        False,
    )
    assert config.owner_from == (ip_network("192.168.1.0/24"), ip_network("::1"))
    assert config.max_body_bytes == 1_572_864
    assert config.schedule is not None


@pytest.mark.parametrize(
    ("key", "meant"),
    [("tokn", "token"), ("max_queue", "maxQueue"), ("OwnerForm", "ownerFrom"), ("keephours", "keepHours")],
)
def test_an_unknown_setting_is_told_the_nearest_known_one(key: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=f'did you mean "{meant}"'):
        parse_config({key: 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("token", "short"),
        ("token", "with spaces in it all over"),
        ("token", "x" * 513),
        ("token", "ä" * 20),
        ("token", 1234567890123456),
        ("ownerFrom", "lan"),
        ("ownerFrom", []),
        ("ownerFrom", ["192.168.1.0/33"]),
        ("ownerWork", "stop"),
        ("onPause", True),
        ("schedule", "never"),
        ("schedule", 8),
        ("freeMemory", "yes"),
        ("resumeAfterSeconds", -1),
        ("orphanSeconds", 0),
        ("maxQueue", 0),
        ("maxQueue", 2.5),
        ("maxQueue", True),
        ("requestsPerSecond", float("nan")),
        ("keepHours", "24"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_but_not_shown(key: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({key: value})
    assert f'"{key}"' in str(caught.value)
    assert key != "token" or str(value) not in str(caught.value)


def test_null_is_the_default() -> None:
    assert parse_config({"token": None, "schedule": ""}) == DonorConfig()


@pytest.mark.parametrize("text", ["{", "[]", "\xff"])
def test_a_broken_file_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "donor.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError):
        load_config(tmp_path, {})


def test_a_lock_is_meant_even_in_a_file_that_is_broken(tmp_path: Path) -> None:
    assert not has_token(tmp_path, {})
    assert has_token(tmp_path, {"COMFY_BRIDGE_TOKEN": "x"})
    (tmp_path / "donor.json").write_text('{"token": "x",')
    assert has_token(tmp_path, {})
    (tmp_path / "donor.json").write_bytes(b"\xff")
    assert has_token(tmp_path, {})
