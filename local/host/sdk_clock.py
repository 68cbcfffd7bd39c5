"""Lets the SDK read the timestamps of a history in a fraction of the time.

The SDK parses the timestamp of every past event again in every turn, with a parser for dates in
any form; that is four fifths of what a replay costs. The hub writes all of them in one form, which
is read here to the same value. Any other text still goes to the SDK's own parser.
"""

from __future__ import annotations

import re
import sys
from datetime import datetime

_MODULE = "azure.durable_functions.models.history.HistoryEvent"
_PARSER = "dt_parse"
_FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def speed_up_history() -> bool:
    """Put the faster reader in the SDK's place; returns whether this SDK has that place."""
    module = sys.modules.get(_MODULE)
    parse = getattr(module, _PARSER, None)
    if parse is None:
        return False
    utc = parse("2000-01-01T00:00:00.000000Z").tzinfo

    def read(text: str) -> datetime:
        if _FORM.fullmatch(text) is None:
            parsed: datetime = parse(text)
            return parsed
        return datetime.fromisoformat(text[:-1]).replace(tzinfo=utc)

    setattr(module, _PARSER, read)
    return True
