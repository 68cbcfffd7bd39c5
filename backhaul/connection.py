"""Where the app is and what key it wants: options, environment, or the file of `backhaul up`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from shared.errors import ConfigurationError

FILE = Path(".backhaul", "connection.json")
"""Below the folder that `backhaul up` was started in."""

_LARGEST_FILE = 64 * 1024


class Connection(BaseModel):
    """Address and function key of an app. `url` is what comes before `/api`, without query.

    `master_key` is that of the host the app runs on, if it is known.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    url: str
    key: SecretStr | None = None
    master_key: SecretStr | None = Field(None, alias="masterKey")

    @field_validator("url")
    @classmethod
    def _check_url(cls, text: str) -> str:
        """Refuse what is no plain address; a key in it would be shown with every error."""
        address = text.strip().rstrip("/")
        try:
            url = urlsplit(address)
            has_host = bool(httpx.URL(address).host) and url.port != 0
        except (ValueError, httpx.InvalidURL):
            raise ValueError("it is no address") from None
        if url.scheme not in ("http", "https") or not has_host:
            raise ValueError("it must begin with http:// or https:// and a host name")
        if url.query or url.fragment or "@" in url.netloc:
            raise ValueError("it must have no user, query or fragment; give the key apart from it")
        return address

    @field_validator("key", "master_key")
    @classmethod
    def _check_key(cls, key: SecretStr | None) -> SecretStr | None:
        value = key.get_secret_value() if key else ""
        if not (value.isascii() and value.isprintable()):
            raise ValueError("it has characters that no key has")
        return key


def find_connection(url: str | None, key: str | None, folder: Path) -> Connection:
    """Return the address and key to use; what is given comes before the file below `folder`.

    The key in the file is for the address in it and goes to no other. Raises ConfigurationError.
    """
    path = folder / FILE
    known = None if url is not None else _read(path)
    if known is not None and key is None:
        return known
    if known is not None:
        url = known.url
    if url is None:
        raise ConfigurationError(
            f"no app to ask: neither --url nor BACKHAUL_URL is given, and {path} does not exist",
            action="start one here with `backhaul up`, or give its address with --url",
        )
    try:
        return Connection.model_validate({"url": url, "key": key})
    except ValidationError as error:
        raise ConfigurationError(
            f"the address or key of the app is wrong: {_reasons(error)}",
            action="correct --url and --key, or BACKHAUL_URL and BACKHAUL_KEY",
        ) from None


def find_host(url: str | None, key: str | None, folder: Path) -> Connection:
    """Return the address of a host and its master key; otherwise as `find_connection`."""
    found = find_connection(url, key, folder)
    if key is not None:
        return found
    return found.model_copy(update={"key": found.master_key})


def _read(path: Path) -> Connection | None:
    """Read the file; None if there is none."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_FILE)
        return Connection.model_validate_json(text)
    except FileNotFoundError:
        return None
    except OSError as error:
        wrong = f"cannot be read: {error.strerror}"
    except ValidationError as error:
        wrong = f"is wrong: {_reasons(error)}"
    raise ConfigurationError(
        f"{path} {wrong}", action="start `backhaul up` again, or give --url and --key"
    )


def _reasons(error: ValidationError) -> str:
    """Return what is wrong, without the values, of which one is a key."""
    return "; ".join(
        ": ".join((*map(str, item["loc"]), item["msg"].removeprefix("Value error, ")))
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    )
