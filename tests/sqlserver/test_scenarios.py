"""What a client of the server sees, step by step, through the real driver: data/scenarios/*.json.

A case has `settings` of the server, a `take` of backups as in restores.json, and `steps`; its
`source` says which rule of a real server it stands for. A step runs a statement, `as` another
login if it says so, and expects what it names: `error` (the number that reaches the client, which
is the first, or `lost`), `rows` of the last result set as text, or `told`, the beginnings of the
last messages. `until` repeats a query until it answers that; `anew` connects again; `refused`
expects that to fail. `<0>` is the path of a backup's file.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pyodbc
import pytest

from local.sqlserver import EDITIONS, PRODUCTS, Server
from local.sqlserver.engine.faults import parse_fault
from tests.sqlserver.client import Client, number_of, refused
from tests.sqlserver.test_restores import take

_FOLDER = Path(__file__).with_name("data") / "scenarios"
_CASES = [
    pytest.param(case, id=f"{path.stem}: {case['id']}")
    for path in sorted(_FOLDER.glob("*.json"))
    for case in json.loads(path.read_text())
]
_FOLDERS = ("D:\\Data", "L:\\Log")
_LIMIT_S = 20.0


@pytest.mark.parametrize("case", _CASES)
def test_scenario(
    case: dict[str, Any],
    start_server: Callable[..., Server],
    connect: Callable[..., Client],
    tmp_path: Path,
) -> None:
    assert case["source"]
    settings = {"directories": _FOLDERS, "redo_slots_behind": 0} | _settings(
        case.get("settings", {})
    )
    server = start_server(**settings)
    paths = _written(case.get("take", []), tmp_path)
    clients: dict[str, Client] = {}
    for step in case["steps"]:
        who = step.get("as", "sa")
        if who not in clients or step.get("anew"):
            login = login_of(who)
            if "refused" in step:
                with refused() as errors:
                    connect(server, **login)
                assert number_of(errors[0]) == step["refused"]
                continue
            clients[who] = _connected(connect, server, login)
        again = partial(_connected, connect, server, login_of(who))
        _Step(clients[who], step, paths, again).run()


def login_of(who: str) -> dict[str, str]:
    """Return the options that log somebody in; whom a case creates, it gives this password."""
    return {} if who == "sa" else {"UID": who, "PWD": "secret"}


def _connected(connect: Callable[..., Client], server: Server, login: dict[str, str]) -> Client:
    """Connect, to a server that may be coming back just now."""
    deadline = monotonic() + _LIMIT_S
    while monotonic() < deadline:
        with contextlib.suppress(pyodbc.Error):
            return connect(server, **login)
        sleep(0.05)
    return connect(server, **login)


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    settings = dict(given)
    if "version" in settings:
        settings["product"] = PRODUCTS[settings.pop("version")]
    if "edition" in settings:
        settings["edition"] = EDITIONS[settings["edition"]]
    if "faults" in settings:
        settings["faults"] = tuple(parse_fault(json.dumps(f)) for f in settings["faults"])
    for name in ("volumes", "certificates", "encrypted", "marks", "database_users"):
        if name in settings:
            settings[name] = tuple(_frozen(item) for item in settings[name])
    return settings


def _frozen(item: object) -> object:
    return tuple(item) if isinstance(item, list) else item


def _written(plays: list[Any], folder: Path) -> dict[str, str]:
    paths: dict[str, str] = {}
    for number, backup in enumerate(take(plays)):
        inner = folder / f"backup-{number}"
        inner.mkdir()
        for family, path in enumerate(backup.write(inner)):
            paths[f"<{number}.{family}>" if family else f"<{number}>"] = str(path)
    return paths


class _Step:
    def __init__(
        self,
        client: Client,
        step: dict[str, Any],
        paths: dict[str, str],
        reconnect: Callable[[], Client],
    ) -> None:
        self._client = client
        self._reconnect = reconnect
        self._step = step
        self._paths = paths

    def run(self) -> None:
        if "until" in self._step:
            self._wait()
            return
        rows, told, error = self._ask(self._step["run"])
        assert error == self._step.get("error"), (self._step["run"], error, told)
        if "rows" in self._step:
            assert rows == self._step["rows"], self._step["run"]
        if "told" in self._step:
            seen = told[-len(self._step["told"]) :] if self._step["told"] else told
            pairs = zip(seen, self._step["told"], strict=True)
            assert all(text.startswith(start) for text, start in pairs), told

    def _wait(self) -> None:
        """Ask again and again; one who may lose the connection meanwhile connects anew."""
        deadline = monotonic() + _LIMIT_S
        while True:
            rows, _, error = self._ask(self._step["until"])
            if rows == self._step["rows"]:
                return
            if error == "lost" and self._step.get("lossy"):
                self._client.cursor = self._reconnect().cursor
            assert monotonic() < deadline, (self._step["until"], rows, error)
            sleep(0.02)

    def _ask(self, text: str) -> tuple[list[list[str | None]], list[str], int | str | None]:
        text = re.sub(r"<[\d.]+>", lambda match: self._paths[match[0]], text)
        rows: list[list[str | None]] = []
        told: list[str] = []
        cursor = self._client.cursor
        try:
            cursor.execute(text)
            while True:
                told += [
                    message.split("[SQL Server]", 1)[-1] for _, message in cursor.messages or ()
                ]
                if cursor.description:
                    rows = [[_shown(value) for value in row] for row in cursor.fetchall()]
                if not cursor.nextset():
                    return rows, told, None
        except pyodbc.Error as error:
            lost = error.args[0] == "08S01"
            return rows, told, "lost" if lost else number_of(error)


def _shown(value: object) -> str | None:
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return None if value is None else str(value)
