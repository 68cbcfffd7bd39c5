"""The documents name every setting, word and route, and the app needs no more than it says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum
from importlib.metadata import PackageNotFoundError, distribution, requires
from pathlib import Path

import pytest
from pydantic import BaseModel

import triggers
from local.folders import REPOSITORY
from shared import after_recovery, models, restore_options, vocabulary
from shared.backupset import BackupType
from shared.settings import Settings, SqlServerSettings

WORDS = sorted(
    {
        member.value
        for enumeration in vars(vocabulary).values()
        if isinstance(enumeration, type) and issubclass(enumeration, Enum)
        for member in enumeration
    }
)
STATUS_MODELS = [
    models.BackupFileInfo,
    models.VerifyingFile,
    models.BackupSetInfo,
    models.InvalidFile,
    models.ChainGap,
    models.MissingStripes,
    models.RestoredUpTo,
    models.LastRehearsal,
    models.RehearsalStepInfo,
    models.CutoverReadiness,
    models.MigrationStatusDetails,
    models.MigrationStatusWarnings,
    models.TargetServer,
    models.StandbyInfo,
    models.MigrationProperties,
    after_recovery.AfterRecovery,
    restore_options.RestoreOptions,
    after_recovery.AfterRecoveryStep,
    after_recovery.RecoveredDatabase,
    after_recovery.ToDoItem,
    after_recovery.UserWithoutLogin,
]


def document(name: str) -> str:
    return (REPOSITORY / "docs" / name).read_text(encoding="utf-8")


def quoted(text: str) -> set[str]:
    """Return what stands in backticks."""
    return set(re.findall(r"`([^`\n]+)`", text))


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    assert f"BACKHAUL_{name.upper()}" in quoted(document("settings.md"))


@pytest.mark.parametrize("name", SqlServerSettings.model_fields)
def test_every_key_of_a_target_is_documented(name: str) -> None:
    assert name in quoted(document("settings.md"))


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_documented_default_is_the_default(name: str) -> None:
    (row,) = re.findall(
        rf"^\| `BACKHAUL_{name.upper()}` \| (.*?) \|", document("settings.md"), re.MULTILINE
    )
    default = Settings.model_fields[name].get_default(call_default_factory=True)
    if isinstance(default, bool):
        assert row == f"`{str(default).lower()}`"
    elif isinstance(default, (int, float)):
        assert float(row.strip("`")) == default
    elif default:
        assert row == f"`{default}`"


@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_the_status_is_documented(word: str) -> None:
    assert word in quoted(document("status.md"))


@pytest.mark.parametrize("kind", BackupType)
def test_every_backup_type_is_documented(kind: BackupType) -> None:
    assert kind.word in quoted(document("status.md"))


@pytest.mark.parametrize("model", STATUS_MODELS)
def test_every_field_of_the_status_is_documented(model: type[BaseModel]) -> None:
    told = quoted(document("status.md"))
    missing = [f.alias for f in model.model_fields.values() if f.alias not in told]
    assert missing == []


def routes() -> Iterator[tuple[str, str]]:
    for function in triggers.blueprint._function_builders:
        trigger = function._function.get_trigger()
        if trigger.get_binding_name() == "httpTrigger":
            for method in trigger.methods:
                yield getattr(method, "value", method), trigger.route


@pytest.mark.parametrize(("method", "route"), list(routes()))
def test_every_route_is_documented(method: str, route: str) -> None:
    assert f"{method} /api/{route}" in quoted(document("api.md"))


@pytest.mark.parametrize(
    "module", sorted((REPOSITORY / "shared").glob("[a-z]*")), ids=lambda m: m.stem
)
def test_every_module_has_its_place_in_the_architecture(module: Path) -> None:
    name = f"{module.name}/" if module.is_dir() else module.stem
    assert name in quoted(document("architecture.md"))


def needed(requirements: str) -> set[str]:
    """Return the distributions that a requirements file brings, by way of others too."""
    lines = (REPOSITORY / requirements).read_text(encoding="utf-8").splitlines()
    open_ends = [line for line in lines if line and not line.startswith(("#", "-"))]
    found: set[str] = set()
    while open_ends:
        line = open_ends.pop()
        name = re.split(r"[\s;<>=!~\[(]", line, maxsplit=1)[0].lower().replace("_", "-")
        if name not in found and "extra ==" not in line:
            found.add(name)
            try:
                open_ends += requires(name) or []
            except PackageNotFoundError:
                continue  # of another version of Python
    return found


def modules_of(names: set[str]) -> set[str]:
    """Return the modules and packages that distributions bring, by their first name."""
    found = set()
    for name in names:
        with suppress(PackageNotFoundError):
            files = distribution(name).files or ()
            found |= {file.parts[0].removesuffix(".py") for file in files if file.suffix == ".py"}
    return found


def test_the_app_imports_with_its_own_requirements_alone() -> None:
    blocked = modules_of(needed("requirements-local.txt")) - modules_of(needed("requirements.txt"))
    assert {"httpx", "starlette", "typer"} <= blocked
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({[*sorted(blocked), 'local', 'backhaul', 'tests']!r}))\n"
        "import function_app\n"
        "print(len(function_app.app.get_functions()))\n"
    )
    done = subprocess.run(  # noqa: S603 our own program
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 22, "9 routes, 2 triggers, 2 orchestrators, an entity, 8 activities"
