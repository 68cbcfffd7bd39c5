"""Credentials and certificates of the server. What is secret in them never leaves again.

Source: Microsoft Learn, "CREATE CREDENTIAL", "CREATE CERTIFICATE", "sys.certificates".
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from cryptography import x509

from local.sqlserver.engine.clock import Clock
from local.sqlserver.engine.model import Credential, Record
from local.sqlserver.engine.store import Store
from local.sqlserver.errors import refuse

_FIRST_CREDENTIAL = 65536
_FIRST_CERTIFICATE = 256
_MAX_CERTIFICATE = 100_000


class Credentials:
    """Server credentials by name, which compares with case."""

    def __init__(self, store: Store, lock: threading.RLock, clock: Clock) -> None:
        self._store, self._lock, self._clock = store, lock, clock
        self._credentials = {c.name: c for c in store.load(Credential)}

    def all(self) -> list[Credential]:
        """Return all credentials in order of their ids."""
        with self._lock:
            return sorted(self._credentials.values(), key=lambda c: c.credential_id)

    def set(self, name: str, identity: str, secret: str, *, create: bool) -> None:
        """Create or alter a credential. Raises 15530, 15151."""
        with self._lock:
            old = self._credentials.get(name)
            if create and old:
                raise refuse(15530, name)
            if not create and not old:
                raise refuse(15151, "alter", "credential", name)
            moment = self._clock.now()
            ids = [c.credential_id for c in self._credentials.values()]
            credential = Credential(
                credential_id=old.credential_id
                if old
                else max(ids, default=_FIRST_CREDENTIAL - 1) + 1,
                name=name,
                identity=identity,
                secret=secret,
                create_date=old.create_date if old else moment,
                modify_date=moment,
            )
            self._store.save(credential)
            self._credentials[name] = credential

    def drop(self, name: str) -> None:
        """Remove a credential. Raises 15151."""
        with self._lock:
            credential = self._credentials.get(name)
            if credential is None:
                raise refuse(15151, "drop", "credential", name)
            self._store.delete(credential)
            del self._credentials[name]


class Certificate(Record):
    """A certificate in master. Without its private key it opens no backup."""

    table: ClassVar[str] = "certificates"
    key: ClassVar[str] = "certificate_id"

    certificate_id: int
    name: str
    thumbprint: bytes
    subject: str
    start_date: datetime
    expiry_date: datetime
    has_private_key: bool = True


class Certificates:
    """Certificates in master by name. `given` are pairs of name and thumbprint in hex."""

    def __init__(
        self,
        store: Store,
        lock: threading.RLock,
        clock: Clock,
        given: Iterable[tuple[str, str]],
        next_id: Callable[[str], int],
    ) -> None:
        self._store, self._lock, self._next_id = store, lock, next_id
        self._certificates = {c.name.casefold(): c for c in store.load(Certificate)}
        for name, thumbprint in given:
            if name.casefold() not in self._certificates:
                self._add(name, bytes.fromhex(thumbprint), "SIMULATED", clock.now(), None, True)

    def all(self) -> list[Certificate]:
        """Return all certificates in order of their ids."""
        with self._lock:
            return sorted(self._certificates.values(), key=lambda c: c.certificate_id)

    def require(self, thumbprint: bytes) -> None:
        """Raise 33111 unless the certificate with this thumbprint is here, with its key."""
        if not any(c.thumbprint == thumbprint and c.has_private_key for c in self.all()):
            raise refuse(33111, "certificate", f"0x{thumbprint.hex().upper()}")

    def create(
        self, name: str, *, file: Path | None, binary: bytes | None, has_private_key: bool
    ) -> None:
        """Add a certificate from DER. Raises 15232, 15208."""
        if name.casefold() in self._certificates:
            raise refuse(15232, name)
        try:
            data = file.read_bytes()[:_MAX_CERTIFICATE] if file else binary or b""
            read = x509.load_der_x509_certificate(data)
        except (OSError, ValueError) as exc:
            raise refuse(15208) from exc
        begins, ends = read.not_valid_before_utc, read.not_valid_after_utc
        self._add(
            name,
            hashlib.sha1(data).digest(),  # noqa: S324 what a thumbprint is
            read.subject.rfc4514_string(),
            begins.replace(tzinfo=None),
            ends.replace(tzinfo=None),
            has_private_key,
        )

    def drop(self, name: str) -> None:
        """Remove a certificate. Raises 15151."""
        with self._lock:
            certificate = self._certificates.get(name.casefold())
            if certificate is None:
                raise refuse(15151, "drop", "certificate", name)
            self._store.delete(certificate)
            del self._certificates[name.casefold()]

    def _add(
        self,
        name: str,
        thumbprint: bytes,
        subject: str,
        start: datetime,
        expiry: datetime | None,
        has_private_key: bool,
    ) -> None:
        with self._lock:
            certificate = Certificate(
                certificate_id=_FIRST_CERTIFICATE + self._next_id("certificates"),
                name=name,
                thumbprint=thumbprint,
                subject=subject,
                start_date=start,
                expiry_date=expiry or start.replace(year=start.year + 1, day=1),
                has_private_key=has_private_key,
            )
            self._store.save(certificate)
            self._certificates[name.casefold()] = certificate
