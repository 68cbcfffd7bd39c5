"""Where everything stands in a SQL Server backup file: layouts and constants, nothing else.

Offsets are bytes from the start of the structure; the `Kind` gives size and byte order, which is
little-endian but for packed dates (see `codec`). A field named like a column of RESTORE
HEADERONLY, FILELISTONLY or LABELONLY holds that column. The last argument is what every known
file holds there, for the writer of samples.

A file is: TAPE SFMB {SSET VOLB MSCI [MSDA...] MSTL... MSLS SFMB ESET ESET SFMB}..., one group per
backup set. MSCI (head) and MSLS (tail) hold the same header; from SQL Server 2019 on the LSNs in
MSCI are provisional. A compressed file (MSSQLBAK) holds the same blocks in records: `CONTAINER`.

Sources:
    MTF    Microsoft Tape Format Specification 1.00a
    SEEN   the same in every backup at hand, SQL Server 2005 to 2025
    PROVED by the database's own boot page, its log data or the other backups of its chain
    LIKELY documented by Microsoft for the column, fits the files, not provable with them
"""

from __future__ import annotations

from shared.backupfile.codec import (
    COLLATION,
    DATE,
    GUID,
    I8,
    LSN,
    PAIR,
    SIZE,
    TAG,
    U8,
    U16,
    U32,
    U64,
    Field,
    Kind,
    Layout,
    Pair,
)

MTF = "MTF 1.00a"
SEEN = "seen in files of 2005 to 2025"
PROVED = "proved with boot pages, log data and chains of 2005 to 2025"
LIKELY = "likely: documented, fits all files"

MAGIC_MTF = b"TAPE"
MAGIC_COMPRESSED = b"MSSQLBAK"
SOFTWARE_NAME = "Microsoft SQL Server"
SOFTWARE_VENDOR_ID = 4608

BLOCK_UNIT = 1024
"""Blocks of a set begin at multiples of this from its SSET (SEEN); MTF: format logical block."""
FILEMARK_UNIT = 512
"""TAPE gives the size of a filemark block in this unit."""
FILEMARK_LIMIT = 65536
"""The largest BLOCKSIZE of BACKUP; a filemark is one such block. Seen: 512 and 4096."""

BLOCK = Layout(
    "block header",
    Field("type", 0, TAG, MTF),
    Field("attributes", 4, U32, MTF),
    Field("first_stream", 8, U16, MTF + "; in SFMB the length of the block"),
    Field("os_id", 10, U8, MTF, 14),
    Field("os_version", 11, U8, MTF, 1),
    Field("displayable_size", 12, U64, MTF),
    Field("logical_address", 20, U64, MTF + "; in units of 1024 from the SSET"),
    Field("control_block_id", 36, U32, MTF),
    Field("system_data", 44, PAIR, MTF + "; in SSET: the GUID of the set and five zeros"),
    Field("string_type", 48, U8, MTF + "; 2 is UTF-16"),
    Field("checksum", 50, U16, MTF + "; XOR of the 25 words before it"),
)
CHECKED_BLOCK_BYTES = 50
UTF16 = 2

TAPE_ATTRIBUTES = 0x00030000
SFMB_ATTRIBUTES = 0x80000000
"""0 in SQL Server 2005."""
SFMB_FOLLOWS_INDEX = 0x00040000
"""In a compressed file, on the filemark that closes a set (SEEN)."""

STREAM = Layout(
    "stream header",
    Field("id", 0, TAG, MTF),
    Field("system_attributes", 4, U16, MTF),
    Field("media_attributes", 6, U16, MTF),
    Field("length", 8, U64, MTF),
    Field("encryption_algorithm", 16, U16, MTF),
    Field("compression_algorithm", 18, U16, MTF),
    Field("checksum", 20, U16, MTF + "; XOR of the 10 words before it"),
)
CHECKED_STREAM_BYTES = 20
STREAM_ALIGNMENT = 4

STREAM_VARIABLE = 0x0002
STREAM_LAST_PIECE = 0x0004
STREAM_ALIGNS = 0x0080
"""On APAD: the data of the stream after it begins at a multiple of the filemark size (SEEN)."""
STREAM_CHECKSUMMED = 0x0100
"""A CSUM stream follows (SEEN)."""

