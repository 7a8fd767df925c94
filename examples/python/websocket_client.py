"""Runs a workflow and follows it over a WebSocket. See --help. Needs: pip install -r requirements.txt"""

import argparse
import json
import sys
import uuid
from email.parser import HeaderParser

import websocket

import bridge_calls as bridge

# The bridge is heard from every second, unless its operator set another TIMEOUT_INTERVAL.
SILENCE_SECONDS = 60


def run(args: argparse.Namespace) -> None:
    client_id = str(uuid.uuid4())
    info = bridge.get_workflow_info(args.server, args.workflow)
    values = {key: bridge.to_value(text, info.get(key, {}).get("type")) for key, text in args.input}
    values.update(bridge.upload_files(args.server, client_id, dict(args.image)))

    url = f"ws{args.server[len('http') :]}/ws?clientId={client_id}"
    try:
        socket = websocket.create_connection(url, timeout=SILENCE_SECONDS)
        try:
            bridge.submit(args.server, client_id, args.workflow, values)
            read_until_closed(socket)
        finally:
            socket.close()
    except websocket.WebSocketException as error:
        raise bridge.BridgeRefused(f"the connection to the bridge was lost: {error}") from error
    fetch_results(args, client_id)


def read_until_closed(socket: websocket.WebSocket) -> None:
    """Reads frames until the first `closed`."""
    for text in iter(socket.recv, ""):
        frame = json.loads(text)
        if frame["status"] == "closed":
            return
        if frame["status"] == "error":
            raise bridge.BridgeRefused(frame["detail"])
        if frame["status"] == "progress":
            print(frame["detail"])
    raise bridge.BridgeRefused("the bridge closed the connection")


def fetch_results(args: argparse.Namespace, client_id: str) -> None:
    """GET /history as multipart/form-data: the parts are result_0, result_1, …"""
    with bridge.call(f"{args.server}/history?clientId={client_id}") as response:
        if response.status == 204:
            raise bridge.BridgeRefused(response.headers.get("X-Detail", "there is no result"))
        boundary = response.headers.get_boundary()
        body = b"\r\n" + response.read()
    parts = body.split(b"\r\n--" + str(boundary).encode())[1:-1]
    for index, part in enumerate(parts):
        head, _, content = part.lstrip(b"\r\n").partition(b"\r\n\r\n")
        headers = HeaderParser().parsestr(head.decode())
        bridge.save_result(args.out, index, headers.get_filename(""), content)


if __name__ == "__main__":
    sys.exit(bridge.main(run))
