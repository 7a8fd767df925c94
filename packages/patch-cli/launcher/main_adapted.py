"""Starts this folder's ComfyUI in donor mode of the comfy-bridge pack: `python main_adapted.py [ComfyUI's own options]`.

ComfyUI's own main.py is run as it is. All that is done here is to look, before anything is loaded, whether ComfyUI would start
with the pack, and with a lock where others can reach it.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import os
import runpy
import socket
import sys
from pathlib import Path

PACK = "comfy-bridge"
OPEN_TO_ALL = "0.0.0.0,::"
DEFAULT_PORT = 8188
LOCKED = "comfy_bridge_locked"
OWN_OPTIONS = ("--bridge-help", "--bridge-insecure")

HELP = """usage: python main_adapted.py [options of this launcher] [options of ComfyUI]

Starts ComfyUI lent to a bridge. Options of ComfyUI are handed on as they are.

  --bridge-help       this text
  --bridge-insecure   start although others could reach this ComfyUI and no token locks it

Settings are in .comfy-bridge/donor.json beside main.py, or in the environment (COMFY_BRIDGE_TOKEN and so on).
"""


class Refusal(Exception):
    """ComfyUI is not started; the message says why and what to do."""


def main() -> None:
    comfy = Path(__file__).resolve().parent
    arguments = sys.argv[1:]
    if "--bridge-help" in arguments:
        print(HELP)
        return
    is_insecure = "--bridge-insecure" in arguments
    try:
        arguments = prepare(comfy, arguments)
        if has_token(comfy) and not is_insecure:
            stay_shut_until_locked(port_of(arguments))
    except Refusal as refusal:
        print(f"comfy-bridge: {refusal}", file=sys.stderr)
        raise SystemExit(2) from None
    run(comfy, arguments)


def prepare(comfy: Path, arguments: list[str]) -> list[str]:
    """The arguments for main.py. Raises Refusal."""
    is_insecure = "--bridge-insecure" in arguments
    check_own_options(arguments)
    arguments = [argument for argument in arguments if argument not in OWN_OPTIONS]
    if not (comfy / "main.py").is_file():
        raise Refusal(f"there is no main.py in {comfy}; put main_adapted.py into ComfyUI's own folder")
    base = value_of(arguments, "--base-directory", "--ba")
    find_pack(comfy if base is None else Path(base).resolve())
    if not is_insecure:
        check_lock(comfy, arguments)
    return allow_pack(comfy, arguments)


def run(comfy: Path, arguments: list[str]) -> None:
    home = comfy / ".comfy-bridge"
    os.environ["COMFY_BRIDGE_DONOR"] = "1"
    os.environ["COMFY_BRIDGE_HOME"] = str(home)
    main_py = str(comfy / "main.py")
    sys.argv = [main_py, *arguments]
    # run_path puts no folder of the script there, and an embedded Python has none by itself.
    if sys.path[:1] != [str(comfy)]:
        sys.path.insert(0, str(comfy))
    # Under another name main.py would choose neither the device nor how memory is allocated.
    runpy.run_path(main_py, run_name="__main__")


def stay_shut_until_locked(port: int) -> None:
    """ComfyUI goes on without a pack that it could not load, or was told not to. Then it must not be reached.

    The pack leaves its mark in `sys` once its gate is in place, which is before ComfyUI opens its port.
    """
    listen = socket.socket.listen

    def listen_if_locked(self: socket.socket, *backlog: int) -> None:
        if is_port(self, port) and not getattr(sys, LOCKED, False):
            print(
                "comfy-bridge: not started, because it would not be locked: ComfyUI did not load the pack. What it said of "
                f"{PACK} stands above; comfy-bridge-patch doctor may know more",
                file=sys.stderr,
            )
            raise SystemExit(2)
        listen(self, *backlog)

    socket.socket.listen = listen_if_locked  # type: ignore[assignment, method-assign]


def is_port(opened: socket.socket, port: int) -> bool:
    name = opened.getsockname()
    return isinstance(name, tuple) and len(name) > 1 and name[1] == port


def port_of(arguments: list[str]) -> int:
    port = value_of(arguments, "--port", "--po") or ""
    return int(port) if port.isdecimal() else DEFAULT_PORT


def check_own_options(arguments: list[str]) -> None:
    for argument in arguments:
        if not argument.startswith("--bridge") or argument in OWN_OPTIONS:
            continue
        close = difflib.get_close_matches(argument, OWN_OPTIONS, n=1)
        hint = f"did you mean {close[0]}?" if close else "see --bridge-help"
        raise Refusal(f"there is no option {argument}; {hint}")


def find_pack(base: Path) -> None:
    folder = base / "custom_nodes" / PACK
    if (folder / "__init__.py").is_file() and (folder / "donor" / "setup.py").is_file():
        return
    if folder.with_name(PACK + ".disabled").exists():
        raise Refusal(f"the pack is switched off; rename {folder}.disabled to {PACK}")
    raise Refusal(f"the pack is not in {folder}; install it there with: comfy-bridge-patch install <ComfyUI>")


def check_lock(comfy: Path, arguments: list[str]) -> None:
    if has_token(comfy):
        return
    for address in listens_at(arguments):
        if not is_loopback(address):
            raise Refusal(
                f"--listen {address} lets others reach this ComfyUI, and no token locks it. Set a token in "
                f"{comfy / '.comfy-bridge' / 'donor.json'} or COMFY_BRIDGE_TOKEN, listen at 127.0.0.1, "
                "or add --bridge-insecure if nobody but you is in this network"
            )


def has_token(comfy: Path) -> bool:
    if os.environ.get("COMFY_BRIDGE_TOKEN"):
        return True
    path = comfy / ".comfy-bridge" / "donor.json"
    try:
        settings = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise Refusal(
            f"{path} cannot be read ({type(error).__name__}); it must be one JSON object"
        ) from error
    return isinstance(settings, dict) and bool(settings.get("token"))


def listens_at(arguments: list[str]) -> list[str]:
    listen = value_of(arguments, "--listen", "--li", alone=OPEN_TO_ALL)
    return [] if listen is None else [part.strip() for part in listen.split(",")]


def is_loopback(address: str) -> bool:
    if address.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def allow_pack(comfy: Path, arguments: list[str]) -> list[str]:
    """With all packs switched off, this one is asked for by name."""
    if not any(is_option(argument, "--disable-all-custom-nodes", "--disable-al") for argument in arguments):
        return arguments
    try:
        options = (comfy / "comfy" / "cli_args.py").read_text(encoding="utf-8")
    except OSError:
        options = ""
    if "--whitelist-custom-nodes" not in options:
        raise Refusal(
            "--disable-all-custom-nodes switches the pack off, and this ComfyUI cannot make an exception of it "
            "(it has no --whitelist-custom-nodes); leave --disable-all-custom-nodes out"
        )
    at = [
        i for i, argument in enumerate(arguments) if is_option(argument, "--whitelist-custom-nodes", "--wh")
    ]
    if not at:
        return [*arguments, "--whitelist-custom-nodes", PACK]
    # Only the last one counts.
    option, equals, value = arguments[at[-1]].partition("=")
    listed = [option, PACK, *([value] if equals else [])]
    return [*arguments[: at[-1]], *listed, *arguments[at[-1] + 1 :]]


def value_of(arguments: list[str], option: str, shortest: str, alone: str | None = None) -> str | None:
    """What main.py would read: of the last one, written with `=` or as the next argument. `alone`: without any value."""
    found = None
    for i, argument in enumerate(arguments):
        if not is_option(argument, option, shortest):
            continue
        _, equals, value = argument.partition("=")
        following = arguments[i + 1] if i + 1 < len(arguments) else "-"
        found = value if equals else alone if following.startswith("-") else following
    return found


def is_option(argument: str, option: str, shortest: str) -> bool:
    """main.py takes the beginning of an option for the option, from where it is the only one that begins so."""
    name = argument.partition("=")[0]
    return option.startswith(name) and len(name) >= len(shortest)


if __name__ == "__main__":
    main()
