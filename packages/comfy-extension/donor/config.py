"""What the owner has set: `donor.json` in the state folder, and the environment, which wins."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Callable, Union

from .schedule import Schedule, ScheduleError, parse_schedule

Network = Union[IPv4Network, IPv6Network]
OwnerFrom = Union[str, tuple[Network, ...]]
"""`loopback`, `none`, or networks."""

ENV_PREFIX = "COMFY_BRIDGE_"


class ConfigError(ValueError):
    """A setting that cannot be used. The message names it, never its value: it may be the token."""


@dataclass(frozen=True)
class DonorConfig:
    token: str | None = None
    owner_from: OwnerFrom = "loopback"
    schedule: Schedule | None = None
    owner_work: str = "pause"
    on_pause: str = "interrupt"
    resume_after_seconds: float = 120
    free_memory: bool = True
    orphan_seconds: float = 30
    max_body_mb: float = 256
    requests_per_second: float = 50
    max_queue: int = 8
    keep_hours: float = 24

    @property
    def is_locked(self) -> bool:
        return self.token is not None

    @property
    def max_body_bytes(self) -> int:
        return int(self.max_body_mb * 1024 * 1024)


def load_config(home: Path, environment: Mapping[str, str]) -> DonorConfig:
    """Raises ConfigError. A missing `donor.json` is an empty one."""
    settings = _read_file(home / "donor.json")
    settings.update(_read_environment(environment))
    return parse_config(settings)


def has_token(home: Path, environment: Mapping[str, str]) -> bool:
    """Whether a lock was meant, even where the rest of the settings is broken: such a ComfyUI must not start open."""
    if environment.get(ENV_PREFIX + "TOKEN"):
        return True
    try:
        text = (home / "donor.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError):
        return True
    return '"token"' in text


def parse_config(settings: Mapping[str, Any]) -> DonorConfig:
    values: dict[str, Any] = {}
    for key, value in settings.items():
        if key not in _KEYS:
            raise ConfigError(f'donor settings: there is no "{key}"{_nearest(key)}')
        if value is not None:
            values[_snake(key)] = _KEYS[key](key, value)
    return DonorConfig(**values)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"donor.json cannot be read: {type(error).__name__}; it must be one JSON object"
        ) from error
    if not isinstance(settings, dict):
        raise ConfigError("donor.json must be one JSON object")
    return settings


def _read_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in _KEYS:
        text = environment.get(ENV_PREFIX + _snake(key).upper())
        if text is not None and text != "":
            found[key] = _from_text(key, text)
    return found


def _from_text(key: str, text: str) -> Any:
    parse = _KEYS[key]
    if parse is _parse_flag:
        if text.lower() in ("1", "true", "yes", "on"):
            return True
        return False if text.lower() in ("0", "false", "no", "off") else text
    if key == "ownerFrom" and text not in ("loopback", "none"):
        return [part.strip() for part in text.split(",")]
    if parse in (
        _parse_token,
        _parse_owner_work,
        _parse_on_pause,
        _parse_schedule_setting,
        _parse_owner_from,
    ):
        return text
    try:
        return float(text)
    except ValueError:
        return text


def _nearest(key: str) -> str:
    folded = {known.lower(): known for known in _KEYS}
    close = difflib.get_close_matches(key.lower().replace("_", ""), list(folded), n=1, cutoff=0.5)
    return f'; did you mean "{folded[close[0]]}"?' if close else f"; known are: {', '.join(_KEYS)}"


def _snake(key: str) -> str:
    return re.sub(r"([A-Z])", lambda match: "_" + match.group(1).lower(), key)


def _parse_token(key: str, value: Any) -> str:
    if not isinstance(value, str) or re.fullmatch(r"[!-~]{16,512}", value) is None:
        raise ConfigError(
            f'donor settings: "{key}" must be 16 to 512 printable ASCII characters without spaces'
        )
    return value


def _parse_owner_from(key: str, value: Any) -> OwnerFrom:
    if value in ("loopback", "none"):
        return str(value)
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise ConfigError(
            f'donor settings: "{key}" must be "loopback", "none" or a list of networks like "192.168.1.0/24"'
        )
    try:
        return tuple(ip_network(item, strict=False) for item in value)
    except ValueError as error:
        raise ConfigError(
            f'donor settings: "{key}" has an entry that is no network like "192.168.1.0/24"'
        ) from error


def _parse_schedule_setting(key: str, value: Any) -> Schedule | None:
    if not isinstance(value, str):
        raise ConfigError(f'donor settings: "{key}" must be a text like "22:00-08:00"')
    if value.strip() == "":
        return None
    try:
        return parse_schedule(value)
    except ScheduleError as error:
        raise ConfigError(f'donor settings: "{key}": {error}') from error


def _one_of(*choices: str) -> Callable[[str, Any], str]:
    def parse(key: str, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ConfigError(f'donor settings: "{key}" must be one of: {", ".join(choices)}')
        return value

    return parse


def _number(low: float, high: float) -> Callable[[str, Any], float]:
    def parse(key: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ConfigError(f'donor settings: "{key}" must be a number')
        if not low <= value <= high:
            raise ConfigError(f'donor settings: "{key}" must be from {low:g} to {high:g}')
        return value

    return parse


def _parse_flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f'donor settings: "{key}" must be true or false')
    return value


def _parse_max_queue(key: str, value: Any) -> int:
    number = _number(1, 1000)(key, value)
    if number != int(number):
        raise ConfigError(f'donor settings: "{key}" must be a whole number')
    return int(number)


_parse_owner_work = _one_of("pause", "share")
_parse_on_pause = _one_of("interrupt", "finish")

_KEYS: dict[str, Callable[[str, Any], Any]] = {
    "token": _parse_token,
    "ownerFrom": _parse_owner_from,
    "schedule": _parse_schedule_setting,
    "ownerWork": _parse_owner_work,
    "onPause": _parse_on_pause,
    "resumeAfterSeconds": _number(0, 86_400),
    "freeMemory": _parse_flag,
    "orphanSeconds": _number(1, 86_400),
    "maxBodyMb": _number(1, 65_536),
    "requestsPerSecond": _number(1, 10_000),
    "maxQueue": _parse_max_queue,
    "keepHours": _number(0.1, 8_760),
}