TAPE = Layout(
    "TAPE",
    Field("media_family_id", 52, U32, MTF),
    Field("attributes", 56, U32, MTF, 5),
    Field("media_sequence_number", 60, U16, MTF, 1),
    Field("password_algorithm", 62, U16, MTF),
    Field("filemark_units", 64, U16, MTF, 1),
    Field("media_catalog_type", 66, U16, MTF, 3),
    Field("media_name", 68, PAIR, MTF),
    Field("media_description", 72, PAIR, MTF),
    Field("media_password", 76, PAIR, MTF),
    Field("software_name", 80, PAIR, MTF),
    Field("logical_block_size", 84, U16, MTF, BLOCK_UNIT),
    Field("software_vendor_id", 86, U16, MTF, SOFTWARE_VENDOR_ID),
    Field("media_date", 88, DATE, MTF),
    Field("mtf_version_major", 93, U8, MTF, 1),
)
PASSWORD_ALGORITHM = 5

RAID = Layout(
    "RAID",
    Field("media_set_id", 0, GUID, PROVED),
    Field("constant", 16, U32, SEEN, 0xF00000AD),
    Field("family_count", 20, U16, PROVED, 1),
    Field("mirror_count", 22, U16, LIKELY, 1),
    Field("family_sequence_number", 24, U16, PROVED, 1),
    Field("tail", 30, U16, SEEN, 1),
)

SFMB = Layout(
    "SFMB",
    Field("capacity", 52, U32, MTF),
    Field("used", 56, U32, MTF),
    Field("array_offset", 60, U32, SEEN + "; absent in 2005"),
)
FILEMARK_ARRAY = 72
"""u64 file offsets of the filemarks before this one, newest first."""
FILEMARK_ARRAY_2005 = 60

SSET = Layout(
    "SSET",
    Field("attributes", 52, U32, MTF + "; does not tell full from log"),
    Field("password_algorithm", 56, U16, MTF),
    Field("compression_algorithm", 58, U16, MTF),
    Field("software_vendor_id", 60, U16, MTF, SOFTWARE_VENDOR_ID),
    Field("position", 62, U16, MTF + ": data set number"),
    Field("backup_name", 64, PAIR, MTF),
    Field("backup_description", 68, PAIR, MTF),
    Field("password", 72, PAIR, MTF),
    Field("user_name", 76, PAIR, MTF),
    Field("physical_address", 80, U64, MTF + ": file offset of this block"),
    Field("backup_start_date", 88, DATE, MTF),
    Field("software_version_major", 93, U8, MTF),
    Field("software_version_minor", 94, U8, MTF),
    Field("time_zone", 95, I8, MTF + ": quarter hours east of UTC"),
    Field("mtf_version_minor", 96, U8, MTF),
    Field("media_catalog_version", 97, U8, MTF, 2),
    Field("backup_set_guid", 100, GUID, PROVED),
)
SSET_SYSTEM_DATA = Pair(21, 100)
SSET_STRINGS = 122
"""Where strings begin; SEEN, but only the pairs count."""
LARGEST_TIME_ZONE = 56
"""Quarter hours from UTC: no zone is further off than 14 hours."""
SSET_COPY_ONLY = 2
SSET_NORMAL = 4
SSET_DIFFERENTIAL = 8

VOLB = Layout(
    "VOLB",
    Field("attributes", 52, U32, MTF, 2),
    Field("device_name", 56, PAIR, MTF),
    Field("volume_name", 60, PAIR, MTF),
    Field("machine_name", 64, PAIR, MTF),
    Field("media_write_date", 68, DATE, MTF),
)

CHUNK = Layout(
    "chunk of MQCI",
    Field("tag", 0, TAG, SEEN),
    Field("size", 4, U32, SEEN + "; with these 8 bytes"),
)
MQCI_FIRST_STREAM = 56

