"""What donor mode knows and does, whoever asks: how things stand, what is paused, forgotten and cleaned up.

Lives in ComfyUI's event loop. Only `on_event` is called from another thread.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable

from .comfy import Comfy, QueueItem
from .config import DonorConfig
from .file_names import FileKey, find_files
from .ledger import CLOCK_SLACK_SECONDS, Ledger, resolve, write_whole
from .lending import (
    CommandPause,
    Effects,
    LendingEvent,
    LendingRules,
    LendingState,
    OwnerPrompt,
    PauseCommand,
    ResumeCommand,
    Tick,
    advance,
)
from .orphans import Orphans
from .schedule import LocalTime, system_local_time
from .sockets import STATUS_EVENT, BridgeSockets

VERSION = "0.1.0"
SWEEP_SECONDS = 60.0
MAX_PROMPTS = 10_000

_log = logging.getLogger("comfy-bridge")


@dataclass(frozen=True)
class Clocks:
    """`now`: seconds since 1970. `steady`: seconds that no change of the clock moves."""

    now: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
    to_local: LocalTime = system_local_time


class Donor:
    def __init__(self, config: DonorConfig, home: Path, comfy: Comfy, clocks: Clocks | None = None) -> None:
        self.config = config
        self.sockets = BridgeSockets()
        self.comfy = comfy
        self.clocks = clocks or Clocks()
        self.ledger = Ledger(home / "run" / "files.jsonl", comfy.folder)
        self._paused_path = home / "run" / "paused.json"
        self._orphans = Orphans(config.orphan_seconds)
        self._rules = LendingRules(
            # Without a token nobody can tell the bridge's prompts from the owner's.
            owner_work=config.owner_work if config.is_locked else "share",
            on_pause=config.on_pause,
            resume_after_seconds=config.resume_after_seconds,
            free_memory=config.free_memory,
            schedule=config.schedule,
        )
        self._began: OrderedDict[str, float] = OrderedDict()
        self._used = False
        self._swept_at = -SWEEP_SECONDS
        self._state = self._load_state()
        self._handle(Tick(0))

    # How things stand

    def status(self) -> dict[str, Any]:
        shown = self._state.shown
        return {
            "v": 1,
            "version": VERSION,
            "state": "paused" if shown.is_paused else "available",
            "reason": shown.reason,
            "until": None if shown.until is None else _to_iso(shown.until),
            "maxQueue": self.config.max_queue,
            "lockedDown": self.config.is_locked,
        }

    @property
    def is_paused(self) -> bool:
        return self._state.shown.is_paused

    def seconds_left(self) -> int | None:
        """Of the pause, where that is known; at least one."""
        until = self._state.shown.until
        return None if until is None else max(1, int(until - self.clocks.now() + 0.999))

    # What happens

    def pause(self, minutes: float | None) -> None:
        self._handle(PauseCommand(minutes))

    def resume(self) -> None:
        self._handle(ResumeCommand())

    def owner_prompt(self) -> None:
        self._handle(OwnerPrompt())

    def prompt_admitted(self, prompt_id: str) -> None:
        self._used = True
        self._find_orphans()
        self.named(prompt_id)

    def named(self, prompt_id: str) -> None:
        """The bridge has asked for this prompt, so it has not forgotten it."""
        self._orphans.named(prompt_id, self.clocks.steady())

    def unfinished(self) -> int:
        return len(self._bridge_items())

    def tick(self) -> None:
        """Once a second."""
        items = self.comfy.queue()
        owner_items = sum(not item.is_bridge for item in items) if self.config.is_locked else 0
        self._handle(Tick(owner_items))
        if not self.config.is_locked:
            return
        self.withdraw(self._find_orphans())
        if self.clocks.steady() - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = self.clocks.steady()
            self._sweep()

    def withdraw(self, prompt_ids: Iterable[str]) -> None:
        """Takes prompts of the bridge off the queue, or stops them."""
        ids = list(prompt_ids)
        if not ids:
            return
        self.comfy.drop_queued(ids)
        for prompt_id in ids:
            self.comfy.interrupt(prompt_id)

    def _find_orphans(self) -> list[str]:
        items = [(item.prompt_id, item.client_id) for item in self._bridge_items()]
        return self._orphans.check(items, self.sockets.ids(), self.clocks.steady())

    # What is kept, and forgotten

    def forget(self, prompt_id: str, inputs: Iterable[FileKey]) -> int | None:
        """How many files went; None while the prompt is queued or running.

        An old ComfyUI chooses the id itself. A bridge that was killed since knows only its own, which is also the name of the
        prompt's socket: it goes by that as well.
        """
        if any(prompt_id in (item.prompt_id, item.client_id) for item in self._bridge_items()):
            return None
        ended = {prompt_id, *self.comfy.bridge_history(prompt_id)}
        return sum(map(self._forget_ended, ended)) + self.ledger.delete_uploads(inputs)

    def _forget_ended(self, prompt_id: str) -> int:
        entry = self.comfy.history_item(prompt_id)
        if entry is not None and entry.is_bridge:
            self._record(prompt_id, entry.outputs)
            self.comfy.forget_history([prompt_id])
        self._began.pop(prompt_id, None)
        return self.ledger.delete_prompt(prompt_id)

    def on_event(self, event: Any, data: Any) -> None:
        """Told of each event that ComfyUI sends, in the thread of its worker: which must not fail."""
        try:
            self._on_event(event, data)
        except Exception:  # noqa: BLE001 what runs in the worker is the owner's prompt as well
            _log.exception("comfy-bridge: an event of ComfyUI could not be followed")

    def _on_event(self, event: Any, data: Any) -> None:
        prompt_id = data.get("prompt_id") if isinstance(data, dict) else None
        if prompt_id is None:
            return
        if event == "execution_start" and self._runs_for_bridge(prompt_id):
            self._began[prompt_id] = self.clocks.now()
            if len(self._began) > MAX_PROMPTS:
                self._began.popitem(last=False)
        elif event == "executed" and self._runs_for_bridge(prompt_id):
            self._record(prompt_id, data.get("output"))
        elif event == "executing" and data.get("node") is None:
            entry = self.comfy.history_item(prompt_id)
            if entry is not None and entry.is_bridge:
                self._record(prompt_id, entry.outputs)

    def _runs_for_bridge(self, prompt_id: str) -> bool:
        running = self.comfy.running()
        return running is not None and running.prompt_id == prompt_id and running.is_bridge

    def _record(self, prompt_id: str, outputs: Any) -> None:
        """Only files that came to be since the prompt began: a node may also show what was there before, and the owner's."""
        began = self._began.get(prompt_id)
        for key in find_files(outputs):
            if key.folder == "input":
                continue
            if self.ledger.holds(key) or (
                began is not None and self._is_newer(key, began - CLOCK_SLACK_SECONDS)
            ):
                self.ledger.add_output(key, prompt_id, self.clocks.now())

    def _is_newer(self, key: FileKey, than: float) -> bool:
        path = resolve(key, self.comfy.folder)
        if path is None:
            return False
        try:
            found = os.stat(path)
        except OSError:
            return False
        return max(found.st_mtime, found.st_ctime) >= than

    def _sweep(self) -> None:
        limit = self.clocks.now() - self.config.keep_hours * 3600
        unfinished = {item.prompt_id for item in self._bridge_items()}
        self.ledger.delete_older(limit, unfinished)
        old = [key for key in self.comfy.bridge_history() if self._began.get(key, 0.0) < limit]
        self.comfy.forget_history(old)
        for prompt_id in old:
            self._began.pop(prompt_id, None)

    # Lending

    def _handle(self, event: LendingEvent) -> None:
        now = self.clocks.now()
        self._state, effects = advance(self._state, event, now, self._rules, self.clocks.to_local)
        if effects.save:
            self._save_state()
        self._perform(effects)

    def _perform(self, effects: Effects) -> None:
        if self.config.is_locked and (effects.drop_queued or effects.interrupt):
            items = self._bridge_items()
            if effects.drop_queued and any(not item.is_running for item in items):
                self.comfy.drop_queued()
            if effects.interrupt:
                for item in items:
                    self.comfy.interrupt(item.prompt_id)
        # What no prompt of the bridge has filled is the owner's, and stays.
        if effects.free_memory and self._used:
            self._used = False
            self.comfy.free_memory()
        if effects.announce:
            for client_id in self.sockets.ids():
                self.comfy.send(STATUS_EVENT, self.status(), client_id)

    def _bridge_items(self) -> list[QueueItem]:
        return [item for item in self.comfy.queue() if item.is_bridge]

    def _load_state(self) -> LendingState:
        state = LendingState()
        try:
            saved = json.loads(self._paused_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return state
        if not isinstance(saved, dict):
            return state
        override = saved.get("overrideUntil")
        if _is_time(override):
            state = replace(state, override_until=override)
        command = saved.get("command")
        if isinstance(command, dict):
            until = command.get("until")
            state = replace(state, command=CommandPause(until if _is_time(until) else None))
        return state

    def _save_state(self) -> None:
        command = None if self._state.command is None else {"until": self._state.command.until}
        saved = {"v": 1, "command": command, "overrideUntil": self._state.override_until}
        write_whole(self._paused_path, json.dumps(saved) + "\n")


def _is_time(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _to_iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
