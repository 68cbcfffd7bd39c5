"""Paths on the target, by the rules of the system that each is of. Pure: nothing is looked up."""

from __future__ import annotations

import ntpath
import posixpath
import re

LONGEST = 259
"""Longest path of a file that SQL Server takes, in UTF-16 code units."""

_WINDOWS_ROOT = re.compile(r"[A-Za-z]:[\\/]|\\\\[^\\/]+\\[^\\/]+")


def is_windows(path: str) -> bool:
    """Tell whether a path is one of Windows."""
    return path[1:2] == ":" or path.startswith("\\\\")


def is_absolute(path: str) -> bool:
    r"""Tell whether a path begins at a root: `/`, `D:\` or `\\server\share`."""
    return path.startswith("/") or _WINDOWS_ROOT.match(path) is not None


def parent_of(path: str) -> str:
    """Return the folder of a file."""
    return ntpath.dirname(path) if is_windows(path) else posixpath.dirname(path)


def beside(path: str, suffix: str) -> str:
    """Return a path in the same folder, with a suffix before the extension."""
    stem, extension = ntpath.splitext(path) if is_windows(path) else posixpath.splitext(path)
    return stem + suffix + extension


def is_folder(path: str) -> bool:
    """Tell whether a path ends in a separator, and so names no file."""
    return path.endswith(("/", "\\") if is_windows(path) else "/")


def comparable(path: str) -> str:
    """Return a path in the form in which two names of one file are equal."""
    if is_windows(path):
        return ntpath.normcase(ntpath.normpath(path))
    return posixpath.normpath(path)


def utf16_units(text: str) -> int:
    """Return how many UTF-16 code units a text has, which is how SQL Server counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
