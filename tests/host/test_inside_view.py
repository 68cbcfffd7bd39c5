"""The page under /admin/host and `backhaul host`, on a host whose instances have much to tell."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.backhaul.process import Outcome, backhaul
from tests.host.running_host import RunningHost, eventually

EVIL = "\"><img src=x onerror=alert(1)>'\u202etxt.exe"
PAGE = "/admin/host"


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    host = RunningHost("inside", tmp_path_factory.mktemp("inside"))
    try:
        host.start()
        host.begin("tell", {"told": EVIL, "long": "x" * 5000}, EVIL)
        host.begin("tell", "\ud800</script>", "half a pair")
        host.begin("fails", "<script>alert(2)</script>", "failing")
        for name in ("archive-1", "archive-2"):
            host.begin("migrate", 0, name)
        host.begin("migrate", 600, "sales")
        for name in ("failing", "archive-1", "archive-2"):
            host.wait(name)
        eventually(lambda: "restore" in json.dumps(host.history("sales")[-1]))
        yield host
    finally:
        host.close()


@pytest.fixture
def browser(inside: RunningHost) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=inside.url, timeout=30) as client:
        yield client


def _sign_in(inside: RunningHost, browser: httpx.Client) -> None:
    form = {"key": inside.keys["master"]}
    assert browser.post(f"{PAGE}/sign-in", data=form).headers["location"] == PAGE


# -- the page: who may see it ----------------------------------------------------------------------


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/", f"{PAGE}/instances/sales", f"{PAGE}/sign-in"])
def test_page_asks_for_the_key(browser: httpx.Client, path: str) -> None:
    asked = browser.get(path)
    assert asked.status_code == 401
    assert 'action="/admin/host/sign-in" method="post"' in asked.text
    assert "not the master key" not in asked.text
    assert "sales" not in asked.text


@pytest.mark.parametrize("key", ["wrong", "", "ü", "host", "system"])
def test_other_keys_do_not_open_it(inside: RunningHost, browser: httpx.Client, key: str) -> None:
    known = {
        "host": inside.keys["host"]["default"],
        "system": inside.keys["system"]["durabletask_extension"],
    }
    value = known.get(key, key)
    refused = browser.post(f"{PAGE}/sign-in", data={"key": value})
    assert (refused.status_code, "not the master key" in refused.text) == (401, True)
    assert browser.get(PAGE, params={"code": value}).status_code == 401
    assert not browser.cookies


def test_key_is_exchanged_for_a_cookie_that_does_not_hold_it(
    inside: RunningHost, browser: httpx.Client
) -> None:
    answer = browser.post(f"{PAGE}/sign-in", data={"key": f" {inside.keys['master']}\n"})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", f"Path={PAGE}"} <= set(cookie.split("; "))
    assert inside.keys["master"] not in cookie
    assert browser.get(PAGE).status_code == 200
    assert browser.get("/admin/host/status").status_code == 401, "it opens nothing but the page"
    assert browser.get("/admin/host/queues").status_code == 401
    browser.post(f"{PAGE}/sign-out")
    assert browser.get(PAGE).status_code == 401


def test_key_goes_out_of_the_address(inside: RunningHost, browser: httpx.Client) -> None:
    path = f"{PAGE}/instances/{quote(EVIL, safe='')}"
    query = {"a": "b&c=ü", "CODE": inside.keys["master"]}
    answer = browser.get(path, params=query)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{path}?a=b%26c%3D%C3%BC"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert browser.get(answer.headers["location"]).status_code == 200
    assert inside.keys["master"] not in inside.log.read_text()


@pytest.mark.parametrize(
    "changed", ["", "x", "9999999999.{0}", "1.{0}", "{1}.{0}0", "{1}.", "٣.{0}"]
)
def test_made_up_cookie_opens_nothing(
    inside: RunningHost, browser: httpx.Client, changed: str
) -> None:
    _sign_in(inside, browser)
    name, value = next(iter(browser.cookies.items()))
    until, _, signature = value.partition(".")
    made_up = changed.format(signature, until).encode()
    browser.cookies.clear()
    answer = browser.get(PAGE, headers={b"cookie": name.encode() + b"=" + made_up})
    assert answer.status_code == 401


def test_key_in_a_header_opens_it_without_a_cookie(inside: RunningHost) -> None:
    shown = inside.http.get(PAGE, headers={"x-functions-key": inside.keys["master"]})
    assert (shown.status_code, "set-cookie" in shown.headers) == (200, False)


@pytest.mark.parametrize("address", ["a:b:c", "[", '"><b>', "x:99999999"])
def test_hostile_address_is_answered(inside: RunningHost, address: str) -> None:
    headers = {"host": address, "x-functions-key": inside.keys["master"]}
    assert inside.http.get(PAGE, headers=headers).status_code == 200
    cookie = {"host": address, "cookie": "backhaul-host-1=x"}
    assert inside.http.get(PAGE, headers=cookie).status_code == 401


def test_form_is_bounded(browser: httpx.Client) -> None:
    assert browser.post(f"{PAGE}/sign-in", content=b"key=" + b"x" * 10_000).status_code == 413


# -- the page: what it shows -----------------------------------------------------------------------


def test_page_shows_what_runs_and_waits(inside: RunningHost, browser: httpx.Client) -> None:
    _sign_in(inside, browser)
    text = browser.get(PAGE).text
    assert re.search(r"Running</dt><dd[^>]*>3<", text)
    assert "1 running, at most 2" in " ".join(text.split())
    assert text.index(">sales<") < text.index("<h2>Finished</h2>") < text.index(">failing<")
    failed = browser.get(PAGE, params={"status": "failed"}).text
    assert (">failing<" in failed, ">sales<" in failed) == (True, False)
    some = browser.get(PAGE, params={"prefix": "archive-"}).text
    assert (">archive-1<" in some, ">failing<" in some) == (True, False)
    none = browser.get(PAGE, params={"prefix": "<b>", "status": "'\""}).text
    assert "No instance fits." in none
    assert 'value="&lt;b&gt;"' in none


def test_page_shows_an_instance(inside: RunningHost, browser: httpx.Client) -> None:
    _sign_in(inside, browser)
    text = " ".join(
        html.unescape(re.sub("<[^>]*>", " ", browser.get(f"{PAGE}/instances/sales").text)).split()
    )
    for part in (
        '"waitingFor": "Wake"',
        "activity failed refuse",
        "ValueError: log.trn is refused",
        "sub-orchestration validate",
        "sent to @slots@local",
    ):
        assert part in text
    missing = browser.get(f"{PAGE}/instances/{quote('<b>')}")
    assert (missing.status_code, "&lt;b&gt;" in missing.text) == (404, True)


@pytest.mark.parametrize(
    "path",
    ["", "/instances/" + quote(EVIL, safe=""), "/instances/failing", "/instances/half%20a%20pair"],
)
def test_hostile_text_is_text(inside: RunningHost, browser: httpx.Client, path: str) -> None:
    _sign_in(inside, browser)
    answer = browser.get(f"{PAGE}{path}")
    assert answer.status_code == 200
    text = answer.text
    assert "<img" not in text
    assert text.count("<script") == (0 if path.endswith("failing") else 1)
    assert "alert(2)</script>" not in text
    assert "\u202e" not in text
    assert len(text) < 40_000
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy, "nothing comes from the network"
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", text)


def test_page_goes_on_without_scripts(inside: RunningHost, browser: httpx.Client) -> None:
    _sign_in(inside, browser)
    refresh = '<noscript><meta http-equiv="refresh" content="5"></noscript>'
    assert refresh in browser.get(PAGE).text
    assert refresh in browser.get(f"{PAGE}/instances/sales").text
    assert refresh not in browser.get(f"{PAGE}/instances/failing").text, "nothing changes there"


# -- the command line ------------------------------------------------------------------------------


def _host(inside: RunningHost, tmp_path: Path, *arguments: str, key: str = "") -> Outcome:
    env = {"BACKHAUL_URL": inside.url, "BACKHAUL_HOST_KEY": key or inside.keys["master"]}
    return backhaul("host", *arguments, cwd=tmp_path, env=env)


def test_instances_are_listed_newest_first(inside: RunningHost, tmp_path: Path) -> None:
    listed = json.loads(_host(inside, tmp_path, "instances", "--json").out)
    created = [one["createdTime"] for one in listed]
    assert created == sorted(created, reverse=True)
    assert {"sales", "failing", EVIL} <= {one["instanceId"] for one in listed}
    table = _host(inside, tmp_path, "instances").out
    assert re.search(r"^sales +migrate +Running ", table, re.MULTILINE)
    assert "\u202e" not in table
    assert "\\u202e" in table


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--status", "failed"], ["failing"]),
        (["--status", "Failed", "--status", "RUNNING", "--prefix", "sa"], ["sales"]),
        (["--prefix", "archive-", "--top", "1"], ["archive-2"]),
        (["--prefix", "nobody"], []),
    ],
)
def test_instances_are_filtered(
    inside: RunningHost, tmp_path: Path, arguments: list[str], names: list[str]
) -> None:
    listed = json.loads(_host(inside, tmp_path, "instances", "--json", *arguments).out)
    assert [one["instanceId"] for one in listed] == names


def test_history_takes_the_beginning_of_an_id(inside: RunningHost, tmp_path: Path) -> None:
    shown = _host(inside, tmp_path, "history", "sal")
    assert shown.status == 0
    assert re.search(r"\+\S+ ms +activity restore +\d+ ms", shown.out)
    assert re.search(r"\+\S+ \S+ +activity restore +for ", shown.out)
    assert "activity failed refuse" in shown.out
    both = _host(inside, tmp_path, "history", "archive-")
    assert (both.status, "archive-1, archive-2" in both.err) == (1, True)
    nobody = _host(inside, tmp_path, "history", "nobody")
    assert (nobody.status, "no instance has the id 'nobody'" in nobody.err) == (1, True)
    evil = _host(inside, tmp_path, "history", EVIL, "--json")
    assert json.loads(evil.out)["customStatus"]["told"] == EVIL
    assert "\u202e" not in evil.out


def test_queues_are_shown(inside: RunningHost, tmp_path: Path) -> None:
    shown = json.loads(_host(inside, tmp_path, "queues", "--json").out)
    assert shown["taskHub"] == "inside"
    assert shown["instances"] == {"Completed": 5, "Failed": 1, "Running": 3}
    assert shown["activities"] == {"outstanding": 1, "running": 1, "limit": 2}
    assert shown["entities"] == {"count": 1, "waitingOperations": 0}
    assert re.search(r"Activities +1  1 running, at most 2", _host(inside, tmp_path, "queues").out)


def test_wrong_key_is_named_and_not_shown(inside: RunningHost, tmp_path: Path) -> None:
    for command in (["queues"], ["instances"], ["history", "sales"]):
        refused = _host(inside, tmp_path, *command, key="wr0ng")
        assert refused.status == 1
        assert "does not accept the key (HTTP 401)" in refused.err
        assert "BACKHAUL_HOST_KEY" in refused.err
        assert "wr0ng" not in refused.err + refused.out


def test_address_and_key_come_from_the_file_of_up(inside: RunningHost, tmp_path: Path) -> None:
    folder = tmp_path / ".backhaul"
    folder.mkdir()
    known = {"url": inside.url, "key": "of functions", "masterKey": inside.keys["master"]}
    (folder / "connection.json").write_text(json.dumps(known))
    assert backhaul("host", "queues", cwd=tmp_path).status == 0
    elsewhere = backhaul("host", "queues", "--url", inside.url, cwd=tmp_path)
    assert "wants a key, and none is given" in elsewhere.err, "its key goes to no other address"
