"""Sizes, times and durations in words."""

from __future__ import annotations

from datetime import datetime, timedelta


def size(count: int) -> str:
    """Return a number of bytes with three digits and a unit; 1 KB is 1,024 bytes as in T-SQL."""
    amount = float(count)
    for unit in ("bytes", "KB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            break
        amount /= 1024
    return f"{amount:.{0 if unit == 'bytes' or amount >= 100 else 1}f} {unit}"


def moment(when: datetime | None) -> str:
    """Return a time to the second; UTC ends in Z, a backup's own dates have no zone."""
    if when is None:
        return "-"
    text = when.replace(tzinfo=None).isoformat(" ", "seconds")
    return text if when.tzinfo is None else f"{text}Z"


def duration(length: timedelta) -> str:
    """Return a duration in its two largest units."""
    seconds = max(0, int(length.total_seconds()))
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    if minutes:
        return f"{minutes} min {seconds % 60:02} s"
    return f"{seconds} s"


def count(number: int, noun: str) -> str:
    """Return a number with its noun, for instance 1 file, 2 files."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
