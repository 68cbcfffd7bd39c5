"""Table-valued functions of sys: what a session runs, disks, files.

Source: Microsoft Learn, the page of each function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from local.sqlserver.catalog.context import Context
from local.sqlserver.engine.placement import comparable, folder_of
from local.sqlserver.errors import not_simulated, refuse
from local.sqlserver.results import Column
from local.sqlserver.sqltypes import BIGINT, BIT, INT, SMALLINT, SqlType, nvarchar, varbinary

_FILE_EXISTS_SINCE = 14
_FILE_SYSTEM = "NTFS"


class TableFunction(NamedTuple):
    """A function: the types of its arguments, its columns, its rows for some arguments."""

    arguments: tuple[SqlType, ...]
    columns: tuple[Column, ...]
    rows: Callable[[Context, Sequence[object]], Iterable[tuple[object, ...]]]


def find_table_function(parts: tuple[str, ...]) -> TableFunction:
    """Return a function by name; raises SqlError 50000 for an unknown one."""
    function = _FUNCTIONS.get(".".join(part.casefold() for part in parts[-2:]))
    if function is None:
        raise not_simulated(f"table-valued function {'.'.join(parts)}")
    return function


def require_view_state(context: Context) -> None:
    """Raise 300 and 297 unless the session may see the state of the server.

    From SQL Server 2022 on a part of that permission is enough.
    """
    instance, login = context.instance, context.session.login
    needed = "VIEW SERVER STATE"
    if instance.settings.product.major >= 16:
        needed = "VIEW SERVER PERFORMANCE STATE"
    if not instance.logins.has(login, needed):
        raise refuse(300, needed, "server", "master").then(297)


def _sql_text(context: Context, values: Sequence[object]) -> Iterable[tuple[object, ...]]:
    (handle,) = values
    require_view_state(context)
    for session in context.instance.sessions.list():
        request = session.request
        if request and request.sql_handle == handle:
            yield None, None, None, False, request.text


def _volume_stats(context: Context, values: Sequence[object]) -> Iterable[tuple[object, ...]]:
    database_id, file_id = values
    require_view_state(context)
    instance = context.instance
    for database in instance.databases():
        for file in database.files:
            if (database.database_id, file.file_id) == (database_id, file_id):
                volume = instance.volumes.of(file.physical_name, instance.file_sizes())
                yield (
                    *(database_id, file_id),
                    *(volume.mount_point, volume.mount_point, "", _FILE_SYSTEM),
                    *(volume.total_bytes, volume.available_bytes),
                )


def _file_exists(context: Context, values: Sequence[object]) -> Iterable[tuple[object, ...]]:
    if context.instance.settings.product.major < _FILE_EXISTS_SINCE:
        raise refuse(208, "sys.dm_os_file_exists")
    require_view_state(context)
    path = str(values[0] or "")
    taken = {comparable(name) for name, _ in context.instance.file_sizes()}
    folders = {comparable(folder) for folder in context.instance.directories}
    is_folder = comparable(path) in folders
    parent = comparable(folder_of(path)) in folders
    yield comparable(path) in taken, is_folder, parent or is_folder


_FUNCTIONS: dict[str, TableFunction] = {
    "sys.dm_exec_sql_text": TableFunction(
        (varbinary(64),),
        (
            Column("dbid", SMALLINT),
            Column("objectid", INT),
            Column("number", SMALLINT),
            Column("encrypted", BIT),
            Column("text", nvarchar(None)),
        ),
        _sql_text,
    ),
    "sys.dm_os_volume_stats": TableFunction(
        (INT, INT),
        (
            Column("database_id", INT),
            Column("file_id", INT),
            Column("volume_mount_point", nvarchar(512)),
            Column("volume_id", nvarchar(512)),
            Column("logical_volume_name", nvarchar(512)),
            Column("file_system_type", nvarchar(512)),
            Column("total_bytes", BIGINT),
            Column("available_bytes", BIGINT),
        ),
        _volume_stats,
    ),
    "sys.dm_os_file_exists": TableFunction(
        (nvarchar(260),),
        (
            Column("file_exists", BIT),
            Column("file_is_a_directory", BIT),
            Column("parent_directory_exists", BIT),
        ),
        _file_exists,
    ),
}
