from __future__ import annotations

from typing import Any

import pytest

from donor.file_names import FileKey, find_files, parse_file_key
from donor.limits import StrangerLimit, TokenBucket
from donor.orphans import Orphans
from donor.routes_allowed import bridge_rule


def test_a_bucket_gives_a_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=2, burst=4)
    assert [bucket.take(10) for _ in range(5)] == [True] * 4 + [False]
    assert [bucket.take(11) for _ in range(3)] == [True, True, False]
    assert not bucket.take(5)  # A clock that goes back gives nothing.


def test_strangers_are_counted_by_address_and_minute() -> None:
    limit = StrangerLimit()
    assert [limit.is_over("203.0.113.1", 0) for _ in range(21)] == [False] * 20 + [True]
    assert not limit.is_over("203.0.113.2", 0)
    assert not limit.is_over("203.0.113.1", 60)


def test_a_household_is_one_stranger() -> None:
    limit = StrangerLimit()
    assert [limit.is_over(f"2001:db8::{n:x}", 0) for n in range(21)][-1]
    assert not limit.is_over("2001:db8:0:1::1", 0)
    assert [limit.is_over(f"::ffff:203.0.113.{n}", 0) for n in range(21)] == [False] * 21


def test_the_list_of_strangers_is_bounded() -> None:
    limit = StrangerLimit(max_addresses=10)
    for n in range(1000):
        limit.is_over(f"10.0.{n // 256}.{n % 256}", 0)
    assert len(limit) == 10
    limit.is_over(None, 0)
    limit.is_over("no address", 0)


def test_an_orphan_is_one_that_nobody_listens_for_or_names() -> None:
    orphans = Orphans(30)
    items = [("a", "gone"), ("b", "here")]
    here = frozenset(["here"])
    assert orphans.check(items, here, 0) == []
    assert orphans.check(items, here, 29) == []
    orphans.named("a", 29)
    assert orphans.check(items, here, 58) == []
    assert orphans.check(items, here, 59) == ["a"]
    assert orphans.check(items, frozenset(), 89) == ["a", "b"]


def test_naming_what_is_not_there_is_not_kept() -> None:
    orphans = Orphans(30)
    orphans.named("later", 1000)
    assert orphans.check([("later", "gone")], frozenset(), 0) == []
    assert orphans.check([("later", "gone")], frozenset(), 30) == ["later"]


@pytest.mark.parametrize(
    ("folder", "subfolder", "name", "key"),
    [
        ("output", "", "a.png", FileKey("output", "", "a.png")),
        ("temp", "a/b", "c.png", FileKey("temp", "a/b", "c.png")),
        ("input", "a\\b", "c.png", FileKey("input", "a/b", "c.png")),
        ("output", "./a//b/", "ü (1).png", FileKey("output", "a/b", "ü (1).png")),
        ("models", "", "a.png", None),
        (None, "", "a.png", None),
        ("output", None, "a.png", None),
        ("output", "", None, None),
        ("output", "", "", None),
        ("output", "", "..", None),
        ("output", "..", "a.png", None),
        ("output", "a/../..", "a.png", None),
        ("output", "a\\..\\..", "a.png", None),
        ("output", "/etc", "passwd", None),
        ("output", "\\\\host\\share", "a", None),
        ("output", "C:/x", "a", None),
        ("output", "", "../a.png", None),
        ("output", "", "..\\a.png", None),
        ("output", "", "a.png [input]", None),
        ("output", "", "a.png:stream", None),
        ("output", "", "a.png\0.txt", None),
        ("output", "", "a.png.", None),
        ("output", ".. /x", "a.png", None),
        ("output", "", "x" * 2000, None),
    ],
)
def test_only_names_that_stay_in_their_folder_are_names(
    folder: Any, subfolder: Any, name: Any, key: FileKey | None
) -> None:
    assert parse_file_key(folder, subfolder, name) == key


def test_files_are_found_wherever_a_node_shows_them() -> None:
    file = {"filename": "a.png", "subfolder": "s", "type": "output"}
    outputs = {
        "9": {
            "images": [file],
            "gifs": ({"deep": {**file, "filename": "b.webm"}},),
            "text": ["x"],
            "n": [None, 1],
        }
    }
    assert set(find_files(outputs)) == {FileKey("output", "s", "a.png"), FileKey("output", "s", "b.webm")}
    assert list(find_files(None)) == []


@pytest.mark.parametrize(
    ("method", "canonical", "rule"),
    [
        ("GET", "/ws", "socket"),
        ("GET", "/api/ws", "socket"),
        ("GET", "/history/{any_name}", "history"),
        ("POST", "/api/jobs/{job_id}/cancel", "job"),
        ("GET", "/jobs/{job_id}", None),
        ("GET", "/api/jobs", None),
        ("POST", "/api/jobs/cancel", None),
        ("GET", "/api/api/queue", None),
        ("HEAD", "/queue", None),
        ("OPTIONS", "/queue", None),
        ("POST", "/upload/mask", None),
        ("GET", "/view_metadata/{folder_name}", None),
        ("GET", "/userdata", None),
        ("GET", "/internal/logs", None),
        ("GET", "", None),
        ("GET", "/", None),
        ("POST", "/comfy-bridge/pause", None),
        ("POST", "/comfy-bridge/resume", None),
    ],
)
def test_only_what_the_bridge_needs_has_a_rule(method: str, canonical: str, rule: str | None) -> None:
    assert bridge_rule(method, canonical, canonical) == rule


def test_a_version_without_jobs_may_say_so() -> None:
    assert bridge_rule("POST", None, "/api/jobs/x/cancel") == "missing-job"
    assert bridge_rule("GET", None, "/api/jobs/x/y") is None
    assert bridge_rule("GET", None, "/anything") is None
