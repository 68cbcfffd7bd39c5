"""host.json, local.settings.json and keys."""

from __future__ import annotations

import json
import logging
import stat
from pathlib import Path

import pytest

from local.host.errors import SettingsError
from local.host.keys import AuthLevel, Keys
from local.host.settings import HostSettings, load_app_settings, load_host_settings


def _load(folder: Path, text: str, **environ: str) -> HostSettings:
    (folder / "host.json").write_text(text)
    return load_host_settings(folder, environ)


def test_defaults_are_those_of_azure_functions(tmp_path: Path) -> None:
    settings = load_host_settings(tmp_path, {})
    assert (settings.route_prefix, settings.hub_name) == ("api", "TestHubName")
    assert settings.function_timeout_s == 1800
    assert settings.log_level == logging.INFO
    assert settings.max_activities % 10 == 0


def test_settings_are_read_as_dotnet_reads_them(tmp_path: Path) -> None:
    """Names in any case, numbers as texts, and null for what is not set."""
    settings = _load(
        tmp_path,
        """{"FunctionTimeout": null, "Extensions": {"HTTP": {"routePrefix": null}, "durabletask": {
            "HubName": "Spelled", "maxconcurrentActivityFunctions": "7", "defaultVersion": null
        }}}""",
    )
    assert (settings.hub_name, settings.max_activities) == ("Spelled", 7)
    assert (settings.route_prefix, settings.default_version) == ("api", None)
    assert settings.function_timeout_s == 1800


def test_second_document_in_host_json_is_named_and_ignored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = _load(tmp_path, '{"functionTimeout": "00:01:00"}{"functionTimeout": "00:02:00"}')
    assert settings.function_timeout_s == 60
    assert "host.json goes on behind its JSON document" in caplog.text


def test_settings_are_read_with_comments_and_commas(tmp_path: Path) -> None:
    settings = _load(
        tmp_path,
        """
        // a comment
        {
            "functionTimeout": "1.02:03:04", /* another */
            "logging": {"logLevel": {"default": "Error"}},
            "extensions": {
                "http": {"routePrefix": "/a//b/"},
                "durableTask": {
                    "hubName": "%PREFIX%Hub", "defaultVersion": "1.0",
                    "maxConcurrentActivityFunctions": 3, // with "quotes" and // more
                    "maxConcurrentOrchestratorFunctions": 2,
                },
            }, // after the last comma
        }
        """,
        PREFIX="My",
    )
    assert settings == HostSettings(
        route_prefix="a//b",
        hub_name="MyHub",
        default_version="1.0",
        replaces_running=False,
        max_activities=3,
        max_orchestrators=2,
        max_entities=settings.max_entities,
        function_timeout_s=93784.0,
        log_level=logging.ERROR,
        response_headers={},
    )


@pytest.mark.parametrize("header", ['"X": 1', '"X": "a\\r\\nY: 1"', '"X Y": "a"', '"": "a"'])
def test_headers_that_are_none(tmp_path: Path, header: str) -> None:
    with pytest.raises(SettingsError, match="expected a header"):
        _load(tmp_path, f'{{"extensions": {{"http": {{"customHeaders": {{{header}}}}}}}}}')


def test_app_settings_override_host_json(tmp_path: Path) -> None:
    prefix = "AzureFunctionsJobHost__"
    environ = {
        f"{prefix}logging__logLevel__default": "Error",
        f"{prefix}EXTENSIONS__durabletask__MaxConcurrentActivityFunctions": "7",
        f"{prefix}extensions__http__routePrefix": "",
        f"{prefix}functionTimeout": "00:00:30",
        "AzureFunctionsJobHost": "nothing",
    }
    text = '{"extensions": {"durableTask": {"maxConcurrentActivityFunctions": 2}}}'
    settings = _load(tmp_path, text, **environ)
    assert (settings.log_level, settings.max_activities) == (logging.ERROR, 7)
    assert (settings.route_prefix, settings.function_timeout_s) == ("", 30)
    with pytest.raises(SettingsError, match=r"functionTimeout is no object in host\.json"):
        _load(tmp_path, '{"functionTimeout": 1}', **{f"{prefix}functionTimeout__x": "1"})


