"""The judge shares the reader of backups with the product, and nothing of what it judges."""

from __future__ import annotations

import ast
from pathlib import Path

import local.sqlserver

_ALLOWED = {
    "shared.backupfile",
    "shared.backupset",
    "shared.errors",
    "shared.lsn",
}


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_only_the_reader_and_its_values_are_shared() -> None:
    (folder,) = map(Path, local.sqlserver.__path__)
    imported = {name for path in folder.rglob("*.py") for name in _imports(path)}
    assert {name for name in imported if name.split(".")[0] == "shared"} <= _ALLOWED
    assert not imported & {"azure", "pyodbc"}


def test_the_engine_knows_no_sockets_and_the_wire_no_databases() -> None:
    (folder,) = map(Path, local.sqlserver.__path__)
    layers = {
        "engine": {"asyncio", "local.sqlserver.wire", "local.sqlserver.session", "socket"},
        "tsql": {"local.sqlserver.engine", "local.sqlserver.session", "local.sqlserver.wire"},
        "wire": {"local.sqlserver.engine", "local.sqlserver.session", "local.sqlserver.tsql"},
    }
    for layer, forbidden in layers.items():
        for path in (folder / layer).rglob("*.py"):
            named = {name for name in _imports(path) for bad in forbidden if name.startswith(bad)}
            assert not (named - {"asyncio"} if path.name == "transport.py" else named), path
