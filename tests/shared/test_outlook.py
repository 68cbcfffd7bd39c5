"""What a migration does next, case by case: order, progress, position and backups in, words out.

The cases play with one database: `full` and `log2` are in two files each, `full2` is a later full,
`tail` was taken WITH NORECOVERY, `foreign` is of another database. `full/1` is a single file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from local.samples import SampleBackup, SampleDatabase
from shared.backupset import BackupSet, merge_families
from shared.chain import DatabaseState, TargetPosition
from shared.deciding import look_ahead
from shared.outlook import (
    Known,
    Outlook,
    custom_status,
    cutover_has_expired,
    position_of,
    status_by_order,
)
from shared.records import (
    CancelOrder,
    CutoverOrder,
    FileRecord,
    MigrationOrder,
    MigrationProgress,
    RestoredBackup,
)
from shared.vocabulary import MigrationState, MigrationStatus, RestoreState
from tests.shared.files import NOW, records_of, refused

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "outlook" / "cases.json").read_text(encoding="utf-8")
)


def history() -> dict[str, SampleBackup]:
    source = SampleDatabase("Sales")
    taken = {"full": source.full(stripes=2), "log1": source.log(), "log2": source.log(stripes=2)}
    taken["diff"] = source.differential()
    taken["log3"] = source.log()
    taken["full2"] = source.full()
    taken["log4"] = source.log()
    taken["tail"] = source.tail_log()
    taken["foreign"] = SampleDatabase("HR").full()
    return taken


TAKEN = history()


def file_of(word: str) -> str:
    return f"f/{TAKEN[word].file_names[0]}"


def sets_of(words: Sequence[str]) -> tuple[BackupSet, ...]:
    parts: list[BackupSet] = []
    for word in words:
        name, _, number = word.partition("/")
        records = records_of(TAKEN[name])
        for record in [records[int(number) - 1]] if number else records:
            assert record.backup is not None
            parts.append(record.backup)
    return merge_families(parts)


def restored_as(number: int, word: str) -> RestoredBackup:
    header = TAKEN[word].header
    return RestoredBackup(
        number=number,
        backup_set_guid=header.backup_set_guid,
        backup_type=header.backup_type,
        files=(file_of(word),),
        last_lsn=header.last_lsn,
        recovery_fork_id=header.recovery_fork_id,
        restored_on=NOW,
    )


def order_of(case: dict[str, Any]) -> MigrationOrder:
    order = MigrationOrder(
        id="f",
        operation_id=UUID(int=1),
        target="t",
        target_database="Sales",
        folder="f",
        created_on=NOW,
        offline="offline" in case,
        last_backup_name=file_of(case["offline"]) if "offline" in case else None,
        cancel=CancelOrder(keep_target=False, requested_on=NOW) if "cancel" in case else None,
    )
    if "cutover" not in case:
        return order
    cutover = CutoverOrder(
        last_backup_name=file_of(case["cutover"]["name"]),
        awaited=case["cutover"]["awaited"],
        requested_on=NOW,
        expires_on=NOW + timedelta(hours=1),
    )
    return order.model_copy(update={"cutover": cutover})


def progress_of(case: dict[str, Any]) -> MigrationProgress:
    done = [restored_as(n, word) for n, word in enumerate(case.get("restored", ()), start=1)]
    progress = MigrationProgress(
        operation_id=UUID(int=1),
        begun=case.get("begun", bool(done)),
        recovering=case.get("recovering", False),
        restored_sets=len(done),
        full_backup=done[0] if done else None,
        last_restored=done[-1] if done else None,
    )
    if "final" not in case:
        return progress
    status, restore_state = case["final"]
    ended = {
        "status": MigrationStatus(status),
        "state": MigrationState(status),
        "restore_state": RestoreState(restore_state),
    }
    return progress.model_copy(update=ended)


def stands_at(case: dict[str, Any]) -> TargetPosition:
    restored = case.get("restored", ())
    state = case.get("position", "RESTORING" if restored else "ABSENT")
    if state == "interrupted":
        return TargetPosition(state=DatabaseState.RESTORING)
    if state != "RESTORING":
        return TargetPosition(state=DatabaseState(state))
    header = TAKEN[restored[-1]].header
    return TargetPosition(
        state=DatabaseState.RESTORING,
        redo_start_lsn=header.last_lsn,
        redo_start_fork_guid=header.recovery_fork_id,
        differential_base_guid=TAKEN["full"].header.backup_set_guid,
        differential_base_lsn=TAKEN["full"].header.checkpoint_lsn,
    )


def known_of(case: dict[str, Any]) -> Known:
    named: FileRecord | None = None
    if "refused" in case:
        named = refused(TAKEN[case["refused"]].file_names[0])
    elif "named" in case:
        named = records_of(TAKEN[case["named"]])[0]
    return Known(sets=sets_of(case.get("known", ())), named=named)


def look(case: dict[str, Any]) -> Outlook:
    return look_ahead(order_of(case), progress_of(case), stands_at(case), known_of(case))


def with_names(text: str) -> str:
    """Return a text with the words of the cases in place of the files' names."""
    for word in TAKEN:
        for name in TAKEN[word].file_names:
            text = text.replace(name, word)
    return text


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_what_comes_next(case: dict[str, Any]) -> None:
    outlook = look(case)
    expect = case["expect"]
    assert outlook.action.value == expect["action"]
    assert outlook.status.value == expect["status"]
    assert outlook.state.value == expect["state"]
    assert outlook.restore_state.value == expect["restoreState"]
    assert (outlook.blocking.code.value if outlook.blocking else None) == expect.get("code")
    said = with_names(outlook.waiting_for or "")
    for words in expect.get("says", ()):
        assert words in said
    steps = outlook.plan.steps
    assert "next" not in expect or steps[0].backup.backup_set_guid == (
        TAKEN[expect["next"]].header.backup_set_guid
    )
    if outlook.blocking is not None:
        assert outlook.blocking.reason == outlook.waiting_for
        assert outlook.blocking.action


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_an_accepted_order_keeps_its_status_until_it_is_done(case: dict[str, Any]) -> None:
    ordered = status_by_order(order_of(case), progress_of(case))
    if ordered is not None and "final" not in case and case["id"] != "cancel-late":
        assert look(case).status is ordered


