"""Backups in blob storage by their addresses: files as they lie in Azure, or in Azurite."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from azure.core.exceptions import ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient, ContainerClient

from shared.errors import BackhaulError
from shared.storage import RETRIES, BlobSource, storage_errors, version_of


@dataclass(frozen=True)
class BlobAddress:
    """Where a blob, a folder or a container is. `signature` is a SAS, without a question mark."""

    account_url: str
    container: str
    path: str
    signature: str

    def __str__(self) -> str:
        """The address without what must not be shown."""
        return "/".join(filter(None, (self.account_url, self.container, quote(self.path))))


class BlobInput:
    """A blob that can be opened; its name has no signature."""

    def __init__(self, container: ContainerClient, address: BlobAddress, path: str) -> None:
        self._container = container
        self._path = path
        self.name = str(BlobAddress(address.account_url, address.container, path, ""))

    def open(self) -> BlobSource:
        """Return the present version for ranged reads; raises StorageError."""
        with storage_errors(f"looking at {self.name}"):
            properties = self._container.get_blob_client(self._path).get_blob_properties()
        return BlobSource(self._container, version_of(properties))


def parse_address(text: str) -> BlobAddress:
    """Take an address apart; raises BackhaulError for one that names no container.

    The account is the first part of the host, or, at an IP address and localhost, of the path.
    """
    parts = urlsplit(text)
    segments = [unquote(part) for part in parts.path.split("/") if part]
    account = f"{parts.scheme}://{parts.netloc}"
    if _is_emulated(parts.hostname or ""):
        account = "/".join((account, *segments[:1]))
        segments = segments[1:]
    if not segments:
        raise BackhaulError(
            f"{account} names no container",
            action="give the address of a blob, a folder or a container",
        )
    return BlobAddress(account, segments[0], "/".join(segments[1:]), parts.query)


def list_blobs(address: BlobAddress, connection_string: str | None) -> Iterator[BlobInput]:
    """Yield the blob of that name, or those of the folder or container; raises StorageError.

    Access is by the signature of the address, by a connection string of the same account, or by
    the identity that DefaultAzureCredential finds.
    """
    credential = _credential(address, connection_string)
    container = ContainerClient(
        address.account_url, address.container, credential=credential, **RETRIES
    )
    if address.path:
        single = BlobInput(container, address, address.path)
        with storage_errors(f"looking at {address}"):
            try:
                container.get_blob_client(address.path).get_blob_properties()
            except ResourceNotFoundError:
                pass
            else:
                yield single
                return
    prefix = f"{address.path}/" if address.path else None
    with storage_errors(f"listing {address}"):
        for name in container.list_blob_names(name_starts_with=prefix):
            yield BlobInput(container, address, name)


def _is_emulated(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def _credential(address: BlobAddress, connection_string: str | None) -> Any:
    if address.signature:
        return address.signature
    if connection_string:
        service = BlobServiceClient.from_connection_string(connection_string)
        if str(service.url).rstrip("/") == address.account_url:
            return service.credential
    # It warns of each way it tried in vain; the error that follows says so too.
    logging.getLogger("azure.identity").setLevel(logging.ERROR)
    return DefaultAzureCredential()
