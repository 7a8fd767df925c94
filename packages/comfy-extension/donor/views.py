"""What each side sees of the other in ComfyUI's lists. Works on the answers, so that it follows their shape in any version."""

from __future__ import annotations

import json
from typing import Any, Callable

from aiohttp import web

from .comfy import is_marked

CREATE_TIME = "create_time"


def rewrite_json(response: web.StreamResponse, change: Callable[[Any], Any]) -> web.StreamResponse:
    """An answer that is no JSON, such as an error, stays as it is."""
    text = _text_of(response)
    if text is None or not isinstance(response, web.Response):
        return response
    try:
        value = json.loads(text)
    except ValueError:
        return response
    response.text = json.dumps(change(value))
    return response


def read_json(response: web.StreamResponse) -> Any:
    text = _text_of(response)
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return None


def hide_graphs(of_bridge: bool) -> Callable[[Any], Any]:
    """For `/queue`: whose items lose their graph and all that goes with it. They stay, so that the depth is right."""

    def change(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        # What a newer version adds stays with the owner.
        return {
            key: [_hide(item, of_bridge) for item in items] if isinstance(items, list) else items
            for key, items in value.items()
            if isinstance(items, list) or of_bridge
        }

    return change


def only_history(of_bridge: bool) -> Callable[[Any], Any]:
    """For `/history`: only the entries of one side."""

    def change(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: entry for key, entry in value.items() if _is_bridge_entry(entry) == of_bridge}

    return change


def without_jobs(prompt_ids: frozenset[str]) -> Callable[[Any], Any]:
    """For the owner's `/api/jobs`, where newer versions have it."""

    def change(value: Any) -> Any:
        jobs = value.get("jobs") if isinstance(value, dict) else None
        if not isinstance(jobs, list):
            return value
        kept = [job for job in jobs if not (isinstance(job, dict) and job.get("id") in prompt_ids)]
        return {**value, "jobs": kept}

    return change


def without_command_line(value: Any) -> Any:
    """For `/system_stats`: the command line has folders, and perhaps keys, of the owner's."""
    system = value.get("system") if isinstance(value, dict) else None
    return {**value, "system": {**system, "argv": []}} if isinstance(system, dict) else value


def _hide(item: Any, of_bridge: bool) -> Any:
    if not isinstance(item, list) or len(item) < 5 or is_marked(item[3]) != of_bridge:
        return item
    created = item[3].get(CREATE_TIME) if isinstance(item[3], dict) else None
    return [
        item[0],
        item[1],
        {},
        {} if created is None else {CREATE_TIME: created},
        [],
        *([{}] * (len(item) - 5)),
    ]


def _is_bridge_entry(entry: Any) -> bool:
    prompt = entry.get("prompt") if isinstance(entry, dict) else None
    return isinstance(prompt, list) and len(prompt) > 3 and is_marked(prompt[3])


def _text_of(response: web.StreamResponse) -> str | None:
    if (
        not isinstance(response, web.Response)
        or response.status != 200
        or response.content_type != "application/json"
    ):
        return None
    return response.text