def test_the_digest_tells_outlooks_apart() -> None:
    outlooks = [look(case) for case in CASES]
    told = {(o.action, o.status, o.state, o.waiting_for, o.plan.steps[:1]) for o in outlooks}
    assert len({outlook.digest for outlook in outlooks}) == len(told)


def test_a_log_that_arrives_behind_a_gap_changes_nothing() -> None:
    gap = {"restored": ["full", "log1"]}
    one = look({**gap, "known": ["full", "log1", "log3"]})
    more = look({**gap, "known": ["full", "log1", "log3", "log4", "tail"]})
    assert one.digest == more.digest
    assert look({"known": ["log1"]}).digest == look({"known": ["log1", "log2", "log3"]}).digest


@pytest.mark.parametrize(
    "words", [[], ["full"], ["full", "log1"], ["full", "log1", "log2", "log3"]]
)
def test_the_position_is_known_without_the_target(words: list[str]) -> None:
    """After a batch that nobody looked at, too: the last look was before the last sets."""
    case = {"restored": words}
    done = progress_of(case)
    for seen in [None, *(stands_at({"restored": words[:n]}) for n in range(len(words) + 1))]:
        position = position_of(done.model_copy(update={"position": seen}))
        expected = stands_at(case)
        assert position.state is expected.state
        assert position.redo_start_lsn == expected.redo_start_lsn
        if words:
            assert position.differential_base_guid == expected.differential_base_guid


def test_the_position_of_an_open_database_is_where_it_was_opened() -> None:
    done = progress_of({"restored": ["full", "log1"]})
    opened = done.model_copy(update={"position": TargetPosition(state=DatabaseState.ONLINE)})
    assert position_of(opened).redo_start_lsn == TAKEN["log1"].header.last_lsn


def test_only_a_cutover_that_waits_expires() -> None:
    order = order_of({"cutover": {"name": "log1", "awaited": True}})
    assert not cutover_has_expired(order, NOW + timedelta(hours=1))
    assert cutover_has_expired(order, NOW + timedelta(hours=2))
    now = order_of({"cutover": {"name": "log1", "awaited": False}})
    assert not cutover_has_expired(now, NOW + timedelta(days=400))
    assert not cutover_has_expired(order_of({}), NOW + timedelta(days=400))


@pytest.mark.parametrize("letter", ["x", "\N{CJK UNIFIED IDEOGRAPH-5E93}", "\N{OIL DRUM}"])
def test_the_custom_status_stays_small_whatever_files_are_called(letter: str) -> None:
    """Durable Functions ends an instance whose custom status is longer than 16 KiB of UTF-16."""
    name = "f/" + letter * 1020
    sets = [
        s.model_copy(update={"files": tuple(f.model_copy(update={"name": name}) for f in s.files)})
        for s in sets_of(["full", "log1", "log3"])
    ]
    order = order_of({}).model_copy(update={"target_database": letter * 128})
    for restored in (["full", "log1"], []):
        progress = progress_of({"restored": restored})
        if progress.last_restored is not None:
            last = progress.last_restored.model_copy(update={"files": (name,)})
            progress = progress.model_copy(update={"last_restored": last})
        outlook = look_ahead(order, progress, stands_at({"restored": restored}), Known(sets))
        status = custom_status(order, progress, outlook)
        assert len(json.dumps(status, ensure_ascii=False).encode("utf-16-le")) < 16 * 1024
