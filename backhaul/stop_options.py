"""The options of `cutover` that say where to stop."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import ValidationError
from typer import BadParameter, Option

from backhaul.plan_command import TIMES
from shared.stop_point import StopPoint

StopAt = Annotated[
    datetime | None,
    Option(metavar="TIME", formats=TIMES, help="End at this local time of the source server."),
]
StopAtLsn = Annotated[
    str | None,
    Option(metavar="LSN", help="End with this log record; 25 digits, or vlf:block:slot."),
]
StopAtMark = Annotated[
    str | None, Option(metavar="NAME", help="End with this marked transaction of the source.")
]
StopBefore = Annotated[
    bool, Option("--before", help="With --stop-at-lsn or --stop-at-mark: end right before it.")
]
StopAfter = Annotated[
    datetime | None,
    Option(
        "--after",
        metavar="TIME",
        formats=TIMES,
        help="With --stop-at-mark: the first such mark at this local time or later.",
    ),
]


def stop_point(
    time: datetime | None,
    lsn: str | None,
    mark: str | None,
    *,
    before: bool,
    after: datetime | None,
) -> StopPoint | None:
    """Return the stop point that these options name, None without any."""
    if not (time or lsn or mark or before or after):
        return None
    try:
        return StopPoint.model_validate(
            {"time": time, "lsn": lsn, "mark": mark, "before": before, "after": after}
        )
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "stop point"
        raise BadParameter(f"{where}: {first['msg']}") from None
