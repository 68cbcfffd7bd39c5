from __future__ import annotations

from local import odbc

# Before any test imports pyodbc, which cannot be loaded without its driver manager.
odbc.preload()
