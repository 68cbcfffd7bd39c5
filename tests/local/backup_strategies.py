"""Hypothesis strategies of labels, headers and files with any values the format has room for."""

from __future__ import annotations

from datetime import datetime

from hypothesis import strategies as st

from shared.backupfile import layout
from shared.backupset import BackupHeader, BackupType, DatabaseFile, MediaLabel
from shared.lsn import Lsn

u32 = st.integers(0, 0xFFFFFFFF)
sizes = st.integers(0, 2**63 - 1)
guids = st.uuids()
lsns = st.builds(Lsn.of, u32, u32, st.integers(0, 0xFFFF))
dates = st.none() | st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001 no zone
    lambda date: date.replace(microsecond=0)
)
names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60
)
optional_names = st.none() | names


@st.composite
def labels(draw: st.DrawFn) -> MediaLabel:
    count = draw(st.integers(1, 64))
    return MediaLabel(
        media_name=draw(optional_names),
        media_set_id=draw(guids),
        family_count=count,
        family_sequence_number=draw(st.integers(1, count)),
        media_family_id=draw(u32),
        media_sequence_number=draw(st.integers(0, 0xFFFF)),
        media_description=draw(optional_names),
        software_name=layout.SOFTWARE_NAME,
        software_vendor_id=draw(st.integers(0, 0xFFFF)),
        media_date=draw(dates),
        mirror_count=draw(st.integers(0, 0xFFFF)),
        is_compressed=False,
        has_password=draw(st.booleans()),
    )


database_files = st.fixed_dictionaries(
    {
        "logical_name": names,
        "physical_name": names,
        "type": st.just("D"),
        "file_group_name": st.just("PRIMARY"),
        "size": sizes,
        "max_size": sizes,
        "file_id": u32,
        "create_lsn": lsns,
        "unique_id": guids,
        "backup_size_in_bytes": st.integers(0, 2**32),
        "source_block_size": u32,
        "file_group_id": st.just(1),
        "differential_base_lsn": lsns,
        "differential_base_guid": st.none() | guids,
    }
).map(lambda columns: DatabaseFile(**columns))


@st.composite
def headers(draw: st.DrawFn) -> BackupHeader:
    backup_type = draw(st.sampled_from(BackupType))
    is_differential = backup_type.label.startswith("differential")
    flags = draw(u32)
    major = draw(st.integers(9, 17))
    first = draw(lsns)
    return BackupHeader(
        backup_name=draw(optional_names),
        backup_description=draw(optional_names),
        backup_type=backup_type,
        compressed=False,
        position=draw(st.integers(0, 0xFFFF)),
        user_name=draw(optional_names),
        server_name=draw(optional_names),
        database_name=draw(names),
        database_version=draw(st.integers(0, 0xFFFF)),
        database_creation_date=draw(dates),
        backup_size=draw(sizes),
        first_lsn=first,
        last_lsn=draw(lsns),
        checkpoint_lsn=draw(lsns),
        database_backup_lsn=draw(lsns),
        backup_start_date=draw(dates),
        backup_finish_date=draw(dates),
        sort_order=draw(st.integers(0, 255)),
        unicode_locale_id=draw(u32),
        unicode_comparison_style=draw(u32),
        compatibility_level=draw(st.integers(0, 255)),
        software_vendor_id=draw(st.integers(0, 0xFFFF)),
        software_version_major=major,
        software_version_minor=draw(st.integers(0, 255)),
        software_version_build=draw(st.integers(0, 0xFFFF)),
        machine_name=draw(optional_names),
        flags=flags,
        binding_id=draw(guids),
        recovery_fork_id=(fork := draw(guids)),
        first_recovery_fork_id=fork,
        collation=draw(st.sampled_from([None, "Latin1_General_CI_AS"])),
        family_guid=draw(guids),
        begins_log_chain=backup_type is BackupType.LOG and first == 0,
        recovery_model=draw(st.sampled_from(["FULL", "BULK-LOGGED", "SIMPLE"])),
        differential_base_lsn=draw(lsns.filter(bool)) if is_differential else None,
        differential_base_guid=draw(guids) if is_differential else None,
        backup_set_guid=draw(guids),
        compressed_backup_size=None if major == 9 else draw(sizes),
        **{column: bool(flags & bit) for column, bit in layout.FLAG_COLUMNS.items()},
    )