def test_functions_may_run_for_ever(tmp_path: Path) -> None:
    assert _load(tmp_path, '{"functionTimeout": "-1"}').function_timeout_s is None


def test_slashes_in_texts_are_no_comments(tmp_path: Path) -> None:
    text = '{"extensions": {"http": {"routePrefix": "a//b/*c*/"}}}'
    assert _load(tmp_path, text).route_prefix == "a//b/*c*"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not valid JSON"),
        ("[]", "holds list, expected an object"),
        ("[" * 100_000, "is not valid JSON"),
        ('{"functionTimeout": "soon"}', "functionTimeout: 'soon' is no time span"),
        ('{"extensions": 5}', "extensions.http is no object"),
        ('{"extensions": {"http": {"routePrefix": 5}}}', "routePrefix is 5, expected a text"),
        ('{"extensions": {"durableTask": {"hubName": "x-y"}}}', "hubName is 'x-y'"),
        ('{"extensions": {"durableTask": {"hubName": "%NO%"}}}', "the app setting NO, which"),
        (
            '{"extensions": {"durableTask": {"maxConcurrentActivityFunctions": 0}}}',
            "maxConcurrentActivityFunctions is 0, expected a number from 1",
        ),
        ('{"logging": {"logLevel": {"default": "Loud"}}}', "default is 'Loud', expected one of"),
    ],
)
def test_settings_that_are_wrong_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        _load(tmp_path, text)


def test_app_settings_give_way_to_the_environment(tmp_path: Path) -> None:
    values = {"A": "file", "B": "file", "N": 5, "NOTHING": None}
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": values}))
    environ = {"B": "environment"}
    load_app_settings(tmp_path, environ)
    assert environ == {"A": "file", "B": "environment", "N": "5", "NOTHING": ""}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"IsEncrypted": true}', "is encrypted"),
        ('{"Values": {"A": []}}', r"Values.A is \[\], expected a text"),
        ('{"Values": 5}', "Values is no object"),
    ],
)
def test_app_settings_that_are_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "local.settings.json").write_text(text)
    with pytest.raises(SettingsError, match=message):
        load_app_settings(tmp_path, {})


# -- keys --------------------------------------------------------------------------------------


def test_keys_stay_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    first = Keys(path)
    first.of_function("f")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = Keys(path)
    assert (again.master, again.host, again.system) == (first.master, first.host, first.system)
    assert again.functions == first.functions
    made = [first.master, *first.host.values(), *first.system.values()]
    assert len(set(made)) == len(made)
    assert all(len(key) >= 40 for key in made)


def test_missing_keys_are_made_and_given_ones_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text('{"host": {"default": "mine"}}')
    keys = Keys(path)
    assert keys.host == {"default": "mine"}
    assert keys.open_function("mine", AuthLevel.FUNCTION, "f")
    assert not keys.open_function("mine", AuthLevel.ADMIN, "f")
    assert keys.open_function(keys.master, AuthLevel.ADMIN, "f")
    assert not keys.open_function("ü", AuthLevel.FUNCTION, "f")


@pytest.mark.parametrize("text", ["{", "[]", '{"host": {"default": 5}}', '{"functions": []}'])
def test_key_file_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(SettingsError, match="is no key file"):
        Keys(tmp_path / "keys.json")


def test_empty_key_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text('{"host": {"default": ""}, "master": ""}')
    keys = Keys(path)
    assert not keys.open_function("", AuthLevel.FUNCTION, "f")
    assert not keys.open_function(None, AuthLevel.FUNCTION, "f")
    assert not keys.open_admin("")
