"""The Functions host of Azure Functions Core Tools, with the same face as the embedded one.

What it needs: `func` on the path, Azurite, and an app that names an extension bundle.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.host.running_host import APPS, RunningHost, eventually

COMMAND = "func"
_START_S = 180.0  # the first start fetches the extension bundle
_OPEN = ("/api/reply/200", "/v1/things/open")  # of one test app or the other


class CoreToolsHost(RunningHost):
    """One `func start` in a copy of an app, whose task hub is in the storage account given."""

    def __init__(
        self, app: str, folder: Path, storage: str, settings: Mapping[str, str] = {}
    ) -> None:
        super().__init__(shutil.copytree(APPS / app, folder / app), folder, settings)
        file = self.app / "local.settings.json"
        document = json.loads(file.read_text()) if file.exists() else {"Values": {}}
        document["Values"]["FUNCTIONS_WORKER_RUNTIME"] = "python"
        document["Values"]["AzureWebJobsStorage"] = storage
        file.write_text(json.dumps(document))

    def launch(self, *arguments: str, **how: Any) -> int:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        # As in an active virtual environment: that is where Core Tools looks for Python.
        path = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - a command of the user's own
                [str(shutil.which(COMMAND)), "start", "--port", str(port), *arguments],
                cwd=self.app,
                env={
                    **os.environ,
                    **self._settings,
                    "PATH": path,
                    "VIRTUAL_ENV": sys.prefix,
                    "TRACES": str(self.traces),
                },
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return 0

    def start(self, *arguments: str, **how: Any) -> CoreToolsHost:
        self.launch(*arguments)
        self.http.base_url = httpx.URL(self.url)

        def ready() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, self.log.read_text()
            try:
                return any(self.http.get(path).is_success for path in _OPEN)
            except httpx.TransportError:
                return False

        eventually(ready, _START_S)
        payload = self.function("POST", "client/payload/any")
        if payload.is_success:
            query = urlsplit(payload.json()["statusQueryGetUri"]).query
            self.keys = {"system": {"durabletask_extension": parse_qs(query)["code"][0]}}
        return self

    def kill(self) -> None:
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def stop(self) -> int:
        assert self._process is not None
        self._signal(signal.SIGTERM)
        self._process.wait(60)
        return 0  # what func ends with says nothing

    def _signal(self, number: signal.Signals) -> None:
        """Reach the workers too, which would outlive func."""
        assert self._process is not None
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)
