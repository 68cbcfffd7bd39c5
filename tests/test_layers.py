"""The arrows of the house run down only: who may import whom, and no cycles.

    function_app -> triggers, orchestrators, activities -> shared

`backhaul`, `local` and `bench` stand beside the second floor; what is deployed never imports them.
The part of `shared` that decides is pure: it imports no SDK, not even by way of others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from local.folders import REPOSITORY

PACKAGES = ("activities", "backhaul", "bench", "local", "orchestrators", "shared", "triggers")
SECOND_FLOOR = ("activities", "orchestrators", "triggers")
BESIDE = ("backhaul", "bench", "local", "tests")
FUNCTIONS = ("azure.functions", "azure.durable_functions")
SDKS = ("azure", "pyodbc", "httpx", "starlette", "uvicorn")

# What decides, and what it speaks in.
PURE = (
    *("acceptance", "account", "backupfile", "backupset", "blob_event", "chain", "deciding"),
    *(
        "differential_base",
        "errors",
        "explain",
        "folder",
        "ignoring",
        "lineage",
        "lsn",
        "models",
        "outlook",
    ),
    *("readiness", "records", "restore_candidates", "restore_rules", "restore_search", "slots"),
    *("status", "verification", "vocabulary", "targets.faults", "targets.fault_table"),
    *("targets.files", "targets.rows", "targets.tsql", "targets.upkeep"),
    *("json_model", "after_recovery", "aftermath", "opened", "to_do"),
    *("paths", "restore_options", "targets.transfer"),
)


@cache
def modules() -> dict[str, Path]:
    """Return the files of all modules by name; a package is its `__init__`."""
    found = {"function_app": REPOSITORY / "function_app.py"}
    for package in PACKAGES:
        for path in (REPOSITORY / package).rglob("*.py"):
            parts = path.relative_to(REPOSITORY).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports_of(module: str, *, at_run_time: bool) -> frozenset[str]:
    """Return the modules that a module imports, of this project and others.

    At run time are those that are imported while the module is: not what stands in functions, or
    is for the type checker only.
    """
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in _statements(tree, at_run_time=at_run_time):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            origin = node.module or ""
            names = {f"{origin}.{alias.name}" for alias in node.names}
            # A part of a package is imported without what the package's own module holds.
            found |= names & modules().keys() if names <= modules().keys() else {origin, *names}
    return frozenset(found)


def _statements(tree: ast.AST, *, at_run_time: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        yield node
        is_later = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        )
        if not (at_run_time and is_later):
            yield from _statements(node, at_run_time=at_run_time)


def of(module: str, *packages: str) -> bool:
    """Tell whether a module is one of these packages, or in one."""
    return any(module == package or module.startswith(package + ".") for package in packages)


def offences(of_packages: tuple[str, ...], forbidden: tuple[str, ...]) -> list[str]:
    return [
        f"{module} imports {imported}"
        for module in modules()
        if of(module, *of_packages)
        for imported in sorted(imports_of(module, at_run_time=False))
        if of(imported, *forbidden)
    ]


@pytest.mark.parametrize(
    ("packages", "forbidden"),
    [
        (("shared",), (*SECOND_FLOOR, *FUNCTIONS, "function_app", *BESIDE)),
        (SECOND_FLOOR, ("function_app", *BESIDE)),
        (("function_app",), ("shared", *BESIDE)),
        (("backhaul", "local"), (*SECOND_FLOOR, "function_app", "tests")),
        (("local",), ("backhaul",)),
        (("backhaul", "local"), ("bench",)),
        (("bench",), (*SECOND_FLOOR, "function_app", "tests")),
        (("local.host",), ("shared", "backhaul")),
        (("local.sqlserver",), ("shared.chain", "shared.targets", "shared.restore_rules")),
        (("orchestrators",), ("triggers",)),
        (("activities",), ("triggers",)),
    ],
    ids=lambda value: "-".join(value),
)
def test_arrows_run_down_only(packages: tuple[str, ...], forbidden: tuple[str, ...]) -> None:
    assert offences(packages, forbidden) == []


def test_only_the_edges_of_shared_know_azure_and_odbc() -> None:
    edges = ("shared.catalog", "shared.storage", "shared.workplace", "shared.targets")
    inner = tuple(m for m in modules() if of(m, "shared") and not of(m, *edges))
    assert [o for o in offences(inner, ("azure", "pyodbc")) if o.split()[0] in inner] == []


@pytest.mark.parametrize("name", PURE)
def test_what_decides_imports_no_sdk_even_by_way_of_others(name: str) -> None:
    start = f"shared.{name}"
    assert start in modules()
    reached, open_ends = {start}, [start]
    open_ends += [m for m in modules() if of(m, start)]
    while open_ends:
        module = open_ends.pop()
        for imported in imports_of(module, at_run_time=True):
            assert not of(imported, *SDKS), f"{module} imports {imported}"
            if imported in modules() and imported not in reached:
                reached.add(imported)
                open_ends.append(imported)


def test_no_module_imports_itself_by_way_of_others() -> None:
    state: dict[str, bool] = {}  # True while it is being imported

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert not state.get(module), " -> ".join((*path[path.index(module) :], module))
        if module in state:
            return
        state[module] = True
        for imported in sorted(imports_of(module, at_run_time=True)):
            if imported in modules() and imported != module:
                visit(imported, (*path, module))
        state[module] = False

    for module in modules():
        visit(module, ())


def test_the_walk_sees_imports() -> None:
    assert "shared.errors" in imports_of("shared.catalog", at_run_time=True)
    assert "azure.data.tables" in imports_of("shared.catalog", at_run_time=True)
    assert "shared.targets.tsql" in imports_of("shared.targets.sqlserver", at_run_time=True)
    assert "pyodbc" in imports_of("shared.targets.connection", at_run_time=False)
    assert "pyodbc" not in imports_of("shared.targets.connection", at_run_time=True)
