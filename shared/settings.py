"""App settings, read once at the entry and passed on. Nobody else reads the environment."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from shared.errors import ConfigurationError
from shared.targets.connection import SqlServerConnection
from shared.targets.sqlserver import RestoreWith
from shared.vocabulary import VerificationLevel

# It is the key of a durable entity, in which some characters are not allowed.
TargetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_HOW_TO = "set them as application settings, see docs/settings.md"


class SqlServerSettings(SqlServerConnection):
    """One SQL Server that databases are migrated to: how to reach it, and how much to ask of it."""

    kind: Literal["SqlVm"] = "SqlVm"
    restore_slots: int = Field(default=4, ge=1, le=64, description="Restores at a time.")
    restore_with: RestoreWith = Field(
        default="auto",
        description="Jobs of SQL Server Agent, a held connection, or what is possible.",
    )
    manage_credential: bool = Field(
        default=True, description="Create the server's credential for the container if absent."
    )
    container_access: Literal["sas", "managed_identity"] = Field(
        default="sas",
        description="What that credential is: a signature, or the server's own identity.",
    )


class Settings(BaseSettings):
    """Every setting of the app; each is `BACKHAUL_` and its name in the environment."""

    model_config = SettingsConfigDict(env_prefix="BACKHAUL_", frozen=True, extra="ignore")

    storage_connection_string: SecretStr | None = Field(
        default=None, description="Only for Azurite and tests; in Azure use the endpoints."
    )
    blob_endpoint: str | None = Field(
        default=None, description="https://ACCOUNT.blob.core.windows.net, or a sovereign cloud's."
    )
    table_endpoint: str | None = Field(
        default=None, description="https://ACCOUNT.table.core.windows.net, or a sovereign cloud's."
    )
    container: str = Field(default="landing", description="Where backups are dropped.")
    table_prefix: str = Field(default="Backhaul", pattern=r"^[A-Za-z][A-Za-z0-9]{0,30}$")
    targets: dict[TargetName, SqlServerSettings] = Field(
        default_factory=dict, description="Target servers by name, as JSON."
    )
    default_target: str | None = Field(
        default=None, description="Target of migrations that name none; the only one if absent."
    )
    auto_start: bool = Field(
        default=False, description="Start a migration when a folder's first full backup arrives."
    )
    verify: VerificationLevel = Field(
        default=VerificationLevel.HEADER,
        description="How much of each backup is read for migrations that do not say.",
    )
    oldest_database_version: int = Field(
        default=655, description="Oldest internal version the targets restore; 655 is 2008."
    )
    batch_seconds: float = Field(
        default=60.0, gt=0, description="Time after which a run of restores reports back."
    )
    batch_sets: int = Field(default=100, ge=1, le=1000)
    retry_minutes: float = Field(
        default=60.0,
        gt=0,
        le=60 * 24 * 30,
        description="How long a target may be out of reach before a migration gives up.",
    )
    retriable_hours: float = Field(
        default=8.0,
        gt=0,
        le=24 * 30,
        description="How long a migration that gave up waits for a retry before it is canceled.",
    )
    cutover_wait_hours: float = Field(
        default=24.0,
        gt=0,
        le=24 * 365,
        description="How long a cutover waits for the last backup it names.",
    )

    @model_validator(mode="after")
    def _storage_is_named(self) -> Settings:
        if self.storage_connection_string is None and not (
            self.blob_endpoint and self.table_endpoint
        ):
            raise ValueError(
                "set BACKHAUL_BLOB_ENDPOINT and BACKHAUL_TABLE_ENDPOINT"
                " (or BACKHAUL_STORAGE_CONNECTION_STRING for Azurite)"
            )
        if self.default_target is not None and self.default_target not in self.targets:
            raise ValueError(
                f"BACKHAUL_DEFAULT_TARGET names {self.default_target!r},"
                f" BACKHAUL_TARGETS has {sorted(self.targets)}"
            )
        return self

    @property
    def target_by_default(self) -> str | None:
        """The target of migrations that name none, or None if there is no single one."""
        if self.default_target is not None:
            return self.default_target
        return next(iter(self.targets)) if len(self.targets) == 1 else None


def read_settings() -> Settings:
    """Read the settings from the environment; raises ConfigurationError that names the wrong one.

    Values are left out of the message, since they may be secrets.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            ": ".join(part for part in (_variable(item["loc"]), item["msg"]) if part)
            for item in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError(
            f"settings are missing or wrong: {wrong}",
            action=_HOW_TO,
        ) from None
    except SettingsError as error:
        # Only the targets are JSON. The cause tells a line and a column, and nothing of the value.
        raise ConfigurationError(
            f"settings are wrong: BACKHAUL_TARGETS is no JSON: {error.__cause__}", action=_HOW_TO
        ) from None


def _variable(location: tuple[int | str, ...]) -> str:
    if not location:
        return ""
    name, *rest = (str(part) for part in location)
    return ".".join([f"BACKHAUL_{name.upper()}", *rest])
