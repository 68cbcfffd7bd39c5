"""What an error of the target means for the migration. Pure.

What passes by itself never comes here: it is a TargetUnavailable, which is tried again. Of the
rest most wait: a person, or time, can put right what the migration needs, and it goes on by itself
then. A backup that is no good is taken out of the plan. Only what leaves the restored database
beyond help ends the migration.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from shared.errors import TargetError
from shared.targets import faults
from shared.targets.fault_table import Kind
from shared.vocabulary import BlockingReason


class Fate(str, Enum):
    """What becomes of a migration after an error.

    REPLAN: read the position, plan anew. REFUSE: take the backup out of every plan. BLOCK: wait
    with a reason, and try again by and by. FAIL: end.
    """

    REPLAN = "replan"
    REFUSE = "refuse"
    BLOCK = "block"
    FAIL = "fail"


class Sentence(NamedTuple):
    """A fate, and what is shown meanwhile if it is to wait."""

    fate: Fate
    reason: BlockingReason = BlockingReason.TARGET_REFUSED


# Only another copy of the backup, or another backup, can help.
_OF_THE_BACKUP = frozenset(
    {3132, 3182, 3183, 3186, 3187, 3189, 3208, 3227, 3231, 3232, 3241, 3242, 3243, 3254}
    | {3255, 3256, 3258, 3266, 3268, 3269, 3279, 3284, 3287}
)

# The database cannot be rolled forward any more, and nothing but a new start can help.
_BEYOND_HELP = frozenset({3302, 3313, 3314, 3441, 3443, 3445, 4323})

_REASONS = {
    BlockingReason.CERTIFICATE_MISSING: {15581, 33111},
    BlockingReason.TARGET_STORAGE_FULL: {1105, 3257, 3442},
    BlockingReason.VERSION_NOT_SUPPORTED: {3168, 3169},
    BlockingReason.TARGET_DATABASE_EXISTS: {1801, 1834, 3141, 3142, 3154, 3159},
    BlockingReason.RESTORE_OPTIONS_REFUSED: {3176, 3199, 3234, 3250, 3253, 4353},
    BlockingReason.STORAGE_ACCESS_DENIED: {3220, 3225, 3288, 3289, 37563},
    BlockingReason.FEATURE_NOT_SUPPORTED_ON_TARGET: {3180, *range(41901, 41940)},
    BlockingReason.TARGET_NOT_READY: {42108},
    BlockingReason.STOP_POINT_NOT_REACHED: {3145, 4327, 4334, 4335, 4338, 4340, 4341, 4343},
}
_REASON_OF = {number: reason for reason, numbers in _REASONS.items() for number in numbers}
_ACCESS_OS_ERRORS = frozenset({5, 86})
_ACCESS_HTTP = frozenset({401, 403})


def fate_of(error: TargetError) -> Sentence:
    """Return what an error of the target that does not pass by itself means."""
    number = error.number or 0
    if number in _OF_THE_BACKUP:
        return Sentence(Fate.REFUSE)
    if number in _BEYOND_HELP:
        return Sentence(Fate.FAIL)
    fault = faults.fault_of(number)
    if fault is not None and fault.kind is Kind.SIGNAL:
        return Sentence(Fate.REPLAN)
    if reason := _REASON_OF.get(number):
        return Sentence(Fate.BLOCK, reason)
    told = faults.diagnostic(error.sqlstate, number, error.message)
    if told.os_error in _ACCESS_OS_ERRORS or told.http_status in _ACCESS_HTTP:
        return Sentence(Fate.BLOCK, BlockingReason.STORAGE_ACCESS_DENIED)
    if fault is not None and fault.unread is Kind.SIGNAL:
        return Sentence(Fate.REPLAN)
    return Sentence(Fate.BLOCK)
