"""A folder of sample backups, the same at each run, with everything that a folder may have."""

from __future__ import annotations

from pathlib import Path

from local.samples import SampleBackup, SampleDatabase, appended


def write_sales(folder: Path) -> None:
    """A full in two files, a differential, logs, a copy of a file, and files of no use."""
    sales = SampleDatabase("Sales", seed=1, data_bytes=128 * 1024)
    old = sales.full()
    older_log = sales.log()
    full = sales.full(stripes=2, name="weekly")
    covered = sales.log()
    superseded = sales.differential()
    differential = sales.differential()
    logs = [sales.log(), sales.log()]
    for backup in (old, full):
        _write(folder / "FULL", backup)
    for backup in (superseded, differential):
        _write(folder / "DIFF", backup)
    for backup in (older_log, covered, *logs):
        _write(folder / "LOG", backup)
    (copy,) = logs[0].to_bytes()
    (folder / "copy of a log.trn").write_bytes(copy)
    (folder / "notes.txt").write_text("no backup\n")


def write_logs_with_gap(folder: Path, count: int) -> None:
    """A full and `count` logs of database HR, of which the last but one is missing."""
    hr = SampleDatabase("HR", seed=2, server="SQL02", data_bytes=64 * 1024)
    _write(folder, hr.full())
    logs = [hr.log() for _ in range(count)]
    for log in (*logs[:-2], logs[-1]):
        _write(folder, log)


def write_broken(folder: Path) -> None:
    """An empty file, a truncated one, one with two backup sets, and a lonely stripe."""
    folder.mkdir(parents=True, exist_ok=True)
    crm = SampleDatabase("CRM", seed=3, data_bytes=64 * 1024)
    (whole,) = crm.full().to_bytes()
    (folder / "truncated.bak").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.bak").write_bytes(b"")
    (both,) = appended(crm.full(), crm.log()).to_bytes()
    (folder / "appended.bak").write_bytes(both)
    (folder / "stripe 2 of 3.bak").write_bytes(crm.full(stripes=3).to_bytes()[1])


def _write(folder: Path, backup: SampleBackup) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    backup.write(folder)
