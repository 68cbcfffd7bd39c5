"""Which ODBC driver speaks to SQL Server, and the driver manager below it.

pyodbc's wheel brings no driver manager: without libodbc it cannot be imported at all, so the
import happens here, when a connection is wanted, and says what to install.
"""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from shared.errors import ConfigurationError

NAME = "ODBC Driver 18 for SQL Server"
"""The name under which Microsoft's own packages register the driver."""

_PACKAGE = "mssql_python_odbc"
_LIBRARIES = ("libmsodbcsql-18*.so*", "libmsodbcsql.18*.dylib", "msodbcsql18*.dll")
_INSTALL = (
    'Install Microsoft\'s "ODBC Driver 18 for SQL Server", or "pip install mssql-python-odbc", '
    "or name the driver or the path of its library in the settings."
)


def load_odbc() -> ModuleType:
    """Import pyodbc and switch its pooling off; raises ConfigurationError without libodbc.

    A pooled connection would outlive `close`, and with it a RESTORE that nobody watches.
    """
    try:
        import pyodbc
    except ImportError as error:
        raise ConfigurationError(
            f"pyodbc cannot be loaded: {error}",
            action="Install the driver manager, on Debian and Ubuntu "
            '"apt-get install unixodbc libgssapi-krb5-2"; where that is not possible, put '
            "libodbc.so.2 and libltdl.so.7 into a folder that LD_LIBRARY_PATH names.",
        ) from error
    odbc: ModuleType = pyodbc
    odbc.pooling = False  # type: ignore[attr-defined]  # a module's own setting
    return odbc


def find_driver(configured: str | None = None) -> str:
    """Return the driver's name or the path of its library, for DRIVER= of a connection string."""
    return choose_driver(configured, load_odbc().drivers(), packaged_drivers())


def choose_driver(
    configured: str | None, installed: Sequence[str], packaged: Sequence[Path]
) -> str:
    """Choose the configured driver, else an installed one, else the one that pip brought."""
    if configured:
        if configured in installed or Path(configured).is_file():
            return configured
        raise ConfigurationError(
            f"the ODBC driver {configured!r} is neither an installed driver "
            f"({', '.join(installed) or 'there is none'}) nor a file",
            action=_INSTALL,
        )
    if NAME in installed:
        return NAME
    if packaged:
        return str(packaged[0])
    raise ConfigurationError(
        f"no ODBC driver for SQL Server; installed are: {', '.join(installed) or 'none'}",
        action=_INSTALL,
    )


def packaged_drivers() -> list[Path]:
    """Return the driver libraries of the package mssql-python-odbc, the fitting one first.

    The package is found, not imported, and its file names are not relied upon: it calls itself
    internal to another one. It has builds per distribution, which differ in little.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        return []
    libraries = Path(spec.origin).parent / "libs"
    found = [
        path
        for pattern in _LIBRARIES
        for path in libraries.rglob(pattern)
        if _machine(platform.machine()) in map(_machine, path.relative_to(libraries).parts)
    ]
    family = _distribution_family()
    return sorted(found, key=lambda path: (family not in path.parts, path))


def _machine(name: str) -> str:
    return {"amd64": "x86_64", "x64": "x86_64", "aarch64": "arm64"}.get(name.lower(), name.lower())


def _distribution_family() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return "debian_ubuntu"
    names = {release.get("ID", ""), *release.get("ID_LIKE", "").split()}
    for name, family in (("rhel", "rhel"), ("fedora", "rhel"), ("suse", "suse")):
        if name in names:
            return family
    return "debian_ubuntu"
