"""Why a good set is not restored: from the planner's reasons to the words of the status."""

from __future__ import annotations

import pytest

from shared.backupset import BackupType
from shared.ignoring import IGNORED_BECAUSE, Used, ignore_reason
from shared.lsn import Lsn
from shared.restore_rules import Reason, Rejection
from shared.vocabulary import IgnoreReason
from tests.shared.test_explain import backup

FULL, DIFF, LOG = BackupType.DATABASE, BackupType.DIFFERENTIAL, BackupType.LOG
Word, R = IgnoreReason, Reason

# Restored, or to be: a full to 200, a differential to 400, logs to 600. A set ends at `end`.
USED = Used(Lsn(200), Lsn(400), Lsn(600))
TABLE = [
    (FULL, 150, R.SUPERSEDED, Word.OLDER_THAN_FULL_BACKUP),
    (FULL, 500, R.SUPERSEDED, Word.LATER_FULL_BACKUP),
    (FULL, 900, R.SUPERSEDED, Word.LATER_FULL_BACKUP),
    (FULL, 900, R.WRONG_FORK, Word.OTHER_RECOVERY_FORK),
    (FULL, 900, R.AFTER_TARGET, Word.AFTER_LAST_BACKUP),
    (DIFF, 150, R.WRONG_BASE, Word.OLDER_THAN_FULL_BACKUP),
    (DIFF, 300, R.WRONG_BASE, Word.NOT_BASED_ON_THIS_FULL),
    (DIFF, 300, R.SUPERSEDED, Word.SUPERSEDED_DIFFERENTIAL),
    (DIFF, 300, R.ALREADY_COVERED, Word.SUPERSEDED_DIFFERENTIAL),
    (DIFF, 500, R.ALREADY_COVERED, Word.DIFFERENTIAL_AFTER_LOG),
    (DIFF, 500, R.SUPERSEDED, Word.SUPERSEDED_DIFFERENTIAL),
    (DIFF, 900, R.WRONG_FORK, Word.OTHER_RECOVERY_FORK),
    (DIFF, 900, R.AFTER_TARGET, Word.AFTER_LAST_BACKUP),
    (LOG, 150, R.ALREADY_COVERED, Word.OLDER_THAN_FULL_BACKUP),
    (LOG, 200, R.ALREADY_COVERED, Word.OLDER_THAN_FULL_BACKUP),
    (LOG, 400, R.ALREADY_COVERED, Word.COVERED_BY_DIFFERENTIAL),
    (LOG, 600, R.ALREADY_COVERED, Word.NOTHING_TO_APPLY),
    (LOG, 500, R.SUPERSEDED, Word.NOTHING_TO_APPLY),
    (LOG, 150, R.WRONG_FORK, Word.OTHER_RECOVERY_FORK),
    (LOG, 900, R.AFTER_TARGET, Word.AFTER_LAST_BACKUP),
    (LOG, 600, R.AFTER_TARGET, Word.NOTHING_TO_APPLY),
]


@pytest.mark.parametrize(("kind", "end", "reason", "word"), TABLE)
def test_the_word_for_a_set_that_is_left_out(
    kind: BackupType, end: int, reason: Reason, word: IgnoreReason
) -> None:
    left_out = backup("x", kind, end - 10, end)
    found = ignore_reason(left_out, Rejection(reason), USED, behind_end=Word.AFTER_LAST_BACKUP)
    assert found is word


def test_behind_the_end_there_are_several_words() -> None:
    late = backup("x", LOG, 700, 900)
    for word in (Word.AFTER_LAST_BACKUP, Word.ARRIVED_AFTER_CUTOVER, Word.BEYOND_STOP_POINT):
        assert ignore_reason(late, Rejection(R.AFTER_TARGET), USED, behind_end=word) is word


@pytest.mark.parametrize(
    ("sets", "used"),
    [
        ([], Used(None, None, None)),
        ([(FULL, 200)], Used(Lsn(200), None, Lsn(200))),
        ([(LOG, 600), (FULL, 200), (LOG, 500)], Used(Lsn(200), None, Lsn(600))),
        ([(FULL, 200), (DIFF, 400), (DIFF, 300)], Used(Lsn(200), Lsn(400), Lsn(400))),
    ],
)
def test_how_far_the_used_sets_reach(sets: list[tuple[BackupType, int]], used: Used) -> None:
    assert Used.by(backup("x", kind, end - 10, end) for kind, end in sets) == used


def test_every_word_has_a_sentence() -> None:
    assert set(IGNORED_BECAUSE) == set(IgnoreReason)
    assert all(IGNORED_BECAUSE.values())
