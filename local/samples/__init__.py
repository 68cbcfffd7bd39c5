"""Small backups in SQL Server's format, made without a server, for the demo and the tests.

`history` plays a database forward and takes its backups, `backup` writes them to files. `writer`
puts them into bytes by the layouts of `shared.backupfile.layout`: `sets` the blocks of a set,
`header` what its header says, `pages` its data files; `container` frames a compressed one.
`oddities` has files that only look like backups. The files are whole for this project's reader and
its simulated server; nothing here shows that a SQL Server would restore them.
"""

from local.samples.backup import SampleBackup, appended
from local.samples.container import compressed
from local.samples.history import SampleDatabase

__all__ = ["SampleBackup", "SampleDatabase", "appended", "compressed"]
