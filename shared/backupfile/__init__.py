"""Reads a SQL Server backup from its bytes: label, headers, file lists, without a server.

Pure: ranges of bytes in (`ByteSource`), models of `shared.backupset` out. `layout` has the format
as tables, which the writer of samples shares; `reader` is the way through a file.
"""

from shared.backupfile.reader import read_backup
from shared.backupfile.source import ByteSource, BytesSource, FileSource

__all__ = ["ByteSource", "BytesSource", "FileSource", "read_backup"]
