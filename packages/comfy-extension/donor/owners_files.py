"""The owner's files stay the owner's: the bridge's prompts may not name them, and it is not told what they are called.

A graph is data from far away, and nodes open what they are told to. So no value in it may be the name of a file that exists
here and is not the bridge's own, wherever on this machine it lies. What a node finds by other means, such as all files of a
folder, cannot be seen from here.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any, Callable

from .file_names import FOLDERS, FileKey, parse_file_key
from .ledger import FolderOf

MAX_PATH = 8192
"""No system opens a longer one."""

MAX_KNOWN = 10_000
MAX_LISTED = 200_000

_ANNOTATION = re.compile(r"\s*\[(?:input|output|temp)\]\s*$")
_NETWORK = re.compile(r"[\\/]{2}[^\\/\s]+[\\/]")


class OwnersFiles:
    def __init__(self, folder_of: FolderOf, is_bridges: Callable[[FileKey], bool]) -> None:
        self._folder_of = folder_of
        self._is_bridges = is_bridges
        self._shown: OrderedDict[FileKey, None] = OrderedDict()

    def bridge_has_same(self, key: FileKey) -> None:
        """It has sent the very content that lies here already: there is nothing left to hide."""
        self._shown[key] = None
        if len(self._shown) > MAX_KNOWN:
            self._shown.popitem(last=False)

    def are_named(self, graph: Any) -> bool:
        """Whether any input of a node has the name of a file here that is not the bridge's. Slow: it asks the disk for each."""
        nodes = graph.values() if isinstance(graph, dict) else ()
        inputs = [node.get("inputs") for node in nodes if isinstance(node, dict)]
        folders = [self._folder_of(folder) for folder in FOLDERS]
        # A node that knows none of these folders opens what lies where ComfyUI was started.
        bases = [os.getcwd(), *(folder for folder in folders if folder is not None)]
        return any(self._is_owners(text, bases) for value in _texts(inputs) for text in _readings(value))

    def hide(self, definitions: Any) -> Any:
        """Takes their names out of the lists of choices in `/object_info`. Slow: it looks through all of input and output."""
        hidden = self._names()
        return _without(definitions, hidden) if hidden else definitions

    def _is_owners(self, text: str, bases: list[str]) -> bool:
        if os.name == "nt" and _NETWORK.match(text):
            # Looking alone would make this machine log in to another one.
            return True
        return any(self._is_others(path) for path in _paths(text, bases))

    def _is_others(self, path: str) -> bool:
        try:
            if not os.path.isfile(path):
                return False
        except ValueError:
            return False
        key = self._key_of(path)
        return key is None or not (self._is_bridges(key) or key in self._shown)

    def _key_of(self, path: str) -> FileKey | None:
        real = os.path.realpath(path)
        for folder in FOLDERS:
            base = self._folder_of(folder)
            if base is None:
                continue
            try:
                relative = os.path.relpath(real, os.path.realpath(base))
            except ValueError:
                # Another drive.
                continue
            parent, name = os.path.split(relative)
            key = parse_file_key(folder, parent, name)
            if key is not None:
                return key
        return None

    def _names(self) -> set[str]:
        """As choices spell them: relative, with forward slashes."""
        names: set[str] = set()
        for folder in FOLDERS:
            base = self._folder_of(folder)
            for parent, name in _walk(base) if base is not None else ():
                key = parse_file_key(folder, parent, name)
                if key is not None and (self._is_bridges(key) or key in self._shown):
                    continue
                names.add(f"{parent}/{name}" if parent else name)
                if len(names) > MAX_LISTED:
                    return names
        return names


def _texts(inputs: Any) -> Iterator[str]:
    waiting = [inputs]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _readings(text: str) -> Iterable[str]:
    """What nodes make of a name before they open it."""
    if not text or len(text) > MAX_PATH:
        return ()
    bare = text.strip().strip("\"'").strip()
    return {text, bare, _ANNOTATION.sub("", text), os.path.expandvars(os.path.expanduser(bare))} - {""}


def _paths(text: str, bases: Iterable[str]) -> Iterator[str]:
    if os.path.isabs(text):
        yield text
        return
    for base in bases:
        yield os.path.join(base, text)


def _walk(base: str) -> Iterator[tuple[str, str]]:
    for folder, _, names in os.walk(base):
        parent = os.path.relpath(folder, base).replace(os.sep, "/")
        for name in names:
            yield ("" if parent == "." else parent), name


def _without(value: Any, hidden: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(each, hidden) for key, each in value.items()}
    if isinstance(value, list):
        return [_without(each, hidden) for each in value if not _is_hidden(each, hidden)]
    return value


def _is_hidden(value: Any, hidden: set[str]) -> bool:
    return isinstance(value, str) and _ANNOTATION.sub("", value).replace("\\", "/") in hidden
