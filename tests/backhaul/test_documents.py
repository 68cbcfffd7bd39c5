"""Every command, option and JSON field is explained, in the help and in docs/cli.md."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

from backhaul.cli import app
from backhaul.planning import DatabasePlan, FolderPlan, LeftOutSet, Missing, UnusableFile
from backhaul.reading import Verdict
from local.folders import REPOSITORY
from tests.backhaul.conftest import Run

DOCUMENT = (REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8")
_SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
SECTIONS = {match[1]: match[2] for match in _SECTION.finditer(DOCUMENT)}


def _commands(group: Any, path: str = "") -> dict[str, Any]:
    """Return all commands by what is typed for them, those of groups too."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            found |= _commands(command, f"{path}{name} ")
        else:
            found[path + name] = command
    return found


COMMANDS = _commands(typer.main.get_command(app))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_command_is_documented_with_its_example(name: str) -> None:
    assert f"```\n{COMMANDS[name].example}" in SECTIONS[name]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_is_documented_and_has_help(name: str) -> None:
    about = SECTIONS[name]
    if "--url" in {option for p in COMMANDS[name].params for option in p.opts}:
        about += SECTIONS["Which app"]
    for parameter in COMMANDS[name].params:
        assert parameter.help, parameter.name
        for option in parameter.opts:
            assert not option.startswith("--") or f"`{option}" in about, option


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_begins_with_the_example_and_fits_80_columns(name: str, run: Run) -> None:
    shown = run(*name.split(), "--help")

    assert shown.status == 0
    assert shown.err == ""
    assert shown.out.startswith(f"Example: backhaul {name}")
    assert all(len(line) <= 80 for line in shown.out.splitlines())


@pytest.mark.parametrize(
    "model", [FolderPlan, DatabasePlan, LeftOutSet, Missing, UnusableFile, Verdict]
)
def test_every_field_of_our_own_json_is_documented(model: type[BaseModel]) -> None:
    for name in (field.alias for field in model.model_fields.values()):
        assert f"`{name}`" in SECTIONS["plan"].replace("databases[].", ""), name


def test_help_of_all_commands_names_each(run: Run) -> None:
    shown = run("--help")

    assert shown.status == 0
    assert shown.out.startswith("Example: backhaul ")
    first = {name.split()[0] for name in COMMANDS}
    assert [name for name in first if f"\n  {name} " not in shown.out] == []
    inner = run("host", "--help").out
    assert [n for n in COMMANDS if n not in first and f"\n  {n.split()[1]} " not in inner] == []


def test_no_command_is_wrong_usage(run: Run) -> None:
    assert run().status == 2


def test_unknown_command_is_wrong_usage(run: Run) -> None:
    ended = run("inspekt")

    assert ended.status == 2
    assert ended.out == ""
    assert "inspekt" in ended.err
