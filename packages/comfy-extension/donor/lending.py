"""Whether this machine is lent right now. Pure: what happened comes in, the new state and what to do about it go out.

Three things pause it, in this order of rank: the owner's command, the owner's own work, the schedule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Union

from .schedule import LocalTime, Schedule


@dataclass(frozen=True)
class LendingRules:
    owner_work: str
    on_pause: str
    resume_after_seconds: float
    free_memory: bool
    schedule: Schedule | None


@dataclass(frozen=True)
class Availability:
    """`until`: seconds since 1970, where it is known when the reason ends."""

    reason: str | None = None
    until: float | None = None

    @property
    def is_paused(self) -> bool:
        return self.reason is not None


@dataclass(frozen=True)
class CommandPause:
    until: float | None


@dataclass(frozen=True)
class OwnerAtWork:
    """`idle_since`: since when the owner's queue is empty; None while it is not."""

    idle_since: float | None = None


@dataclass(frozen=True)
class LendingState:
    command: CommandPause | None = None
    override_until: float | None = None
    """The owner has resumed against the schedule; until its next change."""
    at_work: OwnerAtWork | None = None
    owner_lets: bool = False
    """The owner has resumed while work of theirs was there: only new work pauses again."""
    schedule_change: float | None = None
    """When the schedule changes next, found once and not each second."""
    looked_at: float = 0
    schedule_open: bool = True
    shown: Availability = Availability()


@dataclass(frozen=True)
class PauseCommand:
    minutes: float | None


@dataclass(frozen=True)
class ResumeCommand:
    pass


@dataclass(frozen=True)
class OwnerPrompt:
    """The owner is about to queue something."""


@dataclass(frozen=True)
class Tick:
    """`owner_items`: what is queued and running and not the bridge's."""

    owner_items: int


LendingEvent = Union[PauseCommand, ResumeCommand, OwnerPrompt, Tick]


@dataclass(frozen=True)
class Effects:
    drop_queued: bool = False
    interrupt: bool = False
    free_memory: bool = False
    announce: bool = False
    save: bool = False


def advance(
    state: LendingState, event: LendingEvent, now: float, rules: LendingRules, to_local: LocalTime
) -> tuple[LendingState, Effects]:
    changed = _follow_schedule(_expire(state, now), now, rules, to_local)
    if isinstance(event, PauseCommand):
        until = None if event.minutes is None else now + event.minutes * 60
        changed = replace(changed, command=CommandPause(until), override_until=None)
    elif isinstance(event, ResumeCommand):
        changed = _resume(changed, now)
    elif isinstance(event, OwnerPrompt):
        if rules.owner_work == "pause":
            changed = replace(changed, at_work=OwnerAtWork(), owner_lets=False)
    else:
        changed = _follow_owner(changed, event.owner_items, now, rules)
    shown = _availability(changed, rules)
    changed = replace(changed, shown=shown)
    return changed, _effects(state, changed, rules)


def _expire(state: LendingState, now: float) -> LendingState:
    command, override = state.command, state.override_until
    if command is not None and command.until is not None and now >= command.until:
        command = None
    if override is not None and now >= override:
        override = None
    return replace(state, command=command, override_until=override)


def _follow_schedule(
    state: LendingState, now: float, rules: LendingRules, to_local: LocalTime
) -> LendingState:
    if rules.schedule is None:
        return state
    due = state.schedule_change
    # Asked again each hour as well: the owner may travel, or set the clock.
    if state.looked_at != 0 and 0 <= now - state.looked_at < 3600 and (due is None or now < due):
        return state
    return replace(
        state,
        schedule_open=rules.schedule.is_open(to_local(now)),
        schedule_change=rules.schedule.next_change(now, to_local),
        looked_at=now,
    )


def _resume(state: LendingState, now: float) -> LendingState:
    override = None
    if not state.schedule_open and state.schedule_change is not None:
        override = state.schedule_change
    return replace(state, command=None, at_work=None, owner_lets=True, override_until=override)


def _follow_owner(state: LendingState, owner_items: int, now: float, rules: LendingRules) -> LendingState:
    if rules.owner_work != "pause":
        return state
    if owner_items > 0:
        return state if state.owner_lets else replace(state, at_work=OwnerAtWork())
    state = replace(state, owner_lets=False)
    if state.at_work is None:
        return state
    since = now if state.at_work.idle_since is None else min(state.at_work.idle_since, now)
    if now - since >= rules.resume_after_seconds:
        return replace(state, at_work=None)
    return replace(state, at_work=OwnerAtWork(since))


def _availability(state: LendingState, rules: LendingRules) -> Availability:
    if state.command is not None:
        return Availability("command", state.command.until)
    if state.at_work is not None:
        since = state.at_work.idle_since
        return Availability("owner-work", None if since is None else since + rules.resume_after_seconds)
    if not state.schedule_open and state.override_until is None:
        return Availability("schedule", state.schedule_change)
    return Availability()


def _effects(before: LendingState, after: LendingState, rules: LendingRules) -> Effects:
    paused = after.shown.is_paused
    begins = paused and not before.shown.is_paused
    return Effects(
        # Said again while it lasts: a prompt may have been on its way in, and an interrupt can be lost between two prompts.
        drop_queued=paused,
        interrupt=paused and rules.on_pause == "interrupt",
        free_memory=begins and rules.free_memory,
        announce=before.shown != after.shown,
        save=(before.command, before.override_until) != (after.command, after.override_until),
    )
