"""What the verification of a file has come to, as its record says it. Pure."""

from __future__ import annotations

from datetime import datetime

from shared.records import FileRecord, Refusal
from shared.verification import Check, verdict_of
from shared.vocabulary import InvalidReason


def with_check(record: FileRecord, check: Check, now: datetime) -> FileRecord:
    """Return the record of a file with how far its verification has come, or with its end.

    The first damage ends it: the file is of no use, however much of it is whole.
    """
    if check.findings:
        return record.model_copy(
            update={
                "verifying": None,
                "verified": check.level,
                "checked_on": now,
                "refusal": _refusal(check),
            }
        )
    if not check.done:
        return record.model_copy(update={"verifying": check})
    return record.model_copy(
        update={
            "verifying": None,
            "verified": check.level,
            "checked_on": now,
            "notes": tuple(verdict_of(check).notes),
        }
    )


def percent_of(check: Check) -> float:
    """Return how much of a file is behind, from 0 to 100."""
    return round(100 * check.at / check.size, 1) if check.size else 100.0


def _refusal(check: Check) -> Refusal:
    first = check.findings[0]
    more = len(check.findings) + check.findings_dropped - 1
    found = f"; {more} more places were found by then" if more else ""
    return Refusal(
        code=InvalidReason(first.reason_code),
        reason=f"Verified (level {check.level}) and found damaged: {first.message}{found}.",
        action="Compare the file with the one on the source (size, hash). If they differ, upload it"
        " again; if not, take a new backup WITH CHECKSUM. `backhaul verify` lists all damage.",
    )
