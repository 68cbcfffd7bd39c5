"""The app's orchestrators, entities and activities, as the hub calls them: texts in, texts out."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from azure.functions import EntityContext, OrchestrationContext
from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.meta import Datum

from local.host.activities import ActivityFailed
from local.host.app import App, Function, Trigger
from local.host.invocation import Runner
from local.host.replay import HTTP_ACTIVITY
from local.host.sdk_speed import speed_up_replay
from local.host.threads import Pool
from local.host.turns import Names

_MOST_DETAILS = 8000  # characters of a traceback; its end tells most


class Program:
    """What the hub can run."""

    def __init__(self, app: App, runner: Runner, max_activities: int) -> None:
        speed_up_replay()
        self._runner = runner
        # More threads than activities at a time: one that had its time may still hold a thread.
        self._pool = Pool("activity", 2 * max_activities)
        self._activities = app.durable(Trigger.ACTIVITY)
        orchestrators = app.durable(Trigger.ORCHESTRATION)
        entities = app.durable(Trigger.ENTITY)
        self.orchestrators = {name: _orchestrator(one) for name, one in orchestrators.items()}
        self.entities = {name: _entity(one) for name, one in entities.items()}
        self.names = Names(
            activities={name: one.durable_name for name, one in self._activities.items()},
            orchestrators={name: one.durable_name for name, one in orchestrators.items()},
            entities={name: one.durable_name for name, one in entities.items()},
        )

    def run_activity(self, name: str, input_text: str) -> Future[str]:
        """Start an activity; its future gives the result as JSON text, or an ActivityFailed."""
        if name == HTTP_ACTIVITY:
            # Only now: few apps need it, and its imports are a sixth of the host's start.
            from local.host.call_http import call_http

            return self._runner.run(_reporting(name, call_http(input_text)))
        function = self._activities.get(name.lower())
        if function is None:
            failed: Future[str] = Future()
            failed.set_exception(ActivityFailed("the app has no such activity (any more)", ""))
            return failed
        if function.is_async:
            return self._runner.run(_reporting(name, self._run_async(function, input_text)))
        return self._pool.submit(self._run_sync, function, input_text)

    def _run_sync(self, function: Function, input_text: str) -> str:
        try:
            arguments = self._runner.arguments(function, _decode(input_text))
            return _encode(self._runner.call(function, arguments))
        except Exception as error:
            raise _failed(error) from error

    async def _run_async(self, function: Function, input_text: str) -> str:
        arguments = self._runner.arguments(function, _decode(input_text))
        return _encode(await function.call(**arguments))


async def _reporting(name: str, running: Any) -> str:
    try:
        result: str = await running
    except Exception as error:
        raise _failed(error) from error
    return result


def _orchestrator(function: Function) -> Callable[[str], str]:
    return partial(_call_handle, function.call, OrchestrationContext)


def _entity(function: Function) -> Callable[[str], str]:
    return partial(_call_handle, function.call, EntityContext)


def _call_handle(handle: Callable[[Any], str], wrap: Callable[[str], Any], text: str) -> str:
    """Call the SDK's handle by position: its parameter is not named as the binding says."""
    return handle(wrap(text))


def _decode(text: str) -> Any:
    return ActivityTriggerConverter.decode(Datum(text, "json"), trigger_metadata=None)


def _encode(result: Any) -> str:
    text: str = ActivityTriggerConverter.encode(result, expected_type=None).value
    return text


def _failed(error: BaseException) -> ActivityFailed:
    """Return what the orchestrator gets to see, with the traceback of the app's own frames."""
    frames = traceback.format_exception(type(error), error, error.__traceback__)
    return ActivityFailed(f"{type(error).__name__}: {error}", "".join(frames)[-_MOST_DETAILS:])
