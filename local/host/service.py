"""The host as a whole: puts its parts together, starts them, and stops them in order."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from local.host.activities import Activities
from local.host.admin_api import AdminApi
from local.host.app import App, Trigger, load_app
from local.host.client import HubClient
from local.host.durable_api import DurableApi
from local.host.endings import Endings
from local.host.entity_batches import EntityBatches
from local.host.event_grid import EventGridWebhook
from local.host.http_api import Endpoint, HttpFunctions, find_endpoints
from local.host.hub import Hub
from local.host.inside import Inside
from local.host.invocation import Runner
from local.host.keys import DURABLE_KEY, FILE_NAME, Keys
from local.host.links import Links
from local.host.logs import LogFormat, set_up_logs
from local.host.orchestrations import Orchestrations
from local.host.page import PATH, HostPage
from local.host.program import Program
from local.host.queries import HubQueries
from local.host.settings import HostSettings, load_app_settings, load_host_settings
from local.host.timers import Timers, find_timers
from local.host.web import Front, WebServer, bind
from local.host.writer import Writer

_LOG = logging.getLogger(__name__)
_WILDCARDS = ("", "0.0.0.0", "::")  # noqa: S104 - recognised, not bound
_SWITCH_INTERVAL_S = 0.0005
"""How long a computing thread may keep the interpreter to itself. The writer gives it up around
each statement; with the default of 5 ms a busy orchestrator would slow it down to a crawl."""

_FUNCTION_THREADS = 32  # for HTTP, timer and Event Grid functions that are not async


@dataclass(frozen=True)
class Options:
    """How the host is started. `grace_s` is how long a stop waits for what runs."""

    app: Path
    data: Path
    host: str
    port: int
    grace_s: float
    log_format: LogFormat = LogFormat.TEXT


class Service:
    """One running host."""

    def __init__(self, options: Options) -> None:
        """Load the app and take the hub; nothing runs yet.

        Raises:
            HostError: something that the operator must put right.
        """
        self._options = options
        os.environ.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
        os.environ.setdefault("AzureWebJobsScriptRoot", str(options.app))
        load_app_settings(options.app, os.environ)
        self._settings = load_host_settings(options.app, os.environ)
        self._hub = Hub(options.data)
        self._rpc_path = secrets.token_urlsafe(24)
        self._keys = Keys(options.data / FILE_NAME)
        set_up_logs(self._settings.log_level, options.log_format, self._secrets)
        self._sockets = [bind(options.host, options.port), bind("127.0.0.1", 0)]
        self.origin = _origin(options.host, self._sockets[0])
        self.app = load_app(options.app, os.environ)
        # Signals and failures ring a bell that the main thread reads: a lock or queue that a
        # signal handler is to release may miss a signal that comes just before the wait.
        self._bell, self._ring = os.pipe()
        os.set_blocking(self._ring, False)
        self._stopping = False
        self._failed = False
        self._build(self._settings)

    def run(self) -> int:
        """Serve until a signal comes or the hub fails; returns the exit status."""
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        signal.set_wakeup_fd(self._ring)
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, self._on_signal)
        self._runner.start()
        self._writer.start([self._orchestrations, self._activities, self._entities])
        self._web.start()
        print(self._banner(), flush=True)
        while not (self._stopping or self._failed):
            os.read(self._bell, 1)  # the app's own signals ring it, too
        self._shut_down()
        return 1 if self._failed else 0

    def _build(self, settings: HostSettings) -> None:
        app = self.app
        rpc_port = self._sockets[1].getsockname()[1]
        links = Links(settings.hub_name, self._keys.system[DURABLE_KEY])
        client_text = links.client(self.origin, f"http://127.0.0.1:{rpc_port}/{self._rpc_path}/")
        timeout_s = settings.function_timeout_s
        self._runner = Runner(
            app.directory, client_text, threads=_FUNCTION_THREADS, timeout_s=timeout_s
        )
        program = Program(app, self._runner, settings.max_activities)
        self._writer = Writer(self._hub, self._fail)
        endings = Endings()
        # These three tell each other what ends; the last of them is made last.
        self._activities = Activities(
            self._writer,
            self._hub,
            program.run_activity,
            limit=settings.max_activities,
            timeout_s=timeout_s,
            on_end=lambda *end: self._orchestrations.end_activity(*end),
        )
        self._entities = EntityBatches(
            self._writer,
            self._hub,
            program.entities,
            limit=settings.max_entities,
            on_answer=lambda *answer: self._orchestrations.deliver(*answer),
        )
        self._orchestrations = Orchestrations(
            self._writer,
            self._hub,
            program.orchestrators,
            program.names,
            limit=settings.max_orchestrators,
            default_version=settings.default_version,
            activities=self._activities,
            entities=self._entities,
            endings=endings,
        )
        client = HubClient(
            self._writer,
            self._hub,
            self._orchestrations,
            self._entities,
            program.names,
            settings.default_version,
            replaces_running=settings.replaces_running,
        )
        self._queries = HubQueries(self._hub.path)
        self._timers = Timers(find_timers(app, os.environ), client, self._queries, self._runner)
        event_grid = EventGridWebhook(
            {one.name.lower(): one for one in app.triggered_by(Trigger.EVENT_GRID)},
            self._keys,
            self._runner,
        )
        self._endpoints = find_endpoints(app, settings.route_prefix)
        inside = Inside(
            settings.hub_name,
            self._queries,
            self._writer,
            self._activities,
            settings.max_activities,
        )
        front = Front(
            self._keys,
            self._rpc_path,
            DurableApi(client, self._queries, endings, links),
            HttpFunctions(self._endpoints, self._keys, self._runner, settings.response_headers),
            event_grid,
            AdminApi(
                app,
                self._endpoints,
                self._keys,
                self._writer,
                self._runner,
                self._timers,
                event_grid,
                inside,
            ),
            HostPage(inside, self._keys),
        )
        self._web = WebServer(
            front, self._sockets, on_loop=self._timers.start, on_failure=self._fail
        )

    def _on_signal(self, number: int, frame: object) -> None:
        if self._stopping:
            os._exit(1)  # asked twice: whoever did means it, and the hub survives it
        self._stopping = True

    def _fail(self, error: BaseException) -> None:
        self._failed = True
        os.write(self._ring, b"!")

    def _shut_down(self) -> None:
        """Let what runs end, while its durable clients are still served, within the grace time."""
        deadline = time.monotonic() + self._options.grace_s
        self._timers.stop()
        if not self._failed:
            _LOG.info("stopping: no new work; waiting up to %g s", self._options.grace_s)
            self._writer.drain(self._options.grace_s)
            self._runner.wait_until_idle(deadline - time.monotonic())
            left = self._writer.outstanding
            if left:
                _LOG.warning("outstanding=%d still run and will run again at the next start", left)
            if self._runner.invocations:
                _LOG.warning("outstanding=%d functions are cut off", self._runner.invocations)
        self._web.stop(deadline - time.monotonic())
        self._runner.stop()
        self._queries.close()  # before the hub: the last connection folds the log into the file
        self._writer.stop()

    def _secrets(self) -> list[str]:
        return [*self._keys.values(), self._rpc_path]

    def _banner(self) -> str:
        lines = [
            "Embedded Functions host: an engine for one machine. "
            "On Azure the same app runs on Azure Functions.",
            f"App:      {self.app.directory}",
            f"Task hub: {self._settings.hub_name}, in {self._hub.path}",
            f"Keys:     {self._options.data / FILE_NAME}",
            f"Page:     {self.origin}{PATH} (wants the master key)",
            "Functions:",
            *(f"    {line}" for line in describe(self.app, self._endpoints, self.origin)),
        ]
        if self.app.skipped:
            lines.append("Not served:")
            lines += [f"    {name}: {reason}" for name, reason in self.app.skipped.items()]
        lines.append(f"Listening on {self.origin}")
        return "\n".join(lines)


def describe(app: App, endpoints: list[Endpoint], origin: str) -> list[str]:
    """Return a line for each function: its name, its trigger, where it is called."""
    routes = {one.function.name: one for one in endpoints}
    lines = []
    for function in app.functions.values():
        kind = function.trigger.value.removesuffix("Trigger")
        detail = ""
        if function.name in routes:
            endpoint = routes[function.name]
            methods = ",".join(sorted(endpoint.methods)) or "any method"
            detail = f"[{methods}] {origin}/{endpoint.template.text}"
        elif function.trigger is Trigger.TIMER:
            detail = str(function.binding["schedule"])
        elif function.trigger is Trigger.EVENT_GRID:
            detail = f"{origin}/runtime/webhooks/eventgrid?functionName={function.name}"
        lines.append(f"{function.name}: {kind} {detail}".rstrip())
    return lines


def _origin(host: str, bound: socket.socket) -> str:
    name = "localhost" if host in _WILDCARDS else host
    port = bound.getsockname()[1]
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
