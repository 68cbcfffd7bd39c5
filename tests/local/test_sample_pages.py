"""The pages of samples: named, checksummed, and in agreement with the header."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.samples import SampleBackup, SampleDatabase
from shared.backupfile import FileSource, layout, read_backup
from shared.backupfile.codec import Region
from tests.backupfile.real_backups import real_backups
from tests.backupfile.walk import walk

Page = tuple[dict[str, Any], bytes]


def passes(data: bytes) -> list[list[Page]]:
    """Return the formatted pages of each MSDA block, with their header fields."""
    return [
        list(_formatted(data[part.offset + 24 : part.offset + 22 + part.length]))
        for part in walk(data)
        if part.tag == "MQDA" and part.length
    ]


def _formatted(stream: bytes) -> Iterator[Page]:
    for at in range(0, len(stream), 8192):
        page = stream[at : at + 8192]
        fields = layout.PAGE.unpack(Region(0, page))
        if fields["header_version"] == 1 and 1 <= fields["type"] <= 20:
            yield fields, page


def slow_page_sum(page: bytes) -> int:
    value = 0
    words = struct.unpack("<2048I", page[:60] + bytes(4) + page[64:])
    for sector in range(0, 2048, 128):
        value = (value << 1 | value >> 31) & 0xFFFFFFFF
        for word in words[sector : sector + 128]:
            value ^= word
    return value


def boot_page(pages: list[Page]) -> dict[str, Any]:
    (page,) = (page for fields, page in pages if fields["type"] == layout.PAGE_BOOT)
    return layout.BOOT.unpack(Region(0, page))


def data_of(backup: SampleBackup) -> bytes:
    return backup.to_bytes()[0]


@pytest.mark.parametrize("version", ["2012", "2022"])
def test_every_page_has_its_name_and_its_checksum(version: str) -> None:
    database = SampleDatabase("Sales", version=version, filegroups=["PRIMARY", "Old"])
    for backup in (database.full(stripes=3), database.differential()):
        places = []
        for data in backup.to_bytes():
            for number, pages in enumerate(passes(data)):
                for fields, page in pages:
                    assert fields["flags"] == layout.PAGE_CHECKSUMMED
                    assert fields["checksum"] == slow_page_sum(page)
                    places.append((number, fields["file_id"], fields["page_id"]))
        assert len(set(places)) == len(places)
        assert {file_id for _, file_id, _ in places} == {1, 3}


def test_check_of_page_sums_holds_on_real_pages() -> None:
    """Some pages of a real file have bits that look like a checksum without being one."""
    real = [backup for backup in real_backups() if backup.path.name == "Library.bak"]
    if not real:
        pytest.skip("needs the real backups of ../shared/backups, which are not here")
    (pages,) = passes(real[0].path.read_bytes())
    checked = [(f, page) for f, page in pages if f["flags"] & layout.PAGE_CHECKSUMMED]

    assert all(fields["checksum"] == slow_page_sum(page) for fields, page in checked)
    assert len(checked) > 200


def test_without_page_verify_no_page_claims_a_checksum() -> None:
    backup = SampleDatabase("Sales", page_checksums=False).full()

    for pages in passes(data_of(backup)):
        assert {(fields["flags"], fields["checksum"]) for fields, _ in pages} == {(0, 0)}


@pytest.mark.parametrize("version", ["2005", "2017", "2019"])
def test_boot_page_says_what_the_header_says(version: str) -> None:
    database = SampleDatabase("Sales", version=version)
    database.full()
    backup = database.differential()

    last = passes(data_of(backup))[-1]

    boot, header = boot_page(last), backup.header
    assert boot["checkpoint_lsn"] == header.checkpoint_lsn
    assert boot["differential_base_lsn"] == header.differential_base_lsn
    assert boot["differential_base_guid"] == header.differential_base_guid
    assert boot["family_guid"] == header.family_guid
    assert boot["recovery_fork_id"] == header.recovery_fork_id
    assert boot["database_version"] == header.database_version
    assert boot["database_name"] == "Sales".encode("utf-16-le").ljust(256)


def test_from_2019_on_the_first_boot_page_is_older() -> None:
    first, last = passes(data_of(SampleDatabase("Sales", version="2022").full()))

    assert boot_page(first)["checkpoint_lsn"] < boot_page(last)["checkpoint_lsn"]


def test_layout_of_the_boot_page_holds_on_real_files() -> None:
    checked = 0
    for backup in real_backups():
        if backup.is_compressed or len(backup.facts["sets"]) != 1:
            continue
        header = read_backup(FileSource(backup.path)).sets[0][0]
        pages = [page for found in passes(backup.path.read_bytes()) for page in found]
        boots = [page for page in pages if page[0]["type"] == layout.PAGE_BOOT]
        if boots:
            boot = boot_page(boots[-1:])
            assert boot["checkpoint_lsn"] == header.checkpoint_lsn
            assert boot["family_guid"] == header.family_guid
            assert boot["recovery_fork_id"] == header.recovery_fork_id
            assert boot["database_version"] == header.database_version
            checked += 1
    if not real_backups():
        pytest.skip("needs the real backups of ../shared/backups, which are not here")
    assert checked >= 35


def test_pages_of_an_encrypted_database_are_noise_behind_their_headers() -> None:
    backup = SampleDatabase("Sales", encrypted=True, data_bytes=65536).full()

    pages = passes(data_of(backup))[0]

    assert pages
    assert all(len(set(page[96:])) > 250 for _, page in pages)


def test_file_backup_holds_the_pages_of_its_filegroups() -> None:
    database = SampleDatabase("Sales", version="2014", filegroups=["PRIMARY", "Old", "New"])
    backup = database.file_backup("Old", "New")

    (pages,) = passes(data_of(backup))

    assert {fields["file_id"] for fields, _ in pages} == {3, 4}
    sizes = {file.file_group_name: file.backup_size_in_bytes for file in backup.files}
    assert sizes["PRIMARY"] == 0
    assert sizes["Old"] > 0


def test_blank_backup_of_any_size_is_written_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    backup = SampleDatabase("Big", blank=True, data_bytes=2**30).full()

    (path,) = backup.write(tmp_path)

    assert time.monotonic() - began < 5
    assert path.stat().st_size > 2**30
    assert path.stat().st_blocks * 512 < 2**20
    assert read_backup(FileSource(path)) == backup.contents[0]
