"""The command `inspect`: golden files, real backups, verdicts, exit status."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from local.samples import SampleDatabase
from tests.backhaul import golden
from tests.backhaul.backups import write_broken
from tests.backhaul.conftest import Run
from tests.backhaul.process import backhaul
from tests.backupfile.real_backups import FOLDER, needs_real_backups, real_backups


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_headers_are_shown(run: Run, here: Path) -> None:
    sales = SampleDatabase("Sales", seed=1, data_bytes=64 * 1024, filegroups=("PRIMARY", "FG2"))
    sales.full(name="weekly").write(here)
    sales.differential(stripes=2).write(here)
    sales.tail_log().write(here)

    shown = run("inspect", ".")
    as_json = run("inspect", ".", "--json")

    assert shown.status == as_json.status == 0
    assert shown.err == as_json.err == ""
    golden.check("inspect.txt", shown.out)
    golden.check("inspect.json", as_json.out)


def test_verdicts_are_shown(run: Run, here: Path) -> None:
    write_broken(here)

    shown = run("inspect", "truncated.bak", "empty.bak", "appended.bak", "missing.bak")

    assert shown.status == 1
    golden.check("inspect-broken.txt", shown.out)


def test_one_unusable_file_among_good_ones_is_a_failure(run: Run, here: Path) -> None:
    good = SampleDatabase("Sales", seed=1).full().write(here)[0]
    (here / "notes.txt").write_text("hello, world")

    shown = run("inspect", str(good), "notes.txt", "--json")

    assert shown.status == 1
    files = json.loads(shown.out)["files"]
    assert [file["usable"] for file in files] == [True, False]
    assert "verdict" not in files[0]
    assert files[1]["verdict"]["reasonCode"] == "NotABackup"


def test_unknown_columns_are_absent(run: Run, here: Path) -> None:
    SampleDatabase("Sales", seed=1).full().write(here)

    text = run("inspect", ".", "--json").out

    assert "null" not in text


def test_what_the_system_refuses_is_a_verdict(run: Run, here: Path) -> None:
    os.mkfifo("pipe.bak")
    Path("dangling.bak").symlink_to("nowhere")
    Path("loop.bak").symlink_to("loop.bak")

    shown = run("inspect", "pipe.bak", "dangling.bak", "loop.bak", "/dev/null", "--json")

    assert shown.status == 1
    codes = {f["verdict"]["reasonCode"] for f in json.loads(shown.out)["files"]}
    assert codes == {"FileNotReadable"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_what_we_may_not_read_is_a_verdict(run: Run, here: Path) -> None:
    (here / "closed").mkdir()
    (here / "closed.bak").write_bytes(b"TAPE")
    (here / "closed").chmod(0)
    (here / "closed.bak").chmod(0)

    shown = run("inspect", ".", "--json")

    assert shown.status == 1
    files = json.loads(shown.out)["files"]
    assert [f["verdict"]["reason"] for f in files] == ["It cannot be read: Permission denied."] * 2


def test_folder_without_files_is_an_error(run: Run, here: Path) -> None:
    (here / "empty").mkdir()

    assert run("inspect", "empty").status == 1


def test_exit_status_of_a_process(tmp_path: Path) -> None:
    good = SampleDatabase("Sales", seed=1).full().write(tmp_path)[0].name

    assert backhaul("inspect", good, cwd=tmp_path).status == 0
    assert backhaul("inspect", good, "absent", cwd=tmp_path).status == 1
    assert backhaul("inspect", cwd=tmp_path).status == 2


def _upper_guids(value: object) -> object:
    """Spell GUIDs as the manifest does."""
    if isinstance(value, str) and len(value) == 36 and value.count("-") == 4:
        return value.upper()
    return value


def _columns(row: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    found = {name.lower().replace("_", ""): _upper_guids(value) for name, value in row.items()}
    return {name: found.get(name.lower()) for name in wanted}


@needs_real_backups
def test_real_backups_are_shown_with_every_fact_of_the_manifest(run: Run) -> None:
    shown = json.loads(run("inspect", str(FOLDER), "--json").out)["files"]

    by_name = {os.path.relpath(file["file"], FOLDER): file for file in shown}
    for backup in real_backups():
        file = by_name[backup.facts["path"]]
        assert file["sizeBytes"] == backup.facts["size"]
        assert _columns(file["LABELONLY"], backup.facts["LABELONLY"]) == backup.facts["LABELONLY"]
        for seen, facts in zip(file["sets"], backup.facts["sets"], strict=True):
            header = {**facts["HEADERONLY"]}
            assert _columns(seen["HEADERONLY"], header) == header
            for row, wanted in zip(seen["FILELISTONLY"], facts["FILELISTONLY"], strict=True):
                assert _columns(row, wanted) == wanted


@needs_real_backups
def test_real_backups_in_text_are_one_block_each(run: Run) -> None:
    folder = FOLDER / "dataplat__appveyor-lab" / "RestoreTimeClean"

    shown = run("inspect", str(folder))

    assert shown.status == 0
    assert shown.out.count("Verdict    usable") == len(list(folder.iterdir()))


@needs_real_backups
def test_real_chain_is_planned_in_its_order(run: Run) -> None:
    folder = FOLDER / "dataplat__appveyor-lab" / "RestoreTimeClean"

    ended = run("plan", str(folder), "--json")

    (database,) = json.loads(ended.out)["databases"]
    assert ended.status == 0
    assert [step["files"] for step in database["steps"]] == [
        ["RestoreTimeClean.bak"],
        ["RestoreTimeClean2.bak"],
        ["RestoreTimeClean2_1.trn"],
        ["RestoreTimeClean2_2.trn"],
        ["RestoreTimeClean2_3.trn"],
    ]
    assert {s["reasonCode"] for s in database["ignored"]} == {"CoveredByDifferential"}


@needs_real_backups
def test_all_real_backups_together_are_told_apart(run: Run) -> None:
    ended = run("plan", str(FOLDER), "--json")

    plan = json.loads(ended.out)
    told = [file["fileName"] for file in plan["unusableFiles"]]
    for database in plan["databases"]:
        for part in ("steps", "waiting", "ignored"):
            told.extend(name for backup in database[part] for name in backup["files"])
    assert sorted(told) == sorted([b.facts["path"] for b in real_backups()] + ["MANIFEST.json"])
    assert ended.status == 1


def test_likely_columns_are_named_and_proved_ones_are_not(run: Run, here: Path) -> None:
    sales = SampleDatabase("Sales", seed=1, version="2022")
    sales.full().write(here)

    (file,) = json.loads(run("inspect", ".", "--json").out)["files"]

    assert file["likely"] == ["Mirror_Count"]
    (only,) = file["sets"]
    assert {"Flags", "IsCopyOnly", "BeginsLogChain", "BackupSizeInBytes"} <= {*only["likely"]}
    assert not {"FirstLSN", "HasBackupChecksums", "BackupType", "Size"} & {*only["likely"]}
    columns = {*only["HEADERONLY"], *only["FILELISTONLY"][0]}
    assert {*only["likely"]} <= columns


def test_missing_families_are_named(run: Run, here: Path) -> None:
    paths = SampleDatabase("Sales", seed=1).full(stripes=3).write(here)
    paths[1].unlink()

    shown = run("inspect", ".")
    files = json.loads(run("inspect", ".", "--json").out)["files"]

    assert [file["missingFamilies"] for file in files] == [[2], [2]]
    assert shown.out.count("Missing    file 2 of the media set") == 2
