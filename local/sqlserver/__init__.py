"""A simulated SQL Server: it speaks TDS, keeps databases' states, and judges every RESTORE.

It is no SQL Server and says so wherever a user can see it. Clients connect with Microsoft's ODBC
driver; RESTORE reads the real bytes of real backups and obeys SQL Server's rules, but no data is
kept, only what was applied to which database. `serve` runs it inside a test; from a shell it is
`python -m local.sqlserver`.
"""

from local.sqlserver.server import Server, serve
from local.sqlserver.settings import EDITIONS, PRODUCTS, Settings

__all__ = ["EDITIONS", "PRODUCTS", "Server", "Settings", "serve"]
