"""Which files on this machine are the bridge's, kept over restarts, so that all of them can be deleted and no other ever is."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional

from .file_names import FileKey, parse_file_key

FolderOf = Callable[[str], Optional[str]]
"""Where ComfyUI keeps `input`, `output`, `temp`; None while unknown."""

MAX_ENTRIES = 100_000
CLOCK_SLACK_SECONDS = 5.0
"""A folder on another machine has that machine's clock."""

_log = logging.getLogger("comfy-bridge")


@dataclass
class Entry:
    """`at`: seconds since 1970 when it was last made or used. `prompts`: who made it; empty for an upload."""

    at: float
    is_upload: bool
    prompts: set[str] = field(default_factory=set)


class Ledger:
    """Outputs are told from ComfyUI's worker thread, everything else from its event loop: hence the lock."""

    def __init__(self, path: Path, folder_of: FolderOf) -> None:
        self._path = path
        self._folder_of = folder_of
        self._lock = threading.Lock()
        self._entries: dict[FileKey, Entry] = {}
        self._lines = 0
        self._load()

    def add_upload(self, key: FileKey, now: float) -> None:
        self._add(key, None, now)

    def add_output(self, key: FileKey, prompt_id: str, now: float) -> None:
        self._add(key, prompt_id, now)

    def holds(self, key: FileKey) -> bool:
        """Whether what is there now under this name is the bridge's."""
        with self._lock:
            return key in self._entries and self._find(key) is not None

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def delete_prompt(self, prompt_id: str) -> int:
        """Deletes what only this prompt made. Returns how many files went."""
        with self._lock:
            mine = [key for key, entry in self._entries.items() if prompt_id in entry.prompts]
            for key in mine:
                self._entries[key].prompts.discard(prompt_id)
            return self._delete(key for key in mine if not self._entries[key].prompts)

    def delete_uploads(self, keys: Iterable[FileKey]) -> int:
        with self._lock:
            return self._delete(key for key in keys if key in self._entries and self._entries[key].is_upload)

    def delete_older(self, than: float, except_prompts: set[str]) -> int:
        """Files of prompts that are still unfinished stay."""
        with self._lock:
            old = [
                key
                for key, entry in self._entries.items()
                if entry.at < than and not entry.prompts & except_prompts
            ]
            return self._delete(old)

    def _add(self, key: FileKey, prompt_id: str | None, now: float) -> None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = Entry(now, is_upload=prompt_id is None)
            elif prompt_id is not None and prompt_id in entry.prompts:
                return
            entry.at = now
            if prompt_id is not None:
                entry.prompts.add(prompt_id)
            self._append({"at": now, "prompt": prompt_id, "file": list(key)})
            if len(self._entries) > MAX_ENTRIES:
                self._delete([min(self._entries, key=lambda one: self._entries[one].at)])

    def _delete(self, keys: Iterable[FileKey]) -> int:
        """A file that is in use stays in the ledger, and is tried again by `delete_older`."""
        count = 0
        for key in list(keys):
            outcome = self._unlink(key)
            if outcome == "busy":
                continue
            del self._entries[key]
            self._append({"gone": list(key)})
            count += outcome == "deleted"
        if self._lines > 2 * len(self._entries) + 1000:
            self._rewrite()
        return count

    def _unlink(self, key: FileKey) -> str:
        path = self._find(key)
        if path is None:
            return "not-there"
        try:
            os.unlink(path)
        except FileNotFoundError:
            return "not-there"
        except OSError:
            return "busy"
        return "deleted"

    def _find(self, key: FileKey) -> str | None:
        """None also for a file that was written after this one was listed: the name was free again, and somebody else took it."""
        path = resolve(key, self._folder_of)
        try:
            is_newer = (
                path is not None and os.stat(path).st_mtime > self._entries[key].at + CLOCK_SLACK_SECONDS
            )
        except OSError:
            return None
        return None if is_newer else path

    def _load(self) -> None:
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            _log.warning(
                "comfy-bridge: the list of the bridge's files cannot be read: %s", type(error).__name__
            )
            return
        for line in text.splitlines():
            self._load_line(line)
        self._rewrite()

    def _load_line(self, line: str) -> None:
        """A line that was cut short by a power failure is left out."""
        try:
            record: Any = json.loads(line)
        except ValueError:
            return
        if not isinstance(record, dict):
            return
        gone = _parse_key(record.get("gone"))
        if gone is not None:
            self._entries.pop(gone, None)
        key, at, prompt = _parse_key(record.get("file")), record.get("at"), record.get("prompt")
        if key is None or isinstance(at, bool) or not isinstance(at, (int, float)):
            return
        entry = self._entries.setdefault(key, Entry(at, is_upload=prompt is None))
        entry.at = max(entry.at, at)
        if isinstance(prompt, str):
            entry.prompts.add(prompt)

    def _append(self, record: dict[str, Any]) -> None:
        line = json.dumps(record) + "\n"
        try:
            _make_private_folder(self._path.parent)
            # One write of one line: what a killed process leaves is a whole line or none.
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(file, line.encode("utf-8"))
            finally:
                os.close(file)
            self._lines += 1
        except OSError as error:
            _log.warning(
                "comfy-bridge: the list of the bridge's files cannot be written: %s", type(error).__name__
            )

    def _rewrite(self) -> None:
        records = [
            {"at": entry.at, "prompt": prompt, "file": list(key)}
            for key, entry in self._entries.items()
            for prompt in _makers(entry)
        ]
        write_whole(self._path, "".join(json.dumps(record) + "\n" for record in records))
        self._lines = len(records)


def resolve(key: FileKey, folder_of: FolderOf) -> str | None:
    """The file's path, when it is a file inside its folder by its real name; None otherwise."""
    folder = folder_of(key.folder)
    if folder is None or parse_file_key(*key) != key:
        return None
    base = os.path.realpath(folder)
    path = os.path.join(base, *key.subfolder.split("/"), key.name)
    # In one case where the file system knows only one.
    if os.path.normcase(os.path.realpath(path)) != os.path.normcase(path) or not os.path.isfile(path):
        return None
    return path if os.path.commonpath((base, path)) == base else None


def write_whole(path: Path, text: str) -> None:
    """Replaces the file in one step. A failure is logged: what is kept there is not worth a crash."""
    scratch = path.with_name(path.name + ".new")
    try:
        _make_private_folder(path.parent)
        with open(
            os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
        os.replace(scratch, path)
    except OSError as error:
        _log.warning("comfy-bridge: %s cannot be written: %s", path.name, type(error).__name__)


def _make_private_folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _makers(entry: Entry) -> list[str | None]:
    return [*sorted(entry.prompts)] if entry.prompts else [None]


def _parse_key(value: Any) -> FileKey | None:
    return parse_file_key(*value) if isinstance(value, list) and len(value) == 3 else None
