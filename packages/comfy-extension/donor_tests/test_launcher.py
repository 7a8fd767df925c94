from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LAUNCHER = Path(__file__).resolve().parents[2] / "patch-cli" / "launcher" / "main_adapted.py"
MAIN = """
import json, os, sys
print(json.dumps({
    "name": __name__, "file": __file__, "argv": sys.argv, "path0": sys.path[0], "cwd": os.getcwd(),
    "main": sys.modules["__main__"].__file__,
    "env": {key: value for key, value in os.environ.items() if key.startswith("COMFY_BRIDGE_")},
    "heavy": [name for name in ("torch", "server", "nodes", "aiohttp") if name in sys.modules],
}))
if "--exit" in sys.argv:
    sys.exit(int(sys.argv[sys.argv.index("--exit") + 1]))
if "--fail" in sys.argv:
    raise RuntimeError("failed")
"""


@pytest.fixture
def comfy(tmp_path: Path) -> Path:
    folder = tmp_path / "My ComfyUI – Größe"
    pack = folder / "custom_nodes" / "comfy-bridge"
    (pack / "donor").mkdir(parents=True)
    (pack / "__init__.py").write_text("")
    (pack / "donor" / "setup.py").write_text("")
    (folder / "comfy").mkdir()
    (folder / "comfy" / "cli_args.py").write_text('parser.add_argument("--whitelist-custom-nodes")')
    (folder / "main.py").write_text(MAIN, encoding="utf-8")
    (folder / "main_adapted.py").write_text(LAUNCHER.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def launch(comfy: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("COMFY_BRIDGE_")}
    return subprocess.run(
        [sys.executable, str(comfy / "main_adapted.py"), *arguments],
        cwd=comfy.parent,
        env={**clean, "PYTHONUTF8": "1", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def seen(comfy: Path, *arguments: str, **environment: str) -> Any:
    done = launch(comfy, *arguments, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(comfy: Path, *arguments: str, **environment: str) -> str:
    done = launch(comfy, *arguments, **environment)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("comfy-bridge: ")
    assert "Traceback" not in done.stderr
    return done.stderr


def set_token(comfy: Path) -> None:
    (comfy / ".comfy-bridge").mkdir()
    (comfy / ".comfy-bridge" / "donor.json").write_text('{"token": "0123456789abcdef"}')


def test_main_runs_as_if_it_were_started_itself(comfy: Path) -> None:
    told = seen(comfy, "--cpu", "--port", "8190", "--preview-method", "auto")
    assert told["name"] == "__main__"
    assert told["argv"] == [str(comfy / "main.py"), "--cpu", "--port", "8190", "--preview-method", "auto"]
    assert told["file"] == told["main"] == str(comfy / "main.py")
    assert told["path0"] == str(comfy)
    assert told["cwd"] == str(comfy.parent)
    assert told["env"] == {"COMFY_BRIDGE_DONOR": "1", "COMFY_BRIDGE_HOME": str(comfy / ".comfy-bridge")}
    assert told["heavy"] == []


def test_the_exit_code_is_mains(comfy: Path) -> None:
    assert launch(comfy, "--exit", "7").returncode == 7
    failed = launch(comfy, "--fail")
    assert failed.returncode == 1
    assert "RuntimeError: failed" in failed.stderr


def test_help_starts_nothing(comfy: Path) -> None:
    done = launch(comfy, "--bridge-help", "--listen")
    assert done.returncode == 0
    assert "--bridge-insecure" in done.stdout


def test_an_unknown_option_of_its_own_is_refused(comfy: Path) -> None:
    assert "did you mean --bridge-insecure" in refused(comfy, "--bridge-insecur")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--listen"],
        ["--listen", "--cpu"],
        ["--listen", "0.0.0.0"],
        ["--listen=0.0.0.0,::"],
        ["--listen", "127.0.0.1,192.168.1.5"],
        ["--list", "0.0.0.0"],
        ["--listen", "127.0.0.1", "--listen", "::"],
        ["--listen", "gpu-pc.local"],
    ],
)
def test_open_to_others_needs_a_token(comfy: Path, arguments: list[str]) -> None:
    assert "no token locks it" in refused(comfy, *arguments)
    assert seen(comfy, *arguments, "--bridge-insecure")["argv"][1:] == arguments
    assert seen(comfy, *arguments, COMFY_BRIDGE_TOKEN="0123456789abcdef")["argv"][1:] == arguments
    set_token(comfy)
    assert seen(comfy, *arguments)["argv"][1:] == arguments


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1,::1", "localhost"])
def test_this_machine_alone_needs_none(comfy: Path, address: str) -> None:
    assert seen(comfy, "--listen", address)["argv"][1:] == ["--listen", address]


def test_settings_that_cannot_be_read_are_no_token(comfy: Path) -> None:
    set_token(comfy)
    (comfy / ".comfy-bridge" / "donor.json").write_text("{")
    assert "cannot be read" in refused(comfy, "--listen")


def test_the_pack_must_be_there(comfy: Path) -> None:
    pack = comfy / "custom_nodes" / "comfy-bridge"
    (pack / "donor" / "setup.py").unlink()
    assert "comfy-bridge-patch install" in refused(comfy)
    pack.rename(pack.with_name("comfy-bridge.disabled"))
    assert "switched off" in refused(comfy)


def test_the_pack_is_looked_for_in_the_base_directory(comfy: Path, tmp_path: Path) -> None:
    base = tmp_path / "base dir"
    base.mkdir()
    for form in (["--base-directory", str(base)], [f"--base-directory={base}"], ["--base-dir", str(base)]):
        assert str(base) in refused(comfy, *form)
    (comfy / "custom_nodes").rename(base / "custom_nodes")
    assert seen(comfy, "--base-directory", "base dir")["argv"][2] == "base dir"
    refused(comfy)


@pytest.mark.parametrize(
    ("given", "handed_on"),
    [
        (
            ["--disable-all-custom-nodes"],
            ["--disable-all-custom-nodes", "--whitelist-custom-nodes", "comfy-bridge"],
        ),
        (
            ["--whitelist-custom-nodes", "a", "b", "--disable-all-custom-nodes"],
            ["--whitelist-custom-nodes", "comfy-bridge", "a", "b", "--disable-all-custom-nodes"],
        ),
        (
            ["--disable-all", "--whitelist-custom-nodes=a"],
            ["--disable-all", "--whitelist-custom-nodes", "comfy-bridge", "a"],
        ),
        (["--disable-api-nodes"], ["--disable-api-nodes"]),
    ],
)
def test_with_all_packs_off_this_one_stays_on(comfy: Path, given: list[str], handed_on: list[str]) -> None:
    assert seen(comfy, *given)["argv"][1:] == handed_on


def test_a_version_that_knows_no_exception_is_explained(comfy: Path) -> None:
    (comfy / "comfy" / "cli_args.py").write_text("")
    assert "leave --disable-all-custom-nodes out" in refused(comfy, "--disable-all-custom-nodes")


def test_a_launcher_in_the_wrong_folder_says_so(comfy: Path) -> None:
    (comfy / "main.py").unlink()
    assert "ComfyUI's own folder" in refused(comfy)


LISTENING = """
import socket, sys
for mark, port in ((False, "other"), (True, "own")) if "--pack-loads" in sys.argv else ((False, "other"), (False, "own")):
    sys.comfy_bridge_locked = mark
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", int(sys.argv[2]) if port == "own" else 0))
        opened.listen()
    print("listened", port)
"""


def free_port() -> str:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return str(opened.getsockname()[1])


def test_a_comfyui_that_did_not_load_the_pack_is_never_reached(comfy: Path) -> None:
    set_token(comfy)
    (comfy / "main.py").write_text(LISTENING)
    done = launch(comfy, "--port", free_port())
    assert done.returncode == 2
    assert done.stdout.split("\n") == ["listened other", ""]
    assert "would not be locked" in done.stderr
    assert "Traceback" not in done.stderr


def test_one_that_did_opens_its_port(comfy: Path) -> None:
    set_token(comfy)
    (comfy / "main.py").write_text(LISTENING)
    done = launch(comfy, "--port", free_port(), "--pack-loads")
    assert (done.returncode, done.stdout) == (0, "listened other\nlistened own\n"), done.stderr


@pytest.mark.parametrize("option", ["--bridge-insecure", None])
def test_without_a_token_or_when_told_so_it_opens_its_port_in_any_case(
    comfy: Path, option: str | None
) -> None:
    (comfy / "main.py").write_text(LISTENING)
    if option is not None:
        set_token(comfy)
    done = launch(comfy, "--port", free_port(), *([] if option is None else [option]))
    assert (done.returncode, done.stdout) == (0, "listened other\nlistened own\n"), done.stderr
