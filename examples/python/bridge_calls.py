"""What both example clients do alike: read the arguments, ask for the inputs, upload, submit, save."""

from __future__ import annotations

import argparse
import json
import mimetypes
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, Callable

TIMEOUT_SECONDS = 600


class BridgeRefused(Exception):
    """The bridge said no, or the job failed; the message is the reason that it gave."""


def main(run: Callable[[argparse.Namespace], None]) -> int:
    """Runs a client: exit code 1 and the reason on standard error when anything fails."""
    try:
        run(read_arguments())
    except (BridgeRefused, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs a workflow of the bridge and saves its results.")
    parser.add_argument("server", help="such as http://127.0.0.1:8000", type=lambda url: url.rstrip("/"))
    parser.add_argument("workflow", help="an alias of GET /workflow-list")
    parser.add_argument(
        "--input",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        type=split_pair,
        help='an input of GET /workflow-info, such as "6/text=a cat"; may be repeated',
    )
    parser.add_argument(
        "--image",
        metavar="KEY=PATH",
        action="append",
        default=[],
        type=split_pair,
        help="a file for an input, such as 10/image=photo.png; may be repeated",
    )
    parser.add_argument(
        "--out", metavar="DIR", default=Path("results"), type=Path, help="where the results go"
    )
    return parser.parse_args()


def split_pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f'"{text}" is not key=value')
    return key, value


def call(url: str, body: bytes | None = None, content_type: str = "application/json") -> HTTPResponse:
    """GET, or POST when there is a body. What the bridge refuses is raised with the reason that it gives."""
    request = urllib.request.Request(url, body, {"Content-Type": content_type} if body else {})
    try:
        response: HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
        return response
    except urllib.error.HTTPError as error:
        text = error.read().decode("utf-8", "replace")
        detail = json.loads(text)["detail"] if text.startswith("{") else f"{error.code} {text[:200]}"
        raise BridgeRefused(detail) from error


def get_workflow_info(server: str, workflow: str) -> dict[str, dict[str, Any]]:
    """GET /workflow-info: which inputs the workflow has, and of which type."""
    query = urllib.parse.urlencode({"workflow": workflow})
    with call(f"{server}/workflow-info?{query}") as response:
        info: dict[str, dict[str, Any]] = json.load(response)
    return info


def to_value(text: str, kind: str | None) -> Any:
    """The value as the workflow wants it: a number or a boolean instead of text. The bridge says what is wrong with it."""
    try:
        if kind == "int":
            return int(text)
        if kind == "float":
            return float(text)
    except ValueError:
        return text
    return text == "true" if kind == "bool" and text in ("true", "false") else text


def upload_files(server: str, client_id: str, images: dict[str, str]) -> dict[str, str]:
    """POST /upload: all files in one request. Returns the saved name for each key."""
    if not images:
        return {}
    boundary = uuid.uuid4().hex
    body = bytearray()
    for key, path in images.items():
        name = urllib.parse.quote(Path(path).name, safe=" ()+,-._~")
        content_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
        body += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"; filename="{name}"\r\n'.encode()
        )
        body += f"Content-Type: {content_type}\r\n\r\n".encode() + Path(path).read_bytes() + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    url = f"{server}/upload?clientId={client_id}"
    with call(url, bytes(body), f"multipart/form-data; boundary={boundary}") as response:
        saved: dict[str, str] = json.load(response)
    return saved


def submit(server: str, client_id: str, workflow: str, values: dict[str, Any]) -> None:
    """POST /generate-based-workflow: what is not among the values keeps the author's default."""
    body = json.dumps({"workflow": workflow, **values}).encode()
    call(f"{server}/generate-based-workflow?clientId={client_id}", body).close()


def save_result(out: Path, index: int, file_name: str, content: bytes) -> None:
    """Saves a result as result_0.png: of the server's file name only the extension is used."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"result_{index}{Path(file_name).suffix}"
    path.write_bytes(content)
    print(f"saved {path}")
