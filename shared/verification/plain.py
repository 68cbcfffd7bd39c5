"""Verifies uncompressed backups: block by block, and pages and log chunk by chunk."""

from __future__ import annotations

from shared.backupfile import layout
from shared.errors import BackupFileError
from shared.verification.backup import CHUNK, Backup
from shared.verification.blockwalk import is_at_end, leave_bulk, step
from shared.verification.check import Bulk, Check, Cursor, Finding
from shared.vocabulary import VerificationLevel

_STEP_COST = 512
"""What a header counts for in the budget, so that a file of nothing else is split too."""


def advance_plain(backup: Backup, check: Check) -> None:
    """Take one step: a header, a filemark, or a chunk of pages or log."""
    part = backup.part(check.part)
    if check.cursor is None:
        check.cursor = Cursor(at=part.start)
    cursor = check.cursor
    try:
        if cursor.bulk is not None:
            _pass_bulk(backup, check, cursor, cursor.bulk)
        elif is_at_end(cursor, part):
            backup.check_filemark(check.part)
            next_part(backup, check)
        else:
            check.spent += _STEP_COST
            if finding := step(backup.ranges, cursor, part, check.tally):
                check.find(finding)
    except BackupFileError as error:
        check.find_error(error, cursor.block)
        check.tally.skipped_bytes += max(0, part.end - check.at)
        next_part(backup, check)


def next_part(backup: Backup, check: Check) -> None:
    """Go on behind the filemark that ends a part."""
    check.part += 1
    check.cursor = None
    check.expanded = 0
    check.done = check.part == backup.parts
    if not check.done:
        check.cursor = Cursor(at=backup.part(check.part).start)


def _pass_bulk(backup: Backup, check: Check, cursor: Cursor, bulk: Bulk) -> None:
    if check.level is VerificationLevel.DATA and bulk.done < bulk.length:
        length = min(CHUNK, bulk.length - bulk.done)
        data = backup.read(bulk.start + bulk.done, length)
        _check_data(backup, check, cursor, bulk, data)
        check.spent += length
        bulk.done += length
        return
    tally = check.tally
    tally.data_bytes += bulk.length
    if bulk.tag == "MQTL":
        tally.log_bytes += bulk.length
    if bulk.checksummed:
        tally.covered_bytes += bulk.length
    leave_bulk(cursor, bulk, summed=check.level is VerificationLevel.DATA)


def _check_data(backup: Backup, check: Check, cursor: Cursor, bulk: Bulk, data: memoryview) -> None:
    # Here and not at the top: numpy takes a tenth of a second, and headers do without.
    from shared.verification.pages import check_pages, page_limits
    from shared.verification.sums import SECTOR, add_units, fold_sectors

    sectors = fold_sectors(data)
    if bulk.checksummed:
        bulk.value = add_units(bulk.value, sectors)
    if bulk.tag != "MQDA":
        return
    whole = len(data) // layout.PAGE_SIZE * layout.PAGE_SIZE
    limits = page_limits(backup.files_of(check.part))
    run = check_pages(data[:whole], sectors[: whole // SECTOR], limits)
    check.tally.pages += run.pages
    check.tally.checked_pages += run.checked
    check.tally.unsummed_pages += run.unsummed
    for page in run.bad:
        offset = bulk.start + bulk.done + page.place * layout.PAGE_SIZE
        check.find(
            Finding(
                offset=offset,
                block=cursor.block,
                page_number=page.page_number,
                file_id=page.file_id,
                message=f"the checksum of page {page.file_id}:{page.page_number} at offset {offset}"
                f" is wrong: seen {page.seen:#010x}, expected {page.expected:#010x}",
            )
        )