SCIN = Layout(
    "SCIN",
    Field("flags", 8, U32, "HEADERONLY, column Flags; 0x10 proved, 0x200 and 0x800 seen"),
    Field("data_file_count", 12, U32, SEEN),
    Field("log_file_count", 16, U32, SEEN),
    Field("software_version_build", 24, U16, SEEN),
    Field("software_version_minor", 26, U8, SEEN),
    Field("software_version_major", 27, U8, SEEN),
    Field("unknown_28", 28, U32, SEEN + "; 0 in 2005", 9),
    Field("first_lsn", 32, LSN, PROVED),
    Field("last_lsn", 42, LSN, PROVED),
    Field("checkpoint_lsn", 52, LSN, PROVED),
    Field("database_backup_lsn", 62, LSN, PROVED),
    Field("database_creation_date", 72, DATE, PROVED),
    Field("backup_start_date", 77, DATE, PROVED),
    Field("backup_finish_date", 82, DATE, SEEN + "; zero in MSCI"),
    Field("type_letter", 87, U8, "proved for D, I, L; others as in msdb.dbo.backupset.type"),
    Field("sort_order", 88, U8, SEEN),
    Field("unknown_89", 89, U16, SEEN, 1),
    Field("compatibility_level", 91, U8, PROVED),
    Field("database_id", 92, U16, PROVED),
    Field("database_version", 94, U16, PROVED),
    Field("backup_size", 96, SIZE, PROVED + "; over all stripes, final in MSLS"),
    Field("database_name", 104, PAIR, SEEN),
    Field("server_name", 108, PAIR, SEEN),
    Field("unicode_locale_id", 116, U32, SEEN),
    Field("unicode_comparison_style", 120, U32, SEEN, 196609),
    Field("binding_id", 124, GUID, PROVED),
    Field("fork_list_lsn", 144, LSN, SEEN + ": LastLSN again"),
    Field("recovery_fork_id", 156, GUID, PROVED),
    Field("previous_fork_lsn", 172, LSN, PROVED + ": where the present fork left the previous one"),
    Field("previous_fork_id", 184, GUID, PROVED),
    Field("base_before_guid", 200, GUID, PROVED + ": the base when the backup began"),
    Field("collation", 216, COLLATION, "MS-TDS, collation; seen"),
    Field("family_guid", 224, GUID, PROVED),
    Field("transfer_size", 240, U32, PROVED, 0x10000),
    Field("status_bits", 244, U32, "sysdatabases.status; 8 proved, 4 likely"),
    Field("log_chain_origin", 248, LSN, PROVED),
    Field("differential_base_lsn", 260, LSN, PROVED + "; differential only"),
    Field("differential_base_guid", 272, GUID, PROVED + "; differential only"),
    Field("previous_fork_lsn_again", 304, LSN, SEEN),
    Field("previous_fork_id_again", 316, GUID, SEEN),
    Field("last_log_backup_lsn", 332, LSN, PROVED),
)
SCIN_2008 = Layout("SCIN", Field("compressed_backup_size", 344, SIZE, SEEN + "; absent in 2005"))
SCIN_2012 = Layout("SCIN", Field("unknown_372", 372, U32, "seen from 2012 to 2019", 1))
SCIN_2022 = Layout(
    "SCIN",
    Field("unknown_380", 380, U32, "seen from 2022 on", 1),
    Field("unknown_384", 384, U32, "seen from 2022 on", 2),
    Field("unknown_388", 388, U32, "seen from 2022 on", 3),
)
SCIN_STRINGS_2005, SCIN_STRINGS_2008, SCIN_STRINGS_2012 = 344, 364, 400

FLAG_BULK_LOGGED = 0x0001
FLAG_SNAPSHOT = 0x0002
FLAG_READ_ONLY = 0x0004
FLAG_SINGLE_USER = 0x0008
FLAG_CHECKSUMS = 0x0010
FLAG_DAMAGED = 0x0020
FLAG_TAIL_LOG = 0x0040
FLAG_INCOMPLETE_METADATA = 0x0080
FLAG_NORECOVERY = 0x0100
FLAG_ALWAYS = 0x0200
FLAG_COPY_ONLY = 0x0400
FLAG_DIFFERENTIAL = 0x0800
"""All of HEADERONLY, column Flags, LIKELY; CHECKSUMS is proved, ALWAYS and DIFFERENTIAL seen."""

