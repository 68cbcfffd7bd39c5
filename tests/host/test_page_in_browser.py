"""The page under /admin/host in a real browser: what people do, see, and must not be tricked into.

Needs playwright and Chromium; neither is required otherwise.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.host.running_host import RunningHost, eventually

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
EVIL = '"><img src=x onerror=alert(1)>'

if _CHROMIUM is None:
    pytest.skip("needs the browser Chromium, e.g. of Debian's package", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright from PyPI")


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    host = RunningHost("inside", tmp_path_factory.mktemp("inside"))
    try:
        host.start()
        host.begin("tell", {"told": EVIL}, EVIL)
        host.begin("migrate", 600, "sales")
        eventually(lambda: len(host.history("sales")) > 6)
        yield host
    finally:
        host.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        yield browser
        browser.close()


@pytest.mark.parametrize("looks", ["light", "dark", "phone", "without scripts"])
def test_person_signs_in_and_looks(
    inside: RunningHost, chromium: Any, tmp_path: Path, looks: str
) -> None:
    choices: dict[str, dict[str, Any]] = {
        "light": {"viewport": {"width": 1200, "height": 800}},
        "dark": {"viewport": {"width": 1200, "height": 800}, "color_scheme": "dark"},
        "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True},
        "without scripts": {"java_script_enabled": False},
    }
    context = chromium.new_context(**choices[looks])
    page = context.new_page()
    complaints: list[str] = []
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def on_request(request: Any) -> None:
        if not request.url.startswith(inside.url):
            complaints.append(request.url)

    def on_console(message: Any) -> None:
        if message.type == "error" and "401" not in message.text:
            complaints.append(message.text)

    page.on("request", on_request)
    page.on("console", on_console)
    page.goto(f"{inside.url}/admin/host")
    page.fill("input[name=key]", inside.keys["master"])
    page.click("text=Open")
    page.wait_for_url("**/admin/host")
    assert page.locator("tbody tr").count() >= 2
    new = inside.begin("tell", "just now", f"new-{looks.replace(' ', '-')}")
    page.wait_for_selector(f"bdi:text-is('{new}')", timeout=15_000)  # it refreshes by itself
    if looks != "without scripts":
        width, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= room, "nothing sticks out at the side"
    _keep(page, tmp_path, f"host-{looks}")
    page.click("bdi:text-is('sales')")
    page.wait_for_selector("text=activity failed")
    _keep(page, tmp_path, f"instance-{looks}")
    page.go_back()
    page.click(f"bdi:text-is('{EVIL}')")
    page.wait_for_selector("text=Custom status")
    page.goto(f"{inside.url}/admin/host")
    page.click("text=Sign out")
    page.wait_for_selector("input[name=key]")
    assert complaints == []
    context.close()


def test_key_in_the_address_does_not_stay_there(inside: RunningHost, chromium: Any) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{inside.url}/admin/host?status=Live&code={inside.keys['master']}")
    assert page.url == f"{inside.url}/admin/host?status=Live"
    page.click("bdi:text-is('sales')")
    page.wait_for_selector("text=History")
    assert page.evaluate("document.referrer") == ""
    assert page.evaluate("document.cookie") == "", "scripts cannot read it"
    context.close()


def _keep(page: Any, folder: Path, name: str) -> None:
    """Take a picture, to be looked at: PICTURES names the folder for it."""
    kept = Path(os.environ.get("PICTURES", folder))
    page.screenshot(path=str(kept / f"{name}.png"), full_page=True)
