"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

_PACKAGES = ("azure-functions", "azure-functions-durable", "starlette", "uvicorn", "httptools")
_SYNCS = 50
_BLOCK = b"\0" * 4096


def describe_machine(folder: Path) -> dict[str, Any]:
    """Return facts on this machine, the disk below `folder` and the versions of what runs."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memoryGiB": round(_memory_bytes() / 1024**3, 1),
        "load": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "disk": _disk_kind(folder),
        "syncMs": round(_sync_seconds(folder) * 1000, 3),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: version(name) for name in _PACKAGES},
    }


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _disk_kind(folder: Path) -> str:
    """Return whether the folder's disk turns, as far as the kernel says."""
    device = folder.stat().st_dev
    link = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
    if not link.exists():
        return "unknown"
    block = link.resolve()
    for place in (block, block.parent):  # a partition has no queue of its own
        kind = place / "queue" / "rotational"
        if kind.exists():
            turns = kind.read_text().strip() == "1"
            return f"{place.name}, {'rotational or virtual' if turns else 'solid state'}"
    return block.name


def _sync_seconds(folder: Path) -> float:
    """Return how long it takes to have a block on disk, as each step of the host must."""
    path = folder / "sync"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.pwrite(descriptor, _BLOCK * _SYNCS, 0)
        os.fsync(descriptor)
        times = []
        for place in range(_SYNCS):
            os.pwrite(descriptor, _BLOCK, place * len(_BLOCK))
            begin = time.perf_counter()
            os.fdatasync(descriptor)
            times.append(time.perf_counter() - begin)
        return statistics.median(times)
    finally:
        os.close(descriptor)
        path.unlink()