FLAG_COLUMNS = {
    "has_bulk_logged_data": FLAG_BULK_LOGGED,
    "is_snapshot": FLAG_SNAPSHOT,
    "is_read_only": FLAG_READ_ONLY,
    "is_single_user": FLAG_SINGLE_USER,
    "has_backup_checksums": FLAG_CHECKSUMS,
    "is_damaged": FLAG_DAMAGED,
    "has_incomplete_meta_data": FLAG_INCOMPLETE_METADATA,
    "is_force_offline": FLAG_NORECOVERY,
    "is_copy_only": FLAG_COPY_ONLY,
}
"""The columns of HEADERONLY that repeat a flag."""

TYPE_LETTERS = {"D": 1, "L": 2, "F": 4, "I": 5, "G": 6, "P": 7, "Q": 8}
"""BackupType of HEADERONLY by type letter; D, L and I proved, the others as in msdb."""

STATUS_SELECT_INTO = 4
STATUS_TRUNCATE_LOG = 8
STATUS_PAGE_CHECKSUM = 0x10000

SFGI = Layout(
    "SFGI",
    Field("flags", 8, U32, SEEN + ": 0x10 on PRIMARY"),
    Field("file_group_id", 12, U32, SEEN),
    Field("file_group_name", 16, PAIR, SEEN),
    Field("unknown_20", 20, U32, SEEN, 1),
    Field("file_group_guid", 24, GUID, SEEN),
)
SFGI_2012 = Layout(
    "SFGI",
    Field("unknown_40", 40, U32, "seen from 2012 on", 4),
    Field("first_lsn", 52, LSN, "seen from 2012 on: as in SCIN, and so are those that follow"),
    Field("last_lsn", 64, LSN, "seen from 2012 on"),
    Field("checkpoint_lsn", 76, LSN, "seen from 2012 on"),
    Field("log_chain_origin", 100, LSN, "seen from 2012 on"),
    Field("last_log_backup_lsn", 112, LSN, "seen from 2012 on"),
    Field("fork_list_lsn", 128, LSN, "seen from 2012 on"),
    Field("recovery_fork_id", 140, GUID, "seen from 2012 on"),
    Field("previous_fork_lsn", 156, LSN, "seen from 2012 on"),
    Field("previous_fork_id", 168, GUID, "seen from 2012 on"),
    Field("previous_fork_lsn_again", 184, LSN, "seen from 2012 on"),
    Field("previous_fork_id_again", 196, GUID, "seen from 2012 on"),
)
"""On PRIMARY; absent before 2012."""
SFGI_PRIMARY = 0x10
SFGI_STRINGS_2005, SFGI_STRINGS_2012 = 48, 224

SFIN = Layout(
    "SFIN",
    Field("flags", 8, U32, SEEN + ": 8 growth in percent, 0x80 data file of a full backup", 4),
    Field("page_size", 16, U32, SEEN, 8192),
    Field("file_id", 20, U32, PROVED),
    Field("pages", 24, U32, SEEN + "; of this file in the backup"),
    Field("type", 28, U32, SEEN + ": 1 data, 2 log"),
    Field("source_block_size", 32, U32, SEEN, 512),
    Field("file_group_id", 36, U32, SEEN),
    Field("size", 40, SIZE, SEEN),
    Field("logical_name", 48, PAIR, SEEN),
    Field("physical_name", 52, PAIR, SEEN),
    Field("max_size", 86, SIZE, SEEN),
    Field("growth", 94, U64, SEEN),
    Field("initial_size", 114, U64, SEEN),
    Field("max_size_again", 122, U64, SEEN),
    Field("size_again", 130, U64, SEEN),
    Field("create_lsn", 138, LSN, SEEN),
    Field("differential_base_lsn", 158, LSN, SEEN),
    Field("differential_base_guid", 170, GUID, PROVED),
    Field("unique_id", 186, GUID, PROVED),
    Field("first_lsn", 202, LSN, SEEN),
    Field("last_lsn", 218, LSN, SEEN),
    Field("checkpoint_lsn", 234, LSN, SEEN),
    Field("backup_size_in_bytes", 250, SIZE, PROVED + "; from 2019 on of the second pass"),
)
SFIN_FULL_BACKUP = 0x80
SFIN_DATA, SFIN_LOG = 1, 2
SFIN_STRINGS_2005, SFIN_STRINGS_2008, SFIN_STRINGS_2012 = 400, 1024, 1028

