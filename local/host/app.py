"""Loading a function app: which functions it has, and what triggers them.

The app's `function_app.py` is imported as the Functions worker does it: with the app's folder as
the working directory and first on `sys.path`.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from azure.functions import FunctionRegister

from local.host.errors import AppError
from local.host.retries import RetryPolicy, parse_retry_policy

Binding = dict[str, Any]


class Trigger(str, Enum):
    """The triggers this host has, by the type of their binding."""

    HTTP = "httpTrigger"
    TIMER = "timerTrigger"
    EVENT_GRID = "eventGridTrigger"
    ORCHESTRATION = "orchestrationTrigger"
    ACTIVITY = "activityTrigger"
    ENTITY = "entityTrigger"


DURABLE_CLIENT = "durableClient"
_HTTP_OUTPUT = "http"
_RETURN = "$return"
_DURABLE_NAME = {
    Trigger.ORCHESTRATION: "orchestration",
    Trigger.ACTIVITY: "activity",
    Trigger.ENTITY: "entityName",
}


@dataclass(frozen=True)
class Function:
    """A function of the app. `bindings` is what the SDK says of it, `binding` is its trigger's.

    `client_names` are the parameters that take a durable client, `answer_name` is the one that
    takes the HTTP response, if the function does not return it.
    """

    name: str
    trigger: Trigger
    binding: Binding
    bindings: list[Binding]
    call: Callable[..., Any]
    client_names: tuple[str, ...]
    takes_context: bool
    answer_name: str | None = None
    retry: RetryPolicy | None = None

    @property
    def is_async(self) -> bool:
        """Whether the function must run on an event loop."""
        return inspect.iscoroutinefunction(self.call)

    @property
    def durable_name(self) -> str:
        """The name by which orchestrations know the function."""
        return str(self.binding.get(_DURABLE_NAME.get(self.trigger, "")) or self.name)


@dataclass(frozen=True)
class App:
    """A loaded app. `skipped` says for each function that is not served why that is."""

    directory: Path
    functions: dict[str, Function]
    skipped: dict[str, str]

    def triggered_by(self, trigger: Trigger) -> list[Function]:
        """Return the functions with this trigger, in the order in which the app defines them."""
        return [one for one in self.functions.values() if one.trigger is trigger]

    def durable(self, trigger: Trigger) -> dict[str, Function]:
        """Return the functions of one durable kind by name in lower case."""
        return {one.durable_name.lower(): one for one in self.triggered_by(trigger)}


def load_app(directory: Path, settings: Mapping[str, str]) -> App:
    """Import the app in `directory`, which becomes the working directory.

    `settings` are the app settings; `AzureWebJobs.<function>.Disabled` switches a function off.

    Raises:
        AppError: it cannot be imported, or is no function app.
    """
    if not (directory / "function_app.py").is_file():
        raise AppError(
            f"{directory} has no function_app.py",
            action="name the folder of a Python v2 function app with --app",
        )
    # While it is imported, the SDK reads the host.json of the working directory, and refuses the
    # comments that the Functions host accepts. So it is imported where there is none.
    os.chdir(directory.anchor)
    with contextlib.suppress(ImportError):
        importlib.import_module("azure.durable_functions")
    os.chdir(directory)
    sys.path[:] = _module_path(directory, settings)
    try:
        module = importlib.import_module("function_app")
        app = _find_app(vars(module), directory)
        built = app.get_functions()  # only once: a second call finds every name taken
    except AppError:
        raise
    except (Exception, SystemExit) as error:
        raise AppError(
            f"{directory / 'function_app.py'} cannot be loaded: {type(error).__name__}: {error}",
            action="see the traceback",
        ) from error
    found: dict[str, Function] = {}
    skipped: dict[str, str] = {}
    for one in built:
        name = str(one.get_function_name())
        bindings = [json.loads(text) for text in one.get_raw_bindings()]
        try:
            retry = parse_retry_policy(one.get_settings_dict("retry_policy") or {})
            reason = _reason_to_skip(name, bindings, settings)
        except ValueError as error:
            retry, reason = None, str(error)
        if reason is None:
            found[name] = _describe(name, bindings, one.get_user_function(), retry)
        else:
            skipped[name] = reason
    _check_durable_names(found)
    return App(directory, found, skipped)


def _module_path(directory: Path, settings: Mapping[str, str]) -> list[str]:
    """Return where the app's imports are looked up: its own folder comes first.

    Packages that only the app has are found where the Functions worker finds them: in its
    `.python_packages` and in the virtual environment that is active, if it is of this Python.
    """
    checkout = Path(__file__).resolve().parents[2]
    hidden = None
    if directory != checkout and (checkout / "pyproject.toml").is_file():
        # A folder of the app without __init__.py would lose against a package of its name beside
        # the host. What the host itself imports later is found through its own packages.
        hidden = checkout
    others = [one for one in sys.path if Path(one).resolve() != hidden]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folders = [
        directory / ".python_packages" / "lib" / "site-packages",
        directory / ".python_packages" / "lib" / version / "site-packages",
    ]
    if settings.get("VIRTUAL_ENV"):
        folders.append(Path(settings["VIRTUAL_ENV"]) / "lib" / version / "site-packages")
    own = [str(one) for one in folders if one.is_dir() and str(one) not in others]
    return [str(directory), *others, *own]


def _find_app(names: Mapping[str, Any], directory: Path) -> FunctionRegister:
    apps = {id(one): one for one in names.values() if isinstance(one, FunctionRegister)}
    if len(apps) != 1:
        raise AppError(
            f"{directory / 'function_app.py'} has {len(apps)} function apps at module level, "
            "expected one",
            action="create one azure.functions.FunctionApp or azure.durable_functions.DFApp there",
        )
    return next(iter(apps.values()))


def _reason_to_skip(name: str, bindings: list[Binding], settings: Mapping[str, str]) -> str | None:
    if settings.get(f"AzureWebJobs.{name}.Disabled", "").lower() in ("1", "true"):
        return f"the app setting AzureWebJobs.{name}.Disabled switches it off"
    triggers = {one.value for one in Trigger}
    for one in bindings:
        is_response = one["type"] == _HTTP_OUTPUT
        if one["type"] not in triggers and one["type"] != DURABLE_CLIENT and not is_response:
            return f"this host has no binding {one['type']!r} ({one.get('name')})"
    if not any(one["type"] in triggers for one in bindings):
        return "it has no trigger"
    return None


def _describe(
    name: str, bindings: list[Binding], call: Callable[..., Any], retry: RetryPolicy | None
) -> Function:
    triggers = {one.value: one for one in Trigger}
    binding = next(one for one in bindings if one["type"] in triggers)
    names = {one["name"] for one in bindings}
    parameters = inspect.signature(call).parameters
    return Function(
        name=name,
        trigger=triggers[binding["type"]],
        binding=binding,
        bindings=bindings,
        call=call,
        client_names=tuple(one["name"] for one in bindings if one["type"] == DURABLE_CLIENT),
        takes_context="context" in parameters and "context" not in names,
        answer_name=next(
            (
                one["name"]
                for one in bindings
                if one["type"] == _HTTP_OUTPUT and one["name"] != _RETURN
            ),
            None,
        ),
        retry=retry,
    )


def _check_durable_names(functions: Mapping[str, Function]) -> None:
    """Refuse two functions that an orchestration could not tell apart."""
    seen: dict[tuple[Trigger, str], Function] = {}
    for one in functions.values():
        if one.trigger not in _DURABLE_NAME:
            continue
        other = seen.setdefault((one.trigger, one.durable_name.lower()), one)
        if other is not one:
            raise AppError(
                f"functions {other.name!r} and {one.name!r} both have a {one.trigger.value} "
                f"named {one.durable_name!r} (case is ignored)",
                action="give one of them another name",
            )
