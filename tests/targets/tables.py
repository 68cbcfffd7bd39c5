"""Tables of cases in data files, one JSON file a module, a case named by its `case`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

Case = dict[str, Any]


def cases(name: str) -> list[Any]:
    """Return the cases of tests/targets/data/`name`.json as pytest parameters."""
    path = Path(__file__).parent / "data" / f"{name}.json"
    return [
        pytest.param(case, id=case["case"]) for case in json.loads(path.read_text(encoding="utf-8"))
    ]
