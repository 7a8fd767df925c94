from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from donor.file_names import FileKey
from donor.ledger import Ledger

LATE = 4_000_000_000.0
"""Later than whenever the files of a test are made."""


def make_ledger(tmp_path: Path) -> tuple[Ledger, Path]:
    folders = tmp_path / "comfy"
    for name in ("input", "output", "temp"):
        (folders / name).mkdir(parents=True, exist_ok=True)
    return Ledger(tmp_path / "run" / "files.jsonl", lambda kind: str(folders / kind)), folders


def key(name: str, folder: str = "output", subfolder: str = "") -> FileKey:
    return FileKey(folder, subfolder, name)


def test_the_ledger_is_kept_over_restarts(tmp_path: Path) -> None:
    ledger, folders = make_ledger(tmp_path)
    (folders / "output" / "a.png").write_bytes(b"a")
    ledger.add_output(key("a.png"), "one", LATE + 10)
    ledger.add_output(key("a.png"), "two", LATE + 20)
    ledger.add_upload(key("in.png", "input", "ü/b"), LATE + 30)
    ledger.add_upload(key("gone.png", "input"), LATE + 30)
    assert ledger.delete_uploads([key("gone.png", "input")]) == 0
    (folders / "input" / "ü" / "b").mkdir(parents=True)
    (folders / "input" / "ü" / "b" / "in.png").write_bytes(b"in")
    again, _ = make_ledger(tmp_path)
    assert again.holds(key("a.png"))
    assert again.holds(key("in.png", "input", "ü/b"))
    assert not again.holds(key("gone.png", "input"))
    assert again.delete_prompt("one") == 0
    assert again.delete_prompt("two") == 1
    assert not (folders / "output" / "a.png").exists()


def test_lines_that_are_broken_or_dangerous_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "run" / "files.jsonl"
    path.parent.mkdir()
    records: list[Any] = [
        {"at": LATE, "prompt": "p", "file": ["output", "", "../../secret"]},
        {"at": LATE, "prompt": "p", "file": ["output", "..", "secret"]},
        {"at": LATE, "prompt": "p", "file": ["models", "", "secret"]},
        {"at": "x", "prompt": "p", "file": ["output", "", "a.png"]},
        {"at": LATE, "prompt": "p", "file": "a.png"},
        [],
        {"at": LATE, "prompt": "p", "file": ["output", "", "good.png"]},
    ]
    path.write_text("\n".join(json.dumps(record) for record in records) + '\n{"at": LATE, "prompt": "p", "fi')
    secret = tmp_path / "secret"
    secret.write_text("secret")
    ledger, folders = make_ledger(tmp_path)
    (folders / "output" / "good.png").write_text("x")
    assert len(ledger) == 1
    assert ledger.delete_prompt("p") == 1
    assert secret.exists()


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    ledger, folders = make_ledger(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.png").write_text("the owner's")
    (folders / "output" / "link").symlink_to(outside)
    (folders / "output" / "b.png").symlink_to(outside / "a.png")
    (folders / "output" / "dir.png").mkdir()
    for name, subfolder in (("a.png", "link"), ("b.png", ""), ("dir.png", "")):
        ledger.add_output(key(name, subfolder=subfolder), "p", LATE + 1)
    assert ledger.delete_prompt("p") == 0
    assert (outside / "a.png").exists()
    assert (folders / "output" / "dir.png").exists()


def test_a_folder_that_is_itself_a_link_is_the_owners_choice(tmp_path: Path) -> None:
    real = tmp_path / "big disk"
    real.mkdir()
    (tmp_path / "output").symlink_to(real)
    ledger = Ledger(tmp_path / "run" / "files.jsonl", lambda kind: str(tmp_path / kind))
    (real / "a.png").write_text("x")
    ledger.add_output(key("a.png"), "p", LATE + 1)
    assert ledger.delete_prompt("p") == 1


def test_the_file_on_disk_does_not_grow_for_ever(tmp_path: Path) -> None:
    ledger, folders = make_ledger(tmp_path)
    for n in range(1500):
        (folders / "output" / "a.png").write_text("x")
        ledger.add_output(key("a.png"), str(n), LATE + n)
        assert ledger.delete_prompt(str(n)) == 1
    assert len((tmp_path / "run" / "files.jsonl").read_text().splitlines()) < 1500
    if os.name == "posix":
        assert (tmp_path / "run" / "files.jsonl").stat().st_mode & 0o077 == 0


def test_a_file_that_cannot_be_deleted_now_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, folders = make_ledger(tmp_path)
    (folders / "output" / "a.png").write_text("x")
    ledger.add_output(key("a.png"), "p", LATE + 1)

    def refuse(path: str) -> None:
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        assert ledger.delete_prompt("p") == 0
    assert ledger.delete_older(LATE + 2, set()) == 1


def test_a_name_that_somebody_else_has_taken_since_is_theirs(tmp_path: Path) -> None:
    ledger, folders = make_ledger(tmp_path)
    path = folders / "output" / "a.png"
    path.write_text("the bridge's")
    os.utime(path, (LATE, LATE))
    ledger.add_output(key("a.png"), "p", LATE)
    assert ledger.holds(key("a.png"))
    path.unlink()
    assert not ledger.holds(key("a.png"))
    path.write_text("the owner's")
    os.utime(path, (LATE + 60, LATE + 60))
    assert not ledger.holds(key("a.png"))
    assert ledger.delete_prompt("p") == 0
    assert path.exists()
