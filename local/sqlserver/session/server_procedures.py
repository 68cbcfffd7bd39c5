"""Procedures of master: disks and files, and two that only the simulation has, for its faults.

Source for the former: public descriptions of xp_fixeddrives and xp_fileexist, which Microsoft
Learn does not document.
"""

from __future__ import annotations

from local.sqlserver.engine.faults import parse_fault
from local.sqlserver.engine.instance import Instance
from local.sqlserver.engine.placement import comparable, folder_of
from local.sqlserver.errors import Diagnostic, SqlError, refuse
from local.sqlserver.results import Column
from local.sqlserver.session.procedure import Call, Parameter, Procedure
from local.sqlserver.sqltypes import INT, char, nvarchar
from shared.errors import ConfigurationError

_MEGABYTE = 1024 * 1024
_FAULT = Parameter("@fault", nvarchar(None))


def _fixed_drives(call: Call) -> int:
    """Answer with the free megabytes of every drive that has a letter."""
    instance = call.context.instance
    volumes = instance.volumes.all(instance.file_sizes())
    rows = [
        (volume.mount_point[0].upper(), volume.available_bytes // _MEGABYTE)
        for volume in volumes
        if volume.mount_point[1:] in (":", ":\\")
    ]
    call.sink.rows([Column("drive", char(1)), Column("MB free", INT)], sorted(rows))
    return 0


def _file_exists(call: Call) -> int:
    """Answer whether a path is a file, a folder, and whether its folder exists."""
    instance = call.context.instance
    path = str(call.values["@filename"] or "")
    taken = {comparable(name) for name, _ in instance.file_sizes()}
    folders = {comparable(folder) for folder in instance.directories}
    names = ("File Exists", "File is a Directory", "Parent Directory Exists")
    row = (
        int(comparable(path) in taken),
        int(comparable(path) in folders),
        int(comparable(folder_of(path)) in folders),
    )
    call.sink.rows([Column(name, INT) for name in names], [row])
    return 0


def _simulate_fault(call: Call) -> int:
    """Add a fault to the plan; the login must be a sysadmin."""
    instance = _as_sysadmin(call)
    try:
        fault = parse_fault(str(call.values["@fault"]))
    except ConfigurationError as error:
        raise SqlError(Diagnostic(50000, 16, f"SIMULATED: {error.message}")) from error
    instance.faults.add(fault, f"sql-{instance.next_id('faults')}")
    call.sink.message(Diagnostic(50000, 0, f"SIMULATED: {fault.do.value} is going to strike."))
    return 0


def _clear_faults(call: Call) -> int:
    _as_sysadmin(call).faults.clear()
    return 0


def _as_sysadmin(call: Call) -> Instance:
    """Return the instance; raises 15247 unless a sysadmin calls."""
    instance = call.context.instance
    if not instance.logins.is_sysadmin(call.context.session.login):
        raise refuse(15247)
    return instance


SERVER_PROCEDURES = [
    Procedure("xp_fixeddrives", (), _fixed_drives),
    Procedure("xp_fileexist", (Parameter("@filename", nvarchar(260)),), _file_exists),
    Procedure("sp_simulate_fault", (_FAULT,), _simulate_fault),
    Procedure("sp_clear_simulated_faults", (), _clear_faults),
]
