"""When a machine is lent, by the clock on its owner's wall.

Whether it is open is asked of the local wall clock at one instant. The next change is found by asking the same question of the
minutes to come, so that a day with a summer-time change needs no rule of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Callable

LocalTime = Callable[[float], datetime]
"""From seconds since 1970 to local time."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_A_DAY = 24 * 60
LOOK_AHEAD_MINUTES = 8 * MINUTES_A_DAY

_ENTRY = re.compile(r"(?:([a-z]{3})(?:-([a-z]{3}))?\s+)?(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", re.IGNORECASE)


class ScheduleError(ValueError):
    """The text is no schedule; the message says what one looks like."""


@dataclass(frozen=True)
class Span:
    """From `start` to `end`, minutes of a day, on `days` (0 is Monday); past midnight where `end` is not after `start`."""

    days: frozenset[int]
    start: int
    end: int

    def holds(self, weekday: int, minute: int) -> bool:
        if self.start < self.end:
            return weekday in self.days and self.start <= minute < self.end
        if weekday in self.days and minute >= self.start:
            return True
        return (weekday - 1) % 7 in self.days and minute < self.end


@dataclass(frozen=True)
class Schedule:
    spans: tuple[Span, ...]

    def is_open(self, local: datetime) -> bool:
        minute = local.hour * 60 + local.minute
        return any(span.holds(local.weekday(), minute) for span in self.spans)

    def next_change(self, now: float, to_local: LocalTime) -> float | None:
        """Seconds since 1970; None when it never changes."""
        is_open = self.is_open(to_local(now))
        minute = (int(now) // 60) * 60
        for _ in range(LOOK_AHEAD_MINUTES):
            minute += 60
            if self.is_open(to_local(minute)) != is_open:
                return float(minute)
        return None


def parse_schedule(text: str) -> Schedule:
    """Such as `22:00-08:00` or `Mon-Fri 22:00-08:00, Sat-Sun 00:00-24:00`. A span belongs to the day on which it begins."""
    spans = tuple(_parse_span(entry.strip()) for entry in text.split(","))
    return Schedule(spans)


def system_local_time(now: float) -> datetime:
    return datetime.fromtimestamp(now)


def _parse_span(entry: str) -> Span:
    match = _ENTRY.fullmatch(entry)
    if match is None:
        raise ScheduleError(
            f'"{entry}" is no span of time; write it like "22:00-08:00" or "Mon-Fri 22:00-08:00"'
        )
    first_day, last_day, *times = match.groups()
    start = _parse_minutes(entry, times[0], times[1])
    end = _parse_minutes(entry, times[2], times[3])
    if start == MINUTES_A_DAY:
        raise ScheduleError(f'"{entry}" begins at 24:00; begin at 00:00 of the next day')
    if start == end:
        raise ScheduleError(f'"{entry}" ends when it begins; the whole day is "00:00-24:00"')
    return Span(_parse_days(entry, first_day, last_day), start, end)


def _parse_minutes(entry: str, hours: str, minutes: str) -> int:
    total = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or total > MINUTES_A_DAY:
        raise ScheduleError(f'"{entry}" has a time that is none: {hours}:{minutes}')
    return total


def _parse_days(entry: str, first: str | None, last: str | None) -> frozenset[int]:
    if first is None:
        return frozenset(range(7))
    begin = _parse_day(entry, first)
    end = begin if last is None else _parse_day(entry, last)
    return frozenset((begin + step) % 7 for step in range((end - begin) % 7 + 1))


def _parse_day(entry: str, name: str) -> int:
    if name.lower() not in DAYS:
        raise ScheduleError(
            f'"{entry}" has a day that is none: {name}; the days are Mon, Tue, Wed, Thu, Fri, Sat, Sun'
        )
    return DAYS.index(name.lower())
