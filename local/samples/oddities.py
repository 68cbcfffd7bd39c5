"""Files that people drop and that are no backups to restore, or not yet: for tests of refusals."""

from __future__ import annotations

import io
import random
import zipfile

from shared.backupfile import layout
from shared.backupfile.codec import Pair, Region, checksum
from shared.backupfile.sums import record_sum


def padded(data: bytes, size: int) -> bytes:
    """Return a backup in a page blob that is larger: zeros follow its last filemark."""
    return data.ljust(size, b"\0")


def ciphered(data: bytes, seed: int = 0) -> bytes:
    """Return a compressed backup whose records hold noise, with checksums that are right.

    What BACKUP WITH ENCRYPTION really writes is not known.
    """
    chance = random.Random(seed)  # noqa: S311 sample bytes, no secret
    out = bytearray(data)
    at = layout.CONTAINER_RECORDS
    while data[at] == layout.RECORD_DATA:
        length = layout.DATA_RECORD.unpack(Region(at, data), at)["length"]
        start = at + layout.DATA_RECORD.size
        payload = chance.randbytes(length)
        out[start : start + length] = payload
        field = at + layout.DATA_RECORD.offset_of("checksum")
        out[field : field + 4] = record_sum(payload).to_bytes(4, "little")
        at = start + length
    return bytes(out)


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("model.xml", "<DataSchemaModel/>" * 200)
    return out.getvalue()


def _tape_of_other_software() -> bytes:
    """Return the start of a tape format file as other backup software writes it."""
    name = "Microsoft Windows NT Backup (NTBACKUP.EXE)".encode("utf-16-le")
    place = Pair(len(name), layout.TAPE.size)
    body = layout.TAPE.pack({"filemark_units": 1, "software_name": place}) + name
    head = layout.BLOCK.pack({"type": b"TAPE", "first_stream": len(body), "string_type": 2})
    covered = bytes(head[: layout.CHECKED_BLOCK_BYTES])
    body[: len(head)] = covered + checksum(covered).to_bytes(2, "little")
    return bytes(body.ljust(65536, b"\0"))


FOREIGN = {
    "empty": b"",
    "zeros": bytes(8192),
    "text": b"-- Sales.sql\r\nCREATE TABLE Orders (Id int);\r\n" * 100,
    "dacpac": _zip(),
    "gzip": b"\x1f\x8b\x08\x00" + bytes(4096),
    "data file": b"\x01\x0f\x00\x00\x08\x02".ljust(8192, b"\0") * 4,
    "SQLite": b"SQLite format 3\0".ljust(8192, b"\0"),
    "virtual disk": b"conectix".ljust(8192, b"\0"),
    "tape of other software": _tape_of_other_software(),
}
"""Files of other formats, by what they are."""
