"""What the bridge's token opens, and by which rule; nothing else answers it.

Routes are named as aiohttp has resolved them, not by the text of the path, so that no spelling of a path gets past: what is
checked is what will run. Names of parameters differ between versions and are left out.
"""

from __future__ import annotations

import re

PASS = "pass"
"""ComfyUI's own answer, as it is."""

_RULES: dict[tuple[str, str], str] = {
    ("GET", "/ws"): "socket",
    ("GET", "/prompt"): PASS,
    ("POST", "/prompt"): "prompt",
    ("GET", "/queue"): "queue",
    ("POST", "/queue"): "drop",
    ("POST", "/interrupt"): "interrupt",
    ("GET", "/history"): "history",
    ("GET", "/history/{}"): "history",
    ("POST", "/history"): "forget-history",
    ("GET", "/view"): "view",
    ("POST", "/upload/image"): "upload",
    ("GET", "/object_info"): "definitions",
    ("GET", "/object_info/{}"): "definitions",
    ("GET", "/system_stats"): "system-stats",
    ("GET", "/features"): PASS,
    ("POST", "/free"): "free",
    ("GET", "/models"): PASS,
    ("GET", "/models/{}"): PASS,
    ("GET", "/embeddings"): PASS,
    ("GET", "/api/jobs/{}"): "job",
    ("POST", "/api/jobs/{}/cancel"): "job",
    ("GET", "/comfy-bridge/status"): PASS,
    ("POST", "/comfy-bridge/forget"): PASS,
}

_JOB_PATH = re.compile(r"/api/jobs/[^/]+(/cancel)?")


def bridge_rule(method: str, canonical: str | None, path: str) -> str | None:
    """The rule for a route, None where it stays closed. `canonical`: of the resolved resource, None where there is none.

    ComfyUI's job routes are missing in many versions. There the bridge must hear that they are (404), not that they are closed.
    What no route takes is left to the folder of the editor's own files, which aiohttp names by an empty text.
    """
    if not canonical:
        return "missing-job" if _JOB_PATH.fullmatch(path) and method in ("GET", "POST") else None
    plain = re.sub(r"\{[^}]*\}", "{}", canonical)
    rule = _RULES.get((method, plain))
    if rule is None and plain.startswith("/api/"):
        rule = _RULES.get((method, plain[len("/api") :]))
    return rule
