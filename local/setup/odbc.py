"""Gets the libraries that pyodbc and Microsoft's ODBC driver need and pip cannot bring.

Root installs Debian's packages. Anyone else downloads the same packages with apt-get, into a
folder of its own, and unpacks them beside the project; `local.odbc.preload` loads them from there.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from local import odbc
from local.folders import TOOLS
from local.setup.command import run
from shared.errors import ConfigurationError
from shared.targets.driver import load_odbc, packaged_drivers

_UNATTENDED = {"DEBIAN_FRONTEND": "noninteractive"}


def is_ready() -> bool:
    """Whether pyodbc and the driver load in this process, once `preload` was called."""
    odbc.preload()
    return not odbc.missing()


def install() -> None:
    """Install or unpack the missing libraries, and prove that pyodbc and the driver load.

    Raises:
        ConfigurationError: with the command that the user can run instead.
    """
    missing = odbc.missing()
    if shutil.which("apt-get") is None:
        raise ConfigurationError(
            f"these libraries are missing, and there is no apt-get here: {', '.join(missing)}",
            action="Install unixODBC and the Kerberos libraries with this system's package"
            " manager, for instance: dnf install unixODBC krb5-libs",
        )
    if os.geteuid() == 0:
        _install_packages(missing.values())
    else:
        _unpack_packages(missing)
    odbc.preload()
    load_odbc()
    for driver in packaged_drivers()[:1]:
        _check_loads(driver)


def _install_packages(packages: Iterable[str]) -> None:
    apt_get = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "-y", "--no-install-recommends"]
    action = f"Run: apt-get update && apt-get install {' '.join(packages)}"
    with contextlib.suppress(ConfigurationError):  # lists that are empty, or older than the archive
        run([*apt_get, "install", *packages], action=action, environment=_UNATTENDED)
        return
    _update_and([*apt_get, "install", *packages], apt_get, action)


def _unpack_packages(missing: dict[str, str]) -> None:
    action = f"Run as root: apt-get update && apt-get install {' '.join(missing.values())}"
    TOOLS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TOOLS, prefix="odbc-") as name:
        work = Path(name)
        for folder in ("lists/partial", "cache/archives/partial", "root"):
            (work / folder).mkdir(parents=True)
        # Lists and cache of its own: the system's belong to root, and may be empty.
        apt_get = ["apt-get", "-o", f"Dir::State::lists={work / 'lists'}"]
        apt_get += ["-o", f"Dir::Cache={work / 'cache'}", "-o", "Debug::NoLocking=1"]
        _update_and([*apt_get, "download", *missing.values()], apt_get, action, cwd=work)
        for package in work.glob("*.deb"):
            run(["dpkg-deb", "-x", str(package), str(work / "root")], action=action)
        odbc.UNPACKED.mkdir(exist_ok=True)
        for soname, package_name in missing.items():
            library = next((work / "root").rglob(soname), None)
            if library is None:
                raise ConfigurationError(
                    f"the package {package_name} has no {soname} in it", action=action
                )
            shutil.copyfile(library, work / soname)
            (work / soname).replace(odbc.UNPACKED / soname)


def _update_and(
    command: list[str], apt_get: list[str], action: str, cwd: Path | None = None
) -> None:
    """Refresh the package lists, then run the command that needs them.

    A refresh fails for one unreachable archive of many, so its failure is told only if the command
    then fails as well.
    """
    refresh = ""
    try:
        run([*apt_get, "-o", "APT::Update::Error-Mode=any", "update"], action=action)
    except ConfigurationError as error:
        refresh = f"{error.message}\n"
    try:
        run(command, action=action, cwd=cwd, environment=_UNATTENDED)
    except ConfigurationError as error:
        raise ConfigurationError(f"{refresh}{error.message}", action=action) from error


def _check_loads(driver: Path) -> None:
    try:
        ctypes.CDLL(str(driver))
    except OSError as error:
        raise ConfigurationError(
            f"Microsoft's ODBC driver does not load: {error}",
            action="Install the package that has the library it names.",
        ) from error
