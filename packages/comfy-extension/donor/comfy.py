"""ComfyUI itself: all that donor mode needs of it, and the only place that touches it.

What differs between versions is found by looking whether it is there, when it is needed: folders and queues exist only after
the packs have been loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Callable, Protocol

RUN_MARK = "comfy_bridge_run"
"""In a prompt's extra data: it is the bridge's. The name is also that of the input that keeps the cache from answering."""


@dataclass(frozen=True)
class QueueItem:
    prompt_id: str
    client_id: str
    is_bridge: bool
    is_running: bool


@dataclass(frozen=True)
class HistoryItem:
    is_bridge: bool
    outputs: Any


class Comfy(Protocol):
    """One ComfyUI, as donor mode sees it."""

    def queue(self) -> list[QueueItem]: ...

    def running(self) -> QueueItem | None: ...

    def interrupt(self, prompt_id: str) -> bool:
        """Stops this prompt if it runs and is the bridge's; no other can be hit."""

    def drop_queued(self, prompt_ids: Iterable[str] | None = None) -> int:
        """Takes waiting prompts of the bridge off the queue, all of them by default."""

    def history_item(self, prompt_id: str) -> HistoryItem | None: ...

    def bridge_history(self, client_id: str | None = None) -> list[str]:
        """Ids of the bridge's prompts that have ended, of one socket's alone if asked so."""

    def owner_history(self) -> list[str]: ...

    def forget_history(self, prompt_ids: Iterable[str]) -> None: ...

    def free_memory(self) -> None:
        """Unloads models and forgets what is kept of the last prompt, once nothing runs."""

    def folder(self, kind: str) -> str | None: ...

    def is_output_node(self, class_type: str) -> bool: ...

    def open_sockets(self) -> set[str]: ...

    def send(self, event: str, data: Any, client_id: str) -> None: ...


def is_marked(extra_data: Any) -> bool:
    return isinstance(extra_data, dict) and RUN_MARK in extra_data


class LiveComfy:
    """`server` is ComfyUI's `PromptServer.instance`."""

    def __init__(self, server: Any) -> None:
        self._server = server

    @property
    def _queue(self) -> Any:
        # Older versions give the server its queue only after the packs are loaded.
        return self._server.prompt_queue

    def queue(self) -> list[QueueItem]:
        queue = getattr(self._server, "prompt_queue", None)
        if queue is None:
            return []
        with queue.mutex:
            running = [_read_item(item, True) for item in queue.currently_running.values()]
            return running + [_read_item(item, False) for item in queue.queue]

    def running(self) -> QueueItem | None:
        return next((item for item in self.queue() if item.is_running), None)

    def interrupt(self, prompt_id: str) -> bool:
        # While the queue is held, the worker can neither finish this prompt nor begin another.
        with self._queue.mutex:
            running = self.running()
            if running is None or running.prompt_id != prompt_id or not running.is_bridge:
                return False
            sys.modules["nodes"].interrupt_processing()
            return True

    def drop_queued(self, prompt_ids: Iterable[str] | None = None) -> int:
        wanted = None if prompt_ids is None else set(prompt_ids)

        def is_wanted(item: Any) -> bool:
            return is_marked(item[3]) and (wanted is None or item[1] in wanted)

        count = 0
        while self._queue.delete_queue_item(is_wanted):
            count += 1
        return count

    def history_item(self, prompt_id: str) -> HistoryItem | None:
        with self._queue.mutex:
            entry = self._queue.history.get(prompt_id)
            return None if entry is None else HistoryItem(_is_bridge_entry(entry), entry.get("outputs"))

    def bridge_history(self, client_id: str | None = None) -> list[str]:
        with self._queue.mutex:
            return [
                key
                for key, entry in self._queue.history.items()
                if _is_bridge_entry(entry) and client_id in (None, entry["prompt"][3].get("client_id"))
            ]

    def owner_history(self) -> list[str]:
        with self._queue.mutex:
            return [key for key, entry in self._queue.history.items() if not _is_bridge_entry(entry)]

    def forget_history(self, prompt_ids: Iterable[str]) -> None:
        for prompt_id in prompt_ids:
            self._queue.delete_history_item(prompt_id)

    def free_memory(self) -> None:
        self._queue.set_flag("unload_models", True)
        self._queue.set_flag("free_memory", True)

    def folder(self, kind: str) -> str | None:
        paths = sys.modules.get("folder_paths")
        find: Callable[[], str] | None = getattr(paths, f"get_{kind}_directory", None)
        return None if find is None else find()

    def is_output_node(self, class_type: str) -> bool:
        classes = getattr(sys.modules.get("nodes"), "NODE_CLASS_MAPPINGS", {})
        return bool(getattr(classes.get(class_type), "OUTPUT_NODE", False))

    def open_sockets(self) -> set[str]:
        return set(self._server.sockets)

    def send(self, event: str, data: Any, client_id: str) -> None:
        self._server.send_sync(event, data, client_id)


def _read_item(item: Any, is_running: bool) -> QueueItem:
    extra_data = item[3]
    client_id = extra_data.get("client_id") if isinstance(extra_data, dict) else None
    return QueueItem(str(item[1]), str(client_id or ""), is_marked(extra_data), is_running)


def _is_bridge_entry(entry: Any) -> bool:
    prompt = entry.get("prompt") if isinstance(entry, dict) else None
    return isinstance(prompt, (list, tuple)) and len(prompt) > 3 and is_marked(prompt[3])
