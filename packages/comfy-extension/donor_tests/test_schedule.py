from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from donor.schedule import ScheduleError, parse_schedule

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 2)


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def to_berlin(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, BERLIN)


@pytest.mark.parametrize(
    ("schedule", "when", "is_open"),
    [
        ("22:00-08:00", "2026-03-02T22:00", True),
        ("22:00-08:00", "2026-03-02T21:59", False),
        ("22:00-08:00", "2026-03-03T07:59", True),
        ("22:00-08:00", "2026-03-03T08:00", False),
        ("Mon-Fri 22:00-08:00", "2026-03-07T03:00", True),  # Saturday, begun on Friday
        ("Mon-Fri 22:00-08:00", "2026-03-02T03:00", False),  # Monday, would have begun on Sunday
        ("Mon-Fri 22:00-08:00, Sat-Sun 00:00-24:00", "2026-03-08T23:59", True),
        ("Mon-Fri 22:00-08:00, Sat-Sun 00:00-24:00", "2026-03-09T00:00", False),
        ("Fri-Mon 10:00-11:00", "2026-03-08T10:30", True),
        ("Fri-Mon 10:00-11:00", "2026-03-10T10:30", False),
        ("sun 09:00-10:00", "2026-03-08T09:00", True),
        ("00:00-24:00", "2026-03-08T00:00", True),
        ("18:00-24:00", "2026-03-08T23:59", True),
        ("18:00-24:00", "2026-03-09T00:00", False),
    ],
)
def test_is_open_by_the_wall_clock(schedule: str, when: str, is_open: bool) -> None:
    assert parse_schedule(schedule).is_open(datetime.fromisoformat(when)) is is_open


@pytest.mark.parametrize(
    ("schedule", "now", "change"),
    [
        ("22:00-08:00", "2026-03-02T12:00", "2026-03-02T22:00"),
        ("22:00-08:00", "2026-03-02T23:00", "2026-03-03T08:00"),
        ("Mon 10:00-11:00", "2026-03-02T11:00", "2026-03-09T10:00"),
        # 29 March: 02:00 to 03:00 does not exist.
        ("22:00-08:00", "2026-03-28T23:00", "2026-03-29T08:00"),
        ("02:30-04:00", "2026-03-29T01:00", "2026-03-29T03:00"),
        ("00:00-02:30", "2026-03-29T01:00", "2026-03-29T03:00"),
        # 25 October: 02:00 to 03:00 comes twice.
        ("22:00-08:00", "2026-10-24T23:00", "2026-10-25T08:00"),
        ("02:30-04:00", "2026-10-25T01:00", "2026-10-25T02:30"),
    ],
)
def test_finds_the_next_change(schedule: str, now: str, change: str) -> None:
    assert parse_schedule(schedule).next_change(at(now), to_berlin) == at(change)


def test_the_night_of_the_change_is_as_long_as_it_is() -> None:
    schedule = parse_schedule("22:00-08:00")
    spring = schedule.next_change(at("2026-03-28T22:00"), to_berlin)
    autumn = schedule.next_change(at("2026-10-24T22:00"), to_berlin)
    assert spring is not None
    assert autumn is not None
    assert spring - at("2026-03-28T22:00") == 9 * 3600
    assert autumn - at("2026-10-24T22:00") == 11 * 3600


def test_never_changes_when_it_is_always_open() -> None:
    assert parse_schedule("00:00-24:00").next_change(at("2026-03-02T12:00"), to_berlin) is None


@pytest.mark.parametrize(
    "schedule",
    ["22:00-08:00", "Mon-Fri 22:00-08:00, Sat-Sun 00:00-24:00", "Wed 00:00-00:01", "Sun-Tue 23:59-00:01"],
)
@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
)
def test_nothing_changes_before_the_next_change_and_something_does_then(schedule: str, zone: str) -> None:
    parsed, place = parse_schedule(schedule), ZoneInfo(zone)

    def to_local(seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, place)

    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    for day in range(0, 365, 13):
        now = (start + timedelta(days=day, hours=day % 24, minutes=day % 60, seconds=17)).timestamp()
        change = parsed.next_change(now, to_local)
        assert change is not None
        assert change > now
        before = parsed.is_open(to_local(now))
        assert parsed.is_open(to_local(change)) is not before
        minutes = range(int(now) // 60 * 60 + 60, int(change), 60 * 7)
        assert all(parsed.is_open(to_local(minute)) is before for minute in minutes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "22-08",
        "22:00",
        "25:00-26:00",
        "22:60-23:00",
        "08:00-08:00",
        "24:00-08:00",
        "Mod 1:00-2:00",
        "Mon-Fri",
        "22:00-08:00,",
    ],
)
def test_says_what_a_schedule_looks_like(text: str) -> None:
    with pytest.raises(ScheduleError):
        parse_schedule(text)
