"""Makes `import pyodbc` and Microsoft's ODBC driver load, with or without root.

pyodbc's wheel carries no `libodbc.so.2`; it has to come from the system. Where it could not be
installed there, `python -m local.setup` has unpacked Debian's packages into a folder of ours, and
the process has to be told about it: `preload` for this process, `environment` for a child that
is not ours.
"""

from __future__ import annotations

import ctypes
import os

from local.folders import TOOLS

UNPACKED = TOOLS / "odbc"
"""Folder of the libraries that the system lacks, each named by its soname."""

PACKAGES = {
    "libcom_err.so.2": "libcom-err2",
    "libkeyutils.so.1": "libkeyutils1",
    "libkrb5support.so.0": "libkrb5support0",
    "libk5crypto.so.3": "libk5crypto3",
    "libkrb5.so.3": "libkrb5-3",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libltdl.so.7": "libltdl7",
    "libodbcinst.so.2": "libodbcinst2",
    "libodbc.so.2": "libodbc2",
}
"""Shared library -> Debian package. A library stands behind those that it needs itself."""


def preload() -> None:
    """Load the unpacked libraries, so that `import pyodbc` and the driver find them.

    Call it before the first `import pyodbc`. glibc matches a library that is already loaded by
    its soname, so no environment variable is needed. Does nothing where the system has them.
    """
    for soname in PACKAGES:
        library = UNPACKED / soname
        if library.exists():
            ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


def missing() -> dict[str, str]:
    """Return the part of `PACKAGES` that neither the system nor `preload` provides."""
    return {soname: package for soname, package in PACKAGES.items() if not _loads(soname)}


def environment() -> dict[str, str]:
    """Return what to add to the environment of a child process that loads ODBC by itself."""
    if not UNPACKED.is_dir():
        return {}
    inherited = os.environ.get("LD_LIBRARY_PATH")
    return {"LD_LIBRARY_PATH": f"{UNPACKED}:{inherited}" if inherited else str(UNPACKED)}


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True
