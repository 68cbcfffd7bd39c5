"""Which app is asked, with which key, and what is said when it does not answer."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from backhaul.connection import FILE, Connection, find_connection
from shared.errors import ConfigurationError
from shared.vocabulary import MigrationStatus
from tests.backhaul.answers import Story
from tests.backhaul.app import KEY, App, Reply, refusal
from tests.backhaul.conftest import Run

LIST = "GET /api/migrations"
EMPTY = Reply(content={"value": []})


def write_connection(folder: Path, url: str, key: str) -> None:
    """Do what `backhaul up` does."""
    path = folder / FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"url": url, "key": key, "more": 1}), encoding="utf-8")


def test_the_file_that_up_writes_is_found(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with App({LIST: [EMPTY]}) as app:
        write_connection(tmp_path, app.url, KEY)

        assert run("status").status == 0


def test_environment_comes_before_the_file_and_options_before_both(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_connection(tmp_path, "http://127.0.0.1:1", "of the file")
    with App({LIST: [EMPTY]}) as app:
        monkeypatch.setenv("BACKHAUL_URL", app.url)
        monkeypatch.setenv("BACKHAUL_KEY", KEY)
        assert run("status").status == 0

        monkeypatch.setenv("BACKHAUL_URL", "http://127.0.0.1:1")
        monkeypatch.setenv("BACKHAUL_KEY", "of the environment")
        assert run("status", *app.options).status == 0


def test_a_key_given_alone_goes_to_the_address_of_the_file(tmp_path: Path) -> None:
    write_connection(tmp_path, "http://here", "of the file")

    found = find_connection(None, "given", tmp_path)

    assert found == Connection(url="http://here", key=SecretStr("given"))


def test_the_key_of_the_file_goes_to_no_other_address(tmp_path: Path) -> None:
    write_connection(tmp_path, "http://here", "of the file")

    assert find_connection("http://there", None, tmp_path).key is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"url": 1}', '{"key": "x"}', '{"url": "ftp://x"}', "\xff", "[" * 9999]
)
def test_a_wrong_file_is_named(
    text: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    FILE.parent.mkdir()
    FILE.write_bytes(text.encode("latin-1"))

    ended = run("status")

    assert ended.status == 1
    assert ended.err.startswith(f"Error: {tmp_path / FILE} is wrong: ")
    assert "Try:   start `backhaul up` again" in ended.err


def test_a_file_that_cannot_be_read_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    FILE.mkdir(parents=True)

    ended = run("status")

    assert ended.status == 1
    assert "cannot be read: Is a directory" in ended.err


def test_without_any_address_the_error_says_where_it_was_looked_for(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    ended = run("status")

    assert ended.status == 1
    assert "--url" in ended.err
    assert "BACKHAUL_URL" in ended.err
    assert str(tmp_path / FILE) in ended.err
    assert "backhaul up" in ended.err


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:7071",
        "ftp://x",
        "http://",
        "http://h?code=SECRET",
        "http://user:SECRET@h",
        "http://h#SECRET",
        "http://[SECRET",
        "http://h:99999999",
        "x" * 70000,
    ],
)
def test_what_is_no_plain_address_is_refused_without_repeating_it(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        find_connection(url, None, tmp_path)

    assert "SECRET" not in refused.value.message + refused.value.action


def test_an_app_that_is_not_there_is_named_with_what_to_start(run: Run) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

        ended = run("status", "--url", url, "--key", KEY)

    assert ended.status == 1
    assert ended.err.startswith(f"Error: cannot reach {url}: ")
    assert "Try:   start it with `backhaul up`" in ended.err


def test_a_proxy_is_not_asked_for_this_machine(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with App({LIST: [EMPTY]}) as app:
        assert run("status", *app.options).status == 0


@pytest.mark.parametrize(
    ("key", "words"), [("wrong-SECRET", "does not accept the key"), ("", "and none is given")]
)
def test_a_wrong_key_is_not_repeated(key: str, words: str, run: Run) -> None:
    with App({LIST: [EMPTY]}) as app:
        ended = run("status", "--url", app.url, "--key", key)

    assert ended.status == 1
    assert words in ended.err
    assert "BACKHAUL_KEY" in ended.err
    assert "SECRET" not in ended.out + ended.err


@pytest.mark.parametrize("key", ["line\nbreak", "schlüssel", "\x00"])
def test_a_key_that_cannot_be_one_is_refused(key: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="characters that no key has"):
        find_connection("http://h", key, tmp_path)


BROKEN = {
    "error page": (Reply(502, raw=b"<html>Bad gateway"), "answers HTTP 502 Bad Gateway"),
    "not found": (Reply(404, raw=b""), "answers HTTP 404 Not Found"),
    "redirect": (Reply(307, raw=b""), "answers HTTP 307"),
    "error without words": (Reply(400, {"error": "no"}), "answers HTTP 400"),
    "no JSON": (Reply(200, raw=b"hello"), "cannot be understood: "),
    "other JSON": (Reply(200, raw=b"[1]"), "cannot be understood: "),
    "deep JSON": (Reply(200, raw=b"[" * 100_000), "cannot be understood: "),
    "half a migration": (Reply(200, {"value": [{"id": "x"}]}), "value.0.name: Field required"),
    "busy": (refusal(503, "TemporarilyUnavailable", "storage is away", "wait"), "storage is away"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_answers_that_make_no_sense_are_errors_with_a_next_step(name: str, run: Run) -> None:
    reply, words = BROKEN[name]
    with App({LIST: [reply]}) as app:
        ended = run("status", *app.options)

    assert ended.status == 1
    assert ended.out == ""
    assert words in ended.err
    assert "\nTry:   " in ended.err
    assert KEY not in ended.err


@pytest.mark.parametrize("migration", ["..", "a/b", "x?y=1", "", "ü", "a" * 101, "a\nb"])
def test_an_id_that_cannot_be_one_is_not_sent(migration: str, run: Run) -> None:
    with App({LIST: [EMPTY]}) as app:
        ended = run("status", migration, *app.options)

    assert ended.status == 1
    assert "no migration can have the id" in ended.err
    assert app.seen == []


def test_an_address_with_a_path_is_kept(run: Run) -> None:
    shown = Story(restored=6).summarise(MigrationStatus.SUCCEEDED).as_json()
    with App({"GET /gateway/api/migrations": [Reply(content={"value": [shown]})]}) as app:
        assert run("status", "--url", f"{app.url}/gateway/", "--key", KEY).status == 0
