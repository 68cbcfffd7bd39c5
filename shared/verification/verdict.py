"""What a finished check says, and what it cannot say."""

from __future__ import annotations

from typing import Literal

from shared.json_model import Json
from shared.verification.check import Check, Tally
from shared.vocabulary import VerificationLevel


class Place(Json):
    """Damage and where it is; `offset` counts bytes of the file."""

    offset: int
    reason_code: str
    message: str
    block: str | None = None
    page_number: int | None = None
    file_id: int | None = None


class Checked(Json):
    """What was looked at. Of `data_bytes`, `covered_bytes` are under a checksum of the backup."""

    blocks: int
    streams: int
    records: int
    data_bytes: int
    covered_bytes: int
    pages: int
    checked_pages: int
    unsummed_pages: int


class Verdict(Json):
    """Whether a backup is whole and undamaged, as far as the level goes."""

    result: Literal["good", "damaged"]
    level: VerificationLevel
    size_bytes: int
    notes: list[str]
    checked: Checked
    findings: list[Place]
    findings_dropped: int


def verdict_of(check: Check) -> Verdict:
    """Return the verdict of a check that is done."""
    return Verdict(
        result="damaged" if check.findings else "good",
        level=check.level,
        size_bytes=check.size,
        notes=_notes(check),
        checked=Checked(**check.tally.model_dump(include=set(Checked.model_fields))),
        findings=[Place(**finding.model_dump()) for finding in check.findings],
        findings_dropped=check.findings_dropped,
    )


def _notes(check: Check) -> list[str]:
    """Tell what was not checked, and why."""
    tally = check.tally
    if check.level is VerificationLevel.HEADER:
        notes = ["Only both ends were read: label, filemarks and final headers."]
    elif check.level is VerificationLevel.STRUCTURE:
        notes = ["Pages and log were not read, only the headers around them."]
    elif check.compressed:
        notes = [
            f"All {tally.records:,} records carry a checksum; pages were not expanded, so that"
            " damage from before the backup does not show."
        ]
    else:
        notes = list(_coverage(check, tally))
    if tally.unknown_blocks:
        notes.append(f"{tally.unknown_blocks} blocks of unknown types were passed over.")
    if tally.skipped_bytes:
        notes.append(f"{tally.skipped_bytes:,} bytes behind the damage were not checked.")
    return notes


def _coverage(check: Check, tally: Tally) -> list[str]:
    if tally.data_bytes == tally.covered_bytes:
        return ["Taken WITH CHECKSUM: all pages and log are covered."] if tally.data_bytes else []
    notes = []
    formatted = tally.checked_pages + tally.unsummed_pages
    if formatted:
        share = 100 * tally.unsummed_pages / formatted
        notes.append(
            f"Taken without CHECKSUM: {share:.0f} % of pages carry none"
            f" ({tally.unsummed_pages:,} of {formatted:,})."
        )
    blank = tally.pages - formatted
    if blank:
        notes.append(f"{blank:,} pages are not formatted and carry no checksum.")
    if tally.log_bytes:
        notes.append(f"Taken without CHECKSUM: {tally.log_bytes:,} bytes of log carry none.")
    return notes
