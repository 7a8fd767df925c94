from __future__ import annotations

from datetime import datetime, timezone

import pytest

from donor.lending import (
    Availability,
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
from donor.schedule import parse_schedule

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc).timestamp()
HOUR = 3600.0


class Machine:
    def __init__(
        self, schedule: str | None = None, owner_work: str = "pause", on_pause: str = "interrupt"
    ) -> None:
        parsed = None if schedule is None else parse_schedule(schedule)
        self.rules = LendingRules(owner_work, on_pause, 120, True, parsed)
        self.state = LendingState()
        self.now = NOON
        self.do(Tick(0))

    def do(self, event: LendingEvent, after: float = 0) -> Effects:
        self.now += after
        self.state, effects = advance(
            self.state, event, self.now, self.rules, lambda at: datetime.fromtimestamp(at, timezone.utc)
        )
        return effects

    @property
    def shown(self) -> Availability:
        return self.state.shown


def test_a_command_pauses_until_it_is_taken_back() -> None:
    machine = Machine()
    effects = machine.do(PauseCommand(None))
    assert effects == Effects(drop_queued=True, interrupt=True, free_memory=True, announce=True, save=True)
    assert machine.shown == Availability("command", None)
    assert machine.do(Tick(0), after=30 * HOUR) == Effects(drop_queued=True, interrupt=True)
    assert machine.do(ResumeCommand()) == Effects(announce=True, save=True)
    assert machine.shown == Availability()


def test_a_command_for_minutes_ends_by_itself() -> None:
    machine = Machine()
    machine.do(PauseCommand(10))
    assert machine.shown == Availability("command", NOON + 600)
    machine.do(Tick(0), after=599)
    assert machine.shown.is_paused
    assert machine.do(Tick(0), after=1) == Effects(announce=True, save=True)
    assert not machine.shown.is_paused


def test_the_owners_work_pauses_and_lending_comes_back_when_it_is_over_for_a_while() -> None:
    machine = Machine()
    assert machine.do(OwnerPrompt()).interrupt
    assert machine.shown == Availability("owner-work", None)
    machine.do(Tick(2), after=500)
    assert machine.do(Tick(0), after=1).announce
    assert machine.shown == Availability("owner-work", machine.now + 120)
    assert not machine.do(Tick(0), after=100).announce
    machine.do(Tick(1), after=1)
    assert machine.shown.until is None
    machine.do(Tick(0), after=1)
    machine.do(Tick(0), after=120)
    assert machine.shown == Availability()


def test_work_of_the_owner_that_no_request_brought_pauses_too() -> None:
    machine = Machine()
    assert machine.do(Tick(1)) == Effects(drop_queued=True, interrupt=True, free_memory=True, announce=True)


def test_sharing_does_not_pause() -> None:
    machine = Machine(owner_work="share")
    assert machine.do(OwnerPrompt()) == Effects()
    assert machine.do(Tick(3)) == Effects()


def test_finishing_leaves_what_runs_alone() -> None:
    machine = Machine(on_pause="finish")
    assert machine.do(PauseCommand(None)) == Effects(
        drop_queued=True, free_memory=True, announce=True, save=True
    )
    assert machine.do(Tick(0), after=1) == Effects(drop_queued=True)


def test_resuming_during_the_owners_work_holds_until_there_is_new_work() -> None:
    machine = Machine()
    machine.do(OwnerPrompt())
    machine.do(Tick(1), after=1)
    machine.do(ResumeCommand())
    machine.do(Tick(1), after=1)
    assert not machine.shown.is_paused
    machine.do(OwnerPrompt(), after=1)
    assert machine.shown.reason == "owner-work"
    machine.do(ResumeCommand())
    machine.do(Tick(0), after=1)
    machine.do(Tick(1), after=1)
    assert machine.shown.reason == "owner-work"


def test_the_schedule_opens_and_closes() -> None:
    machine = Machine("22:00-08:00")
    assert machine.shown == Availability("schedule", NOON + 10 * HOUR)
    assert machine.do(Tick(0), after=10 * HOUR) == Effects(announce=True)
    assert not machine.shown.is_paused
    assert machine.do(Tick(0), after=10 * HOUR).free_memory
    assert machine.shown == Availability("schedule", NOON + 34 * HOUR)


def test_resuming_overrides_the_schedule_until_its_next_change() -> None:
    machine = Machine("22:00-08:00")
    assert machine.do(ResumeCommand()).save
    assert not machine.shown.is_paused
    machine.do(Tick(0), after=9 * HOUR)
    assert not machine.shown.is_paused
    machine.do(Tick(0), after=HOUR)
    assert not machine.shown.is_paused
    machine.do(Tick(0), after=10 * HOUR)
    assert machine.shown.reason == "schedule"


def test_a_command_ends_an_override() -> None:
    machine = Machine("22:00-08:00")
    machine.do(ResumeCommand())
    machine.do(PauseCommand(1))
    machine.do(Tick(0), after=60)
    assert machine.shown.reason == "schedule"


def test_the_strongest_reason_is_shown() -> None:
    machine = Machine("22:00-08:00")
    machine.do(OwnerPrompt())
    assert machine.shown.reason == "owner-work"
    machine.do(PauseCommand(None))
    assert machine.shown.reason == "command"
    assert not machine.do(PauseCommand(None)).free_memory


@pytest.mark.parametrize("jump", [-100_000.0, 100_000.0])
def test_a_clock_that_is_set_never_holds_the_owners_pause_for_long(jump: float) -> None:
    machine = Machine()
    machine.do(OwnerPrompt())
    machine.do(Tick(0), after=1)
    machine.do(Tick(0), after=jump)
    machine.do(Tick(0), after=120)
    assert not machine.shown.is_paused
