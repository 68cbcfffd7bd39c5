"""Whole restore sequences on an instance, step by step; the table is data/restores.json.

`take` plays databases forward: backups are numbered in the order in which they are taken. A step
is the number of a backup that is restored WITH NORECOVERY, or says more.
"""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from local.samples import SampleBackup, SampleDatabase
from local.sqlserver import Settings
from local.sqlserver.engine.instance import Instance
from shared.backupset import BackupType
from tests.sqlserver.console import Console

_CASES = json.loads(Path(__file__).with_name("data").joinpath("restores.json").read_text())
_DATA_BYTES = 64 * 1024


@pytest.mark.parametrize("case", _CASES, ids=[case["id"] for case in _CASES])
def test_restore_sequence(case: dict[str, Any], tmp_path: Path) -> None:
    folders = ("D:\\Data", "L:\\Log")
    settings = Settings(tmp_path / "instance", "", directories=folders, redo_slots_behind=0)
    with closing(Instance(settings)) as instance:
        sequence = _Sequence(Console(instance), take(case["take"]), tmp_path)
        for step in case["steps"]:
            sequence.run({"restore": step} if isinstance(step, int) else step)


def take(plays: list[Any]) -> list[SampleBackup]:
    backups: list[SampleBackup] = []
    database = SampleDatabase("Sales", data_bytes=_DATA_BYTES)
    for play in plays:
        options: dict[str, Any] = {"take": play} if isinstance(play, str) else dict(play)
        kind = options.pop("take", None)
        if kind:
            method = {"diff": "differential"}.get(kind, kind)
            backups.append(getattr(database, method)(**options))
        elif "fork" in options:
            database.fork(backups[options.pop("fork")], **options)
        else:
            name = options.pop("database", "Sales")
            database = SampleDatabase(name, data_bytes=_DATA_BYTES, **options)
    return backups


class _Sequence:
    def __init__(self, console: Console, backups: list[SampleBackup], folder: Path) -> None:
        self._console = console
        self._backups = backups
        self._paths = [backup.write(_fresh(folder, n)) for n, backup in enumerate(backups)]

    def run(self, step: dict[str, Any]) -> None:
        if "restore" in step:
            self._expect(self._statement(**step), step.get("error", []))
        elif "run" in step:
            self._expect(step["run"], step.get("error", []))
        else:
            for check, expected in step.items():
                getattr(self, f"_check_{check}")(expected)

    def _expect(self, text: str, error: list[int]) -> None:
        answer = self._console.run(text)
        assert answer.numbers == error, answer.failed

    def _statement(self, restore: int, **step: Any) -> str:
        backup = self._backups[restore]
        is_log = backup.header.backup_type is BackupType.LOG
        verb = step.get("as", "LOG" if is_log else "DATABASE")
        families = step.get("families") or [[restore, n + 1] for n in range(len(backup.labels))]
        devices = ", ".join(f"DISK = '{self._paths[n][family - 1]}'" for n, family in families)
        options = step.get("with", "NORECOVERY")
        target = step.get("to", "Sales")
        return f"RESTORE {verb} [{target}] FROM {devices}" + (f" WITH {options}" if options else "")

    def _check_state(self, expected: str | None) -> None:
        answer = self._console.must("SELECT state_desc FROM sys.databases WHERE name = 'Sales'")
        assert answer.table == ([(expected,)] if expected else [])

    def _check_redo(self, expected: int) -> None:
        header = self._backups[expected].header
        self._check_position(
            "redo_start_lsn, redo_start_fork_guid", header.last_lsn, header.recovery_fork_id
        )

    def _check_base(self, expected: int) -> None:
        header = self._backups[expected].header
        self._check_position(
            "differential_base_lsn, differential_base_guid",
            header.checkpoint_lsn,
            header.backup_set_guid,
        )

    def _check_position(self, columns: str, *expected: object) -> None:
        answer = self._console.must(
            f"SELECT {columns} FROM sys.master_files f "  # noqa: S608 columns of this file
            "JOIN sys.databases d ON d.database_id = f.database_id "
            "WHERE d.name = 'Sales' AND f.type = 0"
        )
        assert answer.table == [expected]

    def _check_history(self, expected: list[str]) -> None:
        answer = self._console.must(
            "SELECT restore_type FROM msdb.dbo.restorehistory ORDER BY restore_history_id"
        )
        assert [kind for (kind,) in answer.table] == expected

    def _check_replaced(self, expected: list[bool]) -> None:
        answer = self._console.must(
            "SELECT [replace] FROM msdb.dbo.restorehistory ORDER BY restore_history_id"
        )
        assert [replaced for (replaced,) in answer.table] == expected


def _fresh(folder: Path, number: int) -> Path:
    inner = folder / f"backup-{number}"
    inner.mkdir()
    return inner
