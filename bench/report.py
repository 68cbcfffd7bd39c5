"""Prints figures as tables, and writes them to `bench.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figures import Figure

Results = Mapping[str, Sequence[Figure]]
"""The figures of each subject that was measured."""


def as_json(machine: Mapping[str, Any], results: Results, *, quick: bool) -> dict[str, Any]:
    """Return the document that `bench.json` is."""
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": machine,
        "subjects": {
            subject: [figure.as_json() for figure in figures]
            for subject, figures in results.items()
        },
    }


def write(document: Mapping[str, Any], path: Path) -> None:
    """Write the document."""
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def print_machine(console: Console, machine: Mapping[str, Any]) -> None:
    """Print on what the figures were measured."""
    console.print(
        f"{machine['cpu']}, {machine['cores']} cores (load {machine['load']}), "
        f"{machine['memoryGiB']} GiB, {machine['system']}"
    )
    console.print(
        f"disk {machine['disk']}, {machine['syncMs']} ms to sync a block; "
        f"Python {machine['python']}, SQLite {machine['sqlite']}"
    )


def print_figures(console: Console, subject: str, figures: Sequence[Figure]) -> None:
    """Print the figures of a subject; the median is held against the target."""
    table = Table(title=subject, title_justify="left", title_style="bold")
    table.add_column("")
    for column in ("median", "min", "max"):
        table.add_column(column, justify="right")
    table.add_column("unit")
    table.add_column("target")
    table.add_column("met")
    for one in figures:
        target = "" if one.target is None else str(one.target)
        met = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}[one.met]
        numbers = [_short(value) for value in (one.median, min(one.values), max(one.values))]
        table.add_row(one.name, *numbers, one.unit, target, met)
    console.print(table)


def summary(results: Results) -> str:
    """Return how many targets were met."""
    judged = [figure.met for figures in results.values() for figure in figures if figure.target]
    return f"{sum(map(bool, judged))} of {len(judged)} targets met."


def _short(value: float) -> str:
    """Return three digits that count, and no fewer than all before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
