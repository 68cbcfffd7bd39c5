"""The command `python -m local`: help, and mistakes that it names."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.host.conftest import StartHost
from tests.host.running_host import APPS, REPOSITORY, RunningHost, eventually


def _run(*arguments: str | Path, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": str(REPOSITORY), "TRACES": "."}
    return subprocess.run(  # noqa: S603 - our own program
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=30, check=False
    )


def test_help_begins_with_an_example() -> None:
    shown = _run("--help")
    assert shown.returncode == 0
    assert "Example: python -m local --app . --port 7071" in shown.stdout
    for option in ("--app", "--port", "--data", "--host", "--grace", "--log-format"):
        assert option in shown.stdout


def test_start_and_idling_cost_little(new_host: StartHost) -> None:
    """In processor time, which other work on the machine does not stretch as much."""
    host = new_host().start()
    assert host.function("GET", "reply/200").status_code == 200
    begin = host.cpu_seconds()
    assert begin < 2
    time.sleep(3)
    assert host.cpu_seconds() - begin < 0.06
    assert host.resident_mib() < 150


def _app(folder: Path, code: str, **files: str) -> Path:
    folder.mkdir()
    (folder / "function_app.py").write_text(code)
    for name, content in files.items():
        (folder / name.replace("_json", ".json")).write_text(content)
    return folder


_IMPORTS = "import azure.functions as func\nimport azure.durable_functions as df\n"
_ONE = _IMPORTS + "app = func.FunctionApp()\n"


@pytest.mark.parametrize(
    ("code", "files", "error"),
    [
        ("1/0", {}, "function_app.py cannot be loaded: ZeroDivisionError: division by zero"),
        (_ONE + "other = df.DFApp()\n", {}, "has 2 function apps at module level"),
        (_ONE, {"host_json": "{"}, "host.json is not valid JSON"),
        (
            _ONE + "@app.timer_trigger('t', '%NOT_SET%')\ndef f(t): pass\n",
            {},
            "names the app setting NOT_SET, which is not set",
        ),
        (
            _ONE + "@app.route('a')\ndef f(req): pass\n@app.route('A')\ndef g(req): pass\n",
            {},
            "functions 'f' and 'g' both have the route 'api/A' for *",
        ),
        (
            _IMPORTS + "app = df.DFApp()\n"
            "@app.activity_trigger('x')\ndef one(x): pass\n"
            "@app.activity_trigger('x', activity='ONE')\ndef two(x): pass\n",
            {},
            "functions 'one' and 'two' both have a activityTrigger named 'ONE'",
        ),
    ],
)
def test_app_that_cannot_be_served_is_refused(
    tmp_path: Path, code: str, files: dict[str, str], error: str
) -> None:
    app = _app(tmp_path / "app", code, **files)
    refused = _run("--app", app, "--port", "0", "--data", tmp_path / "data")
    assert refused.returncode == 1
    assert "Error: " in refused.stderr
    assert error in refused.stderr


def test_folder_without_an_app_is_refused(tmp_path: Path) -> None:
    refused = _run("--app", tmp_path, "--port", "0", "--data", tmp_path / "data")
    assert refused.returncode == 1
    assert f"Error: {tmp_path} has no function_app.py" in refused.stderr
    assert "Try: name the folder of a Python v2 function app with --app" in refused.stderr


def test_traceback_of_a_broken_app_is_shown(tmp_path: Path) -> None:
    app = _app(tmp_path / "app", "def broken():\n    1/0\n\nbroken()\n")
    refused = _run("--app", app, "--port", "0", "--data", tmp_path / "data")
    assert 'function_app.py", line 2, in broken' in refused.stderr


def test_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = _run("--app", APPS / "durable", "--port", str(port), "--data", tmp_path)
    assert refused.returncode == 1
    assert (
        f"Error: cannot listen on 127.0.0.1 port {port}: Address already in use" in refused.stderr
    )


def test_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "data"
    refused = _run("--app", APPS / "durable", "--port", "0", "--data", folder)
    assert refused.returncode == 1
    assert f"Error: the task hub cannot be kept in {folder}: Not a directory" in refused.stderr
    assert "Try: give the host a folder that it may write, with --data" in refused.stderr


def test_second_host_on_a_hub_is_refused(new_host: StartHost) -> None:
    host = new_host().start()
    assert host._process is not None
    refused = _run("--app", APPS / "durable", "--port", "0", "--data", host.data)
    assert refused.returncode == 1
    expected = f"the task hub in {host.data} is in use by process {host._process.pid}\n"
    assert expected in refused.stderr
    assert "Try: stop that host, or give this one another folder with --data" in refused.stderr
    host.kill()
    host.start()  # a lock of the dead holds nobody up


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        ("PRAGMA user_version = 99", "hub.db has schema version 99, this host knows version 1"),
        ("PRAGMA application_id = 1", "hub.db is a database of something else"),
        (None, "hub.db is not a usable task hub: file is not a database"),
    ],
)
def test_hub_of_another_version_is_refused(
    new_host: StartHost, damage: str | None, error: str
) -> None:
    host = new_host().start()
    assert host.stop() == 0
    path = host.data / "hub.db"
    if damage is None:
        path.write_bytes(b"no database" * 100)
    else:
        db = sqlite3.connect(path)
        db.execute(damage)
        db.close()
    refused = _run("--app", APPS / "durable", "--port", "0", "--data", host.data)
    assert refused.returncode == 1
    assert error in refused.stderr


def _serve(cwd: Path, app: Path, **settings: str) -> tuple[subprocess.Popen[str], str]:
    """Start a host in a folder, without --data, and wait until it listens at the address given."""
    command = [sys.executable, "-m", "local", "--app", str(app), "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 - our own program
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **settings},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = ""
    for line in process.stdout:
        if line.startswith("Listening on "):
            break
    return process, line.split()[-1]


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    assert process.wait(20) == 0
    assert process.stdout is not None
    process.stdout.close()


def test_apps_have_a_data_folder_each_and_run_side_by_side(tmp_path: Path) -> None:
    apps = [_app(tmp_path / name, _ONE) for name in ("one", "two")]
    served = [_serve(tmp_path, app) for app in apps]
    try:
        for _, url in served:
            assert httpx.get(f"{url}/admin/host/ping").status_code == 200
    finally:
        for process, _ in served:
            _end(process)
    for app in apps:
        for name in ("keys.json", "hub.db"):
            path = app / ".backhaul" / "host" / name
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_app_finds_its_own_modules_and_packages(tmp_path: Path) -> None:
    """Even where they are named as some beside the host, and started from there."""
    code = _IMPORTS + (
        "from shared.words import word\nfrom activities import words\nimport bundled, from_venv\n"
        "app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)\n"
        "@app.route('words')\n"
        "def say(req):\n    return ' '.join((word, words.word, bundled.word, from_venv.word))\n"
    )
    app = _app(tmp_path / "app", code)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for path, word in [
        ("app/shared/words.py", "shared"),
        ("app/activities/words.py", "activities"),
        ("app/.python_packages/lib/site-packages/bundled.py", "bundled"),
        (f"venv/lib/{version}/site-packages/from_venv.py", "venv"),
    ]:
        file = tmp_path / path
        file.parent.mkdir(parents=True)
        file.write_text(f"word = {word!r}\n")
    process, url = _serve(REPOSITORY, app, VIRTUAL_ENV=str(tmp_path / "venv"))
    try:
        assert httpx.get(f"{url}/api/words").text == "shared activities bundled venv"
    finally:
        _end(process)


def test_keys_can_be_given_before_the_start(new_host: StartHost) -> None:
    host = new_host()
    host.data.mkdir()
    given = {"master": "m" * 40, "host": {"default": "d" * 40, "ci": "c" * 40}}
    (host.data / "keys.json").write_text(json.dumps(given))
    host.start()
    assert host.keys["host"] == given["host"]
    answer = host.http.get("/admin/host/status", headers={"x-functions-key": "m" * 40})
    assert (answer.status_code, answer.json()["state"]) == (200, "Running")


def test_admin_shows_functions_and_keys(durable: RunningHost) -> None:
    master = {"x-functions-key": durable.keys["master"]}
    assert durable.http.get("/admin/host/ping").status_code == 200
    assert durable.http.get("/admin/host/status").status_code == 401
    listed = durable.http.get("/admin/functions", headers=master).json()
    bindings = {one["name"]: one["config"]["bindings"] for one in listed}
    assert bindings["chain"] == [
        {"direction": "IN", "type": "orchestrationTrigger", "name": "context"}
    ]
    one = durable.http.get("/admin/functions/REPLY", headers=master).json()
    assert one["invoke_url_template"] == "/api/reply/{status:int}"
    keys = durable.http.get("/admin/host/functionkeys", headers=master).json()
    assert keys["keys"] == [{"name": "default", "value": durable.keys["host"]["default"]}]
    path = "/admin/host/systemkeys/durabletask_extension"
    value = durable.http.get(path, headers=master).json()["value"]
    assert value == durable.keys["system"]["durabletask_extension"]
    for missing in ("/admin/functions/nobody", "/admin/host/systemkeys/no", "/admin/else"):
        assert durable.http.get(missing, headers=master).status_code == 404


def test_activity_runs_by_hand_and_orchestrator_does_not(durable: RunningHost) -> None:
    master = {"x-functions-key": durable.keys["master"]}
    order = {"input": json.dumps({"trace": "by-hand"})}
    answer = durable.http.post("/admin/functions/work", headers=master, json=order)
    assert answer.status_code == 202
    deadline = time.monotonic() + 10
    while not durable.trace("by-hand"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    refused = durable.http.post("/admin/functions/chain", headers=master)
    assert refused.status_code == 400


def test_start_may_replace_what_runs_if_host_json_says_so(
    new_host: StartHost, tmp_path: Path
) -> None:
    app = shutil.copytree(APPS / "durable", tmp_path / "durable")
    allowed = '"durableTask": {"overridableExistingInstanceStates": "AnyState", '
    file = app / "host.json"
    file.write_text(file.read_text().replace('"durableTask": {', allowed))
    host = new_host(app).start()
    order = {"trace": "old", "until": "go"}
    host.begin("retried", order, "one")
    eventually(lambda: host.trace("old"))
    host.begin("two_waits", instance="one")
    host.raise_event("one", "A", 1)
    (host.traces / "go").touch()  # the end of the old one's activity is for nobody
    host.raise_event("one", "B", 2)
    assert host.wait("one")["output"] == [1, 2]


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_web_frameworks_are_served(new_host: StartHost, tmp_path: Path, kind: str) -> None:
    app = tmp_path / kind
    shutil.copytree(APPS / kind, app)
    host = new_host(app).start()
    answer = host.http.post("/inside/path?q=1", content=b"sent", headers={"x-test": "yes"})
    assert answer.status_code == 201
    assert answer.text == "POST /inside/path q=1 yes sent"
