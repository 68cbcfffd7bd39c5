"""Whether the server can read the backups: the container, and those that are encrypted. Pure."""

from __future__ import annotations

import re
from datetime import datetime

from shared.errors import BackhaulError, TargetError
from shared.fates import Fate, fate_of
from shared.preflight.found import Found, failed, number_of, passed, quoted, unknown
from shared.records import PreflightCheck
from shared.vocabulary import BlockingReason

CONTAINER_ACCESS = "containerAccess"

_NO_CERTIFICATE = frozenset({15581, 33111})
_THUMBPRINT = re.compile(r"0x[0-9A-Fa-f]{2,64}")


def container_access(found: Found) -> PreflightCheck:
    """Check that the server reads the container, by a credential that lasts."""
    denied = BlockingReason.STORAGE_ACCESS_DENIED
    if found.access.by_identity and not found.server.reads_by_identity:
        return failed(
            CONTAINER_ACCESS,
            BlockingReason.FEATURE_NOT_SUPPORTED_ON_TARGET,
            f"The target is to read the container by its managed identity, and it is"
            f" {found.server.product_version}; that needs SQL Server 2022 CU17 (16.0.4175).",
            "Update the server, or set container_access of this target to sas.",
        )
    if found.no_credential is not None:
        return failed(
            CONTAINER_ACCESS, denied, found.no_credential.message, found.no_credential.action
        )
    refused = found.refused
    if refused is None or number_of(refused) in _NO_CERTIFICATE:
        return _credential(found)
    fate, reason = fate_of(refused) if isinstance(refused, TargetError) else (Fate.BLOCK, denied)
    if fate is Fate.BLOCK and (reason is denied or number_of(refused) is None):
        return failed(CONTAINER_ACCESS, reason, refused.message, refused.action)
    return unknown(CONTAINER_ACCESS, f"The target has not read the backup: {refused.message}")


def _credential(found: Found) -> PreflightCheck:
    """Tell by which credential the server reads the container, or is going to."""
    credential, access = found.conditions.credential, found.access
    if credential is None:
        if found.thumbprints is not None:
            return passed(CONTAINER_ACCESS, "The target reads the container.")
        if not access.is_managed:
            return unknown(
                CONTAINER_ACCESS,
                "No credential for the container is to be seen, and none is created.",
            )
        if found.conditions.may_alter_credentials:
            return passed(
                CONTAINER_ACCESS, "A credential for the container is created at the start."
            )
        return failed(
            CONTAINER_ACCESS,
            BlockingReason.STORAGE_ACCESS_DENIED,
            f"The login {found.conditions.login!r} lacks the permission ALTER ANY CREDENTIAL, which"
            " it needs to let the server read the container.",
            f"Let an administrator run: GRANT ALTER ANY CREDENTIAL TO"
            f" {quoted(found.conditions.login)}; or create the credential and set"
            " manage_credential of this target to false.",
        )
    if not credential.is_signature:
        return passed(
            CONTAINER_ACCESS, f"The target reads the container as {credential.identity!r}."
        )
    if not access.is_managed:
        return passed(
            CONTAINER_ACCESS,
            "The target reads the container with a shared access signature, which is not renewed"
            " (manage_credential is false).",
        )
    expires = found.now - credential.age + access.lifetime
    return passed(
        CONTAINER_ACCESS,
        "The target reads the container with a shared access signature that expires on"
        f" {expires:%Y-%m-%d %H:%M} UTC, and is renewed at half of its life.",
    )


def renew_on(found: Found) -> datetime | None:
    """Return when a signature of ours is to be renewed: at half of its life."""
    credential = found.conditions.credential
    if credential is None or not (credential.is_signature and found.access.is_managed):
        return None
    return found.now + found.access.lifetime / 2 - credential.age


def certificates(found: Found) -> PreflightCheck:
    """Check that the keys are there which an encrypted backup asks for."""
    name = "certificates"
    if number_of(found.refused) in _NO_CERTIFICATE and found.refused is not None:
        which = _THUMBPRINT.search(found.refused.message)
        return _no_key(f"{which[0]} is not there" if which else "is not there", found.refused)
    if found.thumbprints is None:
        return unknown(name, found.without_files)
    if not found.thumbprints:
        return passed(name, "The backup asks for no certificate.")
    wanted = [f"0x{thumbprint.hex().upper()}" for thumbprint in found.thumbprints]
    if found.conditions.certificates is None:
        return unknown(
            name,
            f"The backup asks for {', '.join(wanted)}, and the login {found.conditions.login!r}"
            " does not see the server's certificates (VIEW ANY DEFINITION).",
        )
    has_key = {each.thumbprint: each.has_private_key for each in found.conditions.certificates}
    for thumbprint, shown in zip(found.thumbprints, wanted, strict=True):
        if not has_key.get(thumbprint):
            lack = "is there without its private key" if thumbprint in has_key else "is not there"
            return _no_key(f"{shown} {lack}")
    return passed(name, f"The target has the certificate {', '.join(wanted)}.")


def _no_key(what: str, refused: BackhaulError | None = None) -> PreflightCheck:
    told = f" ({refused.message})" if refused else " (a restore would fail with error 33111)"
    return failed(
        "certificates",
        BlockingReason.CERTIFICATE_MISSING,
        f"The backup is encrypted, and on the target the certificate with the thumbprint {what}"
        f"{told}.",
        "On the source BACKUP CERTIFICATE ... WITH PRIVATE KEY, and on the target CREATE"
        " CERTIFICATE ... FROM FILE ... WITH PRIVATE KEY, in master.",
    )
