"""Runs a workflow with plain HTTP calls and polls for its progress. See --help. Needs nothing but Python."""

import argparse
import base64
import json
import sys
import time
import uuid

import bridge_calls as bridge

POLL_SECONDS = 0.5


def run(args: argparse.Namespace) -> None:
    client_id = str(uuid.uuid4())
    info = bridge.get_workflow_info(args.server, args.workflow)
    values = {key: bridge.to_value(text, info.get(key, {}).get("type")) for key, text in args.input}
    values.update(bridge.upload_files(args.server, client_id, dict(args.image)))
    bridge.submit(args.server, client_id, args.workflow, values)
    poll_until_closed(args.server, client_id)
    fetch_results(args, client_id)


def poll_until_closed(server: str, client_id: str) -> None:
    """Polls GET /execution-info until `closed`."""
    last = ""
    while True:
        with bridge.call(f"{server}/execution-info?clientId={client_id}") as response:
            info = json.load(response)
        if info["status"] == "closed":
            return
        if info["status"] == "error":
            raise bridge.BridgeRefused(info["detail"])
        if info["status"] == "progress" and info["detail"] != last:
            print(info["detail"])
        last = info["detail"]
        time.sleep(POLL_SECONDS)


def fetch_results(args: argparse.Namespace, client_id: str) -> None:
    """GET /history as JSON with base64."""
    with bridge.call(f"{args.server}/history?clientId={client_id}&resType=base64") as response:
        if response.status == 204:
            raise bridge.BridgeRefused(response.headers.get("X-Detail", "there is no result"))
        files = json.load(response)["files"]
    for index, file in enumerate(files):
        bridge.save_result(args.out, index, file["file_name"], base64.b64decode(file["content"]))


if __name__ == "__main__":
    sys.exit(bridge.main(run))
