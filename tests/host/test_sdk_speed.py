"""The faster ways give what the SDK's own give."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.history import parse_timestamp, timestamp
from local.host.sdk_speed import speed_up_replay

_PARSE: Callable[[str], Any] = importlib.import_module("dateutil.parser").parse
_MODULE = "azure.durable_functions.models.history.HistoryEvent"


@pytest.fixture(scope="module")
def read() -> Any:
    importlib.import_module("azure.durable_functions")
    assert speed_up_replay(), "this SDK reads timestamps elsewhere: see sdk_speed.py"
    return sys.modules[_MODULE].dt_parse


@given(seconds=st.integers(0, 4_000_000_000), microseconds=st.integers(0, 999_999))
def test_timestamps_of_the_hub(read: Any, seconds: int, microseconds: int) -> None:
    at = datetime.fromtimestamp(seconds, timezone.utc).replace(microsecond=microseconds)
    text = timestamp(at)
    mine, theirs = read(text), _PARSE(text)
    assert mine == theirs == at == parse_timestamp(text)
    assert (str(mine), repr(mine.tzinfo)) == (str(theirs), repr(theirs.tzinfo))


@pytest.mark.parametrize(
    "text", ["2026-11-22T20:15:30Z", "2026-11-22T20:15:30.1234567Z", "22 Nov 2026 20:15 +0100"]
)
def test_other_texts_go_to_the_parser_of_the_sdk(read: Any, text: str) -> None:
    assert read(text) == _PARSE(text)


def test_a_class_is_made_once_and_is_the_same(read: Any) -> None:
    make = sys.modules["azure.durable_functions.models.TaskOrchestrationExecutor"].namedtuple
    pair = make("Pair", ("first", "second"))
    assert pair is make("Pair", ("first", "second"))
    assert pair is not make("Pair", ("one", "two"))
    assert make("Pair", ["first", "second"])(1, 2) == pair(1, 2)
    assert pair(1, second=2)._asdict() == {"first": 1, "second": 2}
