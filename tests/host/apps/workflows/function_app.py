# mypy: disallow-untyped-decorators=False
"""Carries out workflows that are data; the activities leave traces that survive a kill."""

import os
import time
import zlib
from pathlib import Path

import azure.durable_functions as df
from interpreter import interpret, log  # type: ignore[import-not-found]  # the app's folder

TRACES = Path(os.environ["TRACES"])

app = df.DFApp()
app.orchestration_trigger(context_name="context")(interpret)
app.entity_trigger(context_name="context")(log)


def run(label: str) -> int:
    """Take up to 60 ms; returns how often this activity has run now."""
    with (TRACES / label).open("a") as trace:
        trace.write("run\n")
    time.sleep(zlib.crc32(label.encode()) % 61 / 1000)
    return len((TRACES / label).read_text().splitlines())


@app.activity_trigger(input_name="order")
def work(order: dict) -> str:  # type: ignore[type-arg]  # the worker refuses generics
    label = str(order["label"])
    run(label)
    if order["fails"]:
        raise ValueError(f"{label} fails")
    return label


@app.activity_trigger(input_name="order")
def flaky(order: dict) -> str:  # type: ignore[type-arg]  # the worker refuses generics
    label = str(order["label"])
    if run(label) <= order["failures"]:
        raise ValueError(f"{label} fails")
    return label
