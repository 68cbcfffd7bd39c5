"""How far a verification has come: what is kept between two pieces of the work."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from shared.errors import BackupFileError
from shared.vocabulary import VerificationLevel

FINDINGS_KEPT = 100
"""Findings that are kept one by one; those after them are counted."""


class _State(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Finding(_State):
    """Damage, and its place. `offset` is in the file; a page is called what its header says."""

    offset: int
    message: str
    block: str | None = None
    page_number: int | None = None
    file_id: int | None = None
    reason_code: str = "BackupDamaged"


class Tally(_State):
    """What has been looked at, in numbers."""

    blocks: int = 0
    streams: int = 0
    records: int = 0
    unknown_blocks: int = 0
    data_bytes: int = 0
    """Pages and log, or payload of records."""
    covered_bytes: int = 0
    """Of these, bytes under a checksum of the backup: a CSUM stream, or a record's own."""
    log_bytes: int = 0
    pages: int = 0
    checked_pages: int = 0
    unsummed_pages: int = 0
    """Formatted, without a checksum of their own."""
    skipped_bytes: int = 0
    """Not looked at, since what comes before them is damaged."""


class Bulk(_State):
    """Pages or log: the stream that the work has come to the middle of."""

    tag: str
    offset: int
    start: int
    """Of the pages or log, behind the padding."""
    length: int
    checksummed: bool
    done: int = 0
    value: int = 0
    """The checksum so far."""


class Cursor(_State):
    """A place among the blocks of one part of a file.

    `last` is the block before, `block` the one that `at` lies in.
    """

    at: int
    last: str = ""
    block: str | None = None
    block_offset: int = 0
    streams: int = 0
    bulk: Bulk | None = None
    expects_sum: bool = False
    value: int | None = None


class Check(_State):
    """A verification on its way. `part` counts what lies between filemarks."""

    level: VerificationLevel
    size: int
    compressed: bool = False
    has_checksums: bool = False
    part: int = 0
    cursor: Cursor | None = None
    expanded: int = 0
    done: bool = False
    tally: Tally = Tally()
    findings: list[Finding] = []
    findings_dropped: int = 0
    spent: int = 0
    """Bytes that were read of pages, log and records, and a little for each header."""

    @property
    def at(self) -> int:
        """The bytes of the file that are behind."""
        if self.done:
            return self.size
        if self.cursor is None:
            return 0
        bulk = self.cursor.bulk
        return self.cursor.at if bulk is None else bulk.start + bulk.done

    def find(self, finding: Finding) -> None:
        """Keep a finding, or count it; one for each place."""
        if any(known.offset == finding.offset for known in self.findings):
            return
        if len(self.findings) < FINDINGS_KEPT:
            self.findings.append(finding)
        else:
            self.findings_dropped += 1

    def find_error(self, error: BackupFileError, block: str | None = None) -> None:
        """Keep what the reader found."""
        offset = self.at if error.offset is None else error.offset
        self.find(
            Finding(
                offset=offset, message=error.message, block=block, reason_code=error.reason_code
            )
        )
