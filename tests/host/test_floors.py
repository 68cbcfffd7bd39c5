"""Who may import whom in the host; `local/host/__init__.py` tells why."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.running_host import REPOSITORY

_HOST = REPOSITORY / "local" / "host"
_MODULES = sorted(_HOST.glob("*.py"))
_PURE = {
    "entities",
    "errors",
    "gathering",
    "history",
    "instance",
    "links",
    "ncrontab",
    "replay",
    "retries",
    "rewind",
    "routes",
    "settings",
    "status",
    "timeline",
    "turns",
}
_OURS = {"activities", "backhaul", "orchestrators", "shared", "triggers", "function_app"}
_EFFECTS = {"aiohttp", "asyncio", "azure", "httpx", "socket", "sqlite3", "starlette", "threading"}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("path", _MODULES, ids=lambda path: path.stem)
def test_host_knows_nothing_of_the_apps_it_runs(path: Path) -> None:
    for name in _imports(path):
        first, *rest = name.split(".")
        assert first not in _OURS
        assert first != "local" or rest[0] == "host"


@pytest.mark.parametrize("name", sorted(_PURE))
def test_pure_modules_stay_pure(name: str) -> None:
    for imported in _imports(_HOST / f"{name}.py"):
        first, *rest = imported.split(".")
        assert first not in _EFFECTS
        assert first != "local" or rest[1] in _PURE


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {
        path.stem: {name.split(".")[2] for name in _imports(path) if name.startswith("local.host.")}
        for path in _MODULES
    }

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above, name))
        for other in graph[name]:
            visit(other, (*above, name))

    for name in graph:
        visit(name, ())
