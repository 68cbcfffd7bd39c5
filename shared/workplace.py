"""The clients that the work is done with, made once per process from the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import cached_property

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError, DefaultAzureCredential

from shared.acceptance import Policy
from shared.catalog import Catalog
from shared.errors import ConfigurationError, TargetUnavailable
from shared.settings import Settings, SqlServerSettings
from shared.storage import Blobs
from shared.targets import Target
from shared.targets.sqlserver import SAS_LIFETIME, SqlServerTarget

_SQL_SCOPE = "https://database.windows.net/.default"


class Workplace:
    """Settings, catalog, blobs and targets. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def catalog(self) -> Catalog:
        """The catalog; its tables are created at the first use."""
        catalog = Catalog(self.settings)
        catalog.prepare()
        return catalog

    @cached_property
    def blobs(self) -> Blobs:
        """The container that backups are dropped into."""
        return Blobs(self.settings)

    @cached_property
    def policy(self) -> Policy:
        """What backups are accepted."""
        return Policy(oldest_database_version=self.settings.oldest_database_version)

    @cached_property
    def _credential(self) -> DefaultAzureCredential:
        return DefaultAzureCredential()

    def target_settings(self, name: str) -> SqlServerSettings:
        """Return the settings of a target; raises ConfigurationError if it has none."""
        try:
            return self.settings.targets[name]
        except KeyError:
            raise ConfigurationError(
                f"no target is named {name!r}; the settings have {sorted(self.settings.targets)}",
                action="add it to BACKHAUL_TARGETS",
            ) from None

    @contextmanager
    def target(self, name: str) -> Iterator[Target]:
        """Open a target for one piece of work, for one caller at a time."""
        settings = self.target_settings(name)
        target = SqlServerTarget(
            settings, token=self._sql_token, restore_with=settings.restore_with
        )
        try:
            yield target
        finally:
            target.close()

    def let_target_read(self, target: Target, name: str, *, renew: bool = False) -> None:
        """Make sure that the server has a credential for the container, if that is our task.

        With `renew` one that it has gets a new secret: it was of no use the last time.
        """
        settings = self.target_settings(name)
        by_identity = settings.container_access == "managed_identity"
        if settings.manage_credential:
            target.ensure_credential(
                self.blobs.container_url,
                None if by_identity else lambda: self.blobs.read_only_signature(SAS_LIFETIME),
                renew=renew,
            )

    def _sql_token(self) -> str:
        try:
            return self._credential.get_token(_SQL_SCOPE).token
        except (ClientAuthenticationError, CredentialUnavailableError) as error:
            raise TargetUnavailable(
                "no token for the SQL Server could be had from the app's identity",
                action="give the function app a managed identity and a login on the server",
            ) from error

    @staticmethod
    def now() -> datetime:
        """Return the time, aware UTC."""
        return datetime.now(timezone.utc)
