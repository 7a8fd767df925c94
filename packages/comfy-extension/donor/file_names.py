"""Names of files in ComfyUI's folders, and which of them are names at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

FOLDERS = ("input", "output", "temp")
MAX_LENGTH = 1024
MAX_FILES = 10_000

_ANNOTATED = re.compile(r"\[(input|output|temp)\]\s*$")


class FileKey(NamedTuple):
    """`subfolder` has forward slashes, and is empty for none."""

    folder: str
    subfolder: str
    name: str


def parse_file_key(folder: Any, subfolder: Any, name: Any) -> FileKey | None:
    """None for whatever could lead out of the folder, or be read in two ways."""
    if folder not in FOLDERS or not isinstance(subfolder, str) or not isinstance(name, str):
        return None
    parts = [part for part in subfolder.replace("\\", "/").split("/") if part not in ("", ".")]
    if subfolder.startswith(("/", "\\")) or not all(_is_plain(part) for part in [*parts, name]):
        return None
    if "/" in name or "\\" in name or _ANNOTATED.search(name) is not None:
        return None
    return FileKey(str(folder), "/".join(parts), name)


def find_files(outputs: Any) -> Iterator[FileKey]:
    """The files that nodes have announced, wherever in what they showed: every pack has keys of its own."""
    found = 0
    waiting = [outputs]
    while waiting and found < MAX_FILES:
        value = waiting.pop()
        if isinstance(value, dict):
            key = parse_file_key(value.get("type"), value.get("subfolder") or "", value.get("filename"))
            if key is not None:
                found += 1
                yield key
            waiting.extend(value.values())
        elif isinstance(value, (list, tuple)):
            waiting.extend(value)


def _is_plain(part: str) -> bool:
    # A colon is a drive or a hidden stream on Windows, where trailing dots and spaces are dropped as well.
    if part in ("", ".", "..") or len(part) > MAX_LENGTH or part != part.rstrip(". "):
        return False
    return not any(ord(character) < 32 or character == ":" for character in part)
