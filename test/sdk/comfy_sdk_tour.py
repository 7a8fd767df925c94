"""What a program written with the official Python SDK does, against the server that COMFY_BASE_URL names.

Prints one line of JSON; the test beside it compares. Arguments: a picture, a folder for results.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from comfy_sdk import Comfy
from comfy_sdk.exceptions import ComfyError


def scale_graph() -> dict[str, Any]:
    scale = {"upscale_method": "nearest-exact", "width": 32, "height": 32, "crop": "disabled"}
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": "later.png"}},
        "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], **scale}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "sdk"}},
    }


def code_of(run: Any) -> str:
    try:
        run()
    except ComfyError as error:
        return str(error.code)
    return "none"


def main(picture: str, folder: str) -> None:
    with Comfy() as client:
        asset = client.assets.from_file(picture)
        asset.commit()
        again = client.assets.from_file(picture)
        again_id = again.commit()
        workflow = client.workflows.from_json(scale_graph())
        workflow.set_input("1", "image", asset)
        job = client.submit(workflow)
        kinds = [type(event).__name__ for event in job.events()]
        job.result()
        [output] = job.get_outputs("3")
        path = Path(folder) / "python.png"
        output.to_file(str(path))
        unknown = client.workflows.from_json({"1": {"class_type": "NoSuchNode", "inputs": {}}})
        missing = client.workflows.from_json(scale_graph())
        missing.set_input("1", "image", {"__type": "core/ASSET", "info": {"id": again_id}})
        client.assets.delete(again_id)
        report = {
            "created": [asset.created_new, again.created_new],
            "status": job.status,
            "last": kinds[-1],
            "outputs": kinds.count("OutputReady"),
            "type": output.content_type,
            "bytes": path.stat().st_size == output.size_bytes,
            "found": client.jobs.get(job.id).status,
            "unknown": code_of(lambda: client.submit(unknown)),
            "missing": code_of(lambda: client.submit(missing)),
        }
    print(json.dumps(report))


main(*sys.argv[1:])
