"""Marks the bridge's prompts, between the request and ComfyUI's queue.

The mark travels in the prompt's extra data, so that a prompt and whose it is are one thing: in the queue, while it runs, and in
the history. A second one goes into each output node. The bridge's files are deleted, so ComfyUI's cache must not answer an equal
prompt with their names; an input that no node knows is ignored by nodes and by validation, but not by the cache.
"""

from __future__ import annotations

import contextvars
import logging
import uuid
from typing import Any, Callable

from .comfy import RUN_MARK

_log = logging.getLogger("comfy-bridge")
_is_bridge_request: contextvars.ContextVar[bool] = contextvars.ContextVar(
    "comfy_bridge_request", default=False
)


class BridgeRequest:
    """Within it, prompts that are queued are the bridge's."""

    def __enter__(self) -> None:
        self._token = _is_bridge_request.set(True)

    def __exit__(self, *_: object) -> None:
        _is_bridge_request.reset(self._token)


def create_prompt_marker(is_output_node: Callable[[str], bool]) -> Callable[[Any], Any]:
    """For `PromptServer.add_on_prompt_handler`."""

    def mark(body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        extra_data = body.get("extra_data")
        if not _is_bridge_request.get():
            if isinstance(extra_data, dict):
                extra_data.pop(RUN_MARK, None)
            return body
        run = uuid.uuid4().hex
        body["extra_data"] = {**(extra_data if isinstance(extra_data, dict) else {}), RUN_MARK: run}
        # Only the owner goes before others.
        body.pop("front", None)
        body.pop("number", None)
        _salt(body.get("prompt"), run, is_output_node)
        return body

    return mark


def _salt(graph: Any, run: str, is_output_node: Callable[[str], bool]) -> None:
    if not isinstance(graph, dict):
        return
    for node in graph.values():
        inputs = node.get("inputs") if isinstance(node, dict) else None
        class_type = node.get("class_type") if isinstance(node, dict) else None
        if not isinstance(inputs, dict) or not isinstance(class_type, str):
            continue
        try:
            if is_output_node(class_type):
                inputs[RUN_MARK] = run
        except Exception:  # noqa: BLE001 a pack's class may do anything when it is asked
            _log.warning("comfy-bridge: cannot tell whether %s is an output node", class_type, exc_info=True)
