"""The real backups beside the repository, and what their manifest says of them."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from local.folders import REPOSITORY

FOLDER = REPOSITORY.parent / "shared" / "backups"
needs_real_backups = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="needs the real backups of ../shared/backups, which are not here"
)


class RealBackup(NamedTuple):
    """One file, with its entry in the manifest."""

    path: Path
    facts: dict[str, Any]

    @property
    def is_compressed(self) -> bool:
        return "compressed (MSSQLBAK)" in self.facts["shows"]


@lru_cache(maxsize=1)
def real_backups() -> tuple[RealBackup, ...]:
    """All files of the manifest; none where the folder is absent."""
    if not FOLDER.is_dir():
        return ()
    manifest = json.loads((FOLDER / "MANIFEST.json").read_text(encoding="utf-8"))
    return tuple(RealBackup(FOLDER / facts["path"], facts) for facts in manifest["files"])


def each(compressed: bool | None = None) -> pytest.MarkDecorator:
    """Parametrize a test with the real backups, by path; one skipped case where there is none.

    `compressed` chooses one kind of them.
    """
    chosen = [b for b in real_backups() if compressed in (b.is_compressed, None)]
    cases = [pytest.param(backup, id=backup.facts["path"]) for backup in chosen]
    absent = pytest.param(None, id="none", marks=needs_real_backups)
    return pytest.mark.parametrize("backup", cases or [absent])
