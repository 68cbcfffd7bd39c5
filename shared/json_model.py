"""The base of all JSON that goes in and out: how names are spelled. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


def _key(name: str) -> str:
    """Return a field's name in JSON, for instance first_lsn -> firstLSN."""
    camel = str(to_camel(name)).replace("Mbps", "MBps")
    return camel.replace("Lsn", "LSN").removesuffix("Mb") + ("MB" if camel.endswith("Mb") else "")


class Json(BaseModel):
    """Base of all JSON: camel case outside, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=_key, populate_by_name=True
    )

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values, without what is unknown."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
