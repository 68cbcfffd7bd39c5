"""Golden files: what a command printed when somebody last looked at it.

UPDATE_GOLDEN=1 writes the files anew; review them as a diff.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

from rich.console import Console, RenderableType

FOLDER = Path(__file__).parent / "golden"
_UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"


def rendered(part: RenderableType) -> str:
    """Return what a part of the output looks like on paper of 80 columns."""
    paper = io.StringIO()
    console = Console(file=paper, width=80, markup=False, emoji=False, highlight=False)
    console.print(part, crop=False)
    return paper.getvalue()


def check(name: str, text: str) -> None:
    """Compare text with a golden file; blanks at the ends of lines do not count."""
    seen = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    path = FOLDER / name
    if _UPDATE:
        FOLDER.mkdir(exist_ok=True)
        path.write_text(seen, encoding="utf-8")
    assert seen == path.read_text(encoding="utf-8"), f"{name} changed; UPDATE_GOLDEN=1 accepts it"
