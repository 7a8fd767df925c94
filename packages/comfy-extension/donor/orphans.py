"""Prompts of a bridge that is gone: nobody listens for them, and nobody asks for them any more."""

from __future__ import annotations

from collections.abc import Iterable


class Orphans:
    def __init__(self, after_seconds: float) -> None:
        self._after = after_seconds
        self._heard: dict[str, float] = {}

    def named(self, prompt_id: str, now: float) -> None:
        """A request of the bridge named this prompt. Counts only for prompts that `check` has been told of."""
        if prompt_id in self._heard:
            self._heard[prompt_id] = now

    def check(self, items: Iterable[tuple[str, str]], listening: frozenset[str], now: float) -> list[str]:
        """`items`: prompt id and client id of what the bridge has queued and running. Returns the ids to end."""
        kept: dict[str, float] = {}
        ended: list[str] = []
        for prompt_id, client_id in items:
            heard = now if client_id in listening else min(self._heard.get(prompt_id, now), now)
            kept[prompt_id] = heard
            if now - heard >= self._after:
                ended.append(prompt_id)
        self._heard = kept
        return ended