PAGE_SIZE = 8192
PAGE = Layout(
    "page",
    Field("header_version", 0, U8, SEEN, 1),
    Field("type", 1, U8, SEEN),
    Field("flags", 4, U16, "sys.dm_db_page_info, flag_bits; 0x200 proved by the checksums"),
    Field("fixed_bytes", 14, U16, SEEN + ": of a row"),
    Field("slot_count", 22, U16, SEEN),
    Field("object_id", 24, U32, SEEN),
    Field("free_bytes", 28, U16, SEEN),
    Field("free_data", 30, U16, SEEN + ": offset of the first free byte"),
    Field("page_id", 32, U32, PROVED),
    Field("file_id", 36, U16, PROVED),
    Field("lsn", 40, LSN, SEEN),
    Field("checksum", 60, U32, PROVED + "; over the page with zeros in this place"),
)
PAGE_HEADER_BYTES = 96
PAGE_CHECKSUMMED = 0x0200
PAGE_TORN_BITS = 0x0100
PAGE_DATA, PAGE_INDEX, PAGE_GAM, PAGE_SGAM, PAGE_PFS = 1, 2, 8, 9, 11
PAGE_BOOT, PAGE_FILE_HEADER, PAGE_DIFFERENTIAL_MAP, PAGE_BULK_MAP = 13, 15, 16, 17
"""Types as in sys.dm_db_page_info, all SEEN."""

BOOT_PAGE_ID = 9
"""In file 1."""
BOOT = Layout(
    "boot page",
    Field("database_version", 100, U16, PROVED),
    Field("database_version_when_created", 102, U16, SEEN),
    Field("database_name", 148, Kind("256s"), SEEN + "; spaces of one byte fill it up"),
    Field("database_id", 408, U16, SEEN),
    Field("differential_base_lsn", 432, LSN, SEEN),
    Field("checkpoint_lsn", 444, LSN, PROVED),
    Field("family_guid", 504, GUID, PROVED),
    Field("recovery_fork_id", 552, GUID, PROVED),
    Field("differential_base_guid", 596, GUID, SEEN),
    Field("log_chain_origin", 736, LSN, PROVED),
)
"""Offsets count from the start of the page."""

DATA_PADDING = 2
"""Bytes before the pages or the log in MQDA and MQTL (SEEN)."""

MSDA = Layout("MSDA", Field("unknown_58", 58, U16, SEEN, 1))
MSDA_FIRST_STREAM = 60

MSTL = Layout(
    "MSTL",
    Field("unknown_58", 58, U16, SEEN, 1),
    Field("start", 60, U64, PROVED + ": byte offset in the log file"),
    Field("end", 68, U64, PROVED),
    Field("unknown_76", 76, U32, SEEN, 2),
    Field("log_file", 80, PAIR, SEEN),
    Field("vlf_sequence", 92, U32, PROVED),
    Field("vlf_length", 96, U64, SEEN),
    Field("vlf_offset", 104, U64, PROVED),
    Field("log_file_id", 112, U16, SEEN, 2),
    Field("vlf_parity", 114, U8, SEEN + ": 0x40 or 0x80, 0 while unused"),
    Field("vlf_create_lsn", 116, LSN, SEEN),
    Field("unknown_126", 126, U8, SEEN + ": 2 in 2005, 4 in 2008, from 2012 on 5", 5),
)
MSTL_LOG_FILE = 92
MSTL_FIRST_STREAM_2005, MSTL_FIRST_STREAM_2008, MSTL_FIRST_STREAM_2012 = 128, 592, 596

ESET = Layout(
    "ESET",
    Field("attributes", 52, U32, MTF),
    Field("set_map_address", 60, U64, MTF + "; 0 in the first ESET, its offset in the second"),
    Field("position", 78, U16, MTF + ": data set number"),
    Field("media_write_date", 80, DATE, MTF),
)
ESET_FIRST_STREAM = 88

TSMP = Layout(
    "TSMP",
    Field("media_family_id", 0, U32, MTF),
    Field("sets", 4, U16, MTF),
)
TSMP_BYTES = 8

