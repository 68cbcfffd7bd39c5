"""Settings are read once, and a wrong one is named without being shown."""

from __future__ import annotations

import json

import pytest

from shared.errors import ConfigurationError
from shared.settings import read_settings

TARGET = {"server": "sql-1", "user": "sa", "password": "hunter2"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("BACKHAUL_STORAGE_CONNECTION_STRING", "AccountKey=hunter2")
    return monkeypatch


def targets(*names: str) -> str:
    return json.dumps(dict.fromkeys(names, TARGET))


def test_storage_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BACKHAUL_STORAGE_CONNECTION_STRING", raising=False)
    for given in ({}, {"BACKHAUL_BLOB_ENDPOINT": "https://a"}):
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(ConfigurationError, match="BACKHAUL_TABLE_ENDPOINT"):
            read_settings()
    monkeypatch.setenv("BACKHAUL_TABLE_ENDPOINT", "https://b")
    assert read_settings().blob_endpoint == "https://a"


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("TARGETS", "{hunter2", "BACKHAUL_TARGETS is no JSON: .* line 1 column 2"),
        ("TARGETS", '{"a": {"server": 5}}', r"BACKHAUL_TARGETS\.a\.server: "),
        (
            "TARGETS",
            '{"a": {"server": "x", "pasword": "hunter2"}}',
            r"BACKHAUL_TARGETS\.a\.pasword",
        ),
        ("TARGETS", targets("a/b"), r"BACKHAUL_TARGETS\.a/b.*pattern"),
        ("TARGETS", targets("x" * 65), "pattern"),
        ("TARGETS", targets(""), "pattern"),
        ("DEFAULT_TARGET", "nowhere", "BACKHAUL_DEFAULT_TARGET names 'nowhere'"),
        ("BATCH_SETS", "0", "BACKHAUL_BATCH_SETS: "),
        ("BATCH_SECONDS", "soon", "BACKHAUL_BATCH_SECONDS: "),
        ("CUTOVER_WAIT_HOURS", "1e300", "BACKHAUL_CUTOVER_WAIT_HOURS: "),
        ("AUTO_START", "perhaps", "BACKHAUL_AUTO_START: "),
        ("TABLE_PREFIX", "1st", "BACKHAUL_TABLE_PREFIX: "),
    ],
)
def test_a_wrong_setting_is_named_and_not_shown(
    environment: pytest.MonkeyPatch, setting: str, value: str, words: str
) -> None:
    environment.setenv(f"BACKHAUL_{setting}", value)
    with pytest.raises(ConfigurationError, match=words) as error:
        read_settings()
    assert "docs/settings.md" in error.value.action
    assert "hunter2" not in str(error.value)
    assert error.value.__cause__ is None


@pytest.mark.parametrize(
    ("names", "default", "chosen"),
    [([], None, None), (["a"], None, "a"), (["a", "b"], None, None), (["a", "b"], "b", "b")],
)
def test_the_target_of_migrations_that_name_none(
    environment: pytest.MonkeyPatch, names: list[str], default: str | None, chosen: str | None
) -> None:
    environment.setenv("BACKHAUL_TARGETS", targets(*names))
    if default:
        environment.setenv("BACKHAUL_DEFAULT_TARGET", default)
    assert read_settings().target_by_default == chosen


def test_secrets_are_not_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BACKHAUL_TARGETS", targets("a"))
    assert "hunter2" not in repr(read_settings())
