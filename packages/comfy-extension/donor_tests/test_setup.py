from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from fake_comfy import FakeServer

from donor.donor import VERSION
from donor.setup import STARTED

PACK = Path(__file__).resolve().parent.parent
TOKEN = "0123456789abcdef"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    made = FakeServer(tmp_path)
    for name, module in made.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "server", SimpleNamespace(PromptServer=SimpleNamespace(instance=made)))
    for name in [name for name in os.environ if name.startswith("COMFY_BRIDGE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COMFY_BRIDGE_HOME", str(tmp_path / ".comfy-bridge"))
    (tmp_path / ".comfy-bridge").mkdir()
    return made


def load_pack(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """As ComfyUI does: by its path, under a name that is none."""
    name = str(PACK).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, PACK / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def donor_of(server: Any) -> Any:
    return getattr(server, STARTED, None)


async def test_without_the_launcher_the_pack_is_only_the_editors(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load_pack(monkeypatch)
    assert module.WEB_DIRECTORY == "./web"
    assert donor_of(server) is None
    assert len(server.app.middlewares) == 0
    server.add_routes()
    async with TestClient(TestServer(server.app)) as client:
        answer = await client.get("/comfy-bridge/status")
        assert await answer.json() == {"v": 1, "lent": False}


def test_outside_of_comfyui_it_can_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "server", raising=False)
    assert load_pack(monkeypatch).NODE_CLASS_MAPPINGS == {}


def test_with_it_donor_mode_starts(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFY_BRIDGE_DONOR", "1")
    monkeypatch.setenv("COMFY_BRIDGE_TOKEN", TOKEN)
    load_pack(monkeypatch)
    assert donor_of(server).config.token == TOKEN
    assert len(server.app.middlewares) == 1
    with pytest.raises(SystemExit, match="loaded twice"):
        load_pack(monkeypatch)


@pytest.mark.parametrize(
    "text", ['{"token": "0123456789abcdef", "tokn": 1}', '{"token": "short"}', '{"token": ', "\xff"]
)
def test_what_should_be_locked_does_not_start_open(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    (tmp_path / ".comfy-bridge" / "donor.json").write_bytes(text.encode("latin-1"))
    monkeypatch.setenv("COMFY_BRIDGE_DONOR", "1")
    with pytest.raises(SystemExit, match="comfy-bridge: not started") as caught:
        load_pack(monkeypatch)
    assert "\n" not in str(caught.value)
    assert "0123456789abcdef" not in str(caught.value)


def test_a_comfyui_of_an_unknown_shape_is_not_started_locked(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    del server.routes
    monkeypatch.setenv("COMFY_BRIDGE_DONOR", "1")
    monkeypatch.setenv("COMFY_BRIDGE_TOKEN", TOKEN)
    with pytest.raises(SystemExit):
        load_pack(monkeypatch)


def test_without_a_token_a_failure_is_only_logged(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ".comfy-bridge" / "donor.json").write_text('{"maxQueu": 1}')
    monkeypatch.setenv("COMFY_BRIDGE_DONOR", "1")
    load_pack(monkeypatch)
    assert donor_of(server) is None
    assert 'did you mean "maxQueue"' in caplog.text


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_says_when_others_can_read_the_token(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / ".comfy-bridge" / "donor.json"
    path.write_text(f'{{"token": "{TOKEN}"}}')
    path.chmod(0o644)
    monkeypatch.setenv("COMFY_BRIDGE_DONOR", "1")
    load_pack(monkeypatch)
    assert "can be read by others" in caplog.text


def test_the_version_is_the_packs() -> None:
    assert f'version = "{VERSION}"' in (PACK / "pyproject.toml").read_text(encoding="utf-8")