TSMP_SET = Layout(
    "set in TSMP",
    Field("length", 0, U16, MTF),
    Field("media_sequence_number", 2, U16, MTF, 1),
    Field("block_attributes", 4, U32, MTF),
    Field("set_attributes", 8, U32, MTF),
    Field("set_address", 12, U64, MTF),
    Field("position", 30, U16, MTF),
    Field("size", 52, U64, SEEN + ": BackupSize, in a compressed file CompressedBackupSize"),
    Field("volumes", 60, U16, MTF, 1),
    Field("backup_name", 64, PAIR, MTF),
    Field("backup_description", 68, PAIR, MTF),
    Field("password", 72, PAIR, MTF),
    Field("user_name", 76, PAIR, MTF),
    Field("media_write_date", 80, DATE, MTF),
    Field("time_zone", 85, I8, MTF),
    Field("os_id", 86, U8, MTF, 14),
    Field("os_version", 87, U8, MTF, 1),
    Field("string_type", 88, U8, MTF, UTF16),
    Field("media_catalog_version", 90, U16, MTF, 2),
)
TSMP_VOLUME = Layout(
    "volume in TSMP",
    Field("length", 0, U16, MTF),
    Field("type", 2, TAG, MTF, b"VOLB"),
    Field("media_sequence_number", 6, U16, MTF, 1),
    Field("logical_address", 12, U64, MTF, 1),
    Field("os_id", 32, U8, MTF, 14),
    Field("os_version", 33, U8, MTF, 1),
    Field("string_type", 34, U8, MTF, UTF16),
    Field("attributes", 36, U32, MTF, 2),
    Field("device_name", 40, PAIR, MTF),
    Field("volume_name", 44, PAIR, MTF),
    Field("machine_name", 48, PAIR, MTF),
    Field("media_write_date", 56, DATE, MTF),
)
TSMP_VOLUME_BYTES = 62

CONTAINER = Layout(
    "compressed container",
    Field("magic", 0, Kind("8s"), SEEN, MAGIC_COMPRESSED),
    Field("version", 8, U32, SEEN + "; 2016 to 2022, others are not known", 2),
    Field("unknown_12", 12, U32, SEEN, 3),
)
CONTAINER_VERSION = 2
CONTAINER_RECORDS = 0x1E0
"""Where the records of MSSQLBAK begin (SEEN); what stands before was never initialised.

Records follow each other without a gap. They hold the blocks of an uncompressed file, compressed,
but for the filemarks (SFMB), which stand as they are at multiples of their size: padding before
the first and the last, a data index before the one that ends the set.
"""

RECORD = Layout(
    "record",
    Field("kind", 0, U8, SEEN),
    Field("units", 1, U8, PROVED + ": expanded length in units of 512; data only"),
    Field("length", 2, U16, PROVED + ": of the payload; 0 in an index, which has its own"),
)
RECORD_BYTES = 24
"""Of the header of padding and index; what follows the length was never initialised."""
RECORD_UNIT = 512
RECORD_DATA, RECORD_PADDING, RECORD_INDEX = 0x21, 0x24, 0x2C

DATA_RECORD = Layout(
    "data record",
    *RECORD.fields,
    Field("checksum", 24, U32, PROVED + ": see `sums.record_sum`"),
)
"""The payload is LZXPRESS Huffman (MS-XCA) and expands to exactly the length in the header."""

INDEX = Layout(
    "data index",
    Field("unknown_0", 0, U16, SEEN, 1),
    Field("unknown_2", 2, U16, SEEN, 1),
    Field("count", 4, U32, SEEN),
    Field("length", 8, U32, SEEN + "; of the record without its first 24 bytes"),
    Field("checksum", 12, U32, PROVED + ": as of a data record, over the entries"),
)
"""Begins and ends the payload of an index record; between are the entries, then zeros, so that
the record ends at the filemark that closes the set."""

INDEX_ENTRY = Layout(
    "entry of the data index",
    Field("address", 0, U64, PROVED + ": expanded bytes from the SSET"),
    Field("offset", 8, U64, PROVED + ": in the file"),
)
"""Names a record that begins with what follows pages or log: the rest of that block, and the blocks
after it. The last one leads to MSLS."""
