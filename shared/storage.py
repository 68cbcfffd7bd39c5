"""Blobs: listing the container, ranged reads pinned to one version, addresses for the target.

Azure's errors end here: callers see StorageUnavailable where a retry may help, StorageError
where it will not, and BlobChanged where a blob is no longer the version that was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from azure.core import MatchConditions
from azure.core.credentials import TokenCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.identity import DefaultAzureCredential
from azure.storage.blob import (
    BlobProperties,
    BlobServiceClient,
    ContainerClient,
    ContainerSasPermissions,
    generate_container_sas,
)

from shared.errors import StorageError, StorageUnavailable
from shared.settings import Settings

_PASSING = (408, 429, 500, 502, 503, 504)
SAS_CLOCK_SKEW = timedelta(minutes=15)
"""By how much of its life a signature ends earlier, for clocks differ."""

_ABSENT = {"ContainerNotFound": "the container", "TableNotFound": "a table of the catalog"}
# The SDK's own waits add up to 80 seconds; whoever calls an API or watches a restore has less.
RETRIES: dict[str, Any] = {"retry_total": 3, "initial_backoff": 1, "increment_base": 2}


class BlobChanged(StorageError):
    """A blob is gone, or is another version than the one that was checked."""


@dataclass(frozen=True)
class BlobVersion:
    """One version of a blob. `etag` has no quotes; times are aware UTC.

    `is_arriving` tells that storage is still copying its content from elsewhere.
    """

    name: str
    etag: str
    size: int
    last_modified: datetime
    is_arriving: bool = False


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Turn the SDK's exceptions into this project's; `doing` says what was tried."""
    try:
        yield
    except (ResourceNotFoundError, ResourceModifiedError) as error:
        for code, what in _ABSENT.items():
            if getattr(error, "error_code", None) == code:
                raise StorageError(
                    f"{doing}: {what} does not exist", action="create it, or correct its name"
                ) from error
        raise BlobChanged(
            f"{doing}: {_first_line(error)}", action="nothing, the change is picked up by itself"
        ) from error
    except ClientAuthenticationError as error:
        raise StorageError(
            f"{doing}: storage refused the app's identity ({_first_line(error)})",
            action="give the app the role Storage Blob Data Reader (tables: Storage Table Data"
            " Contributor) on the storage account, and check its firewall",
        ) from error
    except HttpResponseError as error:
        if error.status_code is None or error.status_code in _PASSING:
            raise StorageUnavailable(f"{doing}: {_first_line(error)}") from error
        raise StorageError(
            f"{doing}: storage answered {error.status_code} ({_first_line(error)})",
            action="check the container, the app's role on it, and the account's firewall",
        ) from error
    except AzureError as error:
        raise StorageUnavailable(f"{doing}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


class BlobSource:
    """A version of a blob as a source of bytes for the backup reader."""

    def __init__(self, container: ContainerClient, blob: BlobVersion) -> None:
        self.size = blob.size
        self._name = blob.name
        self._etag = f'"{blob.etag}"'
        self._client = container.get_blob_client(blob.name)

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes of a range, fewer at the end; raises BlobChanged for a new version."""
        if length <= 0 or offset >= self.size:
            return b""
        with storage_errors(f"reading {self._name!r}"):
            return self._client.download_blob(
                offset=offset,
                length=length,
                etag=self._etag,
                match_condition=MatchConditions.IfNotModified,
                max_concurrency=1,
            ).readall()


class Blobs:
    """The container that backups are dropped into."""

    def __init__(self, settings: Settings, credential: TokenCredential | None = None) -> None:
        if settings.storage_connection_string is not None:
            self._service = BlobServiceClient.from_connection_string(
                settings.storage_connection_string.get_secret_value(), **RETRIES
            )
        else:
            self._service = BlobServiceClient(
                settings.blob_endpoint or "",
                credential=credential or DefaultAzureCredential(),
                **RETRIES,
            )
        self.container = settings.container
        self._client = self._service.get_container_client(settings.container)

    @property
    def container_url(self) -> str:
        """Address of the container, without a query."""
        return str(self._client.url)

    def url_of(self, name: str) -> str:
        """Return the address of a blob, its name percent-encoded, without a query."""
        return str(self._client.get_blob_client(name).url)

    def find(self, name: str) -> BlobVersion | None:
        """Return the present version of a blob, or None if there is none."""
        try:
            with storage_errors(f"looking at {name!r}"):
                return version_of(self._client.get_blob_client(name).get_blob_properties())
        except BlobChanged:
            return None

    def list(self, prefix: str = "") -> Iterator[BlobVersion]:
        """Yield every blob whose name begins with `prefix`, in order of name."""
        with storage_errors(f"listing container {self.container!r}"):
            for properties in self._client.list_blobs(name_starts_with=prefix or None):
                yield version_of(properties)

    def source(self, blob: BlobVersion) -> BlobSource:
        """Return one version of a blob for ranged reads."""
        return BlobSource(self._client, blob)

    def read_only_signature(self, lifetime: timedelta) -> str:
        """Make a SAS to read and list the container, without a leading question mark.

        Signed with a user delegation key, or with the account key of a connection string.
        """
        # The lifetime ends early by the skew too: storage refuses a key for more than seven days
        # from now, and its now may be behind ours.
        start = datetime.now(timezone.utc) - SAS_CLOCK_SKEW
        expiry = start + lifetime
        account_key = getattr(self._service.credential, "account_key", None)
        with storage_errors("signing read access for the target server"):
            delegation = (
                None if account_key else self._service.get_user_delegation_key(start, expiry)
            )
            return generate_container_sas(
                account_name=str(self._service.account_name),
                container_name=self.container,
                account_key=account_key,
                user_delegation_key=delegation,
                permission=ContainerSasPermissions(read=True, list=True),
                start=start,
                expiry=expiry,
            )


def version_of(properties: BlobProperties) -> BlobVersion:
    """Return the version that these properties are of."""
    return BlobVersion(
        name=str(properties.name),
        etag=str(properties.etag).strip('"'),
        size=int(properties.size or 0),
        last_modified=properties.last_modified,
        is_arriving=properties.copy.status == "pending",
    )
